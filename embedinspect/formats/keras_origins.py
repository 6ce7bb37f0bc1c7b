"""Where the numbers that each layer of a saved model takes come from, read from its config.

The model is followed as Keras builds it: tensor by tensor (`keras_history` since Keras 3, bare
lists before), through nested and shared models. Each tensor has an `Origin`: which lookup layers
its ids are from, and what may have been done to them on the way. What a layer does is known of
Keras's own layers only; of any other it is said that it is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from embedinspect.formats.keras_config import (
    Tensor,
    calls_of,
    is_kerass,
    is_layer,
    is_model,
    layers_of,
    name_of,
    shape_in,
    structure,
    tensors_in,
)
from embedinspect.formats.keras_graph import Node, in_order
from embedinspect.tokenizing.lookup_layer import CATEGORIES, LOOKUPS, Shape

Names = tuple[str, ...]  # of a layer, those of the models around it first

_EMBEDDINGS = frozenset({"Embedding", "ReversibleEmbedding"})
# These hand ids on as they are, in the same order, once the model is trained.
_HAND_ON = frozenset(
    {
        "ActivityRegularization",
        "AlphaDropout",
        "Copy",
        "Dropout",
        "ExpandDims",
        "Flatten",
        "GaussianDropout",
        "GaussianNoise",
        "Identity",
        "Reshape",
        "SpatialDropout1D",
        "Squeeze",
        "StopGradient",
    }
)
# These keep each id, but choose, repeat, order or join them, or add zeros.
_REARRANGE = frozenset(
    {
        "Concatenate",
        "Cropping1D",
        "Flip",
        "GetItem",
        "Permute",
        "Ravel",
        "RepeatVector",
        "Roll",
        "Stack",
        "Transpose",
        "ZeroPadding1D",
    }
)
_CHANGE_SHAPE = frozenset({"ExpandDims", "Flatten", "Reshape", "Squeeze"})
_WHOLE_NUMBERS = frozenset({"int32", "int64", "uint32", "uint64"})
_DEEPEST, _MOST_CALLS = 40, 100_000


@dataclass(frozen=True)
class Origin:
    """Where the numbers of a tensor come from.

    Attributes:
        lookups: names of the lookup layers whose ids they are.
        inputs: inputs of the model that come without a lookup, by name, each with its shape, or
            None where a layer may have changed it.
        unknown: layers on the way of which it is not known what they do.
        rearranged: layers on the way that keep each id, but not their order or number.
    """

    lookups: frozenset[Names] = frozenset()
    inputs: frozenset[tuple[str, Shape | None]] = frozenset()
    unknown: frozenset[str] = frozenset()
    rearranged: frozenset[str] = frozenset()

    def __or__(self, other: Origin) -> Origin:
        return Origin(
            self.lookups | other.lookups,
            self.inputs | other.inputs,
            self.unknown | other.unknown,
            self.rearranged | other.rearranged,
        )


@dataclass
class Origins:
    """Where the input of each layer comes from.

    Attributes:
        takes: for each layer, by its names, the origin of what it takes in each of its calls.
        embeddings: the layers that are Keras's own embeddings, and so look their input up.
        custom: the layers that are not of a class of Keras's own.
        lookups: the config of each lookup layer, by its names.
    """

    takes: dict[Names, list[Origin]] = field(default_factory=dict)
    embeddings: set[Names] = field(default_factory=set)
    custom: set[Names] = field(default_factory=set)
    lookups: dict[Names, tuple[str, dict[str, Any]]] = field(default_factory=dict)

    def owner(self, names: Names) -> Names | None:
        """Return the layer that a layer is, or is a part of, as far as the config lays them out."""
        parts = (names[:end] for end in range(len(names), 0, -1))
        return next((part for part in parts if part in self.takes), None)


def origins(config: dict[str, Any]) -> Origins:
    """Return where the input of each layer of a model comes from; nothing where it does not say."""
    reading = _Reading()
    if is_model(config):
        reading.model(config, (), None, 0)
    return reading.origins


class _Reading:
    """The walk through a model and the models in it."""

    def __init__(self) -> None:
        self.origins = Origins()
        self.calls = 0

    def model(
        self, entry: dict[str, Any], names: Names, given: list[Origin] | None, depth: int
    ) -> list[Origin]:
        """Follow one call of a model; return the origin of each of its outputs.

        Args:
            names: of the model; () for the outermost.
            given: what each of its inputs comes from; None for the outermost model.
        """
        layers = layers_of(entry)
        if entry["class_name"] == "Sequential":
            return [self._sequential(layers, names, given, depth, entry)]
        calls = {
            f"{number}/{call}": (layer, call, arguments)
            for number, layer in enumerate(layers)
            for call, arguments in enumerate(calls_of(layer))
        }
        numbers = {name_of(layer): number for number, layer in enumerate(layers)}

        def key(tensor: Tensor) -> str:
            return f"{numbers.get(tensor.layer, -1)}/{tensor.call}"

        nodes = {
            place: Node("", "", {}, [key(tensor) for tensor in tensors_in(arguments)])
            for place, (_, _, arguments) in calls.items()
        }
        inputs = structure(entry["config"].get("input_layers"))
        known: dict[str, list[Origin]] = {}

        def origin(tensor: Tensor) -> Origin:
            outputs = known.get(key(tensor), [])
            if len(outputs) == 1:
                return outputs[0]
            return outputs[tensor.index] if tensor.index < len(outputs) else _missing(tensor.layer)

        for place in in_order(nodes):
            layer, _, arguments = calls[place]
            if layer["class_name"] == "InputLayer":
                known[place] = [_input(layer, inputs, given)]
            else:
                known[place] = self._call(layer, names, arguments, origin, depth)
        ends = structure(entry["config"].get("output_layers"))
        return [origin(tensor) for _, tensor in ends]

    def _sequential(
        self,
        layers: list[dict[str, Any]],
        names: Names,
        given: list[Origin] | None,
        depth: int,
        entry: dict[str, Any],
    ) -> Origin:
        if given is None:
            config = entry["config"]
            shape = config.get("build_input_shape") if isinstance(config, dict) else None
            last = Origin(inputs=frozenset({("input", shape_in(shape))}))
        else:
            last = _union(given)
        for layer in layers:
            if layer["class_name"] == "InputLayer":
                last = _input(layer, [], None) if given is None else last
                continue
            last = _union(self._apply(layer, names, [last], {}, depth))
        return last

    def _call(
        self,
        layer: dict[str, Any],
        names: Names,
        arguments: Any,
        origin: Any,
        depth: int,
    ) -> list[Origin]:
        """Follow one call of a layer in a functional model."""
        taken = [origin(tensor) for tensor in tensors_in(arguments)]
        by_name = {}
        first = arguments.get("args") if isinstance(arguments, dict) else None
        if isinstance(first, list) and first and _is_dictionary(first[0]):
            by_name = {
                str(name): origin(tensor)
                for name, value in first[0].items()
                for tensor in tensors_in(value)
            }
        return self._apply(layer, names, taken, by_name, depth)

    def _apply(
        self,
        layer: dict[str, Any],
        around: Names,
        taken: list[Origin],
        by_name: dict[str, Origin],
        depth: int,
    ) -> list[Origin]:
        """Return the origin of each output of a layer that takes these."""
        self.calls += 1
        name, class_name = name_of(layer), layer["class_name"]
        names = (*around, name)
        origin = _union(taken)
        self.origins.takes.setdefault(names, []).append(origin)
        unknown = replace(origin, unknown=origin.unknown | {name or class_name})
        if not is_kerass(layer):
            self.origins.custom.add(names)
            return [unknown]
        if self.calls > _MOST_CALLS or depth >= _DEEPEST:
            return [unknown]
        if is_model(layer):
            inputs = _given(layer, taken, by_name) or [unknown] * max(1, _input_count(layer))
            return self.model(layer, names, inputs, depth + 1)
        if class_name in LOOKUPS | CATEGORIES:
            self.origins.lookups[names] = (class_name, layer["config"])
            return [Origin(frozenset({names}))]
        if class_name in _EMBEDDINGS or _is_embedding_over_time(layer):
            self.origins.embeddings.add(names)
            return [unknown]
        if _hands_on(layer):
            return [_reshaped(origin) if class_name in _CHANGE_SHAPE else origin]
        if class_name in _REARRANGE or class_name == "Reshape":
            return [replace(origin, rearranged=origin.rearranged | {name or class_name})]
        return [unknown]


def _is_dictionary(argument: object) -> bool:
    """Return whether an argument of a call is a dictionary of tensors, not a tensor itself."""
    return isinstance(argument, dict) and argument.get("class_name") != "__keras_tensor__"


def _union(parts: Iterable[Origin]) -> Origin:
    return reduce(Origin.__or__, parts, Origin())


def _missing(layer: str) -> Origin:
    return Origin(unknown=frozenset({layer}))


def _reshaped(origin: Origin) -> Origin:
    return replace(origin, inputs=frozenset((name, None) for name, _ in origin.inputs))


def _hands_on(layer: dict[str, Any]) -> bool:
    class_name, config = layer["class_name"], layer["config"]
    if class_name == "Activation":
        return bool(config.get("activation") == "linear")
    if class_name == "Cast":
        return config.get("dtype") in _WHOLE_NUMBERS
    if class_name == "Reshape":  # the operation may also change the batch
        return not _is_operation(layer)
    return class_name in _HAND_ON


def _is_operation(layer: dict[str, Any]) -> bool:
    """Return whether a layer is a function of `keras.ops`, which Keras saves like a layer."""
    return str(layer.get("module")).startswith(("keras.ops", "keras.src.ops"))


def _is_embedding_over_time(layer: dict[str, Any]) -> bool:
    inner = layer["config"].get("layer")
    return (
        layer["class_name"] == "TimeDistributed"
        and is_layer(inner)
        and is_kerass(inner)
        and inner["class_name"] in _EMBEDDINGS
    )


def _input(
    layer: dict[str, Any],
    inputs: list[tuple[str | None, Tensor]],
    given: list[Origin] | None,
) -> Origin:
    """Return the origin of an input of a model: what is given to it, or itself in the outermost."""
    name = name_of(layer)
    if given is None:
        config = layer["config"]
        shape = config.get("batch_shape") or config.get("batch_input_shape")
        return Origin(inputs=frozenset({(name, shape_in(shape))}))
    for place, (_, tensor) in enumerate(inputs):
        if tensor.layer == name and place < len(given):
            return given[place]
    return _missing(name)


def _input_count(model: dict[str, Any]) -> int:
    config = model["config"]
    return len(structure(config.get("input_layers"))) if isinstance(config, dict) else 1


def _given(
    model: dict[str, Any], taken: Sequence[Origin], by_name: dict[str, Origin]
) -> list[Origin] | None:
    """Return what each input of a nested model is called on; None where that is not certain.

    A dictionary goes by the keys of the model's inputs, or by their names where it has no keys.
    """
    if model["class_name"] == "Sequential":
        return list(taken)
    inputs = structure(model["config"].get("input_layers"))
    if by_name:
        keys = [tensor.layer if key is None else key for key, tensor in inputs]
        ordered = [by_name[key] for key in keys if key in by_name]
        return ordered if len(ordered) == len(inputs) else None
    keyed = any(key is not None for key, _ in inputs)
    return list(taken) if len(taken) == len(inputs) and not (keyed and len(inputs) > 1) else None
