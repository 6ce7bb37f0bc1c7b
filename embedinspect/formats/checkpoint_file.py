"""TensorFlow checkpoints and the variables of a SavedModel, read without TensorFlow.

A checkpoint is an index (`ckpt-1.index`) and files of data (`ckpt-1.data-00000-of-00001`). No graph
is looked at, and none is run. Variables are mapped, which `tf.train.load_checkpoint` cannot, and
which starts in a tenth of a second rather than in the seconds that importing TensorFlow takes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from embedinspect.errors import DataError
from embedinspect.formats import checkpoint_parts, projector
from embedinspect.formats.arrays import as_float32
from embedinspect.formats.checkpoint_bundle import DTYPES, Bundle, Entry, open_bundle
from embedinspect.formats.checkpoint_paths import index_at, is_saved_model
from embedinspect.formats.contents import Contents, ReadOptions
from embedinspect.formats.tensor_roles import role_of
from embedinspect.formats.tensors import Role, Tensor, pick
from embedinspect.matrix import MOST_VALUES
from embedinspect.stored_rows import StoredRows, Vectors, from_bfloat16
from embedinspect.wording import clipped_repr

_VOCABULARY = "vocab.txt"
_LARGEST_VOCABULARY = 2**26
_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
# Keras 3 keeps the model's own variables below its optimizer, too: as `_trainable_variables`.
_OF_OPTIMIZER = re.compile(r".*\.OPTIMIZER_SLOT|(.*/)?_?optimizer/(?!_trainable_variables/).*")
_INPUT = re.compile(r"(.*\D)?embeddings?(_table|_matrix)?", re.DOTALL)
_OTHER = re.compile(r"(position|pos|type|segment)_embeddings?[^/]*$")


@dataclass(frozen=True)
class _Variable:
    """A variable of two dimensions.

    Attributes:
        key: in the index.
        own_name: that it was made with; "" where the checkpoint does not have it.
        tensor: by what it is called here.
        offered: whether it could be meant where none is named: an optimizer's cannot, nor can one
            that is there a second time.
    """

    key: str
    own_name: str
    tensor: Tensor
    offered: bool


def read(path: Path, options: ReadOptions) -> Contents:
    """Return one variable of two dimensions, and which others there are.

    Raises:
        UsageError: several variables could be meant, or none has that name.
        DataError: the checkpoint is damaged or not whole, or holds no such variable.
    """
    index = index_at(path)
    label = repr(str(path))
    variables = _variables(open_bundle(index), label)
    offered = [variable.tensor for variable in variables if variable.offered]
    tensor = None if options.tensor is None else _meant(options.tensor, variables)
    if tensor is None:
        tensor = pick(offered, options.tensor, label)
    key = next(variable.key for variable in variables if variable.tensor is tensor)
    kind = "TensorFlow SavedModel" if is_saved_model(index) else "TensorFlow checkpoint"
    return Contents(
        kind,
        tensor.read(),
        dtype=tensor.dtype,
        tensor=tensor.name,
        tensors=tuple(offered),
        words_beside=_labels(index.parent, key) or _vocabulary(index.parent, tensor),
    )


def _labels(folder: Path, key: str) -> Path | None:
    """Return the file of labels that the config of TensorBoard's projector names for a variable."""
    config = folder / projector.CONFIG
    try:
        return projector.labels_of_variable(config, key) if config.is_file() else None
    except DataError:
        return None


def _vocabulary(folder: Path, tensor: Tensor) -> Path | None:
    """Return the list of words beside a checkpoint, as BERT's has one, where it is as long."""
    path = folder / _VOCABULARY
    if tensor.role != "input embedding" or not path.is_file():
        return None
    if not 0 < path.stat().st_size <= _LARGEST_VOCABULARY:
        return None
    data = path.read_bytes()
    lines = data.count(b"\n") + (not data.endswith(b"\n"))
    return path if lines == tensor.shape[0] else None


