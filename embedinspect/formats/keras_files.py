"""Models as Keras saves them: `.keras`, `.weights.h5`, its shards, legacy `.h5`; without Keras.

A `.keras` file is a zip of `config.json` (what the model is made of) and `model.weights.h5`. The
weights of a layer lie in a group that is named after its class (`layers/embedding_1/vars`); the
layer's own name is an attribute of that group. No model is built, and no code is run.
"""

from __future__ import annotations

import difflib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from embedinspect.errors import DataError, UsageError
from embedinspect.formats import arrays
from embedinspect.formats.beginning import Start
from embedinspect.formats.contents import Contents, ReadOptions
from embedinspect.formats.hdf5 import Weight
from embedinspect.formats.keras_container import (
    CONFIG,
    METADATA,
    json_in,
    open_weights,
    text_in,
)
from embedinspect.formats.keras_json import parsed
from embedinspect.formats.keras_lookups import LookupOfRows, Lookups, Rows, lookups_in
from embedinspect.formats.keras_quantized import dequantized
from embedinspect.formats.keras_weights import KerasLayer, entries, layers_in
from embedinspect.stored_rows import FloatArray
from embedinspect.wording import clipped_repr, listed, plural

_INNER = "_lookup_layer"  # of TextVectorization, which writes its vocabulary twice


@dataclass(frozen=True)
class KerasFile:
    """What a Keras file holds.

    Attributes:
        kind: `keras`, `keras weights` or `legacy h5`.
        version: the version of Keras that wrote the file, where the file has it.
        config: of the model, where the file has it.
        layers: the weights of two dimensions, embeddings first.
        lookups: the layers that turn text, strings or numbers into ids.
    """

    kind: str
    version: str | None
    config: dict[str, Any] | None
    layers: tuple[KerasLayer, ...]
    lookups: Lookups = field(default_factory=Lookups)

    def words_of(self, layer: KerasLayer, wanted: str | None, label: str) -> LookupOfRows:
        """Return the lookup layer whose words the rows of a layer have.

        Args:
            wanted: the lookup layer that the user names; None to find it.
            label: how errors name the file.

        Raises:
            UsageError: no lookup layer has that name, or several could be meant.
        """
        names = layer.names or self._names_by_config(layer)
        stored = {layer.names for layer in self.layers}
        shared = [
            other
            for other in self.lookups.origins.embeddings
            if layer.names and other[-1] == names[-1] and other not in stored
        ]
        weight = Rows(names, layer.shape[0], layer.embedding, shared)
        return self.lookups.words_of(weight, wanted, label)

    def _names_by_config(self, layer: KerasLayer) -> tuple[str, ...]:
        """Return the names of a layer whose groups have none, where the config has it once."""
        alike = [names for names in self.lookups.origins.embeddings if names[-1] == layer.name]
        return alike[0] if len(alike) == 1 else ()


_KINDS = {
    "keras": "Keras model",
    "keras weights": "Keras weights",
    "legacy h5": "Keras model, legacy HDF5",
}


def recognises(start: Start) -> bool:
    """Return whether a zip is a Keras model."""
    return is_keras_zip(start.path)


def read(path: Path, options: ReadOptions) -> Contents:
    """Return the rows of one layer of a Keras file, and all that the file holds."""
    file = open_keras(path)
    layer = pick(file, options.layer, repr(str(path)))
    rows = read_rows(path, layer)
    return Contents(
        _KINDS[file.kind], rows, dtype=layer.dtype, tensor=layer.name, keras=file, layer=layer
    )


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
    with open_weights(path, label) as (archive, files):
        weights = files.weights()
        if archive is not None:
            config = json_in(archive, CONFIG, label)
            version = json_in(archive, METADATA, label).get("keras_version")
            names = set(archive.namelist())
            layers = layers_in(weights, config, "")
            lookups = lookups_in(
                config,
                entries(config),
                _vocabularies(archive, names, label),
                files.names_along,
            )
            return KerasFile("keras", _text(version), config, layers, lookups)
        version = files.attribute("keras_version")
        model = files.attribute("model_config")
    config = parsed(model, f"model_config in {label}") if model is not None else {}
    if _are_legacy(weights) or model is not None:
        kind, layers = "legacy h5", layers_in(weights, config, "model_weights")
    else:
        kind, layers = "keras weights", layers_in(weights, config, "")
    lookups = lookups_in(config, entries(config), {}, lambda _: ())
    return KerasFile(kind, version, config or None, layers, lookups)


