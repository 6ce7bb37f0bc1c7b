"""The graph of an ONNX model: its constant tensors, and which of them rows are looked up in.

Numbers of fields are those of ONNX's onnx.proto.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from embedinspect.formats.protobuf import Message, ProtobufFile

_DEEPEST = 16  # graphs within branches and loops
_MOST_DIMENSIONS = 64
_EXTERNAL = 1  # of `DataLocation`
_RAW_DATA = 9
# The fields of a tensor that hold its numbers.
_NUMBERS = frozenset({4, 5, 6, 7, 10, 11, _RAW_DATA})
# What hands on its first input, in another type or by a scale.
_HAND_ON = frozenset({"Identity", "Cast", "DequantizeLinear"})
# What tells only how large its input is.
_SIZES = frozenset({"Shape", "Size"})


@dataclass(frozen=True)
class Stored:
    """A constant tensor, and where its numbers are.

    Attributes:
        dimensions: its shape.
        code: of the type of its numbers.
        field: of the message that holds them; None where the file has none.
        start: the first byte of these.
        size: in bytes.
        external: whether they are in another file.
        parts: in how many pieces they are; all writers store one.
    """

    dimensions: tuple[int, ...]
    code: int = 0
    field: int | None = None
    start: int = 0
    size: int = 0
    external: bool = False
    parts: int = 0

    @property
    def raw(self) -> bool:
        """Whether the numbers are as they are in memory."""
        return self.field == _RAW_DATA


@dataclass(frozen=True)
class Node:
    """A step of the computation.

    Attributes:
        kind: of the operator.
        inputs: the names of what it takes.
        outputs: the names of what it gives.
        numbers: its attributes that are whole numbers.
    """

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    numbers: dict[str, int]


@dataclass
class Graph:
    """A graph, with those in its branches: names are the same throughout.

    Attributes:
        tensors: constant ones, by name.
        nodes: in the order of the file.
        inputs: what the model is given.
    """

    tensors: dict[str, Stored] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    inputs: set[str] = field(default_factory=set)

    def looked_up(self) -> set[str]:
        """Return the names of constant tensors whose rows are looked up by what is given.

        What comes from the inputs' sizes alone, as positions often do, is not given.
        """
        given = self.inputs - self.tensors.keys()
        constants = {name: name for name in self.tensors}  # by the names that they are handed on
        looked_up = set()
        for node in self.nodes:  # each comes after those that make its inputs
            table = constants.get(node.inputs[0]) if node.inputs else None
            if table is not None and node.kind in _HAND_ON:
                constants.update(dict.fromkeys(node.outputs, table))
            if node.kind == "Gather" and not node.numbers.get("axis", 0):
                ids = node.inputs[1:2]
            elif node.kind == "EmbedLayerNormalization":
                table, ids = constants.get("".join(node.inputs[2:3])), node.inputs[:1]
            else:
                ids = ()
            if table is not None and not given.isdisjoint(ids):
                looked_up.add(table)
            if node.kind not in _SIZES and not given.isdisjoint(node.inputs):
                given.update(node.outputs)
        return looked_up

    def scalings(self) -> Iterator[tuple[str, Node, bool]]:
        """Yield each tensor that is scaled, the node that does so, and whether row by row.

        A model scales the whole tensor, or the rows that it has looked up in it.
        """
        rows_of: dict[str, str] = {}
        for node in self.nodes:
            source = node.inputs[0] if node.inputs else ""
            if node.kind == "Gather" and source in self.tensors:
                rows_of.update(dict.fromkeys(node.outputs, source))
            elif node.kind == "DequantizeLinear" and source in self.tensors:
                yield source, node, False
            elif node.kind == "DequantizeLinear" and source in rows_of:
                yield rows_of[source], node, True


def read_graph(file: ProtobufFile) -> Graph:
    """Return the graph of a model.

    Raises:
        DataError: the file is damaged, or has no graph or several.
    """
    graphs = list(file.root().messages(7))
    if len(graphs) != 1:
        raise file.damaged(f"it has {len(graphs):,} graphs")
    graph = Graph()
    _read(graphs[0], graph, 0)
    return graph


def _read(message: Message, graph: Graph, depth: int) -> None:
    """Add what is in a graph, and in those of its branches."""
    if depth > _DEEPEST:
        raise message.file.damaged(f"graphs are nested more than {_DEEPEST} deep")
    for number, value in message.fields():
        if not isinstance(value, Message):
            continue
        if number == 1:
            _read_node(value, graph, depth)
        elif number == 5:
            name, tensor = _read_tensor(value)
            _add(name, tensor, graph, value)
        elif number == 11 and not depth:
            graph.inputs |= {name.text() for name in value.messages(1)}


def _add(name: str, tensor: Stored, graph: Graph, message: Message) -> None:
    if graph.tensors.setdefault(name, tensor) is not tensor:
        raise message.file.damaged("two tensors have one name")


def _read_node(message: Message, graph: Graph, depth: int) -> None:
    """Add a node; one that only holds a constant adds that."""
    inputs: list[str] = []
    outputs: list[str] = []
    attributes: list[Message] = []
    kind = ""
    for number, value in message.fields():
        if not isinstance(value, Message):
            continue
        if number == 1:
            inputs.append(value.text())
        elif number == 2:
            outputs.append(value.text())
        elif number == 4:
            kind = value.text()
        elif number == 5:
            attributes.append(value)
    numbers = {}
    for attribute in attributes:
        name, whole = "", None
        for number, value in attribute.fields():
            if number == 1 and isinstance(value, Message):
                name = value.text()
            elif number == 3 and isinstance(value, int):
                whole = value - 2**64 if value >= 2**63 else value
            elif number == 5 and isinstance(value, Message) and kind == "Constant" and outputs:
                _add(outputs[0], _read_tensor(value)[1], graph, value)
            elif number == 6 and isinstance(value, Message):
                _read(value, graph, depth + 1)
        if whole is not None:
            numbers[name] = whole
    graph.nodes.append(Node(kind, tuple(inputs), tuple(outputs), numbers))


def _read_tensor(message: Message) -> tuple[str, Stored]:
    """Return the name of a constant tensor, and where its numbers are."""
    name, code, external, parts = "", 0, False, 0
    dimensions: list[int] = []
    numbers: tuple[int | None, int, int] = (None, 0, 0)
    for number, value in message.fields():
        if isinstance(value, int):
            if number == 1:
                dimensions.append(value)
            elif number == 2:
                code = value
            elif number == 14:
                external = external or value == _EXTERNAL
            elif number in _NUMBERS:
                parts += 2  # one by one
        elif number == 1:
            dimensions += islice(value.varints(), _MOST_DIMENSIONS + 1)
        elif number == 8:
            name = value.text()
        elif number in _NUMBERS:
            numbers, parts = (number, value.start, value.end - value.start), parts + 1
        elif number == 13:
            external = True
        elif number == 3:
            parts += 2  # a segment of a tensor
        if len(dimensions) > _MOST_DIMENSIONS:
            raise message.file.damaged("a tensor has too many dimensions")
    return name, Stored(tuple(dimensions), code, *numbers, external, parts)
