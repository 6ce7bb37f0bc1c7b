"""What is healthy, and what all checks together say."""

from __future__ import annotations

import re

import pytest

from embedinspect.analysis.doctor import SEVERITIES, diagnose, make_case
from embedinspect.lookup import Settings
from tests.analysis.builders import layer, model_of, words_by_id
from tests.analysis.doctor.findings import WORDS, severities_in
from tests.conftest import CLASSIC

LSTM = layer("LSTM")


def test_the_classic_example_is_healthy():
    diagnosis = diagnose(make_case(Settings(num_words=10), CLASSIC))
    assert diagnosis.findings == []
    assert "no text is empty" in diagnosis.in_order
    assert [diagnosis.count(severity) for severity in SEVERITIES] == [0, 0, 0]


def test_a_plain_model_only_lacks_its_words():
    diagnosis = diagnose(make_case(Settings(), source=model_of(LSTM)))
    assert [(f.kind, f.severity) for f in diagnosis.findings] == [("no-vocabulary", "note")]
    assert {topic for topic, _ in diagnosis.not_checked} >= {"truncation", "unused rows"}


def test_a_model_with_its_vocabulary_and_texts_is_healthy():
    case = make_case(
        Settings(), CLASSIC, source=model_of(LSTM), words=words_by_id(*WORDS), padding_given=True
    )
    diagnosis = diagnose(case)
    assert diagnosis.findings == []
    assert {need for _, need in diagnosis.not_checked} == {"run", "reference", "list of words"}


def topics_not_checked(diagnosis):
    """Return the topics that were not checked, by what each of them lacks."""
    topics = {}
    for topic, need in diagnosis.not_checked:
        topics.setdefault(need, set()).add(topic)
    return topics


def test_the_side_of_the_padding_of_a_model_alone_is_not_known():
    diagnosis = diagnose(make_case(Settings(), source=model_of(LSTM)))
    assert topics_not_checked(diagnosis)["padding"] == {"side of the padding"}
    diagnosis = diagnose(make_case(Settings(), source=model_of(LSTM, mask_zero=True)))
    assert topics_not_checked(diagnosis)["padding"] == {"cuDNN"}


def test_what_a_model_does_not_have_is_not_in_order():
    diagnosis = diagnose(
        make_case(Settings(), source=model_of(layer("Flatten")), padding_given=True)
    )
    topics = {topic for topic, _ in diagnosis.not_checked}
    assert not topics & {"lost masks", "side of the padding", "cuDNN", "averages"}
    assert not [
        told for told in diagnosis.in_order if re.search("mask|padding stands|average", told)
    ]


def test_layers_of_unknown_classes_may_do_anything():
    case = make_case(Settings(), source=model_of(layer("Mine"), mask_zero=True), padding_given=True)
    assert topics_not_checked(diagnose(case))["known layers"] == {
        "lost masks", "side of the padding", "cuDNN", "averages",
    }  # fmt: skip


def test_word_vectors_are_healthy(vectors):
    spaced = {"words-read-otherwise": "note"}  # 'ice cream'
    assert severities_in(make_case(Settings(), source=vectors)) == spaced
    assert severities_in(make_case(Settings(), ["king queen"], source=vectors)) == spaced
    assert severities_in(make_case(Settings(), source=vectors, reference=vectors)) == spaced


def test_the_worst_finding_comes_first():
    case = make_case(Settings(input_dim=4, maxlen=10, padding="post"), CLASSIC)
    diagnosis = diagnose(case)
    severities = [finding.severity for finding in diagnosis.findings]
    assert severities == ["error", "warning", "note"]


@pytest.mark.parametrize(
    ("settings", "failing"),
    [
        (Settings(input_dim=5), ["error", "warning", "note"]),
        (Settings(maxlen=10), ["warning", "note"]),
        (Settings(padding="post"), ["note"]),
        (Settings(), []),
    ],
)
def test_a_finding_is_at_or_above_its_severity_and_the_milder_ones(settings, failing):
    diagnosis = diagnose(make_case(settings, CLASSIC))
    assert [severity for severity in SEVERITIES if diagnosis.at_or_above(severity)] == failing
