"""What `info` says of directions: in sentences that do not contradict each other."""

from __future__ import annotations

import numpy as np
import pytest

from embedinspect.analysis import moments
from embedinspect.analysis.health import examine
from embedinspect.output import info_numbers
from tests.builders import source_of

DRAWS = np.random.RandomState(0).standard_normal((60, 5)).astype(np.float32)


def told(rows):
    """Return the sentences by their labels; what goes on with one stands behind it."""
    source = source_of(rows)
    sentences: dict[str, str] = {}
    label = ""
    for fact in info_numbers.facts(source, examine(source)):
        label = fact.label or label
        sentences[label] = f"{sentences.get(label, '')} {fact.text}".strip()
    return sentences


def test_both_numbers_of_a_rank_say_by_what_they_go():
    rows = np.random.RandomState(0).uniform(-1, 1, (4000, 32))
    rows[:, 0] += 5 * np.random.RandomState(1).choice([-1, 1], 4000)
    values = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False)
    shares = values / values.sum()
    rank = np.exp(-(shares * np.log(shares)).sum())
    assert rank > 24
    sentences = told(rows)
    assert (
        sentences["variance"]
        == "71% lies along one direction (an even share is 3%); 90% along 21 of 32"
    )
    assert sentences["rank"] == (
        "as if 2.0 of 32 directions shared the variance evenly (participation ratio) the effective "
        f"rank is {rank:.1f}: it goes by the singular values, not by their squares, the variances, "
        "so weak directions count for more"
    )


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (DRAWS[:1], "there is one finite row alone, so nothing varies"),
        (np.ones((9, 4)), "all finite rows are the same, so nothing varies"),
        ([[1, 2], [np.nan, 0]], "there is one finite row alone, so nothing varies"),
    ],
)
def test_where_nothing_varies_there_is_no_rank(rows, why):
    sentences = told(rows)
    assert sentences["rank"] == f"not computed: {why}"
    assert "variance" not in sentences


def test_a_matrix_too_large_for_its_rank_says_so(monkeypatch):
    for module in (moments, info_numbers):
        monkeypatch.setattr(module, "MOST_DIMENSIONS", 4)
    assert told(DRAWS)["rank"] == (
        "not computed: it takes long for more than 4 rows and dimensions"
    )


def test_few_rows_have_fewer_directions_than_dimensions():
    rows = np.random.RandomState(0).rand(5, 40)
    rows[2] = np.nan
    assert told(rows)["variance"].endswith("of 3, which is all that 4 rows can have")


def test_the_cosines_of_random_directions_stand_beside_the_mean():
    assert told(DRAWS)["cosines"].endswith(
        "random directions have 0 ± 0.011 (and a single pair of them 0 ± 0.45)"
    )
    many = np.random.RandomState(0).standard_normal((4000, 4))
    assert "random directions have 0.000 (" in told(many)["cosines"]
    assert "cosines" not in told(DRAWS[:1])
