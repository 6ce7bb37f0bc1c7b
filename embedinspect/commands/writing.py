"""Writing the matrix of `coverage --write`, and reading it back."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from embedinspect.analysis.coverage import Coverage
from embedinspect.analysis.coverage_matrix import Fill, check, matrix_for
from embedinspect.errors import UsageError
from embedinspect.files import write_whole
from embedinspect.formats.arrays import read_npy
from embedinspect.output.coverage import Written


def write_matrix(found: Coverage, path: str, fill: Fill, *, force: bool) -> Written:
    """Write the matrix and the ids beside it, and check each row as it stands in the file.

    Raises:
        UsageError: no `.npy` path, or something stands there.
        DataError: it cannot be written, or a row is not the vector of its word.
    """
    place = Path(path)
    if place.suffix != ".npy":
        raise UsageError(f"--write is {path!r}; expected a path that ends in .npy")
    beside = place.with_name(f"{place.stem}.vocabulary.json")
    for existing in (place, beside):
        if existing.exists() and not force:
            raise UsageError(f"{str(existing)!r} exists already; give another path, or --force")
    matrix = matrix_for(found, fill)
    check(found, matrix)
    stream = io.BytesIO()
    np.save(stream, matrix, allow_pickle=False)
    write_whole(beside, found.vocabulary.to_json().encode("utf-8"))
    write_whole(place, stream.getvalue())
    checked = check(found, read_npy(place)[0])
    rows, columns = matrix.shape
    return Written(path, str(beside), (rows, columns), checked, fill)
