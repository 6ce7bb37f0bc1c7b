"""Maps by other libraries: neighbors are kept near each other, distances are not.

Each library is imported where it is asked for. What it prints is kept off the screen.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import numpy as np

from embedinspect.errors import DataError, UsageError
from embedinspect.keras_layer import quiet
from embedinspect.matrix import Rows
from embedinspect.stored_rows import FloatArray, Vectors

Doubles = np.ndarray[Any, np.dtype[np.float64]]

FEWEST_ROWS = 20
MOST_ROWS = 50_000  # laid out in minutes


@dataclass(frozen=True)
class Method:
    """How rows became points.

    Attributes:
        name: as it is asked for: `pca`, `axis`, or the name of a library's method.
        library: the package that computed it, as it is installed; None for our own code.
        version: of that package.
        settings: all that the result hangs on.
    """

    name: str
    library: str | None = None
    version: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def lay_out_with(name: str, matrix: Vectors, among: Rows, seed: int) -> tuple[Doubles, Method]:
    """Return some rows as points, shape (rows, 2), and how they became so.

    Raises:
        UsageError: the library is not installed, or there are more rows than it lays out in
            minutes.
        DataError: there are too few rows, or ones that the library cannot lay out.
    """
    if len(among) < FEWEST_ROWS:
        raise DataError(
            f"there are {len(among):,} rows to draw; expected {FEWEST_ROWS} or more for --method "
            f"{name}; --method pca draws fewer"
        )
    if len(among) > MOST_ROWS:
        raise UsageError(
            f"there are {len(among):,} rows to draw; expected at most {MOST_ROWS:,} for --method "
            f"{name}; lower --first, or draw them with --method pca"
        )
    rows = matrix[among]
    if rows.shape[1] == 1 or not np.ptp(rows, axis=0).any():
        what = "have one number each" if rows.shape[1] == 1 else "are all equal"
        raise DataError(
            f"the {len(rows):,} rows to draw {what}; expected rows that differ in two dimensions "
            f"for --method {name}"
        )
    run, library, settings = _METHODS[name]
    chosen = settings(len(rows)) | {"seed": seed}
    with _silent():
        try:
            points = np.asarray(run(rows, chosen), np.float64)
        except (ValueError, RuntimeError, ArithmeticError, np.linalg.LinAlgError) as error:
            reason = str(error).split("\n")[0]
            raise DataError(
                f"{library} cannot lay out these rows: {reason}; draw them with --method pca"
            ) from None
    if not np.isfinite(points).all():
        raise DataError(
            f"{library} gives points that are no numbers for these rows; expected finite ones; "
            "draw them with --method pca"
        )
    return points, Method(name, library, version(library), chosen)


def _pacmap(rows: FloatArray, settings: Mapping[str, Any]) -> Any:
    pacmap = _imported("pacmap", "pacmap", "pacmap")
    reducer = pacmap.PaCMAP(
        n_components=2,
        n_neighbors=settings["n_neighbors"],
        MN_ratio=settings["MN_ratio"],
        FP_ratio=settings["FP_ratio"],
        random_state=settings["seed"],
    )
    return reducer.fit_transform(rows, init="pca")


def _umap(rows: FloatArray, settings: Mapping[str, Any]) -> Any:
    # The package would import TensorFlow for a part of it that is not used here; it does without
    # where that part cannot be imported.
    unused = "umap.parametric_umap"
    held_back = unused not in sys.modules
    if held_back:
        sys.modules[unused] = None  # type: ignore[assignment]
    try:
        umap = _imported("umap", "umap-learn", "umap")
    finally:
        if held_back:
            del sys.modules[unused]
    reducer = umap.UMAP(
        n_components=2,
        n_neighbors=settings["n_neighbors"],
        min_dist=settings["min_dist"],
        random_state=settings["seed"],
        n_jobs=1,
    )
    return reducer.fit_transform(rows)


def _tsne(rows: FloatArray, settings: Mapping[str, Any]) -> Any:
    manifold = _imported("sklearn.manifold", "scikit-learn", "tsne")
    reducer = manifold.TSNE(
        n_components=2,
        perplexity=settings["perplexity"],
        init="pca",
        random_state=settings["seed"],
    )
    return reducer.fit_transform(rows)


def _imported(module: str, package: str, method: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        missing = error.name or module
        raise UsageError(
            f"--method {method} needs {package}, but {missing} is not installed or cannot be "
            f"imported; install it with: pip install {_REQUIREMENT[package]}; or leave out --method"
        ) from None


_Run = Callable[[FloatArray, Mapping[str, Any]], Any]
_Settings = Callable[[int], dict[str, Any]]
# The function, the package, and its settings for so many rows: those that its authors advise.
_METHODS: Mapping[str, tuple[_Run, str, _Settings]] = {
    "pacmap": (
        _pacmap,
        "pacmap",
        lambda count: {"n_neighbors": 10, "MN_ratio": 0.5, "FP_ratio": 2.0, "init": "pca"},
    ),
    "umap": (
        _umap,
        "umap-learn",
        lambda count: {"n_neighbors": min(15, count - 1), "min_dist": 0.1, "init": "spectral"},
    ),
    "tsne": (
        _tsne,
        "scikit-learn",
        lambda count: {"perplexity": min(30.0, (count - 1) / 3), "init": "pca"},
    ),
}
NAMES = tuple(_METHODS)
_IN_EXTRA = "'embedinspect[map]'"
# PaCMAP lays out 5,000 rows in seconds, and brings scikit-learn, which has t-SNE.
_REQUIREMENT = {"pacmap": _IN_EXTRA, "scikit-learn": _IN_EXTRA, "umap-learn": "umap-learn"}


@contextmanager
def _silent() -> Iterator[None]:
    """Keep off the screen what libraries say of themselves: warnings, logs, bars of progress."""
    import logging

    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
