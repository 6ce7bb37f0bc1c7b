"""What `doctor` finds: each test breaks something healthy in just one way."""

from __future__ import annotations

import contextlib
import json
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedinspect.analysis.doctor import CHECKS, diagnose, open_case
from embedinspect.cli import run as run_line
from embedinspect.errors import EmbedInspectError
from embedinspect.lookup import Settings
from embedinspect.source import SourceOptions, open_source
from embedinspect.vocabulary import fit
from tests.builders import VECTORS
from tests.conftest import CLASSIC
from tests.formats.test_keras_graph import L, keras, sequential

WORDS = ["this", "is", "a", "text", "not"]
IMDB = {"the": 1, "and": 2, "a": 3, "of": 4, "to": 5, "is": 6, "br": 7}


@pytest.fixture(scope="module")
def healthy_files(tmp_path_factory):
    """A model of the classic example, its tokenizer, and its rows as an array."""
    folder = tmp_path_factory.mktemp("healthy")
    model = sequential(L.Embedding(6, 4, name="words"), L.LSTM(3), L.Dense(1))
    model.save(folder / "model.keras")
    vocabulary, _ = fit(CLASSIC)
    (folder / "tokenizer.json").write_text(vocabulary.to_json())
    np.save(folder / "rows.npy", np.asarray(model.layers[0].get_weights()[0]))
    return folder


@pytest.fixture
def healthy(healthy_files, tmp_path, monkeypatch):
    """The test's own folder with these files; returns the rows."""
    for path in healthy_files.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", None)
    return np.load("rows.npy")


@pytest.fixture
def ask(run, healthy):
    """Run `doctor`; returns its findings by kind, and the document. Exit codes are checked."""

    def run_doctor(*arguments: str):
        code, out, err = run("doctor", *arguments, "--json")
        assert code in {0, 3}, err
        assert err == ""
        document = json.loads(out)
        found = {finding["kind"]: finding for finding in document["findings"]}
        assert len(found) == len(document["findings"])
        assert code == (3 if document["failed"] else 0)
        assert document["failed"] == any(f["severity"] == "error" for f in found.values())
        return found, document

    return run_doctor


def severities(found) -> dict[str, str]:
    return {kind: finding["severity"] for kind, finding in found.items()}


def save(folder, *layers, name="model.keras", length=6, **settings):
    model = sequential(L.Embedding(6, 4, name="words", **settings), *layers, length=length)
    model.save(folder / name)
    return model


MODEL = ["--from", "model.keras", "--vocabulary", "tokenizer.json"]


# -- what is healthy ------------------------------------------------------------------------------


def test_the_classic_example_is_healthy(ask):
    found, document = ask(*CLASSIC, "--num-words", "10")
    assert found == {}
    assert document["counts"] == {"error": 0, "warning": 0, "note": 0}
    assert "no text is empty" in document["in_order"]


def test_a_plain_model_without_words_is_healthy(ask):
    found, document = ask("--from", "model.keras")
    assert severities(found) == {"no-vocabulary": "note"}
    assert {line["topic"] for line in document["not_checked"]} >= {"truncation", "unused rows"}


def test_a_model_with_its_vocabulary_and_texts_is_healthy(ask):
    found, document = ask(*MODEL, *CLASSIC)
    assert severities(found) == {}
    asked = len(document["in_order"]) + len(document["not_checked"])
    assert asked == len(CHECKS)
    assert {line["needs"] for line in document["not_checked"]} == {
        "run",
        "reference",
        "list of words",
    }


def test_word_vectors_are_healthy(ask):
    assert severities(ask("--from", str(VECTORS))[0]) == {}
    assert severities(ask("--from", str(VECTORS), "king queen")[0]) == {}
    found, _ = ask("--from", str(VECTORS), "--reference", str(VECTORS))
    assert severities(found) == {}


# -- ids and rows ---------------------------------------------------------------------------------


def test_input_dim_one_too_small(ask):
    found, _ = ask(*CLASSIC, "--input-dim", "5")
    assert severities(found) == {"input-dim-one-too-small": "error"}
    finding = found["input-dim-one-too-small"]
    assert finding["numbers"] == {
        "input_dim": 5, "largest_id": 5, "ids_without_row": 1, "word": "not", "occurrences": 1,
    }  # fmt: skip
    assert "input_dim=6" in finding["mend"]
    assert "zeros" in finding["leads_to"]
    assert "NaN" in finding["leads_to"]
    assert ask(*CLASSIC, "--input-dim", "6")[0] == {}
    assert "unused-rows" in ask(*CLASSIC, "--input-dim", "5", "--num-words", "4")[0]


