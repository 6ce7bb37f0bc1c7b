"""Counts and correlations are those of gensim, on the published tests that come inside it."""

from __future__ import annotations

import numpy as np
import pytest

from embedinspect.analysis.evaluate.reading import read_test
from embedinspect.analysis.evaluate.results import Settings
from embedinspect.analysis.evaluate.run import evaluate


def some_of(path, tmp_path):
    """Return a file of every twelfth question, under all of the headings."""
    lines = path.read_text().splitlines()
    kept = [line for number, line in enumerate(lines) if line.startswith(":") or number % 12 == 0]
    some = tmp_path / "questions-words.txt"
    some.write_text("\n".join(kept) + "\n")
    return some


@pytest.mark.parametrize(
    ("case", "wrong", "restrict"), [(False, False, None), (True, False, 900), (False, True, 700)]
)
def test_analogies_have_the_counts_of_gensim(drawn, gensim_files, tmp_path, case, wrong, restrict):
    source, theirs = drawn
    path = some_of(gensim_files / "questions-words.txt", tmp_path)
    settings = Settings("wrong" if wrong else "skip", case=case, restrict=restrict)
    [result] = evaluate([source], [read_test(str(path))], settings).results
    _, sections = theirs.evaluate_word_analogies(
        str(path),
        restrict_vocab=restrict or len(theirs),
        case_insensitive=not case,
        dummy4unknown=wrong,
    )
    assert [(s.correct, s.counted) for s in result.results] == [
        (len(s["correct"]), len(s["correct"]) + len(s["incorrect"])) for s in sections
    ]
    assert 0 < result.total.correct < result.total.counted
    assert result.total.oov


@pytest.mark.filterwarnings("ignore:Call to deprecated")  # in gensim itself
def test_3cosmul_has_the_counts_of_gensim(drawn, gensim_files, tmp_path):
    source, theirs = drawn
    path = some_of(gensim_files / "questions-words.txt", tmp_path)
    test = read_test(str(path))
    [result] = evaluate([source], [test], Settings(case=True, method="cosmul", top=3)).results
    for section, ours in zip(test.sections, result.sections, strict=True):
        known = [
            item
            for item in section.items
            if all(word in theirs for word in (item.a, item.b, item.c, *item.answers))
        ]
        right = 0
        for item in known:
            best = theirs.most_similar_cosmul([item.b, item.c], [item.a], topn=3)
            right += item.answers[0] in {word for word, _ in best}
        assert (ours.correct, ours.counted) == (right, len(known))


@pytest.mark.parametrize("name", ["wordsim353.tsv", "simlex999.txt"])
@pytest.mark.parametrize(
    ("case", "wrong", "restrict"), [(False, False, None), (True, False, 900), (False, True, 700)]
)
def test_pairs_have_the_correlations_of_gensim(drawn, gensim_files, name, case, wrong, restrict):
    source, theirs = drawn
    path = str(gensim_files / name)
    settings = Settings("wrong" if wrong else "skip", case=case, restrict=restrict)
    [result] = evaluate([source], [read_test(path)], settings).results
    pearson, spearman, oov = theirs.evaluate_word_pairs(
        path,
        restrict_vocab=restrict or len(theirs),
        case_insensitive=not case,
        dummy4unknown=wrong,
    )
    total = result.total
    values = [measure.value for measure in total.measures]
    assert np.allclose(values, [pearson[0], spearman[0]], rtol=0, atol=2e-6)
    assert np.isclose(100 * total.oov / total.items, oov)
    for measure in total.measures:
        assert measure.low < measure.value < measure.high
        assert 0 < measure.floor < 1


def test_the_odd_one_is_the_word_that_gensim_takes(drawn, tmp_path):
    source, theirs = drawn
    draw = np.random.default_rng(1)
    words = list(theirs.key_to_index)
    groups = [draw.choice(words, 5, replace=False).tolist() for _ in range(60)]
    path = tmp_path / "odd.txt"
    path.write_text("\n".join(" ".join(g[:-1]) + " | " + g[-1] for g in groups))
    [result] = evaluate([source], [read_test(str(path))], Settings(case=True)).results
    right = sum(theirs.doesnt_match(group) == group[-1] for group in groups)
    assert (result.total.correct, result.total.counted) == (right, 60)
    assert right
