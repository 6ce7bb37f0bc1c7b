"""TensorFlow Lite models, with the interpreter's rows as the oracle, and offsets that lie."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from itertools import cycle
from pathlib import Path

import flatbuffers
import numpy as np
import pytest

from embedinspect.errors import DataError, EmbedInspectError, UsageError
from embedinspect.formats import flatbuffer, open_file
from embedinspect.formats.contents import ReadOptions

MODELS = Path(__file__).parents[1] / "data" / "tflite"
EXPECTED = dict(np.load(MODELS / "rows.npz"))
INT4_ONE = (MODELS / "int4-one.tflite").read_bytes()
FLOAT32, FLOAT16, STRING, INT8_TYPE, INT4, BFLOAT16, INT2 = 0, 1, 5, 9, 17, 18, 19


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_rows_are_bit_for_bit_those_of_the_interpreter(name):
    contents = open_file(str(MODELS / f"{name}.tflite"))
    expected = EXPECTED[name]
    assert contents.kind == "TensorFlow Lite model"
    assert contents.rows.dtype == np.float32
    assert (np.asarray(contents.rows) == expected).all()
    assert (contents.rows[7] == expected[7]).all()
    assert (contents.rows[[9, 2, 9], 3:5] == expected[[9, 2, 9], 3:5]).all()
    assert contents.rows[expected[:, 0] > np.inf].shape == (0, 16)
    assert not contents.warnings


@pytest.mark.parametrize("name", ["float32", "float16", "int8", "dynamic"])
def test_the_table_that_ids_are_looked_up_in_is_chosen_of_several(name):
    contents = open_file(str(MODELS / f"{name}.tflite"))
    assert "word_embedding" in contents.tensor
    roles = {tensor.role: tensor.shape for tensor in contents.tensors}
    assert roles == {"input embedding": (64, 16), None: (5, 16)}
    [dense] = [tensor.name for tensor in contents.tensors if tensor.role is None]
    path = str(MODELS / f"{name}.tflite")
    assert open_file(path, ReadOptions(tensor=dense)).rows.shape == (5, 16)
    with pytest.raises(UsageError, match="--tensor is 'x'"):
        open_file(path, ReadOptions(tensor="x"))


class Writer:
    """Writes a model with tables of two dimensions, by the numbers of the schema's fields."""

    def __init__(self) -> None:
        self.builder = flatbuffers.Builder()

    def table(self, **fields) -> int:
        """Write a table; a field is called by its kind and number, as `int32_1`."""
        self.builder.StartObject(14)
        for name, value in fields.items():
            kind, number = name.split("_")
            if kind == "offset":
                self.builder.PrependUOffsetTRelativeSlot(int(number), value, 0)
            else:
                getattr(self.builder, f"Prepend{kind.title()}Slot")(int(number), value, 0)
        return self.builder.EndObject()

    def tables(self, *offsets: int) -> int:
        self.builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self.builder.PrependUOffsetTRelative(offset)
        return self.builder.EndVector()

    def numbers(self, *values, dtype: str = "i4") -> int:
        return self.builder.CreateNumpyVector(np.array(values, dtype))

    def model(self, *tensors: int, data: bytes = bytes(64), more: bytes = b"", **buffer) -> bytes:
        """Return the file; each of the tensors has the buffer of these bytes, or these fields."""
        fields = buffer or {"offset_0": self.builder.CreateByteVector(data)}
        buffers = self.tables(self.table(), self.table(**fields))
        graph = self.table(offset_0=self.tables(*tensors))
        model = self.table(int32_0=3, offset_2=self.tables(graph), offset_4=buffers)
        self.builder.Finish(model, b"TFL3")
        return bytes(self.builder.Output()) + more

    def tensor(self, kind: int, shape=(4, 4), name="t", **fields) -> int:
        name = self.builder.CreateString(name)
        shape = self.numbers(*shape)
        return self.table(offset_0=shape, int8_1=kind, uint32_2=1, offset_3=name, **fields)


def written(tmp_path, data: bytes) -> str:
    (tmp_path / "m.tflite").write_bytes(data)
    return str(tmp_path / "m.tflite")


NUMBERS = np.arange(16, dtype=np.float32).reshape(4, 4) - 4


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (FLOAT32, NUMBERS.tobytes()),
        (FLOAT16, NUMBERS.astype("f2").tobytes()),
        (BFLOAT16, (NUMBERS.view("u4") >> 16).astype("u2").tobytes()),
        (INT8_TYPE, NUMBERS.astype("i1").tobytes()),
    ],
)
def test_numbers_that_are_stored_whole(tmp_path, kind, data):
    writer = Writer()
    contents = open_file(written(tmp_path, writer.model(writer.tensor(kind), data=data)))
    assert (np.asarray(contents.rows) == NUMBERS).all()
    assert bool(contents.warnings) == (kind == INT8_TYPE)


def test_integers_without_scale_are_shown_as_they_are_and_named_so(tmp_path):
    writer = Writer()
    data = writer.model(writer.tensor(INT4, (4, 2)), data=bytes([0x80, 0x7F, 0x21, 0xF0]))
    contents = open_file(written(tmp_path, data))
    assert np.asarray(contents.rows).tolist() == [[0, -8], [-1, 7], [1, 2], [0, -1]]
    assert contents.warnings == (
        "the numbers are int4, and shown as they are: the file has no scale of them",
    )


