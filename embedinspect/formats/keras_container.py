"""The container of a Keras model: a zip of JSON and HDF5, or HDF5 in one file or in shards."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from embedinspect.errors import DataError
from embedinspect.formats import arrays, hdf5, keras_shards, magic
from embedinspect.formats.keras_json import parsed
from embedinspect.formats.weight_files import WeightFiles
from embedinspect.wording import clipped_repr

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_LARGEST_TEXT = 2**28
_MOST_PACKED_EXPANSION = 100
_READ_WHOLE = 2**28  # larger weights are read where they lie, without the zip's checksum


class _Part(io.RawIOBase):
    """A part of a file as a file of its own."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        super().__init__()
        self._file, self._start, self._size, self._at = file, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        base = {0: 0, 1: self._at, 2: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        self._file.seek(self._start + self._at)
        data = self._file.read(max(0, min(len(buffer), self._size - self._at)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


@contextmanager
def open_weights(path: Path, label: str) -> Iterator[tuple[zipfile.ZipFile | None, WeightFiles]]:
    """Open the weights of a model: the HDF5 file itself, its shards, or the one in the zip.

    Yields the zip, or None where there is none, and the open HDF5 files.

    Raises:
        DataError: a file is damaged or missing.
    """
    with path.open("rb") as raw:
        start = raw.read(len(magic.HDF5))
        raw.seek(0)
        if start == magic.HDF5:
            with hdf5.open_hdf5(raw, label) as file:
                yield None, WeightFiles([file], label)
        elif start.startswith(b"{"):
            with keras_shards.open_shards(path, label) as files:
                yield None, WeightFiles(files, label)
        else:
            with _open_zip(raw, label) as opened:
                yield opened


@contextmanager
def _open_zip(raw: IO[bytes], label: str) -> Iterator[tuple[zipfile.ZipFile, WeightFiles]]:
    try:
        with (
            zipfile.ZipFile(raw) as archive,
            _member(archive, raw, label) as member,
            hdf5.open_hdf5(member, f"{WEIGHTS} in {label}") as file,
        ):
            yield archive, WeightFiles([file], label)
    except arrays.DAMAGES as error:
        reason = clipped_repr(str(error), 100)
        raise DataError(f"{label} is a damaged zip ({reason}); expected .keras") from None


@contextmanager
def _member(archive: zipfile.ZipFile, raw: IO[bytes], label: str) -> Iterator[IO[bytes]]:
    """Open the HDF5 file in the zip."""
    if WEIGHTS not in archive.namelist():
        raise DataError(
            f"{label} has its weights in several files; expected one, {WEIGHTS}, so save the model "
            "unsharded"
        )
    member = archive.getinfo(WEIGHTS)
    arrays.refuse_bomb(member, f"{WEIGHTS} in {label}")
    if member.file_size <= _READ_WHOLE or member.compress_type != zipfile.ZIP_STORED:
        if member.file_size > max(_READ_WHOLE, _MOST_PACKED_EXPANSION * member.compress_size):
            raise DataError(
                f"{WEIGHTS} in {label} unpacks from {member.compress_size:,} to "
                f"{member.file_size:,} bytes; expected weights, which do not compress so well"
            )
        yield io.BytesIO(archive.read(member))
        return
    raw.seek(member.header_offset)
    header = raw.read(30)
    begin = member.header_offset + 30 + sum(struct.unpack("<HH", header[26:30]))
    yield io.BufferedReader(_Part(raw, begin, member.file_size))


def json_in(archive: zipfile.ZipFile, name: str, label: str) -> dict[str, Any]:
    """Return a JSON object in the zip.

    Raises:
        DataError: it is missing, too large, or no JSON object.
    """
    return parsed(text_in(archive, name, label), f"{name} in {label}")


def text_in(archive: zipfile.ZipFile, name: str, label: str) -> str:
    """Return a text in the zip.

    Raises:
        DataError: it is missing, or larger than any text that Keras writes.
    """
    try:
        member = archive.getinfo(name)
    except KeyError:
        raise DataError(f"{label} has no {name}; expected .keras as Keras saves it") from None
    arrays.refuse_bomb(member, f"{clipped_repr(name)} in {label}")
    if member.file_size > _LARGEST_TEXT:
        raise DataError(f"{clipped_repr(name)} in {label} is larger than 256 MB")
    return archive.read(member).decode("utf-8")
