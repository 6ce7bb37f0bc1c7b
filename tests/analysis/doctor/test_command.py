"""`doctor` as it is typed: exit codes, mistakes, texts from a pipe, files whose code is not run."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.builders import VECTORS
from tests.conftest import CLASSIC

MODEL = ("model.keras", "--vocabulary", "tokenizer.json")
TEXTS = [argument for text in CLASSIC for argument in ("--text", text)]


@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        (["--input-dim", "5"], {"error": 3, "warning": 3, "note": 3, None: 3}),
        (["--maxlen", "10"], {"error": 0, "warning": 3, "note": 3, None: 0}),
        (["--padding", "post"], {"error": 0, "warning": 0, "note": 3, None: 0}),
        ([], {"error": 0, "warning": 0, "note": 0, None: 0}),
    ],
)
def test_what_fails_is_chosen(run, arguments, codes):
    for level, expected in codes.items():
        fail_on = [] if level is None else ["--fail-on", level]
        code, out, err = run("doctor", *TEXTS, *arguments, *fail_on, "--json")
        assert (code, err) == (expected, "")
        assert json.loads(out)["failed"] == (expected == 3)


@pytest.mark.usefixtures("classic_files")
def test_the_words_that_are_used_are_counted(run):
    out = run("doctor", *MODEL, "--num-words", "4")[1].decode()
    assert "5, from tokenizer.json, by their own ids; num_words 4" in out


@pytest.mark.usefixtures("classic_files")
def test_what_would_help_is_named(run):
    out = run("doctor", "model.keras")[1].decode()
    assert "misaligned rows: give --vocabulary FILE and --reference VECTORS" in out
    out = run("doctor", *MODEL)[1].decode()
    assert "misaligned rows: give --reference VECTORS" in out
    assert "misaligned rows" not in run("doctor", *TEXTS)[1].decode()


@pytest.mark.usefixtures("classic_files")
def test_what_is_not_known_of_a_model_alone_is_named(run):
    out = " ".join(run("doctor", "model.keras")[1].decode().split())
    assert "side of the padding: give --padding" in out
    assert "lost masks" not in out
    out = " ".join(run("doctor", *MODEL, "a text")[1].decode().split())
    assert "padding not known" in out


def test_a_note_that_needs_nothing_done_has_nothing_to_mend(run):
    given = ["--text", "a b", "--input-dim", "9"]
    assert b"to mend" not in run("doctor", *given)[1]
    (finding,) = json.loads(run("doctor", *given, "--json")[1])["findings"]
    assert (finding["severity"], finding["mend"]) == ("note", None)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["none.keras"], 1, "cannot read 'none.keras': no such file"),
        (["none.keras", "a text", "--vocabulary", "tokenizer.json"], 1, "cannot read 'none.keras'"),
        (["."], 1, "cannot read '.': it is a folder, and no run or model"),
        (["This is a text", "a"], 1, "a text without a source goes into --text"),
        (["This is a text", "--input-dim", "5"], 1, "a text without a source goes into --text"),
        (["texts.txt"], 1, "to check its texts: --file texts.txt"),
        (["sample:classic"], 1, "to check its texts: --file sample:classic"),
        (["--from", "model.keras"], 2, "the source comes first"),
        ([], 2, "nothing is given to look at; expected a source"),
        ([*TEXTS, "--fail-on", "worse"], 2, "expected one of error, warning, note"),
        (["model.keras", "--input-dim", "5"], 2, "--input-dim is set by the source"),
        ([*TEXTS, "--epoch", "1"], 2, "--epoch picks rows of a run"),
        ([*TEXTS, "--index-from", "1"], 2, "--index-from shifts the words of --vocabulary"),
        (["--reference", "x", "--text", "a"], 2, "--reference is compared with a matrix"),
        (["model.keras", "--reference", str(VECTORS)], 2, "--vocabulary"),
        ([*MODEL, "a", "--oov-token", "<unk>"], 2, "none has such a name; leave it out"),
    ],
)
@pytest.mark.usefixtures("classic_files")
def test_mistakes(run, arguments, code, message):
    Path("texts.txt").write_text("a text\n")
    done, out, err = run("doctor", *arguments)
    assert (done, out) == (code, b"")
    assert message in err
    assert err.count("\n") == 1


def test_no_keras_and_no_code_of_the_file(command, keras, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trap = keras.layers.Lambda(lambda x: open("pwned", "w") and x, name="trap")  # noqa: SIM115
    embedding = keras.layers.Embedding(6, 4, name="words")
    keras.Sequential([keras.Input((6,), dtype="int32"), embedding, trap]).save(
        tmp_path / "model.keras"
    )
    (tmp_path / "pwned").unlink()  # Keras itself has run it
    done = command("doctor", "model.keras", "--fail-on", "warning")
    assert done.returncode == 3
    assert "holds code" in done.stdout
    assert done.stderr == ""
    assert not (tmp_path / "pwned").exists()


def test_texts_from_standard_input(run, monkeypatch):
    piped = SimpleNamespace(buffer=io.BytesIO(b"one two\n\n"), isatty=lambda: False)
    monkeypatch.setattr("sys.stdin", piped)
    code, out, _ = run("doctor", "--json")
    assert code == 0
    assert [finding["kind"] for finding in json.loads(out)["findings"]] == ["empty-texts"]
