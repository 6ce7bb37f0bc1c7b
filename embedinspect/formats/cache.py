"""The cache: the contents of large files of vectors, kept so that they open at once next time.

An entry is a folder of plain arrays, which are mapped into memory and not read. Its name comes
from the file itself, whatever path leads to it, and it counts as long as the file's stamp is the
same: a file that has changed is read again. What lies in the cache is read as a stranger's file.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import shutil
import stat
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from embedinspect.files import put, workshop
from embedinspect.formats.contents import Contents, Problems
from embedinspect.row_words import ANY_MARK, LINE_MARK, PackedWords

FORMAT, VERSION = "embedinspect cache", 3
WORTH = 4 * 2**20  # bytes; a smaller file is read in a moment
_ABOUT, _ROWS, _NORMS, _WORDS, _ENDS = "about.json", "rows.npy", "norms.npy", "words", "ends.npy"
_DATA = (_ROWS, _NORMS, _WORDS, _ENDS)
_UNFINISHED = ".new-"  # prefix of the folders in which entries are written
_NO_WORDS = PackedWords(LINE_MARK, np.empty(0, np.int64))  # a block is never empty
_LARGEST_ABOUT = 2**20
_SAMPLES, _SAMPLE = 16, 4096  # blocks of a file, and their bytes, that tell whether it has changed
# What damaged entries raise.
_DAMAGES = (
    OSError, ValueError, KeyError, TypeError, EOFError, OverflowError, RecursionError, MemoryError
)  # fmt: skip

State = Literal["current", "changed", "gone", "damaged"]
Stamp = dict[str, int | str]


@dataclass(frozen=True)
class Entry:
    """One entry of the cache.

    Attributes:
        source: path of the file that was read.
        kind: the kind of that file, in words.
        shape: of the matrix, (input_dim, output_dim).
        size: of the entry on the disk, in bytes.
        state: whether the file is as it was, has changed, or is gone, or the entry is damaged.
        folder: the folder of the entry.
    """

    source: str
    kind: str
    shape: tuple[int, int]
    size: int
    state: State
    folder: Path

    @property
    def stale(self) -> bool:
        """Whether the entry is of no use any more."""
        return self.state != "current"


@dataclass(frozen=True)
class _About:
    """What an entry says of its file, checked."""

    source: str
    stamp: Stamp
    kind: str
    dtype: str
    shape: tuple[int, int]
    problems: list[str]
    problem_counts: dict[str, int]
    warnings: list[str]
    tensor: str | None
    words_from: str | None
    words_column: str | None
    data: dict[str, Stamp]


def folder() -> Path:
    """Return the folder of the cache: `EMBEDINSPECT_CACHE`, or else the platform's own."""
    own = os.environ.get("EMBEDINSPECT_CACHE")
    if own:
        return Path(own)
    import platformdirs

    return Path(platformdirs.user_cache_dir("embedinspect", appauthor=False))


def stamp(path: Path) -> Stamp:
    """Return what changes when a file does, in less than a millisecond.

    These are its size, its times (that of the last change to the file as a whole, too, which cannot
    be set back), where it lies on the disk, and a digest of blocks all over it.

    Raises:
        OSError: the file cannot be read.
    """
    status = path.stat()
    return {
        "size": status.st_size,
        "time": status.st_mtime_ns,
        "changed": status.st_ctime_ns,
        "device": status.st_dev,
        "inode": status.st_ino,
        "digest": _digest(path, status.st_size),
    }


