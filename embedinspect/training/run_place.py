"""The place that a run is written to: whether it is free, can be written, and has room.

While a run is trained, a lock file lies beside its folder, so that no second process writes there.
The system gives the lock back when its process ends, however it ends. Who gets the lock mends what
a killed process has left.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from embedinspect.errors import DataError, UsageError
from embedinspect.files import nearest_folder, unwritable
from embedinspect.training.run_state import is_run

# What `mkstemp` and `mkdtemp` put behind a prefix.
_RANDOM = "[a-z0-9_]{8}"
_UNFINISHED = re.compile(rf"\.(run\.json|vocabulary\.json|epoch-\d+\.np[yz])\.{_RANDOM}")
_WRITING_MODEL = ".writing.keras"
# Beginning of the name of a folder in which a model file is put together.
WORKSHOP = ".writing-"
_WORKSHOP = re.compile(rf"{re.escape(WORKSHOP)}{_RANDOM}")


def check_place(path: Path, force: bool) -> None:
    """Find out before anything is trained whether the run can be written here.

    Raises:
        UsageError: there is something already that may not be replaced.
        DataError: the folder cannot be written.
    """
    try:
        if path.exists() or path.is_symlink():
            _check_replaceable(path, force)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=nearest_folder(path.parent)):
            pass
    except (OSError, ValueError) as error:
        raise unwritable(path, error) from None


def _check_replaceable(path: Path, force: bool) -> None:
    if not force:
        raise UsageError(
            f"{str(path)!r} exists already; give another --out, or replace that run with "
            "--force, or go on with it with --resume"
        )
    if not is_run(path):
        raise UsageError(
            f"{str(path)!r} is not a run folder, so --force does not replace it; give another --out"
        )


def check_room(path: Path, needed: int) -> None:
    """Find out whether the disk has room for the run.

    Raises:
        DataError: it has not; the message names what is needed and what is free, in MB.
    """
    free = shutil.disk_usage(nearest_folder(path.parent)).free
    if free < needed:
        raise DataError(
            f"{str(path.parent)!r} has {free / 1e6:,.0f} MB free; expected {needed / 1e6:,.0f} MB "
            "for the run; make room, or give another --out"
        )


def prepare(path: Path) -> None:
    """Find out whether the place is free, and mend what a killed process has left there.

    Raises:
        DataError: another process is writing there.
    """
    with suppress(OSError, ValueError):  # a path that cannot be is the business of others
        if path.parent.is_dir():
            with held(path):
                pass


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Keep other processes from writing a run to a place, and mend what a killed one has left.

    Where the system or the disk has no locks, nothing is kept.

    Raises:
        DataError: another process is writing there; the message says which.
    """
    made = not path.parent.exists()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from None
    lock = _lock_of(path)
    descriptor = _locked(lock, path)
    try:
        if descriptor is not None:
            _recover(path)
        yield
    finally:
        if descriptor is not None:
            lock.unlink(missing_ok=True)  # while it is still held, so that no other's is removed
            os.close(descriptor)
        if made:
            with suppress(OSError):  # there is a run in it
                path.parent.rmdir()


def remove_lock(path: Path) -> None:
    """Remove the lock file that a killed process has left, unless another has taken it over.

    It is held from then on until this process ends, which is to be at once.
    """
    with suppress(DataError):
        lock = _lock_of(path)
        if lock.exists() and _locked(lock, path) is not None:
            lock.unlink(missing_ok=True)


def _lock_of(path: Path) -> Path:
    return path.parent / f".{path.name}.lock"


def _locked(lock: Path, path: Path) -> int | None:
    """Return the descriptor of the lock file, once it is ours; None where there are no locks."""
    try:
        import fcntl
    except ImportError:
        return None
    while True:
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        except OSError:  # the folder cannot be written, as for a run in a folder of another's
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(descriptor)
            os.close(descriptor)
            raise DataError(
                f"{str(path)!r} is being written by {holder}; wait until it has ended, or give "
                "another --out"
            ) from None
        except OSError:
            os.close(descriptor)
            return None
        if _is_file_at(descriptor, lock):
            about = {"process": os.getpid(), "machine": os.uname().nodename}
            os.ftruncate(descriptor, 0)
            os.write(descriptor, json.dumps(about).encode())
            return descriptor
        os.close(descriptor)  # it was removed as its holder ended


def _is_file_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except OSError:
        return False


def _holder(descriptor: int) -> str:
    try:
        about = json.loads(os.pread(descriptor, 1000, 0))
        return f"process {int(about['process'])} on {about['machine']}"
    except (OSError, ValueError, TypeError, KeyError):
        return "another process"


def _recover(path: Path) -> None:
    """Put a run back that a killed process had moved aside, and remove what it left unfinished."""
    workshops = re.compile(rf"\.{re.escape(path.name)}-{_RANDOM}")
    for folder in list(path.parent.iterdir()):
        if workshops.fullmatch(folder.name) and folder.is_dir() and not folder.is_symlink():
            _empty(folder, path)
    for place in (path, path / "embedding", path / "checkpoint"):
        for file in list(place.iterdir()) if place.is_dir() and is_run(path) else []:
            if _UNFINISHED.fullmatch(file.name) or file.name == _WRITING_MODEL:
                with suppress(OSError):
                    file.unlink()
            elif _WORKSHOP.fullmatch(file.name) and not file.is_symlink():
                shutil.rmtree(file, ignore_errors=True)


def _empty(workshop: Path, path: Path) -> None:
    """Put back the run that lies in a workshop, if its place is empty, and remove the workshop."""
    made, aside = workshop / "run", list(workshop.glob("old-*/run"))
    if not made.is_dir() and not aside:
        with suppress(OSError):  # it is not empty, so it is none of ours
            workshop.rmdir()
        return
    for old in aside:
        if is_run(old) and not path.exists() and not path.is_symlink():
            old.rename(path)
    shutil.rmtree(workshop, ignore_errors=True)
