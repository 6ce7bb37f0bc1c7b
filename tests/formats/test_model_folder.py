"""Model folders, with transformers, model2vec and sentence-transformers as the oracles.

What these libraries said is kept in `tests/data/models`, by `make_model_folders.py`.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from embedinspect.formats.model_words import read_tokens
from embedinspect.source import open_source

MODELS = Path(__file__).parents[1] / "data" / "models"
NAMES = sorted(path.stem for path in MODELS.glob("*.npy"))
SLOW = sorted(path.stem for path in (MODELS / "tokens").glob("*.json"))


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_those_that_tokens_look_up_and_words_are_the_tokens(name):
    source = open_source(str(MODELS / name))
    expected = np.load(MODELS / f"{name}.npy")
    rows = np.asarray(source.matrix.rows)
    assert rows.dtype == np.float32
    assert np.array_equal(rows, expected)
    ids = json.loads((MODELS / f"{name}.json").read_text(encoding="utf-8"))
    assert source.contents.tokens.ids == ids
    tokens = {id_: token for token, id_ in ids.items()}
    assert list(source.words) == [tokens.get(row) for row in range(len(rows))]
    assert all(source.row_of(token) == id_ for token, id_ in ids.items() if id_ < len(rows))
    assert source.warnings == ()
    assert source.words_from == "tokenizer.json"


@pytest.mark.parametrize("name", SLOW)
def test_tokens_of_slow_tokenizers_have_the_ids_that_transformers_gives_them(name):
    folder = MODELS / "tokens" / name
    kind = json.loads((folder / "config.json").read_text())["model_type"]
    found = read_tokens(folder, kind)
    ids = json.loads((MODELS / "tokens" / f"{name}.json").read_text(encoding="utf-8"))
    assert found.tokens.ids == ids
