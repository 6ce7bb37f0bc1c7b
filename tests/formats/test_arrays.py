"""Arrays as NumPy saves them: NumPy as the oracle, then headers and zips that lie."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import struct
import tracemalloc
import warnings
import zipfile

import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from embedinspect.errors import DataError, UsageError
from embedinspect.formats import arrays, open_file, open_matrix
from embedinspect.formats.contents import ReadOptions
from embedinspect.source import SourceOptions, open_source
from embedinspect.stored_rows import StoredRows
from tests.builders import npy_bytes as npy

KINDS = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]
DTYPES = st.sampled_from([order + kind for order in "<>" for kind in KINDS])


def finite(dtype: str):
    shape = hnp.array_shapes(min_dims=2, max_dims=2, max_side=6)
    if "f" not in dtype:
        return hnp.arrays(dtype, shape)
    width = min(32, 8 * int(dtype[-1]))  # a float64 that float32 can hold
    return hnp.arrays(dtype, shape, elements=st.floats(width=width))


def crafted(text: str, data: bytes = b"", version: int = 1) -> bytes:
    line = text.encode() + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(line))
    return b"\x93NUMPY" + bytes([version, 0]) + length + line + data


def claim(shape: str = "(1, 1)", descr: str = "'<f4'") -> str:
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}"


def zipped(method: int = zipfile.ZIP_DEFLATED, **members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return stream.getvalue()


@pytest.fixture
def refusal(tmp_path):
    def refuse(data: bytes) -> str:
        path = tmp_path / "matrix"
        path.write_bytes(data)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises((DataError, UsageError)) as caught:
                open_matrix(str(path))
        message = str(caught.value)
        assert len(message.splitlines()) == 1
        assert len(message.replace(repr(str(path)), "")) < 500
        return message

    return refuse


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    array=DTYPES.flatmap(finite),
    fortran=st.booleans(),
    save=st.sampled_from([np.save, np.savez, np.savez_compressed]),
)
def test_round_trip(tmp_path, array, fortran, save):
    path = tmp_path / "matrix"
    with path.open("wb") as file:
        save(file, np.asfortranarray(array) if fortran else array)
    rows = open_matrix(str(path)).rows
    assert rows.dtype == np.float32
    assert rows.dtype.isnative
    assert rows.flags.c_contiguous
    np.testing.assert_array_equal(rows, array.astype(np.float32))


def test_origin_is_the_name_as_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("weights.npy", np.ones((1, 1)))
    assert open_matrix("./weights.npy").origin == "from ./weights.npy"


def test_format_2_and_a_header_of_python_2_are_read_without_a_warning(tmp_path):
    path = tmp_path / "matrix"
    one = struct.pack("<f", 1)
    for data in crafted(claim(), one, version=2), crafted(claim("(1L, 1L)"), one):
        path.write_bytes(data)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert open_matrix(str(path)).rows.tolist() == [[1]]


def test_a_signalling_nan_is_a_nan_without_a_warning(tmp_path):
    path = tmp_path / "matrix"
    path.write_bytes(npy(np.array([[0x7FF0000000000001]], np.uint64).view(np.float64)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(open_matrix(str(path)).rows).all()


@pytest.mark.parametrize("shape", [(), (3,), (2, 0), (0, 2), (2, 2, 2)])
def test_other_shapes(refusal, shape):
    message = refusal(npy(np.zeros(shape)))
    assert f"shape {shape}" in message
    assert "expected two dimensions" in message


OTHERS = ["?", "c8", "c16", "U2", "S2", "V4", "M8[s]", "m8[s]", "f4,f4"]
if np.dtype(np.longdouble).itemsize > 8:
    OTHERS.append("g")


@pytest.mark.parametrize("dtype", OTHERS)
def test_other_dtypes(refusal, dtype):
    assert f"dtype {np.dtype(dtype)}" in refusal(npy(np.zeros((1, 2), dtype)))


@pytest.mark.parametrize(
    ("dtype", "is_mended"), [("complex64", False), ("U1", False), ("bool", True)]
)
def test_float32_is_advised_only_where_it_keeps_the_numbers(refusal, dtype, is_mended):
    said = refusal(npy(np.ones((2, 3), dtype)))
    assert said.endswith("such as float32: save rows.astype('float32')") is is_mended


def test_a_value_beyond_float32_is_named(refusal):
    array = np.zeros((3, 4))
    array[1, 2] = array[2, 3] = 1e300
    for order in array, np.asfortranarray(array), array.astype(">f8"):
        assert "1e+300 in row 1, column 2" in refusal(npy(order))


@pytest.mark.parametrize("wrap", [bytes, lambda data: zipped(a=data)])
def test_bytes_that_lack_or_exceed(refusal, wrap):
    data = npy(np.ones((4, 4), "f4"))
    assert "64 bytes, but only 60 follow" in refusal(wrap(data[:-4]))
    assert "64 bytes, but 69 follow" in refusal(wrap(data + b"extra"))


@pytest.mark.parametrize(
    "text",
    [
        claim(descr="()"),
        claim(descr="[()]"),
        claim(descr="[1]"),
        claim(descr="'<f4', 'more': 1"),
        claim("(1.0, 1)"),
        claim("(10**12, 3)"),
        claim("[1, 1]"),
        claim(f"(0x{'f' * 8000}, 1)"),
        claim(f"(-0x{'f' * 8000}, 1)"),
        "-" * 9000 + "1",
        "1" + "+1" * 4500,
        "(" * 9000,
        "'''\\",
        "\0",
        "",
        "[]",
        "__import__('os').mkdir('pwned')",
    ],
    ids=range(17),
)
def test_hostile_headers(refusal, tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    assert "damaged header" in refusal(crafted(text, bytes(4)))
    assert "damaged header" in refusal(zipped(a=crafted(text, bytes(4))))
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    "start", [b"", b"\1", b"\1\0", b"\1\0\xff", b"\3\0", b"\x09\0" + b"x" * 99]
)
def test_headers_that_end_early_or_have_an_unknown_version(refusal, start):
    assert "damaged header" in refusal(b"\x93NUMPY" + start)


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ("(-1, 3)", "shape (-1, 3)"),
        ("(-2, -2)", "shape (-2, -2)"),
        ("(1000000000000, 3)", "12,000,000,000,000 bytes"),
        ("(4611686018427387904, 4)", "73,786,976,294,838,206,464 bytes"),  # 0 in 64 bits
        ("(" + "1," * 4000 + ")", "shape (1, 1, "),
    ],
)
def test_shapes_that_lie_take_no_memory(refusal, monkeypatch, shape, says):
    monkeypatch.setattr(arrays.np, "empty", None)
    assert says in refusal(crafted(claim(shape), bytes(64)))
    assert says in refusal(zipped(a=crafted(claim(shape), bytes(64))))


@pytest.mark.parametrize("shape", ["(-2, -2)", "(-1, -4)"])
def test_two_negative_sides_do_not_make_a_size(refusal, shape):
    assert "expected two dimensions" in refusal(crafted(claim(shape), bytes(16)))


def test_a_long_header_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "matrix"
    with path.open("wb") as file:
        file.write(b"\x93NUMPY\2\0" + struct.pack("<I", 2**31))
        file.truncate(2**31 + 100)  # sparse: no room on the disk either
    with path.open("rb") as file, pytest.raises(DataError, match="2,147,483,648 bytes"):
        arrays.read_header(file, "it")
    with path.open("rb") as file, pytest.raises(DataError):
        arrays.read_header(Sipping(file), "it")


class Sipping:
    """A file that must not be read in large gulps."""

    def __init__(self, file):
        self.file = file

    def read(self, size):
        assert 0 <= size <= 2**20
        return self.file.read(size)


def test_too_little_memory_is_said(refusal, monkeypatch):
    def none_left(*_):
        raise MemoryError

    monkeypatch.setattr(arrays.np, "empty", none_left)
    assert "needs more memory" in refusal(npy(np.ones((2, 2))))


def test_which_of_several_arrays(tmp_path, refusal):
    path = tmp_path / "matrix"
    matrix, line, cube = npy(np.ones((1, 2))), npy(np.ones(3)), npy(np.ones((1, 1, 1)))
    for members in {"a": matrix}, {"a": line, "b": matrix, "c": cube}:
        path.write_bytes(zipped(**members))
        assert open_matrix(str(path)).rows.tolist() == [[1, 1]]
    assert "'a' (3,), 'b' (1, 1, 1)" in refusal(zipped(a=line, b=cube))
    assert "'a' (1, 2), 'b' (1, 2)" in refusal(zipped(a=matrix, b=matrix))
    assert "992 more" in refusal(zipped(**{f"m{number}": matrix for number in range(1000)}))
    hostile = refusal(zipped(**{"\x1b[2J\n" + "x" * 999: matrix, "b": line + b"x", "c": matrix}))
    assert "\x1b" not in hostile


def test_zips_that_hold_no_arrays(refusal):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("other.h5", b"\x89HDF")
    assert "'config.json', 'other.h5'" in refusal(stream.getvalue())
    assert "an empty zip" in refusal(zipped())


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unpack_without_bounds(refusal, method):
    one = npy(np.ones((1, 1)))
    assert f"method {method}" in refusal(zipped(method, a=one))
    assert f"method {method}" in refusal(zipped(method, a=one, b=one))


def test_named_members(tmp_path):
    path = tmp_path / "checkpoint"
    path.write_bytes(zipped(zipfile.ZIP_STORED, a=npy(np.ones((1, 2))), b=npy(np.ones(3))))
    members = arrays.read_members(path, {"a": (1, 2), "b": (3,)})
    assert members["a"].tolist() == [[1, 1]]
    assert members["b"].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("name", "shape", "says"),
    [("a", (2, 1), "shape"), ("c", (1, 2), "lacks an array")],
)
def test_named_members_that_are_not_as_expected(tmp_path, name, shape, says):
    path = tmp_path / "checkpoint"
    path.write_bytes(zipped(a=npy(np.ones((1, 2)))))
    with pytest.raises(DataError, match=says):
        arrays.read_members(path, {name: shape})


def test_named_members_of_an_unusual_method(tmp_path):
    path = tmp_path / "checkpoint"
    path.write_bytes(zipped(zipfile.ZIP_LZMA, a=npy(np.ones((1, 2)))))
    with pytest.raises(DataError, match="method 14"):
        arrays.read_members(path, {"a": (1, 2)})


def test_an_encrypted_member(refusal):
    data = bytearray(zipped(a=npy(np.ones((1, 1)))))
    data[6] |= 1
    data[data.find(b"PK\1\2") + 8] |= 1
    assert "'a' in " in refusal(bytes(data))
    assert "is encrypted" in refusal(bytes(data))


def test_a_bad_checksum(refusal):
    data = bytearray(zipped(zipfile.ZIP_STORED, a=npy(np.ones((4, 4), "f4"))))
    data[data.find(b"\0\0\x80\x3f")] = 7
    assert "Bad CRC-32" in refusal(bytes(data))


def test_a_bomb_is_refused_before_it_is_unpacked(refusal, monkeypatch):
    rows = 2**22
    bomb = zipped(a=crafted(claim(f"({rows}, 1)"), bytes(4 * rows)))
    monkeypatch.setattr(arrays.np, "empty", None)
    assert "claims to unpack" in refusal(bomb)
    # One that claims to be larger in the zip, too, so that the ratio looks harmless.
    data = bytearray(bomb)
    entry = data.find(b"PK\1\2")
    struct.pack_into("<I", data, entry + 20, 2**31)
    assert "damaged zip" in refusal(bytes(data))


def test_a_member_that_unpacks_to_more_than_it_says(refusal):
    data = bytearray(zipped(a=crafted(claim(), bytes(4_000_000))))
    entry = data.find(b"PK\1\2")
    struct.pack_into("<I", data, entry + 24, len(crafted(claim())) + 4)
    assert "Bad CRC-32" in refusal(bytes(data))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data(), st.booleans())
def test_damage_is_an_error_or_goes_unseen_but_never_a_traceback(tmp_path, data, in_zip):
    whole = npy(np.ones((2, 2)))
    whole = bytearray(zipped(a=whole, b=npy(np.ones(3))) if in_zip else whole)
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "matrix"
    path.write_bytes(whole)
    try:
        rows = open_matrix(str(path)).rows
    except DataError as error:
        message = str(error)
    else:
        message = "none"
        assert rows.ndim == 2
        assert rows.size
    assert len(message.splitlines()) == 1


# -- types that NumPy itself has not ------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from([ml_dtypes.bfloat16, ml_dtypes.float8_e5m2]),
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=6),
    st.integers(0, 2**32 - 1),
    st.booleans(),
    st.sampled_from([np.save, np.savez, np.savez_compressed]),
)
def test_types_of_ml_dtypes_that_are_certain(tmp_path, dtype, shape, seed, fortran, save):
    raw = np.random.default_rng(seed).integers(0, 256, (*shape, np.dtype(dtype).itemsize), np.uint8)
    array = raw.view(dtype)[..., 0]
    with (tmp_path / "a").open("wb") as file:
        save(file, np.asfortranarray(array) if fortran else array)
    contents = open_file(str(tmp_path / "a"))
    np.testing.assert_array_equal(contents.rows, array.astype(np.float32))
    assert contents.dtype == np.dtype(dtype).name
    assert contents.warnings == ()


@pytest.mark.parametrize("wrap", [bytes, lambda data: zipped(a=data)])
def test_two_bytes_of_no_kind_are_read_as_bfloat16_and_it_is_said(tmp_path, wrap):
    """NumPy cannot name bfloat16 when it loads such an array, nor when it saves that again."""
    array = np.random.default_rng(0).normal(size=(3, 4)).astype(ml_dtypes.bfloat16)
    again = np.load(io.BytesIO(npy(array)))
    assert again.dtype == "V2"
    (tmp_path / "a").write_bytes(wrap(npy(again)))
    contents = open_file(str(tmp_path / "a"))
    assert (contents.rows == array.astype(np.float32)).all()
    assert "two bytes of no kind; they are read as bfloat16" in contents.warnings[0]


@pytest.mark.parametrize(
    "dtype",
    ["float8_e4m3fn", "float8_e4m3", "float8_e5m2fnuz", "float8_e3m4", "int4", "float4_e2m1fn"],
)
def test_types_of_one_byte_are_not_guessed_and_a_way_to_read_them_is_named(
    refusal, tmp_path, dtype
):
    array = np.ones((3, 2), np.float32).astype(getattr(ml_dtypes, dtype))
    message = refusal(npy(array))
    assert "dtype V1, as NumPy saves float8_e4m3fn and a dozen other types" in message
    if dtype == "float8_e4m3fn":
        run_line(message, tmp_path)
        assert open_matrix(str(tmp_path / "rows.npy")).rows.tolist() == [[1, 1]] * 3


def run_line(message: str, folder) -> None:
    """Run the line of Python that a message ends with, in a folder."""
    names = {"numpy": np, "ml_dtypes": ml_dtypes}
    with contextlib.chdir(folder):
        exec(message.rpartition("; in Python")[2].partition(": ")[2], names)


@pytest.mark.parametrize("dtype", ["<f2", ">f2", ml_dtypes.bfloat16, ml_dtypes.float8_e5m2])
@pytest.mark.parametrize("large", [False, True])
def test_large_rows_in_half_precision_stay_as_they_are_stored(tmp_path, monkeypatch, dtype, large):
    monkeypatch.setattr(arrays, "_WORTH_MAPPING", 0 if large else 2**20)
    array = np.random.default_rng(0).normal(size=(50, 7)).astype(dtype)
    (tmp_path / "a").write_bytes(npy(array))
    rows = open_file(str(tmp_path / "a")).rows
    assert isinstance(rows, StoredRows if large else np.ndarray)
    assert (np.asarray(rows) == array.astype(np.float32)).all()
    assert (rows[3] == array[3].astype(np.float32)).all()


def test_a_table_of_half_precision_takes_no_memory_when_it_is_opened(tmp_path):
    header = npy(np.zeros((1, 1), ml_dtypes.bfloat16))[:128]
    header = header.replace(b"(1, 1), }        ", b"(65536, 8192), }")[:128]
    with (tmp_path / "a").open("wb") as file:
        file.write(header.ljust(127) + b"\n")
        file.truncate(128 + 2**30)
    tracemalloc.start()
    assert open_file(str(tmp_path / "a")).rows[5].tolist() == [0] * 8192
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()


# -- words in an archive -------------------------------------------------------------------------

NAMES = ["words", "vocab", "tokens", "keys", "index_to_key", "anything"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), min_size=1
    ),
    st.sampled_from(NAMES),
    st.sampled_from(["<U", ">U", "S"]),
    st.sampled_from([np.savez, np.savez_compressed]),
)
def test_words_in_an_archive_are_those_of_its_rows(tmp_path, words, name, kind, save):
    strings = [word.encode() for word in words] if kind == "S" else words
    width = max(map(len, strings))
    rows = np.arange(2 * len(words), dtype=np.float32).reshape(-1, 2)
    others = {"counts": np.ones(len(words)), "more": np.array(["x"] * (len(words) + 1))}
    with (tmp_path / "a").open("wb") as file:
        save(file, rows=rows, **{name: np.array(strings, f"{kind}{width}")}, **others)
    source = open_source(str(tmp_path / "a"))
    assert (source.matrix.rows == rows).all()
    assert list(source.words) == words
    assert source.words_from == f"its array '{name}'"


def test_which_of_several_arrays_of_strings(tmp_path):
    rows, words, tags = np.ones((2, 3)), np.array(["a", "b"]), np.array(["x", "y"])
    path = tmp_path / "a"
    path.write_bytes(zipped(rows=npy(rows), tags=npy(tags), Words=npy(words)))
    assert list(open_source(str(path)).words) == ["a", "b"]
    path.write_bytes(zipped(rows=npy(rows), tags=npy(tags), more=npy(words)))
    source = open_source(str(path))
    assert source.words is None
    assert "2 arrays of 2 strings ('tags', 'more')" in source.warnings[0]
    path.write_bytes(zipped(a=npy(rows), b=npy(np.ones((3, 3))), words=npy(words)))
    assert list(open_source(str(path), SourceOptions(tensor="a")).words) == ["a", "b"]
    assert open_source(str(path), SourceOptions(tensor="b")).words is None


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (np.array(["a", "b"], object), "is a pickle, which could run any code; save it with dtype"),
        (np.array([b"\xff", b"a"]), "strings that are no text"),
        (np.array(["\ud800", "a"]), "strings that are no text"),
        (np.array([[0xFFFFFFFF], [1]], np.uint32).view("<U1")[:, 0], "strings that are no text"),
    ],
    ids=range(4),
)
def test_words_that_cannot_be_read_are_left_out_and_it_is_said(tmp_path, words, says):
    path = tmp_path / "a"
    path.write_bytes(zipped(rows=npy(np.ones((2, 3))), words=npy(words)))
    source = open_source(str(path))
    assert source.words is None
    assert says in source.warnings[0]
    assert source.matrix.rows.tolist() == [[1, 1, 1]] * 2


def test_words_that_lie(tmp_path, refusal):
    rows = npy(np.ones((2, 3)))
    huge = crafted(claim("(2,)", "'<U400000000'"), bytes(8))
    (tmp_path / "a").write_bytes(zipped(rows=rows, words=huge))
    source = open_source(str(tmp_path / "a"))
    assert source.words is None
    assert "not as long as it claims" in source.warnings[0]
    bomb = crafted(claim("(2,)", "'<U4000000'"), bytes(32_000_000))
    (tmp_path / "a").write_bytes(zipped(rows=rows, words=bomb))
    assert "claims to unpack" in open_source(str(tmp_path / "a")).warnings[0]


def test_a_damaged_array_does_not_stand_in_the_way_of_one_that_is_named(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(zipped(rows=npy(np.ones((2, 3))), other=crafted("{")))
    with pytest.raises(DataError, match=r"'other' in .* has a damaged header"):
        open_file(str(path))
    assert open_file(str(path), ReadOptions(tensor="rows")).rows.shape == (2, 3)


@pytest.mark.parametrize(
    "value",
    [
        {"king": [1.0, 2.0], "queen": [3.0, 4.0]},
        np.array([[1.0, 2.0], [3.0, 4.0]], object),
        np.array([np.array([1.0, 2.0]), None], object)[:1],
    ],
    ids=["dictionary", "matrix", "list"],
)
def test_a_pickle_is_named_with_a_line_that_converts_it(refusal, tmp_path, value):
    stream = io.BytesIO()
    np.save(stream, value)
    message = refusal(stream.getvalue())
    assert "dtype object, so it is a pickle, which could run any code" in message
    run_line(message, tmp_path)
    (made,) = tmp_path.glob("rows.*")
    source = open_source(str(made))
    assert source.matrix.rows[0].tolist() == [1, 2]
    if isinstance(value, dict):
        assert list(source.words) == ["king", "queen"]


class Payload:
    def __reduce__(self):
        return (os.mkdir, ("pwned",))


def test_nothing_is_unpickled(refusal, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    array = np.empty((1, 1), object)
    array[0, 0] = Payload()
    assert "dtype object" in refusal(npy(array))
    assert "dtype object" in refusal(zipped(a=npy(array)))
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\x89HDF\r\n\x1a\n" + bytes(50), "HDF5"),
        (b"\x89HDF without a zero byte", "not UTF-8 (byte 0x89)"),
        (gzip.compress(b"1 2\n", mtime=0), "packed with gzip"),
        (b"\x80\x04\x95" + bytes(9), "a pickle, which could run any code"),
        ("1 2\n".encode("utf-16"), "a text in UTF-16"),
        (bytes(50), "a binary file of no known format; expected"),
        (b"", "is empty"),
    ],
)
def test_other_kinds_are_named(refusal, data, says):
    assert says in refusal(data)


@pytest.mark.parametrize("name", ["missing", "", "a\0b", "folder", "fifo", "/dev/zero"])
def test_what_is_no_file(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises((DataError, UsageError)) as caught:
        open_matrix(name)
    assert str(caught.value).startswith(f"cannot read {name!r}: ")
    assert "; expected a matrix" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_of_two_arrays_of_one_name_the_later_counts_as_in_numpy(tmp_path):
    path = tmp_path / "twice.npz"
    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for value in (1, 2):
            archive.writestr("a.npy", npy(np.full((2, 2), value, np.float32)))
    for wanted in (None, "a"):
        rows = open_file(str(path), ReadOptions(tensor=wanted)).rows
        assert rows.tolist() == np.load(path)["a"].tolist() == [[2, 2], [2, 2]]
