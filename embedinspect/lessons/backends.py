"""What each installed backend of Keras does with an id that has no row."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence

# Keras's NumPy backend takes some of its operations from the two packages.
NEEDS = {
    "tensorflow": ("tensorflow",),
    "jax": ("jax",),
    "torch": ("torch",),
    "numpy": ("jax", "scipy"),
}
_SECONDS = 180

# Each backend needs a process of its own: Keras cannot change it once it is imported.
SCRIPT = """
import json, sys, warnings
warnings.simplefilter("ignore")
import keras, numpy as np
rows, ids = json.loads(sys.argv[1])
weights = (np.arange(rows * 2, dtype="float32").reshape(rows, 2) + 1) / 10

def layer():
    embedding = keras.layers.Embedding(rows, 2)
    embedding.build()
    embedding.set_weights([weights])
    return embedding

def outcome(run, id_):
    try:
        vector = keras.ops.convert_to_numpy(run(np.array([[id_]], "int32"))).ravel()
    except Exception as error:
        cause = error
        return "error: " + type(cause).__name__
    if np.isnan(vector).all():
        return "a row of NaN"
    if not vector.any():
        return "a row of zeros"
    same = [n for n in range(rows) if np.array_equal(weights[n], vector)]
    if not same:
        return "no row of the matrix"
    return "row %d, silently" % same[0] + (", the last row" if same[0] == rows - 1 else "")

answers = {keras.config.backend(): [outcome(layer(), id_) for id_ in ids]}
if keras.config.backend() == "tensorflow":
    model = keras.Sequential([keras.Input((1,), dtype="int32"), layer()])
    model.compile(jit_compile=True)
    run = lambda batch: model.predict(batch, verbose=0)
    answers["tensorflow with jit_compile"] = [outcome(run, id_) for id_ in ids]
sys.stdout.write("\\n" + json.dumps(answers) + "\\n")
"""


def missing_packages() -> dict[str, list[str]]:
    """Return for each backend the packages that it needs and that cannot be found."""
    return {
        name: [package for package in packages if importlib.util.find_spec(package) is None]
        for name, packages in NEEDS.items()
    }


def ask_backends(backends: Sequence[str], rows: int, ids: Sequence[int]) -> dict[str, list[str]]:
    """Look the ids up on every backend, each in a process of its own, all at the same time.

    Returns:
        For each backend what became of each id, in words.
    """
    argument = json.dumps([rows, list(ids)])
    answers: dict[str, list[str]] = {}
    with contextlib.ExitStack() as stack:
        processes = {}
        for backend in backends:
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", SCRIPT, argument],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            processes[backend] = process
        for backend, process in processes.items():
            try:
                lines = process.communicate(timeout=_SECONDS)[0].decode().strip().splitlines()
                answers |= json.loads(lines[-1])
            except (subprocess.TimeoutExpired, IndexError, ValueError):
                answers[backend] = ["it does not run here"] * len(ids)
    return answers
