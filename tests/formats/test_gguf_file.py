"""GGUF, with the gguf package's writer and dequantizer as the oracle, and headers that lie."""

from __future__ import annotations

import struct
import sys
import tracemalloc

import gguf
import numpy as np
import pytest
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFEndian, GGUFWriter, TokenType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embedinspect.errors import DataError, UsageError
from embedinspect.formats import gguf_file, gguf_quants, open_file
from embedinspect.formats.contents import ReadOptions
from embedinspect.source import open_source
from tests.formats.gguf_bytes import gguf_bytes, one_matrix, string, tensor_info

ROWS = np.arange(64, dtype=np.float32).reshape(2, 32) / 4
TOKENS = ["<s>", "▁king", "queen", "▁king"]
INFO = tensor_info("token_embd.weight", (32, 2))
# What llama.cpp only computes with, and what the package does not decode.
NOT_DECODED = {"Q8_1", "Q8_K", "Q1_0"}
BLOCKS = [kind for kind in gguf_quants.TYPES.values() if kind.plain is None and kind.name != "BF16"]
DECODED = [kind for kind in BLOCKS if kind.name not in NOT_DECODED]


def write_model(path, tensors, tokens=(), endian=GGUFEndian.LITTLE, change=lambda writer: None):
    """Write a model with the gguf package; tensors are pairs of an array and a type."""
    writer = GGUFWriter(path, "llama", endianess=endian)
    if tokens:
        writer.add_tokenizer_model("llama")
        writer.add_token_list(tokens)
        writer.add_token_merges(["k ing", "q ueen"])
    change(writer)
    for name, (array, kind) in tensors.items():
        writer.add_tensor(name, array, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def input_embedding(array=ROWS, kind=None):
    return {"token_embd.weight": (array, kind)}


def same_bits(ours, theirs) -> bool:
    """Return whether numbers are the same, each NaN taken for the same."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    return ours.dtype == np.float32 and np.array_equal(
        np.where(np.isnan(ours), 0, ours.view(np.uint32)),
        np.where(np.isnan(theirs), 0, theirs.view(np.uint32)),
    )


def test_the_types_of_numbers_are_those_of_llama_cpp():
    theirs = {kind.value: (kind.name, *GGML_QUANT_SIZES[kind]) for kind in GGMLQuantizationType}
    ours = {code: (kind.name, kind.numbers, kind.size) for code, kind in gguf_quants.TYPES.items()}
    assert ours == theirs


@pytest.mark.parametrize("kind", DECODED, ids=lambda kind: kind.name)
def test_random_blocks_are_decoded_bit_for_bit(tmp_path, kind):
    blocks = np.random.default_rng(kind.code).integers(0, 256, (40, 2 * kind.size), np.uint8)
    path, theirs_kind = tmp_path / "m.gguf", GGMLQuantizationType(kind.code)
    write_model(path, input_embedding(blocks, theirs_kind))
    contents = open_file(str(path))
    with np.errstate(all="ignore"):
        expected = gguf.quants.dequantize(blocks, theirs_kind)
    assert contents.dtype == kind.name
    assert same_bits(contents.rows, expected)
    assert same_bits(contents.rows[7], expected[7])
    assert same_bits(contents.rows[[9, 2, 9], 3:5], expected[[9, 2, 9], 3:5])
    assert same_bits(contents.rows[expected[:, 0] > np.inf], expected[:0])


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int8", "int16", "int32"])
def test_numbers_that_are_stored_whole(tmp_path, dtype):
    rows = (np.random.default_rng(0).standard_normal((5, 3)) * 50).astype(dtype)
    write_model(tmp_path / "m.gguf", input_embedding(rows))
    assert same_bits(open_file(str(tmp_path / "m.gguf")).rows, rows.astype(np.float32))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.integers(1, 40), st.integers(1, 4), st.sampled_from(["BF16", "Q8_0", "Q4_0"]), st.data())
def test_matrices_that_the_package_quantized(tmp_path, rows, blocks, name, data):
    width = blocks * 32
    numbers = data.draw(st.lists(st.floats(-9, 9, width=32), min_size=3, max_size=30))
    matrix = np.resize(np.array(numbers, np.float32), (rows, width))
    kind = GGMLQuantizationType[name]
    stored = gguf.quants.quantize(matrix, kind)
    write_model(tmp_path / "m.gguf", input_embedding(stored, kind))
    assert same_bits(open_file(str(tmp_path / "m.gguf")).rows, gguf.quants.dequantize(stored, kind))


def test_the_other_kinds_name_the_package_where_it_is_missing(tmp_path, monkeypatch):
    write_model(
        tmp_path / "m.gguf",
        input_embedding(np.zeros((2, 66), np.uint8), GGMLQuantizationType.IQ2_XXS),
    )
    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(DataError, match=r"IQ2_XXS, .* pip install 'embedinspect\[gguf\]'"):
        open_file(str(tmp_path / "m.gguf"))


@pytest.mark.parametrize("name", sorted(NOT_DECODED))
def test_what_nobody_decodes_is_refused_by_name(tmp_path, name):
    kind = GGMLQuantizationType[name]
    numbers, size = GGML_QUANT_SIZES[kind]
    info = tensor_info("token_embd.weight", (numbers, 1), kind.value)
    (tmp_path / "m").write_bytes(gguf_bytes({}, [info], bytes(size)))
    with pytest.raises(DataError, match=f"stored as {name}, .* llama-quantize"):
        open_file(str(tmp_path / "m"))


def test_a_type_that_is_not_known_yet_is_refused_by_its_number(tmp_path):
    infos = [INFO, tensor_info("new", (32, 2), 99, 256)]
    (tmp_path / "m").write_bytes(gguf_bytes({}, infos, bytes(999)))
    assert open_file(str(tmp_path / "m")).tensor == "token_embd.weight"
    with pytest.raises(DataError, match=r"'new' in .* is stored as type 99 .* llama-quantize"):
        open_file(str(tmp_path / "m"), ReadOptions(tensor="new"))


def test_every_row_has_its_token_and_the_first_of_two_counts(tmp_path):
    write_model(tmp_path / "m.gguf", input_embedding(np.eye(4, 32, dtype="f4")), TOKENS)
    source = open_source(str(tmp_path / "m.gguf"))
    assert source.kind == "GGUF model (llama)"
    assert source.words_from == "the tokens of the model's tokenizer"
    assert list(source.words) == TOKENS
    assert source.row_of("▁king") == 1
    assert source.contents.tokens.ids == {"<s>": 0, "▁king": 1, "queen": 2}
    assert source.contents.tokens.space == "▁"


@pytest.mark.parametrize("rows", [3, 4, 6])
def test_rows_and_tokens_that_differ_in_number(tmp_path, rows):
    write_model(tmp_path / "m.gguf", input_embedding(np.eye(rows, 32, dtype="f4")), TOKENS)
    source = open_source(str(tmp_path / "m.gguf"))
    assert list(source.words) == [*TOKENS, None, None][:rows]
    assert source.contents.tokens.ids["queen"] == 2


def test_tokens_with_a_task_of_their_own(tmp_path):
    def change(writer):
        writer.add_token_types(
            [
                TokenType.UNKNOWN,
                TokenType.CONTROL,
                TokenType.USER_DEFINED,
                TokenType.CONTROL,
                TokenType.UNUSED,
            ]
        )
        writer.add_bos_token_id(1)
        writer.add_unk_token_id(0)
        writer.add_pad_token_id(9)
        writer.add_vocab_size(4)

    tokens = ["<unk>", "<s>", "<added>", "<|end|>", "[PAD4]"]
    matrices = input_embedding(np.eye(5, 32, dtype="f4"))
    matrices |= {
        "output.weight": (np.ones((4, 32), "f4"), None),
        "position_embd.weight": (np.ones((9, 32), "f4"), None),
        "norm": (np.ones(4, "f4"), None),
    }
    write_model(tmp_path / "m.gguf", matrices, tokens, change=change)
    contents = open_file(str(tmp_path / "m.gguf"))
    assert contents.tokens.special == {"unknown": 0, "bos": 1, "padding": 9, "<|end|>": 3}
    assert contents.tokens.added == {"<added>": 2}
    assert contents.tokens.unused == {"[PAD4]": 4}
    assert contents.tokens.vocab_size == 4
    assert contents.tokens.head.shape == (4, 32)
    assert [tensor.role for tensor in contents.tensors] == [
        "input embedding",
        "output head",
        "position embedding",
    ]
    positions = open_file(str(tmp_path / "m.gguf"), ReadOptions(tensor="position_embd.weight"))
    assert positions.words is None  # its rows are no tokens
    with pytest.raises(UsageError, match="--tensor is 'norm'"):
        open_file(str(tmp_path / "m.gguf"), ReadOptions(tensor="norm"))


@pytest.mark.parametrize("tokens", [[b"\xff", b"a\x1b[1m"], [b"\xff", b"\n", b"a\nb"]])
def test_tokens_that_are_not_utf8_are_shown_by_their_bytes(tmp_path, tokens):
    rows = np.ones((len(tokens), 2))
    (tmp_path / "m").write_bytes(one_matrix(rows, tokenizer__ggml__tokens=tokens))
    words = list(open_file(str(tmp_path / "m")).words)
    assert words == [token.decode("utf-8", "backslashreplace") for token in tokens]


def test_a_part_of_a_model_names_the_part_that_has_the_tensor(tmp_path):
    def part(name: str) -> bytes:
        return gguf_bytes({"split.count": 2}, [tensor_info(name, (32, 2))], ROWS.tobytes())

    first, second = (tmp_path / f"m-0000{number}-of-00002.gguf" for number in (1, 2))
    first.write_bytes(part("output.weight"))
    with pytest.raises(DataError, match="expected the part that has it, or"):
        open_file(str(first))
    second.write_bytes(b"GGUF\x03\0\0\0 but damaged")
    with pytest.raises(DataError, match="expected the part that has it, or"):
        open_file(str(first))
    second.write_bytes(part("token_embd.weight"))
    with pytest.raises(DataError, match=r"the part that has it, '.*m-00002-of-00002\.gguf'"):
        open_file(str(first))
    assert same_bits(open_file(str(first), ReadOptions(tensor="output.weight")).rows, ROWS)
    assert "are in the first part" in open_file(str(second)).warnings[0]


@pytest.mark.parametrize(
    ("version", "says"), [(1, "of version 1;"), (2, None), (3, None), (4, "of version 4;")]
)
def test_versions(tmp_path, version, says):
    path = tmp_path / "m"
    path.write_bytes(gguf_bytes({}, [INFO], ROWS.tobytes(), version=version))
    if says is None:
        assert same_bits(open_file(str(path)).rows, ROWS)
    else:
        with pytest.raises(DataError, match=says):
            open_file(str(path))


def test_the_other_byte_order_is_refused_by_name(tmp_path):
    write_model(tmp_path / "m.gguf", input_embedding(), endian=GGUFEndian.BIG)
    with pytest.raises(DataError, match="is a big-endian GGUF file"):
        open_file(str(tmp_path / "m.gguf"))


def key(name: str, item: bytes) -> bytes:
    """Return a file with one key, whose value is given byte for byte."""
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + string(name) + item + bytes(64)


HUGE = 2**60
HOSTILE = {
    "tensors": (gguf_bytes({}, [INFO], b"", counts=(HUGE, 0)), "claims 1,152,.* tensors"),
    "keys": (gguf_bytes({}, [INFO], b"", counts=(1, HUGE)), "claims 1,152,.* keys"),
    "text": (key("a", struct.pack("<IQ", 8, 2**64 - 1)), "wants 18,446,.* bytes"),
    "name": (b"GGUF" + struct.pack("<IQQQ", 3, 1, 0, HUGE), "wants 1,152,"),
    "numbers": (key("a", struct.pack("<IIQ", 9, 4, HUGE)), "wants 4,611,"),
    "texts": (key("a", struct.pack("<IIQ", 9, 8, HUGE)), "longer than the file"),
    "a text in a list": (key("a", struct.pack("<IIQQ", 9, 8, 1, HUGE)), "longer than the file"),
    "tokens": (key("tokenizer.ggml.tokens", struct.pack("<IIQ", 9, 8, HUGE)), "claims 1,152,"),
    "tokens that are numbers": (
        key("tokenizer.ggml.tokens", struct.pack("<IIQ", 9, 4, 1)),
        "tokens of type 4",
    ),
    "types of tokens": (
        key("tokenizer.ggml.token_type", struct.pack("<IIQ", 9, 5, HUGE)),
        "wants 4,611,",
    ),
    "types that are texts": (
        key("tokenizer.ggml.token_type", struct.pack("<IIQ", 9, 8, 1)),
        "of type 8",
    ),
    "arrays of arrays": (key("a", struct.pack("<IIQ", 9, 9, 1) * 9), "'a' has an array of arrays"),
    "a type of value": (key("a", struct.pack("<I", 13)), "'a' has a value of type 13"),
    "a key twice": (
        b"GGUF" + struct.pack("<IQQ", 3, 0, 2) + (string("a") + struct.pack("<II", 4, 1)) * 2,
        "the key 'a' twice",
    ),
    "dimensions": (
        gguf_bytes({}, [tensor_info("a", (1,) * 5)], b""),
        "'a' has 5 dimensions",
    ),
    "a shape": (gguf_bytes({}, [tensor_info("a", (HUGE, HUGE))], b""), "cut off"),
    "a negative shape": (gguf_bytes({}, [tensor_info("a", (2**64 - 1, 2))], b""), "cut off"),
    "an offset": (gguf_bytes({}, [tensor_info("a", (2, 2), 0, HUGE)], bytes(64)), "cut off"),
    "an offset between": (
        gguf_bytes({}, [tensor_info("a", (2, 2), 0, 1)], bytes(64)),
        "not aligned",
    ),
    "tensors on each other": (
        gguf_bytes({}, [INFO, tensor_info("a", (32, 2), 0, 32)], bytes(512)),
        "'a' begins within another",
    ),
    "two of a name": (
        gguf_bytes({}, [INFO, tensor_info("token_embd.weight", (32, 2), 0, 256)], bytes(512)),
        "have one name",
    ),
    "half a block": (gguf_bytes({}, [tensor_info("a", (33, 2), 8)], bytes(512)), "blocks of 32"),
    "no alignment": (gguf_bytes({"general.alignment": 0}, [INFO], bytes(512)), "power of two"),
    "an odd one": (gguf_bytes({"general.alignment": 48}, [INFO], bytes(512)), "power of two"),
    "a huge one": (gguf_bytes({"general.alignment": 2**31}, [INFO], bytes(512)), "cut off"),
    "a text for one": (gguf_bytes({"general.alignment": "32"}, [INFO], bytes(512)), "power of"),
    "no tensor": (gguf_bytes({}, [], b""), "holds no tensor of two dimensions"),
    "an empty one": (
        gguf_bytes({}, [tensor_info("a", (0, 2))], b""),
        "holds no tensor of two dimensions",
    ),
    "nothing after the version": (b"GGUF\x03\0\0\0", "damaged header"),
    "a cut": (gguf_bytes({}, [INFO], ROWS.tobytes())[:-1], "is cut off: .*download it again"),
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_headers_that_lie_are_refused_before_memory_is_taken(tmp_path, name):
    data, says = HOSTILE[name]
    (tmp_path / "m").write_bytes(data)
    tracemalloc.start()
    with pytest.raises(DataError, match=says):
        open_file(str(tmp_path / "m"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**23


def test_more_numbers_than_a_matrix_may_have(tmp_path, monkeypatch):
    monkeypatch.setattr(gguf_file, "MOST_VALUES", 63)
    (tmp_path / "m").write_bytes(one_matrix(ROWS))
    with pytest.raises(DataError, match="expected at most 63"):
        open_file(str(tmp_path / "m"))


def test_another_alignment_moves_the_numbers(tmp_path):
    data = gguf_bytes({"general.alignment": 256}, [INFO], ROWS.tobytes(), alignment=256)
    (tmp_path / "m").write_bytes(data)
    assert same_bits(open_file(str(tmp_path / "m")).rows, ROWS)
