"""Functions of tensors, and their gradients, compiled where Keras's backend can do that.

A recurrent layer takes many small steps: run one by one they take ten times as long as compiled.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from embedinspect.formats.arrays import Array

Function = Callable[..., Any]
# The backends that can differentiate; Keras's others only compute forwards.
WITH_GRADIENTS = ("tensorflow", "jax", "torch")


def compiled(keras: Any, function: Function, *shapes: tuple[tuple[int | None, ...], str]) -> Any:
    """Return a function of tensors as one of arrays.

    Args:
        function: of tensors, each of a shape and a type; it returns one tensor.
        shapes: of its arguments, each with its type; None for a size that changes from call to
            call.
    """
    backend = keras.config.backend()
    if backend == "tensorflow":
        library = importlib.import_module(backend)
        signature = [library.TensorSpec(shape, dtype) for shape, dtype in shapes]
        function = library.function(function, input_signature=signature, autograph=False)
    elif backend == "jax":
        function = importlib.import_module(backend).jit(function)
    types = [dtype for _, dtype in shapes]

    def of_arrays(*arrays: Array) -> Array:
        tensors = _tensors(keras, arrays, types)
        result: Array = keras.ops.convert_to_numpy(function(*tensors))
        return result

    return of_arrays


def gradient(keras: Any, function: Function, *shapes: tuple[tuple[int | None, ...], str]) -> Any:
    """Return the gradient of a function with respect to its first argument, as one of arrays.

    Args:
        function: of tensors; it returns one number for each item of a batch, which hangs on that
            item alone.
        shapes: as for `compiled`.
    """
    backend = keras.config.backend()
    if backend == "torch":
        return _by_torch(keras, function, [dtype for _, dtype in shapes])
    library = importlib.import_module(backend)
    if backend == "jax":
        return compiled(keras, library.grad(lambda *given: function(*given).sum()), *shapes)

    def by_tape(first: Any, *others: Any) -> Any:
        with library.GradientTape() as tape:
            tape.watch(first)
            values = function(first, *others)
        return tape.gradient(values, first)

    return compiled(keras, by_tape, *shapes)


def _by_torch(keras: Any, function: Function, types: list[str]) -> Function:
    def of_arrays(*arrays: Array) -> Array:
        first, *others = _tensors(keras, arrays, types)
        first.requires_grad_(True)
        function(first, *others).sum().backward()
        result: Array = keras.ops.convert_to_numpy(first.grad)
        return result

    return of_arrays


def _tensors(keras: Any, arrays: Any, types: list[str]) -> list[Any]:
    pairs = zip(arrays, types, strict=True)
    return [keras.ops.convert_to_tensor(array, dtype=dtype) for array, dtype in pairs]
