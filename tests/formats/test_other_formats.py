"""safetensors, projector files, the cache, and what strangers may do to any file."""

from __future__ import annotations

import gzip
import json
import os

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embedinspect.errors import DataError, EmbedInspectError, UsageError
from embedinspect.formats import FORMATS, cache, open_file
from embedinspect.formats.contents import ReadOptions
from embedinspect.source import SourceOptions, open_source
from tests.builders import VECTORS

ROWS = np.arange(6, dtype=np.float32).reshape(3, 2) / 4


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int8", "uint8", "int64"])
def test_safetensors(tmp_path, dtype):
    path = tmp_path / "m.safetensors"
    safetensors.numpy.save_file({"a": (ROWS * 4).astype(dtype), "bias": np.ones(3, "f4")}, path)
    source = open_source(str(path))
    assert source.tensor == "a"
    assert (source.matrix.rows == ROWS * 4).all()
    safetensors.numpy.save_file({"a": ROWS, "embeddings": ROWS + 1}, path)
    with pytest.raises(UsageError, match="called embedding: 'embeddings'"):
        open_source(str(path))
    assert (open_source(str(path), SourceOptions(tensor="a")).matrix.rows == ROWS).all()
    with pytest.raises(UsageError, match="--tensor is 'b'"):
        open_source(str(path), SourceOptions(tensor="b"))


def tensors(header, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def test_bfloat16_is_the_upper_half_of_float32(tmp_path):
    entry = {"dtype": "BF16", "shape": [3, 2], "data_offsets": [0, 12]}
    upper = (ROWS.view(np.uint32) >> 16).astype("<u2").tobytes()
    path = tmp_path / "m.safetensors"
    path.write_bytes(tensors({"a": entry}, upper))
    assert (open_source(str(path)).matrix.rows == ROWS).all()


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ({"a": {"dtype": "F32", "shape": [9, 2], "data_offsets": [0, 72]}}, "a whole tensor"),
        ({"a": {"dtype": "F32", "shape": [3, 2], "data_offsets": [0, 8]}}, "a whole tensor"),
        ({"a": {"dtype": "F32", "shape": [3, 2], "data_offsets": [-24, 0]}}, "a whole tensor"),
        ({"a": {"dtype": "F32", "shape": [10**9, 10**9], "data_offsets": [0, 1]}}, "at most"),
        ({"a": {"dtype": "F32", "shape": [0, 2], "data_offsets": [0, 0]}}, "has shape"),
        ({"a": {"dtype": "X", "shape": [3, 2], "data_offsets": [0, 24]}}, "has dtype 'X'"),
        ({"a": {"shape": [3, 2]}}, "damaged header"),
        ({"a": []}, "0 tensors"),
        (b"{" + b'"a":[' * 90_000, "damaged header"),
        (b"{" * 50, "damaged header"),
    ],
)
def test_safetensors_that_lie(tmp_path, header, says):
    path = tmp_path / "m.safetensors"
    path.write_bytes(tensors(header, bytes(24)))
    with pytest.raises((DataError, UsageError), match=says):
        open_source(str(path))


def projector(folder, rows="1\t2\n3\t4\n", labels="a\nb\n", config=True):
    (folder / "vectors.tsv").write_text(rows)
    (folder / "metadata.tsv").write_text(labels)
    entry = 'tensor_path: "vectors.tsv"\n  metadata_path: "metadata.tsv"'
    if config:
        (folder / "projector_config.pbtxt").write_text(f"embeddings {{\n  {entry}\n}}\n")


@pytest.mark.parametrize("config", [True, False])
def test_a_projector_pair(tmp_path, config):
    projector(tmp_path, config=config)
    name = "projector_config.pbtxt" if config else "vectors.tsv"
    source = open_source(str(tmp_path / name))
    assert source.matrix.rows.tolist() == [[1, 2], [3, 4]]
    assert list(source.words) == ["a", "b"]
    assert source.warnings == ()
    projector(tmp_path, labels="word\tn\na\t1\nb\t2\n", config=config)
    assert list(open_source(str(tmp_path / name)).words) == ["a", "b"]
    projector(tmp_path, labels="a\n", config=config)
    assert any("differ in length" in said for said in open_source(str(tmp_path / name)).warnings)


def test_projector_configs_that_name_no_rows(tmp_path):
    path = tmp_path / "projector_config.pbtxt"
    path.write_text('embeddings {\n  tensor_name: "layer/.ATTRIBUTES/VARIABLE_VALUE"\n}\n')
    with pytest.raises(DataError, match="names no file of rows"):
        open_source(str(path))
    two = 'embeddings {\n  tensor_path: "a.tsv"\n}\nembeddings {\n  tensor_path: "b.tsv"\n}\n'
    path.write_text(two)
    with pytest.raises(UsageError, match=r"'a\.tsv', 'b\.tsv'"):
        open_source(str(path))
    (tmp_path / "b.tsv").write_text("1\t2\n")
    assert open_source(str(path), SourceOptions(tensor="b.tsv")).matrix.rows.tolist() == [[1, 2]]


