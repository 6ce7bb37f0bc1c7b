"""Many models saved by Keras, each traced with many texts and compared with the model itself.

    python -m tests.sweeps.keras_models

Each model is built from a shape (`SHAPES`: how lookups and embeddings hang together) and from the
rules of its lookup layer (`RULES`), saved, and loaded by Keras in safe mode. What its Embedding
layers are called on is the truth. The tool must give the same ids, or refuse. It ends with the
counts, and with exit code 1 where an answer was wrong.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from embedinspect import keras_layer
from embedinspect.analysis.tracing import trace_by_source
from embedinspect.errors import EmbedInspectError
from embedinspect.formats.keras_files import open_keras
from embedinspect.lookup import Settings
from embedinspect.source import Source, SourceOptions, open_source

TEXTS = [
    "It isn't a king",
    "the queen, the king & the cat!",
    "THE CAT SAT",
    "a",
    "",
    "   ",
    "...!?",
    "don't stop--now",
    "tab\tnew\nline\r\fend\v.",
    "naïve café ÀÉÎ İstanbul ß",
    "Привет, мир! Король",
    "γεια σου Κόσμε ς",
    "你好 世界，国王",
    "こんにちは 世界",
    "مرحبا بالعالم",
    "नमस्ते दुनिया",
    "안녕하세요 세계",
    "👩‍💻 codes 🙂 [UNK] \U0001d54f",
    "no\u00a0break\u3000space\u2003\x85\x1c end",
    "e\u0301 combining \ufeffbom \u200bzero",
]
# A vocabulary file is read by its lines: Keras itself does not load one with white space in words.
LEARNED = [text for text in TEXTS[:17] if not set(text) & set("\t\n\v\f\r\x1c\x85")]
NUMBERS = [str(number) for number in (0, 1, 2, 3, 5, 7, 8, 12, 36, 99, 100, 1138, -1, -7, 2**40)]
NUMBERS += ["4", "6", "1000", "42", "-2"]

# The settings of a lookup layer, and how it comes to its vocabulary.
RULES: dict[str, dict[str, Any]] = {
    "default": {},
    "given": {"vocabulary": ["king", "isnt", "cat", "мир", "世界"]},
    "given reserved": {"vocabulary": ["", "[UNK]", "king", "cat"]},
    "cased": {"standardize": None},
    "lower": {"standardize": "lower"},
    "stripped": {"standardize": "strip_punctuation"},
    "characters": {"split": "character"},
    "cased characters": {"split": "character", "standardize": None},
    "whole": {"split": None},
    "whole cased": {"split": None, "standardize": None},
    "pairs": {"ngrams": 2},
    "only pairs": {"ngrams": (2,)},
    "one and three": {"ngrams": (1, 3), "output_sequence_length": 6},
    "character pairs": {"ngrams": 2, "split": "character"},
    "short": {"output_sequence_length": 2},
    "long": {"output_sequence_length": 9, "max_tokens": 8},
    "whole long": {"split": None, "output_sequence_length": 3},
    "whole pairs": {"split": None, "ngrams": 2},
    "other encoding": {"encoding": "latin-1", "vocabulary": ["king", "naïve", "мир"]},
    "own standardize": {"standardize": "own"},
    "own split": {"split": "own"},
    "strings": {"kind": "StringLookup"},
    "strings masked": {"kind": "StringLookup", "mask_token": "a"},
    "strings spread": {"kind": "StringLookup", "num_oov_indices": 3},
    "strings salted": {
        "kind": "StringLookup",
        "num_oov_indices": 4,
        "salt": [3, 5],
        "mask_token": "",
        "oov_token": "?",
    },
    "strings closed": {"kind": "StringLookup", "num_oov_indices": 0},
    "numbers": {"kind": "IntegerLookup"},
    "numbers spread": {"kind": "IntegerLookup", "num_oov_indices": 3, "mask_token": 0},
    "numbers hashed": {
        "kind": "IntegerLookup",
        "num_oov_indices": 3,
        "oov_method": "farmhash",
        "vocabulary": [7, 5, 100],
    },
    "hashed": {"kind": "Hashing", "num_bins": 7},
}


class Builder:
    """Makes the lookup layers and the models.

    Attributes:
        keras: the library.
        rules: the settings of the lookup layer.
        rank: of its input, without the batch: 0 or 1.
    """

    def __init__(self, keras: Any, rules: dict[str, Any], rank: int) -> None:
        self.keras, self.layers = keras, keras.layers
        self.rules, self.rank = dict(rules), rank
        self.kind = self.rules.pop("kind", "TextVectorization")
        self.own = own_objects(keras)

    @property
    def numeric(self) -> bool:
        return self.kind == "IntegerLookup"

    def input(self, name: str | None = None) -> Any:
        dtype = "int64" if self.numeric else "string"
        return self.keras.Input((1,) * self.rank, dtype=dtype, name=name)

    def lookup(self, name: str | None = None, start: int = 0) -> Any:
        """Return the lookup layer; it is adapted to the texts from `start` on."""
        settings = dict(self.rules)
        for setting in ("standardize", "split"):
            if settings.get(setting) == "own":
                settings[setting] = self.own[setting]
        layer = getattr(self.layers, self.kind)(name=name, **settings)
        if "vocabulary" not in settings and self.kind != "Hashing":
            # A model stops as a whole at what one of its lookups has no id for.
            start = 0 if self.rules.get("num_oov_indices") == 0 else start
            known = NUMBERS[start:12] if self.numeric else LEARNED[start:]
            layer.adapt(np.array([int(one) for one in known]) if self.numeric else known)
        return layer

    def size(self, lookup: Any) -> int:
        """Return how many ids the layer gives."""
        return self.rules["num_bins"] if self.kind == "Hashing" else len(lookup.get_vocabulary())

    def embedding(self, lookup: Any, more: int = 0, **settings: Any) -> Any:
        return self.layers.Embedding(self.size(lookup) + more, 2, **settings)


def own_objects(keras: Any) -> dict[str, Any]:
    """Return functions, layers and a model of our own, registered so that they can be loaded."""
    if _OWN:
        return _OWN
    import tensorflow

    strings, register = tensorflow.strings, keras.saving.register_keras_serializable("sweep")

    @register
    def own_standardize(texts: Any) -> Any:
        return strings.regex_replace(strings.lower(texts), "[aeiou]", "")

    @register
    def own_split(texts: Any) -> Any:
        return strings.split(texts, "e")

    @register
    class Plus(keras.layers.Layer):
        def call(self, ids: Any) -> Any:
            return ids + 1

    @register
    class Shout(keras.layers.Layer):
        def call(self, texts: Any) -> Any:
            return strings.upper(texts)

        def compute_output_spec(self, texts: Any) -> Any:
            return keras.KerasTensor(texts.shape, dtype="string")

    @register
    class TokenAndPosition(keras.layers.Layer):
        def __init__(self, maxlen: int, vocab_size: int, **settings: Any) -> None:
            super().__init__(**settings)
            self.maxlen, self.vocab_size = maxlen, vocab_size
            self.token_emb = keras.layers.Embedding(vocab_size, 2)
            self.pos_emb = keras.layers.Embedding(maxlen, 2)

        def call(self, ids: Any) -> Any:
            positions = keras.ops.arange(keras.ops.shape(ids)[-1]) % self.maxlen
            return self.token_emb(ids) + self.pos_emb(positions)

        def get_config(self) -> dict[str, Any]:
            sizes = {"maxlen": self.maxlen, "vocab_size": self.vocab_size}
            return {**super().get_config(), **sizes}

    @register
    class Subclassed(keras.Model):
        def __init__(self, lookup: Any, rows: int, **settings: Any) -> None:
            super().__init__(**settings)
            self.lookup, self.rows = lookup, rows
            self.emb = keras.layers.Embedding(rows, 2)

        def call(self, texts: Any) -> Any:
            return self.emb(self.lookup(texts))

        def get_config(self) -> dict[str, Any]:
            lookup = keras.saving.serialize_keras_object(self.lookup)
            return {**super().get_config(), "lookup": lookup, "rows": self.rows}

        @classmethod
        def from_config(cls, config: dict[str, Any]) -> Any:
            lookup = keras.saving.deserialize_keras_object(config.pop("lookup"))
            return cls(lookup, **config)

    _OWN.update(
        standardize=own_standardize,
        split=own_split,
        Plus=Plus,
        Shout=Shout,
        TokenAndPosition=TokenAndPosition,
        Subclassed=Subclassed,
    )
    return _OWN


_OWN: dict[str, Any] = {}

# -- shapes: how lookups and embeddings hang together -------------------------------------------


def sequential(build: Builder) -> Any:
    lookup = build.lookup()
    return build.keras.Sequential([build.input(), lookup, build.embedding(lookup)])


def functional(build: Builder) -> Any:
    text, lookup = build.input(), build.lookup("vectorize")
    return build.keras.Model(text, build.embedding(lookup, more=2, name="words")(lookup(text)))


def between(build: Builder) -> Any:
    """Layers that hand the ids on stand between."""
    text, lookup = build.input(), build.lookup()
    ids = build.layers.Identity()(lookup(text))
    ids = build.layers.Dropout(0.5)(build.keras.ops.cast(ids, "int32"))
    return build.keras.Model(text, build.embedding(lookup)(build.keras.ops.expand_dims(ids, -1)))


def two_texts(build: Builder) -> Any:
    """Title and body have lookups of their own, the body's first in the file."""
    body, title = build.input("body"), build.input("title")
    of_body, of_title = build.lookup("z", 3), build.lookup("a")
    outputs = [
        build.embedding(of_body, name="bodies")(of_body(body)),
        build.embedding(of_title, more=9, name="titles")(of_title(title)),
    ]
    return build.keras.Model([title, body], outputs[::-1])


