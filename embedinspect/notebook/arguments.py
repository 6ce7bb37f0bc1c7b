"""The arguments of questions in Python: their types, and what is made of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Any, Literal

from embedinspect.commands.calling import strings
from embedinspect.errors import UsageError
from embedinspect.source import SourceOptions

Strings = str | Sequence[str]
Path = str | PathLike[str]
Files = Path | Sequence[Path]
Side = Literal["pre", "post"]
Backend = Literal["tensorflow", "jax", "torch", "numpy", "openvino"]
Lstm = Literal["auto", "packed", "keras"]
Severity = Literal["error", "warning", "note"]
TestKind = Literal["analogies", "pairs", "odd-one-out", "categories", "association"]
Ids = str | Iterable[int] | Iterable[Iterable[int]]

# What commands call the argument SOURCE, where it is not alone or is an option.
SOURCE_NAMES = {"show": "from_source", "diff": "a"}


def reading_of(options: SourceOptions) -> dict[str, Any]:
    """Return how a source is read, by the names of the commands' parameters."""
    reading = {name: value for name, value in vars(options).items() if name != "progress"}
    return {**reading, "words_file": reading.pop("words")}


def expect(first: Strings, file: Files, what: str, expected: str) -> None:
    """Refuse a question about nothing, which a command would read from standard input.

    Raises:
        UsageError: nothing is given.
    """
    if not strings(first, f"{what}s") and not strings(file, "file"):
        raise UsageError(f"no {what} given; expected {expected}, or file=PATH")


def ids_text(ids: Any) -> str:
    """Return ids as the command reads them, each sequence in brackets; of none, nothing.

    Raises:
        UsageError: one of several sequences is empty; it would have no place in the answer.

    >>> ids_text([1, 14]), ids_text([[1, 14], [22]]), ids_text("1 14"), ids_text([])
    ('[1, 14]', '[[1, 14], [22]]', '1 14', '')
    """
    if isinstance(ids, str):
        return ids
    plain = _plain(ids)
    items = [_plain(item) for item in (plain if isinstance(plain, list) else [plain])]
    if [] in items:
        raise UsageError(f"sequence {items.index([])} is empty; expected ids in each")
    return str(items) if items else ""


def _plain(ids: Any) -> Any:
    """Return one id, or a list of ids, without the types of NumPy."""
    if hasattr(ids, "tolist"):
        return ids.tolist()
    return ids if isinstance(ids, int | str) else list(ids)
