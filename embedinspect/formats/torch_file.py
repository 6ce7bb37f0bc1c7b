"""PyTorch's checkpoints in zip form (`torch.save` since 1.6): tensors, mapped where they lie.

The zip has a folder of any name, and in it `data.pkl`, which describes the tensors, `data/KEY`, the
numbers of each storage, and perhaps `byteorder`. Nothing is unpickled: see `unpickler`.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from embedinspect.errors import DataError, UsageError
from embedinspect.formats import magic
from embedinspect.formats.arrays import DAMAGES, as_float32
from embedinspect.formats.beginning import Start
from embedinspect.formats.contents import Contents, ReadOptions
from embedinspect.formats.tensor_roles import with_roles
from embedinspect.formats.tensors import Tensor, pick
from embedinspect.formats.torch_pickle import RULES, View, tensors_in, view_of
from embedinspect.formats.unpickler import unpickled
from embedinspect.matrix import MOST_VALUES
from embedinspect.stored_rows import StoredRows, Vectors, from_bfloat16
from embedinspect.wording import clipped_repr, listed

_PICKLE = "/data.pkl"
_LARGEST_PICKLE = 2**28
_LOCAL_HEADER = 30  # bytes, before the name and the extra field
# By PyTorch's names; bfloat16 and FP8 have no type of NumPy's own.
_DTYPES = {
    "float64": "f8", "double": "f8", "float32": "f4", "float": "f4", "float16": "f2", "half": "f2",
    "bfloat16": "u2", "int64": "i8", "int32": "i4", "int16": "i2", "int8": "i1", "uint64": "u8",
    "uint32": "u4", "uint16": "u2", "uint8": "u1", "float8_e4m3fn": "u1", "float8_e5m2": "u1",
    "float8_e4m3fnuz": "u1", "float8_e5m2fnuz": "u1", "float8_e8m0fnu": "u1",
}  # fmt: skip
_Order = Literal["<", ">"]
_CHECKED_WHOLE = {"float64", "double", "float32", "float", "int64", "uint64"}


@dataclass(frozen=True)
class Member:
    """A member of the zip: its numbers lie in the file as they are.

    Attributes:
        start: offset of its first byte.
        size: in bytes.
    """

    start: int
    size: int


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds.

    Attributes:
        tensors: of two dimensions and a type that is read, with their roles.
        others: why each other tensor is not among them, by name.
        warnings: what is odd about the file, each a sentence.
    """

    tensors: tuple[Tensor, ...]
    others: dict[str, str]
    warnings: tuple[str, ...]


def recognises(start: Start) -> bool:
    """Return whether a zip is a checkpoint, or a model of TorchScript."""
    try:
        with zipfile.ZipFile(start.path) as archive:
            return _folder(archive.namelist()) is not None
    except (*DAMAGES, OSError):
        return False


def read(path: Path, options: ReadOptions) -> Contents:
    """Return the tensor that is named, else the input embedding, else the only matrix there is.

    Raises:
        UsageError: several could be meant and none is named, or none has that name.
        DataError: the file is damaged, or names what is not on the list of what is read.
    """
    label = repr(str(path))
    checkpoint = open_checkpoint(path)
    wanted, tensors = options.tensor, checkpoint.tensors
    if wanted in checkpoint.others:
        raise UsageError(f"--tensor is {clipped_repr(wanted)}: {checkpoint.others[wanted]}")
    if not tensors and checkpoint.others:
        name, reason = next(iter(checkpoint.others.items()))
        raise DataError(
            f"{label} holds no tensor of two dimensions, but "
            f"{listed(map(clipped_repr, checkpoint.others))}; of {clipped_repr(name)}: {reason}"
        )
    tensor = pick(tensors if wanted else _without_optimizer(tensors), wanted, label)
    return Contents(
        "PyTorch checkpoint",
        tensor.read(),
        dtype=tensor.dtype,
        tensor=tensor.name,
        tensors=tensors,
        warnings=checkpoint.warnings,
    )


def _without_optimizer(tensors: Sequence[Tensor]) -> Sequence[Tensor]:
    """Return the tensors without the optimizer's, which are as large as the model's own."""
    return [
        tensor for tensor in tensors if not tensor.name.lower().startswith("optimizer")
    ] or tensors


