"""Classifiers rebuilt from plain layers: equal to what Keras loads, or refused with the reason."""

from __future__ import annotations

import copy
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedinspect.errors import DataError
from embedinspect.formats.keras_chain import chain_of, read_weights
from embedinspect.formats.keras_container import json_in
from tests.builders import write_keras_file
from tests.sweeps.rebuilt_models import run_one


def layer(class_name: str, name: str | None = None, **config: Any) -> dict[str, Any]:
    return {
        "module": "keras.layers",
        "class_name": class_name,
        "config": {"name": name or class_name.lower(), **config},
        "registered_name": None,
    }


INPUT = layer("InputLayer", batch_shape=[None, 6], dtype="int32", sparse=False)
WORDS = layer("Embedding", "words", input_dim=7, output_dim=3, mask_zero=False)
READS = layer("LSTM", units=2, activation="tanh", recurrent_activation="sigmoid", use_bias=True)
ENDS = layer("Dense", units=1, activation="sigmoid", use_bias=True)


def sequential(*layers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "model", "layers": list(layers)},
        **more,
    }


def tensor(name: str, call: int = 0) -> dict[str, Any]:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, call, 0]}}


def called(entry: dict[str, Any], *inputs: str, **kwargs: Any) -> dict[str, Any]:
    """Return a layer with its call in a functional model."""
    calls = [{"args": [tensor(name) for name in inputs], "kwargs": kwargs}] if inputs else []
    return {**copy.deepcopy(entry), "name": entry["config"]["name"], "inbound_nodes": calls}


def functional(*layers: dict[str, Any], outputs: str = "dense") -> dict[str, Any]:
    return {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "config": {
            "name": "model",
            "layers": list(layers),
            "input_layers": ["inputlayer", 0, 0],
            "output_layers": [outputs, 0, 0],
        },
    }


PLAIN = functional(
    called(INPUT),
    called(WORDS, "inputlayer"),
    called(READS, "words", training=False),
    called(ENDS, "lstm"),
)


def refusal(config: dict[str, Any]) -> str:
    """Return why a model is refused; the reason is one short line."""
    with pytest.raises(DataError, match="running a stranger's model is not done") as caught:
        chain_of(config, "'model.keras'")
    reason = str(caught.value)
    assert "\n" not in reason
    assert len(reason) < 400
    return reason.split(";")[0]


def test_a_sequential_and_a_functional_model_are_the_same_chain():
    chain = chain_of(sequential(INPUT, WORDS, READS, ENDS), "it")
    assert chain == chain_of(PLAIN, "it")
    assert (chain.shape, chain.length, chain.final, chain.classes) == ((7, 3), 6, "sigmoid", 1)
    assert chain.layers[0].weights == (
        ("layers/lstm/cell/vars/0", (3, 8)),
        ("layers/lstm/cell/vars/1", (2, 8)),
        ("layers/lstm/cell/vars/2", (8,)),
    )


def test_layers_of_training_alone_are_left_out_and_groups_are_counted_by_class():
    layers = [
        layer("SpatialDropout1D", rate=0.3),
        layer("LSTM", "one", units=2, return_sequences=True),
        layer("Dropout", rate=0.3),
        layer("LSTM", "other", units=4),
    ]
    chain = chain_of(sequential(INPUT, WORDS, *layers, ENDS), "it")
    places = [chain_layer.weights[0] for chain_layer in chain.layers]
    assert places == [
        ("layers/lstm/cell/vars/0", (3, 8)),
        ("layers/lstm_1/cell/vars/0", (2, 16)),
        ("layers/dense/vars/0", (4, 1)),
    ]


