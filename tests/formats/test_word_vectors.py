"""Word vectors as text and binary, against gensim and against the rule in plain Python."""

from __future__ import annotations

import gzip
import re

import numpy as np
import pytest
from gensim.models import KeyedVectors
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from embedinspect.errors import DataError
from embedinspect.formats import text_rows, word_vectors
from embedinspect.formats.word_vectors import read_text
from embedinspect.source import SourceOptions, open_source

FUNCTION_SCOPED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
# What neither form can hold, and what gensim or we would take for a line or field end.
WORD = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"], exclude_characters="\ufeff"),
    min_size=1,
    max_size=6,
).filter(lambda word: not re.fullmatch(r"[-+.\d\w]*\d.*|nan|inf(inity)?", word, re.I))
NUMBER = r"[+-]?([0-9]{1,4}|[0-9]{0,3}\.[0-9]{1,25}|[0-9]\.(e[+-]?[0-2]?[0-9])?|nan)"
FLOAT = st.floats(-(2.0**100), 2.0**100, width=32)


@st.composite
def vectors(draw, least: int = 2):
    words = draw(st.lists(WORD, min_size=least, max_size=8, unique=True))
    width = draw(st.integers(2, 5))
    rows = draw(hnp.arrays(np.float32, (len(words), width), elements=FLOAT))
    return words, rows


def as_text(words, rows, *, header=False, end="\n", trailing="") -> bytes:
    lines = [f"{len(words)} {rows.shape[1]}"] if header else []
    lines += [
        word + " " + " ".join(map(str, row)) + trailing
        for word, row in zip(words, rows, strict=True)
    ]
    return (end.join(lines) + end).encode()


@pytest.fixture
def read(tmp_path):
    def read_bytes(data: bytes, **options):
        path = tmp_path / "vectors.txt"
        path.write_bytes(data)
        return open_source(str(path), SourceOptions(**options))

    return read_bytes


@FUNCTION_SCOPED
@given(
    vectors(),
    st.booleans(),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", " "]),
    st.booleans(),
    st.integers(8, 200),
    st.booleans(),
)
def test_text_equals_gensim(
    tmp_path, monkeypatch, made, header, end, trailing, packed, block, threads
):
    words, rows = made
    path = tmp_path / "vectors.txt.gz" if packed else tmp_path / "vectors.txt"
    data = as_text(words, rows, header=header, end=end, trailing=trailing)
    path.write_bytes(gzip.compress(data) if packed else data)
    oracle = KeyedVectors.load_word2vec_format(str(path), no_header=not header)
    longest = max(map(len, data.split(b"\n"))) + 2
    block = max(block, 2 * longest)  # lines cross its end
    monkeypatch.setattr(word_vectors, "BLOCK", block)
    monkeypatch.setattr(word_vectors, "START", block if threads else 2**20)
    contents = read_text(path)
    assert list(contents.words) == oracle.index_to_key == words
    assert contents.rows.dtype == np.float32
    assert contents.rows.tobytes() == oracle.vectors.astype(np.float32).tobytes() == rows.tobytes()
    assert contents.problems.total == 0
    assert contents.kind == ("word2vec text" if header else "GloVe text")


@FUNCTION_SCOPED
@given(vectors(1), st.booleans())
def test_binary_equals_gensim(tmp_path, made, packed):
    words, rows = made
    path = tmp_path / "vectors.bin"
    vectors_ = KeyedVectors(rows.shape[1])
    vectors_.add_vectors(words, rows)
    vectors_.save_word2vec_format(str(path), binary=True)
    oracle = KeyedVectors.load_word2vec_format(str(path), binary=True)
    if packed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    source = open_source(str(path))
    assert source.kind == "word2vec binary"
    assert list(source.words) == oracle.index_to_key
    assert source.matrix.rows.tobytes() == oracle.vectors.tobytes()


@FUNCTION_SCOPED
@given(vectors(), st.data())
def test_both_paths_give_the_same(tmp_path, monkeypatch, made, data):
    words, rows = made
    path = tmp_path / "vectors.txt"
    text = bytearray(as_text(words, rows))
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(text) - 1))
        text[place] = data.draw(st.sampled_from(b" \n\t.0e-x\r\xff#"))
    path.write_bytes(bytes(text))
    with monkeypatch.context() as patched:
        fast = attempt(path)
        patched.setattr(text_rows, "_all_at_once", lambda *_: None)
        careful = attempt(path)
    assert fast == careful


