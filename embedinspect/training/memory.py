"""How much memory there is, so that what cannot fit is refused before it is begun."""

from __future__ import annotations

import os
from pathlib import Path

from embedinspect.errors import EmbedInspectError

_MEMINFO = Path("/proc/meminfo")
_LIMIT_OF_GROUP = Path("/sys/fs/cgroup/memory.max")


def available() -> int | None:
    """Return how many bytes of memory a process may have; None where the system does not say."""
    known = [amount for amount in (_free(), _allowed()) if amount is not None]
    return min(known, default=None)


def check(
    needed: int, what: str, error: type[EmbedInspectError], fitting: str = "one that fits"
) -> None:
    """Find out whether there is enough memory for something.

    Args:
        needed: bytes that it takes at least.
        what: takes them, in words.
        error: to raise.
        fitting: what is expected instead, in words.

    Raises:
        EmbedInspectError: there is not; the message names what is needed and what is there.
    """
    there = available()
    if there is not None and needed > there:
        raise error(
            f"{what} takes {needed / 1e9:,.1f} GB of memory or more, but {there / 1e9:,.1f} GB "
            f"are there; expected {fitting}"
        )


def _free() -> int | None:
    """Return what Linux says is available, or else all memory of the machine."""
    try:
        for line in _MEMINFO.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError, IndexError):
        return None


def _allowed() -> int | None:
    """Return the limit of a container, where there is one."""
    try:
        return int(_LIMIT_OF_GROUP.read_text())
    except (OSError, ValueError):
        return None
