"""What lies behind an Embedding layer, against what Keras itself does with the mask."""

from __future__ import annotations

import json
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedinspect.formats import keras_graph
from embedinspect.formats.keras_graph import behind


class Keras:
    """Keras, imported when a test first asks for it."""

    def __getattr__(self, name):
        from embedinspect import keras_layer

        return getattr(keras_layer.load("tensorflow"), name)


class Layers:
    """`keras.layers`, likewise."""

    def __getattr__(self, name):
        return getattr(keras.layers, name)


keras, L = Keras(), Layers()

# How to make a layer of each class whose treatment of masks the tool knows, where it needs more
# than its name.
MADE = {
    "Activation": lambda: L.Activation("relu"),
    "AlphaDropout": lambda: L.AlphaDropout(0.1),
    "Dense": lambda: L.Dense(2),
    "Dropout": lambda: L.Dropout(0.1),
    "GaussianDropout": lambda: L.GaussianDropout(0.1),
    "GaussianNoise": lambda: L.GaussianNoise(0.1),
    "GroupNormalization": lambda: L.GroupNormalization(2),
    "GroupQueryAttention": lambda: L.GroupQueryAttention(2, 2, 1),
    "MultiHeadAttention": lambda: L.MultiHeadAttention(2, 2),
    "Normalization": lambda: L.Normalization(mean=0.0, variance=1.0),
    "Rescaling": lambda: L.Rescaling(2.0),
    "SpatialDropout1D": lambda: L.SpatialDropout1D(0.1),
    "TimeDistributed": lambda: L.TimeDistributed(L.Dense(2)),
    "AveragePooling1D": lambda: L.AveragePooling1D(2),
    "Conv1D": lambda: L.Conv1D(2, 2),
    "Conv1DTranspose": lambda: L.Conv1DTranspose(2, 2),
    "Cropping1D": lambda: L.Cropping1D(1),
    "DepthwiseConv1D": lambda: L.DepthwiseConv1D(2),
    "EinsumDense": lambda: L.EinsumDense("abc,cd->abd", output_shape=(None, 2)),
    "Lambda": lambda: L.Lambda(lambda x: x),
    "Permute": lambda: L.Permute((2, 1)),
    "Reshape": lambda: L.Reshape((3, 8)),
    "SeparableConv1D": lambda: L.SeparableConv1D(2, 2),
}
TWICE = {"AdditiveAttention", "Attention", "Concatenate"}
QUERY_AND_VALUE = {"MultiHeadAttention", "GroupQueryAttention"}


@pytest.mark.parametrize("name", sorted(keras_graph.KEEP_MASK | keras_graph.DESTROY_MASK))
def test_masks_end_where_keras_ends_them(name):
    ids = keras.Input((6,), dtype="int32")
    vectors = L.Embedding(9, 4, mask_zero=True, name="words")(ids)
    layer = MADE.get(name, getattr(L, name))()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name in TWICE:
            output = layer([vectors, vectors])
        elif name in QUERY_AND_VALUE:
            output = layer(vectors, vectors)
        else:
            output = layer(vectors)
    kept = getattr(output, "_keras_mask", None) is not None
    assert kept == (name in keras_graph.KEEP_MASK)
    seen = behind(config_of(keras.Model(ids, output)), "words", mask_zero=True)
    assert [node.class_name for node in seen.losses] == ([] if kept else [name])


def config_of(model) -> dict:
    return json.loads(model.to_json())


def sequential(*layers, length=6):
    return keras.Sequential([keras.Input((length,), dtype="int32"), *layers])


def embedding(**settings):
    return L.Embedding(9, 4, name="words", **settings)


def masks(model, *, mask_zero=True):
    seen = behind(config_of(model), "words", mask_zero=mask_zero)
    return (
        [(reader.node.class_name, reader.masked) for reader in seen.readers],
        [node.class_name for node in seen.losses],
    )


def test_the_classic_model():
    model = sequential(embedding(), L.LSTM(3), L.Dense(1))
    seen = behind(config_of(model), "words", mask_zero=False)
    assert seen.input_length == 6
    assert [(r.node.name, r.masked) for r in seen.readers] == [(model.layers[1].name, False)]
    assert masks(model) == ([("LSTM", True)], [])
    open_end = sequential(embedding(), L.LSTM(3), length=None)
    assert behind(config_of(open_end), "words", mask_zero=True).input_length is None


def test_stacked_and_wrapped_layers_hand_the_mask_on():
    model = sequential(
        embedding(), L.Dropout(0.1), L.LSTM(3, return_sequences=True), L.Bidirectional(L.GRU(2))
    )
    assert masks(model) == ([("LSTM", True), ("Bidirectional", True)], [])


def test_a_layer_behind_the_loss_gets_no_mask():
    model = sequential(embedding(), L.Conv1D(2, 2), L.MaxPooling1D(), L.LSTM(3), L.Flatten())
    assert masks(model) == ([("LSTM", False)], ["Conv1D"])