@FUNCTION_SCOPED
@given(
    st.lists(
        st.tuples(
            st.integers(0, 3000), st.sampled_from([b" ", b"\n", b"x", b"\r", b"\xff", b"\t"])
        ),
        max_size=8,
    ),
    st.integers(60, 700),
    st.booleans(),
)
def test_threads_find_the_same_rows_and_problems_in_the_same_order(
    tmp_path, changes, block, header
):
    rows = np.random.RandomState(0).randint(-99, 99, (80, 6)).astype(np.float32) / 8
    text = bytearray(as_text([f"w{chr(97 + n)}" for n in range(80)], rows, header=header))
    for place, what in changes:
        place %= len(text)
        text[place : place + 1] = what
    path = tmp_path / "vectors.txt"
    path.write_bytes(text)
    whole = attempt(path)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(word_vectors, "BLOCK", block)
        patched.setattr(word_vectors, "START", len(text) // 2)
        assert attempt(path, ordered=True) == attempt(path, ordered=True)
        assert attempt(path) == whole


@pytest.mark.parametrize("number", [b"nan(1)", b"+-1", b"1_0", b"0x1p3", b"1e", b"1\t", b"\x0b1"])
def test_what_only_some_parsers_take_for_a_number_is_none(read, number):
    source = read(b"a 1 2\nb " + number + b" 3\nc 4 nan\n")
    assert list(source.words) == ["a", "c"]
    assert source.problems.counts == {"numbers": 1}


@pytest.mark.parametrize("number", [b".", b"-.", b"+", b"-", b"1.2.", b"1..", b"--1.0", b"1.0-"])
def test_what_is_no_number_is_none_among_decimal_fractions(read, number):
    source = read(b"a 1.5 2.25\nb " + number + b" 3.5\nc 4.0 5.\nd 4.0 .5\n")
    assert list(source.words) == ["a", "c", "d"]
    assert source.problems.counts == {"numbers": 1}
    source = read(b"a 1.5 2.25\nb " + number + b" 3.5\nd 4.0 .5\n")
    assert list(source.words) == ["a", "d"]


@FUNCTION_SCOPED
@given(
    st.lists(
        st.lists(
            st.from_regex(NUMBER, fullmatch=True),
            min_size=3,
            max_size=3,
        ),
        min_size=4,
        max_size=8,
    )
)
def test_numbers_of_every_spelling_are_what_python_reads(tmp_path, numbers):
    path = tmp_path / "vectors.txt"
    lines = [f"w{chr(97 + row)} {' '.join(fields)}\n" for row, fields in enumerate(numbers)]
    path.write_text("".join(lines))
    expected = np.array([[float(number) for number in fields] for fields in numbers])
    np.testing.assert_array_equal(read_text(path).rows, expected.astype(np.float32))


def test_an_empty_word_is_a_word(read):
    source = read(b"a 1 2\n 3 4\nb 5 6\n")
    assert list(source.words) == ["a", "", "b"]
    assert source.matrix.rows.tolist() == [[1, 2], [3, 4], [5, 6]]


def attempt(path, *, ordered=False):
    try:
        contents = read_text(path)
    except DataError as error:
        return str(error)
    first = contents.problems.first
    return list(contents.words), contents.rows.tobytes(), first if ordered else sorted(first)


GOOD = b"the 0.5 1 2\nof -1e-3 nan 4\n, 7 8 inf\n"


@pytest.mark.parametrize(
    ("line", "kind", "says"),
    [
        (b"short 1 2\n", "short lines", "line 2 has 2 numbers; expected 3"),
        (b"long 1 2 3 4\n", "long lines", "line 2 has 4 numbers; expected 3"),
        (b"bad 1 x 3\n", "numbers", "line 2 has 'x' as field 3; expected a number"),
        (b"bad 1 1_0 3\n", "numbers", "line 2 has '1_0' as field 3"),
        (b"huge 1 1e39 3\n", "numbers", "line 2 has a number that float32 cannot hold"),
        (b"the 9 9 9\n", "duplicate words", "the word 'the' is already in row 0"),
    ],
)
def test_wrong_lines_are_left_out_and_told(read, line, kind, says):
    at = GOOD.index(b"\n") + 1
    data = GOOD[:at] + line + GOOD[at:]
    source = read(data)
    assert list(source.words) == ["the", "of", ","]
    assert source.matrix.rows[0].tolist() == [0.5, 1, 2]
    assert source.matrix.rows[2].tolist() == [7, 8, np.inf]
    assert source.problems.counts == {kind: 1}
    assert says in source.problems.first[0]
    with pytest.raises(DataError, match=re.escape(says)):
        read(data, strict=True)


def test_words_may_hold_spaces(read):
    source = read(b"the 1 2 3\nnew york 4 5 6\n. . . 7 8 9\n")
    assert list(source.words) == ["the", "new york", ". . ."]
    assert source.matrix.rows[1].tolist() == [4, 5, 6]
    assert source.problems.total == 0


def test_bytes_that_are_no_utf_8_are_escaped(read):
    source = read(b"the 1 2 3\nclich\xe9 4 5 6\nof 7 8 9\n")
    assert list(source.words) == ["the", "clich\\xe9", "of"]
    assert "row 1" in source.problems.first[0]
    assert "0xe9" in source.problems.first[0]


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (b"9 3\n", "claims 9 rows, but 3"),
        (b"3 7\n", "claims 7 numbers a row, but the lines have 3"),
    ],
)
def test_a_header_that_lies(read, header, says):
    source = read(header + GOOD)
    assert source.matrix.rows.shape == (3, 3)
    assert says in source.problems.first[0]


