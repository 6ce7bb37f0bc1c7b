"""Commands that take texts and a model: they cut the texts as the model's own lookup layer does."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.builders import write_keras_file

WORDS = ["it", "isnt", "a", "king"]


def layer(class_name, name, **config):
    return {"class_name": class_name, "config": {"name": name, **config}}


@pytest.fixture
def model(tmp_path, monkeypatch):
    """Write a model of a lookup layer and an embedding as m.keras, in the current folder."""
    monkeypatch.chdir(tmp_path)

    def write(class_name="TextVectorization", between=(), **config):
        config.setdefault("vocabulary", WORDS)
        rows = np.arange(12, dtype=np.float32).reshape(6, 2)
        sizes = {"input_dim": 6, "output_dim": 2}
        layers = [
            layer("InputLayer", "text", batch_shape=[None, 1]),
            layer(class_name, "vec", **config),
            *between,
            layer("Embedding", "tokens", **sizes),
        ]
        whole = {"class_name": "Sequential", "config": {"layers": layers}}
        write_keras_file(tmp_path / "m.keras", {"layers/embedding/vars/0": rows}, whole)

    return write


@pytest.fixture
def show(run):
    """Run show on the model; returns the sequences that it gives the texts."""

    def sequences(*arguments):
        code, out, err = run("show", "--from", "m.keras", "--no-keras", "--json", *arguments)
        assert code == 0, err
        return [text["sequence"] for text in json.loads(out)["texts"]]

    return sequences


def test_show_gives_the_ids_of_the_layer(model, show):
    model()
    assert show("It isn't a king", "A man") == [[2, 3, 4, 5], [4, 1, 0, 0]]


def test_show_pads_to_the_length_of_the_layer(model, show):
    model(output_sequence_length=3)
    assert show("It isn't a king", "A") == [[2, 3, 4], [4, 0, 0]]
    assert show("A", "--maxlen", "3") == [[4, 0, 0]]
    assert show("A", "--padding", "post") == [[4, 0, 0]]


def test_the_rules_of_the_model_go_with_their_own_name(model, show):
    model()
    assert show("isn't", "--tokenizer", "textvectorization") == [[3]]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("--tokenizer", "classic"), "has rules of its own (textvectorization)"),
        (("--maxlen", "9"), "pads to the longest text"),
        (("--padding", "pre"), "--padding is set by the TextVectorization layer 'vec'"),
        (("--truncating", "pre"), "--truncating is set by the TextVectorization layer 'vec'"),
        (("--filters", ""), "--filters is set by the TextVectorization layer 'vec'"),
        (("--num-words", "3"), "--num-words is set by the TextVectorization layer 'vec'"),
    ],
)
def test_what_the_layer_sets_cannot_be_set(model, run, option, message):
    model()
    code, _, err = run("show", "--from", "m.keras", "--no-keras", "a", *option)
    assert code == 2
    assert message in err


def test_words_alone_are_cut_by_the_tokenizer_that_is_named(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "v.vec").write_text("3 2\nisn't 1 2\nisnt 3 4\na 5 6\n")
    answers = []
    for tokenizer in ("classic", "textvectorization"):
        options = ("--no-keras", "--json", "--tokenizer", tokenizer)
        code, out, err = run("show", "--from", "v.vec", "isn't a", "a", *options)
        assert code == 0, err
        answers.append([text["sequence"] for text in json.loads(out)["texts"]])
    assert answers == [[[1, 3], [0, 3]], [[2, 3], [3, 0]]]


def test_a_string_lookup_takes_a_text_as_one_string(model, show, run):
    model("StringLookup", vocabulary=["a king", "a"])
    assert show("a king", "a", "a queen") == [[1], [2], [0]]
    _, out, err = run("show", "--from", "m.keras", "--no-keras", "a king", "a queen")
    assert "looks up whole strings: each text is one token" in err
    assert "0  ? [UNK]" in out.decode()
    assert "padding" not in out.decode()


def test_ids_that_cannot_be_told_are_refused(model, run):
    model(standardize={"class_name": "function", "config": "clean"})
    for command in (("show", "--from", "m.keras"), ("doctor", "m.keras"), ("coverage", "m.keras")):
        code, out, err = run(*command, "a king")
        assert (code, out) == (1, b"")
        assert "cannot be told" in err
        assert "a function of the model's own as standardize" in err
    assert run("rows", "m.keras", "king")[0] == 0


def test_coverage_cuts_texts_as_the_model_does(model, run):
    model()
    code, out, err = run("coverage", "m.keras", "It isn't a KING, isn't it?", "--json")
    assert code == 0, err
    covered = json.loads(out)
    assert {word["word"]: word["row"] for word in covered["words"]} == {
        "it": 2, "isnt": 3, "a": 4, "king": 5,
    }  # fmt: skip
    classic = json.loads(run("coverage", "m.keras", "isn't", "--filters", "!", "--json")[1])
    assert [word["row"] for word in classic["words"]] == [None]


def test_doctor_finds_no_unknown_words_where_the_model_knows_them(model, run):
    model()
    code, out, err = run("doctor", "m.keras", "It isn't a KING!", "--json")
    assert code == 0, err
    report = json.loads(out)
    assert "unknown-words" not in {finding["kind"] for finding in report["findings"]}
    report = json.loads(run("doctor", "m.keras", "some other words", "--json")[1])
    assert "unknown-words" in {finding["kind"] for finding in report["findings"]}


@pytest.mark.parametrize(("length", "cut"), [(2, True), (8, False), (None, False)])
def test_doctor_takes_the_length_of_the_layer_for_that_of_the_sequences(model, run, length, cut):
    """The input of such a model has one position, a string; its sequences have more."""
    model(output_sequence_length=length)
    report = json.loads(run("doctor", "m.keras", "it isnt a king", "--json")[1])
    kinds = {finding["kind"] for finding in report["findings"]}
    assert ("truncation" in kinds) == cut


def test_words_that_are_a_guess_are_called_one(model, run):
    model(between=[layer("Own", "own")])
    code, out, err = run("info", "m.keras", "--json")
    assert code == 0
    assert json.loads(out)["source"]["words_from"].startswith("a guess: the layer vec")
    assert "Warning: the words of 'm.keras' are a guess" in err
    report = json.loads(run("doctor", "m.keras", "--json")[1])
    assert [finding["kind"] for finding in report["findings"]] == ["guessed-vocabulary"]
    assert run("show", "--from", "m.keras", "--no-keras", "a")[0] == 1


def test_a_guess_that_the_user_confirms_is_none(model, show, run):
    model(between=[layer("Own", "own")])
    assert show("It isn't", "--words-from", "vec") == [[2, 3]]
    report = json.loads(run("doctor", "m.keras", "it", "--words-from", "vec", "--json")[1])
    assert "guessed-vocabulary" not in {finding["kind"] for finding in report["findings"]}


def test_unknown_words_are_counted_under_each_of_their_ids(model, run):
    model("StringLookup", num_oov_indices=3, vocabulary=["a", "b"])
    texts = ["a", "x", "y", "z", "w", "[UNK]"]
    report = json.loads(run("show", "--from", "m.keras", "--no-keras", "--json", *texts)[1])
    assert report["tokens"]["looked_up"] == 1
    assert report["tokens"]["replaced"] == 5
    assert len({text["sequence"][0] for text in report["texts"]}) > 2


def test_words_of_a_file_beside_a_model_with_rules_of_its_own(model, run, tmp_path):
    model(vocabulary=None)
    (tmp_path / "words.txt").write_text("\n[UNK]\nisn't\nisnt\n")
    question = (
        "show",
        "--from",
        "m.keras",
        "--no-keras",
        "--json",
        "isn't",
        "--words",
        "words.txt",
    )
    _, out, err = run(*question)
    assert json.loads(out)["texts"][0]["sequence"] == [2]
    assert "so texts are cut by --tokenizer classic" in err
    assert "the TextVectorization layer 'vec' of m.keras has rules of its own" in err
    _, out, _ = run(*question, "--tokenizer", "textvectorization")
    assert json.loads(out)["texts"][0]["sequence"] == [3]
