"""Where the files of a model lie: its weights, its configuration, its tokenizer."""

from __future__ import annotations

import json
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from embedinspect.errors import DataError, UsageError, os_reason
from embedinspect.formats.beginning import Start
from embedinspect.texts import read_bytes
from embedinspect.wording import clipped_repr, listed

SAFETENSORS, TORCH = "model.safetensors", "pytorch_model.bin"
INDEX = ".index.json"
_SUFFIX = ".safetensors"
_CONFIG, _MODULES = "config.json", "modules.json"
# Files of a model that are opened by themselves, by their endings.
_BY_THEMSELVES = (_SUFFIX, ".gguf", ".weights.h5", ".weights.json", "tf_model.h5", ".onnx")
_SNAPSHOTS, _OF_MODEL = "snapshots", "models--"
_MOST_BELOW = 100
_PLAIN = re.compile(r"[^\x00-\x1f\\:]+")


@dataclass(frozen=True)
class ModelFiles:
    """The files of a model.

    Attributes:
        weights: a file of tensors, or the index of several.
        folder: where its configuration and its tokenizer lie.
        root: the folder of a sentence-transformers model around it, or the same one.
    """

    weights: Path
    folder: Path
    root: Path

    @property
    def sharded(self) -> bool:
        """Whether the weights are an index."""
        return self.weights.name.endswith(INDEX)

    @property
    def torch(self) -> bool:
        """Whether the weights are PyTorch's own files."""
        return not self.weights.name.removesuffix(INDEX).endswith(_SUFFIX)


def is_model(start: Start) -> bool:
    """Return whether a folder is that of a model, or a file the index of sharded weights."""
    if not start.is_folder:
        return start.data[:1] == b"{" and b'"weight_map"' in start.data and not start.packed
    names = start.names
    if names & {"saved_model.pb", "checkpoint"}:  # TensorFlow's own; a model's weights lie there
        names -= {_CONFIG}
    return bool(
        names & {_CONFIG, _MODULES, SAFETENSORS, TORCH, _SNAPSHOTS}
        or any(name.endswith((INDEX, *_BY_THEMSELVES)) for name in names)
        or any(name.startswith(_OF_MODEL) for name in names)
    )


def model_files(path: Path) -> ModelFiles:
    """Return the files of a model.

    Args:
        path: of its folder, of the hub's cache of it, or of the index of its weights.

    Raises:
        UsageError: there are several models, or several files of weights.
        DataError: there are no weights that are read.
    """
    if not path.is_dir():
        return ModelFiles(path, path.parent, path.parent)
    root = _snapshot(path)
    folder = _first_module(root)
    weights = _weights(folder)
    if weights is None:
        raise _without_weights(folder, path)
    return ModelFiles(weights, folder, root)


def _names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def _snapshot(path: Path) -> Path:
    """Return the folder of a model in the hub's cache: that of `refs/main`, or the only one."""
    names = _names(path)
    models = [name for name in names if name.startswith(_OF_MODEL)]
    if models and _CONFIG not in names:
        raise UsageError(
            f"{str(path)!r} is a cache of the hub; expected the path of one of its models: "
            f"{listed(map(clipped_repr, models))}"
        )
    if _SNAPSHOTS not in names or _CONFIG in names:
        return path
    snapshots = _names(path / _SNAPSHOTS)
    main = path / "refs" / "main"
    wanted = ""
    if main.exists():
        data = read_bytes(str(main), "the name of a snapshot", 1_000)
        wanted = data.decode("utf-8", "replace").strip()
    if wanted in snapshots:
        return path / _SNAPSHOTS / wanted
    if len(snapshots) == 1:
        return path / _SNAPSHOTS / snapshots[0]
    raise UsageError(
        f"{str(path)!r} holds {len(snapshots)} snapshots of a model, and refs/main names none of "
        f"them; expected the path of one: {listed(map(clipped_repr, snapshots)) or 'none'}"
    )


def _first_module(root: Path) -> Path:
    """Return the folder of the first module of a sentence-transformers model, else the same.

    Its tokenizer and its embedding lie there; `modules.json` names it.

    Raises:
        DataError: it names one outside of the folder.
    """
    if not (root / _MODULES).exists():
        return root
    path = root / _MODULES
    try:
        modules = json.loads(read_bytes(str(path), "a list of modules", 2**20))
        first = modules[0]["path"]
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        raise DataError(
            f"{str(path)!r} names no first module; expected a list of objects with their path, as "
            "sentence-transformers writes it"
        ) from None
    return inside(root, first, str(path)) if first else root


def inside(folder: Path, name: object, label: str) -> Path:
    """Return the path of a file or folder that another file names.

    Args:
        label: how messages name that other file.

    Raises:
        DataError: it would lie outside of the folder.
    """
    plain = isinstance(name, str) and _PLAIN.fullmatch(name) is not None and len(name) < 1_000
    if not plain or PurePosixPath(str(name)).is_absolute() or ".." in str(name).split("/"):
        raise DataError(
            f"{label!r} names {clipped_repr(str(name))}; expected the name of a file or folder "
            f"within {str(folder)!r}"
        )
    return folder / str(name)


def _weights(folder: Path) -> Path | None:
    """Return the file of weights in a folder, or the index of several; None where there is none.

    What transformers takes first counts first.

    Raises:
        UsageError: there are several, and none has the usual name.
    """
    names = _names(folder) if folder.is_dir() else []
    for name in (SAFETENSORS, SAFETENSORS + INDEX):
        if name in names:
            return folder / name
    for ending in (_SUFFIX + INDEX, _SUFFIX):
        several = [name for name in names if name.endswith(ending)]
        if len(several) == 1:
            return folder / several[0]
        if several:
            raise UsageError(
                f"{str(folder)!r} holds {len(several)} files of tensors, and none is called "
                f"{SAFETENSORS}; expected the path of one of them: "
                f"{listed(map(clipped_repr, several))}"
            )
    for name in (TORCH, TORCH + INDEX):
        if name in names:
            return folder / name
    return None


def _without_weights(folder: Path, path: Path) -> DataError:
    """Return the error for a folder without weights; it names what can be opened instead."""
    names = _names(folder) if folder.is_dir() else []
    files = [name for name in names if name.endswith(_BY_THEMSELVES)]
    below = [
        f"{name}/{file}"
        for name in names[:_MOST_BELOW]
        if (folder / name).is_dir()
        for file in _names(folder / name)[:_MOST_BELOW]
        if file.endswith((*_BY_THEMSELVES, _SUFFIX + INDEX))
    ]
    others = [str(folder / name) for name in files or below]
    return DataError(
        f"{str(path)!r} has no {SAFETENSORS} and no {TORCH}"
        + (
            f"; to open what it holds, name the file: {listed(map(repr, others), 4)}"
            if others
            else "; expected the folder of a model with its weights, downloaded whole"
        )
    )


def refuse_irregular(path: Path, expected: str) -> None:
    """Refuse a file that is not there, or is a pipe or a device, which might never end.

    Raises:
        DataError: it is no regular file.
    """
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
    except OSError as error:
        raise DataError(
            f"cannot read {str(path)!r}: {os_reason(error)}; expected {expected}"
        ) from None
    if not regular:
        raise DataError(f"{str(path)!r} is no regular file; expected {expected}")
