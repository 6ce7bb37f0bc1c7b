"""How llama.cpp stores numbers: whole ones, and blocks of a few bits with scales of their own.

A row of a quantized tensor is a sequence of blocks, each of 32 or 256 numbers: packed integers and
the scales (and minima) that they are multiplied with (and that are taken away). Layouts and
arithmetic, in float32 and in this order, are those of `dequantize_row_*` in ggml-quants.c.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedinspect.errors import DataError
from embedinspect.stored_rows import FloatArray

Blocks = np.ndarray[Any, np.dtype[np.uint8]]
# Returns the float32 numbers, shape (blocks, numbers of a block), of blocks, shape (blocks, bytes).
Decoder = Callable[[Blocks], FloatArray]


@dataclass(frozen=True)
class NumberType:
    """How the numbers of a tensor are stored.

    Attributes:
        code: its number in a file.
        name: llama.cpp's name for it.
        numbers: how many numbers a block has.
        size: how many bytes a block has.
    """

    code: int
    name: str
    numbers: int
    size: int

    @property
    def plain(self) -> str | None:
        """The NumPy dtype of numbers that are stored whole; None for blocks and for BF16."""
        return _PLAIN.get(self.name)


# Codes are those of `enum ggml_type`; the gaps are types that llama.cpp has removed.
TYPES = {
    code: NumberType(code, name, numbers, size)
    for code, name, numbers, size in (
        (0, "F32", 1, 4), (1, "F16", 1, 2), (2, "Q4_0", 32, 18), (3, "Q4_1", 32, 20),
        (6, "Q5_0", 32, 22), (7, "Q5_1", 32, 24), (8, "Q8_0", 32, 34), (9, "Q8_1", 32, 40),
        (10, "Q2_K", 256, 84), (11, "Q3_K", 256, 110), (12, "Q4_K", 256, 144),
        (13, "Q5_K", 256, 176), (14, "Q6_K", 256, 210), (15, "Q8_K", 256, 292),
        (16, "IQ2_XXS", 256, 66), (17, "IQ2_XS", 256, 74), (18, "IQ3_XXS", 256, 98),
        (19, "IQ1_S", 256, 50), (20, "IQ4_NL", 32, 18), (21, "IQ3_S", 256, 110),
        (22, "IQ2_S", 256, 82), (23, "IQ4_XS", 256, 136), (24, "I8", 1, 1), (25, "I16", 1, 2),
        (26, "I32", 1, 4), (27, "I64", 1, 8), (28, "F64", 1, 8), (29, "IQ1_M", 256, 56),
        (30, "BF16", 1, 2), (34, "TQ1_0", 256, 54), (35, "TQ2_0", 256, 66), (39, "MXFP4", 32, 17),
        (40, "NVFP4", 64, 36), (41, "Q1_0", 128, 18),
    )
}  # fmt: skip
_PLAIN = {
    "F32": "<f4", "F16": "<f2", "F64": "<f8", "I8": "i1", "I16": "<i2", "I32": "<i4", "I64": "<i8",
}  # fmt: skip
_IQ4_LEVELS = np.array(
    [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], np.float32
)


def decoder(kind: NumberType, label: str) -> Callable[[Any], FloatArray]:
    """Return what decodes rows of blocks: uint8, shape (rows, bytes), to float32 rows.

    What is not decoded here is decoded by the gguf package, where it is installed.

    Args:
        label: how messages name the tensor.

    Raises:
        DataError: numbers are stored in a way that neither can decode.
    """
    decode = _DECODERS.get(kind.name) or _by_library(kind, label)

    def rows_of(stored: Any) -> FloatArray:
        count, width = stored.shape
        columns = width // kind.size * kind.numbers
        if not count:  # NumPy cannot tell how to cut nothing into blocks
            return np.empty((0, columns), np.float32)
        blocks = np.ascontiguousarray(stored).reshape(-1, kind.size)
        with np.errstate(invalid="ignore", over="ignore"):  # a scale may be infinite
            return decode(blocks).reshape(count, columns)

    return rows_of


def _by_library(kind: NumberType, label: str) -> Decoder:
    """Return the decoder that the gguf package has."""
    try:
        from gguf import quants
        from gguf.constants import GGMLQuantizationType
    except ImportError:
        raise DataError(
            f"{label} is stored as {kind.name}, which is decoded by the gguf package; to install "
            "it: pip install 'embedinspect[gguf]'"
        ) from None

    def decode(blocks: Blocks) -> FloatArray:
        # As one row, since the library takes few rows at a time.
        numbers: FloatArray = quants.dequantize(blocks.reshape(1, -1), kind_there)
        return numbers

    try:
        kind_there = GGMLQuantizationType(kind.code)
        decode(np.zeros((1, kind.size), np.uint8))
    except (NotImplementedError, ValueError):
        raise DataError(
            f"{label} is stored as {kind.name}, which the gguf package that is installed does not "
            "decode; expected another type, as of: "
            "llama-quantize --allow-requantize THIS.gguf OTHER.gguf F16"
        ) from None
    return decode


def _float16(blocks: Blocks, at: int) -> FloatArray:
    """Return the float16 at a byte of each block, float32, shape (blocks, 1)."""
    return np.ascontiguousarray(blocks[:, at : at + 2]).view("<f2").astype(np.float32)


def _unpacked(packed: Blocks, bits: int, width: int) -> Blocks:
    """Return small integers that are packed into bytes, shape (blocks, integers).

    Of each group of `width` bytes come first the lowest bits of all, then the next ones, and so on.
    """
    groups = packed.reshape(len(packed), -1, 1, width)
    shifts = np.arange(0, 8, bits, dtype=np.uint8)[:, None]
    return (groups >> shifts & np.uint8(2**bits - 1)).reshape(len(packed), -1)


def _signed(numbers: Blocks, zero: int) -> np.ndarray[Any, np.dtype[np.int8]]:
    """Return integers below 128 as signed ones from which `zero` was taken."""
    return numbers.view(np.int8) - np.int8(zero)


def _q4_0(blocks: Blocks) -> FloatArray:
    return _float16(blocks, 0) * _signed(_unpacked(blocks[:, 2:], 4, 16), 8)


def _q4_1(blocks: Blocks) -> FloatArray:
    return _float16(blocks, 0) * _unpacked(blocks[:, 4:], 4, 16) + _float16(blocks, 2)


def _q5_0(blocks: Blocks) -> FloatArray:
    return _float16(blocks, 0) * _signed(_five_bits(blocks[:, 2:]), 16)


def _q5_1(blocks: Blocks) -> FloatArray:
    return _float16(blocks, 0) * _five_bits(blocks[:, 4:]) + _float16(blocks, 2)


def _five_bits(packed: Blocks) -> Blocks:
    """Return 32 integers: their highest bits are in four bytes, the lower ones in 16 more."""
    return _unpacked(packed[:, 4:], 4, 16) | _unpacked(packed[:, :4], 1, 1) << np.uint8(4)


def _q8_0(blocks: Blocks) -> FloatArray:
    return _float16(blocks, 0) * blocks[:, 2:].view(np.int8)


def _q2_k(blocks: Blocks) -> FloatArray:
    scales = _float16(blocks, 80) * (blocks[:, :16] & 15)
    minima = _float16(blocks, 82) * (blocks[:, :16] >> 4)
    return _scaled(scales, _unpacked(blocks[:, 16:80], 2, 32), minima)


def _q3_k(blocks: Blocks) -> FloatArray:
    packed = blocks[:, 96:108]
    scales = _unpacked(packed[:, :8], 4, 8) | _unpacked(packed[:, 8:], 2, 4) << np.uint8(4)
    high = _unpacked(blocks[:, :32], 1, 32) << np.uint8(2)
    numbers = _signed(_unpacked(blocks[:, 32:96], 2, 32) | high, 4)
    return _scaled(_float16(blocks, 108) * _signed(scales, 32), numbers)


def _q4_k(blocks: Blocks) -> FloatArray:
    return _scaled(*_scales_and_minima(blocks, _unpacked(blocks[:, 16:], 4, 32)))


def _q5_k(blocks: Blocks) -> FloatArray:
    high = _unpacked(blocks[:, 16:48], 1, 32) << np.uint8(4)
    return _scaled(*_scales_and_minima(blocks, _unpacked(blocks[:, 48:], 4, 32) | high))


def _q6_k(blocks: Blocks) -> FloatArray:
    high = _unpacked(blocks[:, 128:192], 2, 32) << np.uint8(4)
    numbers = _signed(_unpacked(blocks[:, :128], 4, 64) | high, 32)
    return _scaled(_float16(blocks, 208) * blocks[:, 192:208].view(np.int8), numbers)


def _iq4_nl(blocks: Blocks) -> FloatArray:
    return _float16(blocks, 0) * _IQ4_LEVELS[_unpacked(blocks[:, 2:], 4, 16)]


def _iq4_xs(blocks: Blocks) -> FloatArray:
    scales = _unpacked(blocks[:, 4:8], 4, 1) | _unpacked(blocks[:, 2:4], 2, 1) << np.uint8(4)
    numbers = _IQ4_LEVELS[_unpacked(blocks[:, 8:], 4, 16)]
    return _scaled(_float16(blocks, 0) * _signed(scales, 32), numbers)


def _scales_and_minima(blocks: Blocks, numbers: Blocks) -> tuple[FloatArray, Blocks, FloatArray]:
    """Return the scales of Q4_K and Q5_K, the numbers as they came, and the minima.

    Eight scales and eight minima of six bits are in twelve bytes: four of each in the lower bits of
    the first eight; the others are in the last four, and their two highest bits in what is left.
    """
    first, second, third = blocks[:, 4:8], blocks[:, 8:12], blocks[:, 12:16]
    scales = np.hstack([first & 63, third & 15 | first >> 6 << 4])
    minima = np.hstack([second & 63, third >> 4 | second >> 6 << 4])
    return _float16(blocks, 0) * scales, numbers, _float16(blocks, 2) * minima


def _scaled(scales: FloatArray, numbers: Any, minima: FloatArray | None = None) -> FloatArray:
    """Return numbers times the scales of their parts, less the minima.

    Args:
        scales: shape (blocks, parts).
        numbers: shape (blocks, numbers of a block).
        minima: shape (blocks, parts).
    """
    parts = numbers.reshape(*scales.shape, -1)
    scaled: FloatArray = scales[..., None] * parts
    if minima is not None:
        scaled -= minima[..., None]
    return scaled


_DECODERS: dict[str, Decoder] = {
    "Q4_0": _q4_0, "Q4_1": _q4_1, "Q5_0": _q5_0, "Q5_1": _q5_1, "Q8_0": _q8_0, "Q2_K": _q2_k,
    "Q3_K": _q3_k, "Q4_K": _q4_k, "Q5_K": _q5_k, "Q6_K": _q6_k, "IQ4_NL": _iq4_nl,
    "IQ4_XS": _iq4_xs,
}  # fmt: skip
