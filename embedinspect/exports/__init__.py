"""Files that a matrix is written to: one function a format, one row in the table below."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from embedinspect.errors import DataError, UsageError, os_reason
from embedinspect.exports import arrays, texts
from embedinspect.exports.naming import Names
from embedinspect.files import put, workshop
from embedinspect.source import Source


@dataclass(frozen=True)
class Target:
    """One form that a matrix is written in.

    Attributes:
        name: for `--to`.
        suffix: of the files that are of this form without being asked for it.
        write: writes the files into an empty folder, the main one under the name it is given, and
            returns the names of all of them.
        what: it is, in words.
        folder: whether the files belong together in a folder of their own.
    """

    name: str
    suffix: str
    write: Callable[[Source, Path, str], tuple[list[str], Names]]
    what: str
    folder: bool = False


TARGETS = (
    Target("word2vec", ".vec", texts.write_word2vec, "word2vec text, with a header line"),
    Target("word2vec-binary", ".bin", texts.write_word2vec_binary, "word2vec binary"),
    Target("glove", ".txt", texts.write_glove, "GloVe text, without a header line"),
    Target("npy", ".npy", arrays.write_npy, "NumPy array, with a JSON list of words beside it"),
    Target(
        "safetensors",
        ".safetensors",
        arrays.write_safetensors,
        "safetensors, with a JSON list of words beside it",
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


@dataclass(frozen=True)
class Exported:
    """The record that `export` prints.

    Attributes:
        source: that was written.
        target: the form it was written in.
        path: of the main file, or of the folder.
        files: all that were written.
        rows: how many.
        changed: words that the form cannot hold as they are, and what was written for them.
    """

    source: Source
    target: Target
    path: Path
    files: tuple[Path, ...]
    rows: int
    changed: tuple[tuple[str, str], ...]


def target_for(destination: str, name: str | None) -> Target:
    """Return the form that was asked for, or that the destination's suffix names.

    Raises:
        UsageError: neither is known.
    """
    for target in TARGETS:
        if name == target.name:
            return target
    path = Path(destination)
    for target in TARGETS:
        if name is None and target.suffix and path.name.lower().endswith(target.suffix):
            return target
    if name is None and (destination.endswith("/") or not path.suffix):
        return next(target for target in TARGETS if target.folder)
    known = ", ".join(f"{target.suffix} ({target.name})" for target in TARGETS if target.suffix)
    raise UsageError(
        f"{destination!r} has no suffix that says what to write; expected {known}, a folder "
        "(projector), or --to FORMAT"
    )


def export(source: Source, destination: str, name: str | None, *, force: bool = False) -> Exported:
    """Write the rows and words of a source. All files are written whole before any is in place.

    Raises:
        UsageError: the destination exists and `force` is not given, or its form is not known.
        DataError: it cannot be written.
    """
    target = target_for(destination, name)
    path = Path(destination)
    if path.is_dir() != target.folder and path.exists():
        kind = "a folder" if path.is_dir() else "a file"
        wanted = "a folder" if target.folder else "a file"
        raise UsageError(
            f"{destination!r} is {kind}, and {target.name} is written as {wanted}; give another "
            "destination"
        )
    folder = path if target.folder else path.parent
    if not target.folder:
        _refuse_standing([path], force)
    try:
        with workshop(folder, ".export-") as temporary:
            files, names = target.write(source, temporary, path.name)
            places = [folder / file for file in files]
            _refuse_standing(places, force)
            folder.mkdir(parents=True, exist_ok=True)
            put([(temporary / file, folder / file) for file in files])
    except OSError as error:
        raise DataError(
            f"cannot write {destination!r}: {os_reason(error)}; expected a place that can be "
            "written"
        ) from None
    return Exported(
        source, target, path, tuple(places), source.matrix.input_dim, tuple(names.changed)
    )


def _refuse_standing(places: list[Path], force: bool) -> None:
    standing = [str(place) for place in places if place.exists()]
    if standing and not force:
        raise UsageError(
            f"{standing[0]!r} exists already; give another destination, or --force to replace it"
        )
