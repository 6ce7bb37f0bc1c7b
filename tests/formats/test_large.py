"""Arrays of more numbers than memory would be given: mapped ones open, whatever their size.

The files are sparse: they have their size, and hardly take room on the disk.
"""

from __future__ import annotations

import json
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from numpy.lib import format as npy

from embedinspect.errors import DataError
from embedinspect.formats import arrays, open_file, safetensors_file
from embedinspect.matrix import MOST_VALUES
from embedinspect.source import open_source

WIDTH = 2**12
ROWS = MOST_VALUES // WIDTH + 1  # one more than would be read into memory
LAST = np.arange(WIDTH, dtype=np.float32) % 32 + 1


def write(path: Path, header: bytes, last: np.ndarray, rows: int = ROWS) -> str:
    """Write rows of zeros, but for the last one."""
    with path.open("wb") as file:
        file.write(header)
        file.seek((rows - 1) * last.nbytes, 1)
        file.write(last.tobytes())
    return str(path)


def npy_header(path: Path, dtype: str, shape: tuple[int, ...] = (ROWS, WIDTH)) -> bytes:
    with path.open("wb") as file:
        npy.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
    return path.read_bytes()


def safetensors_header(dtype: str, size: int) -> bytes:
    entry = {"dtype": dtype, "shape": [ROWS, WIDTH], "data_offsets": [0, size * ROWS * WIDTH]}
    text = json.dumps({"a": entry}).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


@pytest.mark.parametrize("dtype", ["<f4", "<f2", "<V2"])
def test_an_npy_file_may_have_any_number_of_numbers(tmp_path, dtype):
    path = tmp_path / "large.npy"
    last = LAST.astype(ml_dtypes.bfloat16 if dtype == "<V2" else dtype)
    rows = open_source(write(path, npy_header(path, dtype), last)).matrix.rows
    assert rows.shape == (ROWS, WIDTH)
    assert (rows[ROWS - 1] == LAST).all()
    assert (rows[-3:].sum(axis=1) == [0, 0, LAST.sum()]).all()
    assert not rows[0].any()


@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16"])
def test_a_tensor_may_have_any_number_of_numbers(tmp_path, dtype):
    kinds = {"F32": np.float32, "F16": np.float16, "BF16": ml_dtypes.bfloat16}
    last = LAST.astype(kinds[dtype])
    header = safetensors_header(dtype, last.itemsize)
    rows = open_source(write(tmp_path / "large.safetensors", header, last)).matrix.rows
    assert rows.shape == (ROWS, WIDTH)
    assert (rows[ROWS - 1] == LAST).all()
    assert not rows[0].any()


def test_what_is_converted_in_memory_is_still_bounded(tmp_path):
    path = tmp_path / "large"
    for dtype in ("<f8", ">f4", "<i2"):
        write(path, npy_header(path, dtype), LAST.astype(dtype))
        with pytest.raises(DataError, match=r"or any number in a \.npy file"):
            open_file(str(path))
    write(path, safetensors_header("F64", 8), LAST.astype("<f8"))
    with pytest.raises(DataError, match="of type F64; expected at most 2,147,483,648, or any"):
        open_file(str(path))


def test_a_header_that_claims_more_than_the_file_has_is_refused(tmp_path):
    path = tmp_path / "large.npy"
    header = npy_header(path, "<f4", (2**50, 2**12))
    path.write_bytes(header + bytes(2**25))
    with pytest.raises(DataError, match="but only 33,554,432 follow"):
        open_file(str(path))


def test_rows_without_an_id_of_32_bits_are_refused(tmp_path, monkeypatch):
    for module in (arrays, safetensors_file):
        monkeypatch.setattr(module, "MOST_ROWS", ROWS - 1)
    path = tmp_path / "large"
    write(path, npy_header(path, "<f4"), LAST)
    with pytest.raises(DataError, match=r"has 524,289 rows; expected at most 524,288"):
        open_file(str(path))
    write(path, safetensors_header("F32", 4), LAST)
    with pytest.raises(DataError, match="from 1 to 524,288 rows"):
        open_file(str(path))
