"""ONNX models, with the onnx package as the oracle: its numbers, and what its operators compute."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from embedinspect.errors import DataError, EmbedInspectError, UsageError
from embedinspect.formats import onnx_graph, open_file, protobuf
from embedinspect.formats.contents import ReadOptions
from embedinspect.source import open_source

ROWS = np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32)
TYPES = [
    "FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16", "INT8", "UINT8", "INT16", "UINT16", "INT32",
    "UINT32", "INT64", "UINT64", "INT4", "UINT4", "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2",
    "FLOAT8E5M2FNUZ",
]  # fmt: skip


def saved(tmp_path, tensors, nodes=(), ids=("ids",), **more) -> str:
    """Write a model with these constant tensors and nodes; returns its path."""
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["n"]) for name in ids]
    output = helper.make_tensor_value_info("rows", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "graph", inputs, [output], tensors, **more)
    path = tmp_path / "model.onnx"
    path.write_bytes(helper.make_model(graph, ir_version=10).SerializeToString())
    return str(path)


def tensor(array, name: str = "table"):
    return numpy_helper.from_array(np.asarray(array), name)


def gather(table: str = "table", ids: str = "ids", rows: str = "rows", **more):
    return helper.make_node("Gather", [table, ids], [rows], **more)


def looked_up(path: str, count: int) -> np.ndarray:
    """Return the rows that the model itself gives for the ids from 0 on."""
    return ReferenceEvaluator(path).run(None, {"ids": np.arange(count)})[0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=120)
@given(st.sampled_from(TYPES), st.booleans(), st.integers(1, 9), st.integers(1, 5), st.data())
def test_numbers_of_every_type_raw_or_in_their_field(tmp_path, name, raw, rows, half, data):
    code, columns = getattr(TensorProto, name), 2 * half
    low = 0 if name.startswith("U") else -8
    numbers = data.draw(
        st.lists(
            st.integers(low, 7) if "INT" in name else st.floats(-9, 9, width=32),
            min_size=rows * columns,
            max_size=rows * columns,
        )
    )
    array = np.array(numbers).reshape(rows, columns)
    array = array.astype(helper.tensor_dtype_to_np_dtype(code))
    stored = (
        numpy_helper.from_array(array, "table")
        if raw
        else helper.make_tensor("table", code, array.shape, array.ravel().tolist())
    )
    contents = open_file(saved(tmp_path, [stored]))
    expected = numpy_helper.to_array(stored).astype(np.float32)
    assert contents.kind == "ONNX model"
    assert np.array_equal(np.asarray(contents.rows), expected, equal_nan=True)
    assert np.array_equal(contents.rows[rows - 1], expected[-1], equal_nan=True)
    assert contents.rows[[]].shape == (0, columns)
    assert bool(contents.warnings) == ("INT" in name)


def test_numbers_at_the_ends_of_their_types(tmp_path):
    for dtype in (np.int8, np.int16, np.int32, np.uint16, np.uint32):
        ends = np.iinfo(dtype)
        numbers = [[ends.min, ends.max], [0, 1]]
        code = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        stored = helper.make_tensor("table", code, (2, 2), np.ravel(numbers))
        assert (open_file(saved(tmp_path, [stored])).rows == np.float32(numbers)).all()


ZEROS = {np.int8: -7, np.uint8: 131, np.int16: 11, np.uint16: 9}


@pytest.mark.parametrize("dtype", list(ZEROS))
@pytest.mark.parametrize("place", ["before", "after", "rows", "columns", "negative axis"])
def test_integers_are_scaled_as_the_model_scales_them(tmp_path, dtype, place):
    random, ends = np.random.default_rng(1), np.iinfo(dtype)
    table = random.integers(ends.min, ends.max, ROWS.shape, dtype, endpoint=True)
    count = {"rows": 6, "columns": 4, "negative axis": 6}.get(place)
    scales = random.random(count or 1, np.float32)
    zeros = np.full(count or 1, ZEROS[dtype], dtype)
    scale, zero = (scales, zeros) if count else (scales[0], zeros[0])
    axis = {"rows": {"axis": 0}, "negative axis": {"axis": -2}}.get(place, {})
    if place == "after":
        nodes = [
            gather(rows="few"),
            helper.make_node("DequantizeLinear", ["few", "s", "z"], ["rows"]),
        ]
    else:
        nodes = [
            helper.make_node("DequantizeLinear", ["table", "s", "z"], ["wide"], **axis),
            gather("wide"),
        ]
    path = saved(tmp_path, [tensor(table), tensor(scale, "s"), tensor(zero, "z")], nodes)
    contents = open_file(path)
    expected = looked_up(path, 6)
    assert expected.dtype == np.float32
    assert (np.asarray(contents.rows) == expected).all()
    assert (contents.rows[3] == expected[3]).all()
    assert not contents.warnings
    assert contents.tensors[0].role == "input embedding"


@pytest.mark.parametrize(
    ("table", "scale", "axis", "block"),
    [
        (np.int8(ROWS), np.float16(2), {}, {}),
        (np.int8(ROWS), np.ones((3, 4), np.float32), {"axis": 0}, {"block_size": 2}),
        (np.int32(ROWS), np.float32(2), {}, {}),
        (np.int8(ROWS), np.ones(5, np.float32), {}, {}),
    ],
)
def test_a_scale_that_is_not_followed_is_named(tmp_path, table, scale, axis, block):
    node = helper.make_node("DequantizeLinear", ["table", "s"], ["wide"], **axis, **block)
    path = saved(tmp_path, [tensor(table), tensor(scale, "s")], [node])
    contents = open_file(path, ReadOptions(tensor="table"))
    [warning] = contents.warnings
    assert "the model scales them in a way that is not followed here" in warning
    assert (np.asarray(contents.rows) == table).all()


def test_scales_of_looked_up_rows_are_not_taken_for_those_of_the_table(tmp_path):
    nodes = [
        gather(rows="few"),
        helper.make_node("DequantizeLinear", ["few", "s"], ["rows"], axis=0),
    ]
    tensors = [tensor(np.int8(ROWS)), tensor(np.ones(6, np.float32), "s")]
    [warning] = open_file(saved(tmp_path, tensors, nodes)).warnings
    assert "not followed here" in warning


def test_two_scales_of_one_table_are_named(tmp_path):
    tensors = [tensor(np.int8(ROWS)), *(tensor(np.float32(n), f"s{n}") for n in range(2))]
    nodes = [
        helper.make_node("DequantizeLinear", ["table", f"s{n}"], [f"wide{n}"]) for n in range(2)
    ]
    contents = open_file(saved(tmp_path, tensors, nodes))
    assert "the model scales them in a way" in contents.warnings[0]


def test_the_table_that_ids_are_looked_up_in_is_chosen_of_several(tmp_path):
    """As in BERT: positions come from the length of a text alone, and types are fewer."""
    tensors = [
        tensor(np.ones((9, 4), np.float32), "positions"),
        tensor(ROWS, "words"),
        tensor(np.ones((2, 4), np.float32), "types"),
        tensor(np.ones((4, 40), np.float32), "dense"),
        tensor(np.ones((40, 4), np.float32), "by_column"),
    ]
    nodes = [
        helper.make_node("Shape", ["ids"], ["shape"]),
        gather("positions", "shape", "p"),
        helper.make_node("Identity", ["words"], ["same"]),
        helper.make_node("Cast", ["ids"], ["wide_ids"], to=TensorProto.INT64),
        gather("same", "wide_ids", "w"),
        gather("types", "type_ids", "t"),
        gather("by_column", "ids", "c", axis=1),
    ]
    path = saved(tmp_path, tensors, nodes, ids=("ids", "type_ids"))
    contents = open_file(path)
    assert contents.tensor == "words"
    assert (contents.rows == ROWS).all()
    assert [tensor.role for tensor in contents.tensors].count("input embedding") == 1
    assert open_file(path, ReadOptions(tensor="dense")).rows.shape == (4, 40)
    with pytest.raises(UsageError, match="--tensor is 'x'"):
        open_file(path, ReadOptions(tensor="x"))


def test_the_fused_embedding_of_onnx_runtime(tmp_path):
    tables = [tensor(np.ones((size, 4), np.float32), f"t{size}") for size in (30, 50, 2)]
    node = helper.make_node(
        "EmbedLayerNormalization",
        ["ids", "type_ids", "t30", "t50", "t2"],
        ["rows"],
        domain="com.microsoft",
    )
    path = saved(tmp_path, tables, [node], ids=("ids", "type_ids"))
    assert open_file(path).tensor == "t30"


def test_tables_in_the_branches_of_a_graph(tmp_path):
    inner = helper.make_graph(
        [
            helper.make_node("Constant", [], ["inner"], value=tensor(ROWS)),
            gather("inner"),
        ],
        "branch",
        [],
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, None)],
    )
    node = helper.make_node("If", ["ids"], ["all"], then_branch=inner)
    contents = open_file(saved(tmp_path, [tensor(np.ones((9, 9), "f4"), "other")], [node]))
    assert contents.tensor == "inner"
    assert (contents.rows == ROWS).all()


def test_an_initializer_that_is_an_input_too_is_no_id(tmp_path):
    tensors = [tensor(ROWS), tensor(np.arange(3), "fixed"), tensor(ROWS[:2], "small")]
    nodes = [gather("table", "fixed", "p"), gather("small", "ids")]
    assert open_file(saved(tmp_path, tensors, nodes, ids=("ids", "fixed"))).tensor == "small"


def test_external_data_are_refused_by_name(tmp_path):
    path = tmp_path / "m.onnx"
    graph = helper.make_graph([], "graph", [], [], [tensor(ROWS)])
    model = helper.make_model(graph)
    onnx.save(model, path, save_as_external_data=True, size_threshold=0, location="m.data")
    with pytest.raises(DataError, match=r"external data.*onnx\.save\(onnx\.load\('.*m\.onnx'\)"):
        open_file(str(path))


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (TensorProto.STRING, "holds numbers of type string"),
        (TensorProto.BOOL, "of type bool"),
        (TensorProto.COMPLEX64, "of type complex64"),
        (TensorProto.FLOAT4E2M1, "of type float4_e2m1"),
        (99, "of type 99"),
        (TensorProto.INT4, "rows of 3 int4"),
    ],
)
def test_types_that_are_not_read_are_refused_by_name(tmp_path, code, says):
    stored = TensorProto(name="t", dims=(4, 3), raw_data=bytes(48))
    stored.data_type = code
    with pytest.raises(DataError, match=says):
        open_file(saved(tmp_path, [stored]))


def lie(**fields) -> TensorProto:
    return TensorProto(**{"name": "t", "data_type": 1, "dims": (6, 4), **fields})


@pytest.mark.parametrize(
    ("stored", "says"),
    [
        (lie(raw_data=bytes(95)), "expected a whole tensor"),
        (lie(raw_data=bytes(96), dims=(2**40, 2**40)), "expected at most"),
        (lie(raw_data=bytes(96), dims=(-6, -4)), "expected at most"),
        (lie(raw_data=bytes(96), dims=(0, 4)), "holds no tensor of two dimensions"),
        (lie(raw_data=bytes(96), dims=(6, 2, 2)), "holds no tensor of two dimensions"),
        (lie(raw_data=bytes(96), dims=(1,) * 65), "too many dimensions"),
        (lie(), "expected a whole tensor"),
        (lie(float_data=[1] * 23), "expected a whole tensor"),
        (lie(double_data=[1] * 24), "in the field of another type"),
        (lie(raw_data=bytes(96), float_data=[1] * 24), "in pieces"),
        (lie(raw_data=bytes(96), segment=TensorProto.Segment(begin=0, end=9)), "in pieces"),
        (lie(data_type=3, int32_data=[1] * 23), "expected a whole tensor"),
        (lie(data_type=3, int32_data=[1] * 25), "expected a whole tensor"),
        (lie(data_type=3, int32_data=[128] * 24), "expected a whole tensor"),
        (lie(data_type=2, int32_data=[-1] * 24), "expected a whole tensor"),
        (lie(data_type=10, int32_data=[65536] * 24), "expected a whole tensor"),
    ],
)
def test_tensors_that_lie_are_refused(tmp_path, stored, says):
    with pytest.raises(DataError, match=says):
        open_file(saved(tmp_path, [stored]))


def test_two_tensors_of_one_name_are_refused(tmp_path):
    with pytest.raises(DataError, match="two tensors have one name"):
        open_file(saved(tmp_path, [tensor(ROWS), tensor(ROWS + 1)]))


def field(number: int, data: bytes) -> bytes:
    """Return a field of a message, its length before it."""
    size, length = len(data), b""
    while size > 127:
        size, length = size >> 7, length + bytes([size & 127 | 128])
    return bytes([number << 3 | 2]) + length + bytes([size]) + data


def test_graphs_within_graphs_are_bounded(tmp_path):
    graph = b""
    for _ in range(onnx_graph._DEEPEST + 1):
        graph = field(1, field(5, field(6, graph)))
    (tmp_path / "m").write_bytes(b"\x08\x0a" + field(7, graph))
    with pytest.raises(DataError, match="nested more than 16 deep"):
        open_file(str(tmp_path / "m"))


def test_more_fields_than_a_model_has(tmp_path, monkeypatch):
    monkeypatch.setattr(protobuf, "_MOST_FIELDS", 1000)
    (tmp_path / "m").write_bytes(b"\x08\x0a" + field(7, field(1, b"") * 1000))
    with pytest.raises(DataError, match="more than 1,000 fields"):
        open_file(str(tmp_path / "m"))


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (field(7, field(5, b"")) * 2, "it has 2 graphs"),
        (b"\x3a\x7f" + field(5, b""), "a field of 127 bytes"),
        (field(7, field(5, b"\x0b")), "a field of form 3"),
        (field(7, b"\x2a" + b"\xff" * 11), "goes beyond byte"),
        (field(7, b"\x2a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), "a field of 9,223,"),
    ],
)
def test_messages_that_lie_are_refused(tmp_path, model, says):
    (tmp_path / "m").write_bytes(b"\x08\x0a" + model)
    with pytest.raises(DataError, match=says):
        open_file(str(tmp_path / "m"))


def test_every_byte_may_lie_and_the_file_may_end_anywhere(tmp_path):
    tensors = [tensor(np.int8(ROWS)), tensor(np.float32(0.5), "s")]
    node = helper.make_node("DequantizeLinear", ["table", "s"], ["wide"])
    path = tmp_path / "model.onnx"
    data = (saved(tmp_path, tensors, [node, gather("wide")]), path.read_bytes())[1]
    tracemalloc.start()
    for at in range(len(data)):
        for lying in (data[:at] + bytes([data[at] ^ 0x80 ^ at % 7]) + data[at + 1 :], data[:at]):
            path.write_bytes(lying)
            with suppress(EmbedInspectError):
                np.asarray(open_file(str(path)).rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**24


@pytest.mark.parametrize(
    "data",
    [
        b"\x08\x01\x12\x05abcde",  # TensorFlow's saved_model.pb
        b"\x08\x04\x12\x03abc\xfa\x1f\x02ab",  # Core ML
        b"\x08\x00\x3a\x02\x2a\x00",  # version 0
        b"\x08\x0a",
        b"\x08",
        b"\x08\x09 0.5 1\nb 1 2\n",
        b"\x08\x0a\x3a\x04\x0d\0\0\0",  # a graph that begins with a number
    ],
)
def test_other_files_are_no_models(tmp_path, data):
    (tmp_path / "m").write_bytes(data)
    with suppress(EmbedInspectError):
        assert open_file(str(tmp_path / "m")).kind != "ONNX model"


def test_a_model_has_no_words(tmp_path):
    source = open_source(saved(tmp_path, [tensor(ROWS)], [gather()]))
    assert source.words is None
    assert source.tensor == "table"
