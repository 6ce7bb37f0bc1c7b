"""A classifier of texts, rebuilt in Keras, that can be asked step by step.

It is one Embedding layer and what its vectors go through: the classifier of a run, or the plain
layers of a `.keras` file, each made from checked settings and filled with the file's weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from embedinspect import keras_layer
from embedinspect.analysis.why.compiled import compiled, gradient
from embedinspect.errors import DataError
from embedinspect.formats.arrays import Array
from embedinspect.formats.keras_chain import Chain, read_weights
from embedinspect.formats.keras_chain_layers import ChainLayer
from embedinspect.sequences import IntArray
from embedinspect.stored_rows import FloatArray, Vectors
from embedinspect.training.predict import rebuild
from embedinspect.training.run_folder import Run

# What takes a mask, of the layers that a classifier may have behind its embedding.
_TAKE_MASK = frozenset({"LSTM", "GRU", "SimpleRNN", "Bidirectional", "GlobalAveragePooling1D"})
_RECURRENT = frozenset({"LSTM", "GRU", "SimpleRNN"})
_NUMBERS_AT_ONCE = 2**25


@dataclass
class Network:
    """A classifier that can be asked.

    Attributes:
        keras: the library.
        model: from ids, int32, shape (texts, length), to its output.
        final: what makes probabilities of the numbers of its last layer: `sigmoid`, `softmax`.
        from_logits: whether its output is these numbers themselves.
        length: how many positions it takes; None for any number.
        shortest: how many positions a text must have at least.
    """

    keras: Any
    model: Any
    final: str
    from_logits: bool = False
    length: int | None = None
    shortest: int = 1
    _slopes: dict[int, Any] = field(default_factory=dict, repr=False)

    @property
    def outputs(self) -> int:
        """How many numbers come out: one stands for the second of two classes."""
        return int(self.last.units)

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return max(2, self.outputs)

    @property
    def embedding(self) -> Any:
        """The Embedding layer."""
        return self.model.layers[0]

    @property
    def masks(self) -> bool:
        """Whether the padding is masked."""
        return bool(self.embedding.mask_zero)

    @cached_property
    def layers(self) -> list[Any]:
        """The layers between the embedding and the last one, without those of training alone."""
        inner = self.model.layers[1:-1]
        return [layer for layer in inner if "Dropout" not in type(layer).__name__]

    @property
    def last(self) -> Any:
        """The Dense layer at the end."""
        return self.model.layers[-1]

    @cached_property
    def rows(self) -> FloatArray:
        """The matrix of the embedding, shape (input_dim, output_dim)."""
        rows: FloatArray = self.keras.ops.convert_to_numpy(self.embedding.embeddings)
        return rows

    # -- answers --------------------------------------------------------------------------------

    def predict(self, ids: IntArray) -> FloatArray:
        """Return the probability of each class by the model, float32, shape (texts, classes)."""
        parts = [self._model(ids[start:end]) for start, end in self._batches(ids)]
        outputs = np.concatenate(parts)
        return self._activated(outputs) if self.from_logits else _two_sided(outputs, 1 - outputs)

    def logits(self, vectors: FloatArray, ids: IntArray) -> FloatArray:
        """Return the logit of each class, float32, shape (texts, classes), for vectors.

        Of one output the two logits are each other's opposite.

        Args:
            vectors: of positions, float32, shape (texts, length, output_dim).
            ids: whose mask counts, shape (texts, length).
        """
        outputs = self._of_vectors(vectors, ids)
        return _two_sided(outputs, -outputs)

    def slope(self, vectors: FloatArray, ids: IntArray, target: int) -> FloatArray:
        """Return the gradient of the logit of a class with respect to the vectors, of their shape.

        Raises:
            ImportError: Keras's backend has no gradients.
        """
        if target not in self._slopes:
            self._slopes[target] = self._slope_of(target)
        batches, slope = self._batches(ids, times=8), self._slopes[target]
        return np.concatenate([slope(vectors[a:b], ids[a:b]) for a, b in batches])

    def _batches(self, ids: IntArray, times: int = 1) -> list[tuple[int, int]]:
        """Return the bounds of batches that are not too large for the memory."""
        widest = max(int(np.prod(weight.shape[1:])) for weight in self.model.weights)
        step = max(1, _NUMBERS_AT_ONCE // (max(1, ids.shape[1]) * widest * times))
        return [(start, start + step) for start in range(0, len(ids), step)]

    # -- step by step ---------------------------------------------------------------------------

    @cached_property
    def not_step_by_step(self) -> str | None:
        """Why there is no answer after each token, as the end of a sentence; None where there is.

        There is one where all that reads positions reads them from left to right.
        """
        for layer in self.layers:
            name = type(layer).__name__
            if name in _RECURRENT and not layer.go_backwards:
                if not layer.return_sequences:  # what follows takes its last state alone
                    return None
            elif name not in {"Dense", "Activation"}:
                how = "takes many positions at once"
                how = "reads from right to left" if name in _RECURRENT else how
                how = "reads in both directions" if name == "Bidirectional" else how
                return f"its {name} layer {how}"
        return "none of its layers reads one position after another"

    def steps(self, ids: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return the probability of each class after each position of one text, and before any.

        One pass: the recurrent layers with the same weights return their state after each
        position, and the layers behind them take every one of these. Before any, it is zeros.

        Args:
            ids: shape (length,).

        Returns:
            float32, shape (length, classes), and shape (classes,).
        """
        return self._activated(self._after_each(ids[None])[0]), self._activated(self._at_rest())[0]

    @cached_property
    def _stepping(self) -> list[Any]:
        """The layers, of which the recurrent ones return what they have after each position."""
        layers = []
        for layer in self.layers:
            if type(layer).__name__ in _RECURRENT and not layer.return_sequences:
                stepping = type(layer)(**{**layer.get_config(), "return_sequences": True})
                stepping.build((None, None, layer.weights[0].shape[0]))
                stepping.set_weights(layer.get_weights())
                layer = stepping
            layers += [] if type(layer).__name__ == "Flatten" else [layer]
        return layers

    def _at_rest(self) -> FloatArray:
        """Return the numbers of the last layer for a state of zeros, shape (1, outputs)."""
        recurrent = [type(layer).__name__ in _RECURRENT for layer in self._stepping]
        at = len(recurrent) - recurrent[::-1].index(True)
        state = np.zeros((1, 1, self._stepping[at - 1].units), np.float32)
        with keras_layer.quiet():
            values = self._finish(_through(self._stepping[at:], state, None))
            logits: FloatArray = self.keras.ops.convert_to_numpy(values)[0]
        return logits

    # -- tensors --------------------------------------------------------------------------------

    def _finish(self, values: Any) -> Any:
        """Return the numbers of the last layer, before its activation."""
        last, ops = self.last, self.keras.ops
        product = ops.matmul(values, last.kernel)
        return product + last.bias if last.use_bias else product

    @cached_property
    def _model(self) -> Any:
        return self._compiled(
            lambda ids: self.model(ids, training=False), ((None, self.length), "int32")
        )

    @cached_property
    def _after_each(self) -> Any:
        layers = self._stepping

        def after_each(ids: Any) -> Any:
            mask = self.embedding.compute_mask(ids)
            return self._finish(_through(layers, self.embedding(ids), mask))

        return self._compiled(after_each, ((None, self.length), "int32"))

    @cached_property
    def _of_vectors(self) -> Any:
        return self._compiled(self._outputs, *self._shapes)

    def _outputs(self, vectors: Any, ids: Any) -> Any:
        """Return the numbers of the last layer, a tensor of shape (texts, outputs)."""
        mask = self.embedding.compute_mask(ids)
        return self._finish(_through(self.layers, vectors, mask))

    def _slope_of(self, target: int) -> Any:
        def logit(vectors: Any, ids: Any) -> Any:
            outputs = self._outputs(vectors, ids)
            if outputs.shape[-1] > 1:
                return outputs[:, target]
            return outputs[:, 0] if target else -outputs[:, 0]

        return _quietly(gradient(self.keras, logit, *self._shapes))

    @property
    def _shapes(self) -> tuple[tuple[tuple[int | None, ...], str], ...]:
        width = int(self.embedding.output_dim)
        return ((None, self.length, width), "float32"), ((None, self.length), "int32")

    def _compiled(self, function: Any, *shapes: Any) -> Any:
        return _quietly(compiled(self.keras, function, *shapes))

    def _activated(self, outputs: FloatArray) -> FloatArray:
        """Return the probabilities that the activation makes of numbers of the last layer."""
        ops = self.keras.ops
        with keras_layer.quiet():
            chances = getattr(ops, self.final)(ops.convert_to_tensor(outputs))
            chances = ops.convert_to_numpy(chances)
        return _two_sided(chances, 1 - chances)