def open_checkpoint(path: Path) -> Checkpoint:
    """Return the tensors of a checkpoint; their numbers are not read yet.

    Raises:
        DataError: the file is damaged, holds no state dict, or names what is not on the list.
    """
    label = repr(str(path))
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            names = [member.filename for member in members]
            folder = _folder(names)
            if folder is None:
                raise DataError(f"{label} holds no data.pkl; expected a checkpoint of PyTorch")
            _refuse(names, folder, label)
            data, warnings = _pickle(archive, f"{folder}{_PICKLE}", label)
            order = _byte_order(archive, f"{folder}/byteorder")
            prefix = f"{folder}/data/"
            storages = {
                member.filename.removeprefix(prefix): member
                for member in members
                if member.filename.startswith(prefix)
            }
    except DAMAGES as error:
        reason = clipped_repr(str(error), 100)
        raise DataError(f"{label} is a damaged zip ({reason}); expected a checkpoint") from None
    rules = replace(RULES, way_out=RULES.way_out.replace("PATH", label))
    value = unpickled(data, rules, f"data.pkl in {label}")
    found = _Tensors(path, storages, order)
    for name, record in tensors_in(value):
        found.add(name, record)
    return Checkpoint(with_roles(found.tensors), found.others, warnings)


def _folder(names: Sequence[str]) -> str | None:
    """Return the folder in which the pickle lies; None where there is none."""
    for name in names:
        folder, slash, rest = name.partition("/")
        if slash + rest == _PICKLE:
            return folder
    return None


def _refuse(names: Sequence[str], folder: str, label: str) -> None:
    """Refuse zips that are no checkpoints, or that readers could take for different ones.

    Raises:
        DataError: it is such a zip.
    """
    if f"{folder}/constants.pkl" in names or any(
        name.startswith(f"{folder}/code/") for name in names
    ):
        raise DataError(
            f"{label} is a TorchScript model, which is a program; expected a state dict; in "
            f"Python: torch.save(torch.jit.load({label}).state_dict(), 'weights.pt')"
        )
    [(name, count)] = Counter(names).most_common(1)
    if count > 1:
        raise DataError(
            f"{label} holds {count:,} members of the name {clipped_repr(name)}; expected one, so "
            "that all readers read the same"
        )


def _byte_order(archive: zipfile.ZipFile, name: str) -> _Order:
    """Return in which order numbers have their bytes; files without a word on it are older."""
    if name not in archive.namelist() or archive.getinfo(name).file_size != len(b"big"):
        return "<"
    return ">" if archive.read(name) == b"big" else "<"


def _pickle(archive: zipfile.ZipFile, name: str, label: str) -> tuple[bytes, tuple[str, ...]]:
    """Return the bytes of the pickle, and a warning where the zip's checksum is not theirs.

    PyTorch can be told to write no checksums, and what it writes then is not zero.
    """
    member = archive.getinfo(name)
    if member.file_size > _LARGEST_PICKLE:
        raise DataError(f"data.pkl in {label} is larger than 256 MB; expected a state dict")
    place = _located(archive, member, f"data.pkl in {label}")
    assert archive.fp is not None
    archive.fp.seek(place.start)
    data = archive.fp.read(place.size)
    if zlib.crc32(data) == member.CRC:
        return data, ()
    return data, (
        "data.pkl does not have the checksum that the zip says, so the file is damaged, unless it "
        "was saved without checksums (torch.serialization.set_crc32_options(False))",
    )


def _located(archive: zipfile.ZipFile, member: zipfile.ZipInfo, label: str) -> Member:
    """Return where the bytes of a member lie, by the header that stands before them.

    Raises:
        DataError: they are compressed or encrypted, or do not lie within the file.
    """
    if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
        how = "encrypted" if member.flag_bits & 1 else "compressed"
        raise DataError(
            f"{label} is {how}; expected it stored as it is, as torch.save does; unpack the zip "
            "and pack it again with: zip -0 -r"
        )
    file = archive.fp
    assert file is not None
    size = file.seek(0, 2)
    file.seek(member.header_offset)
    header = file.read(_LOCAL_HEADER)
    if len(header) < _LOCAL_HEADER or not header.startswith(magic.ZIP):
        raise DataError(f"{label} does not lie where the zip says; expected a whole checkpoint")
    name_length, extra_length = struct.unpack("<HH", header[26:])
    if file.read(name_length) != member.orig_filename.encode("utf-8", "replace"):
        raise DataError(f"{label} has two names; expected a whole checkpoint")
    start = member.header_offset + _LOCAL_HEADER + name_length + extra_length
    if member.compress_size != member.file_size or start + member.file_size > size:
        raise DataError(f"{label} claims bytes beyond the file; expected a whole checkpoint")
    return Member(start, member.file_size)


