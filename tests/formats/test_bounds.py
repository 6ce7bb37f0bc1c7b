"""Small files that would cost much memory or time are refused before they do."""

from __future__ import annotations

import gzip
import json
import random
import tracemalloc
import zipfile

import h5py
import numpy as np
import pytest
import safetensors.numpy

from embedinspect.errors import DataError
from embedinspect.formats import open_file, safetensors_file
from embedinspect.formats.contents import ReadOptions
from embedinspect.formats.projector import read_config
from tests.builders import EMBEDDING, hdf5_bytes, write_keras_file


def refused(path, **options) -> str:
    """Return why a file is refused, which takes less memory than a few times its block size."""
    tracemalloc.start()
    with pytest.raises(DataError) as caught:
        open_file(str(path), ReadOptions(**options))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**28
    return str(caught.value)


def keras_zip(path, config: str, weights: bytes, method: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("config.json", config)
        archive.writestr("metadata.json", "{}")
        archive.writestr("model.weights.h5", weights)


def test_a_config_of_millions_of_lists(tmp_path):
    config = '{"a": [' + "[]," * 2_000_000 + "[]]}"
    keras_zip(tmp_path / "m.keras", config, hdf5_bytes(EMBEDDING))
    assert "has too many parts to be a model" in refused(tmp_path / "m.keras")


def test_weights_that_unpack_to_gigabytes_of_zeros(tmp_path, monkeypatch):
    from embedinspect.formats import keras_container

    monkeypatch.setattr(keras_container, "_READ_WHOLE", 2**20)
    weights = hdf5_bytes(EMBEDDING) + random.Random(0).randbytes(30_000) + bytes(2**23)
    keras_zip(tmp_path / "m.keras", "{}", weights, zipfile.ZIP_DEFLATED)
    assert "expected weights, which do not compress so well" in refused(tmp_path / "m.keras")


def test_a_group_of_very_many_names(tmp_path):
    def link(file: h5py.File) -> None:
        for number in range(10_001):
            file[f"layers/embedding/vars/{number}"] = file["rows"]

    (tmp_path / "m.h5").write_bytes(hdf5_bytes({"rows": np.ones((3, 2), np.float32)}, link))
    assert "has a group of 10,001 names" in refused(tmp_path / "m.h5")


def test_one_data_set_by_many_names_is_read_once(tmp_path):
    def link(file: h5py.File) -> None:
        for number in range(1, 300):
            file[f"layers/embedding/vars/{number}"] = file["layers/embedding/vars/0"]

    write_keras_file(tmp_path / "m.keras", EMBEDDING, change=link)
    contents = open_file(str(tmp_path / "m.keras"))
    assert contents.keras is not None
    assert len(contents.keras.layers) == 1


def test_a_header_of_tens_of_megabytes(tmp_path):
    data = safetensors.numpy.save({"a": np.ones((2, 2), np.float32)})
    length = int.from_bytes(data[:8], "little")
    header = data[8 : 8 + length].rstrip() + b" " * safetensors_file._LARGEST_HEADER
    path = tmp_path / "a.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + data[8 + length :])
    assert "expected at most 8,388,608" in refused(path)


@pytest.mark.parametrize("dtype", [["F32"], {"F32": 1}, None, 5])
def test_a_dtype_that_is_no_text(tmp_path, dtype):
    header = json.dumps({"a": {"dtype": dtype, "shape": [1, 1], "data_offsets": [0, 4]}}).encode()
    path = tmp_path / "a.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    assert "expected real numbers" in refused(path)


@pytest.mark.parametrize(
    "text",
    ["embeddings{" * 90_000, 'embeddings { tensor_path: "a" ' * 30_000, "embeddings" * 90_000],
)
def test_a_projector_s_config_takes_linear_time(tmp_path, text):
    """Minutes, were each beginning searched for its end up to the end of the file."""
    (tmp_path / "config").write_text(text)
    assert len(read_config(tmp_path / "config")) == text.count("tensor_path")


def test_a_text_of_line_feeds_is_not_searched_from_each_of_them(tmp_path):
    (tmp_path / "lines").write_bytes(b"\n" * 2**16 + b"x" * 2**16)
    assert "expected a number" in refused(tmp_path / "lines")


@pytest.mark.parametrize("line", [b"\n", b"x\n", b"\t\n", b"\r\n"])
def test_a_packed_text_of_short_lines(tmp_path, line):
    data = b"a 1 2\nb 3 4\n" + line * 500_000
    (tmp_path / "a.gz").write_bytes(gzip.compress(data, 1))
    assert "lines that are empty or too short" in refused(tmp_path / "a.gz")


def test_rows_between_empty_lines_are_read(tmp_path):
    (tmp_path / "a").write_bytes(b"".join(b"w%d 1 2\n\n\n" % number for number in range(50_000)))
    assert open_file(str(tmp_path / "a")).rows.shape == (50_000, 2)


def test_a_sparse_tensor_of_gigabytes_is_mapped(tmp_path):
    rows = 2**28
    entry = {"dtype": "F32", "shape": [rows, 4], "data_offsets": [0, rows * 16]}
    header = json.dumps({"a": entry}).encode()
    path = tmp_path / "a.safetensors"
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + rows * 16)
    tracemalloc.start()
    contents = open_file(str(path))
    assert contents.rows.shape == (rows, 4)
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()
