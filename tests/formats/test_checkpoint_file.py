"""TensorFlow's checkpoints and SavedModels: TensorFlow is the oracle, then files that lie."""

from __future__ import annotations

import struct
import subprocess
import sys
import tracemalloc
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embedinspect.errors import DataError, EmbedInspectError, UsageError
from embedinspect.formats import open_file
from embedinspect.formats.checkpoint_bundle import open_bundle
from embedinspect.formats.checkpoint_table import entries_of
from embedinspect.formats.contents import Contents, ReadOptions
from embedinspect.formats.crc32c import crc32c
from embedinspect.source import open_source
from tests.conftest import environment

DTYPES = (
    "float32", "float64", "float16", "bfloat16", "int8", "uint8", "int16", "uint16", "int32",
    "uint32", "int64", "uint64", "float8_e5m2", "float8_e4m3fn",
)  # fmt: skip
SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
DATA = ".data-00000-of-00001"


@pytest.fixture(scope="module")
def tf():
    from embedinspect import keras_layer

    keras_layer.load("tensorflow")
    import tensorflow

    return tensorflow


def opened(path, tensor: str | None = None) -> Contents:
    return open_file(str(path), ReadOptions(tensor=tensor))


def rows(path, tensor: str | None = None) -> np.ndarray:
    return np.asarray(opened(path, tensor).rows)


def save(tf, prefix: Path, **arrays: np.ndarray) -> None:
    """Write arrays by their names, as a checkpoint of TensorFlow 1 or 2 has them."""
    values = [tf.constant(array) for array in arrays.values()]
    names, slices = list(arrays), [""] * len(arrays)
    tf.raw_ops.SaveV2(
        prefix=str(prefix), tensor_names=names, shape_and_slices=slices, tensors=values
    )


# -- TensorFlow is the oracle -------------------------------------------------------------------


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=20
)
@given(
    st.lists(st.sampled_from(DTYPES), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=4, max_size=4),
    st.integers(0, 2**32 - 1),
)
def test_every_table_is_what_tensorflow_reads(tf, tmp_path, dtypes, shapes, seed):
    chance = np.random.default_rng(seed)
    arrays = {
        f"t{number}/{dtype}": chance.integers(0, 99, shape).astype(
            tf.as_dtype(dtype).as_numpy_dtype
        )
        for number, (dtype, shape) in enumerate(zip(dtypes, shapes, strict=False))
    }
    save(tf, tmp_path / "model", **arrays)
    reader = tf.train.load_checkpoint(str(tmp_path / "model"))
    for name, dtype in reader.get_variable_to_dtype_map().items():
        contents = opened(tmp_path / "model", name)
        np.testing.assert_array_equal(
            np.asarray(contents.rows), reader.get_tensor(name).astype(np.float32)
        )
        assert contents.dtype == dtype.name
        listed = {tensor.name: (*tensor.shape,) for tensor in contents.tensors}
        assert listed == {
            name: (*shape,) for name, shape in reader.get_variable_to_shape_map().items()
        }


@pytest.fixture(scope="module")
def trained(tf, tmp_path_factory):
    """A model of Keras with its optimizer's variables, and a folder where it was saved each way."""
    import keras

    folder = tmp_path_factory.mktemp("trained")
    layers = [keras.layers.Embedding(7, 3, name="words"), keras.layers.LSTM(2)]
    model = keras.Sequential([keras.Input((5,), dtype="int32"), *layers], name="sequential")
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    for variable in model.optimizer.variables:
        if len(variable.shape) == 2:
            variable.assign(np.random.default_rng(0).random(variable.shape))
    tf.train.Checkpoint(model=model).save(str(folder / "whole/ckpt"))
    tf.train.Checkpoint(model).write(str(folder / "plain/ckpt"))
    model.export(str(folder / "export"), verbose=False)
    tf.saved_model.save(model, str(folder / "saved"))
    return folder, model.layers[0].get_weights()[0]


WAYS = {
    "whole/ckpt-1": "TensorFlow checkpoint",
    "whole/ckpt-1.index": "TensorFlow checkpoint",
    f"whole/ckpt-1{DATA}": "TensorFlow checkpoint",
    "whole": "TensorFlow checkpoint",
    "whole/checkpoint": "TensorFlow checkpoint",
    "plain/ckpt": "TensorFlow checkpoint",
    "plain": "TensorFlow checkpoint",
    "export": "TensorFlow SavedModel",
    "export/saved_model.pb": "TensorFlow SavedModel",
    "export/variables/variables": "TensorFlow SavedModel",
    "saved": "TensorFlow SavedModel",
}


