"""Which backend a run is trained on, and the versions of what trains it."""

from __future__ import annotations

import os
import platform
from dataclasses import replace
from importlib import metadata
from typing import Any

import numpy as np

from embedinspect import __version__
from embedinspect.backend import check_installed
from embedinspect.backend import choose as choose_any
from embedinspect.errors import UsageError
from embedinspect.training.run_folder import Run
from embedinspect.training.run_state import TRAINING

TRAINERS = ("tensorflow", "jax", "torch")  # Keras's other backends have no gradients


def choose(requested: str | None, run: Run | None = None, *, shared: bool = False) -> str:
    """Return the backend to train on.

    It is the requested one, else `KERAS_BACKEND`, else that of a run that goes on, else TensorFlow.

    Args:
        shared: by several processes, or in shards, which takes JAX.

    Raises:
        UsageError: Keras cannot train on it, or it is not installed.
    """
    if shared:
        backend = requested or os.environ.get("KERAS_BACKEND") or "jax"
        if backend != "jax":
            source = "--backend" if requested else "KERAS_BACKEND"
            raise UsageError(
                f"several processes and shards need JAX, but {source} is {backend}; expected "
                "--backend jax"
            )
        return backend
    before = None if run is None else trained_on(run)
    if requested is None and not os.environ.get("KERAS_BACKEND") and before is not None:
        backend = before
    else:
        backend = choose_any(requested)
    if backend not in TRAINERS:
        raise UsageError(
            f"Keras cannot train on {backend}; expected --backend {', '.join(TRAINERS[:-1])} or "
            f"{TRAINERS[-1]}"
        )
    check_installed(backend)
    return backend


def trained_on(run: Run) -> str | None:
    """Return the backend that a run was trained on last; None where it does not say."""
    backend = (run.versions or {}).get("backend")
    return backend if backend in TRAINERS else None


def change_of_backend(run: Run, backend: str) -> str | None:
    """Return what to say where a run goes on with another backend; None where it does not."""
    before = trained_on(run)
    if before in {None, backend}:
        return None
    return (
        f"{run.path} was trained on {before} and goes on with {backend}, which gives other bits; "
        f"to stay with {before}: --backend {before}"
    )


def versions(keras: Any) -> dict[str, str]:
    """Return the versions of the packages that train, and the name of the backend."""
    backend = keras.config.backend()
    return {
        "embedinspect": __version__,
        "keras": keras.version(),
        "backend": backend,
        "numpy": np.__version__,
        "python": platform.python_version(),
        backend: metadata.version(backend),
    }


def recorded(run: Run, keras: Any) -> Run:
    """Return a run that goes on with the versions that are there now; it keeps the earlier ones."""
    now = versions(keras)
    if run.status != TRAINING or run.versions == now:
        return run
    if not run.epochs:
        return replace(run, versions=now)
    before = {"epochs": run.epochs, "versions": run.versions or {}}
    return replace(run, versions=now, earlier_versions=(*run.earlier_versions, before))
