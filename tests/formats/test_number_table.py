"""Tables of numbers with headings: the headings are never a row, and what is odd is told."""

from __future__ import annotations

import io

import numpy as np
import pytest

from embedinspect.errors import DataError
from embedinspect.source import open_source
from tests.builders import VECTORS, write_projector

ROWS = np.array([[0.5, -1.25, 3], [1e-30, 2, 7.125]], np.float32)


@pytest.fixture
def opened(tmp_path):
    def open_text(text: str):
        path = tmp_path / "table"
        path.write_text(text)
        return open_source(str(path))

    return open_text


def as_pandas(delimiter, *, headings, index=None, quote=""):
    """Return what DataFrame.to_csv(sep=delimiter, index=...) writes."""
    lines = [([quote or ""] if index else []) + list(headings)]
    for place, row in enumerate(ROWS):
        lines.append(([index[place]] if index else []) + [repr(float(value)) for value in row])
    return "".join(delimiter.join(line) + "\n" for line in lines)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", " "])
@pytest.mark.parametrize(
    "headings", [["a", "b", "c"], ["0", "1", "2"], ["dim_0", "dim_1", "dim_2"]]
)
@pytest.mark.parametrize("index", [None, ["0", "1"], ["king", "queen"]])
def test_the_headings_are_no_row(opened, delimiter, headings, index):
    quote = '""' if delimiter == " " else ""
    source = opened(as_pandas(delimiter, headings=headings, index=index, quote=quote))
    assert source.kind == "table with headings"
    assert source.matrix.rows.tolist() == ROWS.tolist()
    assert (None if source.words is None else list(source.words)) == (
        index if index == ["king", "queen"] else None
    )


@pytest.mark.parametrize("delimiter", "\t ")
def test_headings_above_word_vectors_are_left_out_and_told(opened, delimiter):
    source = opened("word a b\nking 0.5 1\nqueen 2 3\n".replace(" ", delimiter))
    assert list(source.words) == ["king", "queen"]
    assert source.problems.first == ["line 1 has 'a' as field 2; expected a number"]


def test_what_rows_writes_is_read_back(run, opened):
    code, out, _ = run("rows", str(VECTORS), "king", "queen", "--format", "csv")
    assert code == 0
    source = opened(out.decode())
    original = open_source(str(VECTORS))
    assert list(source.words) == ["king", "queen"]
    wanted = original.matrix.rows[original.rows_of(["king", "queen"])]
    assert source.matrix.rows.tobytes() == wanted.tobytes()
    assert source.warnings == ()


def test_words_with_separators_and_line_feeds_are_quoted(opened):
    source = opened('word,dim_0,dim_1\n"a,b",1,2\n"c ""d""",3,4\n"e\nf",5,6\n')
    assert list(source.words) == ["a,b", 'c "d"', "e\nf"]
    assert source.matrix.rows.tolist() == [[1, 2], [3, 4], [5, 6]]


def test_columns_that_are_left_out_are_told(opened):
    [warning] = opened("word,place,kind,dim_0,dim_1\na,1,x,2,3\nb,2,y,4,5\n").warnings
    assert "2 columns of numbers are the vectors; left out: 'place', 'kind'" in warning


@pytest.mark.parametrize("text", ["0 1 2\n3 4 5\n", "0,1\n5,7\n", "0.0,1.0\n0.5,0.5\n"])
def test_a_row_that_looks_like_headings_is_a_row(opened, text):
    rows = np.loadtxt(io.StringIO(text.replace(",", " ")), dtype=np.float32)
    assert opened(text).matrix.rows.tolist() == rows.tolist()


def test_a_row_that_may_be_headings_is_told(opened):
    source = opened("0 1\n0.5 0.25\n")
    assert source.matrix.rows.tolist() == [[0, 1], [0.5, 0.25]]
    [warning] = source.warnings
    assert "line 1 of" in warning
    assert "if it names them, remove it" in warning


def test_ids_before_the_numbers_are_told(opened):
    [warning] = opened("10 0.5 0.25\n11 0.75 1\n").warnings
    assert "the first column of" in warning
    assert "is read as dimension 0" in warning


def test_a_header_without_rows_is_told(opened):
    [warning] = opened("3 2\n").warnings
    assert "may be the header of word vectors whose rows are missing" in warning


def test_the_rows_of_a_projector_have_no_headings(tmp_path):
    write_projector(tmp_path, rows="0\t1\t2\n0.5\t0.25\t0.125\n")
    source = open_source(str(tmp_path / "vectors.tsv"))
    assert source.matrix.rows.tolist() == [[0, 1, 2], [0.5, 0.25, 0.125]]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0,5 0,25\n0,1 0,75\n", "line 1 has '0,5', with a comma in the number"),
        ("0,5;0,25\n0,1;0,75\n", "line 1 has '0,5', with a comma in the number"),
        ("king 0,5 0,25\nqueen 0,1 0,75\n", "line 1 has '0,5', with a comma in the number"),
        ("king,0.5,0.25\nqueen,0.1,0.75\n", "line 1 has ',' between the word 'king' and its"),
        ("king;0.5;0.25\nqueen;0.1;0.75\n", "line 1 has ';' between the word 'king' and its"),
        ("a,b\n" + "1,2\n" * 30 + "3,x\n", "line 32 has 'x' as field 2"),
        ("a,b\n" + "1,2\n" * 30 + "3\n", "line 32 has 1 field; expected 2, as in line 1"),
        ("a,b\n" + "1,2\n" * 30 + '3,"4', "cannot be read as a table near line 32"),
    ],
)
def test_what_is_wrong_is_named(opened, text, says):
    with pytest.raises(DataError, match=says):
        opened(text)


def test_a_text_with_labels_is_no_matrix(opened):
    with pytest.raises(DataError, match="expected a number"):
        opened("text,label\na good film,1\na bad film,0\n")


def test_numbers_are_rounded_once(opened):
    """The nearest float64 lies in the middle of two float32, what was written above it."""
    above, below = "1.000000178813934326171876", "1.000000178813934326171874"
    source = opened(f"{above} {below}\n0.5 0.5\n")
    lower = np.float32(1.0000001)
    assert source.matrix.rows[0].tolist() == [np.nextafter(lower, np.float32(2)), lower]
