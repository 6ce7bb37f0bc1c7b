"""Which of several matrices is meant."""

from __future__ import annotations

import numpy as np
import pytest

from embedinspect.errors import DataError, UsageError
from embedinspect.formats.tensors import Tensor, pick


def tensors(*names, role=None):
    rows = np.zeros((2, 3), np.float32)
    return [Tensor(name, (2, 3), "F32", lambda: rows, role) for name in names]


def test_the_input_embedding_is_taken_by_itself():
    others = tensors("a", "b")
    assert pick([*others, *tensors("c", role="input embedding")], None, "x").name == "c"
    with pytest.raises(UsageError, match="holds 2 tensors of two dimensions"):
        pick(others, None, "x")
    with pytest.raises(DataError, match="holds no tensor of two dimensions"):
        pick([], None, "x")


def test_a_last_part_that_only_one_name_has_is_enough():
    named = tensors("model.emb.weight", "model.out.weight", "weight.emb", "a/b/emb2")
    assert pick(named, "emb.weight", "x").name == "model.emb.weight"
    assert pick(named, "emb2", "x").name == "a/b/emb2"
    assert pick(named, "emb", "x").name == "weight.emb"
    with pytest.raises(UsageError, match="a last part of it that no other has"):
        pick(named, "weight", "x")
    with pytest.raises(UsageError, match=r"did you mean model\.out\.weight"):
        pick(named, "model.out.weigth", "x")


def test_the_whole_name_counts_before_a_part():
    assert pick(tensors("x.emb", "emb"), "emb", "x").name == "emb"
