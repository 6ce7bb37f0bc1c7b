"""What other programs make of a text of word vectors: gensim, and a loop that splits each line.

Tried with gensim 4.4: `KeyedVectors.load_word2vec_format`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from embedinspect.source import Source
from embedinspect.wording import clipped_repr, plural

TEXTS = ("GloVe text", "word2vec text")


def remarks(source: Source) -> list[str]:
    """Return what other readers do with a text of word vectors, each a sentence; else none."""
    return list(_remarks(source)) if source.kind in TEXTS else []


def _remarks(source: Source) -> Iterator[str]:
    if source.kind == "GloVe text":
        yield "without a header line, gensim needs no_header=True"
    else:
        yield "gensim expects the header in line 1; a loop over the lines takes it for a word"
    yield from of_words(source)


def of_words(source: Source) -> Iterator[str]:
    """Yield what other readers do with the words of a text of word vectors."""
    words = source.words
    if words is not None:
        yield from _of_white_space([word for word in words if word is not None])
    repeats = source.problems.counts["duplicate words"]
    if repeats:
        yield (
            f"{plural(repeats, 'line repeats', 'lines repeat')} a word: gensim keeps the first row "
            "of a word, as is done here; a dictionary that is filled line by line keeps the last"
        )


def of_spaces(words: Iterable[str | None]) -> Iterator[str]:
    """Yield what happens where words hold spaces, if any does."""
    spaced = [word for word in words if word is not None and " " in word]
    if spaced:
        yield (
            f"{plural(len(spaced), 'word holds', 'words hold')} spaces, such as "
            f"{clipped_repr(spaced[0])}: gensim and a plain split() end there with an error; "
            "export --to word2vec writes underscores"
        )


def _of_white_space(words: list[str]) -> Iterator[str]:
    """Yield what happens where words hold spaces, or other white space."""
    yield from of_spaces(words)
    odd = [word for word in words if " " not in word and word.split() != [word]]
    if odd:
        yield (
            f"{plural(len(odd), 'word holds', 'words hold')} other white space, such as "
            f"{clipped_repr(odd[0])}: a plain split() parts them there, split(' ') does not"
        )
