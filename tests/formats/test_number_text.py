"""Texts of numbers: numpy.loadtxt as the oracle, then fields that are no numbers."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from embedinspect.errors import DataError
from embedinspect.formats import number_text, open_matrix

SEPARATORS = {" ": None, "  ": None, "\t": None, ",": ",", ", ": ",", " , ": ",", ";": ";"}
FINITE = st.floats(allow_nan=False, allow_infinity=False, width=32)


@pytest.fixture
def rows_of(tmp_path):
    def read(data: bytes) -> np.ndarray:
        path = tmp_path / "matrix"
        path.write_bytes(data)
        return open_matrix(str(path)).rows

    return read


@pytest.fixture
def refusal(rows_of):
    def refuse(data: bytes) -> str:
        with pytest.raises(DataError) as caught:
            rows_of(data)
        assert len(str(caught.value).splitlines()) == 1
        return str(caught.value)

    return refuse


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    array=hnp.arrays("f8", hnp.array_shapes(min_dims=2, max_dims=2, max_side=5), elements=FINITE),
    separator=st.sampled_from(list(SEPARATORS)),
    form=st.sampled_from(["{!r}", "{:.18e}", "{:+.3f}", "{:.9G}"]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_equals_what_numpy_reads(rows_of, array, separator, form, end):
    lines = (separator.join(form.format(float(value)) for value in row) for row in array)
    text = end.join(["# a comment", "", *lines])
    oracle = np.loadtxt(io.StringIO(text), delimiter=SEPARATORS[separator], ndmin=2)
    rows = rows_of(text.encode())
    assert rows.dtype == np.float32
    assert rows.flags.c_contiguous
    assert rows.shape == oracle.shape
    assert rows.tobytes() == oracle.astype(np.float32).tobytes()


@pytest.mark.parametrize(
    "field", ["1", "+1", "-1", "1.", ".5", "1e5", "1E-5", "1.e+5", "0" * 200 + "1", "1e-300"]
)
def test_spellings_of_numbers(rows_of, field):
    assert rows_of(field.encode()).tolist() == [[np.float32(float(field))]]


def test_nan_and_infinity_are_numbers(rows_of):
    rows = rows_of(b"nan NaN inf -inf Infinity\n")[0]
    assert np.isnan(rows[:2]).all()
    assert rows[2:].tolist() == [np.inf, -np.inf, np.inf]


@pytest.mark.parametrize(
    "field", ["1_000", "0x10", "1e", "--1", ".", "e5", "1.2.3", "1d5", "٣", "１", "infin"]
)
def test_fields_that_are_no_numbers(refusal, field):
    message = refusal(f"1 2\n\n3 {field}\n".encode())
    assert f"line 3 has {field!r} as field 2" in message
    assert "text of numbers" in message


def test_a_long_field_is_clipped_and_takes_linear_time(refusal):
    started = time.process_time()
    message = refusal(b"1" * 500_000 + b"x")
    assert time.process_time() - started < 2  # minutes, were a digit matched in two ways
    assert repr("1" * 37 + "...") in message


def test_a_field_that_could_disturb_a_screen_is_escaped(refusal):
    assert "\x1b" not in refusal(b"1 \x1b[2J\n")


@pytest.mark.parametrize("field", ["1e300", "-1e300", "1e999", "3.5e38", "3.4028236e38"])
def test_values_beyond_float32(refusal, field):
    message = refusal(f"1\n{field}\n".encode())
    assert f"line 2 has {field!r} as field 1" in message
    assert "float32" in message


def test_the_largest_float32_is_no_value_beyond_it(rows_of):
    largest = np.finfo(np.float32).max
    assert rows_of(b"3.4028235e38 -3.40282350e38").tolist() == [[largest, -largest]]


def test_rows_of_other_widths(refusal):
    assert "line 4 has 3 numbers; expected 2" in refusal(b"# x\n1 2\n\n1 2 3\n")
    assert "line 2 has 1 number; expected 2" in refusal(b"1,2\n3\n")


@pytest.mark.parametrize("data", [b"1,,2\n", b",1\n", b"1,2,\n", b"1;\t;2\n"])
def test_empty_fields(refusal, data):
    assert "''" in refusal(data)


def test_the_byte_order_mark_is_left_out_at_the_start_alone(rows_of, refusal):
    assert rows_of(b"\xef\xbb\xbf1 2\n").tolist() == [[1, 2]]
    assert "line 2" in refusal(b"1 2\n\xef\xbb\xbf3 4\n")


@pytest.mark.parametrize("data", [b"\n\n", b"# 1 2\n", b"\xef\xbb\xbf", b"  \t\n"])
def test_texts_without_numbers(refusal, data):
    assert "holds no numbers" in refusal(data)


def test_bytes_that_are_not_utf_8(refusal):
    assert "line 2 is not UTF-8 (byte 0xff)" in refusal(b"1\n\xff\n")


def test_carriage_returns_alone_do_not_join_rows(refusal, rows_of):
    assert "line 1 has a carriage return inside" in refusal(b"1 2\r3 4\r")
    assert rows_of(b"1 2\r\n3 4\r\n").shape == (2, 2)


def test_a_line_that_is_too_long_is_not_cut_into_rows(refusal, monkeypatch):
    monkeypatch.setattr(number_text, "_LONGEST_LINE", 64)
    assert "line 2 has 64 bytes or more" in refusal(b"# x\n" + b"1 " * 64 + b"\n")


def test_more_numbers_than_may_be(refusal, monkeypatch):
    monkeypatch.setattr(number_text, "MOST_VALUES", 3)
    assert "more than 3 numbers" in refusal(b"1 2\n3 4\n")


def test_a_text_that_begins_like_a_zip_is_a_text(rows_of):
    assert rows_of(b"PK 1 2\n").tolist() == [[1, 2]]