def test_a_binary_header_that_lies(read):
    record = b"word " + np.array([1.5, -2], "<f4").tobytes() + b"\n"
    source = read(b"3 2\n" + record)
    assert source.matrix.rows.tolist() == [[1.5, -2]]
    assert "claims 3 rows, but has only 1" in source.problems.first[0]
    with pytest.raises(DataError, match="as many as the file can hold"):
        read(b"1 999999999\n" + record)
    with pytest.raises(DataError, match="no whole row"):
        read(b"1 3000\n" + record)


@pytest.mark.parametrize("numbers", [b"FXFZFXFZ", b"03\nF03\nF"])
def test_a_small_binary_file_whose_numbers_are_letters(read, numbers):
    source = read(b"1 2\n: " + numbers + b"\n")
    assert source.kind == "word2vec binary"
    assert list(source.words) == [":"]
    assert source.matrix.rows.tobytes() == numbers


def test_numbers_that_would_fit_a_binary_header_are_numbers(read):
    assert read(b"1 2\n3 4567890\n").matrix.rows.tolist() == [[1, 2], [3, 4567890]]


def test_a_file_that_was_cut_off_says_so(read):
    assert "may be cut off" in read(GOOD[:-1]).problems.first[-1]


def test_more_wrong_lines_than_rows(read):
    with pytest.raises(DataError, match="more wrong lines"):
        read(b"a 1 2 3\nb 1 2 x\nc 1 2 x\nd 1 2 x\n")


def test_a_gzip_bomb_and_a_torn_gzip(read, monkeypatch):
    from embedinspect.formats import packed

    monkeypatch.setattr(packed, "_SMALL", 1000)
    with pytest.raises(DataError, match="unpacks to more than"):
        read(gzip.compress(b"word 0.5 0.5\n" * 100_000))
    monkeypatch.undo()
    whole = gzip.compress(as_text(["a", "b"] * 50, np.random.RandomState(0).rand(100, 9)))
    with pytest.raises(DataError, match="damaged gzip"):
        read(whole[:-100])


def plainly(data: bytes, width: int) -> dict[bytes, list[float]]:
    """Return what the rule says: the last `width` fields are numbers, the first word counts."""
    rows: dict[bytes, list[float]] = {}
    for line in data.split(b"\n"):
        fields = line.removesuffix(b"\r").rstrip(b" ").split(b" ")
        numbers, extra = fields[-width:], fields[1:-width]
        number = re.compile(rb"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|[+-]?(nan|inf|infinity)", re.I)
        if len(fields) > width and all(map(number.fullmatch, numbers)):
            values = [float(np.float32(float(field))) for field in numbers]
            written = sum(b"inf" in field.lower() for field in numbers)
            if sum(map(np.isinf, values)) == written and not any(map(number.fullmatch, extra)):
                rows.setdefault(b" ".join(fields[:-width]), values)
    return rows


