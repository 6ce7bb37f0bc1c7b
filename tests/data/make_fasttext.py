"""Writes models of fastText that the tests read, and the vectors that fastText itself gives.

Run by hand, in an environment with fasttext and NumPy: python tests/data/make_fasttext.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import fasttext
import fasttext_pybind
import numpy as np

FOLDER = Path(__file__).parent / "fasttext"
SYLLABLES = ["ka", "lo", "mi", "né", "řu", "ша", "日本", "ta", "x", "oo"]
LATIN_1 = "café naïve façade Zoë".encode("latin-1").split()
UNSEEN = ["kalo", "lokami", "шашаша", "日本日本", "né", "xx", "q", "Zürich", "two words", "👩‍👧x"]


def texts(chance: np.random.Generator, labels: bool) -> bytes:
    """Return lines of words that are made of a few syllables, and some words that are no UTF-8."""
    lines = []
    for _ in range(400):
        words = ["".join(chance.choice(SYLLABLES, chance.integers(1, 4))) for _ in range(8)]
        line = [word.encode() for word in words] + [LATIN_1[chance.integers(len(LATIN_1))]]
        if labels:
            line.insert(0, b"__label__" + str(chance.integers(3)).encode())
        lines.append(b" ".join(line))
    return b"\n".join(lines) + b"\n"


def vector_of(model: Any, word: bytes) -> np.ndarray:
    """Return the vector of a word of any bytes, which Python's own method would not take."""
    vector = fasttext_pybind.Vector(model.get_dimension())
    model.f.getWordVector(vector, word)
    return np.array(vector, np.float32)


def main() -> None:
    chance = np.random.default_rng(7)
    FOLDER.mkdir(exist_ok=True)
    expected: dict[str, np.ndarray] = {"unseen": np.array(UNSEEN)}
    # With fewer than ten threads fastText 0.9.3 leaves rows uninitialised, which can be NaN.
    few = {"dim": 4, "epoch": 3, "t": 1.0, "minCount": 8, "bucket": 500, "thread": 11, "verbose": 0}
    with tempfile.TemporaryDirectory() as folder:
        plain, labelled = Path(folder) / "plain", Path(folder) / "labelled"
        plain.write_bytes(texts(chance, labels=False))
        labelled.write_bytes(texts(chance, labels=True))
        models = {
            "skipgram.bin": fasttext.train_unsupervised(str(plain), "skipgram", **few),
            "cbow.bin": fasttext.train_unsupervised(str(plain), "cbow", minn=1, maxn=2, **few),
            "no_ngrams.bin": fasttext.train_unsupervised(str(plain), minn=0, maxn=0, **few),
            "classifier.bin": fasttext.train_supervised(
                str(labelled), minn=2, maxn=4, wordNgrams=2, **few
            ),
        }
        for name, model in models.items():
            model.save_model(str(FOLDER / name))
            words = model.get_words(on_unicode_error="surrogateescape")
            written = [word.encode("utf-8", "surrogateescape") for word in words]
            expected[f"{name}:words"] = np.array(
                [word.decode("utf-8", "backslashreplace") for word in written]
            )
            expected[f"{name}:rows"] = np.array([vector_of(model, word) for word in written])
            expected[f"{name}:unseen"] = np.array([model.get_word_vector(w) for w in UNSEEN])
        quantized = models["classifier.bin"]
        quantized.quantize(input=str(labelled), retrain=False)
        quantized.save_model(str(FOLDER / "quantized.ftz"))
    np.savez_compressed(FOLDER / "expected.npz", **expected)


if __name__ == "__main__":
    main()