def _variables(bundle: Bundle, label: str) -> list[_Variable]:
    """Return the variables of two dimensions, in the order of their keys."""
    entries = {
        key: entry
        for key, entry in bundle.entries.items()
        if entry.dtype in DTYPES and len(entry.shape) == 2 and min(entry.shape) >= 1
    }
    copies = _copies(entries, bundle)
    variables = []
    for key, name in _names(entries, copies, bundle).items():
        own_name, entry = bundle.own_names.get(key, ""), entries[key]
        tensor = Tensor(
            name,
            (entry.shape[0], entry.shape[1]),
            DTYPES[entry.dtype],
            partial(_rows, bundle, key, f"{clipped_repr(name, 100)} in {label}"),
            _role(name, own_name),
        )
        offered = key not in copies and not _is_slot(key, entries)
        variables.append(_Variable(key, own_name, tensor, offered))
    return variables


def _copies(entries: dict[str, Entry], bundle: Bundle) -> set[str]:
    """Return the keys of variables that the checkpoint has a second time, as an export has."""
    seen, copies = set(), set()
    for key, entry in entries.items():
        own_name = bundle.own_names.get(key)
        identity = (own_name, entry.shape, entry.size, entry.checksum)
        if own_name and entry.checksum and identity in seen:
            copies.add(key)
        seen.add(identity)
    return copies


def _names(entries: dict[str, Entry], copies: set[str], bundle: Bundle) -> dict[str, str]:
    """Return what each variable is called, by its key.

    That is the key without what every key of TensorFlow 2 ends in. A key that ends in a number only
    says at which place of a list the variable is; there its own name says more, if no other has it.
    """
    counts = Counter(bundle.own_names.get(key) for key in entries if key not in copies)
    names = {}
    for key in entries:
        own_name, short = bundle.own_names.get(key), key.removesuffix(_SUFFIX)
        of_a_list = re.search(r"/\d+$", short) is not None and key not in copies
        names[key] = own_name if own_name and of_a_list and counts[own_name] == 1 else short
    return names


def _role(name: str, own_name: str) -> Role | None:
    """Return what a variable is for, by the last part of its name."""
    for path in (name, own_name):
        role = role_of(path.replace("/", "."))
        if role is not None:
            return role
        if _INPUT.fullmatch(path) is not None and _OTHER.search(path) is None:
            return "input embedding"
    return None


def _is_slot(key: str, entries: dict[str, Entry]) -> bool:
    """Return whether an optimizer keeps a variable, such as a momentum, beside a weight.

    TensorFlow 1 names it after the weight: `table/Adam` after `table`, of the same shape.
    """
    weight = entries.get(key.rpartition("/")[0])
    beside = weight is not None and weight.shape == entries[key].shape
    return beside or _OF_OPTIMIZER.fullmatch(key) is not None


def _meant(wanted: str, variables: Sequence[_Variable]) -> Tensor | None:
    """Return the only variable of that name, or with that part in its name; None for none."""
    for fits in (
        lambda name: name == wanted,
        lambda name: f"/{wanted}/" in f"/{name}/",
        lambda name: wanted in name,
    ):
        fitting = [
            variable
            for variable in variables
            if any(map(fits, (variable.key, variable.tensor.name, variable.own_name)))
        ]
        among = [variable for variable in fitting if variable.offered]
        for only in (among, fitting):
            if len(only) == 1:
                return only[0].tensor
        if fitting:
            return None
    return None


def _rows(bundle: Bundle, key: str, label: str) -> Vectors:
    """Return the rows of a variable: mapped, and float32 or decoded when they are indexed."""
    entry = bundle.entries[key]
    name, shape = DTYPES[entry.dtype], (entry.shape[0], entry.shape[1])
    if shape[0] * shape[1] > MOST_VALUES:
        raise DataError(f"{label} has shape {shape}; expected at most {MOST_VALUES:,} numbers")
    if name == "bfloat16":
        stored = checkpoint_parts.stored(bundle, key, np.dtype("<u2"), label)
        return StoredRows(stored, shape, from_bfloat16)
    if name.startswith("float8"):
        import ml_dtypes

        dtype = np.dtype(getattr(ml_dtypes, name))
    else:
        dtype = np.dtype(name).newbyteorder("<")
    stored = checkpoint_parts.stored(bundle, key, dtype, label)
    if name == "float16" or name.startswith("float8"):
        return StoredRows(stored, shape)
    return as_float32(stored, label)
