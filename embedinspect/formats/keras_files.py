"""Models as Keras saves them: `.keras`, `.weights.h5` and legacy `.h5`, read without Keras.

A `.keras` file is a zip of `config.json` (what the model is made of) and `model.weights.h5`. The
weights of a layer lie in a group that is named after its class (`layers/embedding_1/vars`); the
layer's own name is an attribute of that group. No model is built, and no code is run.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from embedinspect.errors import DataError, UsageError
from embedinspect.formats import arrays, hdf5
from embedinspect.formats.hdf5 import Weight
from embedinspect.formats.keras_container import (
    CONFIG,
    METADATA,
    json_in,
    open_weights,
    parsed,
    text_in,
)
from embedinspect.matrix import FloatArray
from embedinspect.wording import clipped_repr, listed, plural

_CALLED_EMBEDDING = re.compile(r"(.*_)?embeddings?(_\d+)?(:\d+)?")
_EMBEDDING = "Embedding"


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
        scales: the path of the scales of a quantized layer.
    """

    name: str
    path: str
    class_name: str | None
    shape: tuple[int, int]
    dtype: str
    embedding: bool
    problem: str | None = None
    mask_zero: bool | None = None
    scales: str | None = None


@dataclass(frozen=True)
class KerasFile:
    """What a Keras file holds.

    Attributes:
        kind: `keras`, `keras weights` or `legacy h5`.
        version: the version of Keras that wrote the file, where the file has it.
        config: of the model, where the file has it.
        layers: the weights of two dimensions, embeddings first.
        vocabularies: of each layer that looks words up, by its name, the words in the order of
            their ids.
    """

    kind: str
    version: str | None
    config: dict[str, Any] | None
    layers: tuple[KerasLayer, ...]
    vocabularies: dict[str, list[str]] = field(default_factory=dict)

    def lookup_layer(self, rows: int) -> str | None:
        """Return the layer whose words the rows of an embedding belong to; None where none has any.

        It is the first that has no more words than there are rows, or else the first.
        """
        fitting = [name for name, words in self.vocabularies.items() if len(words) <= rows]
        return next(iter([*fitting, *self.vocabularies]), None)


def is_keras_zip(path: Path) -> bool:
    """Return whether a zip holds a Keras model."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (OSError, *arrays.DAMAGES):
        return False
    return CONFIG in names and any(name.startswith("model.weights") for name in names)


def open_keras(path: Path) -> KerasFile:
    """Return what a Keras file holds; the weights themselves are not read.

    Raises:
        DataError: the file is damaged, or has links, which are not followed.
    """
    label = repr(str(path))
    with open_weights(path, label) as (archive, file):
        if archive is not None:
            config = json_in(archive, CONFIG, label)
            version = json_in(archive, METADATA, label).get("keras_version")
            names = set(archive.namelist())
            vocabularies = _from_config(config) | _from_assets(archive, names, label)
            layers = _layers(hdf5.weights(file, label), config, "")
            return KerasFile("keras", _text(version), config, layers, vocabularies)
        version = hdf5.attribute(file, "keras_version")
        model = hdf5.attribute(file, "model_config")
        weights = hdf5.weights(file, label)
    config = parsed(model, f"model_config in {label}") if model is not None else {}
    if _are_legacy(weights) or model is not None:
        kind, layers = "legacy h5", _layers(weights, config, "model_weights")
    else:
        kind, layers = "keras weights", _layers(weights, config, "")
    return KerasFile(kind, version, config or None, layers, _from_config(config))


def _are_legacy(weights: list[Weight]) -> bool:
    """Return whether the paths of weights are those of HDF5 files before Keras 3."""
    return any(weight.path.startswith("model_weights/") for weight in weights) or not any(
        "/vars/" in f"/{weight.path}" for weight in weights
    )


def read_rows(path: Path, layer: KerasLayer) -> FloatArray:
    """Return the rows of a layer, float32, shape (input_dim, output_dim).

    In an int8 layer each row is divided by its scale, as the layer does when it is called.

    Raises:
        DataError: the weights are damaged, or the scales do not fit them.
    """
    label = repr(str(path))
    with open_weights(path, label) as (_, file):
        rows = hdf5.read(file, layer.path, label)
        if layer.scales is not None:
            scales = hdf5.read(file, layer.scales, label, dimensions=1)
            if scales.shape != rows.shape[:1]:
                raise DataError(
                    f"{clipped_repr(layer.scales)} in {label} has {plural(len(scales), 'scale')}; "
                    f"expected one for each of the {plural(len(rows), 'row')}"
                )
            with np.errstate(divide="ignore", invalid="ignore"):
                rows = rows / scales[:, None]
    return np.ascontiguousarray(rows, np.float32)


def pick(file: KerasFile, wanted: str | None, label: str) -> KerasLayer:
    """Return the layer that is wanted.

    Args:
        wanted: the layer's name, or the path of its weight; None for the only embedding.

    Raises:
        UsageError: several layers could be meant, or none has that name.
        DataError: there is no embedding, or its rows cannot be read.
    """
    embeddings = [layer for layer in file.layers if layer.embedding]
    if wanted is None:
        if not embeddings:
            others = _names(file.layers)
            hint = f"; --layer can name another weight: {others}" if others else ""
            raise DataError(
                f"{label} holds no embedding layer with weights (a model that was never built has "
                f"none); expected one{hint}"
            )
        fitting = embeddings
    else:
        fitting = [layer for layer in file.layers if wanted in {layer.name, layer.path}]
        if len(fitting) > 1 and sum(layer.embedding for layer in fitting) == 1:
            fitting = [layer for layer in fitting if layer.embedding]
        if not fitting:
            raise UsageError(
                f"--layer is {wanted!r}; expected one of {label}: {_names(file.layers) or 'none'}"
                + _hint(wanted, file.layers)
            )
    if len(fitting) > 1:
        ambiguous = "embedding layers" if wanted is None else f"weights called {wanted!r}"
        raise UsageError(
            f"{label} holds {len(fitting)} {ambiguous}; expected one; pick it with --layer NAME: "
            + _names(fitting, paths=wanted is not None or _repeat(fitting))
        )
    layer = fitting[0]
    if layer.problem is not None:
        raise DataError(
            f"the layer {clipped_repr(layer.name)} of {label} is {layer.problem}, which cannot be "
            "read; expected float or int8 weights; save the model before it is quantized"
        )
    return layer


def _hint(wanted: str, layers: tuple[KerasLayer, ...]) -> str:
    import difflib

    names = [layer.name for layer in layers]
    close = difflib.get_close_matches(wanted, names, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _repeat(layers: list[KerasLayer]) -> bool:
    return len({layer.name for layer in layers}) < len(layers)


def _names(layers: tuple[KerasLayer, ...] | list[KerasLayer], *, paths: bool = False) -> str:
    return listed(
        f"{clipped_repr(layer.path if paths else layer.name, 80)} {layer.shape}" for layer in layers
    )


# -- which weight is whose ----------------------------------------------------------------------


def objects(config: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the class name and the config of every object in a model's config, in their order.

    Nested objects are walked without recursion, since a file may nest them to any depth.
    """
    waiting: list[object] = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            name, inner = value.get("class_name"), value.get("config")
            if isinstance(name, str) and isinstance(inner, dict):
                yield name, inner
            waiting.extend(reversed(list(value.values())))
        elif isinstance(value, list):
            waiting.extend(reversed(value))