def test_numbers_behind_the_tables_of_a_large_file(tmp_path):
    writer = Writer()
    size = len(writer.model(writer.tensor(FLOAT32), uint64_1=4096, uint64_2=64))
    writer = Writer()
    data = writer.model(
        writer.tensor(FLOAT32),
        uint64_1=4096,
        uint64_2=64,
        more=bytes(4096 - size) + NUMBERS.tobytes(),
    )
    assert (open_file(written(tmp_path, data)).rows == NUMBERS).all()
    with pytest.raises(DataError, match=r"a tensor ends at byte 4,160 of 4,159"):
        open_file(written(tmp_path, data[:-1]))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda w: w.tensor(STRING), "holds numbers of type string"),
        (lambda w: w.tensor(INT2), "holds numbers of type int2"),
        (lambda w: w.tensor(99), "holds numbers of type 99"),
        (lambda w: w.tensor(-1), "holds numbers of type -1"),
        (lambda w: w.tensor(INT4, (4, 3)), "rows of 3 int4"),
        (lambda w: w.tensor(FLOAT32, uint32_10=1), "is stored in another file"),
        (lambda w: w.tensor(FLOAT32, offset_6=w.table()), "a sparse tensor"),
        (
            lambda w: w.tensor(INT8_TYPE, offset_4=w.table(uint8_4=2)),
            "quantized in blocks",
        ),
        (lambda w: w.tensor(FLOAT32, (2**30, 2**30)), "has 64 bytes; expected a whole table"),
        (lambda w: w.tensor(FLOAT32, (4, 3)), "has 64 bytes; expected a whole table"),
        (lambda w: w.tensor(FLOAT32, (-4, -4)), "holds no tensor of two dimensions"),
        (lambda w: w.tensor(FLOAT32, (4, 2, 2)), "holds no tensor of two dimensions"),
        (lambda w: w.tensor(FLOAT32, offset_4=scales(w, 1)), "holds float32 with scales"),
        (lambda w: w.tensor(INT8_TYPE, (8, 8), offset_4=scales(w, 7)), "has 7 scales"),
        (lambda w: w.tensor(INT8_TYPE, (8, 8), offset_4=scales(w, 8, axis=9)), "has 8 scales"),
        (lambda w: w.tensor(INT8_TYPE, (8, 8), offset_4=scales(w, 8, 3)), "3 zero points"),
    ],
)
def test_what_is_not_read_is_refused_by_name(tmp_path, make, says):
    writer = Writer()
    with pytest.raises(DataError, match=says):
        open_file(written(tmp_path, writer.model(make(writer))))


def scales(writer: Writer, count: int, zero_count: int | None = None, axis: int = 0) -> int:
    values = writer.numbers(*[0.5] * count, dtype="f4")
    zeros = writer.numbers(*[1] * (count if zero_count is None else zero_count), dtype="i8")
    return writer.table(offset_2=values, offset_3=zeros, int32_6=axis)


def test_two_tables_of_one_name_are_told_apart(tmp_path):
    writer = Writer()
    tensors = writer.tensor(FLOAT32), writer.tensor(FLOAT16, (8, 4)), writer.tensor(FLOAT32)
    path = written(tmp_path, writer.model(*tensors))
    with pytest.raises(UsageError, match=r"'t' \(4 x 4\), 't \(tensor 1 of subgraph 0\)' \(8 x 4"):
        open_file(path)
    other = ReadOptions(tensor="t (tensor 1 of subgraph 0)")
    assert open_file(path, other).rows.shape == (8, 4)


def test_a_tensor_whose_buffer_is_not_there(tmp_path):
    writer = Writer()
    shape = writer.numbers(4, 4)
    data = writer.model(writer.table(offset_0=shape, uint32_2=2))
    with pytest.raises(DataError, match="a tensor has buffer 2 of 2"):
        open_file(written(tmp_path, data))


@pytest.mark.parametrize("vector", [np.int32([2, 4, 4]), np.int32([1, 116])], ids=["shape", "name"])
def test_a_vector_may_claim_more_than_the_file_has(tmp_path, vector):
    writer = Writer()
    data = writer.model(writer.tensor(FLOAT32), data=NUMBERS.tobytes())
    assert data.count(vector.tobytes()) == 1
    lie = np.int32([2**31 - 1, *vector[1:]])
    with pytest.raises(DataError, match="is longer than the file"):
        open_file(written(tmp_path, data.replace(vector.tobytes(), lie.tobytes())))


def test_a_small_file_cannot_have_more_tables_than_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(flatbuffer, "_MOST_TABLES", 20)
    writer = Writer()
    data = writer.model(*[writer.tensor(FLOAT32)] * 20)
    with pytest.raises(DataError, match="more than 20 tables"):
        open_file(written(tmp_path, data))


def test_every_offset_and_length_may_lie(tmp_path):
    lies = cycle(value.to_bytes(4, "little", signed=True) for value in (2**31 - 1, -(2**31), 240))
    tracemalloc.start()
    for at, lie in zip(range(0, len(INT4_ONE), 4), lies, strict=False):
        path = written(tmp_path, INT4_ONE[:at] + lie + INT4_ONE[at + 4 :])
        with suppress(EmbedInspectError):
            np.asarray(open_file(path).rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**23


def test_a_file_may_end_anywhere(tmp_path):
    for size in range(8, len(INT4_ONE), 5):
        with pytest.raises(EmbedInspectError):
            open_file(written(tmp_path, INT4_ONE[:size]))
