"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from embedinspect.errors import DataError, os_reason


def write_whole(path: str | Path, data: bytes) -> None:
    """Write a file under another name beside its place, then put it there in one step.

    Raises:
        DataError: the file cannot be written; what stood there before still does.
    """
    target = Path(path)
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)  # what a plain open would have given
        if target.is_dir():
            raise IsADirectoryError(21, "is a directory")
        Path(temporary).replace(target)
        temporary = None
    except (OSError, ValueError) as error:
        reason = os_reason(error) if isinstance(error, OSError) else str(error)
        raise DataError(
            f"cannot write {str(path)!r}: {reason}; expected a path in a folder that can be written"
        ) from None
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