class _Tensors:
    """The tensors of a checkpoint as they are found.

    Attributes:
        tensors: those that can be read as rows.
        others: why the others cannot, by name.
    """

    def __init__(self, path: Path, storages: dict[str, zipfile.ZipInfo], order: _Order) -> None:
        self.path, self.storages, self.order = path, storages, order
        self.tensors: list[Tensor] = []
        self.others: dict[str, str] = {}

    def add(self, name: str, record: Any) -> None:
        """Take a tensor that the pickle describes."""
        label = f"{clipped_repr(name)} in {str(self.path)!r}"
        try:
            view = view_of(record, label)
        except DataError as error:
            self.others[name] = str(error)
            return
        if len(view.shape) != 2 or not all(view.shape):
            shape = clipped_repr(str(list(view.shape)))
            self.others[name] = f"{label} has shape {shape}; expected (rows, output_dim)"
        elif view.dtype not in _DTYPES:
            self.others[name] = f"{label} has dtype {view.dtype}; expected real numbers"
        else:
            rows, columns = view.shape
            self.tensors.append(
                Tensor(name, (rows, columns), view.dtype, lambda: self.rows(view, label))
            )

    def rows(self, view: View, label: str) -> Vectors:
        """Return the rows of a tensor, mapped.

        Raises:
            DataError: they do not lie within the storage, or the storage not within the file.
        """
        member = self.storages.get(view.storage.key)
        if member is None:
            raise DataError(f"{label} lacks its numbers; expected a whole checkpoint")
        with self.path.open("rb") as file, zipfile.ZipFile(file) as archive:
            place = _located(archive, member, f"{label}: {clipped_repr(member.filename)}")
        dtype = np.dtype(_DTYPES[view.dtype]).newbyteorder(self.order)
        (rows, columns), room = view.shape, place.size // dtype.itemsize
        last = view.offset + sum(
            (side - 1) * stride for side, stride in zip(view.shape, view.strides, strict=True)
        )
        if last >= room:
            raise DataError(
                f"{label} claims numbers up to number {last:,} of a storage that has {room:,}; "
                "expected a whole checkpoint"
            )
        if rows * columns > min(room, MOST_VALUES):
            raise DataError(
                f"{label} shows {rows * columns:,} numbers, of which its storage has {room:,}; "
                f"expected a tensor that repeats none, of at most {MOST_VALUES:,}; in Python: "
                "tensor.contiguous()"
            )
        # Mapped, not read: a tensor may be larger than the memory.
        numbers = np.memmap(self.path, dtype, "r", place.start, (room,))
        strides = [
            stride * dtype.itemsize if side > 1 else 0
            for side, stride in zip(view.shape, view.strides, strict=True)
        ]
        stored = np.lib.stride_tricks.as_strided(
            numbers[view.offset :], view.shape, strides, writeable=False
        )
        return _decoded(stored, view.dtype, (rows, columns), label)


def _decoded(stored: Any, dtype: str, shape: tuple[int, int], label: str) -> Vectors:
    """Return stored numbers as rows of float32."""
    if dtype == "bfloat16":
        return StoredRows(stored, shape, from_bfloat16)
    if dtype.startswith("float8"):
        import ml_dtypes

        return StoredRows(stored.view(getattr(ml_dtypes, dtype)), shape)
    if dtype in _CHECKED_WHOLE and stored.flags.c_contiguous:
        return as_float32(np.asarray(stored), label)
    if dtype in _CHECKED_WHOLE - {"float32", "float"}:
        return as_float32(np.ascontiguousarray(stored), label)
    return StoredRows(stored, shape)