def with_country(build: Builder) -> Any:
    """A lookup of countries stands before the text's, and its words would fit."""
    country = build.keras.Input((1,), dtype="string", name="country")
    countries = build.layers.StringLookup(vocabulary=["fr", "de"], name="countries")
    text, lookup = build.input("text"), build.lookup()
    outputs = [
        build.layers.Embedding(3, 2, name="places")(countries(country)),
        build.embedding(lookup, name="words")(lookup(text)),
    ]
    return build.keras.Model([country, text], outputs)


def plain_ids_beside(build: Builder) -> Any:
    """One embedding takes ids as they come; as many as the lookup of the other has words."""
    ids = build.keras.Input((3,), dtype="int32", name="ids")
    text, lookup = build.input("text"), build.lookup()
    outputs = [
        build.embedding(lookup, name="plain")(ids),
        build.embedding(lookup, name="words")(lookup(text)),
    ]
    return build.keras.Model([ids, text], outputs)


def shared_embedding(build: Builder) -> Any:
    """One embedding for two texts, of which one lookup layer makes the ids."""
    first, second, lookup = build.input("first"), build.input("second"), build.lookup()
    embedding = build.embedding(lookup)
    outputs = [embedding(lookup(first)), embedding(lookup(second))]
    return build.keras.Model([first, second], outputs)


