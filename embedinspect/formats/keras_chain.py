"""A saved text classifier as a chain of plain Keras layers, with its weights.

Nothing is deserialized: each layer is read from settings that are checked one by one, so no name
in a file can lead to code, and no size is believed before the weights of that size are there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from embedinspect.errors import DataError
from embedinspect.formats.keras_chain_layers import (
    ChainLayer,
    Size,
    checked,
    read_layer,
    shortest,
    truth,
    whole,
)
from embedinspect.formats.keras_chain_order import (
    Config,
    Entry,
    NotAChain,
    layers_in_order,
    snake_case,
)
from embedinspect.formats.keras_container import open_weights
from embedinspect.formats.weight_files import WeightFiles
from embedinspect.stored_rows import FloatArray
from embedinspect.wording import clipped_repr, plural

_MOST_POSITIONS = 10**5


@dataclass(frozen=True)
class Chain:
    """A classifier of texts: an Embedding layer, and what its vectors go through one by one.

    Attributes:
        embedding: the name of the Embedding layer.
        shape: of its matrix, (input_dim, output_dim).
        mask_zero: whether it masks the padding.
        length: how many positions the model takes; None for any number.
        vectorizes: whether the model turns texts into ids by a layer of its own.
        layers: behind the embedding, those that only training needs left out. The last is a Dense
            layer without its activation.
        final: what makes probabilities of its numbers: `sigmoid` or `softmax`.
        classes: how many numbers come out.
        from_logits: whether the model leaves that to its loss, so that its output is the logits.
        assumed: whether the file does not say so.
    """

    embedding: str
    shape: tuple[int, int]
    mask_zero: bool
    length: int | None
    vectorizes: bool
    layers: tuple[ChainLayer, ...]
    final: str
    classes: int
    from_logits: bool = False
    assumed: bool = False

    @property
    def shortest(self) -> int:
        """How many positions a text must have at least."""
        return shortest(self.layers)


def chain_of(config: Config, label: str) -> Chain:
    """Return a model as a chain of layers.

    Args:
        config: of the model, as the file has it.
        label: how errors name the file.

    Raises:
        DataError: the model is anything else; it names the layer that is the reason.
    """
    try:
        return _chain(config)
    except NotAChain as reason:
        raise DataError(
            f"{label} {reason}; running a stranger's model is not done: expected plain layers one "
            "behind the other (Embedding; recurrent, convolution or pooling layers; Dense), from "
            "which it is rebuilt"
        ) from None


def _chain(config: Config) -> Chain:
    entries = layers_in_order(config)
    names = [entry.class_name for entry in entries]
    if "Embedding" not in names:
        raise NotAChain("has no Embedding layer")
    at = names.index("Embedding")
    before, embedding = entries[:at], entries[at]
    checked(embedding, {"input_dim", "output_dim", "mask_zero"})
    shape = whole(embedding, "input_dim"), whole(embedding, "output_dim")
    mask_zero = truth(embedding, "mask_zero")
    length = _length(before, config)
    size = Size(length, shape[1], masked=mask_zero)
    layers: list[ChainLayer] = []
    for entry in entries[at + 1 :]:
        layer, size = read_layer(entry, size)
        layers += [] if layer is None else [layer]
    layers, final = _ending(layers, size)
    from_logits = final == "linear"
    final, assumed = _of_logits(config, size.width) if from_logits else (final, False)
    return Chain(
        embedding=embedding.name,
        shape=shape,
        mask_zero=mask_zero,
        length=length,
        vectorizes="TextVectorization" in names[:at],
        layers=tuple(layers),
        final=final,
        classes=size.width,
        from_logits=from_logits,
        assumed=assumed,
    )


def _length(before: list[Entry], config: Config) -> int | None:
    """Return how many ids the layers in front of the embedding give; None for any number."""
    shape: Any = config["config"].get("build_input_shape")
    for entry in before:
        if entry.class_name == "InputLayer":
            shape = entry.config.get("batch_shape") or entry.config.get("batch_input_shape")
        elif entry.class_name == "TextVectorization":
            mode, ragged = entry.config.get("output_mode", "int"), entry.config.get("ragged")
            if mode != "int" or ragged not in (None, False):
                raise NotAChain(f"has {entry.label}, which does not give sequences of ids")
            shape = [None, entry.config.get("output_sequence_length")]
        else:
            raise NotAChain(f"has {entry.label} in front of its Embedding layer")
    if shape is None:
        return None
    if not (isinstance(shape, list) and len(shape) == 2):
        raise NotAChain(f"takes an input of shape {clipped_repr(str(shape))}, not one row of ids")
    length = shape[1]
    if length is not None and not (type(length) is int and 1 <= length <= _MOST_POSITIONS):
        raise NotAChain(f"takes {clipped_repr(str(length))} positions")
    return length


def _ending(layers: list[ChainLayer], size: Size) -> tuple[list[ChainLayer], str]:
    """Return the layers, the last of them without the activation of the output, and that."""
    final = "linear"
    if layers and layers[-1].class_name == "Activation":
        *layers, activation = layers
        final = activation.settings["activation"]
    if not layers or layers[-1].class_name != "Dense" or size.positions:
        raise NotAChain("does not end with a Dense layer that gives one answer for each text")
    *layers, last = layers
    own = last.settings["activation"]
    if "linear" not in {final, own}:
        raise NotAChain(f"ends with two activations, {own} and {final}")
    final = own if final == "linear" else final
    if final not in {"sigmoid", "softmax", "linear"} or (final == "softmax" and size.width < 2):
        raise NotAChain(
            f"ends with {plural(size.width, 'output')} and the activation {final}, which gives no "
            "probabilities of classes"
        )
    return [*layers, replace(last, settings={**last.settings, "activation": "linear"})], final


def _of_logits(config: Config, classes: int) -> tuple[str, bool]:
    """Return what makes probabilities of the numbers of a last layer without an activation.

    The loss that the model was compiled with says so.

    Returns:
        `sigmoid` or `softmax`, and whether that is only assumed, as the file names no loss.

    Raises:
        NotAChain: the loss takes no logits.
    """
    loss, from_logits = _loss(config)
    if loss is None:
        return ("sigmoid" if classes == 1 else "softmax"), True
    kinds = {"binary": "sigmoid", "categorical": "softmax"}
    kind = next((kinds[name] for name in kinds if f"{name}_crossentropy" in loss), None)
    if kind is None or not from_logits or (kind == "softmax" and classes < 2):
        raise NotAChain(
            f"ends without an activation, and its loss, {clipped_repr(loss)}, does not take its "
            "outputs for logits, so they stand for no probabilities"
        )
    return kind, False


def _loss(config: Config) -> tuple[str | None, bool]:
    """Return the loss that a model was compiled with in snake case, and whether it takes logits."""
    compiled = config.get("compile_config")
    loss = compiled.get("loss") if isinstance(compiled, dict) else None
    settings = loss.get("config") if isinstance(loss, dict) else None
    if isinstance(settings, dict):
        named = snake_case(str(loss.get("class_name"))) if isinstance(loss, dict) else None
        return named, settings.get("from_logits") is True
    return (None, False) if loss is None else (str(loss), False)


def read_weights(path: Path, chain: Chain) -> list[list[FloatArray]]:
    """Return the weights of each layer of a chain, float32, in Keras's order.

    Those of a Bidirectional layer are the weights of the layer that reads forwards, then of the
    other.

    Raises:
        DataError: one is missing, damaged, of another layer or shape.
    """
    label = repr(str(path))
    with open_weights(path, label) as (_, files):
        return [_weights_of(layer, files, label) for layer in chain.layers]


def _weights_of(layer: ChainLayer, files: WeightFiles, label: str) -> list[FloatArray]:
    weights = []
    for place, shape in [weight for part in layer.inner or (layer,) for weight in part.weights]:
        values = files.read(place, len(shape))
        if values.shape != shape:
            raise DataError(
                f"{clipped_repr(place)} in {label} has shape {values.shape}; expected {shape}, by "
                "the config of the model"
            )
        owner = files.names_along(place)[:1]
        if owner not in {(), (layer.name,)}:
            raise DataError(
                f"{clipped_repr(place)} in {label} belongs to the layer {clipped_repr(owner[0])}; "
                f"expected {clipped_repr(layer.name)}, by the config of the model"
            )
        weights.append(values)
    return weights
