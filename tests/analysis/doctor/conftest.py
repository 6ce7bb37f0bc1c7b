"""Files of the classic example: a real Keras model, and its tokenizer."""

from __future__ import annotations

import pytest

from embedinspect.vocabulary import fit
from tests.conftest import CLASSIC


@pytest.fixture(scope="session")
def keras():
    from embedinspect import keras_layer

    return keras_layer.load("tensorflow")


@pytest.fixture(scope="session")
def classic_model(keras, tmp_path_factory):
    """The bytes of a model that suits the classic example."""
    path = tmp_path_factory.mktemp("classic") / "model.keras"
    layers = keras.layers
    embedding = layers.Embedding(6, 4, name="words")
    inputs = keras.Input((6,), dtype="int32")
    keras.Sequential([inputs, embedding, layers.LSTM(3), layers.Dense(1)]).save(path)
    return path.read_bytes()


@pytest.fixture
def classic_files(classic_model, tmp_path, monkeypatch):
    """`model.keras` and `tokenizer.json` in the test's own folder, where it runs."""
    (tmp_path / "model.keras").write_bytes(classic_model)
    (tmp_path / "tokenizer.json").write_text(fit(CLASSIC)[0].to_json())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", None)
    return tmp_path