@pytest.mark.parametrize("way", WAYS)
def test_the_embedding_of_a_model_is_found_and_not_its_optimizer_s(trained, way):
    folder, weights = trained
    contents = opened(folder / way)
    assert (np.asarray(contents.rows) == weights).all()
    assert contents.kind == WAYS[way]
    assert contents.tensor == "sequential/words/embeddings"
    assert [tensor.role for tensor in contents.tensors].count("input embedding") == 1
    assert not any("momentum" in tensor.name for tensor in contents.tensors)
    assert (rows(folder / way, "words") == weights).all()


def test_the_name_that_was_given_to_save_leads_to_the_numbered_one(trained):
    with pytest.raises(DataError, match=r"TensorFlow numbers what it saves; .*whole/ckpt-1'"):
        opened(trained[0] / "whole" / "ckpt")
    with pytest.raises(DataError, match="no such file"):
        opened(trained[0] / "whole" / "other")


def test_every_key_is_a_name_and_an_optimizer_s_variable_is_read_if_named(tf, trained):
    folder, _ = trained
    for prefix in ("whole/ckpt-1", "export/variables/variables"):
        reader = tf.train.load_checkpoint(str(folder / prefix))
        shapes = reader.get_variable_to_shape_map()
        matrices = [name for name, shape in shapes.items() if len(shape) == 2]
        assert len(matrices) > 5
        for name in matrices:
            assert (rows(folder / prefix, name) == reader.get_tensor(name)).all()
            assert (
                rows(folder / prefix, name.removesuffix(SUFFIX)) == rows(folder / prefix, name)
            ).all()


def test_variables_of_a_module_have_the_names_of_its_attributes(tf, tmp_path):
    module = tf.Module()
    module.table, module.heads = tf.Variable(np.ones((4, 2), "f4")), {"a": tf.Variable([[2.0]])}
    tf.train.Checkpoint(net=module).write(str(tmp_path / "m"))
    assert rows(tmp_path / "m", f"net/table{SUFFIX}").tolist() == [[1, 1]] * 4
    assert rows(tmp_path / "m", "heads/a").tolist() == rows(tmp_path / "m", "a").tolist() == [[2]]
    with pytest.raises(UsageError, match=r"'net/heads/a' \(1 x 1\), 'net/table' \(4 x 2\)"):
        opened(tmp_path / "m")
    with pytest.raises(UsageError, match="--tensor is 'net'"):
        opened(tmp_path / "m", "net")


def test_a_model_of_tensorflow_1_without_its_optimizer_and_its_positions(tf, tmp_path):
    words, others = np.eye(5, 3, dtype=np.float32), np.ones((5, 3), np.float32)
    save(
        tf,
        tmp_path / "bert_model.ckpt",
        **{
            "bert/embeddings/word_embeddings": words,
            "bert/embeddings/word_embeddings/adam_m": others,
            "bert/embeddings/word_embeddings/Adam": others,
            "bert/embeddings/position_embeddings": others,
            "bert/embeddings/token_type_embeddings": others,
            "bert/pooler/dense/kernel": others,
        },
    )
    contents = opened(tmp_path)
    assert (np.asarray(contents.rows) == words).all()
    assert {tensor.role for tensor in contents.tensors} == {
        "input embedding", "position embedding", "token type embedding", None,
    }  # fmt: skip
    assert not any("adam" in tensor.name.lower() for tensor in contents.tensors)
    assert (rows(tmp_path, "adam_m") == others).all()


