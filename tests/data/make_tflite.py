"""Makes the TensorFlow Lite models of the tests, and the rows that the interpreter has for them.

    python tests/data/make_tflite.py

Some are what the converter makes of a Keras model, so that the rows are what its embedding gives
for each id; in the others a constant is widened to float32 by one operator, so that the rows are
what the interpreter makes of types and scales that the converter gives no embedding.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import flatbuffers
import keras
import numpy as np
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema

FOLDER = Path(__file__).parent / "tflite"
ROWS, COLUMNS, DENSE = 64, 16, 5
random = np.random.default_rng(0)


def converted(name: str) -> bytes:
    """Return a Keras model of one embedding and a dense layer, converted in one of four ways."""
    ids = keras.Input((ROWS,), dtype="int32")
    embedding = keras.layers.Embedding(ROWS, COLUMNS, name="word_embedding")
    rows = embedding(ids)
    model = keras.Model(ids, [rows, keras.layers.Dense(DENSE)(rows)])
    embedding.set_weights([random.standard_normal((ROWS, COLUMNS)).astype(np.float32)])

    def some_ids() -> Iterator[list[np.ndarray]]:
        for _ in range(8):
            yield [random.integers(0, ROWS, (1, ROWS)).astype(np.int32)]

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if name != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if name == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if name == "int8":
        converter.representative_dataset = some_ids
    return bytes(converter.convert())


def embedded(model: bytes) -> np.ndarray:
    """Return the row of each id, as the interpreter looks it up."""
    interpreter = tf.lite.Interpreter(model_content=model)
    interpreter.allocate_tensors()
    [ids] = interpreter.get_input_details()
    interpreter.set_tensor(ids["index"], np.arange(ROWS, dtype=np.int32)[None])
    interpreter.invoke()
    [rows] = [output for output in interpreter.get_output_details() if output["shape"][-1] > DENSE]
    return interpreter.get_tensor(rows["index"])[0]


def constant(kind: int, data: bytes, scales: list[float], zeros: list[int], axis: int) -> bytes:
    """Return a model of one operator, which widens a constant to float32."""
    table = schema.TensorT()
    table.shape, table.type, table.buffer, table.name = [ROWS, COLUMNS], kind, 1, b"table"
    table.quantization = schema.QuantizationParametersT()
    table.quantization.scale, table.quantization.zeroPoint = scales, zeros
    table.quantization.quantizedDimension = axis
    wide = schema.TensorT()
    wide.shape, wide.type, wide.name = [ROWS, COLUMNS], schema.TensorType.FLOAT32, b"wide"
    operator = schema.OperatorT()
    operator.inputs, operator.outputs = [0], [1]
    graph = schema.SubGraphT()
    graph.tensors, graph.operators, graph.inputs, graph.outputs = [table, wide], [operator], [], [1]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    code.version = 6
    numbers = schema.BufferT()
    numbers.data = np.frombuffer(data, np.uint8)
    model = schema.ModelT()
    model.version, model.subgraphs, model.operatorCodes = 3, [graph], [code]
    model.buffers = [schema.BufferT(), numbers]
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def widened(model: bytes) -> np.ndarray:
    """Return what the interpreter makes of the constant."""
    interpreter = tf.lite.Interpreter(
        model_content=model,
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
    )
    interpreter.allocate_tensors()
    interpreter.invoke()
    return interpreter.get_tensor(1)


def constants() -> Iterator[tuple[str, bytes]]:
    """Yield models with one constant each, of all types and directions of scales, by name."""
    kinds = schema.TensorType
    for name, kind, dtype, scales, zero, axis in (
        ("int8-one", kinds.INT8, np.int8, 1, -7, 0),
        ("int8-rows", kinds.INT8, np.int8, ROWS, 0, 0),
        ("int8-columns", kinds.INT8, np.int8, COLUMNS, 0, 1),
        ("uint8-one", kinds.UINT8, np.uint8, 1, 131, 0),
        ("int16-one", kinds.INT16, np.int16, 1, 0, 0),
        ("int4-one", kinds.INT4, None, 1, 0, 0),
        ("int4-rows", kinds.INT4, None, ROWS, 0, 0),
    ):
        size = ROWS * COLUMNS // 2 if dtype is None else ROWS * COLUMNS * np.dtype(dtype).itemsize
        numbers = random.random(scales, np.float32).tolist()
        yield name, constant(kind, random.bytes(size), numbers, [zero] * scales, axis)


def main() -> None:
    """Write the models, and all of their rows into one archive."""
    FOLDER.mkdir(exist_ok=True)
    expected = {}
    for name in ("float32", "float16", "int8", "dynamic"):
        model = converted(name)
        expected[name] = embedded(model)
        (FOLDER / f"{name}.tflite").write_bytes(model)
    for name, model in constants():
        expected[name] = widened(model)
        (FOLDER / f"{name}.tflite").write_bytes(model)
    np.savez_compressed(FOLDER / "rows.npz", **expected)


if __name__ == "__main__":
    main()
