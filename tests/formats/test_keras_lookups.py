"""Which lookup layer names the rows of an embedding: models saved by Keras, and read without it."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from embedinspect.analysis.tracing import trace_by_source
from embedinspect.errors import DataError, UsageError
from embedinspect.lookup import Settings
from embedinspect.source import SourceOptions, open_source
from tests.builders import write_keras_file

TEXTS = ["It isn't a king", "the queen"]


@pytest.fixture(scope="module")
def keras():
    from embedinspect import keras_layer

    return keras_layer.load("tensorflow")


@pytest.fixture
def saved(tmp_path):
    """Save a model; returns its path."""

    def save(model, name="model.keras"):
        model.save(tmp_path / name)
        return str(tmp_path / name)

    return save


def text_input(keras, name):
    return keras.Input((1,), dtype="string", name=name)


def vectorization(keras, words, **settings):
    return keras.layers.TextVectorization(vocabulary=words, **settings)


def opened(path, layer=None, **options):
    return open_source(path, SourceOptions(layer=layer, **options))


def names_in(source):
    return [word for word in source.words if word is not None]


# -- by the graph --------------------------------------------------------------------------------


def test_the_words_are_those_of_the_layer_in_front_and_not_of_another_that_fits(keras, saved):
    layers = keras.layers
    text, country = text_input(keras, "text"), text_input(keras, "country")
    countries = layers.StringLookup(vocabulary=["fr", "de", "it"], name="countries")
    words = vectorization(keras, ["king", "queen", "isnt"], name="words")
    outputs = [
        layers.Embedding(4, 2, name="places")(layers.Reshape((1,))(countries(country))),
        layers.Embedding(5, 2, name="tokens")(words(text)),
    ]
    path = saved(keras.Model([country, text], outputs))
    tokens, places = opened(path, "tokens"), opened(path, "places")
    assert names_in(tokens) == ["[UNK]", "king", "queen", "isnt"]
    assert tokens.words_from == "the layer words of the model, item i names row i"
    assert names_in(places) == ["[UNK]", "fr", "de", "it"]
    lookup = trace_by_source(TEXTS, tokens, Settings()).lookup
    assert lookup.sequences.tolist() == words(TEXTS).numpy().tolist()
    assert trace_by_source(["fr"], places, Settings()).lookup.sequences.tolist() == [[1]]


def test_title_and_body_have_words_of_their_own(keras, saved):
    body, title = text_input(keras, "body"), text_input(keras, "title")
    of_body, of_title = vectorization(keras, ["b", "c", "d"]), vectorization(keras, ["t"])
    outputs = [
        keras.layers.Embedding(9, 2, name="titles")(of_title(title)),
        keras.layers.Embedding(9, 2, name="bodies")(of_body(body)),
    ]
    path = saved(keras.Model([title, body], outputs))
    assert names_in(opened(path, "titles")) == ["[UNK]", "t"]
    assert names_in(opened(path, "bodies")) == ["[UNK]", "b", "c", "d"]


def test_adapted_layers_are_told_apart_by_name_though_their_files_are_named_by_class(keras, saved):
    layers = keras.layers
    one, other = text_input(keras, "one"), text_input(keras, "other")
    first, second = layers.TextVectorization(name="first"), layers.TextVectorization(name="second")
    first.adapt(["a b"])
    second.adapt(["c d e"])
    outputs = [
        layers.Embedding(6, 2, name="of_second")(second(one)),
        layers.Embedding(6, 2, name="of_first")(first(other)),
    ]
    path = saved(keras.Model([one, other], outputs))
    assert names_in(opened(path, "of_first")) == ["[UNK]", "b", "a"]
    assert names_in(opened(path, "of_second")) == ["[UNK]", "e", "d", "c"]


def test_nested_models_whose_inputs_and_outputs_are_dictionaries(keras, saved):
    left, right = text_input(keras, "left"), text_input(keras, "right")
    a, b = vectorization(keras, ["a"]), vectorization(keras, ["b", "c"])
    inner = keras.Model({"left": left, "right": right}, {"z": a(left), "y": b(right)})
    first, second = text_input(keras, "first"), text_input(keras, "second")
    ids = inner({"right": second, "left": first})
    outputs = [
        keras.layers.Embedding(9, 2, name="of_z")(ids["z"]),
        keras.layers.Embedding(9, 2, name="of_y")(ids["y"]),
    ]
    path = saved(keras.Model([first, second], outputs))
    assert names_in(opened(path, "of_z")) == ["[UNK]", "a"]
    assert names_in(opened(path, "of_y")) == ["[UNK]", "b", "c"]


def test_plain_ids_have_no_words_though_a_lookup_beside_them_fits(keras, saved):
    ids, text = keras.Input((3,), dtype="int32"), text_input(keras, "text")
    words = vectorization(keras, ["a", "b"])
    outputs = [
        keras.layers.Embedding(4, 2, name="plain")(ids),
        keras.layers.Embedding(4, 2, name="tokens")(words(text)),
    ]
    path = saved(keras.Model([ids, text], outputs))
    assert opened(path, "plain").words is None
    assert opened(path, "plain").warnings == ()
    assert names_in(opened(path, "plain", words_from=words.name)) == ["[UNK]", "a", "b"]


def test_the_words_of_an_integer_lookup_are_its_numbers(keras, saved):
    layers = keras.layers
    number, text = keras.Input((1,), dtype="int64"), text_input(keras, "text")
    numbers = layers.IntegerLookup(vocabulary=[36, 7])
    words = vectorization(keras, ["a"])
    outputs = [
        layers.Embedding(3, 2, name="numbers")(numbers(number)),
        layers.Embedding(3, 2, name="tokens")(words(text)),
    ]
    source = opened(saved(keras.Model([number, text], outputs)), "numbers")
    assert names_in(source) == ["-1", "36", "7"]
    assert trace_by_source(["7 8"], source, Settings()).lookup.sequences.tolist() == [[2, 0]]


def test_the_bins_of_a_hashing_layer_have_no_words(keras, saved):
    text = text_input(keras, "text")
    ids = keras.layers.Hashing(4)(text)
    source = opened(saved(keras.Model(text, keras.layers.Embedding(4, 2)(ids))))
    assert source.words is None
    with pytest.raises(DataError, match=r"Hashing layer .* makes categories that have no words"):
        trace_by_source(["a"], source, Settings())


@pytest.mark.parametrize("length", [None, 3])
def test_an_embedding_shared_by_two_texts_of_one_lookup(keras, saved, length):
    one, other = text_input(keras, "one"), text_input(keras, "other")
    words = vectorization(keras, ["a", "b"], output_sequence_length=length)
    shared = keras.layers.Embedding(4, 2)
    path = saved(keras.Model([one, other], [shared(words(one)), shared(words(other))]))
    lookup = trace_by_source(["b a", "b"], opened(path), Settings()).lookup
    assert lookup.sequences.tolist() == words(["b a", "b"]).numpy().tolist()


def test_two_different_lookups_in_front_must_be_told_apart_by_the_user(keras, saved):
    one, other = text_input(keras, "one"), text_input(keras, "other")
    first, second = vectorization(keras, ["a"], name="v1"), vectorization(keras, ["b"], name="v2")
    shared = keras.layers.Embedding(9, 2)
    path = saved(keras.Model([one, other], [shared(first(one)), shared(second(other))]))
    with pytest.raises(UsageError, match=r"2 lookup layers that feed the embedding; .*'v1'.*'v2'"):
        opened(path)
    assert names_in(opened(path, words_from="v2")) == ["[UNK]", "b"]


def test_the_rules_in_front_of_the_lookup_are_not_skipped(keras, saved):
    class Cleaned(keras.layers.Layer):
        def call(self, texts):
            return texts

        def compute_output_spec(self, texts):
            return keras.KerasTensor(texts.shape, dtype="string")

    text, words = text_input(keras, "text"), vectorization(keras, ["a"])
    cleaned = Cleaned(name="cleaned")(text)
    path = saved(keras.Model(text, keras.layers.Embedding(3, 2)(words(cleaned))))
    source = opened(path)
    assert names_in(source) == ["[UNK]", "a"]
    with pytest.raises(DataError, match=r"looks up what the layer 'cleaned' makes of a text"):
        trace_by_source(["a"], source, Settings())


def test_ids_that_are_cut_on_the_way_are_not_traced(keras, saved):
    text, words = text_input(keras, "text"), vectorization(keras, ["a"])
    source = opened(saved(keras.Model(text, keras.layers.Embedding(3, 2)(words(text)[:, :1]))))
    assert names_in(source) == ["[UNK]", "a"]
    with pytest.raises(DataError, match=r"'get_item\w*' between .* may cut, join or reorder"):
        trace_by_source(["a"], source, Settings())


def test_the_configs_of_older_files(tmp_path):
    def layer(kind, name, sources, **config):
        calls = [[[source, 0, 0, {}] for source in sources]] if sources else []
        config = {"name": name, **config}
        return {"class_name": kind, "name": name, "config": config, "inbound_nodes": calls}

    layers = [
        layer("Embedding", "tokens", ["words"], input_dim=3, output_dim=3),
        layer("InputLayer", "text", [], batch_input_shape=[None, 1]),
        layer("StringLookup", "places", ["text"], vocabulary=["fr"]),
        layer("TextVectorization", "words", ["text"], vocabulary=["a"]),
    ]
    ends = {"input_layers": [["text", 0, 0]], "output_layers": [["tokens", 0, 0]]}
    config = {"class_name": "Functional", "config": {"layers": layers, **ends}}
    write_keras_file(tmp_path / "m.keras", {"layers/embedding/vars/0": np.eye(3)}, config)
    source = opened(str(tmp_path / "m.keras"))
    assert names_in(source) == ["[UNK]", "a"]
    assert trace_by_source(["A!"], source, Settings()).lookup.sequences.tolist() == [[2]]


# -- by a guess, or by name ----------------------------------------------------------------------


@pytest.fixture
def token_and_position(keras):
    """Builds the model of keras.io's text classification with a transformer, in small."""

    class TokenAndPositionEmbedding(keras.layers.Layer):
        def __init__(self, maxlen, vocab_size, **settings):
            super().__init__(**settings)
            self.token_emb = keras.layers.Embedding(vocab_size, 2)
            self.pos_emb = keras.layers.Embedding(maxlen, 2)

        def call(self, ids):
            return self.token_emb(ids) + self.pos_emb(keras.ops.arange(ids.shape[-1]))

    def build(*lookups, rows=5):
        texts = [text_input(keras, f"text_{place}") for place in range(len(lookups))]
        block = TokenAndPositionEmbedding(3, rows, name="block")
        ids = [lookup(text) for lookup, text in zip(lookups, texts, strict=True)]
        outputs = [block(ids[0]), *ids[1:]]
        return keras.Model(texts, outputs), block

    return build