def test_the_same_in_a_model(ask, run, tmp_path):
    vocabulary, _ = fit([*CLASSIC, "This is a new text"])
    (tmp_path / "tokenizer.json").write_text(vocabulary.to_json())
    found, _ = ask(*MODEL, *CLASSIC)
    assert severities(found) == {"input-dim-one-too-small": "error"}
    assert found["input-dim-one-too-small"]["numbers"]["occurrences"] == 0
    assert "--num-words 6" in found["input-dim-one-too-small"]["mend"]
    assert severities(ask(*MODEL, *CLASSIC, "--num-words", "6")[0]) == {}
    said = "5 with a row, of 6, from tokenizer.json, by their own ids; num_words 6"
    assert said in run("doctor", *MODEL, "--num-words", "6")[1].decode()


def test_ids_without_a_row(ask, tmp_path):
    index = {word: id_ for id_, word in enumerate([*WORDS, "more", "and", "others"], 1)}
    (tmp_path / "index.json").write_text(json.dumps(index))
    found, document = ask(
        "--from", "model.keras", "--vocabulary", "index.json", "more and others and"
    )
    assert severities(found) == {"id-without-row": "error"}
    numbers = found["id-without-row"]["numbers"]
    assert (numbers["ids_without_row"], numbers["largest_id"]) == (3, 8)
    assert (numbers["word"], numbers["occurrences"]) == ("more", 4)
    assert {"topic": "lengths", "needs": "list of words"} in document["not_checked"]


@pytest.mark.parametrize("as_tokenizer", [False, True])
def test_negative_ids(ask, tmp_path, as_tokenizer):
    index = {word: id_ for id_, word in enumerate(WORDS, 1)} | {"not": -2}
    if as_tokenizer:
        config = {"word_index": json.dumps(index), "filters": "!", "num_words": None}
        (tmp_path / "index.json").write_text(json.dumps({"config": config}))
    else:
        (tmp_path / "index.json").write_text(json.dumps(index))
    found, _ = ask("--from", "model.keras", "--vocabulary", "index.json", CLASSIC[0])
    assert severities(found) == {"negative-id": "error", "unused-rows": "note"}
    assert found["negative-id"]["numbers"] == {"words": 1, "lowest_id": -2, "word": "not"}
    assert "the last row" in found["negative-id"]["leads_to"]


def test_a_word_with_the_id_of_the_padding(ask, tmp_path):
    (tmp_path / "index.json").write_text(json.dumps({w: i for i, w in enumerate(WORDS)}))
    found, _ = ask("--from", "model.keras", "--vocabulary", "index.json")
    assert severities(found) == {"padding-id-is-a-word": "warning", "unused-rows": "note"}
    assert found["padding-id-is-a-word"]["numbers"]["word"] == "this"
    named = {"<pad>": 0} | {w: i for i, w in enumerate(WORDS, 1)}
    (tmp_path / "index.json").write_text(json.dumps(named))
    assert ask("--from", "model.keras", "--vocabulary", "index.json")[0] == {}


def test_a_list_that_begins_with_the_first_word(ask, tmp_path):
    (tmp_path / "words.txt").write_text("\n".join(WORDS))
    listed = ["--from", "model.keras", "--vocabulary", "words.txt"]
    found, _ = ask(*listed)
    assert severities(found) == {"padding-id-is-a-word": "warning", "unused-rows": "note"}
    assert "--index-from 1" in found["padding-id-is-a-word"]["mend"]
    assert "5 words for 6 rows" in found["padding-id-is-a-word"]["evidence"]
    assert ask(*listed, "--index-from", "1")[0] == {}


def test_a_list_of_another_length(ask, tmp_path):
    (tmp_path / "words.txt").write_text("\n".join(WORDS[:3]))
    found, _ = ask("--from", "rows.npy", "--vocabulary", "words.txt")
    assert severities(found) == {"vocabulary-length": "warning", "unused-rows": "note"}
    assert found["vocabulary-length"]["numbers"] == {"words": 3, "input_dim": 6, "missing": 3}
    (tmp_path / "words.txt").write_text("\n".join(WORDS))
    found, _ = ask("--from", "rows.npy", "--vocabulary", "words.txt")
    assert found["vocabulary-length"]["numbers"] == {"words": 5, "input_dim": 6, "missing": 1}
    (tmp_path / "words.txt").write_text("\n".join([*WORDS, "six", "seven"]))
    found, _ = ask("--from", "rows.npy", "--vocabulary", "words.txt")
    assert severities(found) == {"id-without-row": "error"}
    assert found["id-without-row"]["numbers"]["largest_id"] == 6
    (tmp_path / "words.txt").write_text("\n".join([*WORDS, "six"]))
    assert ask("--from", "rows.npy", "--vocabulary", "words.txt", "six text")[0] == {}


