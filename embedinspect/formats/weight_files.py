"""The HDF5 files that the weights of one model lie in: one, or several shards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import h5py
import numpy as np

from embedinspect.errors import DataError
from embedinspect.formats import hdf5
from embedinspect.formats.hdf5 import Weight
from embedinspect.stored_rows import FloatArray
from embedinspect.wording import clipped_repr


@dataclass(frozen=True)
class WeightFiles:
    """Open HDF5 files.

    Attributes:
        files: all of them.
        label: how errors name them.
    """

    files: Sequence[h5py.File]
    label: str

    def weights(self) -> list[Weight]:
        """Return every data set of numbers in two dimensions, in the order of their paths.

        Raises:
            DataError: a file has a link, or two have a weight of the same path.
        """
        weights = [weight for file in self.files for weight in hdf5.weights(file, self.label)]
        if len(self.files) == 1:
            return weights
        path, count = Counter(weight.path for weight in weights).most_common(1)[0]
        if count > 1:
            raise DataError(
                f"{self.label} has {clipped_repr(path)} in {count} files; expected it in one"
            )
        named = [
            replace(weight, group=self._name_of(weight), names=self.names_along(weight.path))
            for weight in weights
        ]
        return sorted(named, key=lambda weight: weight.path)

    def _name_of(self, weight: Weight) -> str:
        """Return the name of the layer of a weight, in whichever file it is noted."""
        group = weight.path.rpartition("/")[0]
        return next(filter(None, (hdf5.name_of(file, group) for file in self.files)), "")

    def names_along(self, path: str) -> tuple[str, ...]:
        """Return the names of the layers at a path and around it, the outermost first."""
        return hdf5.names_along(self.files, path)

    def attribute(self, name: str) -> str | None:
        """Return an attribute of the first file as text; None where it is missing or no text."""
        return hdf5.attribute(self.files[0], name)

    def read(self, path: str, dimensions: int = 2) -> FloatArray:
        """Return a data set as float32; raises what `hdf5.read` raises."""
        return hdf5.read(self._file_of(path), path, self.label, dimensions)

    def stored(self, path: str) -> np.ndarray[Any, Any]:
        """Return a data set of two dimensions as it is stored; raises what `hdf5.read` raises."""
        return hdf5.stored(self._file_of(path), path, self.label)[0]

    def _file_of(self, path: str) -> h5py.File:
        for file in self.files:
            if hdf5.holds(file, path):
                return file
        raise DataError(f"{self.label} lacks {clipped_repr(path)}; expected all of its weights")
