"""What lies behind an Embedding layer in a saved model, read from its config alone.

The config of a model lists its layers: a Sequential model in their order, a functional one with the
layers that each takes its input from (`keras_history` since Keras 3, bare lists before). Nested
models are laid out flat. Which layers pass a mask on, use it, or destroy it is as in Keras 3.15
(`supports_masking` and `compute_mask` of each layer); the tests ask Keras itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

RECURRENT = frozenset({"LSTM", "GRU", "SimpleRNN", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"})
# These pass a mask on only where each of their inputs has one.
MERGES = frozenset({"Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract"})
KEEP_MASK = frozenset(
    {
        "Activation",
        "ActivityRegularization",
        "AdditiveAttention",
        "AlphaDropout",
        "Attention",
        "BatchNormalization",
        "Concatenate",
        "Dense",
        "Dropout",
        "ELU",
        "GaussianDropout",
        "GaussianNoise",
        "GroupNormalization",
        "GroupQueryAttention",
        "Identity",
        "LayerNormalization",
        "LeakyReLU",
        "Masking",
        "MultiHeadAttention",
        "Normalization",
        "PReLU",
        "ReLU",
        "Rescaling",
        "Softmax",
        "SpatialDropout1D",
        "TimeDistributed",
        "UnitNormalization",
    }
)
DESTROY_MASK = frozenset(
    {
        "AveragePooling1D",
        "Conv1D",
        "Conv1DTranspose",
        "Cropping1D",
        "DepthwiseConv1D",
        "EinsumDense",
        "Flatten",
        "GlobalMaxPooling1D",
        "Lambda",
        "MaxPooling1D",
        "Permute",
        "RMSNormalization",
        "Reshape",
        "SeparableConv1D",
        "UpSampling1D",
        "ZeroPadding1D",
    }
)
# These make one vector of all positions.
REDUCE = frozenset({"Flatten", "GlobalMaxPooling1D", "GlobalAveragePooling1D", "Dot"})
_KNOWN = KEEP_MASK | DESTROY_MASK | MERGES | REDUCE | {"InputLayer", "Embedding"}
_MODELS = frozenset({"Sequential", "Functional", "Model"})
_DEEPEST = 40
_OPERATIONS = ("keras.src.ops", "keras.ops")


@dataclass
class Node:
    """One layer of a model that is laid out flat.

    Attributes:
        name: of the layer.
        class_name: of the layer.
        config: of the layer.
        inputs: the keys of the nodes that it takes its input from.
        operation: whether it is an operation of `keras.ops`, as `x + y` makes one.
    """

    name: str
    class_name: str
    config: dict[str, Any]
    inputs: list[str] = field(default_factory=list)
    operation: bool = False

    @property
    def wrapped(self) -> tuple[str, dict[str, Any]]:
        """The class name and the config of the layer, or of the layer that it wraps."""
        inner = self.config.get("layer")
        if self.class_name in {"Bidirectional", "TimeDistributed"} and isinstance(inner, dict):
            name, config = inner.get("class_name"), inner.get("config")
            if isinstance(name, str) and isinstance(config, dict):
                return name, config
        return self.class_name, self.config

    @property
    def recurrent(self) -> bool:
        """Whether the layer reads its input one position after another."""
        return self.wrapped[0] in RECURRENT


@dataclass(frozen=True)
class Reader:
    """A layer that reads all positions: a recurrent one, or an average over them.

    Attributes:
        node: the layer.
        masked: whether the mask of the embedding reaches it.
    """

    node: Node
    masked: bool


@dataclass(frozen=True)
class Behind:
    """What lies behind an Embedding layer.

    Attributes:
        readers: the layers that read all positions, in their order.
        losses: the layers at which the mask is lost, though they still handle positions.
        unknown: the layers that get all positions and may do anything with them: those of a class
            that is not known, Lambda, and operations.
        input_length: how many positions the model takes; None for any number.
    """

    readers: tuple[Reader, ...]
    losses: tuple[Node, ...]
    unknown: tuple[Node, ...]
    input_length: int | None


def behind(config: dict[str, Any], embedding: str, *, mask_zero: bool) -> Behind | None:
    """Return what lies behind the Embedding layer of that name; None where there is none.

    Args:
        config: of the model.
        mask_zero: whether the layer makes a mask.
    """
    nodes = _Layout(config).nodes
    starts = [
        key
        for key, node in nodes.items()
        if node.class_name.endswith("Embedding") and node.name == embedding
    ]
    if not starts:
        return None
    readers: list[Reader] = []
    losses: list[Node] = []
    unknown: list[Node] = []
    # The nodes whose output has the positions of the embedding, and whether it still has the mask.
    states: dict[str, bool] = dict.fromkeys(starts, mask_zero)
    for key in in_order(nodes):
        node = nodes[key]
        coming = [states.get(source) for source in node.inputs]
        if key in states or all(state is None for state in coming):
            continue
        if _may_do_anything(node):
            unknown.append(node)
        masked, lost = _mask_after(node, coming)
        if lost:
            losses.append(node)
        if node.recurrent or node.class_name == "GlobalAveragePooling1D":
            readers.append(Reader(node, any(coming)))
        if not _ends(node):
            states[key] = masked
    length = _input_length(nodes, starts[0], config)
    return Behind(tuple(readers), tuple(losses), tuple(unknown), length)


def _mask_after(node: Node, coming: list[bool | None]) -> tuple[bool, bool]:
    """Return whether the output has a mask, and whether a mask is lost here that should not be."""
    if not any(coming):
        return False, False
    name = node.class_name
    if node.operation or name in DESTROY_MASK:
        return False, True
    if name in MERGES:
        whole = all(coming)
        return whole, not whole
    if name == "Dot":
        return False, False
    known = node.recurrent or name in KEEP_MASK or name in {"Bidirectional", "InputLayer"}
    return known, False  # nothing is known of a class of the user's own, so nothing is said


def _may_do_anything(node: Node) -> bool:
    """Return whether it cannot be known what a node does with the positions that it gets."""
    name, _ = node.wrapped
    if node.operation:
        return name not in MERGES
    return name == "Lambda" or not (node.recurrent or name in _KNOWN)


def _ends(node: Node) -> bool:
    """Return whether the output of a node has no positions any more."""
    if node.recurrent:
        return not node.wrapped[1].get("return_sequences")
    return node.class_name in REDUCE


def in_order(nodes: dict[str, Node]) -> Iterator[str]:
    """Yield the keys of the nodes, each after those of its inputs, without those in a cycle."""
    waiting = {
        key: {source for source in node.inputs if source in nodes} for key, node in nodes.items()
    }
    after: dict[str, list[str]] = {}
    for key, sources in waiting.items():
        for source in sources:
            after.setdefault(source, []).append(key)
    ready = [key for key, sources in waiting.items() if not sources]
    for key in ready:
        yield key
        for next_key in after.get(key, ()):
            waiting[next_key].discard(key)
            if not waiting[next_key]:
                ready.append(next_key)


def _input_length(nodes: dict[str, Node], start: str, config: dict[str, Any]) -> int | None:
    """Return how many positions the input of the embedding has; None where that is not fixed."""
    seen, waiting = {start}, [start]
    for key in waiting:
        node = nodes[key]
        if node.class_name == "TextVectorization":  # its input is one string for each text
            length = node.config.get("output_sequence_length")
            return length if type(length) is int else None
        if node.class_name == "InputLayer" or node.config.get("batch_input_shape"):
            shape = node.config.get("batch_shape") or node.config.get("batch_input_shape")
            if isinstance(shape, list) and len(shape) == 2 and type(shape[1]) is int:
                return shape[1]
        for source in node.inputs:
            if source in nodes and source not in seen:
                seen.add(source)
                waiting.append(source)
    inner = config.get("config")
    shape = inner.get("build_input_shape") if isinstance(inner, dict) else None
    fixed = isinstance(shape, list) and len(shape) == 2 and type(shape[1]) is int
    return shape[1] if fixed and isinstance(shape, list) else None


class _Layout:
    """The nodes of a model and of the models nested in it, each by a key of its own."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.nodes: dict[str, Node] = {}
        self._lay(config, "", [], 0)

    def _lay(self, model: dict[str, Any], prefix: str, inputs: list[str], depth: int) -> list[str]:
        """Lay out one model; return the keys of the nodes that its output comes from.

        Args:
            prefix: of the keys of its nodes.
            inputs: keys of the nodes that its input comes from.
        """
        inner = model.get("config")
        layers = inner.get("layers") if isinstance(inner, dict) else inner  # a list in old files
        if not isinstance(layers, list):
            return inputs
        entries = [entry for entry in layers if _is_layer(entry)]
        if model.get("class_name") == "Sequential":
            last = inputs
            for number, entry in enumerate(entries):
                last = self._add(entry, f"{prefix}{number}", last, depth)
            return last
        outputs: dict[str, list[str]] = {}
        places = {_name(entry): f"{prefix}{number}" for number, entry in enumerate(entries)}
        for entry in _by_need(entries):
            name = _name(entry)
            sources = [
                key
                for source in _sources(entry.get("inbound_nodes"))
                for key in outputs.get(source, [places.get(source, "")])
                if key
            ]
            if entry.get("class_name") == "InputLayer":
                sources = inputs
            outputs[name] = self._add(entry, places[name], sources, depth)
        ends = inner.get("output_layers") if isinstance(inner, dict) else None
        return [key for name in _names_in(ends) for key in outputs.get(name, ())]

    def _add(self, entry: dict[str, Any], key: str, sources: list[str], depth: int) -> list[str]:
        if entry["class_name"] in _MODELS and depth < _DEEPEST:
            return self._lay(entry, f"{key}/", sources, depth + 1)
        module = entry.get("module")
        self.nodes[key] = Node(
            name=_name(entry),
            class_name=entry["class_name"],
            config=entry["config"],
            inputs=list(sources),
            operation=isinstance(module, str) and module.startswith(_OPERATIONS),
        )
        return [key]