def test_two_words_of_one_id(ask, tmp_path):
    index = {word: id_ for id_, word in enumerate(WORDS, 1)} | {"text": 3}
    (tmp_path / "index.json").write_text(json.dumps(index))
    found, _ = ask("--from", "model.keras", "--vocabulary", "index.json")
    assert severities(found) == {"id-of-two-words": "warning", "unused-rows": "note"}
    assert found["id-of-two-words"]["numbers"] == {"ids": 1, "id": 3, "words": ["a", "text"]}


def test_rows_that_no_id_reaches(ask, tmp_path):
    found, _ = ask(*MODEL, "--num-words", "4", CLASSIC[0])
    assert severities(found)["unused-rows"] == "note"
    assert found["unused-rows"]["numbers"] == {"rows": 2, "input_dim": 6, "first": [4, 5]}
    np.save(tmp_path / "big.npy", np.random.RandomState(0).rand(40, 2).astype("f4"))
    found, _ = ask("--from", "big.npy", "--vocabulary", "tokenizer.json")
    assert severities(found) == {"unused-rows": "warning"}
    assert found["unused-rows"]["numbers"]["rows"] == 34


def test_the_imdb_offset(ask, tmp_path):
    index = IMDB | {f"word{n}": n for n in range(8, 17)}
    (tmp_path / "imdb_word_index.json").write_text(json.dumps(index))
    np.save(tmp_path / "m.npy", np.random.RandomState(0).rand(20, 2).astype("f4"))
    given = ["--from", "m.npy", "--vocabulary", "imdb_word_index.json"]
    found, _ = ask(*given)
    assert severities(found) == {"imdb-offset": "warning", "unused-rows": "note"}
    assert found["imdb-offset"]["mend"] == "--index-from 3"
    assert severities(ask(*given, "--index-from", "3")[0]) == {"unused-rows": "note"}
    assert "imdb-offset" in ask(*given, "--index-from", "2")[0]


# -- rows and their reference -----------------------------------------------------------------


def glove_case(tmp_path, move):
    """Write a matrix of the sample's vectors, by the ids of words, moved as `move` says."""
    source = open_source(str(VECTORS))
    words, vectors = list(source.words), source.matrix.rows
    rows = np.zeros((len(words) + 1, vectors.shape[1]), np.float32)
    rows[1:] = vectors
    np.save(tmp_path / "m.npy", move(rows))
    index = {word: id_ for id_, word in enumerate(words, 1)}
    (tmp_path / "index.json").write_text(json.dumps(index))
    return ["--from", "m.npy", "--vocabulary", "index.json", "--reference", str(VECTORS)]


def test_rows_that_hold_their_words_are_in_order(ask, tmp_path):
    found, document = ask(*glove_case(tmp_path, lambda rows: rows))
    assert found == {}
    assert "rows hold the vectors of their words" in document["in_order"]


def test_what_coverage_writes_is_in_order(ask, run):
    assert run("coverage", str(VECTORS), "the king and queen", "--write", "m.npy")[0] == 0
    found, document = ask("--from", "m.npy", "--reference", str(VECTORS), "the queen")
    assert severities(found) == {"zero-rows": "note"}  # that of "and", which has no vector
    assert "rows hold the vectors of their words" in document["in_order"]


def test_a_list_of_words_at_the_wrong_row(ask, run):
    assert run("export", str(VECTORS), "m.npy")[0] == 0
    listed = ["--from", "m.npy", "--vocabulary", "m.npy.words.json", "--reference", str(VECTORS)]
    assert ask(*listed)[0] == {}
    found, _ = ask(*listed, "--index-from", "2")
    assert severities(found) == {
        "shifted-rows": "error",
        "id-without-row": "error",
        "unused-rows": "note",
    }
    assert found["shifted-rows"]["numbers"]["shift"] == -2
    assert found["shifted-rows"]["mend"] == "--index-from 0"


@pytest.mark.parametrize("shift", [-1, 1, 2])
def test_the_classic_glove_misalignment(ask, tmp_path, shift):
    found, _ = ask(*glove_case(tmp_path, lambda rows: np.roll(rows, shift, axis=0)))
    assert severities(found).pop("shifted-rows") == "error"
    assert found["shifted-rows"]["numbers"]["shift"] == shift
    assert ("leave row 0 to the padding" in found["shifted-rows"]["mend"]) == (shift == -1)
    where = {-1: "in the row before", 1: "in the row after", 2: "2 rows after"}[shift]
    assert f"have their vector {where} their own" in found["shifted-rows"]["evidence"]


