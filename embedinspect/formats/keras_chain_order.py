"""The layers of a saved model one behind the other, where they are that: no branch, no second call.

A Sequential model lists them so. A functional one names for each call the tensors that it takes;
where masks are in use, Keras writes them as a comparison of the ids with 0 beside the layers.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from embedinspect.formats.keras_config import (
    Tensor,
    calls_of,
    is_layer,
    is_model,
    layers_of,
    name_of,
    structure,
    tensors_in,
)
from embedinspect.wording import clipped_repr

Config = dict[str, Any]


class NotAChain(Exception):
    """Why a model is no chain of plain layers, as the end of a sentence that begins with it."""


@dataclass(frozen=True)
class Entry:
    """A layer as the config of a model has it.

    Attributes:
        class_name: of the layer.
        name: of the layer.
        config: of the layer.
        place: of its weights in the file: Keras names groups by class, and counts them.
        masked: whether it is handed the mask of the ids by name.
    """

    class_name: str
    name: str
    config: Config
    place: str
    masked: bool = False

    @property
    def label(self) -> str:
        """How sentences name the layer."""
        called = f" {clipped_repr(self.name)}" if self.name else ""
        return f"the {clipped_repr(self.class_name)[1:-1]} layer{called}"


def layers_in_order(config: Config) -> list[Entry]:
    """Return the layers of a model from its input to its output.

    Raises:
        NotAChain: it is no chain, or has a layer that is not Keras's own.
    """
    if not is_model(config) or not is_plain(config) or not isinstance(config["config"], dict):
        raise NotAChain("is no Sequential or functional model of Keras's own layers")
    layers = layers_of(config)
    if len(layers) != len(config["config"]["layers"]) or not all(map(_has_config, layers)):
        raise NotAChain("lists something that is no layer, or a model inside the model")
    entries = {}
    counts: Counter[str] = Counter()
    for layer in layers:
        entry = _entry(layer, counts)
        if not is_plain(layer):
            raise NotAChain(f"has {entry.label}, which is not Keras's own")
        if is_model(layer):
            raise NotAChain(f"has a model inside the model, {clipped_repr(entry.name)}")
        if entry.name in entries:
            raise NotAChain(f"has two layers called {clipped_repr(entry.name)}")
        entries[entry.name] = entry
    if config["class_name"] == "Sequential":
        return list(entries.values())
    return _followed(config, entries, {name_of(layer): layer for layer in layers})


def is_plain(layer: Config) -> bool:
    """Return whether a layer says that it is of a class of Keras's own."""
    module, registered = layer.get("module"), layer.get("registered_name")
    own = isinstance(module, str) and (module == "keras" or module.startswith("keras."))
    return own and (registered is None or registered == layer.get("class_name"))


def snake_case(class_name: str) -> str:
    """Return the name of a class as Keras makes names of layers from it.

    >>> snake_case("SimpleRNN"), snake_case("GlobalMaxPooling1D")
    ('simple_rnn', 'global_max_pooling1d')
    """
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", class_name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def _has_config(layer: Config) -> bool:
    return is_layer(layer) and isinstance(layer["config"], dict)


def _entry(layer: Config, counts: Counter[str]) -> Entry:
    group = snake_case(layer["class_name"])
    number = counts[group]
    counts[group] += 1
    place = f"layers/{group}_{number}" if number else f"layers/{group}"
    return Entry(layer["class_name"], name_of(layer), layer["config"], place)


def _followed(config: Config, entries: dict[str, Entry], layers: dict[str, Config]) -> list[Entry]:
    """Return the layers of a functional model, followed from its output back to its input."""
    inputs = structure(config["config"].get("input_layers"))
    outputs = structure(config["config"].get("output_layers"))
    if len(inputs) != 1 or len(outputs) != 1:
        raise NotAChain(f"has {len(inputs)} inputs and {len(outputs)} outputs, not one of each")
    masks = {name for name, entry in entries.items() if entry.class_name == "NotEqual"}
    chain: list[Entry] = []
    of_masks: set[str] = set()
    tensor: Tensor | None = outputs[0][1]
    while tensor is not None:
        entry = entries.get(tensor.layer)
        if entry is None or tensor.call or tensor.index or len(chain) >= len(entries):
            raise NotAChain(f"has the layer {clipped_repr(tensor.layer)}, which is called twice")
        tensor, mask = _taken(layers[entry.name], entry)
        if mask is not None:
            of_masks.add(mask)
        chain.insert(0, Entry(**{**vars(entry), "masked": mask is not None}))
    others = set(entries) - {entry.name for entry in chain}
    if others != masks or not of_masks <= masks:
        name = min((others ^ masks) or (of_masks - masks))
        raise NotAChain(f"has the layer {clipped_repr(name)} beside the others, not behind them")
    ids = _before_embedding(chain)
    for name in masks:
        _check_mask(layers[name], ids)
    return chain


def _taken(layer: Config, entry: Entry) -> tuple[Tensor | None, str | None]:
    """Return the tensor that a layer takes, None for an input, and the maker of its mask."""
    calls = calls_of(layer)
    call = calls[0]
    if entry.class_name == "InputLayer" and calls == [[]]:
        return None, None
    arguments, settings = (
        (call.get("args"), call.get("kwargs")) if isinstance(call, dict) else (None, None)
    )
    if len(calls) != 1 or not isinstance(arguments, list) or not isinstance(settings, dict):
        raise NotAChain(f"has {entry.label}, which is not called once, as Keras 3 writes a call")
    mask = settings.get("mask")
    other = [key for key, value in settings.items() if key != "mask" and value not in (None, False)]
    taken = list(tensors_in(arguments))
    if len(taken) != 1 or other or len(arguments) != 1:
        raise NotAChain(f"has {entry.label}, which takes more than what the layer before it gives")
    if mask is None:
        return taken[0], None
    makers = list(tensors_in(mask))
    if len(makers) != 1:
        raise NotAChain(f"has {entry.label}, which takes a mask of its own")
    return taken[0], makers[0].layer


def _before_embedding(chain: list[Entry]) -> str:
    """Return the layer that gives the ids."""
    names = [entry.class_name for entry in chain]
    at = names.index("Embedding") if "Embedding" in names else 0
    return chain[at - 1].name if at else ""


def _check_mask(layer: Config, ids: str) -> None:
    """Find out whether an operation beside the layers compares the ids with 0."""
    calls = calls_of(layer)
    arguments = calls[0].get("args") if isinstance(calls[0], dict) else None
    compared = list(tensors_in(arguments[:1])) if isinstance(arguments, list) else []
    zero = isinstance(arguments, list) and arguments[1:] == [0]
    if len(calls) != 1 or not zero or [tensor.layer for tensor in compared] != [ids]:
        raise NotAChain(f"has a mask of its own, {clipped_repr(name_of(layer))}")