def two_lookups_one_embedding(build: Builder) -> Any:
    """One embedding for two texts with lookups of their own: nothing says whose its words are."""
    first, second = build.input("first"), build.input("second")
    one, other = build.lookup("one"), build.lookup("other", 4)
    embedding = build.embedding(one, more=20)
    outputs = [embedding(one(first)), embedding(other(second))]
    return build.keras.Model([first, second], outputs)


def nested_encoder(build: Builder) -> Any:
    """A model in the model makes the ids."""
    inner, lookup = build.input(), build.lookup()
    encoder = build.keras.Model(inner, lookup(inner), name="encoder")
    text = build.input("text")
    return build.keras.Model(text, build.embedding(lookup)(encoder(text)))


def nested_twice(build: Builder) -> Any:
    """A model with two inputs and two outputs, which are crossed outside."""
    keras = build.keras
    left, right = build.input("left"), build.input("right")
    one, other = build.lookup("one"), build.lookup("other", 4)
    inner = keras.Model([left, right], [one(left), other(right)], name="inner")
    head = keras.Sequential([build.embedding(other, more=1, name="others")], name="head")
    second, first = build.input("second"), build.input("first")
    ids, more_ids = inner([second, first])
    outputs = [head(more_ids), build.embedding(one, more=2, name="ones")(ids)]
    return keras.Model([second, first], outputs)


def nested_whole(build: Builder) -> Any:
    """Lookup and embedding both lie in a model that is called twice."""
    inner, lookup = build.input(), build.lookup()
    tower = build.keras.Model(inner, build.embedding(lookup)(lookup(inner)), name="tower")
    first, second = build.input("first"), build.input("second")
    return build.keras.Model([first, second], [tower(first), tower(second)])


def cut_between(build: Builder) -> Any:
    """The ids are cut on the way: words are known, positions are not."""
    text, lookup = build.input(), build.lookup()
    return build.keras.Model(text, build.embedding(lookup)(lookup(text)[..., :1]))


def shifted_between(build: Builder) -> Any:
    """The ids are shifted by an operation on the way."""
    text, lookup = build.input(), build.lookup()
    return build.keras.Model(text, build.embedding(lookup, more=1)(lookup(text) + 1))


def own_layer_between(build: Builder) -> Any:
    """The ids are shifted by a layer of the user's own, and the sizes agree nevertheless."""
    text, lookup = build.input(), build.lookup()
    ids = build.keras.ops.minimum(build.own["Plus"]()(lookup(text)), build.size(lookup) - 1)
    return build.keras.Model(text, build.embedding(lookup)(ids))


