"""Which format a file has, and what strangers may do to a file of any format."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import numpy as np
import onnx
import pyarrow as pa
import pytest
import safetensors.numpy
from gensim.models import KeyedVectors
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from embedinspect.errors import DataError, EmbedInspectError, UsageError
from embedinspect.formats import FORMATS, open_file
from embedinspect.formats.contents import ReadOptions
from embedinspect.source import SourceOptions, open_source
from tests.builders import (
    EMBEDDING,
    VECTORS,
    hdf5_bytes,
    npy_bytes,
    write_keras_file,
    write_projector,
)
from tests.formats.gguf_bytes import one_matrix

DATA = Path(__file__).parents[1] / "data"
ROWS = np.arange(6, dtype=np.float32).reshape(3, 2) / 4


def npz_bytes(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def onnx_bytes() -> bytes:
    graph = onnx.helper.make_graph([], "graph", [], [], [onnx.numpy_helper.from_array(ROWS, "a")])
    return onnx.helper.make_model(graph).SerializeToString()


def parquet_bytes() -> bytes:
    stream = io.BytesIO()
    vectors = pa.array(ROWS.tolist(), pa.list_(pa.float32(), 2))
    parquet.write_table(pa.table({"word": ["a", "b", "c"], "vector": vectors}), stream)
    return stream.getvalue()


def arrow_bytes(new=pa.ipc.new_file, **options) -> bytes:
    stream = io.BytesIO()
    words, vectors = pa.array(["a", "b\n", None]), pa.array(ROWS.tolist(), pa.list_(pa.float32()))
    table = pa.table({"word": words.dictionary_encode(), "vector": vectors})
    with new(stream, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, 2)
    return stream.getvalue()


def sqlite_bytes() -> bytes:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("create table items(word text, vector blob, dim integer)")
        values = [("abc"[row], ROWS[row].tobytes(), 2) for row in range(3)]
        connection.executemany("insert into items values (?, ?, ?)", values)
        connection.commit()
        return connection.serialize()


def gensim_bytes() -> bytes:
    vectors, stream = KeyedVectors(2), io.BytesIO()
    vectors.add_vectors(["a", "b", "c"], ROWS)
    vectors.save(stream)
    return stream.getvalue()


def zip_bytes(*members: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return stream.getvalue()


# A small file of every format, `packed` besides, and the kind that it is read as.
EXAMPLES = {
    "npy": npy_bytes(ROWS),
    "npz": npz_bytes(a=ROWS, words=np.array(["a", "b", "c"])),
    "torch": (DATA / "torch" / "big_endian.pt").read_bytes(),
    "gensim": gensim_bytes(),
    "fastText": (DATA / "fasttext" / "skipgram.bin").read_bytes(),
    "safetensors": safetensors.numpy.save({"a": ROWS}),
    "parquet": parquet_bytes(),
    "arrow": arrow_bytes(),
    "arrow stream": arrow_bytes(pa.ipc.new_stream),
    "feather": arrow_bytes(compression="lz4"),
    "onnx": onnx_bytes(),
    "tflite": (DATA / "tflite/int8-rows.tflite").read_bytes(),
    "gguf": one_matrix(
        ROWS, general__architecture="llama", tokenizer__ggml__tokens=["a", "b", "c"]
    ),
    "word2vec binary": b"3 2\n" + b"".join(b"w%d " % n + ROWS[n].tobytes() for n in range(3)),
    "word vectors": VECTORS.read_bytes(),
    "packed": gzip.compress(VECTORS.read_bytes()),
    "packed with bzip2": bz2.compress(VECTORS.read_bytes()),
    "packed with xz": lzma.compress(VECTORS.read_bytes()),
    "packed with Zstandard": pa.compress(VECTORS.read_bytes(), "zstd", asbytes=True),
    "sqlite": sqlite_bytes(),
    "FAISS": (DATA / "faiss" / "flat-l2.index").read_bytes(),
    "FAISS with ids": (DATA / "faiss" / "id-map.index").read_bytes(),
    "json lines": b'{"word": "a", "vector": [1, 2]}\n{"word": "b\\n", "vector": [3e-1, 4]}\n',
    "json": b'{"a": [1, 2], "b": [3.5, -4]}',
    "zip of texts": zip_bytes(("readme.txt", b"Vectors."), ("a.txt", VECTORS.read_bytes())),
    "table": b'word,dim_0,dim_1\na,1,2\n"b,",3,4\n',
    "numbers": b"1 2\n3 4\n5 6\n",
    "projector": b'embeddings {\n tensor_path: "vectors.tsv"\n}\n',
}
KINDS = {
    "npy": "NumPy array",
    "npz": "NumPy archive",
    "torch": "PyTorch checkpoint",
    "gensim": "gensim KeyedVectors",
    "fastText": "fastText model",
    "safetensors": "safetensors",
    "parquet": "Parquet table",
    "arrow": "Arrow table",
    "arrow stream": "Arrow table",
    "feather": "Arrow table",
    "onnx": "ONNX model",
    "tflite": "TensorFlow Lite model",
    "gguf": "GGUF model (llama)",
    "word2vec binary": "word2vec binary",
    "word vectors": "GloVe text",
    "packed": "GloVe text",
    "packed with bzip2": "GloVe text",
    "packed with xz": "GloVe text",
    "packed with Zstandard": "GloVe text",
    "sqlite": "SQLite database",
    "FAISS": "FAISS index",
    "FAISS with ids": "FAISS index with ids",
    "json lines": "JSON Lines",
    "json": "JSON",
    "zip of texts": "GloVe text",
    "table": "table with headings",
    "numbers": "text of numbers",
    "projector": "projector TSV",
}


@pytest.mark.parametrize("suffix", ["", ".npy", ".txt", ".keras"])
@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_a_format_is_recognised_by_its_content_and_not_by_its_name(tmp_path, name, suffix):
    write_projector(tmp_path)
    path = tmp_path / f"file{suffix}"
    path.write_bytes(EXAMPLES[name])
    assert open_file(str(path)).kind == KINDS[name]


def test_keras_files_are_recognised_too(tmp_path):
    write_keras_file(tmp_path / "a", EMBEDDING)
    (tmp_path / "b").write_bytes(hdf5_bytes(EMBEDDING))
    assert open_file(str(tmp_path / "a")).kind == "Keras model"
    assert open_file(str(tmp_path / "b")).kind == "Keras weights"


def test_a_word_among_numbers_is_named(tmp_path):
    path = tmp_path / "matrix"
    path.write_bytes(b"1 2\nword 0.1\n3 4\n")
    with pytest.raises(DataError, match="line 2 has 'word' as field 1"):
        open_file(str(path))


def test_every_format_is_mutated_somewhere():
    # In the tests of these.
    elsewhere = {"keras", "hdf5", "keras shards", "model folder", "tensorflow checkpoint"}
    assert {kind.name for kind in FORMATS} <= set(EXAMPLES) | elsewhere


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    st.sampled_from(sorted(EXAMPLES)),
    st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=3)), max_size=4),
    st.one_of(st.none(), st.floats(0, 1)),
)
def test_mutated_files_are_refused_or_read(tmp_path, name, changes, cut):
    write_projector(tmp_path)
    path = tmp_path / "file"
    data = bytearray(EXAMPLES[name])
    for place, what in changes:
        at = int(place * (len(data) - 1))
        data[at : at + len(what)] = what
    path.write_bytes(bytes(data if cut is None else data[: int(cut * len(data))]))
    try:
        source = open_source(str(path))
    except EmbedInspectError:
        return
    assert source.matrix.rows.dtype == np.float32
    assert source.matrix.rows.ndim == 2
    assert min(source.matrix.rows.shape) >= 1
    assert source.words is None or len(source.words) == source.matrix.input_dim


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_options_that_do_not_fit_are_refused(tmp_path, name):
    path = tmp_path / "file"
    write_projector(tmp_path)
    path.write_bytes(EXAMPLES[name])
    with pytest.raises(UsageError, match="--layer picks a matrix of a Keras file"):
        open_file(str(path), ReadOptions(layer="x"))
    with pytest.raises(UsageError, match="--epoch picks rows of a run"):
        open_source(str(path), SourceOptions(epoch=1))
