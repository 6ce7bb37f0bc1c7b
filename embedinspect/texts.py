"""Texts from where the user has them: arguments, files with one text a line, standard input."""

from __future__ import annotations

import codecs
import stat
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from embedinspect import samples
from embedinspect.errors import DataError, UsageError, os_reason

NO_TEXT = (
    'no text given; expected one or more texts, as in: embedinspect show "This is a text", or '
    "--file PATH, or texts on standard input, one a line"
)


def collect_texts(
    arguments: Sequence[str],
    files: Sequence[str],
    encoding: str = "utf-8",
    *,
    missing: str | None = None,
    read: Callable[[str, str], list[str]] | None = None,
) -> list[str]:
    """Return the texts of the arguments, then those of the files, in their order.

    A file holds one text a line; `-` is standard input, which is also read when there are neither
    arguments nor files and it is not a terminal.

    Args:
        read: returns the texts of a file in an encoding, where they are not just its lines.
        missing: the message where there is no text at all, if not the usual one.

    Raises:
        UsageError: there is no text at all, or the encoding is not known.
        DataError: a file cannot be read, is empty, or is not in that encoding.
    """
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise UsageError(
            f"--encoding {encoding!r} is not known; expected a name such as utf-8 or latin-1"
        ) from None
    texts = list(arguments)
    if not texts and not files:
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError(missing or NO_TEXT)
        files = ["-"]
    for name in files:
        texts.extend((read or read_texts)(name, encoding))
    return texts


def read_texts(
    name: str, encoding: str = "utf-8", *, expected: str = "one text a line"
) -> list[str]:
    """Return the lines of one file, or of standard input for `-`.

    Lines end at `\\n` or `\\r\\n` alone: other line separators of Unicode belong to the text.

    Args:
        expected: what is said of an empty file.

    Raises:
        DataError: the file cannot be read, is empty, or holds bytes that are not in `encoding`.
    """
    return lines_of(read_decoded(name, encoding, expected=expected)[0])


def read_decoded(name: str, encoding: str, *, expected: str = "one text a line") -> tuple[str, str]:
    """Return what one file, or standard input for `-`, holds, and how errors name it.

    Raises:
        DataError: the file cannot be read, is empty, or holds bytes that are not in `encoding`.
    """
    label = "standard input" if name == "-" else repr(name)
    data = sys.stdin.buffer.read() if name == "-" else read_bytes(name, "a text file")
    if not data:
        raise DataError(f"{label} is empty; expected {expected}")
    return decode(data, encoding, label), label


def lines_of(contents: str) -> list[str]:
    """Return the lines of a text."""
    lines = contents.split("\n")
    if lines[-1] == "":
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def decode(data: bytes, encoding: str, label: str) -> str:
    """Return bytes as text; a byte order mark at the start of UTF-8 is left out.

    Args:
        label: what the bytes are, for errors: the path of a file in quotes, for example.

    Raises:
        DataError: the bytes are not in `encoding`; the error names the first one that is not, with
            its offset and its line.
    """
    if encoding.lower().replace("_", "-") in {"utf-8", "utf8"}:
        encoding = "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{label} is not {error.encoding}: byte 0x{data[error.start]:02x} at offset "
            f"{error.start}, line {line}; name its encoding with --encoding, such as latin-1"
        ) from None
    except (UnicodeError, LookupError, ValueError) as error:
        raise DataError(f"{label} cannot be read as {encoding}: {error}; see --encoding") from None


def read_bytes(path: str, expected: str, most: int | None = None) -> bytes:
    """Return the bytes of a file, or of a sample.

    Args:
        expected: what kind of file it should be, for errors.
        most: how many bytes a file of that kind may have. It must then be a regular file: a pipe
            or a device might never end.

    Raises:
        UsageError: there is no sample of that name.
        DataError: the file cannot be read, or is larger.
    """
    try:
        place = Path(samples.resolve(path))
        if most is not None:
            _refuse_endless(place, path, expected, most)
        return place.read_bytes()
    except (OSError, ValueError) as error:
        reason = os_reason(error) if isinstance(error, OSError) else str(error)
        raise DataError(f"cannot read {path!r}: {reason}; expected {expected}") from None


def _refuse_endless(place: Path, path: str, expected: str, most: int) -> None:
    """Refuse what is no regular file, or too large a one.

    Raises:
        OSError: there is nothing in that place.
        DataError: it is no regular file, or too large.
    """
    status = place.stat()
    if stat.S_ISDIR(status.st_mode):
        return  # reading it says what is wrong
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"cannot read {path!r}: it is not a regular file; expected {expected}")
    if status.st_size > most:
        raise DataError(
            f"{path!r} has {status.st_size:,} bytes; expected {expected}, of at most {most:,} bytes"
        )