def _layers(weights: list[Weight], config: dict[str, Any], prefix: str) -> tuple[KerasLayer, ...]:
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
        called = first and _CALLED_EMBEDDING.fullmatch(group) is not None
    else:  # model_weights/embedding/embedding/embeddings:0
        name = parts[-2] if len(parts) > 1 else parts[-1]
        first = called = _CALLED_EMBEDDING.fullmatch(parts[-1]) is not None
    fitting = [
        (class_name, inner)
        for class_name, inner in named.get(name, [])
        if first and _dims(inner)[0] in {weight.shape[0], None}
    ]
    if not fitting:
        return KerasLayer(name, weight.path, None, weight.shape, weight.dtype, called)
    class_name, inner = fitting[0]
    mode, mask = _quantized(inner), inner.get("mask_zero")
    scales = None
    problem = None
    if mode == "int8" and weight.dtype == "int8":
        scales = weight.path[:-1] + "1"
    elif mode is not None or weight.dtype in {"int8", "uint8"}:
        problem = f"quantized ({clipped_repr(mode or weight.dtype)})"
    return KerasLayer(
        name=name,
        path=weight.path,
        class_name=class_name,
        shape=weight.shape,
        dtype=weight.dtype,
        embedding=True,
        problem=problem,
        mask_zero=mask if isinstance(mask, bool) else None,
        scales=scales,
    )


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


# -- the words of a model -----------------------------------------------------------------------


def _from_config(config: dict[str, Any]) -> dict[str, list[str]]:
    """Return the words of the lookup layers that were made with a vocabulary, by their names."""
    vocabularies = {}
    for class_name, inner in objects(config):
        words, name = inner.get("vocabulary"), inner.get("name")
        if class_name not in {"TextVectorization", "StringLookup"} or not isinstance(name, str):
            continue
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            continue
        if inner.get("output_mode", "int") != "int" or inner.get("invert"):
            continue
        reserved = ["", "[UNK]"]
        if class_name == "StringLookup":
            count, mask = inner.get("num_oov_indices", 1), inner.get("mask_token")
            oov = inner.get("oov_token", "[UNK]")
            if type(count) is not int or not 0 <= count < 1000 or not isinstance(oov, str):
                continue
            reserved = [*([mask] if isinstance(mask, str) else []), *[oov] * count]
        vocabularies[name] = words if words[: len(reserved)] == reserved else [*reserved, *words]
    return vocabularies


def _from_assets(archive: zipfile.ZipFile, names: set[str], label: str) -> dict[str, list[str]]:
    """Return the words of the lookup layers that were adapted, reserved ones included."""
    vocabularies = {}
    for name in sorted(names):
        parts = name.split("/")
        if parts[0] == "assets" and parts[-1] == "vocabulary.txt" and parts[-2] != "_lookup_layer":
            vocabularies[parts[-2]] = text_in(archive, name, label).split("\n")
    return vocabularies


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