def _is_layer(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("class_name"), str)
        and isinstance(entry.get("config"), (dict, list))
        and (isinstance(entry["config"], dict) or entry["class_name"] in _MODELS)
    )


def _name(entry: dict[str, Any]) -> str:
    config = entry.get("config")
    inner = config.get("name") if isinstance(config, dict) else None
    for name in (inner, entry.get("name")):
        if isinstance(name, str):
            return name
    return ""


def _by_need(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the layers of a functional model, each after those that it takes its input from.

    A file may list them in any order, as it does where layers are shared.
    """
    named = {_name(entry): entry for entry in entries}
    nodes = {
        name: Node(name, "", {}, [s for s in _sources(entry.get("inbound_nodes")) if s in named])
        for name, entry in named.items()
    }
    ordered = list(in_order(nodes))
    in_cycles = [name for name in named if name not in set(ordered)]
    return [named[name] for name in [*ordered, *in_cycles]]


def _sources(inbound: object) -> Iterator[str]:
    """Yield the names of the layers that the calls of a layer take their input from."""
    waiting: list[object] = [inbound]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            history = value.get("keras_history")
            if isinstance(history, list) and history and isinstance(history[0], str):
                yield history[0]
                continue
            waiting.extend(reversed(list(value.values())))
        elif isinstance(value, list):
            if len(value) in {3, 4} and isinstance(value[0], str) and type(value[1]) is int:
                yield value[0]  # the form before Keras 3: layer, call, tensor, arguments
                waiting.extend(value[3:])
            else:
                waiting.extend(reversed(value))


def _names_in(outputs: object) -> Iterator[str]:
    """Yield the layers that `output_layers` names: a triple, or a list or dictionary of triples."""
    if isinstance(outputs, dict):
        outputs = list(outputs.values())
    if not isinstance(outputs, list):
        return
    triples = [outputs] if outputs and isinstance(outputs[0], str) else outputs
    for triple in triples:
        if isinstance(triple, list) and triple and isinstance(triple[0], str):
            yield triple[0]
