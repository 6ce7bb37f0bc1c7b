"""What `run.json` may hold. A run folder may come from a stranger: all that is used is checked."""

from __future__ import annotations

import json
import math
import reprlib
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from embedinspect.errors import DataError, os_reason

FORMAT, FORMAT_VERSION = "embedinspect run", 1
STATE = "run.json"
EXPECTED = "expected a run folder of embedinspect train"
# What the status of a run may be.
TRAINING, DONE, STOPPED_EARLY = "training", "done", "stopped early"
NOT_A_NUMBER = "loss is not a number"
STATUSES = (TRAINING, DONE, STOPPED_EARLY, NOT_A_NUMBER)
# Python needs up to 30 bytes of memory for each byte of JSON.
LARGEST_STATE = 2**24
LARGEST_VOCABULARY = 2**26

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60

State = dict[str, Any]
Numbers = dict[str, Any]


def is_run(path: Path) -> bool:
    """Return whether a path is a run folder, by its contents."""
    try:
        state = json.loads(_contents(path / STATE, LARGEST_STATE))
    except (DataError, ValueError, RecursionError):
        return False
    return isinstance(state, dict) and state.get("format") == FORMAT


def read_state(path: Path) -> State:
    """Return what the `run.json` of a run folder holds; its values are not checked yet.

    Raises:
        DataError: there is none, or it was written by another version.
    """
    state = read_object(path / STATE, LARGEST_STATE)
    if state.get("format") != FORMAT:
        raise DataError(f"{str(path)!r} is not a run folder; {EXPECTED}")
    version = state.get("format_version")
    if version != FORMAT_VERSION:
        raise DataError(
            f"{str(path)!r} has format version {short(version)}; expected {FORMAT_VERSION}, so it "
            "was written by another version of embedinspect"
        )
    return state


def read_object(path: Path, most: int) -> dict[str, Any]:
    """Return the JSON object in a file of at most `most` bytes.

    Raises:
        DataError: it cannot be read, is no regular file, too large, not UTF-8, or no JSON object.
    """
    try:
        contents = json.loads(read_text(path, most))
    except (ValueError, RecursionError):
        raise DataError(f"{str(path)!r} is not JSON; {EXPECTED}") from None
    if not isinstance(contents, dict):
        raise DataError(f"{str(path)!r} is not a JSON object; {EXPECTED}")
    return contents


def read_text(path: Path, most: int) -> str:
    """Return the text in a file of at most `most` bytes.

    Raises:
        DataError: as for `read_object`, but for the JSON.
    """
    try:
        return _contents(path, most).decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{str(path)!r} is not UTF-8 (byte {error.start}); {EXPECTED}") from None


def check_file(path: Path, most: int) -> int:
    """Return the size of a file of a run, which can be read and is no larger than it may be.

    Raises:
        DataError: it is missing, no regular file (a pipe would keep its reader waiting), or
            larger than `most` bytes.
    """
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"{str(path)!r} is not a regular file; {EXPECTED}")
    if status.st_size > most:
        raise DataError(
            f"{str(path)!r} has {status.st_size / 1e6:,.0f} MB; expected at most "
            f"{most / 1e6:,.0f} MB"
        )
    return status.st_size


def status_of(state: State, history: Sequence[Numbers], path_label: str) -> str:
    """Return the status of a run.

    Raises:
        DataError: none of the known ones, or one that the history contradicts.
    """
    status = state.get("status")
    if not isinstance(status, str) or status not in STATUSES:
        raise DataError(
            f"{path_label} has status {short(status)}; expected one of {', '.join(STATUSES)}"
        )
    validated = history and all("validation_loss" in epoch for epoch in history)
    if status == STOPPED_EARLY and not validated:
        raise DataError(
            f"{path_label} has status {STOPPED_EARLY!r}, but no validation loss; expected one for "
            "each epoch"
        )
    return status


def history_of(state: State, path_label: str) -> tuple[Numbers, ...]:
    """Return the numbers of each finished epoch, the first epoch first.

    Raises:
        DataError: an epoch is missing, or a number that is not finite.
    """
    history = state.get("history")
    if not isinstance(history, list):
        raise DataError(f"{path_label} has no history; {EXPECTED}")
    return tuple(
        _epoch(values, number, path_label) for number, values in enumerate(history, start=1)
    )