def _two_sided(second: FloatArray, first: FloatArray) -> FloatArray:
    """Return a column for each class, where one output stands for the second of two."""
    return second if second.shape[-1] > 1 else np.concatenate([first, second], axis=-1)


def _quietly(function: Any) -> Any:
    def run(*arrays: Array) -> Array:
        with keras_layer.quiet():
            result: Array = function(*arrays)
        return result

    return run


def _through(layers: Sequence[Any], values: Any, mask: Any) -> Any:
    """Return what comes out of layers, each of which hands the mask on as Keras has it."""
    for layer in layers:
        takes = mask is not None and type(layer).__name__ in _TAKE_MASK
        after = layer.compute_mask(values, mask) if layer.supports_masking else None
        values = layer(values, mask=mask) if takes else layer(values)
        mask = after
    return values


# -- how it is made --------------------------------------------------------------------------------


def of_run(run: Run, backend: str | None = None) -> Network:
    """Return the classifier of a run, with the weights after its last epoch.

    Raises:
        DataError: the checkpoint is missing or damaged.
    """
    keras, model = rebuild(run, backend)
    length = None if run.settings.mask_zero else run.settings.maxlen
    return Network(keras, model, "sigmoid", length=length)


def of_chain(path: str, chain: Chain, rows: Vectors, backend: str | None = None) -> Network:
    """Return the classifier of a `.keras` file, rebuilt from its chain of plain layers.

    Args:
        rows: of its Embedding layer.

    Raises:
        DataError: a weight is missing, damaged, or of another shape than the config says.
    """
    if rows.shape != chain.shape:
        raise DataError(
            f"the Embedding layer of {path!r} has weights of shape {rows.shape}; expected "
            f"{chain.shape}, by the config of the model"
        )
    weights = read_weights(Path(path), chain)
    keras = keras_layer.load(backend)
    with keras_layer.quiet():
        embedding = keras.layers.Embedding(*chain.shape, mask_zero=chain.mask_zero)
        layers = [_layer(keras, layer) for layer in chain.layers]
        activation = "linear" if chain.from_logits else chain.final
        layers[-1].activation = keras.activations.get(activation)
        model = keras.Sequential([keras.Input((chain.length,), dtype="int32"), embedding, *layers])
        embedding.set_weights([np.asarray(rows)])
        for layer, arrays in zip(layers, weights, strict=True):
            layer.set_weights(arrays)
    return Network(keras, model, chain.final, chain.from_logits, chain.length, chain.shortest)


def _layer(keras: Any, layer: ChainLayer) -> Any:
    """Return a layer of Keras's own; its class is one of those that `keras_chain_layers` knows."""
    make = getattr(keras.layers, layer.class_name)
    if layer.inner:
        forward, backward = (_layer(keras, inner) for inner in layer.inner)
        return make(forward, backward_layer=backward, **layer.settings)
    return make(**layer.settings)
