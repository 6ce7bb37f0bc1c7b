"""Words from a file of their own: which row each belongs to, and what is said about it."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

from embedinspect.errors import DataError, UsageError
from embedinspect.formats import vocabulary_file
from embedinspect.saved_vocabulary import read_vocabulary
from embedinspect.source import SourceOptions, open_source


@pytest.fixture
def opened(tmp_path):
    """A function that opens four rows with the words of a file of this text."""
    np.save(tmp_path / "m.npy", np.arange(8, dtype=np.float32).reshape(4, 2))

    def open_with(text: str | bytes, index_from=None):
        path = tmp_path / "words"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        options = SourceOptions(words=str(path), index_from=index_from)
        return open_source(str(tmp_path / "m.npy"), options)

    return open_with


@pytest.mark.parametrize(
    ("text", "index_from", "expected"),
    [
        ("a\nb\nc\nd\n", None, ["a", "b", "c", "d"]),
        ("a\r\nb\r\nc\r\nd", None, ["a", "b", "c", "d"]),
        ("a\nb\nc\n", 1, [None, "a", "b", "c"]),
        ("a\n\nc\nd\n", None, ["a", "", "c", "d"]),
        ("[\n(\n)\n{\n", None, ["[", "(", ")", "{"]),
        ("[PAD]\n[UNK]\nthe\nof\n", None, ["[PAD]", "[UNK]", "the", "of"]),
        ('{\r\n"\r\n}\r\n[\r\n', None, ["{", '"', "}", "["]),
        ('["a", null, "c", "d"]', None, ["a", None, "c", "d"]),
        ('{"a": 1, "b": 3}', None, [None, "a", None, "b"]),
        ('{"a": 1, "b": 2}', 1, [None, None, "a", "b"]),
        ('{"1": "a", "3": "b"}', None, [None, "a", None, "b"]),
        ("word\tcount\na\t1\nb\t2\nc\t3\nd\t4\n", None, ["a", "b", "c", "d"]),
        ("n\tlabel\n1\ta\n2\tb\n3\tc\n4\td\n", None, ["a", "b", "c", "d"]),
        (
            json.dumps({"config": {"word_index": json.dumps({"a": 1, "b": 2})}}),
            None,
            [None, "a", "b", None],
        ),
    ],
)
def test_forms(opened, text, index_from, expected):
    source = opened(text, index_from)
    assert list(source.words) == expected
    shift = f" + {index_from}" if index_from else ""
    own = text.startswith('{"')
    assert (f"by their own ids{shift}" if own else f"row i{shift}") in source.words_from
    named = [(row, word) for row, word in enumerate(expected) if word]
    assert source.rows_of(word for _, word in named) == [row for row, _ in named]


def test_words_without_a_row_are_told(opened):
    assert "'e' with id 4" in opened("a\nb\nc\nd\ne\n").warnings[0]
    assert opened("a\nb\n").warnings == (
        f"{opened('a').words_from.split(',')[0]} has 2 words for 4 rows",
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a": "b"}', "maps 'a' to 'b'"),
        ('{"a": -1}', "maps 'a' to '-1'"),
        ("{}", "holds no words"),
        ("[]", "another form"),
        ("[1]", "'1' as item 0"),
        ('{"a": 1', "is not JSON"),
        ('["a",\n"b"', "is not JSON"),
        ('[\n  "a",\n  "b"\n', "is not JSON"),
        ('{\n  "a": 1\n', "is not JSON"),
        ("[" * 100_000, "nested too deeply"),
        (b"a\xff", "not utf-8"),
    ],
)
def test_files_that_hold_no_words(opened, text, says):
    with pytest.raises(DataError, match=says):
        opened(text)


def test_a_shift_is_not_negative(opened):
    with pytest.raises(UsageError, match="expected 0 or more"):
        opened("a\n", -1)


# -- what is no file of words, and what fits other rows -----------------------------------------


@pytest.mark.parametrize("text", ["", "\n", "\n\n \n", "\ufeff"])
def test_an_empty_file_is_an_error(opened, text):
    with pytest.raises(DataError, match="is empty; expected words"):
        opened(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a": ' + "1" * 5000 + "}", "a number that is too long"),
        ('{"a": Infinity}', "maps 'a' to 'inf'"),
        ('{"a": 1.5}', "maps 'a' to '1.5'"),
        ('{"config": {"word_index": {"a": 1.5}}}', "maps 'a' to '1.5'"),
        ('{"config": {"word_index": {"a": 1}, "document_count": Infinity}}', "no count of texts"),
        ('{"config": {"word_index": {"a": 1}, "document_count": ' + "1" * 5000 + "}}", "too long"),
        (
            json.dumps({"config": {"word_index": '{"a": ' + "1" * 5000 + "}"}}),
            "not a saved tokenizer",
        ),
    ],
)
def test_numbers_that_no_tokenizer_writes(opened, text, says):
    with pytest.raises(DataError, match=says):
        opened(text)


def test_more_lines_than_any_vocabulary_has(opened, monkeypatch):
    monkeypatch.setattr(vocabulary_file, "MOST_WORDS", 10)
    with pytest.raises(DataError, match="more than 10 lines"):
        opened("\n" * 10 + "a\n")


@pytest.mark.parametrize("name", ["pipe", "/dev/zero"])
def test_what_might_never_end_is_not_read(opened, tmp_path, name):
    os.mkfifo(tmp_path / "pipe")
    options = SourceOptions(words=str(tmp_path / name))
    with pytest.raises(DataError, match="not a regular file; expected words"):
        open_source(str(tmp_path / "m.npy"), options)
    with pytest.raises(DataError, match="not a regular file; expected a saved vocabulary"):
        read_vocabulary(str(tmp_path / name))


def test_a_sparse_file_of_gigabytes_is_not_read(opened, tmp_path):
    with (tmp_path / "large").open("wb") as file:
        file.truncate(2**34)
    with pytest.raises(DataError, match=r"has 17,179,869,184 bytes; expected words"):
        open_source(str(tmp_path / "m.npy"), SourceOptions(words=str(tmp_path / "large")))


IMDB_INDEX = json.dumps(
    {"the": 1, "and": 2, "a": 3, "of": 4, "to": 5, "is": 6, "br": 7, "in": 8, "it": 9}
)


def test_keras_s_imdb_index_without_its_offset_is_told_first(opened):
    warning = opened(IMDB_INDEX).warnings[0]
    assert "is Keras's IMDB index" in warning
    assert "give --index-from 3" in warning


@pytest.mark.parametrize("index_from", [0, 3])
def test_an_offset_that_was_given_is_believed(opened, index_from):
    assert not any("IMDB" in warning for warning in opened(IMDB_INDEX, index_from).warnings)


@pytest.mark.parametrize("command", [["info"], ["neighbors"]])
def test_the_imdb_offset_is_told_by_commands(run, opened, tmp_path, command):
    opened(IMDB_INDEX)
    question = ["the"] if command == ["neighbors"] else []
    words = ["--words", str(tmp_path / "words")]
    _, _, err = run(*command, str(tmp_path / "m.npy"), *question, *words)
    assert "give --index-from 3" in err


def test_bert_s_vocabulary_is_a_list(opened):
    words = ["[PAD]", *(f"[unused{number}]" for number in range(99)), "[UNK]", "[CLS]", "{", "the"]
    assert list(opened("\n".join(words) + "\n").words) == words[:4]
