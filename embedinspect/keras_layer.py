"""The real Keras model around a matrix: build it, run it, compare every vector.

Keras is imported through `load` alone, which sets the backend: it cannot be changed later.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedinspect.errors import EmbedInspectError, KerasUnavailable, UsageError
from embedinspect.lookup import Lookup

BACKENDS = ("tensorflow", "jax", "torch", "numpy", "openvino")
_VALUES_AT_A_TIME = 2**22


@dataclass(frozen=True)
class Proof:
    """What Keras itself made of the same batch.

    Attributes:
        version: of Keras.
        backend: that Keras ran on.
        output_shape: the shape that came out.
        vectors_equal: output vectors that equal the row of their id, bit for bit.
        vectors_total: output vectors.
        mask_equal: positions whose mask is as expected; None without `mask_zero`.
        first_difference: (text, position) of the first vector or mask value that differs.
    """

    version: str
    backend: str
    output_shape: tuple[int, ...]
    vectors_equal: int
    vectors_total: int
    mask_equal: int | None
    first_difference: tuple[int, int] | None

    @property
    def holds(self) -> bool:
        """Whether Keras's output is the lookup, to the last bit."""
        return self.first_difference is None


def choose_backend(asked: str | None) -> str:
    """Return the backend to use: the one asked for, else `KERAS_BACKEND`, else TensorFlow.

    Raises:
        UsageError: the environment names one that Keras does not have.
    """
    if asked:
        return asked
    named = os.environ.get("KERAS_BACKEND") or BACKENDS[0]
    if named not in BACKENDS:
        raise UsageError(
            f"KERAS_BACKEND is {named!r}; expected one of {', '.join(BACKENDS)}, or not set"
        )
    return named


def load(backend: str | None = None) -> Any:
    """Import Keras on a backend, quietly, and return the module.

    Raises:
        UsageError: Keras was imported before, on another backend.
        KerasUnavailable: Keras or the backend cannot be imported.
    """
    backend = choose_backend(backend)
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = backend
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        with quiet():
            _import(backend)
    keras = importlib.import_module("keras")
    if keras.config.backend() != backend:
        raise UsageError(
            f"Keras runs on {keras.config.backend()} already, and cannot change to {backend}"
        )
    return keras


def _import(backend: str) -> None:
    """Import Keras with the garbage collector off: it saves a sixth of the time.

    What the import made stays until the end, so the collector need never look at it either.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        importlib.import_module("keras")
        gc.freeze()
    except ImportError as error:
        missing = error.name or str(error)
        raise KerasUnavailable(
            f"Keras cannot run on {backend}: {missing} is not installed or does not load; expected "
            f"an installed backend, one of {', '.join(BACKENDS)}; install it, or choose another "
            "with --backend, or leave Keras out with --no-keras"
        ) from error
    finally:
        if collecting:
            gc.enable()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what native code prints on the process's stdout and stderr off the screen.

    TensorFlow logs from C++ whatever its settings say, so the file descriptors themselves are
    turned away. What was caught is replayed on stderr if the block fails for a reason that is
    not ours; an interrupt that native code swallowed is raised at the end.
    """
    interrupted = []

    def interrupt(*_: object) -> None:
        interrupted.append(True)
        raise KeyboardInterrupt

    with tempfile.TemporaryFile() as caught, _handling(interrupt):
        saved = _turn_away(caught.fileno())
        try:
            yield
        except (KeyboardInterrupt, EmbedInspectError, GeneratorExit):
            raise  # the last: an interrupt at the very end of the block, before this was told
        except BaseException:
            _turn_back(saved)
            if interrupted:
                raise KeyboardInterrupt from None
            caught.seek(0)
            sys.stderr.write(caught.read().decode(errors="replace"))
            raise
        finally:
            _turn_back(saved)
    if interrupted:
        raise KeyboardInterrupt


@contextmanager
def _handling(handler: Any) -> Iterator[None]:
    """Use another handler for Ctrl-C; only the main thread may, and only if it is not ignored."""
    try:
        before = signal.getsignal(signal.SIGINT)
        if before is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, handler)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _turn_away(target: int) -> dict[int, int]:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    saved = {}
    for descriptor in (1, 2):
        try:
            saved[descriptor] = os.dup(descriptor)
        except OSError:  # it was closed by whoever started us
            continue
        os.dup2(target, descriptor)
    return saved


def _turn_back(saved: dict[int, int]) -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    while saved:
        descriptor, copy = saved.popitem()
        os.dup2(copy, descriptor)
        os.close(copy)


def prove(lookup: Lookup, backend: str | None = None) -> Proof:
    """Run the lookup's batch through a Keras model with its matrix, and compare bit for bit.

    The model is Input and Embedding, with `mask_zero` where it was asked for. The batch goes
    through in parts, so the output tensor is never held whole.

    Raises:
        KerasUnavailable: Keras or the backend cannot be imported.
        UsageError: as for `load`.
    """
    keras = load(backend)
    with quiet():
        matrix, maxlen = lookup.matrix, lookup.maxlen
        embedding = keras.layers.Embedding(
            matrix.input_dim, matrix.output_dim, mask_zero=lookup.settings.mask_zero
        )
        model = keras.Sequential([keras.Input((maxlen,), dtype="int32"), embedding])
        embedding.set_weights([matrix.rows])
        shape: tuple[int, ...] = (0, *model.output_shape[1:])
        step = max(1, _VALUES_AT_A_TIME // max(1, maxlen * matrix.output_dim))
        equal, mask_equal, first = 0, 0, None
        for start in range(0, len(lookup.texts), step):
            ids = lookup.sequences[start : start + step]
            tensor = model(ids)
            output = np.ascontiguousarray(keras.ops.convert_to_numpy(tensor), np.float32)
            expected = np.ascontiguousarray(matrix.rows[ids])
            same = (output.view(np.uint32) == expected.view(np.uint32)).all(axis=-1)
            equal += int(same.sum())
            shape = (shape[0] + output.shape[0], *output.shape[1:])
            if lookup.settings.mask_zero:
                mask = keras.ops.convert_to_numpy(embedding.compute_mask(ids))
                same_mask = mask == (ids != 0)
                mask_equal += int(same_mask.sum())
                same = same & same_mask
            if first is None and not same.all():
                text, position = np.argwhere(~same)[0].tolist()
                first = (start + text, position)
    return Proof(
        version=keras.version(),
        backend=keras.config.backend(),
        output_shape=shape,
        vectors_equal=equal,
        vectors_total=int(lookup.sequences.size),
        mask_equal=mask_equal if lookup.settings.mask_zero else None,
        first_difference=first,
    )
