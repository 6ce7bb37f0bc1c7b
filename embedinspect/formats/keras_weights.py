"""The weights of a Keras model: which layer each belongs to, and which are embeddings.

The weights of a layer of a model lie in a group that is named after its class
(`layers/embedding_1/vars`), those of a layer that another layer holds in a group that is named as
its attribute (`layers/encoder/token_emb/vars`). The layer's own name is an attribute of the group.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from embedinspect.formats.hdf5 import Weight
from embedinspect.wording import clipped_repr

_CALLED_EMBEDDING = re.compile(r"(.*_)?embeddings?(_\d+)?(:\d+)?")
_MADE_UP = re.compile(r"(reversible_)?embedding(_\d+)?")
_EMBEDDING = "Embedding"
# With the number of columns in a group; -1, or none, where each row has one scale.
_INT4 = re.compile(r"int4(?:/(-1|[1-9]\d*))?", re.ASCII)


@dataclass(frozen=True)
class KerasLayer:
    """A weight of two dimensions, and the layer it belongs to.

    Attributes:
        name: of the layer.
        path: of the weight in the file.
        class_name: of the layer, where the model's config names it.
        shape: of the weight; (input_dim, output_dim) for an embedding.
        dtype: the type of the numbers as they are stored.
        embedding: whether the layer is an embedding, by the config or by its name.
        problem: why its rows cannot be read; None where they can.
        mask_zero: the layer's setting, where the config has it.
        mode: how the layer is quantized, `int8` or `int4`; None where it is not.
        grouped: whether each group of columns of a quantized layer has a scale of its own.
        names: of the layer, those of the models and layers around it first, as the file has them.
        aliases: other names that it goes by: its own where `name` is that of the attribute which
            holds it, or the name of its group in the file.
    """

    name: str
    path: str
    class_name: str | None
    shape: tuple[int, int]
    dtype: str
    embedding: bool
    problem: str | None = None
    mask_zero: bool | None = None
    mode: str | None = None
    grouped: bool = False
    names: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


def entries(config: object) -> Iterator[dict[str, Any]]:
    """Yield every object in a model's config that has a class and a config, in their order.

    Nested objects are walked without recursion, since a file may nest them to any depth.
    """
    waiting: list[object] = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(value.get("class_name"), str) and isinstance(value.get("config"), dict):
                yield value
            waiting.extend(reversed(list(value.values())))
        elif isinstance(value, list):
            waiting.extend(reversed(value))


def objects(config: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the class name and the config of every object in a model's config, in their order."""
    for entry in entries(config):
        yield entry["class_name"], entry["config"]


def layers_in(weights: list[Weight], config: dict[str, Any], prefix: str) -> tuple[KerasLayer, ...]:
    """Return the weights as layers, embeddings first.

    Args:
        prefix: of the paths of the model's own weights, where others may lie beside them.
    """
    named: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for class_name, inner in objects(config):
        if class_name.endswith(_EMBEDDING) and isinstance(inner.get("name"), str):
            named.setdefault(inner["name"], []).append((class_name, inner))
    own = [weight for weight in weights if weight.path.startswith(prefix)] or weights
    layers = [
        _layer(weight, named)
        for weight in own
        if not weight.path.startswith(("optimizer/", "optimizer_weights/"))
    ]
    layers = [_named_by_order(layer, named, layers) for layer in layers]
    return tuple(sorted(layers, key=lambda layer: not layer.embedding))