def test_layers_of_custom_layers_go_by_the_names_of_their_attributes(
    keras, saved, token_and_position
):
    words = vectorization(keras, ["a", "b", "c"], output_sequence_length=3)
    model, block = token_and_position(words)
    path = saved(model)
    with pytest.raises(UsageError, match=r"2 embedding layers; .*'pos_emb' \(3, 2\), 'token_emb'"):
        opened(path)
    for name in ("token_emb", block.token_emb.name, "block/token_emb"):
        rows = opened(path, name).matrix.rows
        assert (rows == block.token_emb.get_weights()[0]).all()
    with pytest.raises(UsageError, match="did you mean 'token_emb'"):
        opened(path, "token_em")


def test_words_by_size_are_a_guess_until_the_user_says_that_they_are_right(
    keras, saved, token_and_position
):
    words = vectorization(keras, ["a", "b", "c"], name="words", output_sequence_length=3)
    path = saved(token_and_position(words)[0])
    source = opened(path, "token_emb")
    assert names_in(source) == ["[UNK]", "a", "b", "c"]
    assert source.words_from.startswith("a guess: the layer words of the model")
    [warning] = source.warnings
    assert "are a guess" in warning
    assert "--words-from words" in warning
    with pytest.raises(DataError, match=r"only by a guess; .* --words-from words"):
        trace_by_source(["a"], source, Settings())
    source = opened(path, "token_emb", words_from="words")
    assert source.warnings == ()
    assert trace_by_source(["a b"], source, Settings()).lookup.sequences.tolist() == [[2, 3, 0]]
    assert opened(path, "pos_emb").words is None