def _epoch(values: object, number: int, path_label: str) -> Numbers:
    where = f"{path_label} has epoch {number} with"
    if not isinstance(values, dict):
        raise DataError(f"{where} {short(values)}; expected its numbers by name")
    if type(values.get("epoch")) is not int or values["epoch"] != number:
        raise DataError(f"{where} the number {short(values.get('epoch'))}; expected {number}")
    validation = [name for name in ("validation_loss", "validation_accuracy") if name in values]
    if len(validation) == 1:
        raise DataError(f"{where} {validation[0]} alone; expected loss and accuracy, or neither")
    names = ("loss", "accuracy", *validation, "seconds")
    return {"epoch": number, **{name: _finite(values.get(name), name, where) for name in names}}


def evaluation_of(state: State, path_label: str) -> Numbers | None:
    """Return loss and accuracy on the test reviews and their count; None where there are none yet.

    Raises:
        DataError: a number is missing or not finite.
    """
    test = state.get("test")
    if test is None:
        return None
    where = f"{path_label} has a test with"
    if not isinstance(test, dict):
        raise DataError(f"{path_label} has the test {short(test)}; expected its numbers by name")
    numbers = {name: _finite(test.get(name), name, where) for name in ("loss", "accuracy")}
    if type(test.get("reviews")) is not int or test["reviews"] < 1:
        raise DataError(f"{where} {short(test.get('reviews'))} reviews; expected 1 or more")
    return {**numbers, "reviews": test["reviews"]}


def data_of(state: State, path_label: str) -> dict[str, Any]:
    """Return what a run says of its data.

    Raises:
        DataError: it does not name the data, its fingerprint or its two labels.
    """
    data = state.get("data")
    names = data.get("label_names") if isinstance(data, dict) else None
    if not isinstance(names, list) or [type(name) for name in names] != [str, str]:
        raise DataError(f"{path_label} does not name two labels; {EXPECTED}")
    assert isinstance(data, dict)
    for name in ("name", "fingerprint"):
        if not isinstance(data.get(name), str):
            raise DataError(
                f"{path_label} has {short(data.get(name))} as the {name} of its data; expected a "
                "string"
            )
    return data


def versions_of(value: object) -> dict[str, str] | None:
    """Return versions by package; None where they are not of that kind. They decide nothing."""
    if not isinstance(value, dict):
        return None
    pairs = (*value, *value.values())
    return value if all(isinstance(text, str) for text in pairs) else None


def lstm_of(value: object) -> dict[str, str] | None:
    """Return which LSTM computed a run, and why; None where it is not told. It decides nothing."""
    texts = versions_of(value)
    if texts is None or set(texts) != {"kernel", "reason"}:
        return None
    return texts if texts["kernel"] in {"packed", "keras"} else None


def earlier_versions_of(state: State) -> tuple[Numbers, ...]:
    """Return the versions that trained earlier epochs, each with the last epoch; what is not of
    that kind is left out."""
    entries = state.get("earlier_versions")
    return tuple(
        {"epochs": entry["epochs"], "versions": entry["versions"]}
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict)
        and type(entry.get("epochs")) is int
        and entry["epochs"] >= 1
        and versions_of(entry.get("versions")) is not None
    )


def short(value: object) -> str:
    """Return a value of a stranger's for a message: as Python writes it, and not too long."""
    return _SHORT.repr(value)


def _finite(value: object, name: str, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not _is_finite(value):
        raise DataError(f"{where} {name} {short(value)}; expected a finite number")
    largest = 1 if "accuracy" in name else math.inf
    if not 0 <= value <= largest:
        expected = "0 to 1" if largest == 1 else "0 or more"
        raise DataError(f"{where} {name} {short(value)}; expected {expected}")
    return float(value)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond float64
        return False


def _contents(path: Path, most: int) -> bytes:
    """Return the bytes of a file that is regular and not too large."""
    size = check_file(path, most)
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError | ValueError) -> DataError:
    reason = os_reason(error) if isinstance(error, OSError) else str(error)
    return DataError(f"cannot read {str(path)!r}: {reason}; {EXPECTED}")
