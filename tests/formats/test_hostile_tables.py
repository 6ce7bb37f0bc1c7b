"""Tables of strangers: what they claim is checked before memory is taken, and none ends in a crash.

pyarrow believes much of what a file says, so each lie here would cost gigabytes or read elsewhere.
"""

from __future__ import annotations

import io
import mmap
import random
import struct
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import ipc, parquet

from embedinspect.errors import DataError, EmbedInspectError
from embedinspect.formats import arrow_claims, parquet_pages
from embedinspect.formats.arrow_columns import Gathered
from embedinspect.formats.columns import Choice
from embedinspect.source import open_source

VECTORS = pa.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], pa.list_(pa.float32()))
NEW = {"file": ipc.new_file, "stream": ipc.new_stream}


def arrow_bytes(columns: dict[str, pa.Array], form: str = "file", **options: str) -> bytes:
    stream, table = io.BytesIO(), pa.table(columns)
    written = ipc.IpcWriteOptions(**options)
    with NEW[form](stream, table.schema, options=written) as writer:
        writer.write_table(table)
    return stream.getvalue()


def parquet_bytes(columns: dict[str, pa.Array], **options: object) -> bytes:
    stream = io.BytesIO()
    parquet.write_table(pa.table(columns), stream, **options)
    return stream.getvalue()


def changed(data: bytes, old: bytes, new: bytes) -> bytes:
    """Return data in which the one place where something stands is altered."""
    assert data.count(old) == 1
    return data.replace(old, new)


@pytest.fixture
def refused(tmp_path) -> Callable[[bytes], str]:
    def why(data: bytes) -> str:
        path = tmp_path / "table"
        path.write_bytes(data)
        before = pa.default_memory_pool().max_memory()
        with pytest.raises(DataError) as caught:
            open_source(str(path))
        assert pa.default_memory_pool().max_memory() - before < 2**27
        return str(caught.value)

    return why


@pytest.mark.parametrize("form", sorted(NEW))
@pytest.mark.parametrize("offset", [-1, 1, 7, 2**30, -(2**31)])
def test_offsets_of_lists_that_lie(refused, form, offset):
    data = arrow_bytes({"v": VECTORS}, form)
    lying = changed(data, struct.pack("<4i", 0, 2, 4, 6), struct.pack("<4i", 0, offset, 4, 6))
    assert "damaged Arrow file" in refused(lying) or "; expected 1, as in" in refused(lying)


@pytest.mark.parametrize("offset", [-5, 2**30, 5])
def test_offsets_of_words_that_lie(refused, offset):
    data = arrow_bytes({"v": VECTORS, "word": pa.array(["aa", "bb", "cc"])})
    words = struct.pack("<4i", 0, 2, 4, 6)
    at = data.rindex(words)  # those of the lists are the same, and come first
    lying = data[:at] + struct.pack("<4i", 0, offset, 4, 6) + data[at + 16 :]
    assert "damaged Arrow file" in refused(lying)


def test_a_dictionary_s_index_outside_of_it(refused):
    words = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0], pa.int32()), ["yes", "no"])
    data = arrow_bytes({"v": VECTORS, "word": words})
    assert "damaged Arrow file" in refused(
        changed(data, struct.pack("<3i", 0, 1, 0), struct.pack("<3i", 0, 2**30, 0))
    )


def test_words_that_are_no_utf8(refused):
    data = arrow_bytes({"v": VECTORS, "word": pa.array(["king", "queen", "man"])})
    assert "damaged Arrow file" in refused(changed(data, b"kingqueenman", b"king\xffueenman"))


@pytest.mark.parametrize("form", sorted(NEW))
@pytest.mark.parametrize("claim", [2**30, 2**60])
@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_a_compressed_buffer_that_claims_gigabytes(refused, form, claim, codec):
    numbers = np.zeros(4096, np.float32)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(numbers), 4)
    data = arrow_bytes({"v": vectors}, form, compression=codec)
    size = struct.pack("<q", numbers.nbytes)
    assert "claims to unpack to" in refused(changed(data, size, struct.pack("<q", claim)))


def test_views_that_all_show_the_same_numbers(refused):
    values = pa.array(np.zeros(2**14, np.float32))
    sizes = pa.array(np.full(2**14, 2**14, np.int32))
    vectors = pa.ListViewArray.from_arrays(pa.array(np.zeros(2**14, np.int32)), sizes, values)
    data = arrow_bytes({"v": vectors})
    assert "claims 16,384 rows of 16,384 numbers" in refused(data)


def long_words() -> dict[str, pa.Array]:
    """Return three hundred words of a megabyte each, each the same, in a few ways."""
    text, count = b"x" * 2**20, 300
    view = struct.pack("<i4sii", len(text), text[:4], 0, 0) * count
    indices = pa.array(np.zeros(count, np.int32))
    return {
        "dictionary": pa.DictionaryArray.from_arrays(indices, [text.decode()]),
        "view": pa.Array.from_buffers(
            pa.string_view(), count, [None, pa.py_buffer(view), pa.py_buffer(text)]
        ),
    }


@pytest.mark.parametrize("way", ["dictionary", "view"])
def test_one_long_word_in_every_row_of_arrow(refused, way):
    words = long_words()[way]
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(600, np.float32)), 2)
    data = arrow_bytes({"v": vectors, "word": words})
    assert "has words of more than 21" in refused(data)  # two hundred times the file


def test_one_long_word_in_every_row_of_parquet(refused):
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(600, np.float32)), 2)
    data = parquet_bytes({"v": vectors, "word": long_words()["dictionary"]})
    assert "has words of more than 67,108,864 bytes" in refused(data)