def test_what_comes_behind_one_vector_is_no_loss():
    model = sequential(embedding(), L.GlobalAveragePooling1D(), L.RepeatVector(3), L.Flatten())
    assert masks(model) == ([("GlobalAveragePooling1D", True)], [])
    model = sequential(embedding(), L.LSTM(2), L.Reshape((2, 1)), L.Flatten())
    assert masks(model) == ([("LSTM", True)], [])


def test_additions():
    ids = keras.Input((6,), dtype="int32")
    vectors = embedding()(ids)
    other = L.Embedding(6, 4, name="places")(ids)
    both = keras.Model(ids, L.LSTM(2)(L.Add()([vectors, vectors])))
    assert masks(both) == ([("LSTM", True)], [])
    unmasked = keras.Model(ids, L.LSTM(2)(L.Add()([vectors, other])))
    assert masks(unmasked) == ([("LSTM", False)], ["Add"])
    silent = keras.Model(ids, L.LSTM(2)(vectors + other))
    assert masks(silent) == ([("LSTM", False)], ["Add"])
    seen = behind(config_of(silent), "words", mask_zero=True)
    assert seen.losses[0].operation


def test_nested_and_shared_models():
    words = keras.Input((6,), dtype="int32")
    inner = keras.Model(words, embedding(mask_zero=True)(words), name="inner")
    one, two = keras.Input((6,), dtype="int32"), keras.Input((6,), dtype="int32")
    tail = keras.Sequential([L.Dropout(0.1), L.LSTM(2)], name="tail")
    model = keras.Model([one, two], L.Subtract()([tail(inner(one)), tail(inner(two))]))
    assert masks(model) == ([("LSTM", True)], [])
    assert behind(config_of(model), "words", mask_zero=True).input_length == 6
    flat = keras.Sequential([keras.Input((6,), dtype="int32"), inner, L.Flatten()])
    assert masks(flat) == ([], ["Flatten"])


def test_configs_before_keras_3():
    def layer(kind, name, sources, **config):
        calls = [[[source, 0, 0, {}] for source in sources]] if sources else []
        return {
            "class_name": kind,
            "name": name,
            "config": {"name": name, **config},
            "inbound_nodes": calls,
        }

    layers = [
        layer("LSTM", "lstm", ["flat"]),  # a file may list layers in any order
        layer("InputLayer", "ids", [], batch_input_shape=[None, 7]),
        layer("Embedding", "words", ["ids"]),
        layer("Conv1D", "flat", ["words"]),
    ]
    config = {"layers": layers, "input_layers": [["ids", 0, 0]], "output_layers": [["lstm", 0, 0]]}
    seen = behind({"class_name": "Model", "config": config}, "words", mask_zero=True)
    assert [node.name for node in seen.losses] == ["flat"]
    assert [(r.node.name, r.masked) for r in seen.readers] == [("lstm", False)]
    assert seen.input_length == 7
    old = [
        {"class_name": "Embedding", "config": {"name": "words", "batch_input_shape": [None, 5]}},
        {"class_name": "Flatten", "config": {"name": "flat"}},
    ]
    seen = behind({"class_name": "Sequential", "config": old}, "words", mask_zero=True)
    assert [node.name for node in seen.losses] == ["flat"]
    assert seen.input_length == 5


def test_a_class_of_the_users_own_is_not_judged():
    layers = [
        {"class_name": "Embedding", "config": {"name": "words"}},
        {"class_name": "Mine", "config": {"name": "mine"}},
        {"class_name": "LSTM", "config": {"name": "lstm"}},
    ]
    seen = behind({"class_name": "Sequential", "config": {"layers": layers}}, "words", mask_zero=1)
    assert seen.losses == ()
    assert behind({"class_name": "Sequential", "config": {}}, "words", mask_zero=True) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | st.sampled_from(
        ["words", "Embedding", "Sequential", "Functional", "Add", "a", "Bidirectional"]
    ),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["class_name", "config", "layers", "name", "inbound_nodes", "output_layers", "layer",
             "keras_history", "batch_shape", "build_input_shape", "module"]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=30,
)  # fmt: skip


@given(JSON, st.booleans())
def test_any_json_is_read_without_a_failure(inner, mask_zero):
    for class_name in ("Sequential", "Functional", "Mine"):
        behind({"class_name": class_name, "config": inner}, "words", mask_zero=mask_zero)


def test_cycles_and_depth_are_bounded():
    def layer(name, source):
        config = {"keras_history": [source, 0, 0]}
        return {
            "class_name": "Add" if name != "words" else "Embedding",
            "config": {"name": name},
            "inbound_nodes": [{"args": [{"class_name": "__keras_tensor__", "config": config}]}],
        }

    cycle = {"layers": [layer("words", "b"), layer("a", "words"), layer("b", "a")]}
    seen = behind({"class_name": "Functional", "config": cycle}, "words", mask_zero=True)
    assert seen == keras_graph.Behind((), (), (), None)
    deep: dict = {"class_name": "Embedding", "config": {"name": "words"}}
    for _ in range(300):
        deep = {"class_name": "Sequential", "config": {"name": "m", "layers": [deep]}}
    assert behind(deep, "words", mask_zero=True) is None
