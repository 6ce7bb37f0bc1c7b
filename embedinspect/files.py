"""Files and folders that are written whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from embedinspect.errors import DataError, os_reason


def write_whole(path: str | Path, data: bytes) -> None:
    """Write a file under another name beside its place, then put it there in one step.

    Raises:
        DataError: the file cannot be written; what stood there before still does.
    """
    write_parts(path, [data])


def write_parts(path: str | Path, parts: Iterable[bytes]) -> int:
    """Write a file whole, or not at all, from parts that are made one after the other.

    Whatever a part raises while it is made is raised as it is.

    Returns:
        How many bytes it has.

    Raises:
        DataError: the file cannot be written; what stood there before still does.
    """
    size = 0
    with whole_file(path) as file:
        for part in parts:
            with writing(path):
                size += file.write(part)
    return size


@contextmanager
def whole_file(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a file that comes to its place in one step when the block has ended; until then it lies
    beside it under another name, and it is gone where the block raises something.

    Raises:
        DataError: the file cannot be written; what stood there before still does.
    """
    target = Path(path)
    with writing(path):
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    temporary = Path(name)
    file = os.fdopen(handle, "w+b")
    try:
        yield file
        with writing(path):
            file.flush()
            os.fsync(file.fileno())
            set_plain_mode(temporary)
            refuse_devices(target)
            temporary.replace(target)
    finally:
        with suppress(OSError):  # of a disk that is full it has been said already
            file.close()
        temporary.unlink(missing_ok=True)


@contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Say of what the system refuses that this path cannot be written."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise unwritable(path, error) from None


def unwritable(path: str | Path, error: OSError | ValueError) -> DataError:
    """Return what to raise where the system refuses to write a file."""
    reason = os_reason(error) if isinstance(error, OSError) else str(error)
    return DataError(
        f"cannot write {str(path)!r}: {reason}; expected a path in a folder that can be written"
    )


def refuse_devices(place: Path) -> None:
    """Refuse a place where something stands that a file may not replace.

    Raises:
        OSError: a folder, a device such as /dev/null, a pipe.
    """
    if place.is_dir():
        raise IsADirectoryError(21, "is a directory")
    if place.exists() and not place.is_file():
        raise OSError(22, "is no regular file")


def set_plain_mode(path: Path) -> None:
    """Give a file the permissions that a plain `open` would have given it."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)


def nearest_folder(path: Path) -> Path:
    """Return the path, or the nearest folder above it that exists."""
    return next(place for place in (path, *path.absolute().parents) if place.exists())


@contextmanager
def workshop(beside: Path, prefix: str) -> Iterator[Path]:
    """Make a folder to write in, on the disk of another folder; it is removed in the end.

    What is to stay is put in its place with `put`.

    Args:
        beside: the folder it lies in, or the nearest one above that exists.
        prefix: of its name, so that one that a kill has left can be recognised.
    """
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=nearest_folder(beside)))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def put(moves: Sequence[tuple[Path, Path]], gone: Sequence[Path] = ()) -> None:
    """Move files or folders from a workshop to their places: all of them, or none.

    Several files belong together: the places of all but the first are empty while the first is
    replaced, so that whatever stops this in between, no two of different makings are side by side.

    Args:
        moves: where each lies, and its place. A file that stands there is replaced by a file, a
            folder by a folder.
        gone: files that belong to what stood there, and are to be gone.

    Raises:
        OSError: one of them cannot be moved; what stood in all the places still does.
    """
    done: list[tuple[Path, Path | None]] = []
    try:
        others = [place for made, place in moves[1:] if not made.is_dir()]
        for place in (*others, *gone):
            if place.exists() or place.is_symlink():
                done.append((place, _clear(place, moves[0][0].parent)))
        for made, place in moves:
            done.append((place, _exchange(made, place)))
    except BaseException:
        for place, aside in reversed(done):
            with suppress(OSError):
                _put_back(place, aside)
        raise


def _clear(place: Path, workshop: Path) -> Path:
    """Move a file from its place to a workshop; return where it is now."""
    refuse_devices(place)
    aside = Path(tempfile.mkdtemp(prefix="old-", dir=workshop)) / place.name
    place.rename(aside)
    return aside


def _exchange(made: Path, place: Path) -> Path | None:
    """Move what was made to its place; return where that which stood there is now, if any did."""
    if made.is_dir() and place.is_dir() and swap(made, place):
        return made
    aside = _set_aside(made, place) if place.exists() or place.is_symlink() else None
    try:
        made.replace(place)
    except BaseException:
        if aside is not None:
            aside.replace(place)
        raise
    return aside


def swap(first: Path, second: Path) -> bool:
    """Let two folders change places in one step, so that none is ever empty.

    Returns:
        Whether the system and the disk can do that; where they cannot, nothing was changed.
        Linux can, by `renameat2`, on most disks.
    """
    import ctypes

    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):  # another system, or an old one
        return False
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return bool(rename(here, os.fsencode(first), here, os.fsencode(second), exchange) == 0)


def _set_aside(made: Path, place: Path) -> Path:
    """Keep what stands in a place beside what was made for it; return where.

    A file gets a second name, where the disk can do that, so that its place is never empty.
    """
    if place.is_dir() and not made.is_dir():
        raise IsADirectoryError(21, "is a directory")
    if made.is_dir() and not place.is_dir():
        raise NotADirectoryError(20, "is a file")
    aside = Path(tempfile.mkdtemp(prefix="old-", dir=made.parent)) / made.name
    if not place.is_dir():
        refuse_devices(place)
        with suppress(OSError):
            os.link(place, aside, follow_symlinks=False)
            return aside
    place.rename(aside)
    return aside


def _put_back(place: Path, aside: Path | None) -> None:
    """Make a place what it was before something was moved there."""
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    elif aside is None:
        place.unlink()
    if aside is not None:
        aside.replace(place)