def test_a_page_that_claims_more_values_than_the_footer_says(refused):
    """A number of four bytes becomes 134 million, which pyarrow would make room for."""
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(2**20, np.float32)), 2**10)
    data = parquet_bytes({"v": vectors}, compression="none")
    count = b"\x15" + bytes([0x80, 0x80, 0x80, 0x01])  # a field of a number, and 2**20 in it
    at = data.index(count)
    lying = data[:at] + b"\x15\xfe\xff\xff\x7f" + data[at + 5 :]
    assert "claims 134,217,727 values" in refused(lying)


def test_a_page_that_claims_to_unpack_to_gigabytes(refused):
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.arange(2**19, dtype="f4")), 2**10)
    data = parquet_bytes({"v": vectors}, use_dictionary=False, data_page_size=2**30)
    # the first page's type, then its size: a number of four bytes
    assert data[4:7] == b"\x15\x00\x15"
    assert data[10] < 0x80 <= data[9]
    assert "2,147,483,647 bytes" in refused(data[:7] + b"\xfe\xff\xff\xff\x0f" + data[11:])


def test_a_page_that_reaches_beyond_the_file(refused):
    """For which pyarrow would make room before it reads."""
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.arange(2**19, dtype="f4")), 2**10)
    data = parquet_bytes({"v": vectors}, use_dictionary=False, data_page_size=2**30)
    assert data[11] == 0x15  # behind the size of what it unpacks to, that of the page itself
    end = 12 + next(place for place, byte in enumerate(data[12:]) if byte < 0x80)
    lying = data[:12] + b"\xfe\xff\xff\xff\x0f" + data[end + 1 :]
    assert "a page that reaches beyond the file" in refused(lying)


def test_a_long_footer_is_not_unpacked(refused):
    length = 2**23
    data = b"PAR1" + b"\x19\xfc\0\0" * (length // 4) + struct.pack("<I", length) + b"PAR1"
    assert "describes itself in 8,388,608 bytes" in refused(data)


@pytest.mark.parametrize("count", [2**31, 2**60])
def test_no_room_is_made_for_rows_that_cannot_be_there(count):
    choice = Choice((0,), True, "v", "float32", None, None)
    with pytest.raises(DataError, match=r"claims .* rows of 4 numbers; expected at most"):
        Gathered(choice, count, 4, 1000, "'t'")


@pytest.mark.parametrize(
    "data",
    [
        b"\x19" * 100,
        b"\x1c" * 100,
        b"\x18\xff\xff\xff\xff\x0f",
        b"\x15" + b"\xff" * 20,
        b"\x19\xf5\xff\xff\xff\xff\x7f",
        b"\x1d\x00",
        b"",
    ],
)
def test_headers_of_pages_that_never_end(tmp_path, data):
    (tmp_path / "pages").write_bytes(data or b"\0")
    with (tmp_path / "pages").open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        reader = parquet_pages._Compact(mapped, 0 if data else 1)
        with pytest.raises(ValueError, match=r"header|number|field|structures"):
            reader.struct()


def test_the_claims_of_arrow_point_outside_of_no_file():
    """Each number of a small file becomes a large or a negative one."""
    data = arrow_bytes({"v": VECTORS}, compression="lz4")
    assert arrow_claims.claims_of(memoryview(data)).rows == 3
    for place in range(len(data) - 8):
        for number in (-1, 2**31 - 1, 2**63 - 1, -(2**63)):
            size = 4 if number in (-1, 2**31 - 1) else 8
            altered = bytearray(data)
            altered[place : place + size] = number.to_bytes(size, "little", signed=True)
            try:
                claims = arrow_claims.claims_of(memoryview(altered))
            except ValueError:
                continue
            assert claims.rows >= 0


def examples() -> list[bytes]:
    words = pa.array(["a", "b\n", None])
    columns = {"v": VECTORS, "word": words.dictionary_encode()}
    views = pa.array(VECTORS.to_pylist(), pa.large_list_view(pa.float64()))
    numbers = {"a": pa.array([1.0, 2, 3]), "b": pa.array([1.0, 2, 3]), "w": words}
    return [
        arrow_bytes(columns),
        arrow_bytes(columns, "stream"),
        arrow_bytes(columns, compression="zstd"),
        arrow_bytes({"v": views, "word": words.cast(pa.string_view())}),
        parquet_bytes(columns),
        parquet_bytes(columns, data_page_version="2.0", compression="zstd"),
        parquet_bytes(numbers, use_dictionary=False),
        b'{"v": [1, 2], "word": "a"}\n{"v": [3.5, 1e-7], "word": null}\n',
        b'[{"v": [1, 2], "word": "a"}, {"v": [3.5, 1e-7], "word": null}]',
        b'word,v\na,"[1, 2]"\n"b\n","[3.5\n 1e-7]"\n',
    ]


@pytest.mark.parametrize("number", range(len(examples())))
def test_altered_tables_are_refused_or_read(tmp_path, number):
    draw, path, data = random.Random(number), tmp_path / "table", examples()[number]
    before = pa.default_memory_pool().max_memory()
    for _ in range(150):
        altered = bytearray(data)
        for _ in range(draw.randint(1, 3)):
            at = draw.randrange(len(data))
            new = draw.choice(
                [draw.randbytes(1), b"\xff\xff\xff\x7f", b"\0" * 8, struct.pack("<q", 2**60)]
            )
            altered[at : at + len(new)] = new
        path.write_bytes(altered)
        try:
            source = open_source(str(path))
        except EmbedInspectError:
            continue
        assert np.asarray(source.matrix.rows).dtype == np.float32
        assert source.words is None or len(list(source.words)) == source.matrix.input_dim
    assert pa.default_memory_pool().max_memory() - before < 2**27