def own_layer_before(build: Builder) -> Any:
    """The text is changed before the lookup."""
    text, lookup = build.input(), build.lookup()
    changed = text if build.numeric else build.own["Shout"]()(text)
    return build.keras.Model(text, build.embedding(lookup)(lookup(changed)))


def token_and_position(build: Builder) -> Any:
    text, lookup = build.input(), build.lookup()
    block = build.own["TokenAndPosition"](77, build.size(lookup))
    return build.keras.Model(text, block(lookup(text)))


def subclassed(build: Builder) -> Any:
    lookup = build.lookup()
    model = build.own["Subclassed"](lookup, build.size(lookup))
    model(inputs_for(build, TEXTS[:1] if not build.numeric else NUMBERS[:1]))
    return model


SHAPES: dict[str, Callable[[Builder], Any]] = {
    shape.__name__: shape
    for shape in (
        sequential,
        functional,
        between,
        two_texts,
        with_country,
        plain_ids_beside,
        shared_embedding,
        two_lookups_one_embedding,
        nested_encoder,
        nested_twice,
        nested_whole,
        cut_between,
        shifted_between,
        own_layer_between,
        own_layer_before,
        token_and_position,
        subclassed,
    )
}

# Here the guess by sizes is right, and a user who knows that says so.
GUESSED = {"token_and_position", "subclassed"}


# -- the model's own word ------------------------------------------------------------------------


def inputs_for(build: Builder, texts: list[str]) -> Any:
    """Return the texts as the lookup layer takes them."""
    import tensorflow

    values = [int(text) for text in texts] if build.numeric else texts
    tensor = tensorflow.constant(values, "int64" if build.numeric else "string")
    return tensor[:, None] if build.rank else tensor


class Oracle:
    """The loaded model; it remembers what each of its embeddings is called on."""

    def __init__(self, build: Builder, path: Path) -> None:
        self.build = build
        self.model = build.keras.models.load_model(path, safe_mode=True)
        self.seen: dict[str, list[np.ndarray]] = {}
        for layer in self._embeddings():
            layer.call = self._remembering(layer)

    def _embeddings(self) -> Iterator[Any]:
        for layer in self.model._flatten_layers():
            if isinstance(layer, self.build.layers.Embedding):
                yield layer

    def _remembering(self, layer: Any) -> Callable[..., Any]:
        call = layer.call

        def remember(ids: Any) -> Any:
            rows = ids.to_list() if hasattr(ids, "to_list") else np.asarray(ids).tolist()
            self.seen.setdefault(key_of(layer.embeddings), []).append([_flat(row) for row in rows])
            return call(ids)

        return remember

    def ids(self, texts: list[str]) -> dict[str, list[Any]]:
        """Return for each embedding, by its weights, what it is called on; each call a batch."""
        self.seen.clear()
        self.texts = texts
        values = inputs_for(self.build, texts)
        inputs = getattr(self.model, "inputs", None) or [values]
        self.model(
            [self._fitting(one, values, len(texts)) for one in inputs]
            if len(inputs) > 1
            else values
        )
        return dict(self.seen)

    def ids_of_layer(self, source: Source, texts: list[str]) -> list[Any]:
        """Return what the lookup layer of a source gives by itself; nothing where it stops."""
        assert source.lookup is not None
        try:
            ids = self.layer(source.lookup.name)(inputs_for(self.build, texts))
        except Exception:
            return []
        return [[_flat(row) for row in np.asarray(ids)]]

    def layer(self, name: str) -> Any:
        """Return the layer of that name, wherever in the model it is."""
        return next(layer for layer in self.model._flatten_layers() if layer.name == name)

    def _fitting(self, wanted: Any, values: Any, count: int) -> Any:
        import tensorflow

        if wanted.name == "ids":
            return tensorflow.zeros((count, 3), "int32")
        if wanted.name == "country":
            return tensorflow.constant([[text] for text in self.texts])
        return values


def key_of(rows: Any) -> str:
    """Return a name for weights: what is in them."""
    return np.asarray(rows, np.float32).tobytes().hex()


def _flat(row: Any) -> list[int]:
    return [int(id_) for id_ in np.asarray(row).ravel()]


# -- the comparison ------------------------------------------------------------------------------


