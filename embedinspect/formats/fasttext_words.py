"""The words in a model of fastText: millions of them, found without a look at each.

An entry of the dictionary is the word, a zero, eight bytes that count it, and one byte that tells
words (0) from labels (1).
"""

from __future__ import annotations

from dataclasses import dataclass
from mmap import mmap
from typing import Any

import numpy as np

from embedinspect.errors import DataError
from embedinspect.formats.contents import Problems
from embedinspect.formats.repairs import as_lines
from embedinspect.row_words import PackedWords, pack

_AFTER_WORD = 10  # bytes: the zero, the count, and the kind
_CHUNK = 2**21
Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Dictionary:
    """The words of a model.

    Attributes:
        words: as they are shown.
        written: the bytes of those that are shown otherwise, by their rows: they are no UTF-8, or
            hold a line feed.
        end: the offset of what comes after the dictionary.
    """

    words: PackedWords
    written: dict[int, bytes]
    end: int


def read_words(data: mmap, at: int, words: int, labels: int, problems: Problems) -> Dictionary:
    """Return the words that start at an offset, and skip the labels of a classifier after them.

    Raises:
        DataError: there are not so many, or they stand in another order.
    """
    label = problems.path_label
    blocks: list[bytes] = []
    sizes: list[Ints] = []
    done, entries = 0, words + labels
    while done < entries:
        chunk = np.frombuffer(data[at : at + _CHUNK], np.uint8).copy()
        starts, ends = _entries(chunk, entries - done)
        if not len(starts):
            raise DataError(f"{label} has no end of word {done:,}; expected a fastText model")
        kinds = chunk[ends + _AFTER_WORD - 1]
        numbers = np.arange(done, done + len(starts))
        wrong = np.flatnonzero(kinds != (numbers >= words))
        if len(wrong):
            raise DataError(
                f"{label} has a label among its words, or a word among its labels (number "
                f"{done + int(wrong[0]):,}); expected a fastText model"
            )
        last = int(ends[-1])
        kept = max(0, min(len(starts), words - done))
        if kept:
            blocks.append(_block(chunk, starts[:kept], ends[:kept]))
            sizes.append(ends[:kept] - starts[:kept])
        done += len(starts)
        at += last + _AFTER_WORD
    return _shown(b"".join(blocks), np.concatenate(sizes), at, problems)


def _entries(chunk: Any, most: int) -> tuple[Ints, Ints]:
    """Return where words start and end in the bytes of whole entries, at most so many of them."""
    zero = chunk == 0
    # The end of a word is a zero after another byte, unless the word is empty, which is rare.
    starts, ends = _chain(np.flatnonzero(zero[1:] & ~zero[:-1]) + 1, len(chunk), most)
    if zero[starts].any():
        return _chain(np.flatnonzero(zero), len(chunk), most)
    return starts, ends


def _chain(zeros: Ints, size: int, most: int) -> tuple[Ints, Ints]:
    """Return where words start and end: each ends at the first zero after the entry before it.

    Args:
        zeros: where words could end.
        size: of all bytes.
        most: how many words there may be.
    """
    whole = zeros[zeros + _AFTER_WORD <= size]
    following = np.searchsorted(whole, whole + _AFTER_WORD).tolist()
    chain: list[int] = []
    place = 0
    while place < len(following) and len(chain) < most:
        chain.append(place)
        place = following[place]
    ends = whole[np.array(chain, np.intp)]
    starts = np.zeros_like(ends)
    starts[1:] = ends[:-1] + _AFTER_WORD
    return starts, ends


def _block(chunk: Any, starts: Ints, ends: Ints) -> bytes:
    """Return words, each after a line feed; overwrites the bytes between them."""
    rising = np.zeros(len(chunk) + 1, np.int8)
    rising[starts] += 1
    rising[ends] -= 1
    inside = np.cumsum(rising[:-1], dtype=np.int8).astype(bool)
    inside[ends] = True  # one more byte for each word, whose line feed moves to its front below
    chunk[ends] = ord("\n")
    words: bytes = chunk[inside].tobytes()
    return b"\n" + words[:-1]


def _shown(block: bytes, sizes: Ints, end: int, problems: Problems) -> Dictionary:
    """Return the words of a block as they are shown."""
    if _are_texts(block, len(sizes)):
        return Dictionary(PackedWords(block, np.cumsum(sizes + 1)), {}, end)
    ends = np.cumsum(sizes + 1).tolist()
    words = [block[end - size : end] for end, size in zip(ends, sizes.tolist(), strict=True)]
    written = {row: word for row, word in enumerate(words) if not _are_texts(b"\n" + word, 1)}
    return Dictionary(pack(as_lines(words, problems)), written, end)


def _are_texts(block: bytes, count: int) -> bool:
    """Return whether all words of a block are UTF-8 without line feeds."""
    try:
        block.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return block.count(b"\n") == count
