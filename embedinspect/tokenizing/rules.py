"""How TextVectorization standardizes a text and cuts it into tokens.

The rules are those of `keras/src/layers/preprocessing/text_vectorization.py` in Keras 3.15 on
TensorFlow's strings: lower-casing is for ASCII letters alone, punctuation is that of ASCII, white
space too, and a character is a code point. The tests ask the layer itself.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from embedinspect.vocabulary import Tokenization

Standardize = Literal["lower_and_strip_punctuation", "lower", "strip_punctuation"]
Cut = Literal["whitespace", "character"]

PUNCTUATION = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'"
_TO_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_STRIPPED = dict.fromkeys(map(ord, PUNCTUATION))
_WHITE_SPACE = dict.fromkeys(map(ord, "\t\n\v\f\r"), " ")


@dataclass(frozen=True)
class LayerTokenization(Tokenization):
    """How the layer cuts a text.

    The attributes that every tokenization has follow from these.

    Attributes:
        standardize: what is done to the text first; None for nothing.
        cut: where the text is cut: at white space, or into characters; None for not at all.
        ngrams: how many neighboring tokens are joined into one, in the order of the output; None
            to leave them as they are.
    """

    standardize: Standardize | None = "lower_and_strip_punctuation"
    cut: Cut | None = "whitespace"
    ngrams: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        strips = "strip_punctuation" in (self.standardize or "")
        object.__setattr__(self, "filters", PUNCTUATION if strips else "")
        object.__setattr__(self, "lower", "lower" in (self.standardize or ""))
        object.__setattr__(self, "char_level", self.cut == "character")
        table = (_TO_LOWER if self.lower else {}) | (_STRIPPED if strips else {})
        object.__setattr__(self, "_table", table)

    def tokens(self, text: str) -> list[str]:
        """Return the tokens of a text.

        >>> LayerTokenization().tokens("This isn't a text!")
        ['this', 'isnt', 'a', 'text']
        >>> LayerTokenization(ngrams=(1, 2)).tokens("a b c")
        ['a', 'b', 'c', 'a b', 'b c']
        """
        text = self._standardized(text)
        if self.cut is None:
            tokens = [text]
        else:
            tokens = list(text) if self.cut == "character" else _split(text)
        if self.ngrams is None:
            return tokens
        return [
            " ".join(tokens[start : start + width])
            for width in self.ngrams
            for start in range(len(tokens) - width + 1)
        ]

    def pieces(self, text: str) -> list[str]:
        """Return the tokens; a piece of which nothing would be left is returned as written."""
        if self.cut != "whitespace" or self.ngrams is not None:
            return self.tokens(text)
        return [self._standardized(piece) or piece for piece in _split(text)]

    def filtered_characters(self, text: str) -> Counter[str]:
        """Return how often the text holds each punctuation mark that is deleted."""
        counts = Counter(text)
        return Counter({c: counts[c] for c in self.filters if counts[c]})

    def _standardized(self, text: str) -> str:
        table: dict[int, int | None] = self._table  # type: ignore[attr-defined]
        return text.translate(table) if table else text


@dataclass(frozen=True)
class WholeText(LayerTokenization):
    """How StringLookup takes a text: as one string, just as it is."""

    standardize: Standardize | None = None
    cut: Cut | None = None


@dataclass(frozen=True)
class WholeNumbers(LayerTokenization):
    """How a text stands for the input of IntegerLookup: as whole numbers between white space."""

    standardize: Standardize | None = None

    def tokens(self, text: str) -> list[str]:
        """Return the numbers of a text, equal ones spelled alike; what is no number stays as it is.

        >>> WholeNumbers().tokens("12 +3 -007")
        ['12', '3', '-7']
        """
        return [as_number(token) or token for token in _split(text)]

    def pieces(self, text: str) -> list[str]:
        """Return the same: nothing is ever deleted."""
        return self.tokens(text)


def as_number(token: str) -> str | None:
    """Return a whole number of 64 bits in its plainest form; None for any other token."""
    digits = token[1:] if token[:1] in {"+", "-"} else token
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 20:
        return None
    number = int(token)
    return str(number) if -(2**63) <= number < 2**63 else None


def _split(text: str) -> list[str]:
    """Return the pieces of a text between ASCII white space."""
    return [piece for piece in text.translate(_WHITE_SPACE).split(" ") if piece]


def is_a_tensor_string(text: str) -> bool:
    """Return whether a text can be a string of TensorFlow's: no NUL, no lone surrogate."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