@pytest.mark.parametrize("shape", [(10, 4), (200, 2), (9000, 1), (70_000, 1)])
def test_a_partitioned_variable_is_joined(tf, tmp_path, shape):
    whole = np.random.default_rng(0).random(shape, np.float32)
    cuts = [0, shape[0] // 3, shape[0] // 2 + 1, shape[0]]
    pairs = list(pairwise(cuts))
    full = " ".join(map(str, shape))
    tf.raw_ops.SaveV2(
        prefix=str(tmp_path / "p"),
        tensor_names=["part/table"] * 3,
        shape_and_slices=[f"{full} {a},{b - a}:-" for a, b in pairs],
        tensors=[tf.constant(whole[a:b]) for a, b in pairs],
    )
    assert (rows(tmp_path / "p") == whole).all()
    index = tmp_path / "p.index"
    table = {key: value for key, value in entries_of(index.read_bytes(), "it").items()}
    first = next(key for key in table if key.startswith(b"\0"))
    index.write_bytes(table_bytes({key: value for key, value in table.items() if key != first}))
    with pytest.raises(DataError, match="lacks a part"):
        opened(tmp_path / "p")


def test_several_files_of_data(tf, tmp_path):
    a, b = np.full((2, 3), 1, np.float32), np.full((3, 2), 2, np.float32)
    save(tf, tmp_path / "a", a=a)
    save(tf, tmp_path / "b", b=b)
    tf.raw_ops.MergeV2Checkpoints(
        checkpoint_prefixes=[str(tmp_path / "a"), str(tmp_path / "b")],
        destination_prefix=str(tmp_path / "both"),
    )
    assert (rows(tmp_path / "both", "a") == a).all()
    assert (rows(tmp_path / "both.data-00001-of-00002", "b") == b).all()
    (tmp_path / "both.data-00001-of-00002").unlink()
    assert (rows(tmp_path / "both", "a") == a).all()
    with pytest.raises(DataError, match=r"'both\.data-00001-of-00002', which is not beside"):
        opened(tmp_path / "both", "b")


def test_reading_needs_no_tensorflow(tmp_path):
    write_bundle(tmp_path / "m")
    code = (
        "import sys; from embedinspect.source import open_source; "
        f"open_source({str(tmp_path / 'm')!r}); "
        "print([n for n in ('keras', 'tensorflow', 'ml_dtypes', 'h5py') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True
    )
    assert done.stdout == "[]\n"


def test_checksums_of_any_length():
    def slow(data: bytes) -> int:
        crc = 0xFFFFFFFF
        for byte in data:
            crc ^= byte
            for _ in range(8):
                crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        return crc ^ 0xFFFFFFFF

    data = np.random.default_rng(0).bytes(5000)
    for length in [*range(20), 1000, 4096, 4097, 4098, 4099, 4223, 4224, 4999]:
        assert crc32c(data[:length]) == slow(data[:length])


# -- words ---------------------------------------------------------------------------------------


def test_labels_of_a_projector_are_the_words_of_the_variable_that_its_config_names(tf, tmp_path):
    """As in TensorFlow's guide to the projector, whose folder holds a checkpoint and the labels."""
    variable = tf.Variable(np.eye(3, 2, dtype=np.float32))
    tf.train.Checkpoint(embedding=variable).save(str(tmp_path / "embedding.ckpt"))
    (tmp_path / "metadata.tsv").write_text("the\ncat\nsat\n")
    config = tmp_path / "projector_config.pbtxt"
    entry = 'embeddings {{\n  tensor_name: "{}"\n  metadata_path: "metadata.tsv"\n}}\n'
    config.write_text(entry.format(f"embedding{SUFFIX}"))
    source = open_source(str(tmp_path))
    assert list(source.words) == ["the", "cat", "sat"]
    assert source.kind == "TensorFlow checkpoint"
    config.write_text(entry.format("another"))
    assert open_source(str(tmp_path)).words is None
    (tmp_path / "rows.tsv").write_text("1\t2\n3\t4\n")
    config.write_text('embeddings {\n  tensor_path: "rows.tsv"\n}\n')
    assert open_source(str(tmp_path)).kind == "projector TSV"


@pytest.mark.parametrize(("text", "count"), [("[PAD]\na\nb\nc\n", 4), ("[PAD]\na\nb", 0)])
def test_a_list_of_words_beside_a_checkpoint_counts_where_it_is_as_long(tmp_path, text, count):
    value = entry(data=ROWS.tobytes())
    write_bundle(tmp_path / "bert_model.ckpt")
    pairs = {b"": HEADER, b"bert/embeddings/word_embeddings": value}
    (tmp_path / "bert_model.ckpt.index").write_bytes(table_bytes(pairs))
    (tmp_path / "vocab.txt").write_text(text)
    source = open_source(str(tmp_path))
    assert (0 if source.words is None else len(source.words)) == count


# -- files from strangers -----------------------------------------------------------------------

ROWS = np.arange(8, dtype=np.float32).reshape(4, 2)
HEADER = b"\x08\x01\x1a\x02\x08\x01"


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def entry(
    shape=(4, 2), size: int = 32, offset: int = 0, shard: int = 0, dtype: int = 1, data: bytes = b""
) -> bytes:
    """Return a BundleEntryProto; without a checksum where no data are given."""
    dims = b"".join(b"\x12" + varint(len(side) + 1) + b"\x08" + side for side in map(varint, shape))
    text = b"\x08" + varint(dtype) + b"\x12" + varint(len(dims)) + dims
    for tag, number in ((b"\x18", shard), (b"\x20", offset), (b"\x28", size)):
        text += tag + varint(number) if number else b""
    return text + (b"\x35" + masked(data) if data else b"")


def block(pairs: dict[bytes, bytes]) -> bytes:
    records = b"".join(
        b"\0" + varint(len(key)) + varint(len(value)) + key + value for key, value in pairs.items()
    )
    body = records + struct.pack("<II", 0, 1)
    return body + b"\0" + masked(body + b"\0")


def table_bytes(pairs: dict[bytes, bytes], index: bytes | None = None) -> bytes:
    """Return a table in one block, with checksums that are right."""
    data = block(pairs)
    index = block({b"\xff": b"\0" + varint(len(data) - 5)}) if index is None else index
    footer = b"\0\0" + varint(len(data)) + varint(len(index) - 5)
    return data + index + footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def write_bundle(prefix: Path, value: bytes | None = None, data: bytes | None = None) -> None:
    data = ROWS.tobytes() if data is None else data
    value = entry(data=data) if value is None else value
    Path(f"{prefix}.index").write_bytes(table_bytes({b"": HEADER, b"table": value}))
    Path(f"{prefix}{DATA}").write_bytes(data)


def refused(path, says: str, error=DataError, tensor: str | None = None) -> None:
    """Ask that a file is refused, in one line, before much memory is taken."""
    tracemalloc.start()
    with pytest.raises(error, match=says) as caught:
        opened(path, tensor)
    assert tracemalloc.get_traced_memory()[1] < 2**26
    tracemalloc.stop()
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_the_tests_own_writer_is_understood_by_tensorflow(tf, tmp_path):
    write_bundle(tmp_path / "m")
    assert (tf.train.load_checkpoint(str(tmp_path / "m")).get_tensor("table") == ROWS).all()
    assert (rows(tmp_path / "m") == ROWS).all()


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (entry(shape=(2**40, 2**20)), "at most 2,147,483,648 numbers"),
        (entry(shape=(2**63, 2)), "at most"),
        (entry(shape=(2**15, 2**15)), "4,294,967,296 bytes, but takes 32"),
        (entry(size=2**40), "takes 1,099,511,627,776"),
        (entry(offset=2**62), "a whole variable"),
        (entry(offset=4), "from byte 4 of 32"),
        (entry(shard=7), "m.data-00007-of-00001', which is not beside"),
        (entry(data=b"others"), "checksum of its bytes"),
        (entry(shape=(4,)), "no tensor of two dimensions"),
        (entry(shape=(0, 2)), "no tensor of two dimensions"),
        (entry(dtype=7), "no tensor of two dimensions"),
        (entry(dtype=99), "no tensor of two dimensions"),
        (b"\x12\xff\xff\xff\xff\x0f", "shorter than it says"),
        (b"\x0b", "of an unknown kind"),
        (b"\xff" * 12, "a number is too long"),
        (entry(shape=(2**14, 2**14)) + b"\x3a\x00", "but its files have 0"),
        (
            entry(data=ROWS.tobytes()) + b"\x3a" + varint(1200) + b"\x0a\x02\x08\x01" * 300,
            "lacks a part|its files have",
        ),
        (entry() + b"\x3a\x04\x0a\x02\x08\x09", "lacks a part|its files have"),
    ],
    ids=range(18),
)
def test_entries_that_lie(tmp_path, value, says):
    write_bundle(tmp_path / "m", value)
    refused(tmp_path / "m", says)


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (b"\x08\x00", "names 0 files"),
        (b"\x08\xff\xff\xff\x7f", "files of data"),
        (b"\x08\x01\x10\x01", "big-endian"),
        (b"\x0a\x02\x08\x01", "version 1"),
    ],
)
def test_headers_of_another_kind(tmp_path, header, says):
    write_bundle(tmp_path / "m")
    (tmp_path / "m.index").write_bytes(table_bytes({b"": header, b"table": entry()}))
    refused(tmp_path / "m", says)