def test_rows_in_the_wrong_place_are_not_named_by_their_words(ask, tmp_path):
    def forget(rows):
        rows = rows.copy()
        rows[3] = 0
        return rows

    found, _ = ask(*glove_case(tmp_path, forget))
    assert found["zero-rows"]["evidence"].startswith("row 3 ('")
    found, _ = ask(*glove_case(tmp_path, lambda rows: np.roll(forget(rows), -1, axis=0)))
    assert found["zero-rows"]["evidence"].startswith("row 2, row 26; ")
    assert "in their places first" in found["zero-rows"]["mend"]


def test_shifted_rows_that_were_trained_on(ask, tmp_path):
    noise = np.random.RandomState(0).normal(0, 0.02, (27, 6)).astype("f4")
    found, _ = ask(*glove_case(tmp_path, lambda rows: np.roll(rows + noise, -1, axis=0)))
    assert severities(found) == {"shifted-rows": "error"}
    assert found["shifted-rows"]["numbers"]["shift"] == -1
    assert found["shifted-rows"]["numbers"]["cosine"] > 0.9
    assert ask(*glove_case(tmp_path, lambda rows: rows + noise))[0] == {}


def test_rows_of_other_words(ask, tmp_path):
    order = np.array([0, *np.random.RandomState(1).permutation(np.arange(1, 27))])
    found, _ = ask(*glove_case(tmp_path, lambda rows: rows[order]))
    assert severities(found) == {"rows-of-other-words": "error"}
    assert found["rows-of-other-words"]["numbers"]["elsewhere"] == (order != np.arange(27)).sum()


def test_rows_of_another_file(ask, tmp_path):
    random = np.random.RandomState(0).normal(0, 1, (27, 6)).astype("f4")
    found, _ = ask(*glove_case(tmp_path, lambda rows: random))
    assert severities(found) == {"other-vectors": "warning"}
    (tmp_path / "index.json").write_text(json.dumps({f"x{n}": n for n in range(1, 27)}))
    found, _ = ask("--from", "m.npy", "--vocabulary", "index.json", "--reference", str(VECTORS))
    assert severities(found) == {"other-vectors": "warning"}


def test_words_left_without_their_vector(ask, tmp_path):
    def forget(rows):
        rows = rows.copy()
        rows[[3, 8, 11]] = 0
        return rows

    found, _ = ask(*glove_case(tmp_path, forget))
    assert severities(found) == {"words-left-without-vector": "warning", "zero-rows": "note"}
    assert found["words-left-without-vector"]["numbers"] == {"shared": 26, "blank": 3}


# -- rows by themselves -----------------------------------------------------------------------


def with_rows(tmp_path, **changes) -> list[str]:
    """Write the healthy rows, some of them changed; returns how to name them."""
    rows = np.random.RandomState(0).rand(300, 4).astype("f4")
    for name, value in changes.items():
        rows[int(name.removeprefix("row"))] = rows[value] if isinstance(value, int) else value
    np.save(tmp_path / "m.npy", rows)
    (tmp_path / "words.txt").write_text("\n".join(f"w{n}" for n in range(300)))
    return ["--from", "m.npy", "--vocabulary", "words.txt"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {}),
        ({"row7": np.nan}, {"nan-rows": "error"}),
        ({"row7": np.inf}, {"infinite-rows": "error"}),
        ({"row7": np.nan, "row8": -np.inf}, {"nan-rows": "error", "infinite-rows": "error"}),
        ({"row7": 0.0}, {"zero-rows": "note"}),
        ({"row7": 3}, {"duplicate-rows": "note"}),
        ({f"row{n}": 3 for n in range(4, 9)}, {"duplicate-rows": "warning"}),
        ({f"row{n}": 0.0 for n in range(5, 200)}, {"zero-rows": "warning"}),
    ],
    ids=str,
)
def test_broken_rows(ask, tmp_path, changes, expected):
    found, _ = ask(*with_rows(tmp_path, **changes))
    assert severities(found) == expected
    for kind in expected:
        if len(expected) == 1:
            assert found[kind]["numbers"]["rows"] == len(changes)
            assert found[kind]["numbers"]["first"][0] == int(min(changes, key=len)[3:])
            assert "'w" in found[kind]["evidence"]