# What makes a model one that is not rebuilt, and what is said.
STRANGE: dict[str, tuple[list[dict[str, Any]], str]] = {
    "lambda": ([layer("Lambda", "code")], "has the Lambda layer 'code', which is not among"),
    "own class": (
        [{**READS, "module": "mine", "registered_name": "mine>LSTM"}],
        "has the LSTM layer 'lstm', which is not Keras's own",
    ),
    "registered": (
        [{**READS, "registered_name": "mine>LSTM"}],
        "has the LSTM layer 'lstm', which is not Keras's own",
    ),
    "no module": ([{"class_name": "LSTM", "config": READS["config"]}], "which is not Keras's own"),
    "attention": ([layer("Attention")], "has the Attention layer 'attention', which is not among"),
    "nested": ([sequential(READS)], "has a model inside the model, 'model'"),
    "own activation": (
        [layer("LSTM", units=2, activation={"class_name": "function", "config": "f"})],
        "has the LSTM layer 'lstm' with activation \"{'class_name'",
    ),
    "odd activation": ([layer("LSTM", units=2, activation="mine>f")], "with activation 'mine>f'"),
    "many units": ([layer("LSTM", units=2**40)], "with units '1099511627776'"),
    "units of a kind": ([layer("LSTM", units=True)], "with units 'True'"),
    "no units": ([layer("LSTM")], "with units 'None'"),
    "stateful": ([layer("LSTM", units=2, stateful=True)], "with stateful 'True'"),
    "two outputs": ([layer("LSTM", units=2, return_state=True)], "with return_state 'True'"),
    "half": ([layer("LSTM", units=2, dtype="mixed_float16")], "computes in 'mixed_float16'"),
    "quantized": ([layer("LSTM", units=2, quantization_config={})], "which is quantized"),
    "unknown setting": ([layer("LSTM", units=2, peephole=1)], "with 'peephole', a setting that"),
    "lost": ([layer("GlobalMaxPooling1D"), READS], "there are no positions any more"),
    "too long": (
        [layer("Conv1D", filters=2, kernel_size=[7])],
        "has the Conv1D layer 'conv1d', which needs more positions than there are",
    ),
    "channels": ([layer("Flatten", data_format="channels_first")], "channels do not come last"),
    "inner": (
        [layer("Bidirectional", layer=layer("Lambda"), backward_layer=layer("Lambda"))],
        "around something else than SimpleRNN, LSTM, GRU",
    ),
}


@pytest.mark.parametrize("name", list(STRANGE))
def test_a_layer_that_is_not_known_is_named(name):
    layers, reason = STRANGE[name]
    last = layer("LSTM", "last", units=2)
    assert reason in refusal(sequential(INPUT, WORDS, *layers, last, ENDS))


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (sequential(INPUT, READS, ENDS), "has no Embedding layer"),
        (sequential(INPUT, WORDS, READS), "does not end with a Dense layer"),
        (sequential(INPUT, WORDS, ENDS), "does not end with a Dense layer"),
        (sequential(INPUT, WORDS, READS, layer("Dense", units=2, activation="relu")), "relu"),
        (sequential(INPUT, layer("Hashing"), WORDS, READS, ENDS), "in front of its Embedding"),
        (sequential(layer("InputLayer", batch_shape=[None, 2, 3]), WORDS), "takes an input of"),
        (sequential(layer("InputLayer", batch_shape=[None, 10**9]), WORDS), "takes '1000000000'"),
        ({"class_name": "Mine", "module": "mine", "config": {"layers": []}}, "is no Sequential"),
        ({}, "is no Sequential or functional model"),
        (
            sequential(
                INPUT, WORDS, READS, layer("Dense", units=1), compile_config={"loss": "mse"}
            ),
            "ends without an activation, and its loss, 'mse', does not take",
        ),
    ],
)
def test_a_model_that_is_no_classifier_of_texts_is_refused(config, reason):
    assert reason in refusal(config)


def loss(class_name: str, *, from_logits: bool) -> dict[str, Any]:
    config = {"name": "loss", "from_logits": from_logits}
    return {"loss": {"module": "keras.losses", "class_name": class_name, "config": config}}


def test_without_an_activation_the_loss_says_what_the_outputs_are():
    last = layer("Dense", units=3)
    silent = chain_of(sequential(INPUT, WORDS, READS, last), "it")
    assert (silent.final, silent.from_logits, silent.assumed) == ("softmax", True, True)
    for class_name, final in (
        ("SparseCategoricalCrossentropy", "softmax"),
        ("BinaryCrossentropy", "sigmoid"),
    ):
        said = loss(class_name, from_logits=True)
        chain = chain_of(sequential(INPUT, WORDS, READS, last, compile_config=said), "it")
        assert (chain.final, chain.from_logits, chain.assumed) == (final, True, False)
    said = loss("BinaryCrossentropy", from_logits=False)
    assert "binary_crossentropy" in refusal(
        sequential(INPUT, WORDS, READS, last, compile_config=said)
    )


def test_a_functional_model_that_is_more_than_a_chain_is_refused():
    first = [called(INPUT), called(WORDS, "inputlayer")]
    branch = [called(layer("LSTM", "other", units=2), "words"), called(ENDS, "lstm")]
    assert "'other' beside the others" in refusal(
        functional(*first, called(READS, "words"), *branch)
    )
    twice = called(ENDS, "lstm")
    twice["inbound_nodes"] *= 2
    assert "which is not called once" in refusal(functional(*first, called(READS, "words"), twice))
    merged = called(ENDS, "lstm", "words")
    assert "takes more than" in refusal(functional(*first, called(READS, "words"), merged))
    trained = called(READS, "words", training=True)  # its dropout counts whenever it is asked
    assert "takes more than" in refusal(functional(*first, trained, called(ENDS, "lstm")))
    ring = called(READS, "dense")
    assert "called twice" in refusal(functional(*first, ring, called(ENDS, "lstm")))


