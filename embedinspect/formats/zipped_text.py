"""Texts of word vectors in a zip, as GloVe's are: the only one in it, or the one that is named."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from embedinspect.errors import DataError, UsageError
from embedinspect.formats.arrays import DAMAGES, refuse_method
from embedinspect.formats.beginning import Start
from embedinspect.formats.contents import Contents, Problems, ReadOptions
from embedinspect.formats.packed import Bounded, PackedFile
from embedinspect.formats.strangers import is_no_text
from embedinspect.formats.text_layout import layout_of
from embedinspect.formats.word_vectors import read_open
from embedinspect.wording import clipped_repr, listed

_MOST_MEMBERS = 100
_START = 2**16


def recognises(start: Start) -> bool:
    """Return whether a file is a zip with a text of word vectors in it."""
    try:
        with zipfile.ZipFile(start.path) as archive:
            return bool(_texts(archive))
    except (DataError, OSError, *DAMAGES):
        return False


def read(path: Path, options: ReadOptions) -> Contents:
    """Return the vectors of a text in a zip.

    Raises:
        UsageError: there are several texts of vectors and none is named, or none has that name.
        DataError: the zip is damaged, two members have one name, or the text is one that
            `word_vectors.read_text` refuses.
    """
    label = repr(str(path))
    with _damage_told(label), path.open("rb") as raw, zipfile.ZipFile(raw) as archive:
        _refuse_repeats(archive, label)
        member = _pick(_texts(archive), options.tensor, label)
        name = f"{clipped_repr(member.filename)} in {label}"
        problems = Problems(name, options.strict)
        with archive.open(member) as stream:
            bounded = cast("IO[bytes]", Bounded(stream, member.compress_size, name))
            begin, size = member.header_offset, member.compress_size
            contents = read_open(
                PackedFile(bounded, raw, size, begin, options.progress), problems, member.filename
            )
    return contents


@contextmanager
def _damage_told(label: str) -> Iterator[None]:
    try:
        yield
    except DAMAGES as error:
        reason = clipped_repr(str(error), 100)
        raise DataError(f"{label} is a damaged zip ({reason}); expected a whole one") from None


def _texts(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the members that begin as texts of word vectors do; none in a zip of arrays.

    Raises:
        DataError: a member is encrypted or compressed in an unusual way.
    """
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) > _MOST_MEMBERS or any(m.filename.endswith(".npy") for m in members):
        return []
    return [member for member in members if _is_text(archive, member)]


def _refuse_repeats(archive: zipfile.ZipFile, label: str) -> None:
    for name, count in Counter(archive.namelist()).items():
        if count > 1:
            raise DataError(
                f"{label} has {count} members of the name {clipped_repr(name)}; expected one"
            )


def _is_text(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    refuse_method(member, clipped_repr(member.filename))
    with archive.open(member) as stream:
        start = stream.read(_START)
    if not start or b"\0" in start or is_no_text(start):
        return False
    return layout_of(start, whole=len(start) < _START) is not None


def _pick(texts: list[zipfile.ZipInfo], wanted: str | None, label: str) -> zipfile.ZipInfo:
    """Return the text that is wanted, or the only one."""
    names = listed(clipped_repr(text.filename, 80) for text in texts)
    if wanted is not None:
        for text in texts:
            if text.filename == wanted:
                return text
        raise UsageError(
            f"--tensor is {clipped_repr(wanted)}; expected a text of vectors in {label}: {names}"
        )
    if len(texts) > 1:
        raise UsageError(
            f"{label} holds {len(texts)} texts of vectors ({names}); name one with --tensor"
        )
    return texts[0]
