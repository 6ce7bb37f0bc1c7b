"""JSON Lines and JSON: each number becomes the nearest float32, and what is no vector is named."""

from __future__ import annotations

import json
import re
import tracemalloc
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embedinspect.errors import DataError, UsageError
from embedinspect.formats import json_items
from embedinspect.source import SourceOptions, open_source

ROWS = [[0.5, -1.25], [3, 1e-3], [4, 5]]
WORDS = ["a", "line\nfeed", "ü ☃"]
OBJECTS = [{"id": 7, "word": word, "v": row} for word, row in zip(WORDS, ROWS, strict=True)]


@pytest.fixture
def opened(tmp_path):
    def write_and_open(text: str, **options):
        path = tmp_path / "table"
        path.write_text(text, encoding="utf-8")
        return open_source(str(path), SourceOptions(**options))

    return write_and_open


def lines(values) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


TEXTS = {
    "lines of objects": lines(OBJECTS),
    "lines without a last line feed": lines(OBJECTS)[:-1],
    "lines with blank ones": lines(OBJECTS).replace("\n", "\r\n\n"),
    "a byte order mark": "\ufeff" + lines(OBJECTS),
    "no escapes": json.dumps(OBJECTS, ensure_ascii=False),
    "a list of objects": json.dumps(OBJECTS),
    "a list of objects in many lines": json.dumps(OBJECTS, indent=2),
    "an object of words": json.dumps(dict(zip(WORDS, ROWS, strict=True))),
    "an object of words in many lines": json.dumps(dict(zip(WORDS, ROWS, strict=True)), indent=1),
    "lists": json.dumps(ROWS),
    "a list a line": lines(ROWS),
    "keys that count": lines(
        {"word": word, "dim_1": row[1], "dim_0": row[0]}
        for word, row in zip(WORDS, ROWS, strict=True)
    ),
}


ROW = '{"word": "a", "vector": [1, 2]}'


@pytest.mark.parametrize(
    ("first", "says"),
    [
        ('{"word": "b", "vector": [1, 2}', "line 1 is damaged JSON (Expecting ',' delimiter: col"),
        ('{"word" "b", "vector": [1, 2]}', "line 1 is damaged JSON (Expecting ':' delimiter: colu"),
        ("{word: 'b', vector: [1, 2]}", "line 1 is damaged JSON"),
        ("b 1 2", "line 1 is damaged JSON (Expecting value: column 1)"),
        (f'{ROW}\n{{"word": "b", "vector": [1, "2"]}}', "line 2 has a vector with something else"),
        (f'{ROW}\n{{"word": "b", "vector": [1, null]}}', "line 2 has a vector with something els"),
        (f"{ROW}\n{ROW[:-2]}", "line 2 is damaged JSON (Expecting ',' delimiter: column 30)"),
        (f"{ROW}\nb 1 2", "line 2 is damaged JSON (Expecting value: column 1)"),
    ],
)
@pytest.mark.parametrize("strict", [True, False])
def test_a_wrong_line_of_json_lines_is_named_as_such(tmp_path, first, says, strict):
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{first}\n{ROW}\n")
    with pytest.raises(DataError, match=re.escape(f"rows.jsonl' {says}")):
        open_source(str(path), SourceOptions(strict=strict))


@pytest.mark.parametrize("text", ["1 2\n-3 4\n", "a 1 2\nb -3 4\n", "word,x,y\na,1,2\nb,-3,4\n"])
def test_a_text_of_another_kind_is_read_by_whatever_name(tmp_path, text):
    path = tmp_path / "rows.jsonl"
    path.write_text(text)
    assert open_source(str(path)).matrix.rows.tolist() == [[1, 2], [-3, 4]]


