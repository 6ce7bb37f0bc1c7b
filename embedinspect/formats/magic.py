"""The first bytes of files by which their formats are recognised."""

from __future__ import annotations

NPY = b"\x93NUMPY"
ZIP = b"PK\x03\x04"
HDF5 = b"\x89HDF\r\n\x1a\n"
GZIP = b"\x1f\x8b"
PARQUET = b"PAR1"
GGUF = b"GGUF"
ONNX = b"\x08"
SQLITE = b"SQLite format 3\0"
ARROW = (b"ARROW1\0\0", b"\xff\xff\xff\xff")  # a file, a stream
