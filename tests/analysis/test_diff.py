"""Differences of two matrices: on rows that were moved or turned by the test."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.linalg import orthogonal_procrustes
from scipy.stats import spearmanr

from embedinspect.analysis.diff import compare, matching
from embedinspect.analysis.diff.matching import Repeats, match
from embedinspect.analysis.diff.measuring import measure
from embedinspect.analysis.nearest import Searcher
from embedinspect.errors import DataError, UsageError
from embedinspect.output import diff
from tests.builders import source_of


def test_a_difference_finds_what_was_moved():
    rows = np.random.RandomState(0).standard_normal((40, 6)).astype(np.float32)
    words = [f"w{number}" for number in range(40)]
    moved = rows.copy()
    moved[7] += 3
    moved[9, 0] += 0.5
    difference = compare(source_of(rows, words), source_of(moved[::-1], words[::-1]))
    assert [row.word for row in difference.moved[:2]] == ["w7", "w9"]
    assert len(difference.unmoved) == 38
    assert (difference.moved[0].row_a, difference.moved[0].row_b) == (7, 32)
    assert np.isclose(difference.moved[0].distance, 3 * np.sqrt(6))
    assert difference.by == "word"
    assert not difference.trained_apart
    assert difference.moved[0].overlap < 1
    assert set(difference.moved[0].gained).isdisjoint(difference.moved[0].lost)


@given(st.integers(0, 2**31 - 1))
def test_procrustes_undoes_a_turn(seed):
    stream = np.random.RandomState(seed)
    rows = stream.standard_normal((30, 4)).astype(np.float32)
    turn = np.linalg.qr(stream.standard_normal((4, 4)))[0]
    a, b = source_of(rows), source_of(rows @ turn)
    plain, aligned = compare(a, b), compare(a, b, align=True)
    assert aligned.mean_distance < 1e-5
    assert np.isclose(aligned.mean_cosine, 1)
    assert np.isclose(plain.mean_cosine_aligned, 1)
    assert plain.overlap == 1  # a turn changes no neighbor
    assert not plain.trained_apart  # it is said to be turned
    moved = source_of((rows + 0.01 * stream.standard_normal(rows.shape)) @ turn)
    noisy = compare(a, moved)
    assert noisy.trained_apart == (noisy.mean_cosine < 0.5)


@pytest.mark.parametrize(("count", "width"), [(1, 50), (2, 2), (20, 50), (50, 50), (80, 50)])
def test_the_turn_is_that_of_scipy_without_centring(count, width):
    stream = np.random.RandomState(count)
    left, right = stream.standard_normal((2, count, width)).astype(np.float32)
    matrix, _ = orthogonal_procrustes(right.astype(np.float64), left.astype(np.float64))
    expected = np.linalg.norm(left - right @ matrix, axis=1).mean()
    difference = compare(source_of(left), source_of(right), align=True)
    assert np.isclose(difference.mean_distance, expected, rtol=1e-6)
    assert difference.always_fits == (count <= width)


@pytest.mark.parametrize("count", [1, 2, 20, 50])
def test_a_turn_of_few_rows_is_undone(count):
    stream = np.random.RandomState(count)
    rows = stream.standard_normal((count, 50)).astype(np.float32)
    turn = np.linalg.qr(stream.standard_normal((50, 50)))[0]
    difference = compare(source_of(rows), source_of(rows @ turn), align=True)
    assert difference.mean_distance < 1e-5
    assert difference.always_fits


def test_rows_without_a_direction_give_no_warning_and_no_hint():
    zeros = np.zeros((5, 2), np.float32)
    ones = np.ones((5, 2), np.float32)
    difference = compare(source_of(zeros), source_of(ones))
    assert (difference.mean_cosine, difference.mean_cosine_aligned) == (0, 0)
    assert not difference.trained_apart
    assert np.isnan(compare(source_of(zeros[:2]), source_of(zeros[:2])).mean_cosine)


def test_a_row_that_is_zero_on_one_side_counts_in_the_mean_cosine():
    rows = np.random.RandomState(0).standard_normal((10, 3)).astype(np.float32)
    rows[0] = 0
    emptied = rows.copy()
    emptied[3:5] = 0
    difference = compare(source_of(rows), source_of(emptied))
    assert difference.mean_cosine == pytest.approx(7 / 9)
    assert (difference.cosine_rows, difference.zero_in_one) == (9, 2)
    alone = compare(source_of(rows), source_of(emptied), words=["#3", "#5", "#0"])
    assert alone.mean_cosine == pytest.approx(1 / 2)
    assert (alone.cosine_rows, alone.zero_in_one) == (2, 1)


def test_words_that_are_named_are_what_all_numbers_are_of():
    stream = np.random.RandomState(3)
    left = stream.standard_normal((30, 4)).astype(np.float32)
    right = left.copy()
    right[[2, 5, 7, 9]] = stream.standard_normal((4, 4))
    some = compare(source_of(left), source_of(right), words=["#2", "#5", "#7", "#9"])
    chosen = [2, 5, 7, 9]
    cosines = [np.diag(_cosine(left[[row]], right[[row]]))[0] for row in chosen]
    assert some.mean_cosine == pytest.approx(np.mean(cosines))
    assert some.mean_distance == pytest.approx(
        np.linalg.norm(left[chosen].astype(float) - right[chosen], axis=1).mean()
    )
    one, other = _cosines(left[chosen], right[chosen])
    upper = np.triu_indices(4, 1)
    expected = spearmanr(one[upper], other[upper]).statistic
    assert some.similarities.correlation == pytest.approx(expected)
    assert (some.similarities.rows, some.cosine_rows, some.overlap_words) == (4, 4, 4)
    assert len(some.unmoved) == 0
    two = compare(source_of(left), source_of(right), words=["#0", "#1"])
    assert (len(two.unmoved), two.mean_cosine) == (2, pytest.approx(1))
    assert two.similarities.correlation is None


def _cosine(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(one, axis=1)[:, None] * np.linalg.norm(other, axis=1)
    return one.astype(float) @ other.T.astype(float) / lengths


def test_rows_without_a_word_are_compared_where_the_words_are_the_same():
    words = [None, "a", None, "b"]
    rows = np.eye(4, dtype=np.float32)
    moved = rows.copy()
    moved[0] += 3
    difference = compare(source_of(rows, words), source_of(moved, words))
    assert [row.word for row in difference.moved] == ["#0", "a", "#2", "b"]
    assert [difference.pairs.name(place) for place in difference.unmoved] == ["a", "#2", "b"]
    assert (difference.shared, difference.only_a, difference.only_b) == (4, 0, 0)
    alone = compare(source_of(rows, words), source_of(moved, words), words=["#0", "#3"])
    assert [row.word for row in alone.moved] == ["#0", "b"]


def test_matrices_that_cannot_be_compared():
    with pytest.raises(UsageError, match="output_dim 2"):
        compare(source_of(np.ones((2, 2))), source_of(np.ones((2, 3))), align=True)
    for words_a, words_b, lacking in (
        (None, None, "neither has words to match them by; .* with --words-a and --words-b"),
        (None, "abc", "A has no words to match them by; .* as many rows, or words with --words-a"),
        ("ab", None, "B has no words to match them by; .* as many rows, or words with --words-b"),
    ):
        with pytest.raises(DataError, match=lacking):
            compare(source_of(np.ones((2, 2)), words_a), source_of(np.ones((3, 2)), words_b))
    with pytest.raises(DataError, match="share no word"):
        compare(source_of(np.ones((2, 2)), "ab"), source_of(np.ones((2, 2)), "AB"))
    with pytest.raises(UsageError, match="'z': not among the 2 rows"):
        compare(source_of(np.ones((2, 2)), "ab"), source_of(np.ones((2, 2)), "ab"), words=["z"])


def test_shared_words_alone_are_compared():
    a = source_of([[1, 0], [0, 1], [1, 1], [np.nan, 0]], "abcd")
    b = source_of([[0, 2], [5, 5], [1, 0], [1, 0]], "bxad")
    difference = compare(a, b, neighbors=0)
    assert (difference.shared, difference.only_a, difference.only_b, difference.not_finite) == (
        3,
        1,
        1,
        1,
    )
    assert [(row.word, row.distance) for row in difference.moved] == [("b", 1), ("a", 0)]
    assert difference.overlap is None


def test_rows_whose_word_an_earlier_row_has_are_said_to_be_left_out(monkeypatch):
    a, words = source_of(np.arange(8).reshape(4, 2), "abcd"), ["b", "a", None, "b", "x", "a"]
    for many in (matching.MANY_WORDS, 2):
        monkeypatch.setattr(matching, "MANY_WORDS", many)
        b = source_of(np.arange(12).reshape(6, 2), words)
        difference = compare(a, b, neighbors=0)
        assert difference.repeats_a is None
        assert difference.repeats_b == Repeats(2, 3, 0)
        assert [(row.word, row.row_b) for row in difference.moved] == [("a", 1), ("b", 0)]
    facts = [fact for fact in diff.page(difference)][-1].facts
    assert {fact.label: fact.text for fact in facts}["repeated"] == (
        "2 rows of B have the word of an earlier row, such as row 3 (b, as row 0); only the first "
        "row of each word is compared"
    )
    head = diff.document(difference).head
    assert (head["repeated_a"], head["repeated_b"]) == (0, 2)
    same = compare(b, source_of(np.arange(12).reshape(6, 2), words), neighbors=0)
    assert (same.shared, same.repeats_a, same.repeats_b) == (6, None, None)  # all are compared


def test_rows_without_words_are_matched_by_number():
    difference = compare(source_of([[1, 0], [0, 1]]), source_of([[1, 0], [0, 3]], "ab"))
    assert (difference.by, difference.shared) == ("row", 2)
    assert [(row.word, row.distance) for row in difference.moved] == [("b", 2), ("a", 0)]


def test_words_alone_are_compared_with_all_their_neighbors():
    stream = np.random.RandomState(0)
    words = [f"w{number}" for number in range(9)]
    a, b = (source_of(stream.rand(9, 3), words) for _ in range(2))
    difference = compare(a, b, words=["w3", "w5"], neighbors=4)
    assert {row.word for row in difference.moved} == {"w3", "w5"}
    assert (difference.neighbors, difference.overlap_words) == (4, 2)


def nearest(rows: np.ndarray, k: int) -> list[set[int]]:
    """Return the k nearest others of every row by cosine, by brute force."""
    units = rows.astype(np.float64)
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    cosines = units @ units.T
    np.fill_diagonal(cosines, -2)
    return [set(line[:k].tolist()) for line in np.argsort(-cosines, axis=1, kind="stable")]


@pytest.mark.parametrize("width", [4, 7])
@given(seed=st.integers(0, 2**31 - 1), count=st.integers(4, 40), k=st.integers(1, 6))
def test_neighbors_and_similarities_need_no_common_axes(width, seed, count, k):
    stream = np.random.RandomState(seed)
    left = stream.standard_normal((count, 4)).astype(np.float32)
    mixed = left @ stream.standard_normal((4, width)) + stream.standard_normal((count, width))
    right = mixed.astype(np.float32)
    difference = compare(source_of(left), source_of(right), neighbors=k)
    k = min(k, count - 1)
    shares = [
        len(one & other) / k for one, other in zip(nearest(left, k), nearest(right, k), strict=True)
    ]
    assert np.isclose(difference.overlap, np.mean(shares))
    assert [row.overlap for row in difference.changed] == sorted(shares)
    upper = np.triu_indices(count, 1)
    one, other = _cosines(left, right)
    expected = spearmanr(one[upper], other[upper]).statistic
    assert np.isclose(difference.similarities.correlation, expected, atol=1e-9)
    assert difference.same_width == (width == 4)


def _cosines(*matrices: np.ndarray) -> list[np.ndarray]:
    units = [rows.astype(np.float64) for rows in matrices]
    units = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in units]
    return [rows @ rows.T for rows in units]


def test_unrelated_rows_are_no_more_alike_than_shuffled_ones():
    stream = np.random.RandomState(0)
    left, right = stream.standard_normal((60, 5)), stream.standard_normal((60, 8))
    difference = compare(source_of(left), source_of(right), neighbors=6)
    shuffled = [
        compare(source_of(left), source_of(right[stream.permutation(60)]), neighbors=6)
        for _ in range(40)
    ]
    overlaps = [each.overlap for each in shuffled]
    assert abs(np.mean(overlaps) - difference.overlap_by_chance) < 0.01
    assert np.isclose(difference.overlap_by_chance, 6 / 59)
    floor = difference.similarities.floor
    assert sum(each.similarities.correlation <= floor for each in shuffled) >= 34
    assert 0 < floor < 0.2


def test_rows_of_other_widths_stand_in_the_order_of_the_neighbors_they_keep():
    stream = np.random.RandomState(1)
    left = stream.standard_normal((30, 4)).astype(np.float32)
    right = np.hstack([left, left])
    right[5] = stream.standard_normal(8)
    difference = compare(source_of(left), source_of(right), neighbors=3)
    assert difference.moved[0].row_a == 5
    assert len(difference.moved) == 30
    assert np.isnan(difference.moved[0].distance)
    assert np.isnan(difference.mean_cosine)
    assert difference.apart
    assert not difference.trained_apart
    alone = compare(source_of(left), source_of(right), neighbors=3, words=["#7", "#5"])
    assert [row.row_a for row in alone.moved] == [5, 7]
    assert alone.overlap_words == 2


def test_many_rows_are_compared_by_a_spread_of_them_and_both_ends():
    stream = np.random.RandomState(0)
    left = stream.standard_normal((3000, 3)).astype(np.float32)
    right = left + np.linspace(0, 1, 3000)[:, None] * stream.choice([-1, 1], 3)
    right = right.astype(np.float32)
    difference = compare(source_of(left), source_of(right), neighbors=5)
    assert difference.overlap_words == 1000
    assert all(row.overlap is not None for row in difference.moved[:500])
    assert all(row.overlap is not None for row in difference.moved[-500:])
    shares = [
        len(one & other) / 5 for one, other in zip(nearest(left, 5), nearest(right, 5), strict=True)
    ]
    assert abs(difference.overlap - np.mean(shares)) < 0.02
    distances = np.sort(np.linalg.norm(left.astype(float) - right, axis=1))[::-1]
    assert np.allclose([row.distance for row in difference.moved], distances, rtol=1e-12)


@pytest.mark.parametrize(
    ("words", "by"),
    [
        (["a", "b", "c"], "word"),
        (["a", None, "c"], "row"),
        (["a", "b", "a"], "row"),
        (None, "row"),
    ],
)
def test_rows_of_the_same_words_are_matched_without_a_list_of_them(words, by):
    pairs = match(source_of(np.eye(3), words), source_of(np.eye(3), words))
    assert (pairs.by, pairs.rows_a, len(pairs)) == (by, None, 3)
    names = ["#0", "#1", "#2"] if words is None else [word or "#1" for word in words]
    assert [pairs.name(place) for place in range(3)] == names


def test_rows_that_are_not_finite_are_left_out_of_everything():
    stream = np.random.RandomState(2)
    left, right = stream.standard_normal((2, 12, 3)).astype(np.float32)
    left[3, 1], right[7, 0] = np.nan, np.inf
    kept = [row for row in range(12) if row not in {3, 7}]
    whole = compare(source_of(left), source_of(right), neighbors=4)
    part = compare(source_of(left[kept]), source_of(right[kept]), neighbors=4)
    assert whole.not_finite == 2
    assert [pairs.row_a(0) for pairs in (whole.broken_a, whole.broken_b)] == [3, 7]
    assert whole.mean_distance == part.mean_distance
    assert whole.overlap == part.overlap
    assert [row.distance for row in whole.moved] == [row.distance for row in part.moved]
    assert [row.row_a for row in whole.moved] == [kept[row.row_a] for row in part.moved]


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclidean"])
def test_neighbors_are_compared_by_the_metric_that_is_asked_for(metric):
    stream = np.random.RandomState(5)
    left = stream.standard_normal((40, 6)) * stream.gamma(2, size=(40, 1))
    right = left + 0.4 * stream.standard_normal((40, 6))

    def nearest(rows):
        wide = rows.astype(np.float32).astype(np.float64)
        if metric == "euclidean":
            nearness = -np.linalg.norm(wide[:, None] - wide[None], axis=2)
        else:
            lengths = np.linalg.norm(wide, axis=1) if metric == "cosine" else np.ones(40)
            nearness = wide @ wide.T / np.outer(lengths, lengths)
        np.fill_diagonal(nearness, -np.inf)
        return np.argsort(-nearness, axis=1)[:, :5]

    expected = [
        len(np.intersect1d(a, b)) / 5 for a, b in zip(nearest(left), nearest(right), strict=True)
    ]
    difference = compare(source_of(left), source_of(right), neighbors=5, metric=metric)
    assert difference.overlap == pytest.approx(np.mean(expected))
    assert difference.metric == metric


@given(
    hnp.arrays(
        np.float32,
        (2, 6, 3),
        elements=st.sampled_from(
            [0.0, -0.0, 1.0, 1e-45, -1e-45, 3e-45, 3.4e38, -3.4e38, np.inf, -np.inf, np.nan]
        ),
    )
)
def test_lengths_and_distances_tell_which_rows_are_finite_and_equal(both):
    one, other = both
    measures, finite_a, finite_b = measure(match(source_of(one), source_of(other)))
    assert finite_a.tolist() == np.isfinite(one).all(axis=1).tolist()
    assert finite_b.tolist() == np.isfinite(other).all(axis=1).tolist()
    finite = finite_a & finite_b
    assert measures.equal[finite].tolist() == (one == other).all(axis=1)[finite].tolist()


def test_of_many_rows_the_mean_is_over_those_that_can_have_neighbors():
    rows = np.zeros((4000, 2))
    rows[::10] = np.random.RandomState(0).standard_normal((400, 2))
    moved = rows * np.linspace(1, 2, 4000)[:, None]
    difference = compare(source_of(rows), source_of(moved), neighbors=3)
    assert difference.overlap_words == 400
    assert (
        compare(source_of(rows), source_of(moved), neighbors=3, metric="euclidean").overlap_words
        == 1000
    )


@pytest.mark.parametrize(("metric", "asked"), [("cosine", 3), ("euclidean", 5)])
def test_nothing_is_searched_for_rows_that_have_no_direction(monkeypatch, metric, asked):
    counts = []

    def counted(self, vectors, *others):
        counts.append(len(vectors))
        return nearest_of_many(self, vectors, *others)

    nearest_of_many = Searcher.nearest_of_many
    monkeypatch.setattr(Searcher, "nearest_of_many", counted)
    rows = np.zeros((5, 2))
    rows[[0, 2, 4]] = [[1, 2], [3, 1], [2, 2]]
    difference = compare(source_of(rows), source_of(rows * 2), neighbors=2, metric=metric)
    assert counts == [asked, asked]
    assert sorted(difference.around) == ([0, 2, 4] if metric == "cosine" else [0, 1, 2, 3, 4])


def test_rows_without_neighbors_do_not_count_and_equal_ones_keep_theirs():
    rows = np.random.RandomState(0).standard_normal((9, 3)).astype(np.float32)
    rows[2] = 0
    same = compare(source_of(rows), source_of(rows), neighbors=4)
    assert (same.overlap, same.overlap_words) == (1, 8)
    assert same.moved[2].overlap is None
    doubled = compare(source_of(rows), source_of(rows * 2), neighbors=8)
    assert (doubled.overlap, doubled.overlap_words) == (1, 8)
    filled = rows.copy()
    filled[2] = 1
    assert compare(source_of(rows), source_of(filled), neighbors=4, words=["#2"]).overlap == 0


def test_another_row_is_never_suggested_for_a_row_that_is_not_there(run, tmp_path):
    np.save(tmp_path / "a.npy", np.random.RandomState(0).standard_normal((30, 4)))
    path = str(tmp_path / "a.npy")
    code, _, err = run("diff", path, path, "#299")
    assert code == 2
    assert "such as #0" in err
    assert "did you mean" not in err


@pytest.mark.parametrize(("rows", "width"), [(60, 8), (300, 20), (40, 30)])
def test_unrelated_matrices_do_not_look_trained_apart(rows, width):
    stream = np.random.default_rng(0)
    one, other, noise = stream.standard_normal((3, rows, width)).astype(np.float32)
    unrelated = compare(source_of(one), source_of(other), neighbors=0)
    assert unrelated.mean_cosine_aligned > unrelated.mean_cosine + 0.15  # which says nothing
    assert not unrelated.trained_apart
    turn, _ = np.linalg.qr(stream.standard_normal((width, width)))
    turned = (one @ turn + 0.1 * noise).astype(np.float32)
    assert compare(source_of(one), source_of(turned), neighbors=0).trained_apart
