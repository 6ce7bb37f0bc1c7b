"""GGUF, the files of llama.cpp: a language model's tensors, and the tokens of its tokenizer.

Rows are mapped and stay as they are stored, quantized ones too; they are decoded where they are
looked at. What tensors and keys mean: gguf-py's `constants.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np

from embedinspect.errors import DataError
from embedinspect.formats.arrays import as_float32
from embedinspect.formats.beginning import Start
from embedinspect.formats.contents import Contents, ReadOptions
from embedinspect.formats.gguf_header import Header, Scalar, TensorInfo, read_header
from embedinspect.formats.gguf_quants import TYPES, NumberType, decoder
from embedinspect.formats.model_tokens import ModelTokens
from embedinspect.formats.tensors import Role, Tensor, pick
from embedinspect.formats.token_words import TokenWords
from embedinspect.matrix import MOST_VALUES
from embedinspect.row_words import Words
from embedinspect.stored_rows import StoredRows, Vectors, from_bfloat16
from embedinspect.wording import clipped_repr, literal

_INPUT = "token_embd.weight"
_ROLES: dict[str, Role] = {
    _INPUT: "input embedding",
    "output.weight": "output head",
    "position_embd.weight": "position embedding",
    "token_types.weight": "token type embedding",
}
# The tensors with a row for each token.
_BY_TOKEN = {_INPUT, "output.weight", "per_layer_token_embd.weight"}
# How the tokens of each kind of tokenizer begin a word, by `tokenizer.ggml.model`.
_SPACES = {"llama": "▁", "t5": "▁", "bert": "▁", "gpt2": "Ġ"}
_CONTROL, _USER_DEFINED, _UNUSED = 3, 4, 5  # of `enum llama_token_type`
_SPECIAL_KEY = re.compile(r"tokenizer\.ggml\.(\w+)_token_id")
_PART = re.compile(r"(.*)-\d{5}-of-(\d{5})\.gguf", re.DOTALL)
_MOST_PARTS = 1000
_NO_IDS = (
    "holds the tokens of its tokenizer, but how it cuts a text into them is in llama.cpp, so texts "
    "cannot be traced; use the model's folder with tokenizer.json"
)


def recognises(start: Start) -> bool:
    """Return whether a file that begins with the letters of GGUF goes on with a version."""
    version = start.data[4:8]
    # A text may begin with the same letters; a version has zeros, in either order of bytes.
    return len(version) == 4 and (version[1:] == b"\0\0\0" or version[:3] == b"\0\0\0")


def read(path: Path, options: ReadOptions) -> Contents:
    """Return one tensor of a model, with the words of its rows where these belong to tokens.

    Raises:
        UsageError: no tensor has the name that is wanted, or several could be meant.
        DataError: the file is damaged, or the tensor is in another part of the model, or stored
            in a way that cannot be decoded.
    """
    label = repr(str(path))
    header = read_header(path)
    tensors = _matrices(path, header)
    _refuse_other_part(path, header, options.tensor)
    tensor = pick(tensors, options.tensor, label)
    architecture = str(header.values.get("general.architecture", "unknown"))
    tokens = _decoded(header.tokens)
    words = _words(tokens, tensor) if tokens else None
    return Contents(
        f"GGUF model ({literal(architecture[:40])})",
        tensor.read(),
        words,
        tensor.dtype,
        tensor=tensor.name,
        words_from=None if words is None else "the tokens of the model's tokenizer",
        warnings=_warnings(header),
        tensors=tuple(tensors),
        tokens=_model_tokens(header, tokens, architecture, tensors) if tokens else None,
    )


def _matrices(path: Path, header: Header) -> list[Tensor]:
    """Return the tensors of two dimensions."""
    return [
        Tensor(
            tensor.name,
            (tensor.shape[0], tensor.shape[1]),
            kind.name if (kind := TYPES.get(tensor.code)) else f"type {tensor.code}",
            partial(_rows, path, tensor),
            _ROLES.get(tensor.name),
        )
        for tensor in header.tensors
        if len(tensor.shape) == 2 and min(tensor.shape) > 0
    ]


def _rows(path: Path, tensor: TensorInfo) -> Vectors:
    """Return the rows of a tensor, mapped.

    Raises:
        DataError: there are too many numbers, or they cannot be decoded.
    """
    label = f"{clipped_repr(tensor.name)} in {str(path)!r}"
    rows, columns = tensor.shape
    if rows * columns > MOST_VALUES:
        raise DataError(
            f"{label} has {rows:,} x {columns:,} numbers; expected at most {MOST_VALUES:,}"
        )
    kind = TYPES.get(tensor.code)
    if kind is None:
        raise DataError(
            f"{label} is stored as type {tensor.code:,} of llama.cpp, which is not known here; "
            "expected another type, as of: "
            "llama-quantize --allow-requantize THIS.gguf OTHER.gguf F16"
        )
    return _mapped(path, tensor, kind, label)


def _mapped(path: Path, tensor: TensorInfo, kind: NumberType, label: str) -> Vectors:
    rows, columns = tensor.shape
    if kind.name == "BF16":
        stored = np.memmap(path, "<u2", "r", tensor.start, (rows, columns))
        return StoredRows(stored, (rows, columns), from_bfloat16)
    if kind.plain is None:
        width = columns // kind.numbers * kind.size
        blocks = np.memmap(path, np.uint8, "r", tensor.start, (rows, width))
        return StoredRows(blocks, (rows, columns), decoder(kind, label))
    numbers = np.memmap(path, kind.plain, "r", tensor.start, (rows, columns))
    if kind.name == "F16":
        return StoredRows(numbers, (rows, columns))
    return as_float32(np.asarray(numbers), label)


def _decoded(tokens: list[bytes]) -> list[str]:
    """Return tokens as texts; bytes that are not UTF-8 are written with a backslash."""
    block = b"\n".join(tokens)
    if block.count(b"\n") == len(tokens) - 1:  # then all at once, which takes a fifth of the time
        return block.decode("utf-8", "backslashreplace").split("\n")
    return [token.decode("utf-8", "backslashreplace") for token in tokens]


def _words(tokens: Sequence[str], tensor: Tensor) -> Words | None:
    """Return the word of each row of a tensor that has one for each token; None for others."""
    rows = tensor.shape[0]
    if tensor.name not in _BY_TOKEN:
        return None
    ids = _ids(tokens)
    repeated = {}
    if len(ids) < len(tokens):
        repeated = {row: token for row, token in enumerate(tokens) if ids[token] != row}
    return TokenWords(ids, rows, repeated)


def _model_tokens(
    header: Header, tokens: Sequence[str], architecture: str, tensors: Sequence[Tensor]
) -> ModelTokens:
    """Return what the file says about its tokens."""
    special = {
        match[1]: value
        for key, value in header.values.items()
        if (match := _SPECIAL_KEY.fullmatch(key)) and type(value) is int
    }
    with_role = set(special.values())
    control = _of_type(header, tokens, _CONTROL)
    special |= {token: id_ for token, id_ in control.items() if id_ not in with_role}
    size = header.values.get(f"{architecture}.vocab_size")
    return ModelTokens(
        ids=_ids(tokens),
        special=special,
        added=_of_type(header, tokens, _USER_DEFINED),
        unused=_of_type(header, tokens, _UNUSED),
        vocab_size=size if type(size) is int else None,
        head=next((tensor for tensor in tensors if tensor.role == "output head"), None),
        space=_SPACES.get(str(header.values.get("tokenizer.ggml.model"))),
        no_ids=_NO_IDS,
    )


def _ids(tokens: Sequence[str]) -> dict[str, int]:
    """Return the id of each token; of one that repeats, the first counts."""
    return dict(zip(reversed(tokens), reversed(range(len(tokens))), strict=True))


def _of_type(header: Header, tokens: Sequence[str], code: int) -> dict[str, int]:
    """Return the ids of the tokens of a type."""
    places = np.flatnonzero(header.token_types[: len(tokens)] == code)
    return {tokens[id_]: id_ for id_ in map(int, places[::-1])}


def _part_count(values: dict[str, Scalar]) -> int:
    count = values.get("split.count", 1)
    return count if type(count) is int else 1


def _warnings(header: Header) -> tuple[str, ...]:
    if header.tokens or _part_count(header.values) < 2:
        return ()
    return ("this is a part of a model, and the words of its rows are in the first part",)


def _refuse_other_part(path: Path, header: Header, wanted: str | None) -> None:
    """Refuse a part of a model that lies in several files, where the tensor is in another.

    Raises:
        DataError: it is; the message names that file, where it is at hand.
    """
    name = wanted or _INPUT
    count = _part_count(header.values)
    if count < 2 or any(tensor.name == name for tensor in header.tensors):
        return
    part = next((part for part in _parts(path, count) if _holds(part, name)), None)
    where = "" if part is None else f", {str(part)!r}"
    raise DataError(
        f"{str(path)!r} is a part of a model in several files, without the tensor "
        f"{clipped_repr(name)}; expected the part that has it{where}, or the name of another "
        "tensor with --tensor"
    )


def _holds(part: Path, name: str) -> bool:
    """Return whether a file can be read and has a tensor of that name."""
    with suppress(DataError, OSError):
        return any(tensor.name == name for tensor in read_header(part).tensors)
    return False


def _parts(path: Path, count: int) -> Iterator[Path]:
    """Yield the other files of a model, by their names, where they are at hand."""
    match = _PART.fullmatch(path.name)
    if match is None:
        return
    for number in range(1, min(count, _MOST_PARTS) + 1):
        part = path.with_name(f"{match[1]}-{number:05d}-of-{match[2]}.gguf")
        if part != path and part.is_file():
            yield part
