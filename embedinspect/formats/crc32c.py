"""The checksum CRC-32C (Castagnoli) of bytes, by NumPy: the standard library has only CRC-32.

A checksum is linear in the bits. So the bytes are cut into lanes of one length, which are worked
through side by side, and the lanes are joined in pairs: appending n bytes to others multiplies the
checksum of those by x^(8n) modulo the polynomial.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

Checksums = np.ndarray[Any, np.dtype[np.uint32]]

_POLYNOMIAL = 0x82F63B78  # its bits from the lowest power to the highest
_ALL = 0xFFFFFFFF
_MOST_LANES = 2**15
_BLOCK = 2**24
_SHORT = 2**12
_MASK_DELTA = 0xA282EAD8


def crc32c(data: bytes | np.ndarray[Any, np.dtype[np.uint8]]) -> int:
    """Return the CRC-32C of bytes (RFC 3720, appendix B.4).

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    values = np.frombuffer(data, np.uint8) if isinstance(data, bytes) else data
    if len(values) <= _SHORT:
        return _of_few(values.tobytes())
    sums = np.array([_ALL], np.uint32)
    for start in range(0, len(values), _BLOCK):
        block = values[start : start + _BLOCK]
        sums = _times(_moved_by(len(block)), sums) ^ _from_zero(block)
    return int(sums[0]) ^ _ALL


def _of_few(data: bytes) -> int:
    """Return the checksum of a few bytes, for which lanes would take longer."""
    table, checksum = _bytewise(), _ALL
    for byte in data:
        checksum = table[(checksum ^ byte) & 0xFF] ^ checksum >> 8
    return checksum ^ _ALL


@cache
def _bytewise() -> list[int]:
    """Return what each byte makes of a checksum of zero."""
    checksums = []
    for checksum in range(256):
        for _ in range(8):
            checksum = checksum >> 1 ^ (_POLYNOMIAL if checksum & 1 else 0)
        checksums.append(checksum)
    return checksums


def _from_zero(values: np.ndarray[Any, np.dtype[np.uint8]]) -> Checksums:
    """Return the checksum of bytes, one number, where none comes before them."""
    lanes = 1
    while lanes < _MOST_LANES and lanes * 64 < len(values):
        lanes *= 2
    length = 2 * -(-len(values) // (2 * lanes))  # of a lane, in bytes
    # Zeros in front do not change a checksum that starts from zero.
    padded = np.zeros(lanes * length, np.uint8)
    padded[lanes * length - len(values) :] = values
    pairs = padded.view("<u2").reshape(lanes, length // 2)
    sums = _of_lanes(np.ascontiguousarray(pairs.T))
    step = _moved_by(length)
    while len(sums) > 1:
        sums = _times(step, sums[0::2]) ^ sums[1::2]
        step = _times(step, step)
    return sums


def unmasked(stored: int) -> int:
    """Return the checksum that a LevelDB table stores in masked form, as it rotates and adds."""
    rotated = (stored - _MASK_DELTA) & _ALL
    return ((rotated << 15) | (rotated >> 17)) & _ALL


def _of_lanes(pairs: np.ndarray[Any, np.dtype[np.uint16]]) -> Checksums:
    """Return the checksum of each lane, from zero, of pairs of bytes, shape (steps, lanes)."""
    table = _table()
    sums = np.zeros(pairs.shape[1], np.uint32)
    for step in pairs:
        sums = np.take(table, (sums ^ step) & 0xFFFF, mode="clip") ^ (sums >> 16)
    return sums


@cache
def _table() -> Checksums:
    """Return what each pair of bytes makes of a checksum of zero."""
    table = np.arange(2**16, dtype=np.uint32)
    for _ in range(16):
        table = (table >> np.uint32(1)) ^ (np.uint32(_POLYNOMIAL) * (table & np.uint32(1)))
    return table


def _moved_by(count: int) -> Checksums:
    """Return what each bit of a checksum becomes when `count` zero bytes follow; 32 numbers."""
    moved: Checksums = np.uint32(1) << np.arange(
        32, dtype=np.uint32
    )  # by none: each bit stays as it is
    square = moved
    for _ in range(8):  # by one byte
        square = (square >> np.uint32(1)) ^ (np.uint32(_POLYNOMIAL) * (square & np.uint32(1)))
    while count:
        if count & 1:
            moved = _times(square, moved)
        square = _times(square, square)
        count >>= 1
    return moved


def _times(bits: Checksums, sums: Checksums) -> Checksums:
    """Return checksums moved on, where `bits` says what each of their bits becomes."""
    moved = np.zeros_like(sums)
    for place, value in enumerate(bits):
        moved ^= (sums >> np.uint32(place) & 1) * value
    return moved
