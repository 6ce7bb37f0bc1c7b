"""Texts are read line by line, and a stranger's text is shown safely."""

from __future__ import annotations

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedinspect.errors import DataError, UsageError
from embedinspect.texts import collect_texts, read_texts
from embedinspect.wording import clipped_repr, listed, literal, plural


def write(tmp_path, data: bytes) -> str:
    path = tmp_path / "texts.txt"
    path.write_bytes(data)
    return str(path)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"one\ntwo\n", ["one", "two"]),
        (b"one\r\ntwo", ["one", "two"]),
        (b"\xef\xbb\xbfone\n", ["one"]),
        (b"one\n\ntwo\n", ["one", "", "two"]),
        (b"\n", [""]),
        ("one\u2028two\x85three\n".encode(), ["one\u2028two\x85three"]),
        (b"a\0b\n", ["a\0b"]),
    ],
)
def test_one_text_a_line(tmp_path, data, expected):
    assert read_texts(write(tmp_path, data)) == expected


def test_other_encodings(tmp_path):
    assert read_texts(write(tmp_path, "né\n".encode("latin-1")), "latin-1") == ["né"]
    assert read_texts(write(tmp_path, "né\nb".encode("utf-16")), "utf-16") == ["né", "b"]


def test_bytes_that_are_not_utf8_are_named(tmp_path):
    with pytest.raises(DataError, match=r"byte 0xff at offset 4, line 2; .*--encoding"):
        read_texts(write(tmp_path, b"one\n\xff\n"))


def test_what_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_texts(str(tmp_path / "missing"))
    with pytest.raises(DataError, match="is a directory"):
        read_texts(str(tmp_path))
    with pytest.raises(DataError, match="is empty"):
        read_texts(write(tmp_path, b""))
    with pytest.raises(DataError, match="null"):
        read_texts("a\0b")


def test_arguments_come_first_then_files(tmp_path):
    path = write(tmp_path, b"from a file\n")
    assert collect_texts(["given"], [path, path]) == ["given", "from a file", "from a file"]


def test_standard_input_is_read_without_texts(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"one\ntwo\n")))
    assert collect_texts([], []) == ["one", "two"]


def test_a_terminal_is_not_read(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    with pytest.raises(UsageError, match="no text given"):
        collect_texts([], [])


def test_an_unknown_encoding():
    with pytest.raises(UsageError, match="utf-99"):
        collect_texts(["a"], [], "utf-99")


@given(st.text())
def test_literal_text_holds_nothing_that_moves_a_cursor(text):
    assert literal(text).isprintable()
    assert literal(text, "ascii").isascii()


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_plain_text_is_literal_as_it_is(text):
    assert literal(text) == text


def test_counts_and_lists_are_worded():
    assert [plural(count, "row") for count in (0, 1, 2000)] == ["0 rows", "1 row", "2,000 rows"]
    assert plural(2, "entry", "entries") == "2 entries"
    assert listed("abc", most=3) == "a, b, c"
    assert listed("abc", most=1) == "a, and 2 more"
    assert clipped_repr("a" * 50, 10) == repr("a" * 7 + "...")
