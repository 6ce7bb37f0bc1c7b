"""Categories, odd ones out and association tests against brute force, sklearn and WEFE."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from embedinspect.analysis.evaluate import association
from embedinspect.analysis.evaluate.categories import right
from embedinspect.analysis.evaluate.clustering import cluster
from embedinspect.analysis.evaluate.reading import read_test
from embedinspect.analysis.evaluate.results import Settings
from embedinspect.analysis.evaluate.run import evaluate
from embedinspect.analysis.evaluate.words import WordRows
from embedinspect.errors import UsageError
from embedinspect.formats.ngrams import Composed
from tests.analysis.builders import language_model_of
from tests.builders import source_of

WEFE = json.loads((Path(__file__).parent.parent.parent / "data" / "weat.json").read_text())


@pytest.fixture
def result_of(tmp_path):
    """Return a function from a source and the text of a test to its result."""

    def result(source, text, settings=None, name="test"):
        path = tmp_path / name
        path.write_text(text)
        return evaluate([source], [read_test(str(path))], settings or Settings()).results[0]

    return result


@pytest.mark.parametrize("name", list(WEFE))
def test_effect_sizes_are_those_of_wefe_and_p_that_of_every_permutation(result_of, name):
    case = WEFE[name]
    source = source_of(list(case["vectors"].values()), list(case["vectors"]))
    text = json.dumps({key: case[key] for key in "XYAB"})
    [section] = result_of(source, text).sections
    measure = section.measures[0]
    assert np.isclose(measure.value, case["effect_size"], atol=1e-7)
    leanings = section.outcomes
    size = len(case["X"])
    observed = leanings[:size].mean() - leanings[size:].mean()
    differences = []
    for chosen in combinations(range(len(leanings)), size):
        inside = np.isin(np.arange(len(leanings)), chosen)
        differences.append(leanings[inside].mean() - leanings[~inside].mean())
    differences = np.array(differences)
    assert measure.exact
    assert measure.p_value == (differences >= observed - 1e-12).mean()
    floor = np.quantile(np.abs(differences) / leanings.std(), 0.95, method="higher")
    assert np.isclose(measure.floor, floor)


def test_drawn_permutations_come_near_all_of_them(monkeypatch, result_of):
    case = WEFE["wide"]
    source = source_of(list(case["vectors"].values()), list(case["vectors"]))
    text = json.dumps({key: case[key] for key in "XYAB"})
    exact = result_of(source, text).sections[0].measures[0]
    monkeypatch.setattr(association, "EXACT", 10)
    drawn = result_of(source, text).sections[0].measures[0]
    assert not drawn.exact
    assert abs(drawn.p_value - exact.p_value) < 0.01
    assert drawn == result_of(source, text).sections[0].measures[0]  # seeded


def test_a_word_without_a_vector_leaves_its_set(result_of):
    case = WEFE["even"]
    vectors = {word: row for word, row in case["vectors"].items() if word not in {"x0", "b1"}}
    source = source_of(list(vectors.values()), list(vectors))
    text = json.dumps({key: case[key] for key in "XYAB"})
    less = json.dumps({k: [w for w in case[k] if w in vectors] for k in "XYAB"})
    lost, without = result_of(source, text).sections[0], result_of(source, less).sections[0]
    assert lost.measures == without.measures
    assert (lost.oov, without.oov, lost.counted) == (2, 0, without.counted)
    no_set = json.dumps({"X": ["x1"], "Y": ["y1"], "A": ["nope"], "B": ["b0"]})
    [section] = result_of(source, no_set).sections
    assert section.measures[0].value is None


def test_clusters_are_as_good_as_those_of_sklearn():
    sklearn_cluster = pytest.importorskip("sklearn.cluster")
    draw = np.random.default_rng(0)
    for count in (2, 4, 7):
        points = (
            draw.standard_normal((80, 5))
            + 3 * draw.standard_normal((count, 5))[draw.integers(0, count, 80)]
        )
        clusters = cluster(points, count, np.random.default_rng(1))
        cost = sum(
            ((points[clusters == c] - points[clusters == c].mean(axis=0)) ** 2).sum()
            for c in np.unique(clusters)
        )
        theirs = sklearn_cluster.KMeans(count, n_init=10, random_state=0).fit(points).inertia_
        assert cost <= 1.02 * theirs


def test_clusters_of_equal_points_are_made_without_an_error():
    assert len(cluster(np.ones((6, 2)), 3, np.random.default_rng(0))) == 6


def test_purity_is_the_share_of_words_in_the_majority_of_their_cluster(vectors, result_of):
    text = ": royal\nking\nqueen\nprince\n: food\nbread\ncheese\napple\nzebra\n"
    result = result_of(vectors, text + ": travel\ncar\ntrain\nship\n")
    total = result.total
    assert (total.correct, total.counted, total.items, total.oov) == (9, 9, 10, 1)
    assert total.measures[0].value == 1
    assert total.measures[0].chance == 3 / 9
    assert 3 / 9 < total.measures[0].floor < 1
    assert [(s.name, s.correct, s.counted) for s in result.sections] == [
        ("royal", 3, 3), ("food", 3, 3), ("travel", 3, 3),
    ]  # fmt: skip
    wrong = result_of(vectors, text, Settings(oov="wrong")).total
    assert (wrong.correct, wrong.counted) == (6, 7)
    draw = np.random.default_rng(0)
    clusters, categories = draw.integers(0, 4, 50), draw.integers(0, 3, 50)
    expected = sum(
        np.bincount(categories[clusters == c]).max() for c in range(4) if (clusters == c).any()
    )
    assert right(clusters, categories, 3).sum() == expected


def test_the_odd_word_has_the_lowest_mean_cosine(vectors, result_of):
    text = "bread cheese apple | car\nking queen | prince\nbread zebra | car\n"
    total = result_of(vectors, text).total
    assert (total.counted, total.oov, total.items) == (2, 1, 3)
    assert total.outcomes[0] == 1
    assert np.isclose(total.measures[0].chance, (1 / 4 + 1 / 3) / 2)
    assert result_of(vectors, text, Settings(oov="wrong")).total.counted == 3
    assert result_of(vectors, text, Settings(top=4)).total.correct == 2


def test_several_answers_count_and_those_of_the_other_pair_do_not(vectors, result_of):
    total = result_of(vectors, "king\tqueen/princess\nman\tgirl/woman\n").total
    assert (total.correct, total.counted) == (2, 2)
    assert result_of(vectors, "king\tqueen\nman\tgirl/woman\n").total.counted == 2
    assert result_of(vectors, "king\tzebra/queen\nman\twoman\n").total.counted == 0


def test_a_word_with_a_row_of_zeros_or_nan_has_no_vector(result_of):
    rows = [[1, 0], [1, 1], [0, 0], [np.nan, 1], [0, 1]]
    source = source_of(rows, ["a", "b", "zero", "nan", "c"])
    result = result_of(source, "a,b,3\nzero,b,2\nb,nan,1\na,c,1\nb,c,2\n")
    assert (result.total.counted, result.total.oov) == (3, 2)
    assert (result.missing.total, result.missing.no_direction) == (2, 2)


def test_the_first_row_of_a_word_counts_unless_case_does(result_of):
    source = source_of([[1, 0], [0, 1], [1, 1]], ["Paris", "paris", "city"])
    text = "PARIS,city,3\nparis,city,2\nParis,paris,1\n"
    folded, cased = result_of(source, text), result_of(source, text, Settings(case=True))
    assert np.allclose(folded.total.outcomes, [0.5**0.5, 0.5**0.5, 1])
    assert np.isnan(cased.total.outcomes[0])
    assert np.allclose(cased.total.outcomes[1:], [0.5**0.5, 0])


def test_spaces_may_stand_as_underscores(result_of):
    source = source_of([[1, 0], [0, 1], [1, 1]], ["ice_cream", "car", "cake"])
    assert result_of(source, "ice cream,car,1\ncake,car,2\nice cream,cake,3\n").total.counted == 3


def test_a_source_without_words_is_refused(result_of):
    with pytest.raises(UsageError, match="has no words, and a test is made of words"):
        result_of(source_of([[1, 0], [0, 1]]), "a b c d\n")


def test_nothing_in_the_vocabulary_is_no_number(vectors, result_of):
    for text in ("x y z w\n", "x y 1\nx z 2\n", "x y | z\n", ": c\nx\n: d\ny\nz w v\n"):
        total = result_of(vectors, text).total
        assert total.counted == 0
        assert all(measure.value is None for measure in total.measures)


def test_what_is_drawn_hangs_on_the_seed_alone(vectors, result_of):
    text = "king,queen,8\nbread,cheese,6\ncar,king,1\ngood,bad,4\nman,boy,7\n"
    first = result_of(vectors, text, Settings(seed=1)).total.measures
    assert first == result_of(vectors, text, Settings(seed=1)).total.measures
    assert first != result_of(vectors, text, Settings(seed=2)).total.measures


def test_a_single_section_and_the_total_have_the_same_numbers(vectors, result_of):
    for text in ("king queen man woman\n", "king,queen,8\ncar,king,1\ngood,bad,4\nman,boy,7\n"):
        result = result_of(vectors, text)
        assert result.total.measures == result.sections[0].measures


def test_a_token_that_begins_a_word_is_the_word(result_of):
    names = ["king", "Ġking", "Ġqueen", "qu", "▁Ġ", "cafÃ©", "ĠcafÃ©"]
    rows = np.eye(7) + 0.1 * np.arange(49).reshape(7, 7) % 3
    model = language_model_of(rows.astype(np.float32), names)
    words = WordRows(replace(model, contents=replace(model.contents, words=model.words)))
    assert [words.row_of(word) for word in ("king", "KING", "queen", "qu", "café")] == [
        1, 1, 2, 3, 6,
    ]  # fmt: skip
    assert set(words.rows_like(1)) == {0, 1}


def test_words_without_a_row_are_composed_where_the_source_can(vectors, result_of):
    word = Composed("kingly", vectors.matrix.rows[1], ("<king",))
    contents = replace(vectors.contents, compose={"kingly": word}.get)
    result = result_of(
        replace(vectors, contents=contents), "kingly,queen,8\ncar,king,1\nman,boy,7\nx,car,1\n"
    )
    assert (result.total.counted, result.total.oov) == (3, 1)
    assert result.missing.composed == 1
    plain = result_of(vectors, "king,queen,8\n").total
    assert np.isclose(result.total.outcomes[0], plain.outcomes[0])


def test_a_header_of_categories_is_no_word_of_them(tmp_path):
    path = tmp_path / "categories.csv"
    rows = ["king,people", "queen,people", "bread,food", "cheese,food"]
    for header, left_out in (("word,category", True), ("Label,Text", True), ("cat,animal", False)):
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        test = read_test(str(path), "categories")
        words = [member.word for section in test.sections for member in section.items]
        assert len(words) == (4 if left_out else 5)
        assert bool(test.notes) == left_out