@pytest.mark.parametrize(("times", "severity"), [(3, None), (8, "note"), (40, "warning")])
def test_a_padding_row_that_drifted(ask, tmp_path, times, severity):
    model = save(tmp_path, L.LSTM(3), L.Dense(1))
    rows = model.layers[0].get_weights()[0]
    rows[0] = np.median(np.linalg.norm(rows[1:], axis=1)) * times / 2
    model.layers[0].set_weights([rows])
    model.save(tmp_path / "model.keras")
    found, _ = ask(*MODEL)
    assert severities(found) == ({} if severity is None else {"padding-row-drifted": severity})
    if severity:
        assert found["padding-row-drifted"]["numbers"]["ratio"] == pytest.approx(times)


# -- the model and its file ---------------------------------------------------------------------


@pytest.mark.parametrize("length", [6, None])
def test_padding_after_the_text_without_a_mask(ask, tmp_path, length):
    save(tmp_path, L.LSTM(3), L.Dense(1), length=length)
    texts = ["This is a text", "not"]
    assert ask(*MODEL, *texts)[0] == {}
    found, _ = ask(*MODEL, *texts, "--padding", "post")
    assert severities(found) == {"padding-after-without-mask": "warning"}
    share = 7 / 12 if length else 3 / 8
    assert found["padding-after-without-mask"]["numbers"]["padding_share"] == pytest.approx(share)
    full = ["This is a text not not"]
    found, _ = ask(*MODEL, *full, "--padding", "post")
    assert severities(found) == {"padding-after-without-mask": "note"}
    save(tmp_path, L.LSTM(3), L.Dense(1), length=length, mask_zero=True)
    assert ask(*MODEL, *texts, "--padding", "post")[0] == {}
    save(tmp_path, L.LSTM(3, go_backwards=True), L.Dense(1), length=length)
    assert ask(*MODEL, *texts, "--padding", "post")[0] == {}
    save(tmp_path, L.LSTM(3, return_sequences=True), L.Dense(1), length=length)
    found, _ = ask(*MODEL, *texts, "--padding", "post")
    assert severities(found) == {"padding-after-without-mask": "note"}


def test_padding_after_the_text_where_no_model_is_known(ask):
    found, _ = ask(*CLASSIC, "--padding", "post")
    assert severities(found) == {"padding-after-without-mask": "note"}
    assert ask(*CLASSIC, "--padding", "post", "--mask-zero")[0] == {}


def test_text_vectorization_pads_after_the_text(ask, tmp_path):
    texts = L.TextVectorization(vocabulary=WORDS, output_sequence_length=6, name="ids")
    model = keras.Sequential(
        [keras.Input((), dtype="string"), texts, L.Embedding(7, 4, name="words"), L.LSTM(3)]
    )
    model.save(tmp_path / "model.keras")
    found, document = ask("--from", "model.keras", *CLASSIC, "an unseen word")
    assert severities(found) == {
        "padding-after-without-mask": "warning",
        "unknown-words": "note",
    }
    assert document["settings"]["padding"] == "post"
    assert found["unknown-words"]["numbers"]["replaced_by"] == "[UNK]"


@pytest.mark.parametrize(("rows", "expected"), [(7, {}), (6, {"input-dim-one-too-small": "error"})])
def test_a_lookup_layer_with_more_words_than_rows(ask, tmp_path, run, rows, expected):
    texts = L.TextVectorization(vocabulary=WORDS, output_sequence_length=6, name="ids")
    words = L.Embedding(rows, 4, name="words", mask_zero=True)
    model = keras.Sequential([keras.Input((), dtype="string"), texts, words, L.LSTM(3)])
    model.save(tmp_path / "model.keras")
    found, _ = ask("--from", "model.keras", *CLASSIC)
    assert severities(found) == expected
    code, _, err = run("info", "model.keras")
    assert code == 0
    assert ("no row for 'not' and what follows" in err) == bool(expected)


def test_padding_before_the_text_with_a_mask_on_cudnn(ask, tmp_path):
    kind = "padding-before-with-mask-on-cudnn"
    save(tmp_path, L.LSTM(3), L.Dense(1), mask_zero=True)
    assert severities(ask(*MODEL)[0]) == {kind: "note"}
    assert severities(ask(*MODEL, "--padding", "pre")[0]) == {kind: "warning"}
    for layer in (
        L.LSTM(3, activation="relu"),
        L.LSTM(3, recurrent_dropout=0.1),
        L.GRU(3, reset_after=False),
        L.SimpleRNN(3),
    ):
        save(tmp_path, layer, mask_zero=True)
        assert ask(*MODEL, "--padding", "pre")[0] == {}
    save(tmp_path, L.Bidirectional(L.GRU(3)), mask_zero=True)
    assert severities(ask(*MODEL, "--padding", "pre")[0]) == {kind: "warning"}


