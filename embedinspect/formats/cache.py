"""The cache: the contents of large files of vectors, kept so that they open at once next time.

An entry is a folder of plain arrays, which are mapped into memory and not read. Its name comes
from the path of the file, and it counts as long as the file keeps its size and time: a file that
has changed is read again.
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
WORTH = 4 * 2**20  # bytes; a smaller file is read in a moment
_ABOUT, _ROWS, _NORMS, _WORDS, _ENDS = "about.json", "rows.npy", "norms.npy", "words", "ends.npy"
_UNFINISHED = ".new-"  # prefix of the folders in which entries are written
# What damaged entries raise.
_DAMAGES = (OSError, ValueError, KeyError, TypeError, EOFError)


@dataclass(frozen=True)
class Entry:
    """One entry of the cache.

    Attributes:
        source: path of the file that was read.
        kind: the kind of that file, in words.
        shape: of the matrix, (input_dim, output_dim).
        size: of the entry on the disk, in bytes.
        stale: whether the file has changed since, or is gone.
        folder: the folder of the entry.
    """

    source: str
    kind: str
    shape: tuple[int, int]
    size: int
    stale: bool
    folder: Path


def folder() -> Path:
    """Return the folder of the cache: `EMBEDINSPECT_CACHE`, or else the platform's own."""
    own = os.environ.get("EMBEDINSPECT_CACHE")
    if own:
        return Path(own)
    import platformdirs

    return Path(platformdirs.user_cache_dir("embedinspect", appauthor=False))


def _entry_folder(path: Path) -> Path:
    """Return the folder of the entry for a file."""
    name = os.fsencode(path.absolute())
    return folder() / hashlib.sha256(name).hexdigest()[:24]


def _stamp(path: Path) -> dict[str, int]:
    """Return what changes when a file does: its size in bytes, and its time in nanoseconds."""
    status = path.stat()
    return {"size": status.st_size, "time": status.st_mtime_ns}


def recall(path: Path, *, strict: bool = False) -> Contents | None:
    """Return the contents of a file from its entry; None where it has none that still counts.

    Args:
        strict: whether a file with problems is to be read again, so that the first is an error.
    """
    place = _entry_folder(path)
    try:
        about = _about(place)
        if about["stamp"] != _stamp(path) or about["source"] != str(path.absolute()):
            return None
        rows = np.asarray(np.load(place / _ROWS, mmap_mode="r", allow_pickle=False))
        norms = np.asarray(np.load(place / _NORMS, mmap_mode="r", allow_pickle=False))
        ends = np.asarray(np.load(place / _ENDS, mmap_mode="r", allow_pickle=False))
        with (place / _WORDS).open("rb") as file:
            block = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        fits = rows.ndim == 2 and norms.shape == ends.shape == rows.shape[:1]
        typed = rows.dtype == norms.dtype == np.float32 and ends.dtype == np.int64
        if not fits or not typed or int(ends[-1]) != len(block):
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


def keep(path: Path, contents: Contents) -> Path | None:
    """Make an entry for a file, whole or not at all; return its folder, or None for no entry.

    Failing is no error: the file is only read again the next time.
    """
    words, norms = contents.words, contents.norms
    if not isinstance(words, PackedWords) or norms is None:
        return None
    place = _entry_folder(path)
    about = {
        "format": FORMAT,
        "version": VERSION,
        "source": str(path.absolute()),
        "stamp": _stamp(path),
        "kind": contents.kind,
        "dtype": contents.dtype,
        "shape": list(contents.rows.shape),
        "problems": contents.problems.first,
        "problem_counts": dict(contents.problems.counts),
    }
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(place.parent).free < 2 * contents.rows.nbytes:
            return None
        with workshop(place.parent, _UNFINISHED) as temporary:
            entry = temporary / "entry"
            entry.mkdir(mode=0o700)  # for the user alone
            np.save(entry / _ROWS, contents.rows, allow_pickle=False)
            np.save(entry / _NORMS, norms, allow_pickle=False)
            np.save(entry / _ENDS, words.ends, allow_pickle=False)
            (entry / _WORDS).write_bytes(words.block[0 : len(words.block)])
            (entry / _ABOUT).write_text(json.dumps(about))
            put([(entry, place)])
        return place
    except _DAMAGES:
        return None


def entries() -> list[Entry]:
    """Return the entries of the cache, the largest first, damaged ones included."""
    listed = []
    for place in _folders():
        size = sum(file.stat().st_size for file in place.iterdir() if file.is_file())
        try:
            about = _about(place)
            source, kind = str(about["source"]), str(about["kind"])
            rows, columns = map(int, about["shape"])
        except _DAMAGES:
            listed.append(Entry("?", "damaged", (0, 0), size, True, place))
            continue
        try:
            stale = _stamp(Path(source)) != about["stamp"]
        except OSError:
            stale = True
        listed.append(Entry(source, kind, (rows, columns), size, stale, place))
    return sorted(listed, key=lambda entry: -entry.size)


def clear() -> int:
    """Remove all entries, unfinished ones included; return how many bytes that frees."""
    freed = sum(entry.size for entry in entries())
    for place in _folders(unfinished=True):
        shutil.rmtree(place, ignore_errors=True)
    return freed


def _folders(*, unfinished: bool = False) -> list[Path]:
    """Return the folders of entries, which their names tell from anything else that lies there."""
    try:
        places = sorted(folder().iterdir())
    except OSError:
        return []
    folders = []
    for place in places:
        ours = len(place.name) == 24 and not set(place.name) - set("0123456789abcdef")
        ours |= unfinished and place.name.startswith(_UNFINISHED)
        if ours and place.is_dir() and not place.is_symlink():
            folders.append(place)
    return folders


def _about(place: Path) -> dict[str, Any]:
    """Return what an entry says of its file.

    Raises:
        ValueError, or what else is among `_DAMAGES`: the entry is of no use.
    """
    about = json.loads((place / _ABOUT).read_bytes())
    if about["format"] != FORMAT or about["version"] != VERSION:
        raise ValueError("another version")
    return dict(about)
