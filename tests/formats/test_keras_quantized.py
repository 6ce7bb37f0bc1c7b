"""Rows of quantized layers are what the live layers give; scales that do not fit are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embedinspect.errors import DataError
from embedinspect.source import open_source
from tests.builders import write_keras_file

pytestmark = pytest.mark.filterwarnings("ignore:Layer InputLayer does not have a `quantize`")
NAME = "layers/embedding/vars"


@pytest.fixture(scope="module")
def keras():
    from embedinspect import keras_layer

    return keras_layer.load("tensorflow")


def quantized(keras, layer, block_size: int | None, seed: int = 0):
    """Return a model of one layer, its weights random, each group of columns of another size."""
    model = keras.Sequential([keras.Input((5,), dtype="int32"), layer])
    chance = np.random.default_rng(seed)
    for variable in layer.weights:
        values = chance.normal(size=variable.shape) * 2.0 ** chance.integers(-4, 4, variable.shape)
        variable.assign(values)
    config = keras.quantizers.Int4QuantizationConfig(block_size=block_size)
    model.quantize("int4", config=config)
    return model


def rows_of(keras, layer) -> np.ndarray:
    rows = layer(np.arange(layer.input_dim, dtype="int32"))
    return np.asarray(keras.ops.cast(rows, "float32"))


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=12
)
@given(
    st.sampled_from(["Embedding", "ReversibleEmbedding", "untied"]),
    st.integers(1, 9),
    st.integers(1, 21),
    st.sampled_from([None, -1, 1, 2, 3, 5, 8, 128]),
    st.integers(0, 2**32 - 1),
)
def test_int4_rows_are_those_of_the_live_layer(keras, tmp_path, kind, rows, columns, block, seed):
    if kind == "Embedding":
        layer = keras.layers.Embedding(rows, columns, name="words")
    else:
        layer = keras.layers.ReversibleEmbedding(
            rows, columns, tie_weights=kind != "untied", name="words"
        )
    path = tmp_path / "model.keras"
    quantized(keras, layer, block, seed).save(path)
    source = open_source(str(path))
    assert source.matrix.rows.shape == (rows, columns)
    assert source.dtype == "int4"
    np.testing.assert_array_equal(source.matrix.rows, rows_of(keras, layer))


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "float16"])
@pytest.mark.parametrize("block", [None, 3])
def test_a_layer_that_computes_in_half_precision_is_read_in_full(keras, tmp_path, dtype, block):
    layer = keras.layers.Embedding(6, 7, dtype=dtype)
    quantized(keras, layer, block).save(tmp_path / "model.keras")
    ours = open_source(str(tmp_path / "model.keras")).matrix.rows
    np.testing.assert_allclose(ours, rows_of(keras, layer), rtol=2**-6)


def test_weights_alone_do_not_say_how_they_are_quantized(keras, tmp_path):
    model = quantized(keras, keras.layers.Embedding(6, 8, name="words"), 4)
    model.save_weights(tmp_path / "model.weights.h5")
    with pytest.raises(DataError, match="does not say how"):
        open_source(str(tmp_path / "model.weights.h5"))


def config(mode: str, columns: object = 4) -> dict:
    policy = {"class_name": "Int4DTypePolicy", "config": {"mode": mode, "source_name": "float32"}}
    inner = {"name": "embedding", "input_dim": 3, "output_dim": columns, "dtype": policy}
    layer = {"class_name": "Embedding", "config": inner}
    return {"class_name": "Sequential", "config": {"layers": [layer]}}


PACKED = np.arange(6, dtype=np.int8).reshape(3, 2)
SCALES, ZEROS = np.ones((3, 2), np.float32), np.zeros((3, 2), np.int8)
GROUPS = np.array([0, 0, 1, 1], np.float32)


def write(path: Path, mode: str, *variables: np.ndarray, columns: object = 4) -> str:
    named = {f"{NAME}/{number}": variable for number, variable in enumerate(variables)}
    write_keras_file(path, named, config(mode, columns))
    return str(path)


def test_halves_of_a_byte(tmp_path):
    path = write(tmp_path / "m.keras", "int4/2", PACKED - 3, SCALES, ZEROS, GROUPS)
    assert open_source(path).matrix.rows[0].tolist() == [-3, -1, -2, -1]  # 0xfd, 0xfe


@pytest.mark.parametrize("mode", ["gptq", "gptq/4/128", "awq/4/128", "float8", "int4/0", "int4/x"])
def test_other_kinds_are_refused_by_name(tmp_path, mode):
    with pytest.raises(DataError, match=f"quantized \\('{mode}'\\)"):
        open_source(write(tmp_path / "m.keras", mode, PACKED, SCALES, ZEROS, GROUPS))


@pytest.mark.parametrize(
    ("mode", "variables", "columns", "says"),
    [
        ("int4/2", (PACKED,), 4, "lacks 'layers/embedding/vars/1'"),
        ("int4/2", (PACKED, SCALES, ZEROS), 4, "lacks 'layers/embedding/vars/3'"),
        ("int4/2", (PACKED, SCALES[0], ZEROS, GROUPS), 4, "has another shape"),
        ("int4/2", (PACKED, SCALES[:2], ZEROS, GROUPS), 4, "do not fit"),
        ("int4/2", (PACKED, SCALES, ZEROS[:, :1], GROUPS), 4, "do not fit"),
        ("int4/2", (PACKED, SCALES, ZEROS, GROUPS[:3]), 4, "do not fit"),
        ("int4/2", (PACKED, SCALES, ZEROS, GROUPS + 1), 4, "do not fit"),
        ("int4/2", (PACKED, SCALES, ZEROS, GROUPS - 1), 4, "do not fit"),
        ("int4/2", (PACKED, SCALES, ZEROS, GROUPS / 2), 4, "do not fit"),
        ("int4/2", (PACKED, SCALES, ZEROS, GROUPS * np.nan), 4, "do not fit"),
        ("int4/2", (PACKED, SCALES, ZEROS, GROUPS), 5, "quantized"),
        ("int4/2", (PACKED, SCALES, ZEROS, GROUPS), None, "quantized"),
        ("int4/2", (PACKED, SCALES, ZEROS, GROUPS), 2**60, "quantized"),
        ("int4/2", (PACKED.astype(np.uint8), SCALES, ZEROS, GROUPS), 4, "quantized"),
        ("int4/-1", (PACKED, SCALES), 4, "has another shape"),
        ("int4/-1", (PACKED, SCALES[0]), 4, "has 2 scales; expected one for each of the 3 rows"),
        ("int8", (PACKED, SCALES[0]), 2, "has 2 scales"),
    ],
    ids=range(17),
)
def test_scales_that_do_not_fit(tmp_path, mode, variables, columns, says):
    with pytest.raises(DataError, match=says):
        open_source(write(tmp_path / "m.keras", mode, *variables, columns=columns))
