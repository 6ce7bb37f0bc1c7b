"""Keras files without Keras: the live layer is the oracle, strangers' files are refused."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embedinspect.errors import DataError, EmbedInspectError, UsageError
from embedinspect.formats import hdf5, keras_container
from embedinspect.source import SourceOptions, open_source
from tests.builders import EMBEDDING, hdf5_bytes, write_keras_file
from tests.conftest import environment

WEIGHTS = "model.weights.h5"


@pytest.fixture(scope="module")
def keras():
    from embedinspect import keras_layer

    return keras_layer.load("tensorflow")


def rows_of(layer) -> np.ndarray:
    """Return the rows as the live layer gives them: it is called on all its ids."""
    return np.asarray(layer(np.arange(layer.input_dim, dtype="int32")), np.float32)


def sequential(keras, *layers, width=5):
    return keras.Sequential([keras.Input((width,), dtype="int32"), *layers])


def opened(path, layer=None) -> np.ndarray:
    source = open_source(str(path), SourceOptions(layer=layer))
    assert source.matrix.rows.flags.c_contiguous
    assert source.matrix.rows.dtype == np.float32
    return source.matrix.rows


@pytest.mark.parametrize("name", ["model.keras", "model.h5", "model.weights.h5"])
@pytest.mark.parametrize("mask_zero", [False, True])
def test_sequential(keras, tmp_path, name, mask_zero):
    layers = keras.layers
    model = sequential(
        keras, layers.Embedding(7, 3, name="words", mask_zero=mask_zero), layers.LSTM(2)
    )
    path = tmp_path / name
    (model.save_weights if "weights" in name else model.save)(path)
    assert (opened(path) == rows_of(model.layers[0])).all()
    assert (opened(path, "words") == opened(path)).all()
    source = open_source(str(path))
    assert source.tensor == "words"
    assert source.layer.mask_zero == (None if "weights" in name else mask_zero)
    with pytest.raises(UsageError, match="did you mean 'words'"):
        opened(path, "wrods")


@pytest.mark.parametrize("name", ["model.keras", "model.weights.h5"])
def test_any_weight_can_be_named_by_its_path(keras, tmp_path, name):
    model = sequential(keras, keras.layers.Embedding(7, 3), keras.layers.LSTM(2))
    path = tmp_path / name
    (model.save_weights if "weights" in name else model.save)(path)
    assert (opened(path, "layers/lstm/cell/vars/0") == model.layers[1].get_weights()[0]).all()


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_functional_shared_nested_several(keras, tmp_path, suffix):
    layers = keras.layers
    a, b = (keras.Input((5,), dtype="int32") for _ in range(2))
    shared, other = layers.Embedding(7, 3, name="shared"), layers.Embedding(9, 4, name="other")
    inside = layers.Embedding(6, 2, name="inside")
    inner = sequential(keras, inside)
    joined = layers.Concatenate()([shared(a), shared(b), other(b), inner(a)])
    model = keras.Model([a, b], layers.Dense(1)(joined))
    path = tmp_path / f"model{suffix}"
    model.save(path)
    with pytest.raises(UsageError, match="3 embedding layers") as caught:
        opened(path)
    for layer in (shared, other, inside):
        assert repr(layer.name) in str(caught.value)
        assert (opened(path, layer.name) == rows_of(layer)).all()


def test_the_same_name_twice_is_picked_by_path(keras, tmp_path):
    layers = keras.layers
    first, second = layers.Embedding(7, 3, name="words"), layers.Embedding(7, 3, name="words")
    a = keras.Input((5,), dtype="int32")
    inner = sequential(keras, second)
    model = keras.Model(a, layers.Add()([first(a), inner(a)]))
    path = tmp_path / "model.keras"
    model.save(path)
    with pytest.raises(UsageError, match="layers/sequential/layers/embedding/vars/0"):
        opened(path, "words")
    assert (opened(path, "layers/embedding/vars/0") == rows_of(first)).all()
    nested = opened(path, "layers/sequential/layers/embedding/vars/0")
    assert (nested == rows_of(second)).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "mixed_bfloat16", "float64"])
def test_dtypes(keras, tmp_path, dtype):
    model = sequential(keras, keras.layers.Embedding(7, 3, name="words", dtype=dtype))
    path = tmp_path / "model.keras"
    model.save(path)
    stored = np.asarray(keras.ops.cast(model.layers[0].embeddings, "float32"))
    assert (opened(path) == stored).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_read_as_the_layer_uses_it(keras, tmp_path, dtype):
    model = sequential(keras, keras.layers.Embedding(7, 3, dtype=dtype))
    model.save(tmp_path / "model.keras")
    assert (opened(tmp_path / "model.keras") == rows_of(model.layers[0])).all()


@pytest.fixture
def quantized(keras, tmp_path):
    """A function that saves a quantized model; it returns the path and the layer."""

    def save(mode: str):
        model = sequential(keras, keras.layers.Embedding(7, 4, name="words"))
        model.layers[0].set_weights([np.random.RandomState(0).rand(7, 4)])
        model.quantize(mode)
        path = tmp_path / f"{mode}.keras"
        model.save(path)
        return path, model.layers[0]

    return save


@pytest.mark.filterwarnings("ignore:Layer InputLayer does not have a `quantize`")
def test_int8_rows_are_scaled(quantized):
    path, layer = quantized("int8")
    assert (opened(path) == rows_of(layer)).all()


def test_lora_is_merged_when_keras_saves(keras, tmp_path):
    model = sequential(keras, keras.layers.Embedding(7, 4, name="words"))
    layer = model.layers[0]
    layer.enable_lora(2)
    layer.lora_embeddings_a.assign(np.ones((7, 2)))
    layer.lora_embeddings_b.assign(np.full((2, 4), 0.5))
    path = tmp_path / "model.keras"
    model.save(path)
    assert np.allclose(opened(path), rows_of(layer), atol=1e-7)


def test_subclasses(keras, tmp_path):
    class Model(keras.Model):
        def __init__(self, **settings):
            super().__init__(**settings)
            self.embedding = keras.layers.Embedding(7, 3, name="custom")
            self.second = keras.layers.Embedding(5, 3, name="other")

        def call(self, ids):
            return self.embedding(ids) + self.second(ids)

    class Special(keras.layers.Embedding):
        pass

    model = Model()
    model(np.zeros((1, 5), "int32"))
    for name in ("model.keras", "model.weights.h5"):
        path = tmp_path / name
        (model.save_weights if "weights" in name else model.save)(path)
        with pytest.raises(UsageError, match="'custom' \\(7, 3\\), 'other' \\(5, 3\\)"):
            opened(path)
        assert (opened(path, "custom") == rows_of(model.embedding)).all()
        assert (opened(path, "other") == rows_of(model.second)).all()
    special = sequential(keras, Special(7, 3, name="mine"))
    special.save(tmp_path / "special.keras")
    assert (opened(tmp_path / "special.keras", "mine") == special.layers[0].get_weights()[0]).all()


def test_reversible(keras, tmp_path):
    layer = keras.layers.ReversibleEmbedding(7, 4, tie_weights=False, name="both")
    sequential(keras, layer).save(tmp_path / "model.keras")
    assert (opened(tmp_path / "model.keras") == layer.get_weights()[0]).all()


def test_words_of_a_text_vectorization(keras, tmp_path):
    layers = keras.layers
    adapted = layers.TextVectorization(output_sequence_length=5)
    adapted.adapt(["the cat sat", "the dog"])
    given_words = layers.TextVectorization(output_sequence_length=5, vocabulary=["cat", "dog"])
    for vectorization in (adapted, given_words):
        words = vectorization.get_vocabulary()
        embedding = layers.Embedding(len(words) + 1, 3)
        model = keras.Sequential([keras.Input((1,), dtype="string"), vectorization, embedding])
        path = tmp_path / "model.keras"
        model.save(path)
        source = open_source(str(path))
        assert [word or "" for word in source.words] == [*words, ""]
        assert (source.matrix.rows == rows_of(embedding)).all()
        row = int(np.asarray(vectorization(["cat"]))[0, 0])
        assert source.words.row_of("cat") == row


@pytest.mark.filterwarnings("ignore:You are saving a model that has not yet been built")
def test_a_model_without_weights(keras, tmp_path):
    keras.Sequential([keras.layers.Embedding(7, 3)]).save(tmp_path / "unbuilt.keras")
    with pytest.raises(DataError, match="never built"):
        opened(tmp_path / "unbuilt.keras")


def test_keras_2_layout(tmp_path):
    path = tmp_path / "old.h5"
    rows = np.arange(12, dtype=np.float32).reshape(4, 3)
    inner = {"name": "words", "input_dim": 4, "output_dim": 3, "mask_zero": True}
    config = {
        "class_name": "Sequential",
        "config": {"layers": [{"class_name": "Embedding", "config": inner}]},
    }
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = "2.4.0"
        file.attrs["model_config"] = json.dumps(config)
        file["model_weights/words/words/embeddings:0"] = rows
        file["optimizer_weights/training/Adam/words/embeddings/m:0"] = rows + 1
    source = open_source(str(path))
    assert (source.matrix.rows == rows).all()
    assert source.layer.mask_zero
    assert source.keras.version == "2.4.0"
    assert len(source.keras.layers) == 1


def test_names_of_an_older_keras_3(tmp_path):
    path = tmp_path / "model.keras"
    rows = np.arange(12, dtype=np.float32).reshape(4, 3)
    inner = {"name": "mine", "input_dim": 4, "output_dim": 3}
    config = {
        "class_name": "Sequential",
        "config": {"layers": [{"class_name": "Embedding", "config": inner}]},
    }
    write_keras_file(path, {"layers/embedding/vars/0": rows}, config)
    assert (opened(path, "mine") == rows).all()


def test_reading_needs_no_keras(keras, tmp_path):
    path = tmp_path / "model.keras"
    sequential(keras, keras.layers.Embedding(7, 3)).save(path)
    code = (
        "import sys; from embedinspect.source import open_source; "
        f"open_source({str(path)!r}); "
        "print([n for n in ('keras', 'tensorflow', 'gensim', 'pyarrow') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True
    )
    assert done.stdout == "[]\n"


# -- files from strangers -----------------------------------------------------------------------


def refused(path, says: str) -> None:
    with pytest.raises(DataError, match=says) as caught:
        open_source(str(path))
    assert "\n" not in str(caught.value)


def test_links_are_not_followed(tmp_path):
    secret = tmp_path / "secret.h5"
    secret.write_bytes(hdf5_bytes(EMBEDDING))
    for link in (h5py.SoftLink("/layers"), h5py.ExternalLink(str(secret), "/layers")):
        path = tmp_path / "model.keras"
        write_keras_file(path, {}, change=lambda file, link=link: file.__setitem__("linked", link))
        refused(path, "has a link at 'linked'")
        (tmp_path / "model.h5").write_bytes(
            hdf5_bytes(EMBEDDING, lambda file, link=link: file.__setitem__("more", link))
        )
        refused(tmp_path / "model.h5", "has a link at 'more'")


def test_a_link_is_not_followed_for_a_name_either(tmp_path):
    """`layers/vars` is looked at for a name before the walk comes to it."""
    named = hdf5_bytes(EMBEDDING, lambda file: file["layers"].attrs.update(name="secret"))
    (tmp_path / "secret.h5").write_bytes(named)
    link = h5py.ExternalLink(str(tmp_path / "secret.h5"), "/layers")
    with h5py.File(io.BytesIO(hdf5_bytes(EMBEDDING)), "r+") as file:
        file["layers/vars"] = link
        assert hdf5.names_along([file], "layers/embedding/vars/0") == ()
    path = tmp_path / "model.h5"
    path.write_bytes(hdf5_bytes(EMBEDDING, lambda file: file.__setitem__("layers/vars", link)))
    refused(path, "has a link at 'layers/vars'")


def test_data_elsewhere_are_not_read(tmp_path):
    (tmp_path / "raw").write_bytes(bytes(24))
    path = tmp_path / "model.h5"
    name = "layers/embedding/vars/0"

    def external(file):
        file.create_dataset(name, (3, 2), "f4", external=[(str(tmp_path / "raw"), 0, 24)])

    path.write_bytes(hdf5_bytes({}, external))
    refused(path, "lies in another file")
    (tmp_path / "other.h5").write_bytes(hdf5_bytes(EMBEDDING))

    def virtual(file):
        layout = h5py.VirtualLayout((3, 2), "f4")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), name, (3, 2))
        file.create_virtual_dataset(name, layout)

    path.write_bytes(hdf5_bytes({}, virtual))
    refused(path, "lies in another file")


def test_sizes_are_not_believed(tmp_path):
    name = "layers/embedding/vars/0"
    path = tmp_path / "model.h5"
    bomb = {"shape": (2**20, 2**10), "dtype": "f4", "chunks": (2**10, 2**10), "compression": "gzip"}
    path.write_bytes(hdf5_bytes({}, lambda file: file.create_dataset(name, **bomb)))
    refused(path, "claims 4,294,967,296 bytes, but 0 are stored")

    def filled(file):
        data = file.create_dataset(name, **{**bomb, "shape": (2**14, 2**10), "shuffle": True})
        data[:] = np.zeros(data.shape, np.float32)

    path.write_bytes(hdf5_bytes({}, filled))
    refused(path, "claims 67,108,864 bytes")
    vast = {"shape": (2**40, 2**3), "dtype": "f4", "chunks": (2**10, 2**3)}
    path.write_bytes(hdf5_bytes({}, lambda file: file.create_dataset(name, **vast)))
    refused(path, "numbers; expected 1 to")


def test_zips_that_are_bombs_or_torn(tmp_path):
    path = tmp_path / "model.keras"
    zeros = {"layers/embedding/vars/0": np.zeros((2**12, 2**10), np.float32)}
    write_keras_file(path, zeros, method=zipfile.ZIP_DEFLATED)
    refused(path, "claims to unpack")
    write_keras_file(path, EMBEDDING, method=zipfile.ZIP_DEFLATED)
    assert opened(path).tolist() == [[0, 1], [2, 3], [4, 5]]
    write_keras_file(path, EMBEDDING, method=zipfile.ZIP_LZMA)
    refused(path, "compressed by method 14")
    write_keras_file(path, EMBEDDING)
    data = bytearray(path.read_bytes())
    data[data.index(np.float32(3).tobytes() + np.float32(4).tobytes())] ^= 1
    path.write_bytes(data)
    refused(path, "damaged zip .*CRC")


def test_rings_and_depths(tmp_path):
    path = tmp_path / "model.h5"

    def ring(file):
        file["layers/embedding/again"] = file["layers"]

    path.write_bytes(hdf5_bytes(EMBEDDING, ring))
    assert opened(path).shape == (3, 2)
    path.write_bytes(hdf5_bytes({"/".join("a" * 60): np.ones((2, 2))}))
    refused(path, "nested deeper than 40")


def test_a_config_that_is_nested_without_end(tmp_path):
    path = tmp_path / "model.keras"
    write_keras_file(path, EMBEDDING)
    for config in ("[" * 100_000, '{"a":' * 100_000, "[]", "nonsense", "\x00"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", config)
            archive.writestr("metadata.json", "{}")
            archive.writestr(WEIGHTS, hdf5_bytes(EMBEDDING))
        refused(path, "config.json in .* is not a JSON object")


def test_nothing_of_the_file_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    evil = {
        "module": "os",
        "class_name": "system",
        "registered_name": "os>system",
        "config": {"name": "x", "command": "touch pwned", "function": "touch pwned"},
    }
    write_keras_file(
        "model.keras", EMBEDDING, {"class_name": "Lambda", "config": {"layers": [evil]}}
    )
    assert opened("model.keras").shape == (3, 2)
    assert not (tmp_path / "pwned").exists()


def test_large_weights_are_read_where_they_lie(tmp_path, monkeypatch):
    path = tmp_path / "model.keras"
    write_keras_file(path, EMBEDDING)
    whole = opened(path)
    monkeypatch.setattr(keras_container, "_READ_WHOLE", 0)
    assert (opened(path) == whole).all()


def test_names_are_shown_literally(tmp_path):
    path = tmp_path / "model.keras"
    rows = EMBEDDING["layers/embedding/vars/0"]
    write_keras_file(
        path, {"layers/\x1b[2Jembedding/vars/0": rows, "layers/embedding_1/vars/0": rows}
    )
    with pytest.raises(UsageError) as caught:
        open_source(str(path), SourceOptions(layer="?"))
    assert "\x1b" not in str(caught.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=4),
    st.one_of(st.none(), st.floats(0, 1)),
    st.booleans(),
)
def test_mutated_files_are_refused_or_read(tmp_path, changes, cut, zipped):
    path = tmp_path / "model"
    if zipped:
        write_keras_file(
            path, EMBEDDING, {"class_name": "Embedding", "config": {"name": "e", "input_dim": 3}}
        )
    else:
        path.write_bytes(hdf5_bytes(EMBEDDING, lambda file: file["layers"].attrs.update(a="b")))
    data = bytearray(path.read_bytes())
    for place, byte in changes:
        data[int(place * (len(data) - 1))] = byte
    path.write_bytes(bytes(data if cut is None else data[: int(cut * len(data))]))
    try:
        rows = opened(path)
    except EmbedInspectError:
        return
    assert rows.ndim == 2
    changed = not zipped or bool(changes)  # HDF5 has no checksum of its own, a zip has
    assert changed or (rows == EMBEDDING["layers/embedding/vars/0"]).all()