def test_a_layer_upstream_is_guessed_before_one_elsewhere(keras, saved, token_and_position):
    words = vectorization(keras, ["a", "b", "c"], output_sequence_length=3)
    other = vectorization(keras, ["x", "y", "z"])
    path = saved(token_and_position(words, other)[0])
    assert names_in(opened(path, "token_emb")) == ["[UNK]", "a", "b", "c"]


def test_without_a_size_that_fits_nothing_is_guessed(keras, saved, token_and_position):
    words = vectorization(keras, ["a"], name="words", output_sequence_length=3)
    source = opened(saved(token_and_position(words)[0]), "token_emb")
    assert source.words is None
    [warning] = source.warnings
    assert "no lookup layer has as many tokens: 'words' (3 tokens)" in warning


def subclassed(keras, *lookups):
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.lookups, self.emb = list(lookups), keras.layers.Embedding(4, 2)

        def call(self, texts):
            return sum(self.emb(lookup(texts)) for lookup in self.lookups)

    model = Model()
    model(keras.ops.convert_to_tensor([["a"]]))
    return model


def adapted(keras, text, **settings):
    layer = keras.layers.TextVectorization(**settings)
    layer.adapt([text])
    return layer


def test_two_guesses_that_fit_equally_are_listed(keras, saved):
    lookups = [adapted(keras, "a b", name="v1"), adapted(keras, "c d", name="v2")]
    path = saved(subclassed(keras, *lookups))
    with pytest.raises(UsageError, match=r"2 lookup layers that have 4 tokens.*'v1'.*'v2'"):
        opened(path)
    assert names_in(opened(path, words_from="v2")) == ["[UNK]", "d", "c"]