@pytest.mark.parametrize(
    ("compared", "masked", "reason"),
    [
        ([tensor("inputlayer"), 0], True, None),
        ([tensor("inputlayer"), 1], True, "a mask of its own, 'not_equal'"),
        ([tensor("words"), 0], True, "a mask of its own, 'not_equal'"),
        ([tensor("inputlayer"), 0], False, "takes a mask that the layer before it has lost"),
    ],
)
def test_the_mask_that_a_layer_takes_is_that_of_the_ids(compared, masked, reason):
    makes = {
        **called(layer("NotEqual", "not_equal"), "words"),
        "module": "keras.src.ops.numpy",
        "inbound_nodes": [{"args": compared, "kwargs": {}}],
    }
    words = {**WORDS, "config": {**WORDS["config"], "mask_zero": masked}}
    config = functional(
        called(INPUT),
        called(words, "inputlayer"),
        makes,
        called(READS, "words", mask=tensor("not_equal")),
        called(ENDS, "lstm"),
    )
    if reason is None:
        assert chain_of(config, "it").mask_zero
    else:
        assert reason in refusal(config)


# -- weights ---------------------------------------------------------------------------------------

WEIGHTS = {
    "layers/embedding/vars/0": np.ones((7, 3), np.float32),
    "layers/lstm/cell/vars/0": np.ones((3, 8), np.float32),
    "layers/lstm/cell/vars/1": np.ones((2, 8), np.float32),
    "layers/lstm/cell/vars/2": np.ones(8, np.float32),
    "layers/dense/vars/0": np.ones((2, 1), np.float32),
    "layers/dense/vars/1": np.ones(1, np.float32),
}


def weights_of(path: Path, data: dict[str, Any], change=None):
    write_keras_file(path, data, sequential(INPUT, WORDS, READS, ENDS), change=change)
    with zipfile.ZipFile(path) as archive:
        chain = chain_of(json_in(archive, "config.json", "it"), "it")
    return read_weights(path, chain)


def test_weights_are_read_by_their_places_and_shapes(tmp_path):
    path = tmp_path / "model.keras"
    assert [[w.shape for w in layer] for layer in weights_of(path, WEIGHTS)] == [
        [(3, 8), (2, 8), (8,)], [(2, 1), (1,)]
    ]  # fmt: skip
    missing = {name: part for name, part in WEIGHTS.items() if name != "layers/dense/vars/1"}
    with pytest.raises(DataError, match="lacks 'layers/dense/vars/1'"):
        weights_of(path, missing)
    with pytest.raises(DataError, match=r"has shape \(3, 1\); expected \(2, 1\), by the config"):
        weights_of(path, {**WEIGHTS, "layers/dense/vars/0": np.ones((3, 1), np.float32)})

    def rename(file):
        file["layers/lstm"].create_group("vars").attrs["name"] = "another"

    with pytest.raises(DataError, match="belongs to the layer 'another'; expected 'lstm'"):
        weights_of(path, WEIGHTS, rename)


# -- any config ------------------------------------------------------------------------------------

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 10**30),
    st.floats(),
    st.text(max_size=5),
    st.just([]),
    st.just({}),
    st.just([[]]),
    st.just({"config": []}),
    st.just([{"class_name": "LSTM", "config": {}}]),
)


def places(value: Any, path: tuple = ()) -> list[tuple]:
    """Return the path of every value within a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, item in inner:
        found.append((*path, key))
        if isinstance(item, dict | list):
            found += places(item, (*path, key))
    return found


@given(st.data(), VALUES, st.sampled_from([PLAIN, sequential(INPUT, WORDS, READS, ENDS)]))
def test_a_config_that_is_changed_anywhere_is_read_or_refused(data, value, whole):
    config = json.loads(json.dumps(whole))
    *path, last = data.draw(st.sampled_from(places(config)))
    holder = config
    for key in path:
        holder = holder[key]
    holder[last] = value
    try:
        chain_of(config, "it")
    except DataError as error:
        reason = str(error)
    else:
        return
    assert "\n" not in reason
    assert len(reason) < 500


# -- Keras itself ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keras():
    from embedinspect import keras_layer

    return keras_layer.load("tensorflow")


@pytest.mark.parametrize("seed", [3, 8, 21, 34])
def test_random_models_predict_what_keras_loads_from_the_file(keras, tmp_path, seed):
    outcome = run_one(keras, seed, tmp_path)
    assert outcome in {"equal", "equal, with steps", "refused"}
