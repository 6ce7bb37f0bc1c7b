"""The model and its file: each test puts other layers behind the embedding, or changes the file."""

from __future__ import annotations

from dataclasses import replace

import pytest

from embedinspect.analysis.doctor import diagnose, make_case
from embedinspect.formats.contents import Problems
from embedinspect.lookup import Settings
from tests.analysis.builders import layer, model_of, words_by_id
from tests.analysis.doctor.findings import WORDS, findings_in, severities_in
from tests.builders import source_of
from tests.conftest import CLASSIC

LSTM = layer("LSTM")
AFTER = "padding-after-without-mask"
CUDNN = "padding-before-with-mask-on-cudnn"


def case_of(*layers, texts=(), padding=None, **model):
    """Return the case of a model with these layers; the side of the padding is given or not."""
    return make_case(
        Settings(padding=padding or "pre"),
        texts,
        source=model_of(*layers, **model),
        words=words_by_id(*WORDS),
        padding_given=padding is not None,
    )


# -- the side of the padding -------------------------------------------------------------------

SHORT = ["This is a text", "not"]  # of 4 words and of 1


@pytest.mark.parametrize(("length", "share"), [(6, 7 / 12), (None, 3 / 8)])
def test_padding_after_the_text_without_a_mask(length, share):
    assert findings_in(case_of(LSTM, texts=SHORT, length=length)) == {}
    findings = findings_in(case_of(LSTM, texts=SHORT, length=length, padding="post"))
    assert list(findings) == [AFTER]
    assert findings[AFTER].severity == "warning"
    assert findings[AFTER].numbers["padding_share"] == pytest.approx(share)
    assert findings[AFTER].mend == "mask_zero=True in the Embedding layer"


@pytest.mark.parametrize(
    ("layers", "texts"),
    [
        ([LSTM], ["This is a text not not"]),  # hardly any padding
        ([layer("LSTM", return_sequences=True)], SHORT),  # the states at the text go on, too
    ],
)
def test_padding_after_the_text_that_does_little_harm(layers, texts):
    assert severities_in(case_of(*layers, texts=texts, padding="post")) == {AFTER: "note"}


@pytest.mark.parametrize(
    ("layers", "mask_zero"), [([LSTM], True), ([layer("LSTM", go_backwards=True)], False)]
)
def test_padding_after_the_text_that_does_no_harm(layers, mask_zero):
    case = case_of(*layers, texts=SHORT, padding="post", mask_zero=mask_zero)
    assert findings_in(case) == {}


def test_padding_after_the_text_where_no_model_is_known():
    after = Settings(padding="post")
    assert severities_in(make_case(after, CLASSIC)) == {AFTER: "note"}
    assert findings_in(make_case(replace(after, mask_zero=True), CLASSIC)) == {}


def test_text_vectorization_pads_after_the_text():
    vocabularies = {"ids": ["", "[UNK]", *WORDS[:4]]}
    source = model_of(LSTM, vocabularies=vocabularies)
    case = make_case(Settings(), [*CLASSIC, "an unseen word"], source=source)
    findings = findings_in(case)
    assert {kind: f.severity for kind, f in findings.items()} == {
        AFTER: "warning",
        "unknown-words": "warning",
    }
    assert case.settings.padding == "post"
    assert findings["unknown-words"].numbers["replaced_by"] == "[UNK]"


def test_padding_before_the_text_with_a_mask_on_cudnn():
    assert severities_in(case_of(LSTM, mask_zero=True)) == {}  # the side is not known
    assert severities_in(case_of(LSTM, mask_zero=True, padding="pre")) == {CUDNN: "warning"}
    both_ways = layer("Bidirectional", layer=layer("GRU"))
    assert severities_in(case_of(both_ways, mask_zero=True, padding="pre")) == {CUDNN: "warning"}


@pytest.mark.parametrize(
    "unfit",
    [
        layer("LSTM", activation="relu"),
        layer("LSTM", recurrent_dropout=0.1),
        layer("GRU", reset_after=False),
        layer("SimpleRNN"),
    ],
)
def test_layers_that_cudnn_does_not_run(unfit):
    assert findings_in(case_of(unfit, mask_zero=True, padding="pre")) == {}