def test_a_subclassed_model_keeps_its_words_but_not_its_rules(keras, saved):
    path = saved(subclassed(keras, adapted(keras, "a b", name="vec")))
    assert opened(path).tensor == "emb"
    assert names_in(opened(path)) == ["[UNK]", "b", "a"]
    source = opened(path, words_from="vec")
    with pytest.raises(DataError, match="has rules that the file does not hold"):
        trace_by_source(["a"], source, Settings())


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (
            "word",
            r"expected a lookup layer of .*'words' \(TextVectorization, 3 tokens\).*'words'\?",
        ),
        ("bins", r"the Hashing layer 'bins' of .* makes categories that have no words"),
    ],
)
def test_layers_that_cannot_be_picked(keras, saved, wanted, message):
    text, words = text_input(keras, "text"), vectorization(keras, ["a"], name="words")
    bins = keras.layers.Hashing(4, name="bins")(text)
    path = saved(keras.Model(text, [keras.layers.Embedding(3, 2)(words(text)), bins]))
    with pytest.raises(UsageError, match=message):
        opened(path, words_from=wanted)


def test_words_from_is_for_models_alone(tmp_path):
    np.save(tmp_path / "m.npy", np.eye(2))
    with pytest.raises(UsageError, match="--words-from names a lookup layer of a Keras model"):
        opened(str(tmp_path / "m.npy"), words_from="x")
    write_keras_file(tmp_path / "m.keras", {"layers/embedding/vars/0": np.eye(3)})
    with pytest.raises(UsageError, match="leave out one of the two"):
        opened(str(tmp_path / "m.keras"), words_from="x", words="w.txt")
    with pytest.raises(UsageError, match="it has none"):
        opened(str(tmp_path / "m.keras"), words_from="x")


# -- files ---------------------------------------------------------------------------------------


def test_a_model_without_an_embedding_says_which_weights_it_has(keras, saved):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="head")])
    path = saved(model)
    with pytest.raises(DataError, match=r"1 weight of two dimensions, .*--layer.*'head' \(3, 2\)"):
        opened(path)
    assert opened(path, "head").words is None


def test_a_vocabulary_file_that_was_changed_is_read_as_keras_reads_it(keras, tmp_path):
    """TextVectorization loads its file twice, and the one of its inner layer wins."""
    text, words = text_input(keras, "text"), adapted(keras, "a b")
    path = tmp_path / "m.keras"
    keras.Model(text, keras.layers.Embedding(4, 2)(words(text))).save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, b"\n[UNK]\nx\ny\n\n" if "_lookup_layer" in name else data)
    _, layer, _ = keras.models.load_model(path).layers
    assert names_in(opened(str(path))) == [str(word) for word in layer.get_vocabulary()[1:]]


def test_a_class_of_the_users_own_is_not_taken_for_keras_s(tmp_path):
    def entry(module, class_name, **config):
        return {"module": module, "class_name": class_name, "config": config}

    layers = [
        entry(None, "TextVectorization", name="own", vocabulary=["a"]),
        entry("keras.layers", "Embedding", name="tokens", input_dim=3, output_dim=3),
    ]
    config = {"module": "keras", "class_name": "Sequential", "config": {"layers": layers}}
    write_keras_file(tmp_path / "m.keras", {"layers/embedding/vars/0": np.eye(3)}, config)
    assert opened(str(tmp_path / "m.keras")).words is None


def test_an_embedding_that_two_models_share_has_the_words_of_both(keras, saved):
    """Keras saves its rows once, under the first of the models."""
    shared = keras.layers.Embedding(9, 2, name="tokens")

    def tower(words, name):
        text = text_input(keras, f"{name}_text")
        return keras.Model(text, shared(vectorization(keras, words, name=name)(text)), name=name)

    one, other = text_input(keras, "one"), text_input(keras, "other")
    first, second = tower(["a"], "first"), tower(["b"], "second")
    path = saved(keras.Model([one, other], [first(one), second(other)]))
    with pytest.raises(UsageError, match=r"2 lookup layers .*'first/first'.*'second/second'"):
        opened(path)
