"""The words of rows, packed or not: the same answers, and close ones where a word is missing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedinspect import row_words
from embedinspect.row_words import Words, has_capitals, pack

TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.just("\n"), max_size=4)
WORDS = st.lists(TEXT, min_size=1, max_size=8, unique=True)


@given(WORDS, st.lists(TEXT, max_size=4))
def test_packed_words_are_the_words(words, others):
    packed = pack([word.encode() for word in words])
    assert list(packed) == words
    assert [packed[row] for row in range(len(words))] == words
    assert packed[-1] == words[-1]
    assert packed.named == len(packed) == len(words)
    plain = Words(words)
    asked = [*words, *others]
    assert [packed.row_of(word) for word in asked] == [plain.row_of(word) for word in asked]


@given(WORDS, TEXT)
def test_rows_whose_words_begin_so_are_the_same_of_packed_words(words, beginning):
    expected = [row for row, word in enumerate(words) if word.startswith(beginning)]
    packed = pack([word.encode() for word in words])
    assert list(Words(words).beginning_with(beginning)) == expected
    assert list(packed.beginning_with(beginning)) == expected


def test_after_some_searches_an_index_gives_the_same_rows(monkeypatch):
    monkeypatch.setattr(row_words, "_MOST_SEARCHES", 2)
    packed = pack([b"a", b"b", b"c"])
    rows = [packed.row_of(word) for word in ("a", "b", "c", "a", "d", "a\nb")]
    assert rows == [0, 1, 2, 0, None, None]
    assert "index" in vars(packed)


def test_a_line_of_a_word_is_no_word():
    packed = pack([b"a\nb", b"b\n", b"\n"])
    assert [packed.row_of(word) for word in ("a", "b", "", "a\nb", "b\n", "\n")] == [
        *(None, None, None),
        *(0, 1, 2),
    ]
    assert list(packed) == ["a\nb", "b\n", "\n"]


@pytest.mark.parametrize("row", [2, -3])
def test_a_row_beyond_packed_words_is_an_error(row):
    with pytest.raises(IndexError):
        pack([b"a", b"b"])[row]


def test_of_words_that_repeat_the_first_row_counts():
    assert Words(["a", None, "a"]).row_of("a") == 0
    assert Words(["a", None, "a"]).named == 2


def test_another_case_is_closer_than_another_spelling():
    words = Words(["King", "kings", None])
    assert words.close_to("king") == ["King"]
    assert words.close_to("kingz")[0] == "kings"
    assert words.close_to("zebra") == []


def test_names_in_brackets_are_no_capitals():
    assert not has_capitals(["<OOV>", "[UNK]", None, "the", ""])
    assert has_capitals(["the", "Paris"])
