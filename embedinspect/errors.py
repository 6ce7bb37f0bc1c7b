"""The kinds of errors that a user meets, and the exit code of each."""

from __future__ import annotations

OK = 0
DATA = 1
USAGE = 2
FOUND = 3
INTERRUPTED = 130


class EmbedInspectError(Exception):
    """An error that the user can mend; its text is the one line that they see."""

    exit_code = DATA


class DataError(EmbedInspectError):
    """A file, a text or a matrix that cannot be used as it is."""

    exit_code = DATA


class UsageError(EmbedInspectError):
    """Options that are wrong by themselves, or do not go together."""

    exit_code = USAGE


class KerasUnavailable(EmbedInspectError):
    """Keras, or the backend that it is to run on, cannot be imported."""

    exit_code = DATA


def os_reason(error: OSError) -> str:
    """Return the operating system's reason in lower case, such as `no such file or directory`."""
    return (error.strerror or str(error)).lower()
