"""Words from a file of their own: which row each belongs to, and what is said about it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from embedinspect.errors import DataError, UsageError
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
