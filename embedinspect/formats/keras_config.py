"""The config of a Keras model: layers, and the tensors that each of their calls takes.

Since Keras 3 a tensor is an object with a `keras_history`: the name of the layer that makes it,
which of the layer's calls, which of its outputs. Before, it was a bare list of these three.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from embedinspect.tokenizing.lookup_layer import Shape

_MODELS = frozenset({"Sequential", "Functional", "Model"})


@dataclass(frozen=True)
class Tensor:
    """An output of one call of a layer."""

    layer: str
    call: int
    index: int


def is_layer(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("class_name"), str)
        and (isinstance(entry.get("config"), dict) or _lists_layers(entry))
    )


def _lists_layers(entry: dict[str, Any]) -> bool:
    """Return whether an entry is a Sequential as it was saved long before Keras 3."""
    return entry["class_name"] == "Sequential" and isinstance(entry.get("config"), list)


def is_kerass(entry: dict[str, Any]) -> bool:
    """Return whether a layer is of a class of Keras's own; before Keras 3, its name must do."""
    if "module" not in entry:
        return True
    module = entry["module"]
    return isinstance(module, str) and (module == "keras" or module.startswith("keras."))


def is_model(entry: dict[str, Any]) -> bool:
    """Return whether a layer is a model that is laid out in the config."""
    return (
        is_layer(entry)
        and is_kerass(entry)
        and entry["class_name"] in _MODELS
        and (isinstance(entry["config"], list) or isinstance(entry["config"].get("layers"), list))
    )


def layers_of(entry: dict[str, Any]) -> list[dict[str, Any]]:
    config = entry["config"]
    layers = config if isinstance(config, list) else config["layers"]  # a list in old files
    return [layer for layer in layers if is_layer(layer)]


def name_of(entry: dict[str, Any]) -> str:
    config = entry["config"]
    inner = config.get("name") if isinstance(config, dict) else None
    return next((name for name in (entry.get("name"), inner) if isinstance(name, str)), "")


def calls_of(layer: dict[str, Any]) -> list[Any]:
    inbound = layer.get("inbound_nodes")
    return inbound if isinstance(inbound, list) and inbound else [[]]


def tensors_in(value: object) -> Iterator[Tensor]:
    """Yield the tensors in the arguments of a call, in the order in which Keras flattens them."""
    waiting: list[object] = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            history = value.get("keras_history")
            tensor = _tensor(history) if isinstance(history, list) else None
            if tensor is not None:
                yield tensor
                continue
            keys = sorted(value, reverse=True, key=lambda key: (key != "args", key))
            waiting.extend(value[key] for key in keys if key not in {"mask", "training"})
        elif isinstance(value, list):
            tensor = _tensor(value[:3]) if len(value) in {3, 4} else None
            if tensor is not None:  # the form before Keras 3: layer, call, tensor, arguments
                yield tensor
                waiting.extend(value[3:])
            else:
                waiting.extend(reversed(value))


def _tensor(triple: list[Any]) -> Tensor | None:
    kinds = [type(item) for item in triple]
    return Tensor(*triple) if kinds == [str, int, int] and min(triple[1:]) >= 0 else None


def structure(tensors: object) -> list[tuple[str | None, Tensor]]:
    """Return the tensors of `input_layers` or `output_layers`, in order, with their keys if any."""
    if isinstance(tensors, dict):
        return [
            (str(key), tensor) for key in sorted(tensors) for tensor in tensors_in(tensors[key])
        ]
    return [(None, tensor) for tensor in tensors_in(tensors)]


def shape_in(value: object) -> Shape | None:
    if isinstance(value, list) and all(size is None or type(size) is int for size in value):
        return tuple(value)
    return None
