"""Small texts and vectors that come with the package: `sample:NAME` stands for their paths."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedinspect.errors import EmbedInspectError, UsageError
from embedinspect.wording import clipped_repr

PREFIX = "sample:"
_FOLDER = "sample_texts"


def resolve(path: str) -> str:
    """Return the path of the file that a user named.

    `sample:reviews` and `sample:reviews.csv` are the sample of that name; a file that is called
    just so comes first. Every other path is returned as it is.

    Raises:
        UsageError: no sample has that name.
    """
    if not is_sample(path):
        return path
    name = path.removeprefix(PREFIX)
    samples = _samples()
    for sample in samples:
        if name in {sample.name, sample.stem}:
            return str(sample)
    stems = [sample.stem for sample in samples]
    close = difflib.get_close_matches(name, [*stems, *(sample.name for sample in samples)], n=1)
    hint = f"; did you mean {PREFIX}{close[0]}?" if close else ""
    names = ", ".join(PREFIX + stem for stem in stems)
    raise UsageError(f"there is no sample {clipped_repr(name)}; expected one of {names}{hint}")


@contextmanager
def located(path: str) -> Iterator[str]:
    """Resolve a path; errors about a sample name it as the user did, and not where it lies."""
    place = resolve(path)
    try:
        yield place
    except EmbedInspectError as error:
        if place == path:
            raise
        raise type(error)(str(error).replace(repr(place), repr(path))) from None


def is_sample(path: str) -> bool:
    """Return whether a path names a sample, and no file of the user's."""
    return path.startswith(PREFIX) and not os.path.lexists(path)


def stem(path: str) -> str:
    """Return the last part of a path without its suffix: `reviews` for `sample:reviews.csv`."""
    return Path(resolve(path)).stem


def from_anywhere(path: str) -> str:
    """Return a path that means the same in every folder: a sample's name, or an absolute path."""
    return path if is_sample(path) else str(Path(path).absolute())


def _samples() -> list[Path]:
    """Return the files of the package's folder of samples, by name.

    In a clone, and so in an editable install, the folder lies beside the package.
    """
    here = Path(__file__).parent
    folder = next(
        (place for place in (here / _FOLDER, here.parent / _FOLDER) if place.is_dir()), None
    )
    return sorted(folder.iterdir()) if folder is not None else []
