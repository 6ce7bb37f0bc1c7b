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

from embedinspect.backend import BACKENDS, choose
from embedinspect.errors import EmbedInspectError, KerasUnavailable, UsageError
from embedinspect.lookup import Lookup
from embedinspect.sequences import IntArray
from embedinspect.stored_rows import FloatArray, Vectors

_VALUES_AT_A_TIME = 2**22
_MOST_VALUES = 2**26  # of a layer that is given all rows; of a larger matrix it has those in use


@dataclass(frozen=True)
class Proof:
    """How the output of Keras compares with the lookup, on the same batch.

    Attributes:
        version: the version of Keras.
        backend: the backend that Keras ran on.
        output_shape: the shape of the output, (texts, maxlen, output_dim).
        vectors_equal: number of output vectors that equal the row of their id, bit for bit.
        vectors_total: number of output vectors.
        mask_equal: number of positions whose mask is as expected; None without `mask_zero`.
        first_difference: (text, position) of the first vector or mask value that differs.
        rows: how many rows the layer was given, where it has only those that are looked up; None
            where it has all.
    """

    version: str
    backend: str
    output_shape: tuple[int, ...]
    vectors_equal: int
    vectors_total: int
    mask_equal: int | None
    first_difference: tuple[int, int] | None
    rows: int | None = None

    @property
    def holds(self) -> bool:
        """Whether Keras's output is the lookup, to the last bit."""
        return self.first_difference is None


def load(backend: str | None = None) -> Any:
    """Import Keras on a backend, quietly, and return the module.

    Raises:
        UsageError: Keras was imported before, on another backend.
        KerasUnavailable: Keras or the backend cannot be imported.
    """
    backend = choose(backend)
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = backend
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        with quiet():
            _import(backend)
    keras = importlib.import_module("keras")
    if keras.config.backend() != backend:
        raise UsageError(
            f"Keras already runs on {keras.config.backend()} and cannot change to {backend}; start "
            "a new process for another backend"
        )
    return keras


def _import(backend: str) -> None:
    """Import Keras with the garbage collector off, which saves a sixth of the time.

    What the import makes stays until the process ends, so the collector never needs to look at it.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        importlib.import_module("keras")
        gc.freeze()
    except ImportError as error:
        missing = error.name or str(error)
        raise KerasUnavailable(
            f"Keras cannot run on {backend}: {missing} is not installed or cannot be imported; "
            f"expected an installed backend, one of {', '.join(BACKENDS)}; install it, or choose "
            "another with --backend; show, axis, explain and report can leave Keras out with "
            "--no-keras"
        ) from error
    finally:
        if collecting:
            gc.enable()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep off the screen what native code prints on the process's stdout and stderr.

    TensorFlow logs from C++ whatever its settings say, so the file descriptors themselves are
    redirected. What was caught is replayed on stderr if the block fails with an error that is not
    one of our own; an interrupt that native code swallowed is raised at the end.
    """
    interrupted = []

    def interrupt(*_: object) -> None:
        interrupted.append(True)
        raise KeyboardInterrupt

    with tempfile.TemporaryFile() as caught, _handling(interrupt):
        saved = _redirect(caught.fileno())
        try:
            yield
        except (KeyboardInterrupt, EmbedInspectError, GeneratorExit):
            raise  # GeneratorExit comes of an interrupt at the very end of the block
        except BaseException:
            _restore(saved)
            if interrupted:
                raise KeyboardInterrupt from None
            caught.seek(0)
            sys.stderr.write(caught.read().decode(errors="replace"))
            raise
        finally:
            _restore(saved)
    if interrupted:
        raise KeyboardInterrupt