def test_words_some_of_which_are_whole_numbers_are_words(opened):
    rows = [{"word": word, "vector": [1, 2]} for word in ("a", 1990, "b")]
    assert list(opened(lines(rows)).words) == ["a", "1990", "b"]


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_every_layout_gives_the_same_rows_and_words(opened, name):
    source = opened(TEXTS[name])
    assert source.matrix.rows.tolist() == np.array(ROWS, np.float32).tolist()
    assert (source.words is None) == ("list" in name and "objects" not in name)
    assert source.words is None or list(source.words) == WORDS
    assert source.kind == ("JSON Lines" if name in LINES else "JSON")


LINES = {name for name in TEXTS if "line" in name and "many" not in name} | {
    "a byte order mark",
    "keys that count",
}


def nearest(text: str) -> np.float32:
    """Return the float32 nearest to a number as it is written, the even one of two."""
    start = np.float32(float(text))
    near = [np.nextafter(start, np.float32(side)) for side in (-np.inf, np.inf)]
    exact = Decimal(text)
    return min(
        (number for number in (*near, start) if np.isfinite(number)),
        key=lambda number: (abs(Decimal(float(number)) - exact), number.view(np.uint32) & 1),
    )


@st.composite
def numbers(draw) -> str:
    """Draw a number as it may be written, often close to the middle of two float32."""
    if draw(st.booleans()):
        return draw(st.floats(-1e38, 1e38, allow_nan=False).map(repr))
    number = np.float32(draw(st.floats(2.0**-149, 2.0**123, width=32)))
    middle = (Decimal(float(number)) + Decimal(float(np.nextafter(number, np.float32(np.inf))))) / 2
    nudge = Decimal(draw(st.sampled_from([-1, 0, 1]))) * middle * Decimal("1e-25")
    return f"{middle + nudge:.60e}"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(st.lists(st.tuples(numbers(), numbers()), min_size=1, max_size=5), st.booleans())
def test_numbers_are_rounded_once(opened, pairs, as_lines):
    items = [f'{{"v": [{first}, {second}]}}' for first, second in pairs]
    text = "\n".join([*items, ""]) if as_lines else f"[{','.join(items)}]"
    wanted = [[nearest(first), nearest(second)] for first, second in pairs]
    assert opened(text).matrix.rows.tolist() == np.array(wanted).tolist()


def test_numbers_that_are_none_are_read_as_such(opened):
    rows = opened('[{"v": [NaN, -Infinity]}, {"v": [Infinity, 1]}]').matrix.rows
    assert np.array_equal(rows, [[np.nan, -np.inf], [np.inf, 1]], equal_nan=True)


def test_columns_are_chosen_as_in_other_tables(opened):
    text = lines({"key": 7 + n, "a": [n, 0.5], "b": [n, 1.5], "t": "x", "u": "y"} for n in (1, 2))
    with pytest.raises(UsageError, match=r"several columns of vectors \('a', 'b'\)"):
        opened(text)
    source = opened(text, vectors="b", words="key")
    assert source.matrix.rows.tolist() == [[1, 1.5], [2, 1.5]]
    assert list(source.words) == ["8", "9"]
    with pytest.raises(UsageError, match=r"--vectors names a column, and .* lists without names"):
        opened("[[1, 2]]", vectors="b")


def test_a_configuration_is_no_row_of_numbers(opened):
    with pytest.raises(DataError, match=r"one object with numbers \('a', 'b'\)"):
        opened('{"a": 1.5, "b": 2.5, "c": "x"}')
    assert opened('{"a": 1.5, "b": 2.5}\n{"a": 1, "b": 2}').matrix.rows.shape == (2, 2)


