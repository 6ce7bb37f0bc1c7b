"""Duplicates: every near pair, and no other, against a search by brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedinspect.analysis import duplicates as analysis
from embedinspect.analysis.duplicates import find_duplicates
from embedinspect.errors import DataError
from tests.builders import source_of


def by_brute_force(rows, over):
    """Return the groups of rows linked by a cosine of at least `over`, and the number of pairs."""
    wide = rows.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1)
    root = list(range(len(rows)))

    def find(row):
        while root[row] != row:
            row = root[row]
        return row

    pairs = 0
    for a in range(len(rows)):
        for b in range(a + 1, len(rows)):
            if lengths[a] and lengths[b] and wide[a] @ wide[b] / (lengths[a] * lengths[b]) >= over:
                pairs += 1
                root[find(b)] = find(a)
    groups = {}
    for row in range(len(rows)):
        groups.setdefault(find(row), []).append(row)
    return sorted(tuple(group) for group in groups.values() if len(group) > 1), pairs


@given(
    st.integers(0, 2**32 - 1),
    st.integers(2, 60),
    st.integers(2, 9),
    st.sampled_from([0.5, 0.9, 0.98, 0.9999]),
    st.sampled_from([3, 16, 4096]),
)
@settings(max_examples=60)
def test_groups_equal_a_search_by_brute_force(seed, count, width, over, block):
    stream = np.random.RandomState(seed)
    rows = stream.standard_normal((count, width)).astype(np.float32)
    copies = stream.randint(0, count, (2, count // 3))
    rows[copies[0]] = rows[copies[1]] * stream.choice([1, 2, 0.5], (count // 3, 1))
    rows[stream.randint(count)] = 0
    kept, analysis._BLOCK = analysis._BLOCK, block
    try:
        found = find_duplicates(source_of(rows), over)
    finally:
        analysis._BLOCK = kept
    groups, pairs = by_brute_force(rows, over)
    assert sorted(group.rows for group in found.groups) == groups
    assert found.pairs == pairs
    assert found.zero_rows == int((~rows.any(axis=1)).sum())


def test_planted_pairs_are_found_the_closest_first_and_their_cosines_are_exact():
    stream = np.random.RandomState(0)
    rows = stream.standard_normal((3000, 40)).astype(np.float32)
    rows[2000] = rows[5]
    rows[700] = rows[6] + stream.standard_normal(40).astype(np.float32) * 0.01
    found = find_duplicates(source_of(rows))
    assert [group.rows for group in found.groups] == [(5, 2000), (6, 700)]
    assert [group.equal for group in found.groups] == [True, False]
    one, other = rows[6].astype(np.float64), rows[700].astype(np.float64)
    cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    assert np.isclose(found.groups[1].closest, cosine, rtol=1e-14)


def test_rows_that_are_not_finite_or_behind_the_first_are_counted_and_left_out():
    rows = np.ones((6, 3), np.float32)
    rows[1, 0], rows[2] = np.nan, 0
    found = find_duplicates(source_of(rows), first=5)
    assert (found.compared, found.not_finite, found.zero_rows, found.beyond) == (3, 1, 1, 1)
    assert [group.rows for group in found.groups] == [(0, 3, 4)]


def test_where_all_rows_point_one_way_a_higher_threshold_is_asked_for(monkeypatch):
    monkeypatch.setattr(analysis, "MOST_PAIRS", 100)
    with pytest.raises(DataError, match="give a higher --over, or --first N"):
        find_duplicates(source_of(np.ones((20, 4), np.float32)))


def test_the_command_names_the_words_of_a_group(run):
    code, out, _ = run("duplicates", "sample:vectors", "--over", "0.97")
    assert code == 0
    assert "   3  0.99912  dull, bad, awful" in out.decode()


@pytest.mark.parametrize("scale", [1e-41, 1e-20, 1e19, 1e37])
def test_very_small_and_very_large_rows_are_compared_as_all_others_are(scale):
    rows = np.random.RandomState(0).standard_normal((30, 6)).astype(np.float32)
    rows[20] = rows[4]
    tiny = (rows * scale).astype(np.float32)
    found = find_duplicates(source_of(tiny), 0.9999)
    assert found.not_finite == 0
    assert (4, 20) in [group.rows for group in found.groups]
    assert found.groups[0].copies == 1


def test_copies_are_rows_that_equal_an_earlier_one_of_the_group():
    rows = np.array([[1, 0], [1, -0.0], [1, 0.01], [1, 0.01], [0, 1]], np.float32)
    (group,) = find_duplicates(source_of(rows)).groups
    assert (group.rows, group.copies, group.equal) == ((0, 1, 2, 3), 2, False)
