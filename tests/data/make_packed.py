"""Write word vectors as Zstandard's own library packs them; run by hand, with `zstandard`.

    python tests/data/make_packed.py

Three frames: one that tells its size, one that may be skipped, and one that does not tell.
"""

from __future__ import annotations

import random
import struct
from pathlib import Path

import zstandard

HERE = Path(__file__).parent


def main() -> None:
    draw = random.Random(15)
    lines = [
        f"w{row:x} " + " ".join(f"{draw.gauss(0, 1):.4f}" for _ in range(8)) + "\n"
        for row in range(200)
    ]
    text = "".join(lines).encode()
    half = text.index(b"\n", len(text) // 2) - 3  # within a line
    skipped = struct.pack("<II", 0x184D2A50, 4) + b"skip"
    frames = [
        zstandard.ZstdCompressor(write_checksum=True).compress(text[:half]),
        skipped,
        zstandard.ZstdCompressor(write_content_size=False, write_checksum=True).compress(
            text[half:]
        ),
    ]
    (HERE / "vectors.zst").write_bytes(b"".join(frames))
    (HERE / "vectors.txt").write_bytes(text)


if __name__ == "__main__":
    main()
