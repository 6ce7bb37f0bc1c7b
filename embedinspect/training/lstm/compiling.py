"""How numba compiles the LSTM: once, to be kept between runs (`compiled_code.py` says where).

Where that folder cannot be written, the code is compiled anew in each process.
"""

from __future__ import annotations

import shutil
from functools import partial
from typing import Any

import numba

from embedinspect.training.lstm import compiled_code


def is_kept() -> bool:
    """Return whether there is compiled code from an earlier run."""
    return any(_FOLDER.rglob("*.nbc"))


def forget() -> None:
    """Remove the compiled code, to compile it again."""
    shutil.rmtree(_FOLDER, ignore_errors=True)
    compiled_code.prepared(_FOLDER)


_FOLDER = compiled_code.folder()
_IS_USABLE = compiled_code.prepared(_FOLDER)


def compiled(function: Any) -> Any:
    """Return a function as numba compiles it: free of Python's lock, and kept between runs.

    A division by zero gives what NumPy gives, since a check for it keeps loops from becoming vector
    code.
    """
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(_FOLDER)
    try:
        return numba.njit(nogil=True, error_model="numpy", cache=_IS_USABLE)(function)
    finally:
        numba.config.CACHE_DIR = before


inlined = partial(numba.njit, inline="always", error_model="numpy")
