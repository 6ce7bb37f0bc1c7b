"""Tensors, with the safetensors package as the oracle, and headers that lie."""

from __future__ import annotations

import json

import numpy as np
import pytest
import safetensors.numpy

from embedinspect.errors import DataError, UsageError
from embedinspect.source import SourceOptions, open_source

ROWS = np.arange(6, dtype=np.float32).reshape(3, 2) / 4


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int8", "uint8", "int64"])
def test_safetensors(tmp_path, dtype):
    path = tmp_path / "m.safetensors"
    safetensors.numpy.save_file({"a": (ROWS * 4).astype(dtype), "bias": np.ones(3, "f4")}, path)
    source = open_source(str(path))
    assert source.tensor == "a"
    assert (source.matrix.rows == ROWS * 4).all()
    safetensors.numpy.save_file({"a": ROWS, "my_embed": ROWS + 1}, path)
    with pytest.raises(UsageError, match=r"called embedding: 'my_embed' \(3 x 2\)"):
        open_source(str(path))
    assert (open_source(str(path), SourceOptions(tensor="a")).matrix.rows == ROWS).all()
    with pytest.raises(UsageError, match="--tensor is 'b'"):
        open_source(str(path), SourceOptions(tensor="b"))


def tensors(header, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def test_bfloat16_is_the_upper_half_of_float32(tmp_path):
    entry = {"dtype": "BF16", "shape": [3, 2], "data_offsets": [0, 12]}
    upper = (ROWS.view(np.uint32) >> 16).astype("<u2").tobytes()
    path = tmp_path / "m.safetensors"
    path.write_bytes(tensors({"a": entry}, upper))
    assert (open_source(str(path)).matrix.rows == ROWS).all()


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ({"a": {"dtype": "F32", "shape": [9, 2], "data_offsets": [0, 72]}}, "a whole tensor"),
        ({"a": {"dtype": "F32", "shape": [3, 2], "data_offsets": [0, 8]}}, "a whole tensor"),
        ({"a": {"dtype": "F32", "shape": [3, 2], "data_offsets": [-24, 0]}}, "damaged header"),
        ({"a": {"dtype": "F32", "shape": [10**9, 10**9], "data_offsets": [0, 1]}}, "a whole tensor"),
        ({"a": {"dtype": "F32", "shape": [0, 2], "data_offsets": [0, 0]}}, "after its last tensor"),
        ({"a": {"dtype": "X", "shape": [3, 2], "data_offsets": [0, 24]}}, "has dtype 'X'"),
        ({"a": {"shape": [3, 2]}}, "damaged header"),
        ({"a": []}, "damaged header"),
        (b"{" + b'"a":[' * 90_000, "damaged header"),
        (b"{" * 50, "damaged header"),
    ],
)
def test_safetensors_that_lie(tmp_path, header, says):
    path = tmp_path / "m.safetensors"
    path.write_bytes(tensors(header, bytes(24)))
    with pytest.raises((DataError, UsageError), match=says):
        open_source(str(path))
