"""Files that are packed as a whole, against the libraries that pack so."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embedinspect.errors import DataError
from embedinspect.formats import open_file, packed
from embedinspect.formats.packed import PACKINGS, open_packed

DATA = Path(__file__).parents[1] / "data"
FUNCTION_SCOPED = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60
)
PACK = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "Zstandard": lambda data: pa.compress(data, "zstd", asbytes=True),
}
TEXT = "".join(
    f"w{row:x} " + " ".join(f"{value:.5f}" for value in values) + "\n"
    for row, values in enumerate(np.random.RandomState(0).standard_normal((300, 9)))
).encode()


def test_every_packing_is_tried():
    assert {packing.name for packing in PACKINGS} == set(PACK)


def pieces_of(path: Path, size: int) -> bytes:
    with open_packed(path) as file:
        return b"".join(iter(lambda: file.read(size), b""))


@FUNCTION_SCOPED
@given(st.sampled_from(sorted(PACK)), st.lists(st.binary(max_size=200), max_size=4), st.integers(1))
def test_streams_one_after_another_unpack_to_all_their_bytes(tmp_path, name, parts, size):
    path = tmp_path / "file"
    path.write_bytes(b"".join(map(PACK[name], [b"", *parts])))
    assert pieces_of(path, min(size, 2**20)) == b"".join(parts)


def test_what_zstandards_own_library_writes(tmp_path):
    assert pieces_of(DATA / "vectors.zst", 1000) == (DATA / "vectors.txt").read_bytes()
    ours, plain = (open_file(str(DATA / f"vectors.{end}")) for end in ("zst", "txt"))
    assert ours.rows.tobytes() == plain.rows.tobytes()
    assert list(ours.words) == list(plain.words)


def test_zeros_between_streams_of_xz_are_padding(tmp_path):
    (tmp_path / "a").write_bytes(lzma.compress(b"one ") + bytes(8) + lzma.compress(b"two"))
    assert pieces_of(tmp_path / "a", 100) == b"one two"


@pytest.mark.parametrize("name", sorted(PACK))
def test_a_file_that_is_cut_off_is_no_whole_text(tmp_path, name):
    whole = PACK[name](TEXT)
    path = tmp_path / "vectors"
    for cut in (1, 5, len(whole) // 2, len(whole) - 20):
        path.write_bytes(whole[: len(whole) - cut])
        with pytest.raises(DataError, match=f"damaged {name} file"):
            open_file(str(path))


PACKED = {name: pack(TEXT) for name, pack in PACK.items() if name != "Zstandard"}
PACKED["Zstandard"] = (DATA / "vectors.zst").read_bytes()  # with checksums, as pyarrow writes none


@FUNCTION_SCOPED
@given(st.sampled_from(sorted(PACK)), st.floats(0, 1), st.binary(min_size=1, max_size=4))
def test_changed_bytes_give_an_error_or_the_same_rows(tmp_path, name, place, change):
    data = bytearray(PACKED[name])
    at = int(place * (len(data) - len(change)))
    data[at : at + len(change)] = change
    path = tmp_path / "vectors"
    path.write_bytes(data)
    try:
        rows = open_file(str(path)).rows
    except DataError:
        return
    path.write_bytes(PACKED[name])
    assert rows.tobytes() == open_file(str(path)).rows.tobytes()


@pytest.mark.parametrize("name", sorted(PACK))
def test_a_bomb_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch, name):
    monkeypatch.setattr(packed, "_SMALL", 2**16)
    path = tmp_path / "vectors"
    path.write_bytes(PACK[name](b"word 0.5 0.5\n" * 300_000))
    tracemalloc.start()
    with pytest.raises(DataError, match="unpacks to more than"):
        open_file(str(path))
    assert tracemalloc.get_traced_memory()[1] < 2**26
    tracemalloc.stop()


def test_an_xz_header_that_asks_for_gigabytes(tmp_path):
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 2**26}]
    data = bytearray(lzma.compress(TEXT, filters=filters, check=lzma.CHECK_NONE))
    place = data.index(b"\x21\x01") + 2  # the filter, the length of its one property
    data[place] = 40  # a dictionary of 4 GB
    data[20:24] = crc(bytes(data[12:20]))
    path = tmp_path / "vectors"
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"damaged xz file .*memory"):
        open_file(str(path))


def crc(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "little")


def test_packed_arrays_and_tables_are_named_with_the_way_to_unpack_them(tmp_path):
    path = tmp_path / "rows.npy"
    np.save(path, np.eye(3))
    for name, pack in PACK.items():
        file = tmp_path / name
        file.write_bytes(pack(path.read_bytes()))
        with pytest.raises(DataError, match=rf"packed with {name} \(npy\); expected it unpacked: "):
            open_file(str(file))
        file.write_bytes(pack(b"1 2\n3 4\n"))
        with pytest.raises(DataError, match=f"packed with {name}, and no word vectors"):
            open_file(str(file))


@pytest.mark.parametrize("name", sorted(PACK))
def test_the_reading_of_a_packed_file_tells_how_far_it_is(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(PACK[name](random.Random(0).randbytes(200_000)))
    told: list[tuple[int, int]] = []
    with open_packed(path, lambda *how_far: told.append(how_far)) as file:
        while file.read(30_000):
            pass
    size = path.stat().st_size
    assert told == sorted(told)
    assert told[-1] == (size, size)
