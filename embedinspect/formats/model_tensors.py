"""The matrices of a model, from one file or from shards, of safetensors or of PyTorch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from embedinspect.errors import DataError, UsageError
from embedinspect.formats import magic
from embedinspect.formats.json_object import read_object
from embedinspect.formats.model_files import ModelFiles, inside, refuse_irregular
from embedinspect.formats.safetensors_file import Entry, matrices_of, read_entries
from embedinspect.formats.tensor_roles import role_of, with_roles
from embedinspect.formats.tensors import Tensor
from embedinspect.wording import clipped_repr

_MOST_SHARDS = 1_000
_WHOLE = "expected the model downloaded whole"
_TO_SAFETENSORS = (
    "to write safetensors: transformers.AutoModel.from_pretrained(FOLDER).save_pretrained(FOLDER)"
)

# The files of a model, each with the names of those of its tensors that count; None where all do.
_NamesOf = Mapping[Path, set[str] | None]


def tensors_of(files: ModelFiles, wanted: str | None) -> tuple[tuple[Tensor, ...], tuple[str, ...]]:
    """Return the matrices of a model, and what is odd about its files, each a sentence.

    Args:
        wanted: the name of the tensor that the user asks for; None for the input embedding.

    Raises:
        UsageError: the wanted tensor is there, but of a kind that is not read.
        DataError: a file is damaged, or a shard is missing that holds what is wanted.
    """
    if not files.sharded:
        return _read({files.weights: None}, files, wanted)
    shards = _shards(files.weights)
    names_of: dict[Path, set[str]] = {
        path: set() for path in dict.fromkeys(shards.values()) if path.exists()
    }
    for name, path in shards.items():
        if path in names_of:
            names_of[path].add(name)
    tensors, warnings = _read(names_of, files, wanted)
    _refuse_missing(files.weights, shards, {tensor.name for tensor in tensors}, wanted)
    return tensors, warnings


def _read(
    names_of: _NamesOf, files: ModelFiles, wanted: str | None
) -> tuple[tuple[Tensor, ...], tuple[str, ...]]:
    return _of_torch(names_of, wanted) if files.torch else (_of_safetensors(names_of), ())


def _shards(index: Path) -> dict[str, Path]:
    """Return the path of the shard that each tensor is in.

    Raises:
        DataError: the index is damaged, or names files elsewhere.
    """
    label = str(index)
    files = read_object(index, "the index of sharded weights").get("weight_map")
    if not isinstance(files, dict) or not files:
        raise DataError(f"{label!r} has no weight_map; expected the index of sharded weights")
    paths: dict[str, Path] = {}
    for file in files.values():
        if str(file) not in paths:
            paths[str(file)] = inside(index.parent, file, label)
        if len(paths) > _MOST_SHARDS:
            raise DataError(f"{label!r} names more than {_MOST_SHARDS:,} shards; expected fewer")
    return {name: paths[str(file)] for name, file in files.items()}


def _refuse_missing(
    index: Path, shards: Mapping[str, Path], found: Collection[str], wanted: str | None
) -> None:
    """Refuse a model that lacks what is wanted: a tensor, or by default an input embedding.

    Args:
        shards: the path of the shard that each tensor is in, by the index.
        found: the names of the matrices in the shards that are there.

    Raises:
        DataError: the shard that it is in is missing, or does not hold it.
    """
    inputs = [name for name in shards if role_of(name) == "input embedding"]
    # Where no name tells, the only matrix counts: of all shards, and not of those that are there.
    needed = [name for name in shards if name == wanted] if wanted else inputs or list(shards)
    for name in needed:
        path = shards[name]
        if name in found or (name not in inputs and path.exists() and name != wanted):
            continue
        where = "does not hold it as a matrix" if path.exists() else "is missing"
        raise DataError(
            f"{str(index)!r} says that {clipped_repr(name)} is in {str(path)!r}, which {where}; "
            f"{_WHOLE}"
        )


def _of_safetensors(files: _NamesOf) -> tuple[Tensor, ...]:
    """Return the matrices of safetensors."""
    entries: dict[str, Entry] = {}
    for path, names in files.items():
        refuse_irregular(path, "a safetensors file")
        for name, entry in read_entries(path).items():
            if names is None or name in names:
                entries[name] = entry
    return matrices_of(entries)


def _of_torch(files: _NamesOf, wanted: str | None) -> tuple[tuple[Tensor, ...], tuple[str, ...]]:
    """Return the matrices of PyTorch's own files; the pickles in them are not run.

    Raises:
        UsageError: the wanted tensor is of a kind that is not read.
        DataError: a file is damaged, or of the format before PyTorch 1.6.
    """
    from embedinspect.formats.torch_file import open_checkpoint

    tensors: list[Tensor] = []
    warnings: list[str] = []
    for path, names in files.items():
        refuse_irregular(path, "a checkpoint of PyTorch")
        with path.open("rb") as file:
            if file.read(len(magic.ZIP)) != magic.ZIP:
                raise DataError(
                    f"{str(path)!r} is no zip, so it is of the format before PyTorch 1.6, or "
                    f"damaged; {_TO_SAFETENSORS}"
                )
        checkpoint = open_checkpoint(path)
        if wanted in checkpoint.others:
            raise UsageError(f"--tensor is {clipped_repr(wanted)}: {checkpoint.others[wanted]}")
        tensors += [
            tensor for tensor in checkpoint.tensors if names is None or tensor.name in names
        ]
        warnings += checkpoint.warnings
    return with_roles(tensors), tuple(warnings)
