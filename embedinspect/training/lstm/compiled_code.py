"""Where compiled code of the LSTM is kept between runs, and which of it is of use.

It is kept in the cache folder of the tool, under a digest of the sources in this room and of
numba's version, since numba itself looks at the file of a function alone and not at what the
function calls. Numba keeps the code of each place and time of such a file apart, so these are in
the digest, too: what another installation has compiled is not there for this one. Beside the code
lies the path of the sources, so that it can be told what no installation takes any more.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from embedinspect.errors import DataError
from embedinspect.files import write_whole
from embedinspect.formats import cache
from embedinspect.training.lstm.choice import LIBRARY

_SOURCES = Path(__file__).parent
_PREFIX = "compiled-"
_SOURCES_FILE = "sources.txt"
_CODE = (".nbi", ".nbc")  # numba's index of a function, and its code
_LONGEST_PATH = 2**14

State = Literal["current", "changed", "gone", "elsewhere"]


@dataclass(frozen=True)
class CompiledCode:
    """A folder of compiled code.

    Attributes:
        folder: its path.
        size: of its files, in bytes.
        sources: the folder that it was compiled from; None where a former version made it, which
            did not say so.
        state: `current`; `changed`, where the sources or numba are others by now; `gone`, where the
            sources are not there any more; or `elsewhere`, that of another installation, which
            alone can tell whether it takes it.
    """

    folder: Path
    size: int
    sources: str | None
    state: State

    @property
    def stale(self) -> bool:
        """Whether it is of no use any more."""
        return self.state in {"changed", "gone"}


def folder() -> Path:
    """Return the folder of the code that is compiled from these sources.

    Raises:
        PackageNotFoundError: numba is not installed.
    """
    digest = hashlib.sha256(f"{metadata.version(LIBRARY)} {cpu()}".encode())
    for source in sorted(_SOURCES.glob("*.py")):
        digest.update(f"{source} {source.stat().st_mtime_ns}".encode())
        digest.update(source.read_bytes())
    return cache.folder() / f"{_PREFIX}{digest.hexdigest()[:24]}"


def cpu() -> str:
    """Return the processor that code is compiled for."""
    from llvmlite import binding

    return str(binding.get_host_cpu_name())


def prepared(place: Path) -> bool:
    """Make a folder for code that is compiled from these sources; return whether it can be used."""
    try:
        place.mkdir(parents=True, exist_ok=True)
        if not (place / _SOURCES_FILE).exists():
            write_whole(place / _SOURCES_FILE, os.fsencode(_SOURCES))
        return os.access(place, os.W_OK | os.X_OK)
    except (OSError, DataError):
        return False


def entries() -> list[CompiledCode]:
    """Return the folders of compiled code in the cache."""
    places = [place for place in cache.places() if place.name.startswith(_PREFIX)]
    return [_entry(place) for place in places if _holds_only_code(place)]


def clear(*, stale_only: bool = False) -> list[CompiledCode]:
    """Remove compiled code, and return what was removed. It is compiled again when it is needed.

    Args:
        stale_only: whether code is left that is, or may be, still of use.
    """
    removed = [entry for entry in entries() if entry.stale or not stale_only]
    for entry in removed:
        shutil.rmtree(entry.folder, ignore_errors=True)
    return removed


def _entry(place: Path) -> CompiledCode:
    size = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
    sources = _sources_of(place)
    return CompiledCode(place, size, sources, _state(place, sources))


def _sources_of(place: Path) -> str | None:
    path = place / _SOURCES_FILE
    with suppress(OSError):
        if path.is_file() and path.stat().st_size <= _LONGEST_PATH:
            return os.fsdecode(path.read_bytes())
    return None


def _state(place: Path, sources: str | None) -> State:
    if sources is None or sources == str(_SOURCES):
        with suppress(ImportError):  # or there is no numba
            return "current" if place == folder() else "changed"
        return "changed"
    try:
        return "elsewhere" if os.path.isabs(sources) and os.path.isdir(sources) else "gone"
    except ValueError:  # no path at all
        return "gone"


def _holds_only_code(place: Path) -> bool:
    """Return whether a folder holds nothing but compiled code, in folders of its own."""
    return all(
        path.is_dir()
        or path.name.endswith(_CODE)
        or ".nbc.tmp." in path.name
        or path == place / _SOURCES_FILE
        for path in place.rglob("*")
    )
