"""The place that a run is written to: whether it is free, can be written, and has room."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from embedinspect.errors import DataError, UsageError, os_reason
from embedinspect.files import nearest_folder
from embedinspect.training.run_state import is_run


def check_place(path: Path, force: bool) -> None:
    """Find out before anything is trained whether the run can be written here.

    Raises:
        UsageError: there is something already that may not be replaced.
        DataError: the folder cannot be written.
    """
    if path.exists() or path.is_symlink():
        if not force:
            raise UsageError(
                f"{str(path)!r} exists already; give another --out, or replace that run with "
                "--force, or go on with it with --resume"
            )
        if not is_run(path):
            raise UsageError(
                f"{str(path)!r} is not a run folder, so --force does not replace it; give "
                "another --out"
            )
    try:
        with tempfile.TemporaryDirectory(prefix=".probe-", dir=nearest_folder(path.parent)):
            pass
    except OSError as error:
        raise DataError(
            f"cannot write {str(path)!r}: {os_reason(error)}; expected a folder that can be written"
        ) from None


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
