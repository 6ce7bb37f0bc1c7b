"""Indexes of FAISS that keep their vectors as they are: flat ones, and id maps around them.

The layout is that of `write_index`: four letters that name the kind, a header, and for a flat index
the float32 numbers, row by row; an id map holds a flat index and then an int64 id for each row. All
numbers are little-endian.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from embedinspect.errors import DataError
from embedinspect.formats.beginning import Start
from embedinspect.formats.contents import Contents, ReadOptions
from embedinspect.matrix import MOST_VALUES
from embedinspect.row_words import PackedWords, pack
from embedinspect.stored_rows import FloatArray, StoredRows
from embedinspect.wording import clipped_repr, plural

_FLAT = {b"IxF2", b"IxFI", b"IxFl"}
_ID_MAPS = {b"IxMp", b"IxM2"}
# Two fields that nothing uses are the same in every file, which is what tells FAISS's from others.
_UNUSED = (2**20).to_bytes(8, "little") * 2
_FLOATS = re.compile(rb"I[A-Za-z0-9]{3}.{12}" + re.escape(_UNUSED) + rb"[\0\x01]", re.DOTALL)
_BITS = re.compile(rb"IB[A-Za-z]{2}.{16}[\0\x01]", re.DOTALL)
# Of other kinds: what their four letters begin with, and their names.
_OTHERS = {
    b"IB": "a binary index",
    b"Iw": "an inverted file (IVF)",
    b"Iv": "an inverted file (IVF)",
    b"IH": "a graph (HNSW)",
    b"IN": "a graph (NSG or NNDescent)",
    b"IxPT": "a chain of transforms",
    b"IxP": "a product quantizer (PQ)",
    b"IxS": "a scalar quantizer (SQ)",
    b"IxH": "a locality-sensitive hash",
    b"IxRF": "a refined index",
}
_EXPECTED = "expected IndexFlatL2 or IndexFlatIP, or IndexIDMap around one"


class _Header(NamedTuple):
    """What an index begins with.

    Attributes:
        kind: its four letters.
        output_dim: how many numbers a row has.
        rows: how many rows there are.
    """

    kind: bytes
    output_dim: int
    rows: int


def recognises(start: Start) -> bool:
    """Return whether a file is an index of FAISS, of a kind that is read or of another."""
    data = start.data
    if _FLOATS.match(data):
        return True
    # A binary index has no such fields, but says in bits and in bytes how long a row is.
    bits, size = (int.from_bytes(data[at : at + 4], "little") for at in (4, 8))
    return _BITS.match(data) is not None and bits == 8 * size > 0


def read(path: Path, _: ReadOptions) -> Contents:
    """Return the vectors of an index, mapped, and its ids as the words of the rows.

    Raises:
        DataError: the index is of a kind that does not keep its vectors as they are, or it is
            damaged.
    """
    label, size = repr(str(path)), path.stat().st_size
    with path.open("rb") as file:
        outer = flat = _header(file, label)
        if outer.kind in _ID_MAPS:
            flat = _header(file, label)
        if flat.kind not in _FLAT:
            raise _other_kind(outer.kind, flat.kind, str(path))
        begin = _vector_of(file, flat.rows * flat.output_dim, 4, size, label)
        end = begin + 4 * flat.rows * flat.output_dim
        ids = None
        if flat is not outer:
            if outer[1:] != flat[1:]:
                raise _damaged(label, "its id map and the index in it differ in shape")
            file.seek(end)
            at = _vector_of(file, flat.rows, 8, size, label)
            end = at + 8 * flat.rows
            ids = np.fromfile(file, "<i8", flat.rows)
    if end != size:
        raise _damaged(label, f"{plural(size - end, 'byte')} after its end")
    shape = (flat.rows, flat.output_dim)
    # The numbers begin at an odd byte: what is taken is copied to where it can be computed with.
    rows = StoredRows(np.memmap(path, "<f4", "r", begin, shape), shape, _copied)
    if ids is None:
        return Contents("FAISS index", rows)
    return Contents(
        "FAISS index with ids",
        rows,
        _as_words(ids),
        warnings=_repeated(ids, str(path)),
        words_from="the ids of the index",
    )


def _header(file: IO[bytes], label: str) -> _Header:
    """Return what an index begins with; the file is behind it then.

    Raises:
        DataError: it is cut off, or its numbers cannot be true.
    """
    kind = file.read(4)
    if kind.startswith(b"IB"):  # whose header is another one
        return _Header(kind, 0, 0)
    data = file.read(33)
    if len(data) < 33:
        raise _damaged(label, "it ends within its header")
    output_dim = int.from_bytes(data[:4], "little", signed=True)
    rows = int.from_bytes(data[4:12], "little", signed=True)
    metric = int.from_bytes(data[29:33], "little", signed=True)
    if metric > 1:  # a metric that has an argument
        file.read(4)
    if kind in _FLAT | _ID_MAPS:
        if not rows:
            raise DataError(f"{label} is an index without vectors; expected at least one row")
        if output_dim < 1 or rows < 0 or rows * output_dim > MOST_VALUES:
            raise _damaged(label, f"it claims {rows:,} rows of {output_dim:,} numbers")
    return _Header(kind, output_dim, rows)


def _vector_of(file: IO[bytes], count: int, width: int, size: int, label: str) -> int:
    """Return where the numbers of an array begin, before which stands how many they are.

    Args:
        count: how many there must be.
        width: of each, in bytes.
        size: of the file, in bytes.

    Raises:
        DataError: there are more or fewer, or the file ends before.
    """
    claimed, begin = int.from_bytes(file.read(8), "little"), file.tell()
    if claimed != count:
        raise _damaged(label, f"it claims {claimed:,} numbers where there are {count:,}")
    if begin + width * count > size:
        raise _damaged(
            label, f"its {count:,} numbers end at byte {begin + width * count:,} of {size:,}"
        )
    return begin


def _damaged(label: str, why: str) -> DataError:
    return DataError(f"{label} is a damaged FAISS index ({why}); {_EXPECTED}, as write_index saves")


def _other_kind(outer: bytes, kind: bytes, path: str) -> DataError:
    """Return the error for an index that does not keep its vectors as they are."""
    names = [name for begins, name in _OTHERS.items() if kind.startswith(begins)]
    name = names[0] if names else "another kind of index"
    letters = clipped_repr(kind.decode("latin-1"))
    if kind.startswith((b"IB", b"IxH")):
        return DataError(
            f"{path!r} is {name} of FAISS ({letters}), whose rows are bits; {_EXPECTED}"
        )
    code = [f"index = faiss.read_index({path!r})"]
    if kind[1:2] in b"wv":
        code += ["faiss.extract_index_ivf(index).make_direct_map()"]
    if outer in _ID_MAPS:
        code += ["numpy.save('rows.npy', index.index.reconstruct_n(0, index.ntotal))"]
        code += ["numpy.savetxt('ids.txt', faiss.vector_to_array(index.id_map), '%d')"]
    else:
        code += ["numpy.save('rows.npy', index.reconstruct_n(0, index.ntotal))"]
    return DataError(
        f"{path!r} is {name} of FAISS ({letters}), which may not keep its vectors as they were; "
        f"{_EXPECTED}; in Python: {'; '.join(code)}"
    )


def _copied(part: Any) -> FloatArray:
    return np.array(part, np.float32, order="C")


def _as_words(ids: np.ndarray[Any, np.dtype[np.int64]]) -> PackedWords:
    return pack([b"%d" % number for number in ids.tolist()])


def _repeated(ids: np.ndarray[Any, np.dtype[np.int64]], path: str) -> tuple[str, ...]:
    """Return a warning where ids repeat: only the first row of each is found by it."""
    _, counts = np.unique(ids, return_counts=True)
    repeats = int(np.count_nonzero(counts > 1))
    if not repeats:
        return ()
    return (
        f"{plural(repeats, 'id')} of {path} {'stands' if repeats == 1 else 'stand'} for several "
        "rows; an id finds the first of its rows",
    )
