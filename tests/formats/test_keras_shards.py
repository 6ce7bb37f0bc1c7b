"""Weights in shards: Keras writes them, and strangers."""

from __future__ import annotations

import json
import os
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embedinspect.errors import DataError, EmbedInspectError
from embedinspect.formats.keras_files import open_keras
from embedinspect.source import SourceOptions, open_source
from tests.builders import hdf5_bytes

GIGABYTE = 1024**3
ROWS = np.arange(6, dtype=np.float32).reshape(3, 2)
GROUP = "/layers/embedding/vars"


@pytest.fixture(scope="module")
def model():
    from embedinspect import keras_layer

    keras = keras_layer.load("tensorflow")
    layers = keras.layers
    first, second = layers.Embedding(50, 8, name="words"), layers.Embedding(20, 8, name="places")
    inner = keras.Sequential([keras.Input((5,), dtype="int32"), second], name="inner")
    ids = keras.Input((5,), dtype="int32")
    return keras.Model(ids, layers.LSTM(8)(layers.Add()([first(ids), inner(ids)])))


@pytest.mark.parametrize("size", [1600, 1800, 2500, 10_000])
@pytest.mark.parametrize("name", ["model.weights.json", "other.weights.json", "weights.json"])
def test_layers_in_shards_are_those_of_one_file(model, tmp_path, size, name):
    one, several = tmp_path / "one.weights.h5", tmp_path / name
    model.save_weights(one)
    model.save_weights(several, max_shard_size=size / GIGABYTE)
    assert (
        len(list(tmp_path.glob("*_0*.weights.h5"))) == {1600: 4, 1800: 3, 2500: 2, 10_000: 1}[size]
    )
    expected = {layer.path: layer for layer in open_keras(one).layers}
    layers = open_keras(several).layers
    assert {layer.path: layer for layer in layers} == expected
    assert [layer.name for layer in layers if layer.embedding] == ["words", "places"]
    for path in expected:
        rows = open_source(str(several), SourceOptions(layer=path)).matrix.rows
        assert (rows == open_source(str(one), SourceOptions(layer=path)).matrix.rows).all()
    words = open_source(str(several), SourceOptions(layer="words"))
    assert (words.matrix.rows == model.layers[1].get_weights()[0]).all()
    assert words.kind == "Keras weights"


def write(folder: Path, weight_map: object, **shards: bytes) -> Path:
    for name, data in shards.items():
        (folder / f"{name}.weights.h5").write_bytes(data)
    path = folder / "m.weights.json"
    path.write_text(json.dumps({"metadata": {"total_size": 24}, "weight_map": weight_map}))
    return path


SHARD = hdf5_bytes({f"{GROUP}/0": ROWS})


def refused(path: Path, says: str) -> None:
    with pytest.raises(DataError, match=says) as caught:
        open_source(str(path))
    assert "\n" not in str(caught.value)


def test_shards_of_strangers(tmp_path):
    path = write(tmp_path, {GROUP: "a.weights.h5"}, a=SHARD)
    assert (open_source(str(path)).matrix.rows == ROWS).all()
    refused(write(tmp_path, {GROUP: "gone.weights.h5"}), "names 'gone.weights.h5', which is not")
    refused(write(tmp_path, {"/layers/lstm/vars": "a.weights.h5"}), "which does not have it")
    refused(write(tmp_path, {GROUP: ["a.weights.h5", "b.weights.h5"]}, b=SHARD), "in 2 files")
    many = {f"/{number}": f"{number}.weights.h5" for number in range(300)}
    refused(write(tmp_path, many), "names 300 files")
    refused(write(tmp_path, {GROUP: "a.weights.h5"}, a=SHARD[:900]), "damaged HDF5 file")


@pytest.mark.parametrize(
    "name",
    ["../a.weights.h5", "/a.weights.h5", "x/a.weights.h5", "x\\a.weights.h5", "\0.weights.h5"],
)
def test_a_shard_outside_the_folder_is_not_opened(tmp_path, name):
    folder = tmp_path / "x"
    folder.mkdir()
    (tmp_path / "a.weights.h5").write_bytes(SHARD)
    refused(write(folder, {GROUP: name}), "in the same folder")


@pytest.mark.parametrize("files", [None, 5, {}, [5], [["a.weights.h5"]], "a.h5"])
def test_names_that_are_none(tmp_path, files):
    weight_map = {GROUP: "a.weights.h5", "/vars": files}
    refused(
        write(tmp_path, weight_map, a=SHARD), "as a file; expected one that ends in .weights.h5"
    )


def test_links_in_shards_are_not_followed(tmp_path):
    (tmp_path / "secret.h5").write_bytes(SHARD)
    link = h5py.ExternalLink(os.fspath(tmp_path / "secret.h5"), GROUP)
    linked = hdf5_bytes({}, lambda file: file.__setitem__(f"{GROUP}", link))
    path = write(tmp_path, {GROUP: "a.weights.h5"}, a=linked)
    refused(path, "does not have it")
    refused(write(tmp_path, {GROUP: ["a.weights.h5", "b.weights.h5"]}, b=SHARD), "does not have it")
    linked = hdf5_bytes({f"{GROUP}/0": ROWS}, lambda file: file.__setitem__("more", link))
    refused(write(tmp_path, {GROUP: "a.weights.h5"}, a=linked), "has a link at 'more'")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=4),
    st.one_of(st.none(), st.floats(0, 1)),
)
def test_altered_maps_are_refused_or_read(tmp_path, changes, cut):
    path = write(tmp_path, {GROUP: "a.weights.h5", "/vars": ["b.weights.h5"]}, a=SHARD)
    (tmp_path / "b.weights.h5").write_bytes(hdf5_bytes({"vars/0": ROWS[0]}))
    data = bytearray(path.read_bytes())
    for place, byte in changes:
        data[int(place * (len(data) - 1))] = byte
    path.write_bytes(bytes(data if cut is None else data[: int(cut * len(data))]))
    try:
        source = open_source(str(path))
    except EmbedInspectError:
        return
    assert (source.matrix.rows == ROWS).all()
