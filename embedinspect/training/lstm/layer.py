"""The classifier in Keras with the packed LSTM in it: its layers and weights are Keras's own."""

from __future__ import annotations

import importlib
from typing import Any

from embedinspect.formats.arrays import Array
from embedinspect.sequences import IntArray
from embedinspect.training.lstm.passes import Passes, Weights


def packed(keras: Any, plain: Any) -> Any:
    """Return a model of the same layers that computes its LSTM from ids, and tokens alone.

    Args:
        plain: a built Sequential of Embedding, LSTM and Dense, which is what the model is saved as.
    """
    tensorflow = importlib.import_module("tensorflow")
    embedding, lstm, _ = plain.layers
    passes = Passes(masked=bool(embedding.mask_zero))
    number = tensorflow.float32

    def forward(ids: IntArray, table: Array, *weights: Array) -> Array:
        return passes.forward(ids, table, Weights(*weights))

    def outputs(ids: IntArray, table: Array, *weights: Array) -> Array:
        return passes.outputs(ids, table, Weights(*weights))

    def backward(of_outputs: Array, _: Array) -> tuple[Any, ...]:
        found = passes.backward(of_outputs)
        weights = found.weights
        return (
            found.vectors,
            found.ids.astype("int32"),
            weights.kernel,
            weights.recurrent_kernel,
            weights.bias,
        )

    def run(function: Any, inputs: list[Any]) -> Any:
        result = tensorflow.numpy_function(function, inputs, number)
        result.set_shape((inputs[0].shape[0], lstm.units))
        return result

    def trained(ids: Any, weights: list[Any]) -> Any:
        def with_gradient(table: Any, *others: Any) -> Any:
            result = run(forward, [ids, table, *others])

            def gradient(of_outputs: Any) -> Any:
                # The outputs are given, too, so that the way back comes after the one forwards.
                types = [number, tensorflow.int32, number, number, number]
                vectors, rows, *rest = tensorflow.numpy_function(
                    backward, [of_outputs, result], types
                )
                for value, weight in zip(rest, others, strict=True):
                    value.set_shape(weight.shape)
                # One gradient for each position, as of Keras's Embedding: its Adam squares each.
                vectors.set_shape((None, table.shape[1]))
                rows.set_shape((None,))
                of_table = tensorflow.IndexedSlices(vectors, rows, tensorflow.shape(table))
                return (of_table, *rest)

            return result, gradient

        return tensorflow.custom_gradient(with_gradient)(*weights)

    class PackedClassifier(keras.Sequential):  # type: ignore[misc]
        def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
            ids = tensorflow.cast(inputs, tensorflow.int32)
            cell = lstm.cell
            variables = (embedding.embeddings, cell.kernel, cell.recurrent_kernel, cell.bias)
            weights = [tensorflow.convert_to_tensor(variable.value) for variable in variables]
            last = trained(ids, weights) if training else run(outputs, [ids, *weights])
            return self.layers[-1](last)

    model = PackedClassifier(name=plain.name)
    for layer in (keras.Input(plain.input_shape[1:], dtype="int32"), *plain.layers):
        model.add(layer)
    return model