def _are_legacy(weights: list[Weight]) -> bool:
    """Return whether the paths of weights are those of HDF5 files before Keras 3."""
    return any(weight.path.startswith("model_weights/") for weight in weights) or not any(
        "/vars/" in f"/{weight.path}" for weight in weights
    )


def read_rows(path: Path, layer: KerasLayer) -> FloatArray:
    """Return the rows of a layer, float32, shape (input_dim, output_dim).

    Those of a quantized layer are the numbers that it stands for, as the layer gives them when it
    is called, computed in float32 whatever the layer computes in.

    Raises:
        DataError: the weights are damaged, or the scales do not fit them.
    """
    with open_weights(path, repr(str(path))) as (_, files):
        rows = files.read(layer.path) if layer.mode is None else dequantized(layer, files)
    return np.ascontiguousarray(rows, np.float32)


def pick(file: KerasFile, wanted: str | None, label: str) -> KerasLayer:
    """Return the layer that is wanted.

    Args:
        wanted: the layer's name, or the path of its weight; None for the only embedding.

    Raises:
        UsageError: several layers could be meant, or none has that name.
        DataError: there is no embedding, or its rows cannot be read.
    """
    fitting = _fitting(file.layers, wanted)
    if not fitting:
        raise _no_layer(file.layers, wanted, label)
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
            "read; expected float, int8 or int4 weights; save the model before it is quantized"
        )
    return layer


def _fitting(layers: Sequence[KerasLayer], wanted: str | None) -> list[KerasLayer]:
    """Return the layers that could be meant: by name or path, or else by another name of theirs."""
    embeddings = [layer for layer in layers if layer.embedding]
    if wanted is None:
        return embeddings
    fitting = (
        [layer for layer in layers if wanted in {layer.name, layer.path}]
        or [layer for layer in layers if wanted in layer.aliases]
        or [layer for layer in layers if wanted in _places(layer)]
    )
    among = [layer for layer in fitting if layer.embedding]
    return among if len(among) == 1 else fitting


def _places(layer: KerasLayer) -> tuple[str, str]:
    """Return where a layer is: its group in the file, and its name after those around it."""
    return layer.path.rpartition("/vars/")[0], "/".join([*layer.names[:-1], layer.name])


def _no_layer(
    layers: Sequence[KerasLayer], wanted: str | None, label: str
) -> DataError | UsageError:
    """Return the error that no layer could be meant."""
    names = _names(layers, paths=_repeat(layers))
    if wanted is not None:
        close = difflib.get_close_matches(
            wanted, [name for layer in layers for name in (layer.name, *layer.aliases)], n=1
        )
        hint = f"; did you mean {close[0]!r}?" if close else ""
        return UsageError(
            f"--layer is {wanted!r}; expected one of {label}: {names or 'none'}{hint}"
        )
    if not layers:
        return DataError(
            f"{label} holds no weights of two dimensions (a model that was never built has none); "
            "expected those of an embedding layer"
        )
    return DataError(
        f"{label} holds no layer that is known as an embedding; expected one; it has "
        f"{plural(len(layers), 'weight')} of two dimensions, of which --layer NAME picks one: "
        f"{names}"
    )


def _repeat(layers: Sequence[KerasLayer]) -> bool:
    return len({layer.name for layer in layers}) < len(layers)


def _names(layers: Sequence[KerasLayer], *, paths: bool = False) -> str:
    return listed(
        f"{clipped_repr(layer.path if paths else layer.name, 80)} {layer.shape}" for layer in layers
    )


def _vocabularies(archive: zipfile.ZipFile, names: set[str], label: str) -> dict[str, str]:
    """Return the text of each layer's vocabulary file, by the layer's path among the weights.

    TextVectorization loads its own file first, and then that of the layer in it, which counts.
    """
    vocabularies = {}
    for name in sorted(names, key=lambda name: (f"/{_INNER}/" in name, name)):
        parts = name.split("/")
        if parts[0] == "assets" and parts[-1] == "vocabulary.txt" and len(parts) > 2:
            path = [part for part in parts[1:-1] if part != _INNER]
            vocabularies["/".join(path)] = text_in(archive, name, label)
    return vocabularies


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