def test_tables_that_lie(tmp_path):
    path, pairs = tmp_path / "m.index", {b"": HEADER, b"table": entry()}
    write_bundle(tmp_path / "m")
    size = len(block(pairs)) - 5
    for index, says in (
        (block({b"a": b"\0" + varint(size), b"b": b"\0" + varint(size)}), "blocks overlap"),
        (block({b"a": varint(2**60) + varint(9)}), "lacks a block"),
        (block({b"a": b"\0" + varint(2**60)}), "lacks a block"),
        (block({b"a": b"\0" + varint(size - 1)}), "checksum of a block"),
    ):
        path.write_bytes(table_bytes(pairs, index))
        refused(path, says)
    path.write_bytes(table_bytes({b"": HEADER, b"b": entry(), b"a": entry()}))
    refused(path, "out of order")
    path.write_bytes(bytes(100) + path.read_bytes()[-48:])
    refused(path, "damaged index")


def test_an_index_of_gigabytes_is_not_read(tmp_path):
    write_bundle(tmp_path / "m")
    path = tmp_path / "m.index"
    with path.open("r+b") as file:
        tail = path.read_bytes()[-48:]
        file.seek(2**33)
        file.write(tail)
    refused(path, "at most 67,108,864")


def test_names_are_shown_literally(tmp_path):
    write_bundle(tmp_path / "m")
    pairs = {b"": HEADER, b"\x1b[2J": entry(), b"\xff\xfe\n": entry()}
    (tmp_path / "m.index").write_bytes(table_bytes(pairs))
    refused(tmp_path / "m", "2 tensors", UsageError)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("../m", DataError), ("a/../../m", DataError), ("gone", DataError), ("/x/y/m", None),
        ("C:\\\\x\\\\m", None), ("m", None), ("\x1b[2J", DataError),
    ],
)  # fmt: skip
def test_the_latest_checkpoint_is_looked_for_in_its_own_folder_only(tmp_path, name, error):
    folder = tmp_path / "folder"
    folder.mkdir()
    write_bundle(folder / "m")
    write_bundle(tmp_path / "m")
    (folder / "checkpoint").write_text(f'model_checkpoint_path: "{name}"\nall: "n"\n')
    for path in (folder, folder / "checkpoint"):
        if error is None:
            assert (rows(path) == ROWS).all()
        else:
            refused(path, "not in its folder", error)


