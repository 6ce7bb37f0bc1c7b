"""The hashes by which Keras's lookup layers spread unknown words over several ids.

`tf.strings.to_hash_bucket_fast` takes the 64-bit fingerprint of FarmHash (Geoff Pike, Google),
`tf.strings.to_hash_bucket_strong` takes SipHash-2-4 (Aumasson and Bernstein, 2012) with a key; both
then take the remainder. All arithmetic is on unsigned numbers of 64 bits. The tests ask TensorFlow.
"""

from __future__ import annotations

from collections.abc import Sequence

_MASK = 2**64 - 1
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
_Pair = tuple[int, int]


def bucket(token: str, buckets: int, salt: Sequence[int] | None = None) -> int:
    """Return the bucket of a string, 0 to `buckets` - 1.

    Args:
        salt: two whole numbers, the key of the stronger hash; None for the fast one.
    """
    data = token.encode("utf-8")
    return (farm_hash(data) if salt is None else sip_hash(data, salt[0], salt[1])) % buckets


def farm_hash(data: bytes) -> int:
    """Return FarmHash's Fingerprint64 of some bytes.

    >>> hex(farm_hash(b""))
    '0x9ae16a3b2f90404f'
    """
    size = len(data)
    if size <= 16:
        return _up_to_16(data)
    if size <= 32:
        return _up_to_32(data)
    if size <= 64:
        return _up_to_64(data)
    return _longer(data)


def _word(data: bytes, start: int, size: int = 8) -> int:
    return int.from_bytes(data[start : start + size], "little")


def _rotate_right(value: int, bits: int) -> int:
    value &= _MASK
    return (value >> bits | value << (64 - bits)) & _MASK


def _shift_mix(value: int) -> int:
    value &= _MASK
    return value ^ value >> 47


def _mix(first: int, second: int, factor: int) -> int:
    first, second = first & _MASK, second & _MASK
    inner = _shift_mix((first ^ second) * factor)
    return _shift_mix((second ^ inner) * factor) * factor & _MASK


def _up_to_16(data: bytes) -> int:
    size = len(data)
    factor = _K2 + size * 2
    if size >= 8:
        first, last = _word(data, 0) + _K2, _word(data, size - 8)
        left = _rotate_right(last, 37) * factor + first
        return _mix(left, (_rotate_right(first, 25) + last) * factor, factor)
    if size >= 4:
        return _mix(size + (_word(data, 0, 4) << 3), _word(data, size - 4, 4), factor)
    if size:
        left, right = data[0] + (data[size >> 1] << 8), size + (data[-1] << 2)
        return _shift_mix(left * _K2 ^ right * _K0) * _K2 & _MASK
    return _K2


def _up_to_32(data: bytes) -> int:
    size = len(data)
    factor = _K2 + size * 2
    a, b = _word(data, 0) * _K1, _word(data, 8)
    c, d = _word(data, size - 8) * factor, _word(data, size - 16) * _K2
    left = _rotate_right(a + b, 43) + _rotate_right(c, 30) + d
    return _mix(left, a + _rotate_right(b + _K2, 18) + c, factor)


def _up_to_64(data: bytes) -> int:
    size = len(data)
    factor = _K2 + size * 2
    a, b = _word(data, 0) * _K2, _word(data, 8)
    c, d = _word(data, size - 8) * factor, _word(data, size - 16) * _K2
    y = _rotate_right(a + b, 43) + _rotate_right(c, 30) + d
    z = _mix(y, a + _rotate_right(b + _K2, 18) + c, factor)
    e, f = _word(data, 16) * factor, _word(data, 24)
    g, h = (y + _word(data, size - 32)) * factor, (z + _word(data, size - 24)) * factor
    left = _rotate_right(e + f, 43) + _rotate_right(g, 30) + h
    return _mix(left, e + _rotate_right(f + a, 18) + g, factor)


def _longer(data: bytes) -> int:
    """Return the hash of more than 64 bytes: blocks of 64, then the last 64 bytes once more."""
    rest = (len(data) - 1) & 63
    x, y = 81 * _K2 + _word(data, 0), 81 * _K1 + 113
    z = _shift_mix(y * _K2 + 113) * _K2
    v: _Pair = (0, 0)
    w: _Pair = (0, 0)
    for start in range(0, len(data) - 1 - rest, 64):
        x, y, z, v, w = _block(data, start, (x, y, z, v, w), _K1, 1)
    factor = _K1 + ((z & 255) << 1)  # x and z were exchanged at the end of the block
    w = (w[0] + rest, w[1])
    v = (v[0] + w[0], v[1])
    w = (w[0] + v[0], w[1])
    x, y, z, v, w = _block(data, len(data) - 64, (x, y, z, v, w), factor, 9)
    left = _mix(v[0], w[0], factor) + _shift_mix(y) * _K0 + z
    return _mix(left, _mix(v[1], w[1], factor) + x, factor)


def _block(
    data: bytes, start: int, state: tuple[int, int, int, _Pair, _Pair], factor: int, weight: int
) -> tuple[int, int, int, _Pair, _Pair]:
    """Return the state after 64 bytes more."""
    x, y, z, v, w = state
    x = _rotate_right(x + y + v[0] + _word(data, start + 8), 37) * factor
    y = _rotate_right(y + v[1] + _word(data, start + 48), 42) * factor
    x = (x ^ w[1] * weight) & _MASK
    y = (y + v[0] * weight + _word(data, start + 40)) & _MASK
    z = _rotate_right(z + w[0], 33) * factor & _MASK
    v = _weak(data, start, v[1] * factor, x + w[0])
    w = _weak(data, start + 32, z + w[1], y + _word(data, start + 16))
    return z, y, x, v, w


def _weak(data: bytes, start: int, a: int, b: int) -> _Pair:
    """Return two numbers made of two seeds and 32 bytes."""
    first, second, third, fourth = (_word(data, start + place) for place in (0, 8, 16, 24))
    a += first
    b = _rotate_right(b + a + fourth, 21)
    c = a
    a += second + third
    b += _rotate_right(a, 44)
    return (a + fourth) & _MASK, (b + c) & _MASK


def sip_hash(data: bytes, key: int, key_2: int) -> int:
    """Return SipHash-2-4 of some bytes under a key of two numbers."""
    key, key_2 = key & _MASK, key_2 & _MASK
    state = [
        key ^ 0x736F6D6570736575,
        key_2 ^ 0x646F72616E646F6D,
        key ^ 0x6C7967656E657261,
        key_2 ^ 0x7465646279746573,
    ]
    tail = len(data) - len(data) % 8
    words = [_word(data, start) for start in range(0, tail, 8)]
    words.append(_word(data, tail) | (len(data) & 255) << 56)
    for word in words:
        state[3] ^= word
        _sip_rounds(state, 2)
        state[0] ^= word
    state[2] ^= 255
    _sip_rounds(state, 4)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _sip_rounds(v: list[int], rounds: int) -> None:
    """Mix the four numbers of SipHash in place."""
    for _ in range(rounds):
        v[0] = (v[0] + v[1]) & _MASK
        v[2] = (v[2] + v[3]) & _MASK
        v[1] = _rotate_right(v[1], 51) ^ v[0]
        v[3] = _rotate_right(v[3], 48) ^ v[2]
        v[0] = _rotate_right(v[0], 32)
        v[2] = (v[2] + v[1]) & _MASK
        v[0] = (v[0] + v[3]) & _MASK
        v[1] = _rotate_right(v[1], 47) ^ v[2]
        v[3] = _rotate_right(v[3], 43) ^ v[0]
        v[2] = _rotate_right(v[2], 32)