@contextmanager
def _handling(handler: Any) -> Iterator[None]:
    """Use another handler for Ctrl-C, unless Ctrl-C is ignored or this is not the main thread."""
    try:
        previous = signal.getsignal(signal.SIGINT)
        if previous is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, handler)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def _redirect(target: int) -> dict[int, int]:
    """Send stdout and stderr to a file descriptor; return a copy of each, by its descriptor."""
    _flush()
    saved = {}
    for descriptor in (1, 2):
        try:
            saved[descriptor] = os.dup(descriptor)
        except OSError:  # it was closed by whoever started the process
            continue
        os.dup2(target, descriptor)
    return saved


def _restore(saved: dict[int, int]) -> None:
    """Send stdout and stderr where they went before; a second call does nothing more."""
    _flush()
    while saved:
        descriptor, copy = saved.popitem()
        os.dup2(copy, descriptor)
        os.close(copy)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def prove(lookup: Lookup, backend: str | None = None) -> Proof:
    """Run the lookup's batch through a Keras model with its matrix, and compare bit for bit.

    The model is Input and Embedding, with `mask_zero` if the lookup has it. The batch goes
    through in parts, so the output tensor is never held whole; and the layer gets no more rows than
    it needs where the matrix is large, numbered anew.

    Raises:
        KerasUnavailable: Keras or the backend cannot be imported.
        UsageError: as for `load`.
    """
    keras = load(backend)
    matrix, maxlen, mask_zero = lookup.matrix, lookup.maxlen, lookup.settings.mask_zero
    step = max(1, _VALUES_AT_A_TIME // max(1, maxlen * matrix.output_dim))
    sequences, rows = _in_use(lookup)
    with quiet():
        embedding = keras.layers.Embedding(len(rows), matrix.output_dim, mask_zero=mask_zero)
        model = keras.Sequential([keras.Input((maxlen,), dtype="int32"), embedding])
        embedding.set_weights([np.asarray(rows)])
        shape: tuple[int, ...] = (0, *model.output_shape[1:])
        same_vectors, same_masks = [], []
        for start in range(0, len(lookup.texts), step):
            ids = lookup.sequences[start : start + step]
            numbers = sequences[start : start + step]
            output = keras.ops.convert_to_numpy(model(numbers))
            shape = (shape[0] + output.shape[0], *output.shape[1:])
            expected = matrix.rows[ids.ravel()].reshape(output.shape)
            same_vectors.append(_same_bits(output, expected))
            if mask_zero:
                mask = keras.ops.convert_to_numpy(embedding.compute_mask(numbers))
                same_masks.append(mask == (ids != 0))
    vectors = np.concatenate([*same_vectors, np.empty((0, maxlen), bool)])
    masks = np.concatenate(same_masks) if same_masks else np.ones_like(vectors)
    differences = np.argwhere(~(vectors & masks))
    return Proof(
        version=keras.version(),
        backend=keras.config.backend(),
        output_shape=shape,
        vectors_equal=int(vectors.sum()),
        vectors_total=int(lookup.sequences.size),
        mask_equal=int(masks.sum()) if mask_zero else None,
        first_difference=tuple(differences[0].tolist()) if len(differences) else None,
        rows=len(rows) if len(rows) < matrix.input_dim else None,
    )


def _in_use(lookup: Lookup) -> tuple[IntArray, Vectors]:
    """Return the sequences and the rows that the layer gets: of a large matrix, those in use.

    Id 0 keeps its number, since the mask goes by it.
    """
    rows, sequences = lookup.matrix.rows, lookup.sequences
    if rows.size <= _MOST_VALUES:
        return sequences, rows
    used = np.union1d(sequences, [0]).astype(np.int32)
    return np.searchsorted(used, sequences).astype(np.int32), rows[used]


def _same_bits(output: FloatArray, expected: FloatArray) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which vectors are equal bit for bit, NaN and -0 included, shape (texts, maxlen)."""
    bits, expected_bits = (
        np.ascontiguousarray(vectors, np.float32).view(np.uint32) for vectors in (output, expected)
    )
    same: np.ndarray[Any, np.dtype[np.bool_]] = (bits == expected_bits).all(axis=-1)
    return same
