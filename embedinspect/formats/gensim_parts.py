"""The attributes of an object that gensim has saved: in the pickle, or in files beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedinspect.errors import DataError
from embedinspect.formats.arrays import as_float32, read_npy
from embedinspect.formats.pickled_arrays import array_of, is_array
from embedinspect.formats.pickled_values import Record
from embedinspect.stored_rows import FloatArray
from embedinspect.wording import clipped_repr

_SEPARATE, _LEFT_OUT = "__numpys", "__ignoreds"


@dataclass(frozen=True)
class Saved:
    """An object as gensim's `SaveLoad` saves it.

    Attributes:
        path: of the file.
        record: what the pickle says of the object.
        name: the attributes that lead to it, each after a point; "" for the object of the file.
    """

    path: Path
    record: Record
    name: str = ""

    @property
    def label(self) -> str:
        """How messages name it."""
        inside = f"{self.name.removeprefix('.')} in " if self.name else ""
        return f"{inside}{str(self.path)!r}"

    def part(self, *names: str) -> Saved | None:
        """Return the first of these attributes that is an object; None where none is."""
        for name in names:
            value = self.record.attributes.get(name)
            if type(value) is Record and not is_array(value):
                return Saved(self.path, value, f"{self.name}.{name}")
        return None

    def first(self, *names: str) -> Any:
        """Return the first of these attributes that the object has; None where it has none."""
        attributes = self.record.attributes
        return next((attributes[name] for name in names if name in attributes), None)

    def matrix(self, *names: str) -> tuple[str, FloatArray, str] | None:
        """Return the first of these attributes that is a matrix: its name, rows and stored type.

        Raises:
            DataError: it is no matrix of numbers, or its own file is missing or damaged.
        """
        for name in names:
            full = f"{self.name}.{name}".removeprefix(".")
            label = f"{full} in {str(self.path)!r}"
            value = self.record.attributes.get(name)
            if self._lists(_SEPARATE, name):
                rows, dtype = read_npy(self._beside(name))
                return full, rows, dtype
            if is_array(value) and not self._lists(_LEFT_OUT, name):
                array = array_of(value, label)
                if array.ndim != 2 or not array.size:
                    raise DataError(
                        f"{label} has shape {array.shape}; expected (rows, output_dim), neither "
                        "empty"
                    )
                return full, as_float32(array, label), array.dtype.name
        return None

    def _lists(self, attribute: str, name: str) -> bool:
        names = self.record.attributes.get(attribute)
        return isinstance(names, list | set | frozenset) and name in names

    def _beside(self, name: str) -> Path:
        """Return the file beside this one that holds an array.

        Raises:
            DataError: it is not there.
        """
        path = self.path.with_name(f"{self.path.name}{self.name}.{name}.npy")
        if path.is_file():
            return path
        raise DataError(
            f"{self.label} has its {name} in a file of its own, {clipped_repr(path.name, 100)}, "
            "which is not there; expected it beside it, as gensim saves it"
        )
