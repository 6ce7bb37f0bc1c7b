"""What the opcodes of a pickle work on; `unpickler` has the opcodes themselves."""

from __future__ import annotations

from mmap import mmap
from typing import Any, NoReturn

from embedinspect.errors import DataError
from embedinspect.formats.pickled_values import Global, Record, Rules, as_key
from embedinspect.wording import clipped_repr

_LONGEST_LINE = 2**16
_LONGEST_NAME = 200  # of a global; longer ones are cut off in messages
_LONGEST_NUMBER = 1000  # bytes; Python itself refuses to parse decimals of 4,300 digits
_WORTH_SHARING = 2**12  # bytes; fewer are copied
# Newer names of what older files call otherwise, so that the lists of names need only one.
_RENAMED = (
    ("__builtin__.", "builtins."), ("copy_reg.", "copyreg."), ("numpy._core.", "numpy.core."),
)  # fmt: skip


class Machine:
    """What the opcodes of a pickle work on: the data, a stack of values, and a memo.

    Attributes:
        at: the offset of what is read next.
        stack: the values that wait for the opcode that takes them.
        marks: how long the stack was at each mark.
        memo: the values that are used again, by their numbers.
        room: how many more containers there may be.
        copied: how many characters and items calls have copied.
    """

    def __init__(self, data: bytes | mmap, rules: Rules, label: str) -> None:
        self.data, self.rules, self.label = data, rules, label
        self.view = memoryview(data)
        self.size = len(data)
        self.at = 0
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        # A file has some six bytes for each list, tuple or object, and four for each in the memo.
        self.copied = 0
        self.room, self.memo_room = 4096 + self.size // 6, 4096 + self.size // 3

    def refuse(self, reason: str) -> NoReturn:
        raise DataError(f"{self.label} {reason}; expected a whole pickle") from None

    # What is read.

    def number(self, size: int, *, signed: bool = False) -> int:
        """Return the next bytes as a number."""
        if size > _LONGEST_NUMBER:
            raise ValueError("a number of too many digits")
        return int.from_bytes(self.take_bytes(size), "little", signed=signed)

    def take_bytes(self, size: int) -> bytes:
        """Return the next bytes, a copy."""
        return bytes(self.shared(size))

    def shared(self, size: int) -> bytes | memoryview:
        """Return the next bytes, a view of them where they are many."""
        start = self.at
        if not 0 <= size <= self.size - start:
            raise ValueError(f"{size:,} bytes, but {self.size - start:,} are left")
        self.at = start + size
        part = self.view[start : self.at]
        return part if size >= _WORTH_SHARING else bytes(part)

    def take_line(self) -> bytes:
        """Return the bytes up to the next line feed."""
        start = self.at
        end = self.data.find(b"\n", start, start + _LONGEST_LINE)
        if end < 0:
            raise ValueError("a line without an end")
        self.at = end + 1
        return self.data[start:end]

    def decimal(self) -> int:
        line = self.take_line()
        if len(line) > _LONGEST_NUMBER:
            raise ValueError("a number of too many digits")
        return int(line.removesuffix(b"L"))

    # What is made.

    def container(self, value: Any) -> None:
        """Push a container, of which there may not be too many."""
        self.room -= 1
        if self.room < 0:
            self.refuse("describes too many lists, tuples and objects for its size")
        self.stack.append(value)

    def taken(self) -> list[Any]:
        """Return what was pushed since the last mark, and take it off the stack."""
        start = self.marks.pop()
        if start > len(self.stack):
            raise ValueError("a mark without values")
        values = self.stack[start:]
        del self.stack[start:]
        return values

    def top_tuple(self, size: int) -> None:
        values = self.stack[-size:]
        if len(values) < size:
            raise ValueError("no such value")
        del self.stack[-size:]
        self.container(tuple(values))

    def remember(self, number: int) -> None:
        if len(self.memo) > self.memo_room:
            self.refuse("remembers too many values for its size")
        self.memo[number] = self.stack[-1]

    def pairs(self, values: list[Any]) -> dict[Any, Any]:
        return {as_key(key): value for key, value in zip(values[::2], values[1::2], strict=True)}

    def set_items(self, values: list[Any]) -> None:
        place = self.stack[-1]
        if type(place) is not dict:
            raise ValueError("items of something that is no dictionary")
        place.update(self.pairs(values))

    def extend(self, values: list[Any]) -> None:
        place = self.stack[-1]
        if type(place) is not list:
            raise ValueError("more values of something that is no list")
        place.extend(values)

    def push_global(self, module: Any, name: Any) -> None:
        """Push a name that is on the list.

        Raises:
            DataError: it is not.
        """
        full = f"{module}.{name}" if type(module) is str and type(name) is str else ""
        for old, new in _RENAMED:
            if full.startswith(old):
                full = new + full.removeprefix(old)
        if full not in self.rules.admitted:
            raise DataError(
                f"{self.label} is a pickle that names {clipped_repr(full, _LONGEST_NAME)}, which "
                f"is not among the names that are read without running anything; "
                f"{self.rules.way_out}"
            )
        self.container(Global(full))

    def call(self, function: Any, arguments: Any) -> None:
        """Push what a call stands for; only what is on the list can be called."""
        if type(function) is not Global or type(arguments) is not tuple:
            raise ValueError("a call of something that has no name")
        meaning = self.rules.admitted[function.name]
        if meaning is None:
            self.container(Record(function.name, arguments))
            return
        # A copy is charged for, or one long value could be copied again and again.
        self.copied += 1 + sum(len(part) for part in arguments if isinstance(part, str | list))
        if self.copied > 4096 + self.size:
            self.refuse("copies its values too often")
        self.container(meaning(arguments))

    def build(self) -> None:
        """Write down the state of an object; the attributes of a dictionary are of no use."""
        state = self.stack.pop()
        value = self.stack[-1]
        if type(value) is Record:
            value.state = state
        elif type(value) is not dict:
            raise ValueError("a state of something that has none")

    def persistent(self, id_: Any) -> None:
        if self.rules.persistent is None:
            raise ValueError("a persistent id")
        self.container(self.rules.persistent(id_))
