"""The pieces of a SentencePiece model: the first field of the message `ModelProto`.

The wire format of Protocol Buffers is a row of fields, each with a number and a type: a varint,
eight bytes, four bytes, or a length and as many bytes. Only the texts of the pieces are taken:
field 1 of each message in field 1.
Source: sentencepiece_model.proto of SentencePiece; the encoding guide of Protocol Buffers.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from embedinspect.errors import DataError
from embedinspect.formats.json_object import LARGEST_JSON
from embedinspect.texts import read_bytes

_EXPECTED = "a SentencePiece model"
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
_MOST_PIECES = 2**20


def read_pieces(path: Path) -> list[str]:
    """Return the pieces of a model, in the order of their ids.

    Raises:
        DataError: the file cannot be read, is too large, or is no such model.
    """
    data = read_bytes(str(path), _EXPECTED, LARGEST_JSON)
    label = repr(str(path))
    pieces: list[str] = []
    try:
        for number, value in _fields(data):
            if number == 1 and isinstance(value, bytes):
                texts = [text for field, text in _fields(value) if field == 1]
                pieces.append(texts[-1].decode() if texts and isinstance(texts[-1], bytes) else "")
            if len(pieces) > _MOST_PIECES:
                raise DataError(f"{label} has more than {_MOST_PIECES:,} pieces; expected fewer")
    except (IndexError, ValueError):  # no whole field, or a piece that is no UTF-8
        pieces = []
    if not pieces:
        raise DataError(f"{label} is damaged, or not of its kind; expected {_EXPECTED}")
    return pieces


def _fields(data: bytes) -> Iterator[tuple[int, bytes | None]]:
    """Yield the number of each field of a message, and its bytes where it has a length.

    Raises:
        ValueError: a field is not whole, or of a type that is not in use.
        IndexError: the message ends within a varint.
    """
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        kind = key & 7
        value = None
        if kind == _VARINT:
            _, place = _varint(data, place)
        elif kind == _BYTES:
            length, place = _varint(data, place)
            value = data[place : place + length]
            place += length
        elif kind in (_EIGHT, _FOUR):
            place += 8 if kind == _EIGHT else 4
        else:
            raise ValueError(kind)
        if place > len(data):
            raise ValueError(place)
        yield key >> 3, value


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """Return a number of at most 64 bits, and where it ends."""
    number = shift = 0
    while True:
        byte = data[place]
        number |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return number, place
        if shift > 63:
            raise ValueError(shift)