def compare(oracle: Oracle, path: Path, *, pick: bool, alone: bool) -> Counter[str]:
    """Trace the texts through each embedding of a saved model; return how many of each kind.

    The kinds are equal, refused and wrong, each a text in an embedding; `wrong words`, each a row.

    Args:
        pick: whether to name the lookup layer where the tool has only a guess.
        alone: whether to trace each text alone, too, and not only all of them together.
    """
    outcomes: Counter[str] = Counter()
    texts = NUMBERS if oracle.build.numeric else TEXTS
    for layer in open_keras(path).layers:
        if not layer.embedding:
            continue
        try:
            source = open_source(str(path), SourceOptions(layer=layer.path))
        except EmbedInspectError:  # two lookup layers fit, or none is known
            outcomes["refused"] += len(texts)
            continue
        if pick and source.no_ids is not None and source.lookup is not None:
            options = SourceOptions(layer=layer.path, words_from=source.lookup.path)
            source = open_source(str(path), options)
        outcomes["wrong words"] += _wrong_words(oracle, source)
        for batch in (texts, *([text] for text in texts if alone)):
            outcomes.update(_compare(oracle, source, batch))
    return outcomes


def _compare(oracle: Oracle, source: Source, texts: list[str]) -> Counter[str]:
    """Return how the tool's ids of a batch compare with the model's."""
    try:
        lookup = trace_by_source(texts, source, Settings()).lookup
    except EmbedInspectError:
        return Counter(refused=len(texts))
    try:
        calls = oracle.ids(texts)[key_of(source.matrix.rows)]
    except Exception:  # the model stops, perhaps at another of its lookup layers
        calls = oracle.ids_of_layer(source, texts)
    ids = [sequence.tolist() for sequence in lookup.sequences]
    bare = [row.tolist() for row in lookup.ids]
    return Counter({"equal" if ids in calls or bare in calls else "wrong": len(texts)})


def _wrong_words(oracle: Oracle, source: Source) -> int:
    """Return how many rows have another word than the layer of that name gives them."""
    lookup, words = source.lookup, source.words
    if lookup is None or words is None:
        return 0
    live = oracle.layer(lookup.name)
    own = [str(word) if word is not None else "" for word in live.get_vocabulary()]
    # Keras decodes its words by `encoding`, though TensorFlow holds them as UTF-8 whatever it is.
    encoding = live.get_config().get("encoding", "utf-8")
    own = [word.encode(encoding).decode("utf-8") if word not in "[UNK]" else word for word in own]
    own += [""] * (len(words) - len(own))
    return sum((word or "") != name for word, name in zip(words, own, strict=False))


def models() -> Iterator[tuple[str, str, int]]:
    """Yield shape, rules and rank of each model of the sweep."""
    for place, shape in enumerate(SHAPES):
        for number, rules in enumerate(RULES):
            yield shape, rules, (place + number) % 2


def run_one(
    keras: Any, shape: str, rules: str, rank: int, folder: Path, *, alone: bool = True
) -> Counter[str] | None:
    """Return the outcomes of one model; None where Keras cannot build, save and load it."""
    build = Builder(keras, RULES[rules], rank)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            build.keras.utils.set_random_seed(7)
            path = folder / "model.keras"
            model = SHAPES[shape](build)
            model.save(path)
            oracle = Oracle(build, path)
        except Exception as error:
            REFUSED_BY_KERAS[f"{shape}, {rules}: {str(error).splitlines()[0][:80]}"] += 1
            return None
        return compare(oracle, path, pick=shape in GUESSED, alone=alone)


REFUSED_BY_KERAS: Counter[str] = Counter()


def main() -> int:
    keras = keras_layer.load("tensorflow")
    by_shape: dict[str, Counter[str]] = {shape: Counter() for shape in SHAPES}
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        for shape, rules, rank in models():
            outcomes = run_one(keras, shape, rules, rank, Path(folder))
            if outcomes is None:
                continue
            count += 1
            by_shape[shape].update(outcomes)
            if outcomes["wrong"] or outcomes["wrong words"]:
                print(f"WRONG {shape}, {rules}, rank {rank}: {dict(outcomes)}")
    print(f"{count} models saved and loaded by Keras {keras.__version__}; {len(TEXTS)} texts each,")
    print("alone and together, through every embedding:")
    kinds = ("equal", "refused", "wrong", "wrong words")
    print("".join(f"{kind:>13}" for kind in kinds))
    total = sum(by_shape.values(), Counter())
    for shape, outcomes in [*by_shape.items(), ("all", total)]:
        print("".join(f"{outcomes[kind]:>13,}" for kind in kinds), shape)
    print(f"{REFUSED_BY_KERAS.total()} models that Keras itself does not build, save or load")
    if "--verbose" in sys.argv:
        print(*REFUSED_BY_KERAS, sep="\n")
    return 1 if total["wrong"] or total["wrong words"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
