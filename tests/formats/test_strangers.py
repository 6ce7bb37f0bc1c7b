"""Files that are no source: each is named for what it is, and with a way to convert it."""

from __future__ import annotations

import io
import pickle
import tarfile
import zipfile

import numpy as np
import pytest

from embedinspect.errors import DataError
from embedinspect.formats import open_file
from embedinspect.formats.strangers import STRANGERS

ROWS = np.eye(3, dtype=np.float32)
WORDS = {"king": [1.0, 2.0], "queen": [3.0, 4.0]}


def zipped(name: str, data: bytes = b"x") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        if name:
            archive.writestr(name, data)
    return stream.getvalue()


def tarred(name: str = "rows.txt") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name))
    return stream.getvalue()


EXAMPLES = {
    "a PyTorch checkpoint": [
        tarred("storages"),
        b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.",
    ],
    "a pickle": [
        pickle.dumps(value, protocol) for protocol in range(6) for value in (ROWS, WORDS, [WORDS])
    ],
    "a Feather file of version 1": [b"FEA1\0\0\0\0" + bytes(40) + b"FEA1"],
    "a document of an office program": [zipped("[Content_Types].xml"), zipped("xl/workbook.xml")],
    "an empty zip": [zipped("")],
    "a MATLAB file": [b"MATLAB 5.0 MAT-file, Platform: GLNXA64" + bytes(120)],
    "a pointer of Git LFS": [b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"],
    "a 7z archive": [b"7z\xbc\xaf\x27\x1c" + bytes(40)],
    "a tar archive": [tarred()],
    "a text in UTF-16": ["king 1 2\n".encode("utf-16"), b"\xfe\xff" + "a 1".encode("utf-16-be")],
    "a PDF document": [b"%PDF-1.7\n1 0 obj\n"],
    "a picture": [b"\x89PNG\r\n\x1a\n" + bytes(20), b"\xff\xd8\xff\xe0" + bytes(20), b"GIF89a"],
    "an HTML or XML page": [b"<!DOCTYPE html><html>", b"\n<html lang=en>", b"<?xml version='1'?>"],
}  # fmt: skip


def test_every_row_of_the_table_has_examples():
    assert len(EXAMPLES) == len(STRANGERS)
    for stranger in STRANGERS:
        assert sum(stranger.what.startswith(kind) for kind in EXAMPLES) == 1


@pytest.mark.parametrize(
    ("kind", "number"),
    [(kind, number) for kind, examples in EXAMPLES.items() for number in range(len(examples))],
)
def test_a_stranger_is_named_and_has_a_way_to_convert_it(kind, number, tmp_path):
    example = EXAMPLES[kind][number]
    path = tmp_path / "stranger"
    path.write_bytes(example)
    with pytest.raises(DataError) as raised:
        open_file(str(path))
    [stranger] = [row for row in STRANGERS if row.what.startswith(kind)]
    message = str(raised.value)
    assert message.startswith(f"{str(path)!r} is {kind}")
    assert message.endswith(f"to convert it: {stranger.convert.replace('PATH', repr(str(path)))}")


@pytest.mark.parametrize(
    "text",
    [
        "GGUF 1 2\nking 3 4\n",
        "[PAD] 1 2\n[UNK] 3 4\n",
        "{ 1 2\n} 3 4\n",
        "[ 1 2\n] 3 4\n",
        "<html 1 2\n<head> 3 4\n",
        "version 1 2\nhttps://git-lfs 3 4\n",
        "BZh9 1 2\nGIF8 3 4\n",
        "%PDF 1 2\nMATLAB 3 4\n",
    ],
)
def test_vectors_of_such_words_are_no_strangers(text, tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text(text)
    contents = open_file(str(path))
    assert contents.rows.tolist() == [[1, 2], [3, 4]]
    assert list(contents.words) == [line.split()[0] for line in text.splitlines()]
