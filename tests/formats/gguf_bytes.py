"""GGUF files, byte for byte, so that a test can make any part of one lie."""

from __future__ import annotations

import struct

import numpy as np

STRING, ARRAY, UINT32, INT32 = 8, 9, 4, 5
F32 = 0


def string(text: str | bytes) -> bytes:
    """Return a string with its length before it."""
    data = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(data)) + data


def value(item: object) -> bytes:
    """Return the type of a value and the value: a text, a number, or a list of one of them."""
    if isinstance(item, (str, bytes)):
        return struct.pack("<I", STRING) + string(item)
    if isinstance(item, int):
        return struct.pack("<II", UINT32, item)
    assert isinstance(item, list)
    texts = isinstance(item[0], (str, bytes))
    head = struct.pack("<IIQ", ARRAY, STRING if texts else INT32, len(item))
    return head + b"".join(string(one) if texts else struct.pack("<i", one) for one in item)


def tensor_info(name: str, ne: tuple[int, ...], code: int = F32, offset: int = 0) -> bytes:
    """Return what a header says about a tensor; `ne` is its shape, columns first."""
    shape = struct.pack(f"<I{len(ne)}Q", len(ne), *ne)
    return string(name) + shape + struct.pack("<IQ", code, offset)


def gguf_bytes(
    keys: dict[str, object],
    infos: list[bytes],
    data: bytes,
    *,
    version: int = 3,
    counts: tuple[int, int] | None = None,
    alignment: int = 32,
) -> bytes:
    """Return a file of keys, tensors and their numbers; `counts` claims other counts of both."""
    tensor_count, key_count = counts or (len(infos), len(keys))
    header = b"GGUF" + struct.pack("<IQQ", version, tensor_count, key_count)
    header += b"".join(string(key) + value(item) for key, item in keys.items()) + b"".join(infos)
    return header + bytes(-len(header) % alignment) + data


def one_matrix(rows: np.ndarray, **keys: object) -> bytes:
    """Return a file whose input embedding has these rows, float32; keys have `__` for a dot."""
    named = {key.replace("__", "."): item for key, item in keys.items()}
    info = tensor_info("token_embd.weight", (rows.shape[1], rows.shape[0]))
    return gguf_bytes(named, [info], rows.astype("<f4").tobytes())