def _digest(path: Path, size: int) -> str:
    """Return a digest of the first and last bytes of a file, and of blocks between."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        for number in range(_SAMPLES):
            file.seek(max(0, size - _SAMPLE) * number // (_SAMPLES - 1))
            digest.update(file.read(_SAMPLE))
    return digest.hexdigest()


def _entry_folder(of: Stamp) -> Path:
    """Return the folder of the entry for a file: the same for all names that the file has."""
    name = f"{of['device']}:{of['inode']}"
    return folder() / hashlib.sha256(name.encode()).hexdigest()[:24]


def recall(path: Path, *, strict: bool = False) -> Contents | None:
    """Return the contents of a file from its entry; None where it has none that still counts.

    Args:
        strict: whether a file with problems is to be read again, so that the first is an error.
    """
    try:
        now = stamp(path)
        place = _entry_folder(now)
        about = _about(place)
        if about.stamp != now or any(_of_data(place / name) != about.data[name] for name in _DATA):
            return None
        rows, norms, ends = (
            np.asarray(np.load(place / name, mmap_mode="r", allow_pickle=False))
            for name in (_ROWS, _NORMS, _ENDS)
        )
        with (place / _WORDS).open("rb") as file:
            block = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        fits = rows.shape == about.shape and norms.shape == rows.shape[:1]
        typed = rows.dtype == norms.dtype == np.float32 and ends.dtype == np.int64
        if not fits or not typed or not _are_ends(ends, len(rows), block):
            return None
        problems = Problems(repr(str(path)), False, about.problems, Counter(about.problem_counts))
        if strict and problems.total:
            return None
        return Contents(
            about.kind,
            rows,
            PackedWords(block, ends) if len(ends) else None,
            about.dtype,
            problems,
            about.tensor,
            norms=norms,
            warnings=tuple(about.warnings),
            words_from=about.words_from,
            words_column=about.words_column,
        )
    except _DAMAGES:
        return None


def _are_ends(ends: np.ndarray[Any, np.dtype[np.int64]], rows: int, block: mmap.mmap) -> bool:
    """Return whether numbers can be where the words of so many rows end in a block."""
    if not ends.size:
        return block[:] == _NO_WORDS.block
    fits = ends.shape == (rows,) and block[:1] in (LINE_MARK, ANY_MARK)
    return bool(fits and ends[0] > 0 and ends[-1] == len(block) and (np.diff(ends) > 0).all())


def _of_data(path: Path) -> Stamp:
    """Return size and digest of a file of an entry."""
    size = path.stat().st_size
    return {"size": size, "digest": _digest(path, size)}


def keep(path: Path, contents: Contents, read: Stamp) -> Path | None:
    """Make an entry for a file, whole or not at all; return its folder, or None for no entry.

    Failing is no error: the file is only read again the next time.

    Args:
        read: the stamp of the file before it was read. Where it has changed since, what was read
            may be neither the old nor the new contents, and is not kept.
    """
    words = _NO_WORDS if contents.words is None else contents.words
    norms = contents.norms
    if not isinstance(words, PackedWords) or norms is None:
        return None
    try:
        place = _entry_folder(read)
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
            about = {
                "format": FORMAT,
                "version": VERSION,
                "source": os.path.realpath(path),
                "stamp": read,
                "kind": contents.kind,
                "dtype": contents.dtype,
                "shape": list(contents.rows.shape),
                "problems": contents.problems.first,
                "problem_counts": dict(contents.problems.counts),
                "warnings": list(contents.warnings),
                "tensor": contents.tensor,
                "words_from": contents.words_from,
                "words_column": contents.words_column,
                "data": {name: _of_data(entry / name) for name in _DATA},
            }
            (entry / _ABOUT).write_text(json.dumps(about))
            if stamp(path) != read:
                return None
            put([(entry, place)])
        _remove_others(os.path.realpath(path), place)
        return place
    except _DAMAGES:
        return None


def _remove_others(source: str, place: Path) -> None:
    """Remove the entries of other files that had this path before."""
    for entry in entries():
        if entry.source == source and entry.folder != place:
            shutil.rmtree(entry.folder, ignore_errors=True)


def entries() -> list[Entry]:
    """Return the entries of the cache, the largest first, damaged ones included."""
    listed = []
    for place in _folders():
        size = sum(file.stat().st_size for file in place.iterdir() if file.is_file())
        try:
            about = _about(place)
            listed.append(Entry(about.source, about.kind, about.shape, size, _state(about), place))
        except _DAMAGES:
            listed.append(Entry("?", "damaged", (0, 0), size, "damaged", place))
    return sorted(listed, key=lambda entry: -entry.size)


def _state(about: _About) -> State:
    """Return whether the file of an entry is as it was."""
    try:
        return "current" if stamp(Path(about.source)) == about.stamp else "changed"
    except FileNotFoundError:
        return "gone"
    except (OSError, ValueError):
        return "changed"


def clear(*, stale_only: bool = False) -> list[Entry]:
    """Remove entries, and what a kill has left of unfinished ones; return what was removed.

    Args:
        stale_only: whether entries are left that are still of use.
    """
    removed = [entry for entry in entries() if entry.stale or not stale_only]
    for place in [*(entry.folder for entry in removed), *_unfinished()]:
        shutil.rmtree(place, ignore_errors=True)
    return removed


def _folders() -> list[Path]:
    """Return the folders of entries: by their names, and by what lies in them."""
    hexadecimal = set("0123456789abcdef")
    return [
        place
        for place in places()
        if len(place.name) == 24
        and not set(place.name) - hexadecimal
        and _holds_only(place, {_ABOUT, *_DATA})
        and (place / _ABOUT).exists()
    ]


def _unfinished() -> list[Path]:
    """Return the folders in which entries were written when a kill came."""
    return [
        place
        for place in places()
        if place.name.startswith(_UNFINISHED)
        and _holds_only(place, {"entry"}, "old-")
        and (not (place / "entry").exists() or _holds_only(place / "entry", {_ABOUT, *_DATA}))
    ]


def places() -> list[Path]:
    """Return the folders in the folder of the cache."""
    try:
        inside = sorted(folder().iterdir())
    except OSError:
        return []
    return [place for place in inside if place.is_dir() and not place.is_symlink()]


def _holds_only(place: Path, names: set[str], prefix: str | None = None) -> bool:
    """Return whether a folder holds nothing but some names, or names that begin with a prefix."""
    try:
        inside = os.listdir(place)
    except OSError:
        return False
    return all(name in names or (prefix and name.startswith(prefix)) for name in inside)


def _about(place: Path) -> _About:
    """Return what an entry says of its file.

    Raises:
        ValueError, or what else is among `_DAMAGES`: the entry is of no use.
    """
    path = place / _ABOUT
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST_ABOUT:
        raise ValueError("no file that an entry has")
    about = json.loads(path.read_bytes())
    if about["format"] != FORMAT or about["version"] != VERSION:
        raise ValueError("another version")
    if not isinstance(about["problems"], list) or not isinstance(about["problem_counts"], dict):
        raise ValueError("something else where problems are")
    rows, columns = about["shape"]
    checked = _About(
        about["source"],
        about["stamp"],
        about["kind"],
        about["dtype"],
        (rows, columns),
        about["problems"],
        about["problem_counts"],
        about["warnings"],
        about["tensor"],
        about["words_from"],
        about["words_column"],
        about["data"],
    )
    texts = [checked.source, checked.kind, checked.dtype, *checked.problems, *checked.warnings]
    texts += [checked.tensor or "", checked.words_from or "", checked.words_column or ""]
    numbers = [rows, columns, *checked.problem_counts.values()]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("something else where a text is")
    if not all(type(number) is int and 0 <= number < 2**62 for number in numbers):
        raise ValueError("something else where a number is")
    return checked