def test_a_folder_of_version_1_says_so(tmp_path):
    header = b"\x0a\x02\x08\x01"
    (tmp_path / "m").write_bytes(table_bytes({b"": header, b"table": entry()}))
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "m"\n')
    refused(tmp_path, "version 1")


def test_folders_without_a_checkpoint_or_with_several(tmp_path):
    write_bundle(tmp_path / "a")
    assert (rows(tmp_path) == ROWS).all()
    write_bundle(tmp_path / "b")
    refused(tmp_path, "'a.index', 'b.index'", UsageError)
    (tmp_path / "saved_model.pb").write_bytes(b"\x08\x01\x12\x00")
    refused(tmp_path, "without variables/variables.index")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.sampled_from([".index", DATA]),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=4),
    st.one_of(st.none(), st.floats(0, 1)),
)
def test_altered_files_are_refused_or_read_right(tmp_path, which, changes, cut):
    """Every byte that counts has a checksum, so no number can be another."""
    write_bundle(tmp_path / "m")
    path = Path(f"{tmp_path / 'm'}{which}")
    data = bytearray(path.read_bytes())
    for place, byte in changes:
        data[int(place * (len(data) - 1))] = byte
    path.write_bytes(bytes(data if cut is None else data[: int(cut * len(data))]))
    try:
        source = open_source(str(tmp_path / "m"))
    except EmbedInspectError:
        return
    assert (np.asarray(source.matrix.rows) == ROWS).all()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.binary(max_size=80), st.binary(max_size=12))
def test_any_entry_with_right_checksums_is_refused_or_read(tmp_path, value, header):
    write_bundle(tmp_path / "m", value)
    pairs = {
        b"": HEADER + header,
        b"table": entry() + value,
        b"_CHECKPOINTABLE_OBJECT_GRAPH": value,
    }
    (tmp_path / "m.index").write_bytes(table_bytes(dict(sorted(pairs.items()))))
    try:
        bundle = open_bundle(tmp_path / "m.index")
        open_source(str(tmp_path / "m"))
    except EmbedInspectError:
        return
    assert bundle.shards >= 1
