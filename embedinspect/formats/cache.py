"""What was read of large texts, kept so that it opens at once the next time.

An entry is a folder of plain arrays, which are mapped into memory and not read. It is named by
the file's path and belongs to its size and time: a file that has changed is read anew.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from embedinspect.files import put, workshop
from embedinspect.formats.contents import Contents, Problems
from embedinspect.row_words import PackedWords

FORMAT, VERSION = "embedinspect cache", 1
WORTH = 4 * 2**20  # smaller files are read in a moment
_ABOUT, _ROWS, _NORMS, _WORDS, _ENDS = "about.json", "rows.npy", "norms.npy", "words", "ends.npy"
_UNFINISHED = ".new-"  # how the folders begin in which entries are written
_DAMAGES = (OSError, ValueError, KeyError, TypeError, EOFError)


@dataclass(frozen=True)
class Entry:
    """One file that is kept.

    Attributes:
        source: path of the file that was read.
        kind: of that file.
        shape: of the matrix.
        size: of the entry on the disk, in bytes.
        stale: whether the file has changed or gone since.
        folder: where the entry lies.
    """

    source: str
    kind: str
    shape: tuple[int, int]
    size: int
    stale: bool
    folder: Path


def folder() -> Path:
    """Return where entries are kept: `EMBEDINSPECT_CACHE`, else the platform's cache folder."""
    asked = os.environ.get("EMBEDINSPECT_CACHE")
    if asked:
        return Path(asked)
    import platformdirs

    return Path(platformdirs.user_cache_dir("embedinspect", appauthor=False))


def _place(path: Path) -> Path:
    name = os.fsencode(path.absolute())
    return folder() / hashlib.sha256(name).hexdigest()[:24]


def _stamp(path: Path) -> dict[str, int]:
    now = path.stat()
    return {"size": now.st_size, "time": now.st_mtime_ns}


def recall(path: Path, *, strict: bool = False) -> Contents | None:
    """Return what was kept of a file as it is now; None where there is nothing of use."""
    place = _place(path)
    try:
        about = _about(place)
        if about["stamp"] != _stamp(path) or about["source"] != str(path.absolute()):
            return None
        rows = np.asarray(np.load(place / _ROWS, mmap_mode="r", allow_pickle=False))
        norms = np.asarray(np.load(place / _NORMS, mmap_mode="r", allow_pickle=False))
        ends = np.asarray(np.load(place / _ENDS, mmap_mode="r", allow_pickle=False))
        with (place / _WORDS).open("rb") as file:
            block = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        whole = rows.ndim == 2 and norms.shape == ends.shape == rows.shape[:1]
        typed = rows.dtype == norms.dtype == np.float32 and ends.dtype == np.int64
        if not whole or not typed or int(ends[-1]) != len(block):
            return None
        problems = Problems(
            repr(str(path)), False, list(about["problems"]), Counter(about["problem_counts"])
        )
        if strict and problems.total:
            return None
        return Contents(
            about["kind"], rows, PackedWords(block, ends), about["dtype"], problems, norms=norms
        )
    except _DAMAGES:
        return None


def keep(path: Path, found: Contents) -> Path | None:
    """Keep what was read of a file, whole or not at all; None where it could not be kept.

    That is no error: the file is only read anew the next time.
    """
    if not isinstance(found.words, PackedWords) or found.norms is None:
        return None
    place = _place(path)
    about = {
        "format": FORMAT,
        "version": VERSION,
        "source": str(path.absolute()),
        "stamp": _stamp(path),
        "kind": found.kind,
        "dtype": found.dtype,
        "shape": list(found.rows.shape),
        "problems": found.problems.first,
        "problem_counts": dict(found.problems.counts),
    }
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(place.parent).free < 2 * found.rows.nbytes:
            return None
        with workshop(place.parent, _UNFINISHED) as temporary:
            entry = temporary / "entry"
            entry.mkdir(mode=0o700)  # for the user alone
            np.save(entry / _ROWS, found.rows, allow_pickle=False)
            np.save(entry / _NORMS, found.norms, allow_pickle=False)
            np.save(entry / _ENDS, found.words.ends, allow_pickle=False)
            (entry / _WORDS).write_bytes(found.words.block[0 : len(found.words.block)])
            (entry / _ABOUT).write_text(json.dumps(about))
            put([(entry, place)])
        return place
    except _DAMAGES:
        return None


def entries() -> list[Entry]:
    """Return what is kept, the largest first; damaged entries included."""
    found = []
    for place in _folders():
        size = sum(file.stat().st_size for file in place.iterdir() if file.is_file())
        try:
            about = _about(place)
            source, kind = str(about["source"]), str(about["kind"])
            rows, columns = map(int, about["shape"])
        except _DAMAGES:
            found.append(Entry("?", "damaged", (0, 0), size, True, place))
            continue
        try:
            stale = _stamp(Path(source)) != about["stamp"]
        except OSError:
            stale = True
        found.append(Entry(source, kind, (rows, columns), size, stale, place))
    return sorted(found, key=lambda entry: -entry.size)


def clear() -> int:
    """Remove all entries, and what was left of unfinished ones; return the bytes set free."""
    freed = sum(entry.size for entry in entries())
    for place in _folders(unfinished=True):
        shutil.rmtree(place, ignore_errors=True)
    return freed


def _folders(*, unfinished: bool = False) -> list[Path]:
    """Return the folders of entries: those of our making alone, by their names."""
    try:
        places = sorted(folder().iterdir())
    except OSError:
        return []
    found = []
    for place in places:
        ours = len(place.name) == 24 and not set(place.name) - set("0123456789abcdef")
        ours |= unfinished and place.name.startswith(_UNFINISHED)
        if ours and place.is_dir() and not place.is_symlink():
            found.append(place)
    return found


def _about(place: Path) -> dict[str, Any]:
    about = json.loads((place / _ABOUT).read_bytes())
    if about["format"] != FORMAT or about["version"] != VERSION:
        raise ValueError("another version")
    return dict(about)