def test_halves_of_characters_are_replaced(opened):
    assert list(opened('{"a\\ud83d": [1, 2], "\\ud83d\\ude00": [3, 4]}').words) == ["a\ufffd", "😀"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}", "holds no vectors"),
        ("[]\n", "holds no vectors"),
        ('["a", "b"]', "holds no vectors"),
        ("[0.5, 1]", "holds no vectors"),
        ('{"king": 1, "queen": 2}', "no column of vectors .it has 'king', 'queen'"),
        ("[[1, 2], [3]]", "item 2 has 1 number; expected 2, as in the rows before it"),
        ("[1, 2]\n\n[3]\n", "line 3 has 1 number; expected 2"),
        ("[[1, 2], [3, null]]", "item 2 has a vector with something else than numbers"),
        ("[[1, 2], [3, true]]", "item 2 has a vector with something else than numbers"),
        ('[[1, 2], [3, "4"]]', "item 2 has a vector with something else than numbers"),
        ("[[1, 2], []]", "item 2 has 0 numbers; expected 2"),
        ("[[1, 2], [3, 4]", "item 2 is damaged JSON"),
        ("[[1, 2], [3, 4],]", "item 3 is damaged JSON"),
        ("[[1, 2], [3, 4]] x", "item 2 is damaged JSON .'more follows after its end'"),
        ('{"a": [1, 2], "b" [3, 4]}', "item 2 is damaged JSON"),
        ('{"a": [1, 2], "b": 3}', "item 2 is no list"),
        ('{"v": [1, 2]}\n{"v": [3, 4\n', "line 2 is damaged JSON"),
        ('{"v": [1, 2]}\n[3, 4]\n', "line 2 is no object"),
        ('{"v": [1, 2]}\n{"w": "a"}\n', "line 2 has no vector; expected a list as its 'v'"),
        ("[[1e39, 2]]", "item 1 has '1e39'; expected numbers that float32 can hold"),
        (f"[[1, 2], [{'9' * 400}, 2]]", "item 2 has '999.*float32 can hold"),
        (f"[[1, 2], [{'9' * 5000}, 2]]", "item 2 is damaged JSON"),
        ('{"v": [1, 2], "word": "a"}\n' * 20 + '{"v": [1, 2], "word": 1.5}', "line 21 has a word"),
    ],
)
def test_what_is_wrong_is_named(opened, text, says):
    with pytest.raises(DataError, match=says):
        opened(text)


def test_words_of_vectors_that_look_like_json_are_words(opened):
    source = opened('["a" 0.5 1\n{"b": 2 3\n[1,2] 4 5\n')
    assert list(source.words) == ['["a"', '{"b":', "[1,2]"]


# -- texts that would take much memory or time ----------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a":' * 100_000, "item 1 nests too deep"),
        ("[[1, 2], " + "[" * 100_000, "item 2 nests too deep"),
        ('{"v": [1, 2]}\n{"v": ' + "[" * 100_000 + "\n", "line 2 nests too deep"),
        ("[[1, 2]" + ", []" * 5_000_000 + "]", "too many parts"),
        ('{"v": [1, 2]}\n{"v": [' + "[]," * 300_000 + "[]]}\n", "line 2 is too large"),
        ('[{"v": [' + "0.5," * 5_000_000 + "1]}]", "too many parts, or too long ones"),
        ("[1, 2]\n[" + "0.5," * 6_000_000 + "1]\n", "line 2"),
    ],
)  # fmt: skip
def test_texts_that_would_take_much_memory_are_refused(opened, tmp_path, text, says):
    (tmp_path / "table").write_text(text)
    tracemalloc.start()
    with pytest.raises(DataError, match=says):
        open_source(str(tmp_path / "table"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**27


def test_a_text_in_many_blocks_is_read_in_order(opened, monkeypatch):
    monkeypatch.setattr(json_items, "_BLOCK", 100)
    rows = np.random.default_rng(0).standard_normal((300, 3)).astype(np.float32)
    values = [{"word": f"w{n}", "v": row.tolist()} for n, row in enumerate(rows)]
    for text in (lines(values), json.dumps(values)):
        source = opened(text)
        assert source.matrix.rows.tobytes() == rows.tobytes()
        assert list(source.words) == [value["word"] for value in values]
