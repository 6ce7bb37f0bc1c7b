"""Answers in files: the suffix of a file's name says its form."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from embedinspect.errors import UsageError
from embedinspect.files import write_parts
from embedinspect.output.forms import PICTURES, Answer, Form, Target, text_parts
from embedinspect.output.notes import note
from embedinspect.wording import clipped_repr

# The first suffix of each form is the one that help and errors name.
SUFFIXES: dict[str, Form] = {
    ".html": Form.HTML,
    ".svg": Form.SVG,
    ".png": Form.PNG,
    ".md": Form.MARKDOWN,
    ".json": Form.JSON,
    ".ndjson": Form.NDJSON,
    ".csv": Form.CSV,
    ".txt": Form.TABLE,
    ".htm": Form.HTML,
    ".markdown": Form.MARKDOWN,
    ".jsonl": Form.NDJSON,
}
# Files with these names are answers, never data that a command reads.
_ANSWERS = frozenset({Form.HTML, *PICTURES})


def file_target(path: str, forms: Iterable[Form], *, name: str | None, json: bool) -> Target:
    """Return where an answer goes that is to be written to a file.

    Args:
        forms: that the command can give on stdout.
        name: of the form that --format asks for.
        json: whether --json is given.

    Raises:
        UsageError: the suffix is not known, the command cannot give its form, --format or --json
            asks for another, or the folder is not there.
        DataError: a package that the form needs is not installed.
    """
    if path == "-":
        raise UsageError("--output is '-'; leave it out for standard output")
    form = SUFFIXES.get(Path(path).suffix.lower())
    if form is None or form not in {*forms, *PICTURES}:
        raise UsageError(
            f"--output is {clipped_repr(path)}, whose suffix says no form that this command has; "
            f"expected a name that ends in {_listed(forms)}"
        )
    asked = Form.JSON if json else name
    if asked not in {None, form}:
        option = "--json" if json else f"--format {name}"
        raise UsageError(
            f"--output {clipped_repr(path)} is written as {form} and {option} asks for another "
            "form; leave out one of the two"
        )
    folder = Path(path).parent
    if not folder.is_dir():
        raise UsageError(
            f"--output is {clipped_repr(path)}, and there is no folder {clipped_repr(str(folder))}"
            "; expected a file in a folder that is there"
        )
    if Path(path).is_dir():
        raise UsageError(f"--output is {clipped_repr(path)}, a folder; expected the name of a file")
    if form is Form.PNG:
        from embedinspect.output.svg.png import check_package

        check_package()
    return Target(form, path)


def _listed(forms: Iterable[Form]) -> str:
    known = {*forms, *PICTURES}
    firsts = {form: suffix for suffix, form in reversed(SUFFIXES.items())}
    *names, last = [
        suffix for suffix, form in SUFFIXES.items() if firsts[form] == suffix and form in known
    ]
    return f"{', '.join(names)} or {last}"


def refuse_inputs(path: str, inputs: Iterable[str]) -> None:
    """Refuse to write an answer over what it may be made from.

    Args:
        path: where the answer is to go.
        inputs: texts from the command line, among them the paths that the command reads.

    Raises:
        UsageError: the file is one of them, or is data in a folder that is one of them.
    """
    if not os.path.exists(path):
        return
    data = SUFFIXES.get(Path(path).suffix.lower()) not in _ANSWERS
    for one in _paths(inputs):
        if _is_same(path, one) or (
            data and os.path.isdir(one) and _is_same(Path(path).parent, one)
        ):
            raise UsageError(
                f"--output is {clipped_repr(path)}, which belongs to what is read, "
                f"{clipped_repr(one)}; expected another name"
            )


def _paths(inputs: Iterable[str]) -> Iterator[str]:
    """Yield what may be a path: a whole text, or its part before or behind a colon."""
    for one in inputs:
        yield one
        if ":" in one:
            yield one.rpartition(":")[0]
            yield one.partition(":")[2]


def _is_same(path: str | Path, other: str) -> bool:
    try:
        return os.path.samefile(path, other)
    except (OSError, ValueError):  # a word or a text that names no file
        return False


def write_file(answer: Answer, form: Form, path: str) -> None:
    """Write an answer to a file, whole or not at all, and tell of it on stderr.

    Raises:
        DataError: the file cannot be written, or the answer has no picture and is to be one.
    """
    size = write_parts(path, _encoded(answer, form))
    note(f"wrote {path} ({_amount(size)})")


def _encoded(answer: Answer, form: Form) -> Iterator[bytes]:
    parts = text_parts(answer, form)
    if form is Form.PNG:
        from embedinspect.output.svg.png import png_of

        yield from map(png_of, parts)
        return
    for part in parts:  # a lone surrogate, which UTF-8 cannot hold, is written as an escape
        yield part.encode("utf-8", "backslashreplace")


def _amount(size: int) -> str:
    """Return a number of bytes as people say it.

    >>> _amount(412), _amount(41_234), _amount(1_234_567)
    ('412 bytes', '41 kB', '1.2 MB')
    """
    if size < 1000:
        return f"{size} bytes"
    return f"{size / 1e3:,.0f} kB" if size < 1e6 else f"{size / 1e6:,.1f} MB"
