"""Duplicates: every near pair, and no other, against a search by brute force."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from embedinspect.analysis import duplicates as analysis
from embedinspect.analysis import near_pairs
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
@example(3563, 22, 5, 0.5, 3)  # a cosine that lies where the margin of float32 ends
@settings(max_examples=60)
def test_groups_equal_a_search_by_brute_force(seed, count, width, over, block):
    stream = np.random.RandomState(seed)
    rows = stream.standard_normal((count, width)).astype(np.float32)
    copies = stream.randint(0, count, (2, count // 3))
    rows[copies[0]] = rows[copies[1]] * stream.choice([1, 2, 0.5], (count // 3, 1))
    rows[stream.randint(count)] = 0
    kept, near_pairs.BLOCK = near_pairs.BLOCK, block
    try:
        found = find_duplicates(source_of(rows), over)
    finally:
        near_pairs.BLOCK = kept
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


def close_by_brute_force(rows, within):
    """Return the pairs of rows at most that far apart, by their distances in float64."""
    wide = rows.astype(np.float64)
    return {
        (a, b)
        for a in range(len(rows))
        for b in range(a + 1, len(rows))
        if np.sqrt(np.vecdot(wide[a] - wide[b], wide[a] - wide[b])) <= within
    }


@given(
    st.integers(0, 2**32 - 1),
    st.integers(2, 50),
    st.integers(1, 9),
    st.sampled_from([0, 0.01, 0.5, 2]),
    st.sampled_from([0, 1, 1000]),
    st.sampled_from([1e-20, 1, 1e18]),
    st.sampled_from([3, 4096]),
)
@settings(max_examples=60)
def test_by_distance_every_pair_is_found_and_no_other(
    seed, count, width, within, offset, scale, block
):
    stream = np.random.RandomState(seed)
    rows = (stream.standard_normal((count, width)) + offset).astype(np.float32)
    copies = stream.randint(0, count, (2, count // 3))
    rows[copies[0]] = rows[copies[1]]
    rows[copies[0][::2], 0] += np.float32(within)
    rows *= np.float32(scale)
    within *= scale
    kept, near_pairs.BLOCK = near_pairs.BLOCK, block
    try:
        found = find_duplicates(source_of(rows), within=within)
    finally:
        near_pairs.BLOCK = kept
    pairs = close_by_brute_force(rows, within)
    assert found.pairs == len(pairs)
    linked = sorted({row for pair in pairs for row in pair})
    assert sorted(row for group in found.groups for row in group.rows) == linked
    wide = rows.astype(np.float64)
    for group in found.groups:
        assert group.closest == min(group.scores)
        for row, nearest, score in zip(group.rows, group.nearest, group.scores, strict=True):
            distances = np.sqrt(np.vecdot(wide - wide[row], wide - wide[row]))
            distances[row] = np.inf
            assert score == distances.min()
            assert nearest == distances.argmin()
    closest = [group.closest for group in found.groups]
    assert closest == sorted(closest)


def test_by_distance_rows_of_zeros_take_part_and_lengths_count():
    rows = np.array([[0, 0], [0, 0.1], [1, 0], [3, 0], [np.nan, 0]], np.float32)
    found = find_duplicates(source_of(rows), within=0.5)
    assert [group.rows for group in found.groups] == [(0, 1)]
    assert (found.compared, found.not_finite, found.metric) == (4, 1, "euclidean")
    assert [group.rows for group in find_duplicates(source_of(rows)).groups] == [(2, 3)]


def test_too_many_close_pairs_ask_for_a_lower_distance(monkeypatch):
    monkeypatch.setattr(analysis, "MOST_PAIRS", 100)
    with pytest.raises(DataError, match=r"within a distance of 2; .* give a lower --within"):
        find_duplicates(source_of(np.ones((20, 4), np.float32)), within=2)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--metric", "euclidean"], "no usual threshold; expected --within DISTANCE"),
        (["--metric", "cosine", "--within", "1"], "--metric cosine is about cosines"),
        (["--over", "0.9", "--within", "1"], "--over is about cosines"),
        (["--metric", "dot"], "expected one of cosine, euclidean"),
    ],
)
def test_thresholds_that_do_not_fit_are_refused(run, options, says):
    code, _, err = run("duplicates", "sample:vectors", *options)
    assert code == 2
    assert says in err


def test_the_command_tells_distances(run):
    out = run("duplicates", "sample:vectors", "--within", "0.1")[1].decode()
    assert "   3  0.055678  bread, cheese, cereal" in out
    assert "3 pairs within a distance of 0.1" in out


@given(st.integers(0, 2**32 - 1), st.integers(2, 300), st.integers(2, 9))
@settings(max_examples=40)
def test_at_1_every_multiple_is_found_and_nothing_that_is_nearly_one(seed, width, factor):
    rows = np.random.RandomState(seed).randint(-99, 99, (12, width)).astype(np.float32)
    rows[:, 0] = 1 + np.arange(12) * 7
    rows[:, 1] = 100
    rows[8] = rows[3] * factor
    rows[9] = rows[4] * factor
    rows[9, 1] *= np.float32(1 + 1e-6)
    found = find_duplicates(source_of(rows), 1)
    assert [(group.rows, group.closest) for group in found.groups] == [((3, 8), 1.0)]


def test_a_multiple_and_what_is_nearly_one_can_be_told_apart(run, tmp_path):
    rows = np.random.RandomState(0).standard_normal((9, 16)).astype(np.float32)
    rows[5] = rows[0] * 2  # three times it would be rounded
    rows[6] = rows[1] + 1e-7
    rows[7] = rows[2] + 1e-3 * rows[3]
    rows[8] = rows[4]
    np.save(tmp_path / "rows.npy", rows)
    out = run("duplicates", str(tmp_path / "rows.npy"))[1].decode()
    closest = re.findall(r"^ +2  (.*?)  +#", out, re.M)
    assert sorted(closest[:2]) == ["1", "equal"]
    assert re.fullmatch(r"1 - \d\.\de-1[45]", closest[2])
    assert re.fullmatch(r"1 - \d\.\de-7", closest[3])


def test_one_row_has_nothing_to_be_compared_with(run, tmp_path):
    np.save(tmp_path / "rows.npy", np.full((3, 4), np.nan, np.float32))
    out = run("duplicates", str(tmp_path / "rows.npy"))[1].decode()
    assert "found       nothing: it takes two rows to compare" in out
    assert "no two of these rows" not in out
