"""Archives of arrays as NumPy saves them: `.npz`, a zip of `.npy`, perhaps with the words."""

from __future__ import annotations

import zipfile
from pathlib import Path

from embedinspect.errors import DataError, UsageError
from embedinspect.formats.arrays import (
    BARE,
    DAMAGES,
    Header,
    as_float32,
    check_header,
    fill,
    header_of,
    refuse_bomb,
    refuse_method,
    short,
)
from embedinspect.formats.contents import Contents, ReadOptions
from embedinspect.row_words import Words
from embedinspect.wording import clipped_repr, listed

Member = tuple[zipfile.ZipInfo, Header]

# What an array of the words of the rows is called.
_OF_WORDS = {
    f"{name}.npy"
    for name in ("words", "word", "vocab", "vocabulary", "tokens", "keys", "index_to_key", "labels")
}


def read(path: Path, options: ReadOptions) -> Contents:
    """Return one matrix of a `.npz` file, and its words where an array of the file holds them.

    Raises:
        UsageError: there are several matrices, or no array of that name.
        DataError: as for `open_npy`, or there is no array.
    """
    label = repr(str(path))
    try:
        with zipfile.ZipFile(path) as archive:
            # Of two members of one name the later one counts, as in every reader of zips.
            by_name = {member.filename: member for member in archive.infolist()}
            members = [member for name, member in by_name.items() if name.endswith(".npy")]
            if any(member.compress_size > path.stat().st_size for member in members):
                raise zipfile.BadZipFile("a member larger than the file")  # a bomb that looks dense
            if not members:
                inside = listed(clipped_repr(name) for name in archive.namelist()) or "nothing"
                raise DataError(
                    f"{label} is a zip without arrays (it holds {inside}); expected .npz, as "
                    "numpy.savez writes it"
                )
            headers = _headers(archive, members, options.tensor, label)
            member = _pick(headers, options.tensor, label)
            array_label = f"{_array_name(member)} in {label}"
            refuse_bomb(member, array_label)
            with archive.open(member) as file:
                header = header_of(file, array_label)
                room = member.file_size - file.tell()
                check_header(header.shape, header.dtype, room, array_label, path=label)
                rows = as_float32(fill(file, *header[:3], array_label), array_label)
            warnings = [f"{array_label} {BARE}"] if header.bare else []
            words = _words(archive, headers, len(rows), label, warnings)
    except DAMAGES as error:
        raise DataError(f"{label} is a damaged zip ({short(error)}); expected .npz") from None
    return Contents(
        "NumPy archive",
        rows,
        words[0] if words else None,
        header.dtype.name,
        tensor=member.filename.removesuffix(".npy"),
        warnings=tuple(warnings),
        words_from=f"its array {words[1]}" if words else None,
    )


def _headers(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], wanted: str | None, label: str
) -> list[Member]:
    """Return each array with its header; of damaged ones only that which is wanted counts."""
    headers = []
    for member in members:
        array_label = f"{_array_name(member)} in {label}"
        try:
            refuse_method(member, array_label)
            with archive.open(member) as file:
                headers.append((member, header_of(file, array_label)))
        except (DataError, *DAMAGES):
            if wanted is None or member.filename == f"{wanted}.npy":
                raise
    return headers


def _words(
    archive: zipfile.ZipFile,
    headers: list[Member],
    rows: int,
    label: str,
    warnings: list[str],
) -> tuple[Words, str] | None:
    """Return the words of the rows, and the name of the array that holds them.

    That is the only array of so many strings, or the only such one with a name that says so.
    """
    lists = [
        (member, header)
        for member, header in headers
        if header.shape == (rows,) and header.dtype.kind in "USO"
    ]
    if len(lists) > 1:
        named = [pair for pair in lists if pair[0].filename.lower() in _OF_WORDS]
        lists = named if len(named) == 1 else lists
    if len(lists) > 1:
        names = listed(_array_name(member) for member, _ in lists)
        warnings.append(
            f"{label} has {len(lists)} arrays of {rows:,} strings ({names}), so it cannot be told "
            "which holds the words of the rows; one called 'words' would be taken"
        )
    if len(lists) != 1:
        return None
    member, header = lists[0]
    name = _array_name(member)
    try:
        return _strings(archive, member, header, f"{name} in {label}"), name
    except DataError as error:
        warnings.append(f"the words of the rows are left out: {error}")
        return None


def _strings(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, header: Header, label: str
) -> Words:
    """Return the strings of an array.

    Raises:
        DataError: they are pickled, damaged, or not UTF-8.
    """
    if header.dtype.hasobject:
        raise DataError(f"{label} is a pickle, which could run any code; save it with dtype str")
    refuse_bomb(member, label)
    with archive.open(member) as file:
        header_of(file, label)
        if member.file_size - file.tell() != header.shape[0] * header.dtype.itemsize:
            raise DataError(f"{label} is not as long as it claims; expected a whole array")
        strings = fill(file, *header[:3], label)
    try:
        words = [text if isinstance(text, str) else text.decode() for text in strings.tolist()]
        "".join(words).encode()  # which half of a pair of code units cannot be
        return Words(words)
    except (ValueError, SystemError):  # which Python raises for a code point that is none
        raise DataError(f"{label} holds strings that are no text; expected UTF-8") from None


def _array_name(member: zipfile.ZipInfo) -> str:
    return clipped_repr(member.filename.removesuffix(".npy"))


def _pick(headers: list[Member], wanted: str | None, label: str) -> zipfile.ZipInfo:
    """Return the wanted array; by default the only one, or the only one of two dimensions."""
    if wanted is not None:
        for member, _ in headers:
            if member.filename == f"{wanted}.npy":
                return member
        names = listed(_array_name(member) for member, _ in headers)
        raise UsageError(f"--tensor is {wanted!r}; expected an array of {label}: {names}")
    if len(headers) == 1:
        return headers[0][0]
    matrices = [(member, header) for member, header in headers if len(header.shape) == 2]
    numbers = [pair for pair in matrices if pair[1].dtype.kind not in "US"]
    if len(numbers or matrices) == 1:
        return (numbers or matrices)[0][0]
    arrays = listed(f"{_array_name(member)} {short(header.shape)}" for member, header in headers)
    raise (UsageError if matrices else DataError)(
        f"{label} holds {len(matrices)} arrays of two dimensions ({arrays}); expected one matrix; "
        "name an array with --tensor"
    )
