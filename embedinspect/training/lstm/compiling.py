"""How numba compiles the LSTM, and where the compiled code is kept between runs.

It is kept in the cache folder of the tool, under a digest of these sources and of numba's version,
since numba itself looks at the file of a function alone and not at what the function calls. Numba
keeps the code of each place and time of such a file apart, so these are in the digest, too: what
another installation has compiled is not there for this one. Where that folder cannot be written,
the code is compiled anew in each process.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import numba

from embedinspect.formats import cache


def folder() -> Path:
    """Return the folder of the compiled code."""
    digest = hashlib.sha256(f"{numba.__version__} {cpu()}".encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(f"{source} {source.stat().st_mtime_ns}".encode())
        digest.update(source.read_bytes())
    return cache.folder() / f"{cache.COMPILED}{digest.hexdigest()[:24]}"


def cpu() -> str:
    """Return the processor that code is compiled for."""
    from llvmlite import binding

    return str(binding.get_host_cpu_name())


def _usable(path: Path) -> bool:
    try:
        path.mkdir(parents=True, exist_ok=True)
        return os.access(path, os.W_OK | os.X_OK)
    except OSError:
        return False


def is_kept() -> bool:
    """Return whether there is compiled code from an earlier run."""
    return any(_FOLDER.rglob("*.nbc"))


def forget() -> None:
    """Remove the compiled code."""
    shutil.rmtree(_FOLDER, ignore_errors=True)


_FOLDER = folder()
_IS_USABLE = _usable(_FOLDER)


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