def _layer(weight: Weight, named: dict[str, list[tuple[str, dict[str, Any]]]]) -> KerasLayer:
    """Return a weight as a layer, with what the config says of the layer of that name."""
    parts = weight.path.split("/")
    if "vars" in parts[-2:]:  # layers/embedding/vars/0
        group = parts[-3] if len(parts) > 2 else ""
        name, first = weight.group or group, parts[-1] == "0"
        called = first and any(map(_CALLED_EMBEDDING.fullmatch, (group, weight.group)))
    else:  # model_weights/embedding/embedding/embeddings:0
        name = parts[-2] if len(parts) > 1 else parts[-1]
        first = called = _CALLED_EMBEDDING.fullmatch(parts[-1]) is not None
    fitting = [
        (class_name, inner)
        for class_name, inner in named.get(name, [])
        if first and _dims(inner)[0] in {weight.shape[0], None}
    ]
    if not fitting:
        layer = KerasLayer(name, weight.path, None, weight.shape, weight.dtype, called)
        return _with_names(layer, weight, parts)
    class_name, inner = fitting[0]
    setting, mask = _quantized(inner), inner.get("mask_zero")
    mode, problem, shape = None, None, weight.shape
    int4, columns = _INT4.fullmatch(setting or ""), _dims(inner)[1]
    if setting == "int8" and weight.dtype == "int8":
        mode = "int8"
    elif int4 and columns and weight.dtype == "int8" and -(-columns // 2) == shape[1]:
        mode, shape = "int4", (shape[0], columns)
    elif setting is not None or weight.dtype in {"int8", "uint8"}:
        problem = f"quantized ({clipped_repr(setting or weight.dtype)})"
    return KerasLayer(
        name=name,
        path=weight.path,
        class_name=class_name,
        shape=shape,
        dtype=mode or weight.dtype,
        embedding=True,
        problem=problem,
        mask_zero=mask if isinstance(mask, bool) else None,
        mode=mode,
        grouped=bool(int4 and (int4[1] or "-1") != "-1"),
        names=weight.names,
    )


def _with_names(layer: KerasLayer, weight: Weight, parts: list[str]) -> KerasLayer:
    """Return a layer that the config does not name, with the other names that it goes by.

    Where another layer holds it, the attribute says more than a name that Keras made up.
    """
    if "vars" not in parts[-2:] or len(parts) < 3:
        return replace(layer, names=weight.names)
    group, around = parts[-3], parts[-4:-3]
    made_up = _MADE_UP.fullmatch(layer.name) is not None
    if around != ["layers"] and made_up and not _MADE_UP.fullmatch(group):
        return replace(layer, name=group, names=weight.names, aliases=(layer.name,))
    return replace(layer, names=weight.names, aliases=(group,))


def _named_by_order(
    layer: KerasLayer,
    named: dict[str, list[tuple[str, dict[str, Any]]]],
    layers: list[KerasLayer],
) -> KerasLayer:
    """Return a layer with its own name where an older Keras wrote only the name of its class.

    The groups come in the order of the layers in the config; their shapes must agree.
    """
    if layer.class_name is not None or not layer.embedding:
        return layer
    taken = {other.name for other in layers if other.class_name is not None}
    free = [
        (name, class_name, inner)
        for name, entries in named.items()
        for class_name, inner in entries
        if name not in taken and _dims(inner) == layer.shape
    ]
    alike = [
        other
        for other in layers
        if other.class_name is None and other.embedding and other.shape == layer.shape
    ]
    place = alike.index(layer)
    if len(free) != len(alike):
        return _without_config(layer)
    name, class_name, inner = free[place]
    mask = inner.get("mask_zero")
    layer = replace(layer, name=name, class_name=class_name)
    layer = replace(layer, mask_zero=mask if isinstance(mask, bool) else None)
    return _without_config(layer)


def _without_config(layer: KerasLayer) -> KerasLayer:
    if layer.dtype in {"int8", "uint8"}:
        problem = f"quantized ({layer.dtype}), and the file does not say how"
        return replace(layer, problem=problem)
    return layer


def _dims(inner: dict[str, Any]) -> tuple[int | None, int | None]:
    first, second = inner.get("input_dim"), inner.get("output_dim")
    return (
        first if type(first) is int else None,
        second if type(second) is int else None,
    )


def _quantized(inner: dict[str, Any]) -> str | None:
    """Return the mode of a layer's quantization; None where it is not quantized."""
    policy = inner.get("dtype")
    settings = policy.get("config") if isinstance(policy, dict) else None
    mode = settings.get("mode") if isinstance(settings, dict) else None
    return mode if isinstance(mode, str) else None
