"""The backends that Keras can run on, by name; nothing is imported here."""

from __future__ import annotations

import importlib.util
import os

from embedinspect.errors import UsageError

BACKENDS = ("tensorflow", "jax", "torch", "numpy", "openvino")


def choose(requested: str | None) -> str:
    """Return the backend to use: the requested one, else `KERAS_BACKEND`, else TensorFlow.

    Raises:
        UsageError: `KERAS_BACKEND` names a backend that Keras does not have.
    """
    if requested:
        return requested
    backend = os.environ.get("KERAS_BACKEND") or BACKENDS[0]
    if backend not in BACKENDS:
        raise UsageError(
            f"KERAS_BACKEND is {backend!r}; expected one of {', '.join(BACKENDS)}; set it to one "
            "of them, or unset it"
        )
    return backend


def check_installed(backend: str) -> None:
    """Find out whether a backend is there, which Keras would say only when it is imported.

    Raises:
        UsageError: it is not installed.
    """
    if importlib.util.find_spec(backend) is None:
        raise UsageError(
            f"Keras cannot run on {backend}, which is not installed; install it, or choose another "
            "with --backend"
        )
