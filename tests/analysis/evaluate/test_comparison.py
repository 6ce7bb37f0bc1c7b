"""Two sources differ by more than chance only where they do."""

from __future__ import annotations

import numpy as np
import pytest

from embedinspect.analysis.evaluate.reading import read_test
from embedinspect.analysis.evaluate.results import Settings
from embedinspect.analysis.evaluate.run import evaluate
from tests.builders import source_of

stats = pytest.importorskip("scipy.stats")
WORDS = [f"w{number}" for number in range(120)]


def comparisons_of(tmp_path, text, *sources, **settings):
    path = tmp_path / "test"
    path.write_text(text)
    return evaluate(sources, [read_test(str(path))], Settings(**settings)).comparisons


def rated(draw, noise):
    """Return rows of words, and pairs that are rated by these rows, more or less."""
    rows = draw.standard_normal((120, 8))
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    pairs = draw.integers(0, 120, (200, 2))
    scores = (units[pairs[:, 0]] * units[pairs[:, 1]]).sum(axis=1) + noise * draw.random(200)
    lines = [f"w{a}\tw{b}\t{score:.4f}" for (a, b), score in zip(pairs, scores, strict=True)]
    return rows, "\n".join(lines)


def test_a_source_does_not_differ_from_itself(tmp_path):
    rows, text = rated(np.random.default_rng(0), 0.3)
    same = source_of(rows, WORDS)
    for comparison in comparisons_of(tmp_path, text, same, same):
        assert comparison.difference == 0
        assert comparison.p_value == 1
        assert comparison.more_than_chance is False


def test_correlations_that_differ_are_found_and_measured(tmp_path):
    draw = np.random.default_rng(1)
    rows, text = rated(draw, 0.3)
    worse = source_of(rows + 2 * draw.standard_normal(rows.shape), WORDS)
    first, second = comparisons_of(tmp_path, text, source_of(rows, WORDS), worse)
    for comparison in (first, second):
        assert comparison.more_than_chance
        assert comparison.low < comparison.difference < comparison.high < 0
        assert comparison.test == "paired bootstrap"
        assert comparison.common == 200
    assert (first.measure, second.measure) == ("pearson", "spearman")


def test_noise_alone_is_seldom_more_than_chance(tmp_path):
    found = 0
    for seed in range(5):
        draw = np.random.default_rng(seed)
        rows, text = rated(draw, 0.3)
        both = [source_of(rows + 0.5 * draw.standard_normal(rows.shape), WORDS) for _ in range(2)]
        found += any(c.more_than_chance for c in comparisons_of(tmp_path, text, *both))
    assert found <= 2


def test_counts_are_compared_by_mcnemar_on_what_both_answer(tmp_path):
    draw = np.random.default_rng(2)
    rows = draw.standard_normal((120, 8))
    odd = "\n".join(
        " ".join(draw.choice(WORDS, 4, replace=False)) + f" | {draw.choice(WORDS)}"
        for _ in range(150)
    )
    first = source_of(rows, WORDS)
    second = source_of(draw.standard_normal((100, 8)), WORDS[:100])
    path = tmp_path / "odd"
    path.write_text(odd)
    evaluation = evaluate([first, second], [read_test(str(path))], Settings())
    one, two = (result.total.outcomes for result in evaluation.results)
    both = ~np.isnan(one) & ~np.isnan(two)
    [comparison] = evaluation.comparisons
    only = [int((both & (a == 1) & (b == 0)).sum()) for a, b in ((one, two), (two, one))]
    assert comparison.common == both.sum() < 150
    assert comparison.test == "McNemar's exact test"
    assert np.isclose(comparison.p_value, stats.binomtest(only[0], sum(only)).pvalue)
    assert np.isclose(comparison.values[0], one[both].mean())
    assert np.isclose(comparison.difference, two[both].mean() - one[both].mean())


def test_three_sources_and_every_kind_are_compared_with_the_first(tmp_path):
    draw = np.random.default_rng(3)
    sources = [source_of(draw.standard_normal((120, 8)), WORDS) for _ in range(3)]
    for text in (
        ": one\nw1 w2 w3 w4\n: two\nw5 w6 w7 w8\nw9 w8 w7 w1\n",
        "w1,w2,3\nw3,w4,1\nw5,w6,2\nw7,w8,2\n",
        ": a\nw1\nw2\nw3\n: b\nw4\nw5\nw6\nw7 w8\n",
        '{"X": ["w1", "w2"], "Y": ["w3", "w4"], "A": ["w5"], "B": ["w6"]}',
        "no one | here\nnot this | too\n",
    ):
        comparisons = comparisons_of(tmp_path, text, *sources)
        assert {(c.first, c.second) for c in comparisons} == {(0, 1), (0, 2)}
        assert all(c.adjusted is None or c.adjusted >= c.p_value for c in comparisons)
