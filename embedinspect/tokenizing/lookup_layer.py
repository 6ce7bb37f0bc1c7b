"""A lookup layer of a Keras model, as its config and its vocabulary file describe it.

What the layer does is read from its config as Keras 3.15 would read it when the model is loaded:
which tokens its table holds (`IndexLookup.set_vocabulary` and `load_assets`), and by which rules a
text becomes tokens. What only the model's own code knows is never guessed: `no_words` and
`no_ids` say why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from embedinspect.tokenizing.layer_vocabulary import LayerVocabulary
from embedinspect.tokenizing.rules import (
    Cut,
    LayerTokenization,
    Standardize,
    WholeNumbers,
    WholeText,
    is_a_tensor_string,
)
from embedinspect.wording import clipped_repr

TEXT, STRINGS, NUMBERS = "TextVectorization", "StringLookup", "IntegerLookup"
LOOKUPS = frozenset({TEXT, STRINGS, NUMBERS})
# These make categories of their input, and no category has a word.
CATEGORIES = frozenset({"Hashing", "CategoryEncoding", "Discretization", "HashedCrossing"})
_STANDARDIZE = ("lower_and_strip_punctuation", "lower", "strip_punctuation")
_MOST_UNKNOWN = 1_000_000

Shape = tuple[int | None, ...]
_Token = str | int


@dataclass(frozen=True)
class LookupLayer:
    """A layer that turns text, strings or numbers into ids.

    Attributes:
        name: of the layer.
        path: of its names, through the models around it: `encoder/words`.
        class_name: of the layer.
        config: of the layer; None where the file does not hold it.
        asset: the text of its vocabulary file, which a layer has that was adapted.
    """

    name: str
    path: str
    class_name: str
    config: dict[str, Any] | None
    asset: str | None = None

    @property
    def label(self) -> str:
        """How sentences name the layer."""
        return f"the {self.class_name} layer {clipped_repr(self.path, 60)}"

    @cached_property
    def words(self) -> list[str | None] | None:
        """The word of each id, None for an id without one; None where they are not known."""
        if self.config is None and self.asset is not None:  # all its lines, in the order of ids
            return [line or None for line in _lines(self.asset)]
        table = self._table
        if table is None or self.no_words is not None:
            return None
        unknown = self._setting("oov_token", -1 if self._numeric else "[UNK]")
        name = None if unknown is None else str(unknown)
        words: list[str | None] = [name] * (self._first_unknown + self._unknown_count + len(table))
        if self._first_unknown:
            words[0] = str(self._mask)
        for id_, token in enumerate(table, self._first_unknown + self._unknown_count):
            words[id_] = str(token)
        return [word or None for word in words]

    @property
    def sizes(self) -> set[int]:
        """How many rows an embedding of its ids may have: its tokens, or the most it may have."""
        most = self._setting("max_tokens", None)
        return {len(self.words or ())} | ({most} if type(most) is int else set())

    @property
    def no_words(self) -> str | None:
        """Why no word is known of its ids, as the end of a sentence; None where they have words."""
        if self.class_name in CATEGORIES:
            return "makes categories that have no words"
        if self.config is None:
            return None if self.asset is not None else "is known by its name alone"
        mode = self._setting("output_mode", "int")
        if mode != "int":
            return f"gives no ids (its output_mode is {clipped_repr(str(mode))})"
        if self._setting("invert", False):
            return "turns ids into words, not words into ids (invert=True)"
        if not self._are_reserved_known:
            return "has reserved tokens of a kind that is not known here"
        if self._listed is None:
            return "has a vocabulary that the file does not hold, or not in a form that is known"
        if self._table is None:
            return "has a vocabulary that Keras itself refuses when it loads the model"
        return None

    def no_ids(self, shapes: Sequence[Shape | None]) -> str | None:
        """Return why it cannot be known which ids a text gets, as the end of a sentence, or None.

        Args:
            shapes: of the inputs that the layer is called on; None for one that is not known.
        """
        if self.no_words is not None:
            return self.no_words
        if self.config is None:
            return "has rules that the file does not hold"
        if self.class_name != TEXT:
            return _strings_at_once(shapes)
        for setting, known in (
            ("standardize", _STANDARDIZE),
            ("split", ("whitespace", "character")),
        ):
            value = self._setting(setting, known[0])
            if value is not None and value not in known:
                return f"has a function of the model's own as {setting}, which is not run here"
        if not self._are_ngrams_known:
            return f"has ngrams {clipped_repr(str(self._setting('ngrams', None)))}"
        length = self._setting("output_sequence_length", None)
        if not (length is None or (type(length) is int and length >= 0)):
            return f"has output_sequence_length {clipped_repr(str(length))}"
        if self._setting("split", "whitespace") is not None:
            return None
        flat = any(shape is None or len(shape) < 2 for shape in shapes or [None])
        if flat and (self._ngrams is not None or length is not None):
            return "does not split, so that it joins or cuts the whole batch"
        return _strings_at_once(shapes)

    @cached_property
    def vocabulary(self) -> LayerVocabulary:
        """The words with the rules of the layer; only where `no_ids` has nothing to say."""
        start = self._first_unknown + self._unknown_count
        table = {str(token): id_ for id_, token in enumerate(self._table or (), start)}
        if self._first_unknown:
            table[str(self._mask)] = 0
        unknown = self._setting("oov_token", -1 if self._numeric else "[UNK]")
        name = str(unknown) if unknown is not None and self._unknown_count else None
        word_index = {token: id_ for token, id_ in table.items() if token and id_}
        if name and self._first_unknown:
            word_index = {name: self._first_unknown} | word_index
        hashed = not self._numeric or self._setting("oov_method", "floormod") == "farmhash"
        return LayerVocabulary(
            word_index=word_index,
            oov_token=name,
            tokenization=self._tokenization,
            name=self.class_name.lower(),
            layer=self.label,
            table=table,
            first_unknown=self._first_unknown,
            unknown_count=self._unknown_count,
            salt=self._salt,
            spread="farmhash" if hashed else "floormod",
            sequence_length=self._setting("output_sequence_length", None),
            ragged=bool(self._setting("ragged", False)),
            token_for_text=self._tokenization.cut is None,
        )

    # -- what the config says -----------------------------------------------------------------

    def _setting(self, name: str, default: Any) -> Any:
        return default if self.config is None else self.config.get(name, default)

    @property
    def _numeric(self) -> bool:
        return self.class_name == NUMBERS

    @property
    def _mask(self) -> _Token | None:
        mask: _Token | None = "" if self.class_name == TEXT else self._setting("mask_token", None)
        return mask

    @property
    def _first_unknown(self) -> int:
        return 0 if self._mask is None else 1

    @property
    def _unknown_count(self) -> int:
        return 1 if self.class_name == TEXT else int(self._setting("num_oov_indices", 1))

    @property
    def _salt(self) -> tuple[int, int] | None:
        salt = self._setting("salt", None)
        return None if salt is None else _pair(salt)

    @property
    def _are_reserved_known(self) -> bool:
        """Whether mask, unknown tokens and the salt of their hash are as Keras writes them."""
        kind = int if self._numeric else str
        count, salt = self._setting("num_oov_indices", 1), self._setting("salt", None)
        return (
            all(
                value is None or type(value) is kind
                for value in (self._mask, self._setting("oov_token", None))
            )
            and type(count) is int
            and 0 <= count <= _MOST_UNKNOWN
            and (salt is None or _pair(salt) is not None)
            and self._setting("oov_method", "floormod") in {"floormod", "farmhash"}
        )

    @property
    def _ngrams(self) -> tuple[int, ...] | None:
        ngrams = self._setting("ngrams", None)
        if ngrams is None:
            return None
        return tuple(range(1, ngrams + 1)) if type(ngrams) is int else tuple(ngrams)

    @property
    def _are_ngrams_known(self) -> bool:
        ngrams = self._setting("ngrams", None)
        widths = [ngrams] if type(ngrams) is int else ngrams
        return ngrams is None or (
            isinstance(widths, list)
            and bool(widths)
            and all(type(width) is int and 1 <= width <= 1000 for width in widths)
        )

    @property
    def _tokenization(self) -> LayerTokenization:
        if self.class_name == NUMBERS:
            return WholeNumbers()
        if self.class_name == STRINGS:
            return WholeText()
        return LayerTokenization(
            standardize=cast(
                "Standardize | None", self._setting("standardize", "lower_and_strip_punctuation")
            ),
            cut=cast("Cut | None", self._setting("split", "whitespace")),
            ngrams=self._ngrams,
        )

    # -- its vocabulary -----------------------------------------------------------------------

    @cached_property
    def _listed(self) -> list[_Token] | None:
        """The vocabulary as it is stored; None where there is none that can be read."""
        kind = int if self._numeric else str
        stored = self._setting("vocabulary", None)
        if isinstance(stored, list):
            return stored if all(type(token) is kind for token in stored) else None
        if stored is not None or self.asset is None:
            return None
        lines = _lines(self.asset)
        if not self._numeric:
            return list(lines)
        try:
            return [int(line) for line in lines]
        except ValueError:
            return None

    @cached_property
    def _table(self) -> list[_Token] | None:
        """The tokens in the order of their ids, without the reserved ones, by the rules of
        `set_vocabulary`; None where Keras refuses them.
        """
        listed = self._listed
        if not listed or not all(is_a_tensor_string(token) for token in map(str, listed)):
            return None
        unknown = self._setting("oov_token", -1 if self._numeric else "[UNK]")
        reserved = [self._mask] * self._first_unknown + [unknown] * self._unknown_count
        tokens = listed[len(reserved) :] if listed[: len(reserved)] == reserved else listed
        most = self._setting("max_tokens", None)
        if (
            len(set(tokens)) < len(tokens)
            or (self._mask is not None and self._mask in tokens)
            or (type(most) is int and len(reserved) + len(tokens) > most)
        ):
            return None
        return tokens


def _lines(asset: str) -> list[str]:
    """Return the lines of a vocabulary file as `load_assets` reads them: none empty at the end."""
    lines = asset.splitlines()
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _pair(salt: object) -> tuple[int, int] | None:
    """Return the two numbers of a salt; None where it has none."""
    numbers = [salt, salt] if type(salt) is int else salt
    if isinstance(numbers, list) and len(numbers) == 2 and all(type(n) is int for n in numbers):
        return numbers[0], numbers[1]
    return None


def _strings_at_once(shapes: Sequence[Shape | None]) -> str | None:
    """Return that several strings are looked up at once, where they are; so a text is none."""
    for shape in shapes:
        last = shape[-1] if shape is not None and len(shape) > 1 else None
        if last not in {None, 1}:
            return f"takes {last} strings at once, and a text is one"
    return None