@pytest.mark.filterwarnings("ignore:Layer 'flat'")  # Keras says here what doctor is to find
@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_layer_that_destroys_the_mask(ask, tmp_path, name):
    given = ["--from", name, "--vocabulary", "tokenizer.json"]
    save(tmp_path, L.Flatten(name="flat"), L.Dense(1), name=name, mask_zero=True)
    found, _ = ask(*given)
    assert severities(found) == {"mask-lost": "warning"}
    assert found["mask-lost"]["numbers"] == {"layer": "flat", "class_name": "Flatten"}
    save(tmp_path, L.Flatten(name="flat"), L.Dense(1), name=name)
    assert ask(*given)[0] == {}
    save(tmp_path, L.GlobalAveragePooling1D(), L.Dense(1), name=name, mask_zero=True)
    assert ask(*given)[0] == {}
    save(tmp_path, L.GlobalAveragePooling1D(), L.Dense(1), name=name)
    found, _ = ask(*given)
    assert severities(found) == {"padding-averaged": "note"}
    assert found["padding-averaged"]["mend"] == "mask_zero=True in the Embedding layer"


@pytest.mark.filterwarnings("ignore:Layer 'conv'")
def test_what_is_behind_the_layer_that_destroys_the_mask(ask, tmp_path):
    conv = L.Conv1D(4, 3, padding="same", name="conv")
    save(tmp_path, conv, L.LSTM(3, name="lstm"), L.Dense(1), mask_zero=True)
    found, _ = ask(*MODEL, "--padding", "post")
    mend = "mask_zero=False, or the layer 'lstm' (LSTM) in front of it, where the mask still is"
    assert found["mask-lost"]["mend"] == mend
    assert severities(found) == {"mask-lost": "warning", "padding-after-without-mask": "warning"}
    behind = found["padding-after-without-mask"]
    assert "mask_zero=True" in behind["evidence"]
    assert behind["mend"].startswith("let the mask of the Embedding layer reach it")
    assert behind["numbers"]["mask_zero"] is True


def test_a_file_of_an_older_keras(ask, tmp_path):
    for version in ("3.9.0", "3.15.0"):
        rewrite(tmp_path / "model.keras", "metadata.json", b'"keras_version": "', version.encode())
        found, _ = ask(*MODEL)
        assert severities(found) == {"old-keras": "warning"}
        assert found["old-keras"]["numbers"]["version"] == version
    for version in ("3.15.1", "3.16.0.dev2"):
        rewrite(tmp_path / "model.keras", "metadata.json", b'"keras_version": "', version.encode())
        assert ask(*MODEL)[0] == {}


def rewrite(path, member, before, value):
    """Put a value into a member of a zip, behind the bytes `before`, up to the next quote.

    Without `before` it takes the place of all of them.
    """
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    start = members[member].index(before) + len(before)
    end = members[member].index(b'"', start) if before else len(members[member])
    members[member] = members[member][:start] + value + members[member][end:]
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_file_that_holds_code(ask, tmp_path, name):
    save(tmp_path, L.LSTM(3), L.Lambda(lambda x: 2 * x, name="twice"), name=name)
    found, _ = ask("--from", name, "--vocabulary", "tokenizer.json")
    assert severities(found) == {"holds-code": "warning"}
    assert found["holds-code"]["numbers"]["layers"] == [{"class_name": "Lambda", "name": "twice"}]


@pytest.mark.parametrize("class_name", ["TorchModuleWrapper", "TFSMLayer"])
def test_other_layers_that_hold_code(ask, tmp_path, class_name):
    # Neither can be made here: the one needs torch, the other a model of TensorFlow's own format.
    save(tmp_path, L.LSTM(3), L.Dense(1, name="code"))
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        config = archive.read("config.json")
    assert config.count(b'"Dense"') == 1
    rewrite(
        tmp_path / "model.keras", "config.json", b"", config.replace(b"Dense", class_name.encode())
    )
    found, _ = ask(*MODEL)
    assert found["holds-code"]["numbers"]["layers"] == [{"class_name": class_name, "name": "code"}]


def test_a_file_of_vectors_with_odd_lines(ask, tmp_path):
    (tmp_path / "bad.txt").write_text("a 1 2\nb 3 4 5 6 7\nc 5 6\nd 7 x\ne 9 9\n")
    found, _ = ask("--from", "bad.txt")
    assert severities(found) == {"odd-file": "warning"}
    assert found["odd-file"]["numbers"]["problems"] == 2
    assert "line 2" in found["odd-file"]["evidence"]


# -- texts and settings -------------------------------------------------------------------------


