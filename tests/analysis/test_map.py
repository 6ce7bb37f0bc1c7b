"""Maps: which rows they hold, where these are, and what is said of them."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from embedinspect.analysis import map_colours, map_methods
from embedinspect.analysis.axis import rank
from embedinspect.analysis.map import MapOptions, lay_out
from embedinspect.analysis.map_methods import lay_out_with
from embedinspect.analysis.map_rows import LeftOut, choose
from embedinspect.errors import DataError, UsageError
from embedinspect.source import open_source
from embedinspect.stored_rows import StoredRows
from tests.builders import source_of

NAN = float("nan")


def drawn(count: int, width: int = 5) -> np.ndarray:
    return np.random.RandomState(0).standard_normal((count, width)).astype(np.float32)


def test_a_map_is_the_pca_of_its_rows(vectors):
    made = lay_out(vectors)
    rows = np.asarray(vectors.matrix.rows, np.float64)
    oracle = PCA(2, svd_solver="full").fit(rows)
    assert made.points == pytest.approx(oracle.transform(rows), abs=1e-9)
    assert [axis.share for axis in made.axes] == pytest.approx(oracle.explained_variance_ratio_)
    assert list(made.names) == [vectors.name_of(row) for row in range(len(rows))]
    assert made.left_out == LeftOut()
    assert (made.method.name, made.method.library, made.shade) == ("pca", None, None)


def test_words_beyond_the_first_are_added_and_move_no_axis(vectors):
    plain = lay_out(vectors, MapOptions(first=12))
    made = lay_out(vectors, MapOptions(first=12, words=["queen", "Paris", "queen"]))
    assert [made.names[place] for place in made.marked] == ["queen", "Paris"]
    assert (made.points[:12] == plain.points).all()
    assert made.axes == plain.axes
    assert made.fitted == 12
    assert made.left_out == LeftOut(beyond=vectors.matrix.input_dim - 13)
    several = lay_out(vectors, MapOptions(words=["king queen", "ice cream"]))
    assert [several.names[place] for place in several.marked] == ["king", "queen", "ice cream"]


def test_what_is_left_out_is_counted_by_its_reason():
    rows = [[0, 0], [1, 2], [NAN, 0], [3, 1], [0, 0], [5, 5], [6, 1], [2, 2], [np.inf, 1]]
    words = [None, "a", "b", "c", "d", None, "e", "f", "g"]
    made = choose(source_of(rows, words), 5, [])
    assert made.rows.tolist() == [1, 3, 6]
    assert made.left_out == LeftOut(beyond=2, without_word=2, zeros=1, not_finite=1)
    made = choose(source_of(rows, words), 5, ["#5", "d", "f", "c"])
    assert made.rows.tolist() == [1, 3, 6, 5, 4, 7]
    assert made.marked == (3, 4, 5, 1)
    assert made.left_out == LeftOut(beyond=1, without_word=1, zeros=0, not_finite=1)


@given(st.data())
def test_every_row_is_drawn_or_counted(data):
    count = data.draw(st.integers(1, 12))
    kinds = data.draw(st.lists(st.sampled_from([1.0, 0.0, NAN]), min_size=count, max_size=count))
    rows = np.array([[kind, kind * (place + 1)] for place, kind in enumerate(kinds)], np.float32)
    named = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    words = [f"w{place}" if has else None for place, has in enumerate(named)]
    source = source_of(rows, data.draw(st.sampled_from([words, None])))
    finite = [f"#{row}" for row in range(count) if np.isfinite(rows[row]).all()]
    asked = data.draw(st.lists(st.sampled_from(finite), unique=True)) if finite else []
    made = choose(source, data.draw(st.integers(1, 14)), asked)
    assert len(set(made.rows.tolist())) == len(made.rows)
    assert len(made.rows) + made.left_out.total == count
    assert min(vars(made.left_out).values()) >= 0
    assert np.isfinite(rows[made.rows]).all()
    assert [f"#{made.rows[place]}" for place in made.marked] == asked


def test_rows_without_words_are_called_by_their_numbers():
    made = lay_out(source_of(drawn(30)), MapOptions(words=["#3"], first=10))
    assert made.names[:3] == ["#0", "#1", "#2"]
    assert made.marked == (3,)
    assert made.left_out == LeftOut(beyond=20)


def test_rows_as_they_are_stored_are_drawn():
    rows = drawn(50).astype(np.float16)
    source = source_of(rows.astype(np.float32))
    stored = replace(source, matrix=replace(source.matrix, rows=StoredRows(rows, rows.shape)))
    assert lay_out(stored).points == pytest.approx(lay_out(source).points)
    shade = lay_out(stored, MapOptions(color_by="norm")).shade
    assert shade.values == pytest.approx(np.linalg.norm(rows.astype(float), axis=1), rel=1e-6)


def test_words_far_from_the_middle_and_frequent_ones_are_wanted_as_labels():
    rows = drawn(200, 2)
    rows[150] = [50, 0]
    made = lay_out(source_of(rows, [f"w{row}" for row in range(200)]))
    assert made.labels[0] == 150
    assert made.labels[3] == 0
    assert sorted(made.labels) == list(range(200))


def test_an_axis_has_the_positions_of_the_command_axis(vectors):
    made = lay_out(vectors, MapOptions(axes=[("bad awful", "good")]))
    ranking = rank(vectors, ["bad", "awful"], ["good"])
    positions = {place.row: place.position for place in ranking.places}
    for row, x in zip(made.rows.tolist(), made.points[:, 0].tolist(), strict=True):
        assert x == pytest.approx(positions[row], abs=1e-9)
    assert (made.axes[0].low, made.axes[0].high) == (("bad", "awful"), ("good",))
    assert (made.axes[1].low, made.same_unit, made.angle) == ((), True, None)
    both = lay_out(vectors, MapOptions(axes=[("bad", "good"), ("man", "woman")]))
    assert both.points[both.names[:].index("woman")][1] == pytest.approx(1)
    assert both.same_unit is False
    assert 0 < both.angle < 180
    shade = lay_out(vectors, MapOptions(axes=[("bad awful", "good")], color_by="axis"))
    assert shade.shade.values.tolist() == pytest.approx(made.points[:, 0].tolist(), abs=1e-6)
    assert shade.method.name == "pca"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"words": ["kingg"]}, "did you mean 'king'"),
        ({"axes": [("bad", "kingg")]}, "did you mean 'king'"),
        ({"axes": [("bad", "")]}, "an end of --axis has no word"),
        ({"axes": [("a", "b")] * 3}, "given 3 times"),
        ({"color_by": "axis"}, "needs one --axis"),
        ({"color_by": "moved"}, "is none"),
        ({"color_by": "classifier"}, "has no classifier"),
        ({"color_by": "nrom"}, "expected one of classifier, axis, norm"),
        ({"before": 0}, "is none"),
        ({"axes": [("bad", "good")], "method": "tsne"}, "both place the points"),
        ({"before": 0, "method": "tsne"}, "axes that both pictures share"),
        ({"color_by": "no.csv:x"}, "no such file"),
    ],
)
def test_mistakes_are_told(vectors, options, says):
    with pytest.raises((UsageError, DataError), match=says):
        lay_out(vectors, MapOptions(**options))


def test_rows_that_cannot_be_drawn_are_refused():
    with pytest.raises(DataError, match="holds NaN or infinity"):
        lay_out(source_of([[1, 2], [NAN, 1], [2, 2]], "abc"), MapOptions(words=["b"]))
    with pytest.raises(DataError, match="all 2 rows to draw are equal"):
        lay_out(source_of([[1, 2], [1, 2]], "ab"))
    with pytest.raises(DataError, match="there is no row to draw"):
        lay_out(source_of([[0, 0], [NAN, 2]], "ab"))
    with pytest.raises(DataError, match="are the same point"):
        lay_out(source_of([[1, 2], [1, 3]], "ab"), MapOptions(axes=[("a", "a")]))


# -- colours --------------------------------------------------------------------------------------


def shade_of(text: str, wanted: str, folder, words="abcdef"):
    (folder / "t.csv").write_text(text)
    source = source_of(drawn(len(words)), list(words))
    return map_colours.by_column(source, f"{folder / 't.csv'}:{wanted}", list(words))


def test_numbers_of_a_column_colour_their_words(tmp_path):
    shade = shade_of("word,year\nb,3\na,1\nz,9\nc,\nd,nan\n", "year", tmp_path)
    assert shade.values[:2].tolist() == [1, 3]
    assert np.isnan(shade.values[2:]).all()
    assert (shade.middle, shade.categories) == (None, ())
    signed = shade_of("word,x\n" + "a,-1\nb,4\nc,0\n", "x", tmp_path)
    assert (signed.low, signed.middle, signed.high) == (-signed.high, 0, signed.high)


def test_kinds_of_a_column_have_colours_by_their_number(tmp_path):
    shade = shade_of("token\tpart\na\tverb\nb\tnoun\nc\tnoun\nd\t\n", "part", tmp_path)
    assert shade.categories == ("noun", "verb")
    assert shade.values[:3].tolist() == [1, 0, 0]
    assert np.isnan(shade.values[3:]).all()
    letters = "abcdefghij"
    text = "word,kind\n" + "".join(f"{letter},k{letter}\n" for letter in letters) + "a,x\n"
    shade = shade_of(text, "kind", tmp_path, letters)
    assert len(shade.categories) == map_colours.MOST_CATEGORIES
    assert shade.categories[-1] == "others (5 kinds)"
    assert shade.values.tolist() == [0, 1, 2, 3, 4, 5, 5, 5, 5, 5]


def test_a_column_that_is_not_there_or_tells_of_no_word_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"no column named 'y'.*--color-by"):
        shade_of("word,x\na,1\n", "y", tmp_path)
    with pytest.raises(DataError, match="none of the 6 words"):
        shade_of("word,x\nzebra,1\n", "x", tmp_path)


def test_a_column_of_the_source_itself(tmp_path):
    text = "word,dim_0,dim_1,part\n" + "".join(
        f"{word},{place},{place * place},{'noun' if place % 2 else 'verb'}\n"
        for place, word in enumerate(["king", "run", "queen", "sit"])
    )
    (tmp_path / "table.csv").write_text(text)
    source = open_source(str(tmp_path / "table.csv"))
    made = lay_out(source, MapOptions(color_by="part"))
    assert {made.shade.categories[int(value)] for value in made.shade.values} == {"noun", "verb"}


def test_one_long_row_does_not_leave_all_others_with_one_colour():
    rows = drawn(200)
    rows[7] *= 1000
    shade = lay_out(source_of(rows), MapOptions(color_by="norm")).shade
    assert shade.high < 10
    assert shade.values.max() > 1000
    equal = lay_out(source_of([[1, 0], [0, 1], [-1, 0]]), MapOptions(color_by="norm")).shade
    assert equal.low < equal.high


# -- methods of libraries -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pacmap", "tsne"])
def test_a_library_lays_out_groups_apart_and_the_same_each_time(name):
    pytest.importorskip("pacmap")
    rows = np.concatenate([drawn(30), drawn(30) + 20])
    points, method = lay_out_with(name, rows, np.arange(60), 3)
    again, _ = lay_out_with(name, rows, np.arange(60), 3)
    assert (points == again).all()
    assert points.shape == (60, 2)
    first, second = points[:30], points[30:]
    apart = np.linalg.norm(first.mean(axis=0) - second.mean(axis=0))
    assert apart > np.linalg.norm(first - first.mean(axis=0), axis=1).max()
    assert method.settings["seed"] == 3
    assert method.library in {"pacmap", "scikit-learn"}
    assert method.version


def test_a_library_method_has_no_shares_but_says_what_it_kept(vectors):
    made = lay_out(vectors, MapOptions(method="tsne", words=["king"]))
    assert (made.seen, made.axes[0].share) == (None, None)
    assert 0 <= made.kept <= 1
    assert made.labels[:3] == (0, 1, 2)  # the most frequent: no place in it is an edge


def test_libraries_print_nothing(capfd, recwarn):
    lay_out_with("pacmap", drawn(40), np.arange(40), 0)
    lay_out_with("tsne", drawn(40), np.arange(40), 0)
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list


@pytest.mark.parametrize(
    ("rows", "error", "says"),
    [
        (drawn(19), DataError, "expected 20 or more"),
        (drawn(30, 1), DataError, "one number each"),
        (np.ones((30, 3), np.float32), DataError, "are all equal"),
        (np.zeros((50_001, 1), np.float32), UsageError, "at most 50,000"),
    ],
)
def test_rows_that_a_library_cannot_lay_out_are_refused(rows, error, says):
    with pytest.raises(error, match=says):
        lay_out_with("tsne", rows, np.arange(len(rows)), 0)


def test_a_library_that_fails_is_named(monkeypatch):
    def fail(rows, settings):
        raise ValueError("n_components must be\nmore")

    monkeypatch.setitem(map_methods._METHODS, "tsne", (fail, "scikit-learn", lambda count: {}))
    with pytest.raises(
        DataError, match=r"scikit-learn cannot lay out .*n_components must be; draw"
    ):
        lay_out_with("tsne", drawn(30), np.arange(30), 0)


@pytest.mark.parametrize(
    ("name", "module", "install"),
    [
        ("pacmap", "pacmap", r"pip install 'embedinspect\[map\]'"),
        ("tsne", "sklearn.manifold", r"pip install 'embedinspect\[map\]'"),
        ("umap", "umap", "pip install umap-learn"),
    ],
)
def test_a_missing_library_is_named_with_what_installs_it(monkeypatch, name, module, install):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UsageError, match=install):
        lay_out_with(name, drawn(30), np.arange(30), 0)


def test_the_part_of_umap_that_needs_tensorflow_is_never_imported(monkeypatch):
    seen = []

    def imported(module, package, method):
        seen.append(sys.modules.get("umap.parametric_umap", "absent"))
        raise UsageError("stop")

    monkeypatch.setattr(map_methods, "_imported", imported)
    with pytest.raises(UsageError, match="stop"):
        lay_out_with("umap", drawn(30), np.arange(30), 0)
    assert seen == [None]
    assert "umap.parametric_umap" not in sys.modules


def test_by_cosine_rows_are_drawn_as_if_all_had_one_length():
    rows = np.random.RandomState(0).standard_normal((60, 5)) * np.linspace(0.1, 9, 60)[:, None]
    units = rows.astype(np.float32).astype(np.float64)
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    axes = [("#3 #4", "#5")]
    for options in ({}, {"axes": axes}, {"axes": axes, "color_by": "axis"}):
        made = lay_out(source_of(rows), MapOptions(metric="cosine", **options))
        expected = lay_out(source_of(units), MapOptions(**options))
        assert made.points == pytest.approx(expected.points, abs=1e-6)
        assert (made.seen, made.kept) == pytest.approx((expected.seen, expected.kept))
        if made.shade is not None:
            assert made.shade.values == pytest.approx(expected.shade.values, abs=1e-6)
    by_norm = lay_out(source_of(rows), MapOptions(metric="cosine", color_by="norm"))
    lengths = np.linalg.norm(rows, axis=1)
    assert by_norm.shade.values == pytest.approx(lengths, rel=1e-6)
    rows[7] = 0
    assert len(lay_out(source_of(rows), MapOptions(metric="cosine")).rows) == 59
    with pytest.raises(DataError, match="is all zeros, so it has no direction"):
        lay_out(source_of(rows), MapOptions(metric="cosine", words=["#7"]))
