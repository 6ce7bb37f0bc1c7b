"""Millions of words are found as those of a dictionary are, which is the oracle."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from embedinspect import row_words, word_index
from embedinspect.analysis.coverage import cover
from embedinspect.analysis.diff import matching
from embedinspect.analysis.evaluate import words as evaluated
from embedinspect.analysis.evaluate.words import WordRows
from embedinspect.formats import vocabulary_file
from embedinspect.formats.vocabulary_file import read_words
from embedinspect.row_words import Words, pack, pack_lines
from embedinspect.word_index import WordIndex
from tests.builders import source_of

WORDS = st.lists(st.none() | st.text("abAB é", max_size=2), min_size=1, max_size=12)
KEYS = {"itself": lambda word: word, "folded": str.upper, "some": lambda word: word[:1] or None}


@pytest.fixture
def many(monkeypatch):
    """Make every list of words one of millions."""
    for module in (row_words, vocabulary_file, evaluated):
        monkeypatch.setattr(module, "MANY_WORDS", 1)


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("collide", [False, True])
@given(WORDS, st.integers(0, 2**12))
def test_an_index_has_what_a_dictionary_has(name, collide, words, mask):
    key, among = KEYS[name], [bool(mask >> row & 1) for row in range(len(words))]
    expected: dict[str, int] = {}
    for row, (word, part) in enumerate(zip(words, among, strict=True)):
        made = None if word is None else key(word)
        if part and made is not None:
            expected.setdefault(made, row)
    with pytest.MonkeyPatch.context() as patch:
        if collide:
            patch.setattr(word_index, "hash", len, raising=False)
        index = WordIndex(words, key, among)
        assert list(index.items()) == list(expected.items())
        assert (list(index), len(index)) == (list(expected), len(expected))
        for word in {*filter(None, words), "c", ""}:
            assert index.get(word) == expected.get(word)
            assert (word in index) == (word in expected)
        assert index.first_rows().tolist() == [
            expected[key(word)] if part and word is not None and key(word) is not None else -1
            for word, part in zip(words, among, strict=True)
        ]


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("collide", [False, True])
@given(WORDS, WORDS, st.integers(0, 2**12))
def test_two_indices_share_what_two_dictionaries_share(name, collide, one, other, mask):
    key, among = KEYS[name], [bool(mask >> row & 1) for row in range(len(one))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_index, "_AT_ONCE", 5)
        if collide:
            patch.setattr(word_index, "hash", len, raising=False)
        indices = WordIndex(one, key, among), WordIndex(other, key)
        rows, others = indices[0].shared_with(indices[1])
        first, second = (dict(index.items()) for index in indices)
    expected = [(row, second[word]) for word, row in first.items() if word in second]
    assert list(zip(rows.tolist(), others.tolist(), strict=True)) == expected


@given(WORDS, WORDS)
def test_rows_are_matched_by_millions_of_words_as_by_a_few(one, other):
    one, other = ["shared", *one], [*other, "shared"]
    assume(one != other)
    sources = [source_of([[1.0]] * len(words), words) for words in (one, other)]
    with pytest.MonkeyPatch.context() as patch:
        expected = matching.match(*sources)
        patch.setattr(matching, "MANY_WORDS", 1)
        pairs = matching.match(*sources)
    assert pairs.rows_a.tolist() == expected.rows_a.tolist()
    assert pairs.rows_b.tolist() == expected.rows_b.tolist()
    left_out = pairs.unmatched_a, pairs.unmatched_b
    assert left_out == (expected.unmatched_a, expected.unmatched_b)
    words = {*one} - {None}, {*other} - {None}
    assert left_out[0].words == len(words[0] - words[1])
    assert left_out[1].words == len(words[1] - words[0])


@given(st.lists(st.text(st.characters(exclude_characters="\n\r\t", exclude_categories=["Cs"]))))
def test_lines_are_packed_as_words_are(lines):
    if not any(lines):
        return
    data = [line.encode() for line in lines]
    packed, expected = pack_lines(b"\n".join(data) + b"\n"), pack(data)
    assert packed.block == expected.block
    assert packed.ends.tolist() == expected.ends.tolist()


def test_words_are_decoded_in_parts(monkeypatch):
    words = [b"a", b"#1", b"#5", b"", "é".encode(), b"b"] * 3
    expected = list(pack(words))
    monkeypatch.setattr(row_words, "_WORDS_AT_ONCE", 4)
    assert list(pack(words)) == expected
    assert expected[:3] == ["a", None, "#5"]
    marked = pack([b"a\n", *words])  # no line feed can stand between these
    assert list(marked) == [marked[row] for row in range(19)] == ["a\n", *map(bytes.decode, words)]


@pytest.mark.parametrize(
    "text", ["a\nb\n\n#3\nA", "\ufeffa\nb\nb\n#2\né\n", "a\tb\nc\td\ne\tf\ng\nh\n"]
)
@pytest.mark.parametrize("shift", [None, 2])
@pytest.mark.parametrize("rows", [4, 5, 7])
def test_a_long_file_of_words_is_read_as_a_short_one(
    tmp_path, many, monkeypatch, text, shift, rows
):
    path = tmp_path / "words.txt"
    path.write_text(text, encoding="utf-8")
    long = read_words(str(path), rows, shift)
    monkeypatch.setattr(vocabulary_file, "MANY_WORDS", 2**21)
    short = read_words(str(path), rows, shift)
    assert list(long.words) == list(short.words)
    assert (long.placing, long.listed, long.beyond, long.reach) == (
        short.placing, short.listed, short.beyond, short.reach,
    )  # fmt: skip


TEXTS = ["the King is in New York, isn't he", "re-open THE naïve e-mail the_end Straße cafÃ©"]
NAMES = [
    "the", "The", None, "king", "new_york", "is", "n't", "e-mail", "re", "open", "U.S.", "us",
    "naïve", "café", "the", "york",
]  # fmt: skip
ROWS = [[row % 5, 1.0] if row not in {4, 9} else [0.0, 0.0] for row in range(len(NAMES))]


@pytest.mark.parametrize("any_case", [False, True])
def test_texts_are_covered_by_millions_of_words_as_by_few(many, monkeypatch, any_case):
    source = source_of(ROWS, NAMES)
    covered = cover(source, TEXTS, any_case=any_case)
    assert isinstance(source.words.index, WordIndex)
    monkeypatch.setattr(row_words, "MANY_WORDS", 2**21)
    expected = cover(source_of(ROWS, NAMES), TEXTS, any_case=any_case)
    assert (covered.words, covered.phrases) == (expected.words, expected.phrases)


@pytest.mark.parametrize("case", [False, True])
@pytest.mark.parametrize("restrict", [None, 6])
def test_a_test_looks_up_millions_of_words_as_few(many, monkeypatch, case, restrict):
    large = WordRows(source_of(ROWS, NAMES), case=case, restrict=restrict)
    monkeypatch.setattr(evaluated, "MANY_WORDS", 2**21)
    small = WordRows(source_of(ROWS, NAMES), case=case, restrict=restrict)
    assert isinstance(large._index, WordIndex)
    assert large.candidates.tolist() == small.candidates.tolist()
    assert large.group.tolist() == small.group.tolist()
    assert large.members == small.members
    for word in [*filter(None, NAMES), "THE", "New York", "nothing"]:
        assert large.row_of(word) == small.row_of(word)
        assert large.has_no_direction(word) == small.has_no_direction(word)


def test_a_few_words_have_a_dictionary():
    assert isinstance(Words(["a", None, "a"]).index, dict)