def test_truncation(ask):
    found, _ = ask(*CLASSIC, "--maxlen", "4")
    assert severities(found) == {"truncation": "warning"}
    numbers = found["truncation"]["numbers"]
    assert (numbers["cut"], numbers["ids"], numbers["texts"], numbers["longest"]) == (1, 9, 1, 5)
    assert "at the start" in found["truncation"]["evidence"]
    lengths = " ".join(["text"] * 40)
    found, _ = ask(*["text"] * 90, *["a text"] * 9, lengths, "--maxlen", "4")
    assert found["truncation"]["numbers"]["length_95"] == 2
    many = [*CLASSIC, *CLASSIC]
    found, _ = ask(*many, *CLASSIC[:1] * 3, "--maxlen", "4", "--truncating", "post")
    assert severities(found) == {"truncation": "note"}
    assert "at the end" in found["truncation"]["evidence"]


def test_a_maxlen_far_above_the_texts(ask, tmp_path):
    assert ask(*CLASSIC, "--maxlen", "9")[0] == {}
    found, _ = ask(*CLASSIC, "--maxlen", "10")
    assert severities(found) == {"maxlen-too-large": "warning"}
    assert found["maxlen-too-large"]["numbers"] == {
        "maxlen": 10, "longest": 5, "padding": 11, "positions": 20, "share": 11 / 20,
    }  # fmt: skip
    save(tmp_path, L.LSTM(3), length=30)
    found, _ = ask(*MODEL, *CLASSIC)
    assert severities(found) == {"maxlen-too-large": "note"}


def test_unknown_words(ask):
    found, _ = ask(*MODEL, "This is a brand new text")
    assert severities(found) == {"unknown-words": "warning"}
    assert found["unknown-words"]["numbers"] == {
        "tokens": 6, "unknown": 2, "beyond_num_words": 0, "share": 2 / 6, "replaced_by": None,
    }  # fmt: skip
    found, _ = ask(*MODEL, *CLASSIC, "a new text")
    assert severities(found) == {"unknown-words": "note"}
    found, _ = ask(*CLASSIC, "--num-words", "4", "--oov-token", "<unk>")
    numbers = found["unknown-words"]["numbers"]
    assert (numbers["beyond_num_words"], numbers["replaced_by"]) == (5, "<unk>")


def test_texts_that_become_empty(ask):
    found, _ = ask(*MODEL, *CLASSIC, *CLASSIC, *CLASSIC, "nothing", "!!")
    assert severities(found) == {"empty-texts": "warning"}
    assert found["empty-texts"]["numbers"] == {"texts": 2, "first": [6, 7]}
    assert "'nothing'" in found["empty-texts"]["evidence"]
    assert "make the vocabulary anew" in found["empty-texts"]["mend"]
    found, _ = ask("a a", "b", "--num-words", "2")
    assert found["empty-texts"]["mend"].endswith("--oov-token")
    assert "empty-texts" not in ask("a a", "b", "--num-words", "3", "--oov-token", "<unk>")[0]


def test_the_out_of_vocabulary_token_of_a_vocabulary(ask, run, tmp_path):
    (tmp_path / "index.json").write_text(json.dumps({"[UNK]": 1, "a": 2, "b": 3}))
    given = ["a b c", "--vocabulary", "index.json", "--oov-token"]
    assert "one of them, such as '[UNK]'" in run("doctor", *given, "<unk>")[2]
    assert ask(*given, "[UNK]")[0]["unknown-words"]["numbers"]["replaced_by"] == "[UNK]"


def test_what_would_help_is_named(run, healthy):
    out = run("doctor", "--from", "model.keras")[1].decode()
    assert "misaligned rows: give --vocabulary FILE and --reference VECTORS" in out
    out = run("doctor", *MODEL)[1].decode()
    assert "misaligned rows: give --reference VECTORS" in out
    assert "misaligned rows" not in run("doctor", *CLASSIC)[1].decode()


# -- how it is asked --------------------------------------------------------------------------


