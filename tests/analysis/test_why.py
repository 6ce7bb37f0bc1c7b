"""How a classifier comes to its answer: beside NumPy alone, separate predictions, and captum."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from embedinspect.analysis.why import explain_answer
from embedinspect.analysis.why.records import ReadToken, Steps, Turn, Why, by_effect
from embedinspect.errors import DataError, UsageError
from embedinspect.lookup import look_up
from embedinspect.source import SourceOptions, open_source
from embedinspect.training.predict import predict
from tests.analysis.classifiers import (
    RECORDED,
    WORDS,
    chances_after_each,
    recorded_weights,
    write_run,
)

CLOSE = 1e-6
TEXT = "not a good film, it is dull zzz"
LONG = "the film is bad the story is dull it is not a good film"


# The texts of which captum's attributions are recorded; each word has the id of its number.
OF_CAPTUM = [
    " ".join(["zzz", *WORDS[1:]][id_ - 1] for id_ in text["ids"]) for text in RECORDED["texts"]
]


@pytest.fixture(scope="module")
def run_path(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("why") / "run")


@pytest.fixture(scope="module")
def asked(run_path):
    """What is explained of several texts at once, with all that is the default."""
    texts = [TEXT, LONG, "...", *OF_CAPTUM]
    return explain_answer(open_source(run_path), texts)


def explained(path: str, *texts: str, **options):
    return explain_answer(open_source(path), texts, **options)


def predicted(path: str, texts: Sequence[str]) -> list[float]:
    """Return the probability of the second label for texts, each by a prediction of its own."""
    run = open_source(path).run
    lookup = look_up(texts, run.lookup_settings, vocabulary=run.vocabulary)
    return [prediction.probability for prediction in predict(run, lookup)]


def without(text: str, place: int) -> str:
    words = text.replace(",", "").split()
    return " ".join(words[:place] + words[place + 1 :])


# -- after each token ------------------------------------------------------------------------------


def test_probabilities_after_each_token_are_those_of_the_lstm_step_by_step(asked):
    why = asked.whys[0]
    ids = [token.id for token in why.read]
    expected = chances_after_each(recorded_weights(), [0] * (9 - len(ids)) + ids)
    at = 9 - len(ids)
    assert why.steps.padding_before == at
    assert np.allclose(why.steps.start, expected[at], atol=CLOSE)
    chances = [token.probability for token in why.read]
    assert np.allclose(chances, expected[at + 1 :], atol=CLOSE)
    changes = [token.change for token in why.read]
    assert np.allclose(changes, np.diff(expected[at:]), atol=CLOSE)
    assert (why.steps.end, why.steps.padding_behind) == (None, 0)


def test_the_last_probability_is_the_prediction_of_the_run(run_path, asked):
    for text, why in zip([TEXT, LONG], asked.whys[:2], strict=True):
        assert np.isclose(why.probability, predicted(run_path, [text])[0], atol=CLOSE)
        assert np.isclose(why.read[-1].probability, why.probability, atol=CLOSE)
        assert abs(why.steps.difference) < CLOSE
        assert why.label == ("positive" if why.probability > 0.5 else "negative")


@pytest.mark.parametrize("padding", ["pre", "post"])
def test_with_a_mask_it_begins_in_the_state_of_zeros_whatever_the_padding(tmp_path, padding):
    path = write_run(tmp_path / "run", mask_zero=True, padding=padding)
    [why] = explained(path, TEXT).whys
    expected = chances_after_each(recorded_weights(), [token.id for token in why.read])
    assert np.allclose([why.steps.start, *(t.probability for t in why.read)], expected, atol=CLOSE)
    assert (why.steps.padding_before, why.steps.end) == (0, None)
    assert (why.attributions.baseline, why.attributions.padding) == ("zeros", 0)
    bias = recorded_weights()["dense/bias"][0]
    assert np.isclose(why.steps.start, 1 / (1 + np.exp(-bias)), atol=CLOSE)


def test_padding_behind_the_text_that_is_read_has_the_last_word(tmp_path):
    path = write_run(tmp_path / "run", padding="post")
    [why] = explained(path, "a dull film").whys
    ids = [token.id for token in why.read]
    expected = chances_after_each(recorded_weights(), [*ids, *[0] * 6])
    assert (why.steps.padding_before, why.steps.padding_behind) == (0, 6)
    assert np.isclose(why.read[-1].probability, expected[3], atol=CLOSE)
    assert np.isclose(why.steps.end, expected[-1], atol=CLOSE)
    assert abs(why.steps.difference) < CLOSE


def of_chances(start: float, chances: Sequence[float], end: float | None = None) -> Why:
    """Return an answer of which the probabilities after each token are given."""
    before = [start, *chances]
    tokens = tuple(
        ReadToken(f"t{n}", n, n, "looked_up", probability=chance, change=chance - before[n])
        for n, chance in enumerate(chances)
    )
    last = before[-1] if end is None else end
    return Why(
        text="",
        probabilities=(1 - last, last),
        label="positive" if last > 0.5 else "negative",
        asked="positive",
        probability=last,
        positions=9,
        padding=0,
        tokens=tokens,
        steps=Steps(start, 0, end, 0 if end is None else 3, 0.0),
        without=None,
        attributions=None,
    )


@pytest.mark.parametrize(
    ("start", "chances", "end", "expected"),
    [
        (0.4, [0.45, 0.2], None, None),
        (0.6, [0.55, 0.9], None, None),
        (0.4, [0.7, 0.8], None, Turn(0, "t0", 0.4, 0.7, 1)),
        (0.4, [0.7, 0.3, 0.2, 0.6], None, Turn(3, "t3", 0.2, 0.6, 3)),
        (0.4, [0.45, 0.7], 0.1, Turn(None, None, 0.7, 0.1, 2)),
        (0.4, [], None, None),
    ],
)
def test_the_answer_turns_where_its_probability_crosses_one_half_for_the_last_time(
    start, chances, end, expected
):
    assert of_chances(start, chances, end).turn == expected


def test_of_three_labels_it_is_not_known_where_the_answer_turns():
    assert replace(of_chances(0.4, [0.7]), probabilities=(0.2, 0.7, 0.1)).turn is None


def test_the_token_that_matters_most_is_told_for_each_reading(asked):
    why = asked.whys[0]
    most = why.matters_most(["change", "removed", "attribution"])
    changes = [abs(token.change) for token in why.read]
    removed = [abs(token.removed - why.probability) for token in why.read]
    assert most["change"] == (why.read[int(np.argmax(changes))],)
    assert most["removed"] == (why.read[int(np.argmax(removed))],)
    assert of_chances(0.4, [0.4, 0.4004]).matters_most(["change", "removed"]) == {}


def test_tokens_that_matter_alike_are_all_told():
    [one, other, third] = of_chances(0.4, [0.5, 0.6, 0.65]).tokens
    why = replace(of_chances(0.4, [0.5, 0.6, 0.65]), tokens=(one, other, third))
    assert why.matters_most(["change"]) == {"change": (one, other)}


# -- without it ------------------------------------------------------------------------------------


def test_what_is_removed_or_unknown_is_predicted_as_the_changed_text_by_itself(run_path, asked):
    why = asked.whys[0]
    removed = predicted(run_path, [without(TEXT, place) for place in range(8)])
    assert np.allclose([token.removed for token in why.read], removed, atol=CLOSE)
    words = TEXT.replace(",", "").split()
    replaced = [" ".join([*words[:n], "qqq", *words[n + 1 :]]) for n in range(8)]
    unknown = [token.unknown for token in why.read]
    assert np.allclose(unknown, predicted(run_path, replaced), atol=CLOSE)
    assert asked.unknown == (1, "<OOV>")
    assert np.isclose(unknown[-1], why.probability, atol=CLOSE)  # zzz is unknown already
    assert why.without.difference < CLOSE


def check_cut(path: str, why, moved_in: str) -> None:
    """Ask whether each token of a text that is cut is removed as in a text without it."""
    read = [place for place, token in enumerate(why.tokens) if token.position is not None]
    assert len(read) == 9 < len(why.tokens)
    expected = predicted(path, [without(why.text, place) for place in read])
    assert np.allclose([token.removed for token in why.read], expected, atol=CLOSE)
    assert why.without.moved_in == moved_in


def test_where_a_text_is_cut_at_its_start_the_token_before_moves_in(run_path, asked):
    check_cut(run_path, asked.whys[1], "the")


def test_where_a_text_is_cut_at_its_end_the_token_behind_moves_in(tmp_path):
    path = write_run(tmp_path / "run", truncating="post")
    [why] = explained(path, LONG).whys
    check_cut(path, why, "is")


def test_the_token_that_matters_most_is_the_one_that_is_checked(asked):
    why = asked.whys[0]
    effects = [abs(token.removed - why.probability) for token in why.read]
    assert why.read[by_effect(why, "removed")[0]].position == why.without.checked
    assert effects[by_effect(why, "removed")[0]] == max(effects)


# -- integrated gradients --------------------------------------------------------------------------


def check_captum(whys, baseline: str) -> None:
    for why, recorded in zip(whys, RECORDED["texts"], strict=True):
        assert [token.id for token in why.read] == recorded["ids"]
        shares = np.array(recorded[baseline])
        at = len(shares) - len(why.read)
        assert np.allclose([token.attribution for token in why.read], shares[at:], atol=1e-5)
        given = why.attributions
        assert (given.baseline, given.steps) == (baseline, RECORDED["steps"])
        assert np.isclose(given.padding, shares[:at].sum(), atol=1e-5)
        assert np.isclose(given.logit, recorded["logit"], atol=1e-5)
        difference = given.logit - given.baseline_logit
        assert np.isclose(given.tokens + given.padding - given.gap, difference, atol=CLOSE)


def test_attributions_against_the_padding_row_are_those_of_captum(asked):
    check_captum(asked.whys[3:], "padding")


def test_attributions_against_zeros_are_those_of_captum(run_path):
    check_captum(explained(run_path, *OF_CAPTUM, baseline="zeros").whys, "zeros")


def test_the_padding_row_is_the_baseline_where_padding_is_read(run_path, asked):
    given = asked.whys[0].attributions
    assert (given.baseline, given.padding) == ("padding", 0)
    empty = predicted(run_path, [""])[0]
    assert np.isclose(1 / (1 + np.exp(-given.baseline_logit)), empty, atol=CLOSE)


def test_more_points_are_taken_until_the_shares_add_up(tmp_path, monkeypatch):
    monkeypatch.setattr("embedinspect.analysis.why.readings.MOST_STEPS", 200)
    arrays = recorded_weights()
    arrays["embedding/embeddings"] *= 40  # the logit jumps along the line
    path = write_run(tmp_path / "run", arrays)
    few = explained(path, TEXT, steps=3).whys[0].attributions
    more = explained(path, TEXT).whys[0].attributions
    assert few.steps == 3
    assert 50 < more.steps <= 200
    assert abs(more.gap) < abs(few.gap)


# -- other questions -------------------------------------------------------------------------------


def test_the_other_class_is_the_mirror_image(run_path, asked):
    why, [mirrored] = asked.whys[0], explained(run_path, TEXT, label="0").whys
    assert (why.asked, mirrored.asked) == ("positive", "negative")
    for token, other in zip(why.read, mirrored.read, strict=True):
        for name in ("probability", "removed", "unknown"):
            assert np.isclose(getattr(token, name), 1 - getattr(other, name), atol=CLOSE)
        for name in ("change", "attribution"):
            assert np.isclose(getattr(token, name), -getattr(other, name), atol=CLOSE)
    with pytest.raises(
        UsageError, match=r"--class is 'good'; .* \('negative', 'positive'\) .* \(0 or 1\)"
    ):
        explained(run_path, TEXT, label="good")


def test_a_text_of_which_nothing_is_read_has_only_its_start(asked):
    why = asked.whys[2]
    assert why.read == []
    assert np.isclose(why.steps.start, why.probability, atol=CLOSE)
    assert why.steps.padding_before == 9
    assert why.without.checked is None
    assert why.attributions.tokens == 0


def test_a_backend_without_gradients_leaves_out_their_reading(run_path, monkeypatch):
    monkeypatch.setattr("embedinspect.analysis.why.WITH_GRADIENTS", ())
    explanation = explained(run_path, "a dull film")
    assert explanation.no_attributions == "Keras has no gradients on tensorflow"
    assert explanation.whys[0].attributions is None
    assert explanation.whys[0].read[0].removed is not None
    assert explanation.matter_by == "removed"


def test_too_many_predictions_are_left_out(run_path, monkeypatch):
    monkeypatch.setattr("embedinspect.analysis.why.readings._MOST_POSITIONS", 2 * 3 * 9 - 1)
    monkeypatch.setattr("embedinspect.analysis.why.WITH_GRADIENTS", ())
    two, three = explained(run_path, "a film", "a dull film").whys
    assert (two.without is None, three.without is None) == (False, True)
    assert three.read[0].removed is None
    assert three.read[0].probability is not None


def test_what_is_no_classifier_is_refused(tmp_path, vectors):
    with pytest.raises(UsageError, match=r"is no classifier .*; expected a run of embedinspect"):
        explain_answer(vectors, ["a"])
    path = write_run(tmp_path / "run")
    rows = tmp_path / "run" / "embedding"
    shutil.copy(rows / "epoch-1.npy", rows / "epoch-0.npy")
    with pytest.raises(UsageError, match="only the rows of epoch 0 are kept"):
        explain_answer(open_source(path, SourceOptions(epoch=0)), ["a"])
    with pytest.raises(UsageError, match="--maxlen is set by the run"):
        explained(path, "a", maxlen=4)


def test_weights_that_overflow_are_no_answer(tmp_path):
    arrays = recorded_weights()
    # What comes in is infinite, what goes on is minus infinity, and their sum is NaN. Each is a sum
    # of one sign, so that it hangs on no processor's order.
    arrays["embedding/embeddings"] = 100 * np.abs(arrays["embedding/embeddings"])
    arrays["lstm/kernel"] = np.full_like(arrays["lstm/kernel"], 3e38)
    arrays["lstm/recurrent_kernel"] = np.full_like(arrays["lstm/recurrent_kernel"], -3e38)
    with pytest.raises(DataError, match="gives NaN for 'a dull film'"):
        explained(write_run(tmp_path / "run", arrays), "a dull film")
