"""What the tests of `evaluate` share: gensim, its files, and vectors for the words in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.builders import source_of

FILES = ("questions-words.txt", "wordsim353.tsv", "simlex999.txt")


@pytest.fixture(scope="session")
def gensim_files() -> Path:
    """Return the folder of published tests inside gensim; they are read there, and not copied."""
    gensim = pytest.importorskip("gensim", reason="gensim and the tests inside it are not there")
    folder = Path(gensim.__file__).parent / "test" / "test_data"
    if not all((folder / name).exists() for name in FILES):
        pytest.skip("this gensim comes without the published tests")
    return folder


@pytest.fixture(scope="session")
def drawn(gensim_files):
    """Return a source with vectors for most words of the tests, and gensim's of the same.

    Words of a relation lie on one offset and some noise, so that a part of the answers is right.
    Some words are there in several cases, as in vectors that were trained on text as it is.
    """
    from gensim.models import KeyedVectors

    draw = np.random.default_rng(0)
    vectors: dict[str, np.ndarray] = {}
    offset = draw.standard_normal(12)
    for line in (gensim_files / FILES[0]).read_text().splitlines():
        if line.startswith(":"):
            offset = draw.standard_normal(12)
            continue
        a, b, *_ = line.split()
        vectors.setdefault(a, draw.standard_normal(12))
        vectors.setdefault(b, vectors[a] + offset + 0.4 * draw.standard_normal(12))
    for name in FILES[1:]:
        for line in (gensim_files / name).read_text().splitlines():
            if not line.startswith("#") and line.strip():
                first, second, score = line.split("\t")
                vectors.setdefault(first, draw.standard_normal(12))
                near = float(score) / 10
                drawn = near * vectors[first] + (1 - near) * draw.standard_normal(12)
                vectors.setdefault(second, drawn)
    words = list(vectors)
    words = [word for word in words if draw.random() > 0.03]  # some have no vector
    for variant, word in [(word.title(), word) for word in words[::5]] + [
        (word.lower(), word) for word in words[::7]
    ]:
        vectors.setdefault(variant, vectors[word] + 0.2 * draw.standard_normal(12))
        words.append(variant)
    words = list(dict.fromkeys(words))
    draw.shuffle(words)
    rows = np.array([vectors[word] for word in words], np.float32)
    rows *= draw.uniform(0.5, 2, (len(words), 1)).astype(np.float32)
    theirs = KeyedVectors(12)
    theirs.add_vectors(words, rows)
    return source_of(rows, words), theirs