def test_fail_on(run, healthy):
    for arguments, codes in (
        ((*CLASSIC, "--input-dim", "5"), (3, 3, 3)),
        ((*CLASSIC, "--maxlen", "10"), (0, 3, 3)),
        ((*CLASSIC, "--padding", "post"), (0, 0, 3)),
        (tuple(CLASSIC), (0, 0, 0)),
    ):
        for level, code in zip(("error", "warning", "note"), codes, strict=True):
            assert run("doctor", *arguments, "--fail-on", level)[0] == code
    assert run("doctor", *CLASSIC, "--input-dim", "5")[0] == 3


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--from", "none.keras"], 1, "cannot read 'none.keras'"),
        (["--from", "tokenizer.json"], 1, "expected a number"),
        (["--vocabulary", "none.json"], 1, "cannot read 'none.json'"),
        ([*CLASSIC, "--fail-on", "worse"], 2, "expected one of error, warning, note"),
        (["--from", "model.keras", "--input-dim", "5"], 2, "--input-dim is set by the source"),
        (["--from", "model.keras", "--mask-zero"], 2, "the layer 'words' of --from has mask_zero"),
        ([*CLASSIC, "--epoch", "1"], 2, "--epoch picks rows of a run"),
        ([*CLASSIC, "--index-from", "1"], 2, "--index-from shifts the words of --vocabulary"),
        (["--reference", "x", "a"], 2, "--reference is compared with a matrix"),
        (["--from", "model.keras", "--reference", "x"], 1, "cannot read 'x'"),
        (["--from", "model.keras", "--reference", str(VECTORS)], 2, "--vocabulary"),
        ([*MODEL, "--reference", str(VECTORS)], 2, "has 6 dimensions, 'model.keras' has 4"),
        ([*MODEL, "a", "--oov-token", "<unk>"], 2, "none has such a name; leave it out"),
    ],
)
def test_mistakes(run, healthy, arguments, code, said):
    found, out, err = run("doctor", *arguments)
    assert (found, out) == (code, b"")
    assert said in err
    assert err.count("\n") == 1


def test_no_keras_and_no_code_of_the_file(command, healthy, tmp_path):
    trap = L.Lambda(lambda x: open("pwned", "w") and x, name="trap")  # noqa: SIM115
    save(tmp_path, L.LSTM(3), trap)
    done = command("doctor", "--from", "model.keras", "--fail-on", "warning")
    assert done.returncode == 3
    assert "holds code" in done.stdout
    assert done.stderr == ""


@given(
    rows=st.integers(1, 12),
    ids=st.dictionaries(st.text(max_size=3), st.integers(-5, 30), min_size=1, max_size=12),
    limit=st.none() | st.integers(1, 20),
    texts=st.lists(st.text(max_size=20), max_size=3),
)
def test_out_of_range_is_what_numpy_says(tmp_path_factory, rows, ids, limit, texts):
    folder = tmp_path_factory.mktemp("case")
    np.save(folder / "m.npy", np.random.RandomState(0).rand(rows, 2).astype("f4"))
    (folder / "ids.json").write_text(json.dumps(ids))
    options = SourceOptions(vocabulary=str(folder / "ids.json"))
    case = open_case(
        str(folder / "m.npy"),
        options,
        texts,
        Settings(num_words=limit),
        padding_given=False,
        filters_given=False,
    )
    found = {finding.kind for finding in diagnose(case).findings}
    used = [id_ for id_ in ids.values() if limit is None or id_ < limit]
    beyond = any(id_ >= rows for id_ in used)
    assert bool(found & {"id-without-row", "input-dim-one-too-small"}) == beyond
    assert ("negative-id" in found) == any(id_ < 0 for id_ in ids.values())
    for row in case.ids:
        assert set(row.tolist()) <= {id_ for id_ in used if id_ > 0}


def test_the_whole_command_reads_standard_input(monkeypatch, capsysbinary):
    class Piped:
        buffer = __import__("io").BytesIO(b"one two\n\n")

        def isatty(self):
            return False

    monkeypatch.setattr("sys.stdin", Piped())
    assert run_line(["doctor", "--json"]) == 0
    document = json.loads(capsysbinary.readouterr().out)
    assert [finding["kind"] for finding in document["findings"]] == ["empty-texts"]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=3) | st.floats(),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.text() | st.sampled_from(["config", "word_index", "num_words", "filters", "a", "1"]),
        inner,
        max_size=3,
    ),
    max_leaves=12,
)  # fmt: skip


@given(ANYTHING, st.lists(st.text(max_size=9), max_size=2), st.none() | st.integers(0, 4))
def test_any_file_of_words_is_judged_or_refused(tmp_path_factory, content, texts, shift):
    folder = tmp_path_factory.mktemp("words")
    np.save(folder / "m.npy", np.random.RandomState(0).rand(4, 2).astype("f4"))
    path = folder / "words"
    path.write_text(json.dumps(content) if not isinstance(content, str) else content, "utf-8")
    for source in (str(folder / "m.npy"), None):
        options = SourceOptions(vocabulary=str(path), index_from=shift)
        with contextlib.suppress(EmbedInspectError):
            case = open_case(
                source, options, texts, Settings(), padding_given=False, filters_given=False
            )
            for finding in diagnose(case).findings:
                assert finding.what
                assert json.dumps(finding.numbers)
