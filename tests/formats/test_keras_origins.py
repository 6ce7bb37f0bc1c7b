"""Where the input of each layer comes from: configs that Keras would never write."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from embedinspect.formats import keras_origins
from embedinspect.formats.keras_lookups import lookups_in
from embedinspect.formats.keras_origins import Origin, origins
from embedinspect.formats.keras_weights import entries

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | st.floats() | st.sampled_from(
        ["a", "b", "words", "Embedding", "Sequential", "Functional", "StringLookup", "keras.layers"]
    ),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["class_name", "config", "layers", "name", "inbound_nodes", "output_layers", "args",
             "input_layers", "keras_history", "batch_shape", "build_input_shape", "module",
             "vocabulary", "num_oov_indices", "mask_token", "ngrams", "split", "layer", "salt"]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=30,
)  # fmt: skip
CLASSES = st.sampled_from(
    ["Sequential", "Functional", "StringLookup", "TextVectorization", "Embedding", "InputLayer"]
)
ENTRIES = st.fixed_dictionaries(
    {
        "class_name": CLASSES,
        "config": st.dictionaries(st.sampled_from(["name", "vocabulary", "layers"]), JSON),
    },
    optional={
        "name": st.sampled_from("ab"),
        "inbound_nodes": JSON | st.just([[["a", 0, 0], ["b", 0, 0]]]),
        "module": st.sampled_from(["keras.layers", None]),
    },
)


@given(st.lists(ENTRIES, max_size=5), JSON, st.sampled_from(["Sequential", "Functional"]))
def test_any_config_is_read_without_a_failure(layers, ends, class_name):
    inner = {"layers": layers, "input_layers": ends, "output_layers": ends}
    config = {"class_name": class_name, "config": inner}
    lookups = lookups_in(config, entries(config), {"x/y": "a\nb"}, lambda _: ())
    for lookup in lookups.layers:
        if lookup.no_ids([None]) is None:
            assert isinstance(lookup.vocabulary.words, dict)
        assert lookup.words is None or lookup.sizes


def layer(class_name, name, **config):
    return {"class_name": class_name, "config": {"name": name, **config}, "name": name}


def sequential(*layers, name="model"):
    return layer("Sequential", name, layers=list(layers))


def test_a_chain_of_layers():
    config = sequential(
        layer("InputLayer", "text", batch_shape=[None, 1]),
        layer("StringLookup", "words"),
        layer("Dropout", "dropout"),
        layer("Embedding", "tokens"),
        layer("Dense", "head"),
    )
    takes = origins(config).takes
    assert takes["words",] == [Origin(inputs=frozenset({("text", (None, 1))}))]
    assert takes["tokens",] == [Origin(frozenset({("words",)}))]
    assert takes["head",] == [Origin(frozenset({("words",)}), unknown=frozenset({"tokens"}))]


def test_models_nested_without_end_are_read_only_so_far():
    deep = layer("Embedding", "tokens")
    for _ in range(300):
        deep = sequential(deep)
    assert origins(deep).embeddings == set()


def test_models_that_call_each_other_often_are_read_only_so_far(monkeypatch):
    monkeypatch.setattr(keras_origins, "_MOST_CALLS", 50)
    model = layer("Embedding", "tokens")
    for _ in range(20):
        model = sequential(model, model)
    read = origins(model)
    assert sum(map(len, read.takes.values())) < 200


def test_layers_in_a_ring_are_left_out():
    ring = [
        {**layer("Identity", "a"), "inbound_nodes": [[["b", 0, 0, {}]]]},
        {**layer("Identity", "b"), "inbound_nodes": [[["a", 0, 0, {}]]]},
    ]
    ends = {"input_layers": [], "output_layers": [["a", 0, 0]]}
    read = origins({"class_name": "Functional", "config": {"layers": ring, **ends}})
    assert read.takes == {}