# -- lost masks --------------------------------------------------------------------------------


def test_a_layer_that_destroys_the_mask():
    findings = findings_in(case_of(layer("Flatten", "flat"), layer("Dense"), mask_zero=True))
    assert list(findings) == ["mask-lost"]
    assert findings["mask-lost"].severity == "warning"
    assert findings["mask-lost"].numbers == {"layer": "flat", "class_name": "Flatten"}
    assert findings_in(case_of(layer("Flatten", "flat"), layer("Dense"))) == {}


def test_an_average_that_counts_the_padding():
    assert findings_in(case_of(layer("GlobalAveragePooling1D"), mask_zero=True)) == {}
    findings = findings_in(case_of(layer("GlobalAveragePooling1D")))
    assert {kind: f.severity for kind, f in findings.items()} == {"padding-averaged": "note"}
    assert findings["padding-averaged"].mend == "mask_zero=True in the Embedding layer"


def test_a_layer_behind_the_one_that_destroys_the_mask():
    layers = layer("Conv1D", "conv"), layer("LSTM", "lstm"), layer("Dense")
    findings = findings_in(case_of(*layers, mask_zero=True, padding="post"))
    assert {kind: f.severity for kind, f in findings.items()} == {
        "mask-lost": "warning",
        AFTER: "warning",
    }
    mend = "mask_zero=False, or the layer 'lstm' (LSTM) in front of it, where the mask still is"
    assert findings["mask-lost"].mend == mend
    assert findings[AFTER].mend.startswith("let the mask of the Embedding layer reach it")
    assert findings[AFTER].numbers["mask_zero"] is True
    assert "mask_zero=True" in findings[AFTER].evidence


# -- the file ----------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["3.9.0", "3.15.0"])
def test_a_file_of_an_older_keras(version):
    findings = findings_in(case_of(LSTM, version=version))
    assert {kind: f.severity for kind, f in findings.items()} == {"old-keras": "warning"}
    assert findings["old-keras"].numbers["version"] == version


@pytest.mark.parametrize("version", ["3.15.1", "3.16.0.dev2", "4.0", None])
def test_a_file_of_a_keras_without_known_holes(version):
    assert findings_in(case_of(LSTM, version=version)) == {}


@pytest.mark.parametrize("class_name", ["Lambda", "TorchModuleWrapper", "TFSMLayer"])
def test_a_file_that_holds_code(class_name):
    findings = findings_in(case_of(LSTM, layer(class_name, "code")))
    assert {kind: f.severity for kind, f in findings.items()} == {"holds-code": "warning"}
    assert findings["holds-code"].numbers["layers"] == [{"class_name": class_name, "name": "code"}]


def test_a_model_without_words():
    texts = [" ".join("abcdefghijkl")]  # more words than rows, and than positions
    diagnosis = diagnose(make_case(Settings(), texts, source=model_of(LSTM)))
    (finding,) = diagnosis.findings  # by which ids the model reads them is not known
    assert finding.severity == "note"
    assert finding.what == "the model comes without its vocabulary"
    assert "so the ids of the texts are not known" in finding.evidence
    assert "--save-vocabulary tokenizer.json" in finding.mend
    not_checked = {topic for topic, need in diagnosis.not_checked if need == "vocabulary"}
    assert not_checked == {"unknown words", "empty texts", "truncation", "maxlen"}


def test_a_file_with_odd_lines():
    problems = Problems("'bad.txt'")
    problems.add("too many numbers", "line 2 has 5 numbers; expected 2")
    problems.add("no number", "line 4 has 'x' as a number")
    source = source_of([[1, 2], [5, 6], [9, 9]], "ace")
    source = replace(
        source,
        contents=replace(source.contents, problems=problems),
        warnings=("it ends in the middle of a line",),
    )
    findings = findings_in(make_case(Settings(), source=source))
    assert {kind: f.severity for kind, f in findings.items()} == {"odd-file": "warning"}
    finding = findings["odd-file"]
    assert finding.numbers == {"problems": 2, "warnings": ["it ends in the middle of a line"]}
    assert "line 2" in finding.evidence
