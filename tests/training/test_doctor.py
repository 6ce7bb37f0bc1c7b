"""`doctor` on runs: healthy as they are trained, and broken in one way each."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from embedinspect.analysis.doctor import open_case
from embedinspect.lookup import Settings
from embedinspect.source import SourceOptions
from embedinspect.training.run_folder import open_run
from tests.analysis.doctor.findings import findings_in, severities_in
from tests.training.builders import SMALL, reviews

TEXTS = [text for text, _ in reviews(40)]
CUDNN = "padding-before-with-mask-on-cudnn"
AFTER = "padding-after-without-mask"
# What a small vocabulary and a short training leave of rows is only noted.
NOTES = {"unused-rows", "unmoved-rows"}


def opened(*texts, epoch=None):
    """Open the run `a` as `doctor` does."""
    return open_case(
        "a",
        SourceOptions(epoch=epoch),
        texts,
        Settings(),
        padding_given=False,
        filters_given=False,
    )


def beyond_notes(case) -> dict[str, str]:
    """Return the severities of all findings but the notes on rows."""
    severities = severities_in(case)
    assert {severities[kind] for kind in severities.keys() & NOTES} <= {"note"}
    return {kind: severity for kind, severity in severities.items() if kind not in NOTES}


def change(**settings) -> None:
    """Change settings of the run `a`."""
    path = Path("a/run.json")
    state = json.loads(path.read_text())
    state["settings"] |= settings
    path.write_text(json.dumps(state))


@pytest.mark.usefixtures("trained")
def test_a_run_by_the_classic_recipe_is_healthy():
    change(mask_zero=False)
    assert beyond_notes(opened(*TEXTS)) == {}


@pytest.mark.usefixtures("trained")
def test_a_run_with_a_mask_is_healthy():
    change(mask_zero=True)
    assert beyond_notes(opened(*TEXTS)) == {CUDNN: "note"}


def test_a_run_on_the_imdb_data_is_healthy(run, imdb_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sizes = ["--maxlen", "16", "--num-words", "24"]
    assert run("train", "imdb", "--data", str(imdb_file), "--out", "a", *SMALL, *sizes)[0] == 0
    case = opened(*TEXTS)
    assert beyond_notes(case) == {}
    findings = findings_in(case)
    assert findings["unused-rows"].numbers["first"] == [3]
    assert 3 not in findings["unmoved-rows"].numbers["first"]  # which is the same fact
    findings = findings_in(opened("fine film", "!!", ""))
    assert findings["empty-texts"].numbers == {"texts": 2, "first": [1, 2]}


@pytest.mark.usefixtures("trained")
def test_padding_after_the_text_without_a_mask():
    change(mask_zero=False, padding="post")
    assert beyond_notes(opened(*TEXTS)) == {AFTER: "warning"}
    assert beyond_notes(opened()) == {AFTER: "warning"}
    change(mask_zero=True)
    assert beyond_notes(opened(*TEXTS)) == {}


@pytest.mark.usefixtures("trained")
def test_rows_that_training_never_touched():
    run = open_run("a")
    before = np.load(run.embedding_path(0))

    def unmoved_after(rows):
        np.save(run.embedding_path(run.epochs), rows)
        return findings_in(opened()).get("unmoved-rows")

    after = before + 1
    assert unmoved_after(after) is None
    after[7] = before[7]
    finding = unmoved_after(after)
    assert (finding.severity, finding.numbers["first"]) == ("note", [7])
    after[5:] = before[5:]
    finding = unmoved_after(after)
    assert (finding.severity, finding.numbers["rows"]) == ("warning", len(after) - 5)
    assert "unmoved-rows" not in findings_in(opened(epoch=0))


@pytest.mark.usefixtures("trained")
def test_maxlen_is_that_of_the_run():
    assert "truncation" not in findings_in(opened(*TEXTS))
    change(maxlen=4)
    finding = findings_in(opened(*TEXTS))["truncation"]
    assert finding.severity == "warning"
    assert finding.numbers["maxlen"] == 4
    assert "maxlen=" in finding.mend


@pytest.mark.usefixtures("trained")
def test_unknown_words_are_those_of_the_runs_vocabulary():
    assert "unknown-words" not in findings_in(opened(*TEXTS))
    findings = findings_in(opened(*TEXTS[:2], "words that no review ever held"))
    assert findings["unknown-words"].numbers["unknown"] == 6


@pytest.mark.parametrize("option", ["--maxlen", "--num-words", "--input-dim", "--index-from"])
@pytest.mark.usefixtures("trained")
def test_the_settings_of_a_run_cannot_be_set(run, option):
    code, _, err = run("doctor", "a", option, "4")
    assert code == 2
    assert err == f"Error: {option} is set by the run 'a'; leave it out\n"
