"""Where the index of a TensorFlow checkpoint is, whichever of its files or folders is named."""

from __future__ import annotations

import glob
import re
from pathlib import Path

from embedinspect.errors import DataError, UsageError
from embedinspect.formats.beginning import Start
from embedinspect.formats.checkpoint_table import ends_like_a_table
from embedinspect.wording import clipped_repr, listed

_STATE, _MODEL = "checkpoint", "saved_model.pb"
_VARIABLES = "variables/variables.index"
_DATA = re.compile(r"(.*)\.data-\d{5}-of-\d{5}", re.DOTALL)
_LATEST = re.compile(rb'\s*model_checkpoint_path\s*:\s*"((?:[^"\\\n]|\\.)*)"')
_LONGEST_STATE = 2**16
_TAIL = 8


def recognises(start: Start) -> bool:
    """Return whether a file is the index of a checkpoint, or names one, or a folder holds one."""
    if start.is_folder:
        from embedinspect.formats.projector import names_files_of_rows

        if names_files_of_rows(start):  # of a projector, beside the checkpoints of a training
            return False
        return bool({_STATE, _MODEL} & start.names) or bool(_indices(start.path, start.names))
    if _LATEST.match(start.data) is not None:
        return True
    if not start.data.startswith(b"\0\0") or start.packed:
        return False
    with start.path.open("rb") as file:
        file.seek(-min(_TAIL, start.size), 2)
        return ends_like_a_table(file.read())


def named_index(path: str) -> str:
    """Return the path of the index, where a path is a checkpoint's prefix or file of data.

    A prefix, such as `ckpt-1`, is the path of no file. Every other path is returned as it is.

    Raises:
        DataError: it is the name that was given to save, to which TensorFlow adds a number.
    """
    data = _DATA.fullmatch(path)
    try:
        if data is not None:
            index = Path(f"{data[1]}.index")
            return str(index) if index.is_file() else path
        if Path(path).name == _MODEL:
            return str(Path(path).parent)
        if path and not Path(path).exists() and Path(f"{path}.index").is_file():
            return f"{path}.index"
        numbered = _numbered(Path(path))
    except (OSError, ValueError):  # no such path can be
        return path
    if numbered:
        raise DataError(
            f"{path!r} is no file: TensorFlow numbers what it saves; expected "
            f"{listed(map(repr, numbered), 3)}"
        )
    return path


def _numbered(path: Path) -> list[str]:
    """Return the prefixes that TensorFlow has made of a name, where there is no such file."""
    if not path.name or path.exists():
        return []
    indices = path.parent.glob(f"{glob.escape(path.name)}-*.index")
    return sorted(str(index).removesuffix(".index") for index in indices)


def index_at(path: Path) -> Path:
    """Return the index of a checkpoint that a file is or names, or a folder holds.

    Raises:
        UsageError: a folder holds several, and none is named as the latest.
        DataError: there is none where it should be.
    """
    if not path.is_dir():
        state = _LATEST.match(path.read_bytes()[:_LONGEST_STATE]) if _is_state(path) else None
        return path if state is None else _latest(path.parent, state[1], repr(str(path)))
    label = repr(str(path))
    if (path / _MODEL).is_file():
        if not (path / _VARIABLES).is_file():
            raise DataError(
                f"{label} is a SavedModel without {_VARIABLES}; expected one with variables"
            )
        return path / _VARIABLES
    if (path / _STATE).is_file():
        with (path / _STATE).open("rb") as file:
            state = _LATEST.match(file.read(_LONGEST_STATE))
        if state is not None:
            return _latest(path, state[1], repr(str(path / _STATE)))
    indices = _indices(path, frozenset(child.name for child in path.iterdir()))
    if len(indices) == 1:
        return path / indices[0]
    if not indices:
        raise DataError(f"{label} holds no TensorFlow checkpoint; expected .index and .data files")
    raise UsageError(
        f"{label} has {len(indices)} checkpoints ({listed(map(clipped_repr, indices))}); expected "
        "the .index of one"
    )


def is_saved_model(index: Path) -> bool:
    """Return whether an index is that of a SavedModel's variables."""
    folder = index.parent
    return folder.name == "variables" and (folder.parent / _MODEL).is_file()


def _is_state(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(1) != b"\0"


def _latest(folder: Path, written: bytes, label: str) -> Path:
    """Return the index of the checkpoint that is named as the latest, within its folder."""
    name = written.decode("utf-8", "backslashreplace")
    if name.startswith("/") or "\\" in name:  # where it was written; the folder may have moved
        name = re.split(r"[/\\]", name)[-1]
    within = ".." not in name.split("/") and "\0" not in name
    # Version 1 had one file of that very name; what is wrong with it is said where it is read.
    for index in (folder / f"{name}.index", folder / name) if within else ():
        if index.is_file():
            return index
    raise DataError(
        f"{label} names {clipped_repr(name)} as the latest checkpoint, which is not in its folder; "
        "expected its .index and .data files there; name another .index, if there is one"
    )


def _indices(folder: Path, names: frozenset[str]) -> list[str]:
    """Return the names of the indices in a folder that have a file of data beside them."""
    prefixes = {data[1] for data in map(_DATA.fullmatch, names) if data is not None}
    return sorted(f"{prefix}.index" for prefix in prefixes if f"{prefix}.index" in names)
