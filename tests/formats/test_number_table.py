"""Tables of numbers with headings: the headings are never a row, and what is odd is told."""

from __future__ import annotations

import io

import numpy as np
import pytest

from embedinspect.errors import DataError, UsageError
from embedinspect.source import SourceOptions, open_source
from tests.builders import VECTORS, write_projector

ROWS = np.array([[0.5, -1.25, 3], [1e-30, 2, 7.125]], np.float32)


@pytest.fixture
def opened(tmp_path):
    def open_text(text: str, **options: str):
        path = tmp_path / "table"
        path.write_text(text)
        return open_source(str(path), SourceOptions(**options))

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


# -- a column of lists ----------------------------------------------------------------------------

LISTS = ["[1, 2.5]", "[1,2.5]", "[1. 2.5]", "[ 1.\n 2.5]", "{1,2.5}", "(1, 2.5)", "1 2.5"]
LISTS += ["[np.float32(1.0), np.float64(2.5)]"]


@pytest.mark.parametrize("written", LISTS)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_lists_are_read_however_they_are_written(opened, written, delimiter):
    lines = [["", "word", "vector"], ["0", "king", f'"{written}"'], ["1", "queen", '"[3 4.5]"']]
    lines[2][2] = f'"{written.replace("1", "3").replace("2.5", "4.5")}"'
    source = opened("".join(delimiter.join(line) + "\n" for line in lines))
    assert source.matrix.rows.tolist() == [[1, 2.5], [3, 4.5]]
    assert (list(source.words), source.tensor) == (["king", "queen"], "vector")


def test_long_lists_over_many_lines_are_read_though_the_first_bytes_cut_one(opened):
    """As pandas writes NumPy's arrays: each has some lines, and the first bytes end in one."""
    rows = np.random.default_rng(0).standard_normal((50, 900)).astype(np.float32)
    with np.printoptions(threshold=10_000, precision=None, floatmode="unique"):
        body = "".join(f'w{n},"{row}"\n' for n, row in enumerate(rows))
    source = opened(f"word,embedding\n{body}")
    assert source.matrix.rows.tobytes() == rows.tobytes()
    assert len(body) > 2**18


def test_one_field_may_be_longer_than_the_module_csv_takes(opened):
    numbers = [0.5] * 50_000
    assert opened(f'word,v\na,"{numbers}"\nb,"{numbers}"\n').matrix.rows.shape == (2, 50_000)


def test_one_of_several_columns_of_lists_is_picked(opened):
    text = 'key,title,a,b\n7,x,"[1, 2]","[3, 4]"\n8,y,"[5, 6]","[7, 8]"\n'
    with pytest.raises(UsageError, match=r"several columns of vectors \('a', 'b'\)"):
        opened(text)
    source = opened(text, vectors="b", words="key")
    assert source.matrix.rows.tolist() == [[3, 4], [7, 8]]
    assert list(source.words) == ["7", "8"]


def test_the_words_of_columns_of_numbers_are_named(opened):
    text = "key,title,url,a,b\n7,x,u,1,2\n8,y,v,3,4\n"
    source = opened(text, words="key")
    assert (list(source.words), source.matrix.rows.tolist()) == (["7", "8"], [[1, 2], [3, 4]])
    assert list(opened(text, words="url").words) == ["u", "v"]
    with pytest.raises(UsageError, match="expected a column of words"):
        opened(text, words="nothing")
    with pytest.raises(UsageError, match="--vectors names a column of lists"):
        opened(text, vectors="a")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('word,v\na,"[1, 2]"\nb,"[3]"\n', "line 3 has 1 number; expected 2"),
        ("word,v\n" + 'a,"[1, 2]"\n' * 30 + 'b,"[3, x]"\n', r"line 32 has '\[3, x\]' as its vec"),
        ("word,v\n" + 'a,"[1, 2]"\n' * 30 + "b,\n", "line 32 has '' as its vector"),
        ("word,v\n" + 'a,"[1, 2]"\n' * 30 + 'b,"[3, 1e39]"\n', "line 32 has '1e39' as field 2"),
        ('word,v\na,"[1 2 ... 3]"\nb,"[1 2 ... 3]"\n', "line 2 has a vector with '...' in place"),
        ('a,"[1, 2]"\nb,"[3, 4]"\n', "expected a number"),
    ],
)
def test_lists_that_are_wrong_are_named(opened, text, says):
    with pytest.raises(DataError, match=says):
        opened(text)


def test_numbers_with_commas_or_spaces_are_no_lists(opened):
    with pytest.raises(DataError, match="expected a number"):
        opened("word;value\na;0,5\nb;0,25\n")
    with pytest.raises(DataError):
        opened("name,phone,place\na,030 1234,x\nb,030 555,y\n")
