"""Altered files of word vectors and arrays, beside gensim's and NumPy's reading of them.

    python -m tests.sweeps.altered_files [COUNT]

Each file is cut into, altered or added to in one place. A word is wrong where it is shown with
other numbers than it was written with, silent where nothing is said about the file. The change
itself may hit a number or a word, which no reader can tell: so one wrong word is expected, and what
counts is the words after it.
"""

from __future__ import annotations

import io
import random
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from gensim.models import KeyedVectors

from embedinspect.errors import EmbedInspectError
from embedinspect.source import open_source

WORDS = [f"w{number}{'abc' * (number % 3)}" for number in range(40)]
ROWS = np.random.RandomState(0).standard_normal((40, 5)).astype(np.float32)
TRUE = {word: row.tobytes() for word, row in zip(WORDS, ROWS, strict=True)}
Vectors = dict[str, bytes]


def binary(feed: bytes) -> bytes:
    """Return word2vec's binary form, with or without a line feed after each record."""
    pairs = zip(WORDS, ROWS, strict=True)
    records = (word.encode() + b" " + row.tobytes() + feed for word, row in pairs)
    return b"40 5\n" + b"".join(records)


def text(header: str) -> bytes:
    """Return word2vec's text form, or GloVe's without a header."""
    pairs = zip(WORDS, ROWS, strict=True)
    return (header + "".join(f"{word} {' '.join(map(str, row))}\n" for word, row in pairs)).encode()


def npz() -> bytes:
    """Return an archive of one array."""
    stream = io.BytesIO()
    np.savez(stream, rows=ROWS)
    return stream.getvalue()


def altered(data: bytes, kind: str, chance: random.Random) -> bytes:
    """Return the data with one change of a kind, after its header."""
    changed = bytearray(data)
    at = chance.randrange(6, len(data))
    if kind == "cut":
        del changed[at : at + chance.randint(1, 6)]
    elif kind == "added":
        changed[at:at] = chance.randbytes(chance.randint(1, 4))
    else:
        changed[at] = chance.randrange(256)
    return bytes(changed)


def ours(path: Path) -> tuple[Vectors | None, int]:
    """Return what we read and how many problems are told; None for a file that is refused."""
    try:
        source = open_source(str(path))
    except EmbedInspectError:
        return None, 1
    words = WORDS if source.words is None else list(source.words)
    pairs = zip(words, source.matrix.rows, strict=False)
    told = source.problems.total + len(source.warnings)
    return {str(word): row.tobytes() for word, row in pairs}, told


def gensims(path: Path, *, binary_form: bool, header: bool) -> Vectors | None:
    """Return what gensim reads; None where it fails."""
    try:
        read = KeyedVectors.load_word2vec_format(
            str(path), binary=binary_form, no_header=not header
        )
    except Exception:  # whatever it raises for what it cannot read
        return None
    pairs = zip(read.index_to_key, read.vectors, strict=False)
    return {word: row.tobytes() for word, row in pairs if isinstance(word, str)}


def numpys(path: Path) -> Vectors | None:
    """Return what NumPy reads; None where it fails."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            rows = archive["rows"].astype(np.float32)
    except Exception:  # whatever it raises for what it cannot read
        return None
    return {word: row.tobytes() for word, row in zip(WORDS, rows, strict=False)}


def wrong(vectors: Vectors | None) -> int:
    """Return how many words have other numbers than they were written with."""
    return sum(TRUE.get(word) != row for word, row in (vectors or {}).items())


def judge(name: str, data: bytes, other: Callable[[Path], Vectors | None], count: int) -> None:
    """Print, for each kind of change, how we read the files and how the other reader does."""
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("x.npz" if name == "npz" else "x")
        for kind in ("cut", "altered", "added"):
            tally: Counter[str] = Counter()
            for _ in range(count):
                path.write_bytes(altered(data, kind, chance))
                mine, told = ours(path)
                theirs = other(path)
                tally["refused by us"] += mine is None
                tally["by the other"] += theirs is None
                tally["more than 2 wrong, ours"] += wrong(mine) > 2
                tally["of these silent"] += wrong(mine) > 2 and not told
                tally["more than 2 wrong, theirs"] += wrong(theirs) > 2
                both = mine is not None and theirs is not None
                kept = set(theirs or ()) - set(mine or ())
                tally["right words only the other has"] += both and any(
                    TRUE.get(word) == (theirs or {})[word] for word in kept
                )
            figures = ", ".join(f"{label} {number}" for label, number in tally.items())
            print(f"{name}, {kind}: {figures}")


def main() -> None:
    """Judge every kind of file."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    warnings.simplefilter("ignore")
    judge(
        "binary with line feeds",
        binary(b"\n"),
        lambda path: gensims(path, binary_form=True, header=True),
        count,
    )
    judge(
        "binary without",
        binary(b""),
        lambda path: gensims(path, binary_form=True, header=True),
        count,
    )
    judge(
        "word2vec text",
        text("40 5\n"),
        lambda path: gensims(path, binary_form=False, header=True),
        count,
    )
    judge(
        "GloVe text", text(""), lambda path: gensims(path, binary_form=False, header=False), count
    )
    judge("npz", npz(), numpys, count)


if __name__ == "__main__":
    main()
