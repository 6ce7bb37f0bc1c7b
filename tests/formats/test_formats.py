"""Matrices from files: NumPy as the oracle, and files that lie."""

from __future__ import annotations

import io
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from embedinspect.errors import DataError, UsageError
from embedinspect.formats import open_matrix

DTYPES = st.sampled_from(["<f2", ">f4", "<f4", ">f8", "<f8", "<i2", ">i4", "u1"])


def npy(array) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def header(text: str, data: bytes = b"") -> bytes:
    line = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(line)) + line + data


def refused(tmp_path, data: bytes, says: str) -> None:
    path = tmp_path / "matrix"
    path.write_bytes(data)
    with pytest.raises((DataError, UsageError), match=says) as caught:
        open_matrix(str(path))
    assert "\n" not in str(caught.value)


@given(
    DTYPES.flatmap(
        lambda dtype: arrays.arrays(
            dtype,
            arrays.array_shapes(min_dims=2, max_dims=2, max_side=5),
            elements={"min_value": 0, "max_value": 100},
        )
    ),
    st.booleans(),
    st.booleans(),
)
def test_equals_what_numpy_saved(tmp_path_factory, array, fortran, zipped):
    array = np.asfortranarray(array) if fortran else array
    path = tmp_path_factory.mktemp("m") / "matrix"
    with path.open("wb") as file:
        (np.savez_compressed if zipped else np.save)(file, array)
    rows = open_matrix(str(path)).rows
    assert rows.dtype == np.float32
    assert (rows == array.astype(np.float32)).all()


@given(arrays.arrays("f4", (3, 2), elements=st.floats(width=32, allow_nan=True)))
def test_text_gives_every_number_back(tmp_path_factory, array):
    path = tmp_path_factory.mktemp("m") / "matrix"
    path.write_text("\n".join(", ".join(map(str, row)) for row in array))
    rows = open_matrix(str(path)).rows
    assert rows.view(np.uint32).tolist() == (array + 0).view(np.uint32).tolist() or (
        np.array_equal(rows, array, equal_nan=True)
    )


def test_text_may_have_comments_blank_lines_and_a_byte_order_mark(tmp_path):
    path = tmp_path / "matrix.txt"
    path.write_bytes(b"\xef\xbb\xbf# two rows\n1 2.5\n\n-3e1\t4\r\n")
    assert open_matrix(str(path)).rows.tolist() == [[1, 2.5], [-30, 4]]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"1 2\n3 x\n", "line 2 has 'x' as field 2"),
        (b"1 2\n3\n", "line 2 has 1 number; expected 2"),
        (b"1 2\n3 1_0\n", "'1_0'"),
        ("1 ٣\n".encode(), "line 1"),
        (b"1 1e39\n", "float32 can hold"),
        (b"1 2\n\xff 3\n", "line 2 is not UTF-8"),
        (b"1 2\nword 0.1\n3 4\n", "'word' as field 1"),
        (b"# nothing\n\n", "holds no numbers"),
        (b"1,,2\n", "'' as field 2"),
        (b"x" * 500, r"x\.\.\."),
        (b"\x89HDF\r\n\x1a\n\0\0", "HDF5"),
        (npy(np.zeros(3)), r"shape \(3,\); expected two dimensions"),
        (npy(np.zeros((2, 0))), r"shape \(2, 0\)"),
        (npy(np.zeros((2, 2, 2))), "expected two dimensions"),
        (npy(np.zeros((2, 2), complex)), "dtype complex128"),
        (npy(np.array([["a", "b"]])), "dtype <U1"),
        (npy(np.array([[None, 1]], object)), "dtype object"),
        (npy(np.array([[1.0, 1e300]])), "row 0, column 1"),
        (npy(np.zeros((4, 4)))[:-1], "only 127 follow"),
        (b"\x93NUMPY\x01\x00", "damaged header"),
        (b"\x93NUMPY\x09\x00" + bytes(200), "damaged header"),
        (header("{'descr': '<f4', 'fortran_order': False, 'shape': (10**12, 3)}"), "damaged"),
        (
            header("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 3)}"),
            "claims shape",
        ),
        (header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 3)}"), r"\(-1, 3\)"),
        (header("__import__('os').system('touch pwned')"), "damaged header"),
        (b"PK\x03\x04 not a zip", "damaged zip"),
    ],
)
def test_files_that_are_no_matrix(tmp_path, data, says):
    refused(tmp_path, data, says)


def zipped(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return stream.getvalue()


def test_zips_of_several_arrays(tmp_path):
    path = tmp_path / "matrix.npz"
    path.write_bytes(zipped(words=npy(np.zeros(3)), rows=npy(np.ones((2, 2)))))
    assert open_matrix(str(path)).rows.tolist() == [[1, 1], [1, 1]]
    two = zipped(a=npy(np.ones((2, 2))), b=npy(np.ones((3, 2))))
    refused(tmp_path, two, r"2 arrays of two dimensions \('a' \(2, 2\), 'b' \(3, 2\)\)")


def test_zips_that_lie(tmp_path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("config.json", "{}")
    refused(tmp_path, stream.getvalue(), "zip without arrays")
    bomb = zipped(
        a=header("{'descr': '<f4', 'fortran_order': False, 'shape': (4, 1000000)}")
        + bytes(16_000_000)
    )
    refused(tmp_path, bomb, "claims to unpack")
    torn = zipped(a=npy(np.random.RandomState(0).rand(50, 50)))
    refused(tmp_path, torn[:200] + b"\0\0\0\0" + torn[204:], "damaged zip|damaged header")
    claims = zipped(a=header("{'descr': '<f4', 'fortran_order': False, 'shape': (9000, 9000)}"))
    refused(tmp_path, claims, "claims shape")


class Evil:
    def __reduce__(self):
        import os

        return (os.mkdir, ("pwned",))


def test_nothing_is_unpickled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    array = np.empty((1, 1), object)
    array[0, 0] = Evil()
    refused(tmp_path, npy(array), "dtype object")
    refused(tmp_path, zipped(a=npy(array)), "dtype object")
    assert not (tmp_path / "pwned").exists()


def test_paths_that_cannot_be_read(tmp_path):
    for path, says in [
        (str(tmp_path / "missing"), "no such file"),
        (str(tmp_path), "is a directory"),
        ("/dev/zero", "not a regular file"),
        ("a\0b", "null"),
    ]:
        with pytest.raises(DataError, match=says):
            open_matrix(path)
