"""Tensors, with the safetensors package as the oracle, and headers that lie."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embedinspect.errors import DataError, UsageError
from embedinspect.formats.safetensors_file import read_entries
from embedinspect.source import SourceOptions, open_source

FP8 = Path(__file__).parents[1] / "data" / "models" / "fp8"

FP8_TYPES = {"F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ"}
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
        (
            {"a": {"dtype": "F32", "shape": [10**9, 10**9], "data_offsets": [0, 1]}},
            "a whole tensor",
        ),
        ({"a": {"dtype": "F32", "shape": [0, 2], "data_offsets": [0, 0]}}, "after its last tensor"),
        ({"a": {"dtype": "X", "shape": [3, 2], "data_offsets": [0, 24]}}, "has dtype 'X'"),
        ({"a": {"shape": [3, 2]}}, "damaged header"),
        ({"a": []}, "damaged header"),
        (b"{" + b'"a":[' * 90_000, "damaged header"),
        ({"a": {"dtype": "F32", "shape": [10**9] * 90, "data_offsets": [0, 24]}}, "has 90 dimens"),
        (b'{"a":{"dtype":"F32","shape":[3,2],"shape":[2,3],"data_offsets":[0,24]}}', "damaged"),
        (b'{"a":{"dtype":"F32","shape":[3,2],"x":NaN,"data_offsets":[0,24]}}', "damaged header"),
        (b"{" * 50, "damaged header"),
        ({"a": {"dtype": "F32", "shape": [3, 2], "data_offsets": [0, 2**70]}}, "a whole tensor"),
        ({"\ud800": {"dtype": "F32", "shape": [3, 2], "data_offsets": [0, 24]}}, "damaged header"),
    ],
)
def test_safetensors_that_lie(tmp_path, header, says):
    path = tmp_path / "m.safetensors"
    path.write_bytes(tensors(header, bytes(24)))
    with pytest.raises((DataError, UsageError), match=says):
        open_source(str(path))


@pytest.mark.parametrize("name", ["e4m3fn", "e5m2", "e4m3fnuz", "e5m2fnuz"])
def test_every_byte_of_fp8_is_the_number_that_pytorch_makes_of_it(name):
    source = open_source(str(FP8 / f"{name}.safetensors"))
    expected = np.load(FP8 / f"{name}.npy")
    assert np.array_equal(np.asarray(source.matrix.rows), expected, equal_nan=True)
    assert source.dtype.startswith("F8_")


@pytest.mark.parametrize(
    ("dtype", "beside"),
    [
        ("U32", "model.embed_tokens.scales"),
        ("F8_E4M3", "model.embed_tokens.weight_scale_inv"),
        ("I8", "model.embed_tokens.weight_scale"),
        ("U8", "model.embed_tokens.weight.absmax"),
    ],
)
def test_numbers_that_count_only_with_a_scale_are_refused(tmp_path, dtype, beside):
    """Packed numbers would be rows like any other, and their neighbors nonsense."""
    width = {"U32": 4}.get(dtype, 1)
    header = {
        "model.embed_tokens.weight": {
            "dtype": dtype, "shape": [3, 2], "data_offsets": [0, 6 * width],
        },
        beside: {"dtype": "F32", "shape": [3, 1], "data_offsets": [6 * width, 6 * width + 12]},
    }  # fmt: skip
    path = tmp_path / "m.safetensors"
    path.write_bytes(tensors(header, bytes(6 * width + 12)))
    with pytest.raises(DataError, match="is quantised"):
        open_source(str(path))


@pytest.mark.parametrize(
    "offsets",
    [
        {"a": [0, 4], "b": [4, 8]},
        {"b": [4, 8], "a": [0, 4]},
        {"a": [0, 4], "b": [0, 4]},  # both in one place
        {"a": [0, 4], "b": [8, 12]},  # a gap
        {"a": [4, 8]},
        {"a": [0, 4]},
        {"a": [0, 8]},
    ],
)
@pytest.mark.parametrize("size", [4, 8, 12])
def test_tensors_lie_one_after_the_other_as_the_library_has_it(tmp_path, offsets, size):
    header = {
        name: {"dtype": "F32", "shape": [1, 1], "data_offsets": where}
        for name, where in offsets.items()
    }
    path = tmp_path / "m.safetensors"
    path.write_bytes(tensors(header, np.arange(size, dtype=np.uint8).tobytes()))
    try:
        expected = safetensors.numpy.load_file(path)
    except safetensors.SafetensorError:
        with pytest.raises(DataError):
            read_entries(path)
        return
    for name, rows in expected.items():
        assert (open_source(str(path), SourceOptions(tensor=name)).matrix.rows == rows).all()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=3)), max_size=3),
    st.sampled_from(["F16", "BF16", "F32", "F64", "I8"]),
)
def test_an_altered_file_is_refused_or_has_the_rows_that_the_library_reads(tmp_path, changes, was):
    path = tmp_path / "m.safetensors"
    data = bytearray(safetensors.numpy.save({"a": ROWS, "embeddings": ROWS + 1}))
    for place, what in changes:
        at = int(place * (len(data) - 1))
        data[at : at + len(what)] = what
    path.write_bytes(bytes(data).replace(b'"F32"', f'"{was}"'.encode(), 1))
    try:
        source = open_source(str(path))
    except (DataError, UsageError):
        return
    if source.kind != "safetensors" or source.dtype in {"BF16", *FP8_TYPES}:
        return  # which the library does not read into NumPy
    try:
        expected = safetensors.numpy.load_file(path)[source.tensor].astype(np.float32)
    except safetensors.SafetensorError as error:
        assert "JSON" in str(error)  # noqa: PT017 - another tensor has a type without a name
        return
    assert np.array_equal(np.asarray(source.matrix.rows), expected, equal_nan=True)


def test_a_tensor_of_a_kind_that_is_not_read_is_named(tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_bytes(
        tensors({"a": {"dtype": "F4", "shape": [2, 4], "data_offsets": [0, 4]}}, bytes(4))
    )
    with pytest.raises(DataError, match="has dtype 'F4'; expected real numbers"):
        open_source(str(path))
    flags = {"dtype": "BOOL", "shape": [2, 2], "data_offsets": [24, 28]}
    rows = {"dtype": "F32", "shape": [3, 2], "data_offsets": [0, 24]}
    path.write_bytes(tensors({"mask": flags, "wte.weight": rows}, bytes(28)))
    assert open_source(str(path)).tensor == "wte.weight"