def test_projector_configs_that_name_what_is_no_file(tmp_path):
    projector(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    path, rows = tmp_path / "projector_config.pbtxt", tmp_path / "vectors.tsv"
    given = path.read_text()
    for name in ("vectors.tsv", "metadata.tsv"):
        path.write_text(given.replace(name, "pipe"))
        with pytest.raises(DataError, match="pipe'; expected a regular file"):
            open_source(str(path))
        path.write_text(given.replace(name, "a\0b"))
        with pytest.raises(DataError, match="null character"):
            open_source(str(path))
        path.write_text(given.replace(name, "x" * 5000))
        with pytest.raises(DataError, match="too long"):
            open_source(str(path))
    for name in ("pipe", "a\0b"):
        path.write_text(given.replace("metadata.tsv", name))
        assert open_source(str(rows)).words is None
    path.write_text(given.replace("metadata.tsv", "x" * 5000))
    with pytest.raises(DataError, match="too long"):
        open_source(str(rows))


# -- the cache ----------------------------------------------------------------------------------


@pytest.fixture
def large(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "WORTH", 100)
    path = tmp_path / "v.txt"
    path.write_bytes(VECTORS.read_bytes())
    return path


def test_a_large_text_is_kept_and_opened_from_there(large, monkeypatch):
    first = open_source(str(large))
    assert first.kept is not None
    monkeypatch.setattr("embedinspect.formats.word_vectors.read_text", None)  # not read again
    again = open_source(str(large))
    assert again.kept is None
    assert again.matrix.rows.tobytes() == first.matrix.rows.tobytes()
    assert list(again.words) == list(first.words)
    assert [again.words[row] for row in range(len(again.words))] == list(first.words)
    assert all(again.words.row_of(word) == row for row, word in enumerate(first.words))
    assert again.words.row_of("ice") is None
    assert again.words.row_of("cream") is None
    assert (again.lengths() == first.lengths()).all()


def test_a_changed_file_is_read_anew(large):
    open_source(str(large))
    large.write_text(large.read_text().replace("king", "kong"))
    assert open_source(str(large)).words.row_of("kong") == 1
    [entry] = cache.entries()
    assert (entry.source, entry.shape, entry.stale) == (str(large), (26, 6), False)
    large.unlink()
    assert cache.entries()[0].stale


def test_a_damaged_entry_is_no_harm(large):
    place = open_source(str(large)).kept
    for name in os.listdir(place):
        data = (place / name).read_bytes()
        (place / name).write_bytes(data[: len(data) // 2])
        assert open_source(str(large)).words.row_of("king") == 1  # and it is kept anew
    assert len(cache.entries()) == 1


def test_problems_are_kept_and_strictness_asks_the_file(large):
    large.write_text(large.read_text() + "short 1 2\n")
    assert open_source(str(large)).problems.total == 1
    assert open_source(str(large)).problems.first == ["line 27 has 2 numbers; expected 6"]
    with pytest.raises(DataError, match="line 27"):
        open_source(str(large), SourceOptions(strict=True))


def test_without_the_cache_nothing_is_kept(large):
    assert open_source(str(large), SourceOptions(cache=False)).kept is None
    assert cache.entries() == []


def test_clearing_removes_our_folders_alone(large):
    place = open_source(str(large)).kept
    (place.parent / "mine").mkdir()
    (place.parent / ".new-half").mkdir()
    assert cache.clear() > 0
    assert os.listdir(place.parent) == ["mine"]


def test_a_cache_that_cannot_be_written_is_no_harm(large, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EMBEDINSPECT_CACHE", str(tmp_path / "file" / "cache"))
    source = open_source(str(large))
    assert source.kept is None
    assert source.words.row_of("king") == 1


# -- any file -----------------------------------------------------------------------------------


def examples() -> dict[str, bytes]:
    import io

    npy = io.BytesIO()
    np.save(npy, ROWS)
    npz = io.BytesIO()
    np.savez(npz, a=ROWS)
    text = VECTORS.read_bytes()
    binary = b"3 2\n" + b"".join(b"w%d " % n + ROWS[n].tobytes() for n in range(3))
    return {
        "npy": npy.getvalue(),
        "npz": npz.getvalue(),
        "safetensors": safetensors.numpy.save({"a": ROWS}),
        "word2vec binary": binary,
        "word vectors": text,
        "packed": gzip.compress(text),
        "numbers": b"1 2\n3 4\n5 6\n",
        "projector": b'embeddings {\n tensor_path: "vectors.tsv"\n}\n',
    }


def test_every_format_is_mutated_somewhere():
    elsewhere = {"keras", "hdf5"}  # in test_keras_files.py
    assert {kind.name for kind in FORMATS} <= set(examples()) | elsewhere


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    st.sampled_from(sorted(examples())),
    st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=3)), max_size=4),
    st.one_of(st.none(), st.floats(0, 1)),
)
def test_mutated_files_are_refused_or_read(tmp_path, name, changes, cut):
    projector(tmp_path)
    path = tmp_path / "file"
    data = bytearray(examples()[name])
    for place, what in changes:
        at = int(place * (len(data) - 1))
        data[at : at + len(what)] = what
    path.write_bytes(bytes(data if cut is None else data[: int(cut * len(data))]))
    try:
        source = open_source(str(path))
    except EmbedInspectError:
        return
    assert source.matrix.rows.dtype == np.float32
    assert source.matrix.rows.ndim == 2
    assert min(source.matrix.rows.shape) >= 1
    assert source.words is None or len(source.words) == source.matrix.input_dim


@pytest.mark.parametrize("name", sorted(examples()))
def test_options_that_do_not_fit_are_refused(tmp_path, name):
    path = tmp_path / "file"
    projector(tmp_path)
    path.write_bytes(examples()[name])
    with pytest.raises(UsageError, match="--layer picks a matrix of a Keras file"):
        open_file(str(path), ReadOptions(layer="x"))
    with pytest.raises(UsageError, match="--epoch picks rows of a run"):
        open_source(str(path), SourceOptions(epoch=1))
