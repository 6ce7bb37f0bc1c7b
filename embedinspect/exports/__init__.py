"""Files that a matrix is written to: a function for each form, a row for each in the table."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from embedinspect.errors import DataError, UsageError, os_reason
from embedinspect.exports import arrays, texts
from embedinspect.exports.naming import Names
from embedinspect.files import put, workshop
from embedinspect.formats.vocabulary_file import VOCABULARY_SUFFIX, find_beside
from embedinspect.source import Source
from embedinspect.wording import listed


@dataclass(frozen=True)
class Target:
    """A form that a matrix is written in.

    Attributes:
        name: as `--to` has it.
        suffix: of a destination that is written in this form without `--to`.
        write: writes the files into an empty folder, the main one under a given name; returns the
            names of all files, that of the rows first, and the words as they were written.
        description: of the form, in words.
        folder: whether the files belong together in a folder of their own.
        words_beside: whether the words lie in a file of their own beside the main one.
    """

    name: str
    suffix: str
    write: Callable[[Source, Path, str], tuple[list[str], Names]]
    description: str
    folder: bool = False
    words_beside: bool = False


TARGETS = (
    Target("word2vec", ".vec", texts.write_word2vec, "word2vec text, with a header line"),
    Target("word2vec-binary", ".bin", texts.write_word2vec_binary, "word2vec binary"),
    Target("glove", ".txt", texts.write_glove, "GloVe text, without a header line"),
    Target("csv", ".csv", texts.write_csv, "CSV with the columns word, dim_0, dim_1, ..."),
    Target(
        "npy",
        ".npy",
        arrays.write_npy,
        "NumPy array, with a JSON list of words beside it",
        words_beside=True,
    ),
    Target(
        "safetensors",
        ".safetensors",
        arrays.write_safetensors,
        "safetensors, with a JSON list of words beside it",
        words_beside=True,
    ),
    Target(
        "projector",
        "",
        texts.write_projector,
        "a folder with the TSV pair and the config of TensorBoard's projector",
        folder=True,
    ),
    Target(
        "parquet", ".parquet", arrays.write_parquet, "Parquet with the columns row, word, vector"
    ),
)


STANDARD_OUTPUT = "-"
STREAMED = ("word2vec", "glove", "csv")  # the forms that are one text


@dataclass(frozen=True)
class Exported:
    """The record that `export` prints.

    Attributes:
        source: whose rows and words were written.
        target: the form they were written in.
        path: of the main file, or of the folder.
        files: the paths of all files that were written.
        rows: how many rows were written.
        changed: the first words that the form cannot hold, each with what was written instead.
    """

    source: Source
    target: Target
    path: Path
    files: tuple[Path, ...]
    rows: int
    changed: tuple[tuple[str, str], ...]


def target_for(destination: str, name: str | None) -> Target:
    """Return the form of that name; without a name, the form that the destination's suffix tells.

    Raises:
        UsageError: there is no such form.
    """
    if name is not None:
        for target in TARGETS:
            if name == target.name:
                return target
        names = listed(target.name for target in TARGETS)
        raise UsageError(f"--to is {name!r}; expected one of {names}")
    path = Path(destination)
    for target in TARGETS:
        if target.suffix and path.name.lower().endswith(target.suffix):
            return target
    if destination.endswith("/") or not path.suffix:
        return next(target for target in TARGETS if target.folder)
    known = ", ".join(f"{target.suffix} ({target.name})" for target in TARGETS if target.suffix)
    raise UsageError(
        f"{path.suffix} of {destination!r} is no form that is written; expected {known}, a folder "
        "(projector), or --to FORMAT"
    )


def export_to(file: BinaryIO, source: Source, name: str | None) -> Exported:
    """Write the rows and words of a source to an open file, in a form that is one text.

    Args:
        name: of the form; by default word2vec's.

    Raises:
        UsageError: the form is no text, or not known.
        DataError: there is no room for the text, which is made in a folder for temporary files.
    """
    target = target_for(STANDARD_OUTPUT, name or STREAMED[0])
    if target.name not in STREAMED:
        raise UsageError(
            f"--to is {target.name}, which cannot go to standard output; expected one of "
            f"{listed(STREAMED)}, or a path"
        )
    try:
        with tempfile.TemporaryDirectory(prefix="embedinspect-") as folder:
            files, names = target.write(source, Path(folder), "text")
            with (Path(folder) / files[0]).open("rb") as text:
                shutil.copyfileobj(text, file)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise DataError(
            f"cannot write to standard output: {os_reason(error)}; expected room for the text"
        ) from None
    rows, changed = source.matrix.input_dim, tuple(names.changed)
    return Exported(source, target, Path(STANDARD_OUTPUT), (), rows, changed)


def export(source: Source, destination: str, name: str | None, *, force: bool = False) -> Exported:
    """Write the rows and words of a source: all files, or none.

    Args:
        destination: path of the main file, or of a folder.
        name: of the form; by default the destination's suffix tells it.
        force: whether files that stand there are replaced.

    Raises:
        UsageError: a file stands there and `force` is not set, or the form is not known.
        DataError: the destination cannot be written; what stood there still does.
    """
    target = target_for(destination, name)
    path = Path(destination)
    if path.is_dir() != target.folder and path.exists():
        standing = "a folder" if path.is_dir() else "a file"
        expected = "a folder" if target.folder else "a file"
        raise UsageError(
            f"{destination!r} is {standing}, but {target.name} is written as {expected}; give "
            "another destination"
        )
    folder = path if target.folder else path.parent
    if not target.folder:
        _refuse_standing([path], force)
    stale = _words_of_another(source, target, path)
    _refuse_standing(stale, force)
    try:
        with workshop(folder, ".export-") as temporary:
            files, names = target.write(source, temporary, path.name)
            places = [folder / file for file in files]
            _refuse_standing(places, force)
            folder.mkdir(parents=True, exist_ok=True)
            put([(temporary / file, folder / file) for file in files], gone=stale)
    except OSError as error:
        raise DataError(
            f"cannot write {destination!r}: {os_reason(error)}; expected a path in a folder that "
            "can be written"
        ) from None
    return Exported(
        source, target, path, tuple(places), source.matrix.input_dim, tuple(names.changed)
    )


def _words_of_another(source: Source, target: Target, path: Path) -> list[Path]:
    """Return the files that would be taken for the words of what is written, and are not.

    Raises:
        UsageError: a saved vocabulary is among them, which is not replaced.
    """
    if not target.words_beside or source.words is not None:
        return []
    beside = find_beside(path)
    if beside is None:
        return []
    if beside.name.endswith(VOCABULARY_SUFFIX):
        raise UsageError(
            f"{str(beside)!r} would be taken for the words of {str(path)!r}, which has none; give "
            "another destination, or move that file away"
        )
    return [beside]


def _refuse_standing(places: list[Path], force: bool) -> None:
    """Raise a UsageError where something stands in one of the places, unless `force` is set."""
    standing = [str(place) for place in places if place.exists()]
    if standing and not force:
        raise UsageError(
            f"{standing[0]!r} exists already; give another destination, or --force to replace it"
        )