@FUNCTION_SCOPED
@given(
    st.lists(
        st.tuples(
            st.integers(0, 400),
            st.sampled_from([b"", b" ", b"\n", b"x", b"7", b".", b"\r\n", b"\xff"]),
        ),
        max_size=6,
    ),
    st.integers(0, 40),
)
def test_mutated_texts_give_the_rows_that_the_rule_gives(read, changes, cut):
    rows = np.random.RandomState(0).randint(-9, 9, (20, 4)).astype(np.float32) / 4
    data = as_text([f"w{chr(97 + n)}" for n in range(20)], rows)
    for place, what in changes:
        data = data[:place] + what + data[place + 1 :]
    data = data[: len(data) - cut]
    expected = plainly(data, 4)
    source = read(data)
    assert source.matrix.output_dim == 4
    for row, word in enumerate(source.words):
        raw = word.encode().decode("unicode_escape").encode("latin-1") if "\\x" in word else None
        wanted = expected[raw or word.encode()]
        assert source.matrix.rows[row].tolist() == wanted
    assert len(source.words) == len(expected)


# -- text or binary, words or numbers -----------------------------------------------------------


@pytest.mark.parametrize("character", [chr(code) for code in (1, 8, 14, 27, 31)])
@pytest.mark.parametrize("header", ["3 2\n", "3 9\n"])
def test_a_control_character_does_not_make_a_text_binary(read, header, character):
    """The numbers would be what the characters of the text happen to stand for."""
    data = header + f"king 0.5 0.25\nqu{character}een .1 .7\nman 1 2\n"
    source = read(data.encode())
    assert source.kind == "word2vec text"
    assert source.matrix.rows.tolist()[::2] == [[0.5, 0.25], [1, 2]]


def test_a_null_character_in_a_text_is_refused(read):
    with pytest.raises(DataError, match="of no known format"):
        read(b"3 2\nking 0.5 0.25\nqu\0een .1 .7\nman 1 2\n")


def test_a_word_that_was_cut_into_ends_what_is_shown(read):
    """With line feeds between the records, one that ends at the wrong place can be told."""
    rows = np.random.RandomState(0).standard_normal((9, 4)).astype("<f4")
    records = [b"word%d " % n + row.tobytes() + b"\n" for n, row in enumerate(rows)]
    for place in (8, 12, 20):  # in the numbers of the sixth
        data = bytearray(b"9 4\n" + b"".join(records))
        del data[4 + 5 * len(records[0]) + place]
        source = read(bytes(data))
        assert list(source.words) == [f"word{n}" for n in range(5)]
        assert source.matrix.rows.tobytes() == rows[:5].tobytes()
        [problem] = source.problems.first
        assert "row 5: the record of 'word5' ends at the wrong place" in problem


@pytest.mark.parametrize("words", [["10", "11", "12"], ["#5", "#6", "#7"], ["a b", "c d", "e f"]])
@pytest.mark.parametrize("width", [1, 2, 3])
def test_a_header_makes_word_vectors_of_any_words(read, words, width):
    rows = np.random.RandomState(0).random((3, width)).astype(np.float32)
    for count in (1, 3):
        source = read(as_text(words[:count], rows[:count], header=True))
        assert source.kind == "word2vec text"
        assert list(source.words) == words[:count]
        assert source.matrix.rows.tobytes() == rows[:count].tobytes()


@pytest.mark.parametrize("words", [["#5", "#6"], ["a b", "c d"], ["#x", "a b c"]])
def test_words_with_a_sign_or_with_spaces_need_no_header(read, words):
    rows = np.array([[0.5, 0.25], [0.75, 1]], np.float32)
    source = read(as_text(words, rows))
    assert list(source.words) == words
    assert source.matrix.rows.tobytes() == rows.tobytes()


@pytest.mark.parametrize("header", [True, False])
def test_lines_longer_than_what_is_looked_at_first(read, header):
    rows = np.random.RandomState(0).random((2, 8_000)).astype(np.float32)
    source = read(as_text(["a", "b"], rows, header=header))
    assert list(source.words) == ["a", "b"]
    assert source.matrix.rows.tobytes() == rows.tobytes()
