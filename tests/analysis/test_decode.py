"""Ids back into words: by runs, tokenizers, lists, and Keras's own way of reading IMDB."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedinspect.analysis.decode import decode, of_file, of_source, sequences_in
from embedinspect.errors import DataError, UsageError
from embedinspect.output.decode import text_of
from embedinspect.vocabulary import Vocabulary
from tests.analysis.builders import run_of
from tests.builders import VECTORS, source_of

IMDB = {"the": 1, "and": 2, "a": 3, "of": 4, "to": 5, "is": 6, "br": 7, "film": 19}


@given(st.lists(st.lists(st.integers(0, 10**9), min_size=2, max_size=9), min_size=1, max_size=3))
def test_ids_are_read_as_python_and_json_print_them(sequences):
    assert sequences_in([" ".join(map(str, ids)) for ids in sequences]) == sequences
    assert sequences_in([str(sequences)]) == sequences
    assert sequences_in([str(ids) for ids in sequences]) == sequences


def test_single_ids_are_one_sequence():
    assert sequences_in(["1", "14", "22"]) == [[1, 14, 22]]
    assert sequences_in(["1"]) == [[1]]
    assert sequences_in(["[]"]) == []


@pytest.mark.parametrize("text", ["one", "1.5", "0x1f", "1" * 19, "\u0661", "1-2"])
def test_what_is_no_id_is_named(text):
    with pytest.raises(UsageError, match="is no id; expected whole numbers"):
        sequences_in([text])


def test_a_run_has_its_own_reserved_ids():
    vocabulary = Vocabulary(
        {"<START>": 1, "<OOV>": 2, "bad": 4, "good": 5}, oov_token="<OOV>", start_token="<START>"
    )
    id_words = of_source(run_of(vocabulary, num_words=6))
    [sequence] = decode(id_words, [[1, 5, 2, 3, 0, 6, -1]]).sequences
    assert [(meaning.word, meaning.status) for meaning in sequence] == [
        ("<START>", "start"), ("good", "word"), ("<OOV>", "unknown"), (None, "no word"),
        (None, "padding"), (None, "no row"), (None, "no row"),
    ]  # fmt: skip


def test_rows_without_padding_say_so():
    id_words = of_source(source_of([[1, 2], [3, 4]], ["a", "b"]))
    assert [meaning.word for meaning in decode(id_words, [[0, 1]]).sequences[0]] == ["a", "b"]
    assert "each word stands one higher" in id_words.warnings[0]
    with pytest.raises(UsageError, match="has no words, so its ids cannot be read"):
        of_source(source_of([[1, 2]]))


@pytest.fixture
def index(tmp_path):
    """The most frequent words of Keras's IMDB index, in a file of its form."""
    path = tmp_path / "imdb_word_index.json"
    path.write_text(json.dumps(IMDB))
    return str(path)


def test_imdb_is_read_as_keras_says_to(index):
    """As the docstring of `keras.datasets.imdb.get_word_index` decodes a review."""
    start, oov, index_from = 1, 2, 3
    inverted = {rank + index_from: word for word, rank in IMDB.items()}
    inverted |= {start: "[START]", oov: "[OOV]"}
    review = [1, 4, 22, 5, 2, 8]
    [sequence] = decode(of_file(index, 3), [review]).sequences
    signs = {"start": "[START]", "unknown": "[OOV]"}
    assert [meaning.word or signs[meaning.status] for meaning in sequence] == [
        inverted[id_] for id_ in review
    ]
    assert of_file(index, 3).warnings == ()


def test_imdb_without_its_offset_says_how_to_give_it(index):
    assert "--index-from 3" in of_file(index).warnings[0]
    assert of_file(index, 0).warnings == ()


def test_a_keras_tokenizer_is_read_as_it_reads_itself(tmp_path):
    texts = ["the cat saw the dog", "the bird"]
    tokenizer = tensorflow_tokenizer()(oov_token="<OOV>")
    tokenizer.fit_on_texts(texts)
    path = tmp_path / "tokenizer.json"
    path.write_text(tokenizer.to_json())
    ids = tokenizer.texts_to_sequences(["the zebra saw a bird"])
    [sequence] = decode(of_file(str(path)), ids).sequences
    assert text_of(sequence) == tokenizer.sequences_to_texts(ids)[0]
    assert [meaning.status for meaning in sequence].count("unknown") == 2
    assert decode(of_file(str(path)), [[0]]).sequences[0][0].status == "padding"


def tensorflow_tokenizer():
    from tensorflow.keras.preprocessing.text import Tokenizer

    return Tokenizer


def test_sources_of_every_kind_answer_the_command(run, index, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    words = tmp_path / "vocab.txt"
    words.write_text("[PAD]\nthe\nfilm\n")
    for arguments, text in (
        ([str(VECTORS), "1", "2"], "king queen"),
        ([str(words), "[0, 1, 2]"], "[PAD] the film"),
        ([str(words), "1", "2", "--index-from", "1"], "[PAD] the"),
        ([index, "--index-from", "3", "1 4 22 0"], "<start> the film <padding>"),
    ):
        code, out, _ = run("decode", *arguments, "--json")
        assert code == 0
        assert json.loads(out)["sequences"][0]["text"] == text
        code, out, _ = run("decode", *arguments)
        assert code == 0
        assert text in out.decode()


def test_mistakes_are_one_line(run, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    damaged = tmp_path / "damaged.npy"
    damaged.write_bytes(b"\x93NUMPY\x01")
    for arguments, code, says in (
        ([str(VECTORS)], 2, "no id given; expected ids, such as: 1 14 22 16"),
        ([str(VECTORS), "king"], 2, "'king' is no id"),
        (["nosuch.keras", "1"], 1, "nosuch.keras"),
        ([str(damaged), "1"], 1, "damaged.npy"),
    ):
        exit_code, out, err = run("decode", *arguments)
        assert (exit_code, out) == (code, b"")
        assert says in err
        assert err.count("\n") == 1


def test_a_file_that_is_neither_is_refused_for_the_matrix(tmp_path):
    with pytest.raises(DataError):
        of_file(str(tmp_path / "nothing.json"))
