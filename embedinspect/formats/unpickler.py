"""Reads a pickle without running it: what it would build is only written down.

A pickle is a program. This reader follows its opcodes (`pickletools` of Python's standard library
lists them) and makes plain values, but where the program names a global it makes a `Global`, which
is only a name, and where it calls one it makes a `Record` of the name and the arguments. A closed
list says which names there may be, and which few of them have a value of their own, such as an
ordered dictionary. Nothing is imported, no attribute is looked up, and no method of a value runs.

What is made is bounded by the size of the file: each opcode makes at most one value, strings are
checked against the bytes that are left, and the keys of dictionaries are such as cannot be made to
collide. Nothing here walks through the values, which may share parts of each other.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Callable
from mmap import mmap
from typing import Any

from embedinspect.formats.pickle_machine import Machine
from embedinspect.formats.pickled_values import Rules, as_key
from embedinspect.wording import literal

_NEWEST_PROTOCOL = 5
_MOST_COPIED = 2**28


def unpickled(data: bytes | mmap, rules: Rules, label: str) -> Any:
    """Return what a pickle describes: plain values, `Global`s and `Record`s.

    Long byte strings are views of the data, which may be a map of a file.

    Args:
        label: how messages name the file.

    Raises:
        DataError: it is damaged, or names a global that is not on the list.
    """
    if len(data) <= _MOST_COPIED:  # bytes are faster than a map
        data = data[:]
    machine = Machine(data, rules, label)
    code = start = 0
    try:
        while True:
            _follow_frequent(machine)
            start = machine.at
            code = data[start]
            machine.at = start + 1
            if code == _STOP:
                [value] = machine.stack
                return value
            _ACTIONS[code](machine)
    except KeyError:
        machine.refuse(f"is damaged at byte {start:,} (no such opcode or value: {code:#04x})")
    except (IndexError, ValueError, TypeError, struct.error) as error:
        reason = str(error) if isinstance(error, ValueError) and str(error) else "no such value"
        machine.refuse(f"is damaged at byte {start:,} ({literal(reason[:100])})")


_Action = Callable[[Machine], Any]
_STOP = ord(".")
_MEMOIZE, _LONG_BINPUT, _LONG_BINGET = b"\x94rj"
_SHORT_BINUNICODE, _BINUNICODE, _BININT, _BININT2 = b"\x8cXJM"


def _follow_frequent(machine: Machine) -> None:
    """Follow the opcodes that long lists of words are made of, as long as they come.

    These are those for texts, for what is remembered, and for numbers; what is wrong with one of
    them is left to its action in the table.
    """
    data, view, memo, at = machine.data, machine.view, machine.memo, machine.at
    push, stack, memo_room = machine.stack.append, machine.stack, machine.memo_room
    end = machine.size - 6  # the longest of them, but for the texts themselves
    while at < end:
        code = data[at]
        if code in (_MEMOIZE, _LONG_BINPUT):
            if not stack or len(memo) >= memo_room:
                break
            number = len(memo)
            if code == _LONG_BINPUT:
                number = int.from_bytes(data[at + 1 : at + 5], "little")
                at += 4
            memo[number] = stack[-1]
            at += 1
        elif code in (_SHORT_BINUNICODE, _BINUNICODE):
            start, size = at + 2, data[at + 1]
            if code == _BINUNICODE:
                start, size = at + 5, int.from_bytes(data[at + 1 : at + 5], "little")
            if size > machine.size - start:
                break
            at = start + size
            push(str(view[start:at], "utf-8", "surrogatepass"))
        elif code == _LONG_BINGET:
            value = memo.get(int.from_bytes(data[at + 1 : at + 5], "little"), memo)
            if value is memo:
                break
            push(value)
            at += 5
        elif code == _BININT:
            push(int.from_bytes(data[at + 1 : at + 5], "little", signed=True))
            at += 5
        elif code == _BININT2:
            push(data[at + 1] | data[at + 2] << 8)
            at += 3
        else:
            break
    machine.at = at


def _pushing(value: Any) -> _Action:
    return lambda machine: machine.stack.append(value)


def _unpacked(form: str) -> _Action:
    """Return an action that pushes a number of fixed size."""
    number = struct.Struct(form)

    def push(machine: Machine) -> None:
        machine.stack.append(number.unpack_from(machine.data, machine.at)[0])
        machine.at += number.size

    return push


def _text(size: int) -> _Action:
    """Return an action that pushes a text in UTF-8, whose length takes so many bytes."""

    def push(machine: Machine) -> None:
        text = machine.take_bytes(machine.number(size))
        machine.stack.append(text.decode("utf-8", "surrogatepass"))

    return push


def _text_of_python_2(size: int) -> _Action:
    """Return an action that pushes a byte string of Python 2, as gensim and NumPy read them."""
    return lambda machine: machine.stack.append(
        machine.take_bytes(machine.number(size)).decode("latin1")
    )


def _bytes(size: int) -> _Action:
    return lambda machine: machine.stack.append(machine.shared(machine.number(size)))


def _long(size: int) -> _Action:
    def push(machine: Machine) -> None:
        machine.stack.append(machine.number(machine.number(size), signed=True))

    return push


def _quoted(machine: Machine) -> None:
    text = machine.take_line()
    if len(text) < 2 or text[:1] not in (b"'", b'"') or text[-1:] != text[:1]:
        raise ValueError("a text without quotes")
    decoded = codecs.escape_decode(text[1:-1])[0]
    machine.stack.append(decoded.decode("latin1"))


def _decimal(machine: Machine) -> None:
    value = machine.decimal()
    was_bool = machine.data[machine.at - 3 : machine.at] in (b"00\n", b"01\n")
    machine.stack.append(bool(value) if was_bool and 0 <= value <= 1 else value)


def _global(machine: Machine) -> None:
    module, name = machine.take_line(), machine.take_line()
    machine.push_global(module.decode("utf-8", "replace"), name.decode("utf-8", "replace"))


def _stack_global(machine: Machine) -> None:
    name = machine.stack.pop()
    machine.push_global(machine.stack.pop(), name)


def _reduce(machine: Machine) -> None:
    arguments = machine.stack.pop()
    machine.call(machine.stack.pop(), arguments)


def _new_with_keywords(machine: Machine) -> None:
    keywords = machine.stack.pop()
    if keywords != {}:
        raise ValueError("arguments with names")
    _reduce(machine)


def _inst(machine: Machine) -> None:
    arguments = tuple(machine.taken())
    _global(machine)
    machine.call(machine.stack.pop(), arguments)


def _obj(machine: Machine) -> None:
    function, *arguments = machine.taken()
    machine.call(function, tuple(arguments))


def _set_item(machine: Machine) -> None:
    value = machine.stack.pop()
    key = machine.stack.pop()
    machine.set_items([key, value])


def _pop(machine: Machine) -> None:
    if machine.marks and machine.marks[-1] == len(machine.stack):
        machine.marks.pop()
    else:
        machine.stack.pop()


def _add_items(machine: Machine) -> None:
    values = machine.taken()
    if type(machine.stack[-1]) is not set:
        raise ValueError("more values of something that is no set")
    machine.stack[-1].update(map(as_key, values))


def _protocol(machine: Machine) -> None:
    if (protocol := machine.number(1)) > _NEWEST_PROTOCOL:
        raise ValueError(f"protocol {protocol}")


def _frame(machine: Machine) -> None:
    machine.number(8)  # how many bytes belong together is of no concern here


# By the letters of the opcodes; those of extensions and of buffers elsewhere are not among them.
_BY_LETTER: dict[bytes, _Action] = {
    b"\x80": _protocol,
    b"\x95": _frame,
    b"N": _pushing(None),
    b"\x88": _pushing(True),
    b"\x89": _pushing(False),
    b"I": _decimal,
    b"L": _decimal,
    b"J": _unpacked("<i"),
    b"K": _unpacked("<B"),
    b"M": _unpacked("<H"),
    b"\x8a": _long(1),
    b"\x8b": _long(4),
    b"F": lambda machine: machine.stack.append(float(machine.take_line())),
    b"G": _unpacked(">d"),
    b"S": _quoted,
    b"T": _text_of_python_2(4),
    b"U": _text_of_python_2(1),
    b"V": lambda machine: machine.stack.append(machine.take_line().decode("raw-unicode-escape")),
    b"X": _text(4),
    b"\x8c": _text(1),
    b"\x8d": _text(8),
    b"B": _bytes(4),
    b"C": _bytes(1),
    b"\x8e": _bytes(8),
    b"\x96": _bytes(8),
    b")": lambda machine: machine.stack.append(()),
    b"\x85": lambda machine: machine.top_tuple(1),
    b"\x86": lambda machine: machine.top_tuple(2),
    b"\x87": lambda machine: machine.top_tuple(3),
    b"t": lambda machine: machine.container(tuple(machine.taken())),
    b"]": lambda machine: machine.container([]),
    b"l": lambda machine: machine.container(machine.taken()),
    b"}": lambda machine: machine.container({}),
    b"d": lambda machine: machine.container(machine.pairs(machine.taken())),
    b"\x8f": lambda machine: machine.container(set()),
    b"\x91": lambda machine: machine.container(frozenset(map(as_key, machine.taken()))),
    b"\x90": _add_items,
    b"a": lambda machine: machine.extend([machine.stack.pop()]),
    b"e": lambda machine: machine.extend(machine.taken()),
    b"s": _set_item,
    b"u": lambda machine: machine.set_items(machine.taken()),
    b"(": lambda machine: machine.marks.append(len(machine.stack)),
    b"0": _pop,
    b"1": lambda machine: machine.taken(),
    b"2": lambda machine: machine.stack.append(machine.stack[-1]),
    b"g": lambda machine: machine.stack.append(machine.memo[machine.decimal()]),
    b"h": lambda machine: machine.stack.append(machine.memo[machine.number(1)]),
    b"j": lambda machine: machine.stack.append(machine.memo[machine.number(4)]),
    b"p": lambda machine: machine.remember(machine.decimal()),
    b"q": lambda machine: machine.remember(machine.number(1)),
    b"r": lambda machine: machine.remember(machine.number(4)),
    b"\x94": lambda machine: machine.remember(len(machine.memo)),
    b"c": _global,
    b"\x93": _stack_global,
    b"R": _reduce,
    b"\x81": _reduce,
    b"\x92": _new_with_keywords,
    b"i": _inst,
    b"o": _obj,
    b"b": lambda machine: machine.build(),
    b"P": lambda machine: machine.persistent(machine.take_line().decode("latin1")),
    b"Q": lambda machine: machine.persistent(machine.stack.pop()),
}
_ACTIONS = {letter[0]: action for letter, action in _BY_LETTER.items()}
