"""A source: what is found in it by name, which words it has, and which options fit it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from embedinspect.errors import DataError, UsageError
from embedinspect.source import SourceOptions, open_source
from tests.builders import EMBEDDING, npy_bytes, source_of, write_keras_file

MATRIX = npy_bytes(np.arange(8, dtype=np.float32).reshape(4, 2))


# -- rows by name -------------------------------------------------------------------------------


def test_a_name_is_a_word_or_a_number_after_a_sign():
    source = source_of(np.eye(4), ["a", None, "#3", "7"])
    assert [source.row_of(name) for name in ("a", "#1", "#3", "7", "b")] == [0, 1, 2, 3, None]
    assert source.rows_of(["7", "a"]) == [3, 0]
    assert [source.name_of(row) for row in range(4)] == ["a", "#1", "#3", "7"]


def test_a_plain_number_is_a_row_only_where_there_are_no_words():
    assert source_of(np.eye(3)).row_of("2") == 2
    assert source_of(np.eye(3), "abc").row_of("2") is None


@pytest.mark.parametrize("name", ["#3", "3", "#99999999999999999999"])
def test_a_row_beyond_the_matrix_says_which_there_are(name):
    with pytest.raises(UsageError, match=r"expected 0 to 2, as 'made' has 3 rows"):
        source_of(np.eye(3)).row_of(name)


@pytest.mark.parametrize("name", ["#", "#x", "#-1", "#٣", "", "-1"])
def test_what_is_no_number_is_no_row(name):
    assert source_of(np.eye(3)).row_of(name) is None


def test_a_name_without_a_row_is_told_what_is_close():
    source = source_of(np.eye(2), ["king", "queen"])
    with pytest.raises(UsageError, match=r"'qeen' is not among the 2 words .* mean 'queen'\?"):
        source.rows_of(["king", "qeen"])
    assert "did you mean" not in source.no_row("zebra")
    with pytest.raises(UsageError, match=r"has no words, .* --words FILE"):
        source_of(np.eye(2)).rows_of(["king"])


# -- a vocabulary of rows -----------------------------------------------------------------------


def test_ids_stand_one_above_rows_where_row_0_is_a_word():
    source = source_of([[1, 2], [3, 4]], ["the", "of"])
    vocabulary, moved = source.vocabulary_by_row()
    assert moved
    assert vocabulary.word_index == {"the": 1, "of": 2}
    rows = source.matrix.with_padding_row().rows
    assert [rows[id_].tolist() for id_ in vocabulary.word_index.values()] == [[1, 2], [3, 4]]


def test_ids_are_rows_where_row_0_has_no_word():
    vocabulary, moved = source_of(np.eye(3), [None, "the", "of"]).vocabulary_by_row()
    assert not moved
    assert vocabulary.word_index == {"the": 1, "of": 2}


@pytest.mark.parametrize("padding", ["[PAD]", "<pad>", ""])
def test_ids_are_rows_where_row_0_is_the_padding_by_name(padding):
    vocabulary, moved = source_of(np.eye(3), [padding, "the", "of"]).vocabulary_by_row()
    assert not moved
    assert vocabulary.word_index == {"the": 1, "of": 2}


@pytest.mark.parametrize(("words", "lower"), [(["the", "of"], True), (["The", "of"], False)])
def test_words_with_capitals_are_not_lowered(words, lower):
    vocabulary, _ = source_of(np.eye(2), words).vocabulary_by_row()
    assert vocabulary.tokenization.lower == lower


def test_a_vocabulary_needs_words():
    with pytest.raises(UsageError, match="name a file of them with --words FILE"):
        source_of(np.eye(2)).vocabulary_by_row()


# -- words of files -----------------------------------------------------------------------------


@pytest.fixture
def matrix(tmp_path):
    path = tmp_path / "m.npy"
    path.write_bytes(MATRIX)
    return path


def test_words_beside_an_array_are_its_own(matrix):
    matrix.with_name("m.npy.words.json").write_text('["a", "b", "c", "d"]')
    source = open_source(str(matrix))
    assert list(source.words) == ["a", "b", "c", "d"]
    assert source.warnings == ()


def test_words_that_are_named_come_before_those_beside(matrix, tmp_path):
    matrix.with_name("m.npy.words.json").write_text('["a", "b", "c", "d"]')
    (tmp_path / "other").write_text("w\nx\ny\nz\n")
    source = open_source(str(matrix), SourceOptions(words=str(tmp_path / "other")))
    assert list(source.words) == ["w", "x", "y", "z"]


def test_words_beside_an_array_of_another_length_are_warned_of(matrix):
    matrix.with_name("m.npy.words.json").write_text('["a", "b", "c"]')
    [fewer, warning] = open_source(str(matrix)).warnings
    assert "has 3 words for 4 rows" in fewer
    assert "differ in length, so words may be on wrong rows" in warning


def test_a_saved_vocabulary_beside_an_array_has_no_word_for_the_padding(matrix):
    config = {"word_index": json.dumps({"a": 1, "b": 2, "c": 3})}
    matrix.with_name("m.vocabulary.json").write_text(json.dumps({"config": config}))
    source = open_source(str(matrix))
    assert list(source.words) == [None, "a", "b", "c"]
    assert source.warnings == ()
    assert source.vocabulary.word_index == {"a": 1, "b": 2, "c": 3}


def test_the_padding_row_of_a_keras_layer_is_pointed_out(tmp_path):
    write_keras_file(tmp_path / "m.keras", EMBEDDING)
    (tmp_path / "words").write_text("a\nb\n")
    options = SourceOptions(words=str(tmp_path / "words"))
    [warning] = open_source(str(tmp_path / "m.keras"), options).warnings
    assert "row 0 of a Keras layer is the padding row, and here it is 'a'" in warning
    assert "--index-from 1" in warning


def test_the_words_of_a_keras_layer_are_shifted_by_index_from(tmp_path):
    write_keras_file(tmp_path / "m.keras", EMBEDDING)
    (tmp_path / "words").write_text("a\nb\n")
    options = SourceOptions(words=str(tmp_path / "words"), index_from=1)
    source = open_source(str(tmp_path / "m.keras"), options)
    assert list(source.words) == [None, "a", "b"]
    assert source.warnings == ()


def test_the_words_of_a_lookup_layer_are_the_rows(tmp_path):
    lookup = {"name": "lookup", "vocabulary": ["cat", "dog", "owl"]}
    embedding = {"class_name": "Embedding", "config": {"name": "embedding"}}
    layers = [{"class_name": "StringLookup", "config": lookup}, embedding]
    config = {"class_name": "Sequential", "config": {"layers": layers}}
    write_keras_file(tmp_path / "m.keras", EMBEDDING, config)
    source = open_source(str(tmp_path / "m.keras"))
    assert list(source.words) == ["[UNK]", "cat", "dog"]
    [warning] = source.warnings
    assert "has 4 words, but the matrix has 3 rows: there is none for 'owl'" in warning
    vocabulary, moved = source.vocabulary_by_row()
    assert not moved
    assert vocabulary.encode(["dog", "cow"]) == [[2], [0]]


def test_explicit_ids_are_kept_by_show(run, matrix, tmp_path):
    (tmp_path / "ids").write_text('{"[PAD]": 0, "king": 3}')
    asked = ("show", "king", "--from", str(matrix), "--words", str(tmp_path / "ids"), "--no-keras")
    code, out, err = run(*asked, "--json")
    [sequence] = json.loads(out)["texts"]
    assert (code, err) == (0, "")
    assert sequence["sequence"] == [3]


# -- options ------------------------------------------------------------------------------------


def test_options_that_do_not_fit_a_file(matrix):
    with pytest.raises(UsageError, match="--epoch picks rows of a run"):
        open_source(str(matrix), SourceOptions(epoch=1))
    with pytest.raises(UsageError, match="--index-from shifts the words of --words"):
        open_source(str(matrix), SourceOptions(index_from=1))


def test_a_folder_that_is_no_run_is_no_source(tmp_path):
    with pytest.raises(DataError, match="no run or model"):
        open_source(str(tmp_path))


def test_lengths_are_those_of_the_rows(matrix):
    rows = np.arange(8, dtype=np.float32).reshape(4, 2)
    assert np.allclose(open_source(str(matrix)).lengths(), np.linalg.norm(rows, axis=1))
