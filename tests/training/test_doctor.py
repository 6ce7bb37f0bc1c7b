"""`doctor` on runs: healthy as they are trained, and broken in one way each."""

from __future__ import annotations

import json

import numpy as np
import pytest

from embedinspect.training.run_folder import open_run
from tests.training.builders import SMALL, reviews


@pytest.fixture
def ask(trained, run, monkeypatch):
    """Run `doctor` on the run `a`; returns the findings by kind."""
    monkeypatch.setattr("sys.stdin", None)

    def run_doctor(*arguments: str):
        code, out, err = run("doctor", "--from", "a", *arguments, "--json")
        assert code in {0, 3}, err
        return {finding["kind"]: finding for finding in json.loads(out)["findings"]}

    return run_doctor


def change(**settings) -> None:
    """Change settings of the run `a`."""
    state = json.load(open("a/run.json"))  # noqa: SIM115
    state["settings"] |= settings
    with open("a/run.json", "w") as file:
        json.dump(state, file)


def severities(found) -> dict[str, str]:
    return {kind: finding["severity"] for kind, finding in found.items()}


def texts(tmp_path, count=40, **_) -> list[str]:
    (tmp_path / "texts.txt").write_text("\n".join(text for text, _ in reviews(count)))
    return ["--file", "texts.txt"]


NOTES = {"unused-rows": "note", "unmoved-rows": "note"}


def test_a_run_by_the_classic_recipe_is_healthy(ask, tmp_path):
    change(mask_zero=False)
    assert severities(ask(*texts(tmp_path))).items() <= NOTES.items()


def test_a_run_with_a_mask_is_healthy(ask, tmp_path):
    change(mask_zero=True)
    found = severities(ask(*texts(tmp_path)))
    cudnn = {"padding-before-with-mask-on-cudnn": "note"}
    assert found.items() <= (NOTES | cudnn).items()
    assert cudnn.items() <= found.items()


def test_a_run_on_the_imdb_data_is_healthy(run, imdb_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sizes = ["--maxlen", "16", "--num-words", "24"]
    assert run("train", "imdb", "--data", str(imdb_file), "--out", "a", *SMALL, *sizes)[0] == 0
    _, out, _ = run("doctor", "--from", "a", *texts(tmp_path), "--json")
    found = {finding["kind"]: finding for finding in json.loads(out)["findings"]}
    assert severities(found).items() <= NOTES.items()
    assert found["unused-rows"]["numbers"]["first"] == [3]
    _, out, _ = run("doctor", "--from", "a", "fine film", "!!", "", "--json")
    found = {finding["kind"]: finding for finding in json.loads(out)["findings"]}
    assert found["empty-texts"]["numbers"] == {"texts": 2, "first": [1, 2]}


def test_padding_after_the_text_without_a_mask(ask, tmp_path):
    change(mask_zero=False, padding="post")
    found = severities(ask(*texts(tmp_path)))
    assert found.pop("padding-after-without-mask") == "warning"
    assert found.items() <= NOTES.items()
    assert severities(ask())["padding-after-without-mask"] == "warning"
    change(mask_zero=True)
    assert "padding-after-without-mask" not in ask(*texts(tmp_path))


def test_rows_that_training_never_touched(ask):
    run = open_run("a")
    before = np.load(run.embedding_path(0))
    after = np.load(run.embedding_path(run.epochs))
    unmoved = np.flatnonzero((before == after).all(axis=1)).tolist()
    found = ask()
    if unmoved:
        assert found["unmoved-rows"]["numbers"]["first"] == unmoved
    after[5:] = before[5:]
    np.save(run.embedding_path(run.epochs), after)
    found = ask()
    assert found["unmoved-rows"]["severity"] == "warning"
    assert found["unmoved-rows"]["numbers"]["rows"] == len(after) - 5 + sum(n < 5 for n in unmoved)
    assert "unmoved-rows" not in ask("--epoch", "0")


def test_the_settings_are_those_of_the_run(ask, run, tmp_path):
    found = ask(*texts(tmp_path), "words that no review ever held")
    assert found.keys() & {"truncation", "unknown-words"} == set()
    change(maxlen=4)
    found = ask(*texts(tmp_path))
    assert found["truncation"]["severity"] == "warning"
    assert found["truncation"]["numbers"]["maxlen"] == 4
    assert "maxlen=" in found["truncation"]["mend"]
    for option in ("--maxlen", "--num-words", "--input-dim", "--index-from"):
        code, _, err = run("doctor", "--from", "a", option, "4")
        assert (code, err) == (
            2, f"Error: {option} is set by the run of --from; leave out one of the two\n",
        )  # fmt: skip
