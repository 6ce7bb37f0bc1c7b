"""Pickles are followed and written down, with Python's own as the oracle, and hostile ones."""

from __future__ import annotations

import builtins
import contextlib
import os
import pickle
import time
import tracemalloc
from collections import OrderedDict, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedinspect.errors import DataError
from embedinspect.formats import gensim_names, torch_pickle
from embedinspect.formats.pickled_arrays import NAMES, array_of
from embedinspect.formats.pickled_values import Global, Record, Rules
from embedinspect.formats.unpickler import unpickled

RULES = gensim_names.RULES
KEYS = st.one_of(st.text(), st.integers(-(2**60), 2**60), st.none(), st.binary(max_size=20))
PLAIN = st.recursive(
    st.one_of(KEYS, st.booleans(), st.integers(), st.floats(allow_nan=False), st.binary()),
    lambda inner: st.one_of(
        st.lists(inner), st.dictionaries(KEYS, inner), st.lists(inner, max_size=4).map(tuple)
    ),
    max_leaves=30,
)


def read(data: bytes, rules: Rules = RULES):
    return unpickled(data, rules, "'file'")


@settings(max_examples=60)
@given(PLAIN, st.integers(1, pickle.HIGHEST_PROTOCOL))
def test_plain_values_are_those_that_python_reads(value, protocol):
    assert read(pickle.dumps(value, protocol)) == value


@settings(max_examples=40)
@given(
    st.recursive(
        st.one_of(st.text(), st.integers(), st.floats(allow_nan=False), st.booleans()),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_the_protocol_of_texts_is_read(value):
    assert read(pickle.dumps(value, 0)) == value


def test_what_python_2_wrote_is_read():
    """A str, a long, a unicode string with an escape, an old-style instance."""
    data = (
        b"(lp0\nS'a\\xe9'\np1\naL12L\naVd\\u00e9\np2\naI01\naI1\na(dp3\nS'b'\nF0.5\nsa"
        b"(igensim.models.word2vec\nVocab\np4\na."
    )
    *plain, instance = read(data)
    assert plain == ["aé", 12, "dé", True, 1, {"b": 0.5}]
    assert (type(instance), instance.name) == (Record, "gensim.models.word2vec.Vocab")


def test_values_that_are_shared_are_read_once():
    inner = ["x"]
    first, second = read(pickle.dumps([inner, inner]))
    assert first is second


def test_dictionaries_of_collections_are_dictionaries():
    ordered = OrderedDict(b=1, a=2)
    ordered.attribute = "ignored"
    for protocol in range(2, 6):
        assert read(pickle.dumps([ordered, defaultdict(int, x=1)], protocol)) == [
            {"b": 1, "a": 2}, {"x": 1}
        ]  # fmt: skip
    assert list(read(pickle.dumps(ordered))) == ["b", "a"]


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("dtype", ["<f4", ">f4", "f8", "f2", "i8", "u1"])
def test_arrays_are_those_of_numpy(protocol, dtype):
    array = np.arange(2000).reshape(50, 40).astype(dtype)
    for value in (array, np.asfortranarray(array)):
        rows = array_of(read(pickle.dumps(value, protocol)), "'file'")
        assert rows.dtype == value.dtype
        assert np.array_equal(rows, value)


def test_numbers_of_numpy_are_numbers():
    assert read(pickle.dumps([np.int64(7), np.float32(0.5)])) == [7, 0.5]
    assert read(pickle.dumps({np.int64(7): "x"}, 2)) == {7: "x"}


class Evil:
    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


HOSTILE = [
    *(pickle.dumps(Evil(os.mkdir, ("made",)), protocol) for protocol in range(6)),
    pickle.dumps(Evil(builtins.eval, ("1/0",))),
    pickle.dumps(Evil(builtins.getattr, (os, "system")[1:] * 2)),
    pickle.dumps([Evil(builtins.__import__, ("antigravity",))]),
    b"\x80\x02cos\nmkdir\n(X\x04\0\0\0madetR.",
    b"(S'made'\nios\nmkdir\n.",
    b"(cos\nmkdir\nS'made'\no.",
    b"\x80\x04\x8c\x02os\x8c\x05mkdir\x93\x8c\x04made\x85\x81.",
    b"\x80\x04\x8c\x02os\x8c\x05mkdir\x93\x8c\x04made\x85}\x92.",
    b"\x80\x02\x82\x01.",
    b"\x80\x02cbuiltins\nset\ncbuiltins\nset\n}X\x08\0\0\0__call__cos\nmkdir\nsb.",
]


@pytest.mark.parametrize("data", HOSTILE)
@pytest.mark.parametrize("rules", [gensim_names.RULES, torch_pickle.RULES])
def test_a_pickle_that_calls_is_refused_and_calls_nothing(tmp_path, monkeypatch, data, rules):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError):
        read(data, rules)
    assert not list(tmp_path.iterdir())


def test_the_name_that_is_not_on_the_list_is_named_with_a_way_out():
    with pytest.raises(DataError, match=r"names '(posix|nt)\.mkdir', which is not among the names"):
        read(HOSTILE[2])
    with pytest.raises(DataError, match="where you trust the file, in Python"):
        read(HOSTILE[2])
    with pytest.raises(DataError, match=r"names 'a\\x1b\[1m\.b'"):
        read(b"\x80\x02ca\x1b[1m\nb\n.")


@pytest.mark.parametrize("rules", [gensim_names.RULES, torch_pickle.RULES])
def test_what_is_called_is_only_written_down(rules):
    """Few of the names have a meaning of their own, each of which makes a plain value."""
    meant = {name for name, meaning in rules.admitted.items() if meaning is not None}
    assert meant <= {
        "collections.OrderedDict", "collections.defaultdict", "UserString.defaultdict",
        "_codecs.encode", "numpy.core.multiarray.scalar", "builtins.bytes",
    }  # fmt: skip
    value = read(b"\x80\x02cbuiltins\nset\n(X\x01\0\0\0atR}X\x01\0\0\0bK\x01sb.", rules)
    assert (value.name, value.arguments, value.attributes) == ("builtins.set", ("a",), {"b": 1})
    assert read(b"\x80\x02cbuiltins\nset\n.", rules) == Global("builtins.set")


def doubled(times: int) -> bytes:
    """Return a pickle of pairs of pairs of pairs, as many as 2**times if they are walked."""
    return b"\x80\x02N" + b"2\x86" * times


COLLIDING = b"".join(
    b"\x8a\x10" + (number * (2**61 - 1)).to_bytes(16, "little") + b"N" for number in range(15_000)
)
BOMBS = {
    "a text of 2**60 bytes": b"\x80\x04\x8d" + (2**60).to_bytes(8, "little") + b"x.",
    "bytes of 2**60 bytes": b"\x80\x04\x8e" + (2**60).to_bytes(8, "little") + b"x.",
    "an array of 2**60 bytes": b"\x80\x05\x96" + (2**60).to_bytes(8, "little") + b"x.",
    "a number of 2**31 bytes": b"\x80\x02\x8b\xff\xff\xff\x7fx.",
    "a number of many digits": b"I" + b"9" * 60_000 + b"\n.",
    "a long of many digits": b"L" + b"9" * 60_000 + b"L\n.",
    "a frame of 2**63 bytes": b"\x80\x04\x95" + b"\xff" * 8 + b"N",
    "only dictionaries": b"\x80\x02(" + b"}" * 300_000 + b"t.",
    "only tuples": b"\x80\x02N" + b"\x85" * 300_000 + b".",
    "only a memo": b"\x80\x04N" + b"\x94" * 300_000 + b".",
    "copies of one text": b"\x80\x02c_codecs\nencode\nq\0X\x00\x00\x10\0" + b"a" * 2**20
    + b"q\1X\x06\0\0\0latin1q\2\x86q\3(" + b"h\0h\3R" * 5_000 + b"t.",
    "copies of one dictionary": b"\x80\x02ccollections\nOrderedDict\nq\0]q\1("
    + b"".join(b"K\1K\2\x86" for _ in range(1000)) + b"e\x85q\3(" + b"h\0h\3R" * 5_000 + b"t.",
    "colliding keys": b"\x80\x02}(" + COLLIDING + b"u.",
    "nested tuples as a key": doubled(60) + b"q\0}h\0Ns.",
    "a list of itself as a key": b"\x80\x02]q\0h\0a}h\0Ns.",
    "a mark without an end": b"\x80\x02(((",
    "a tuple before its mark": b"\x80\x02NN(00t.",
    "a text of no line's end": b"S" + b"'" * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_little_time_and_memory(name):
    tracemalloc.start()
    start = time.process_time()
    with pytest.raises(DataError):
        read(BOMBS[name])
    assert time.process_time() - start < 5
    assert tracemalloc.get_traced_memory()[1] < 2**27 + 64 * len(BOMBS[name])
    tracemalloc.stop()


def test_values_in_each_other_take_no_stack():
    """Deeper than Python's own stack, and then dropped again."""
    deep = read(b"\x80\x02" + b"]" * 4000 + b"a" * 3999 + b".")
    assert isinstance(deep, list)
    record = b"\x80\x02" + b"cbuiltins\nset\n" * 3000 + b")R" + b"\x85R" * 2999 + b"."
    assert read(record).name == "builtins.set"


def test_values_that_multiply_when_they_are_walked_are_not_walked():
    value = read(doubled(60) + b".")
    assert len(value) == 2
    nested = b"\x80\x02}q\0" + b"".join(
        b"0}X\1\0\0\0ah%csX\1\0\0\0bh%csq%c" % (number, number, number + 1) for number in range(60)
    )
    assert list(torch_pickle.tensors_in(read(nested + b"."))) == []


def test_a_number_in_the_memo_takes_no_memory_for_those_before_it():
    tracemalloc.start()
    assert read(b"\x80\x02K\1r\xff\xff\xff\xff0j\xff\xff\xff\xff.") == 1
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


@settings(max_examples=60)
@given(st.binary(max_size=200), st.sampled_from([b"", b"\x80\x02", b"\x80\x04", b"\x80\x02(]}("]))
def test_any_bytes_are_read_or_refused(data, start):
    with contextlib.suppress(DataError):
        read(start + data)


def test_the_names_of_numpy_make_no_arrays_of_other_kinds():
    for value in (np.array([None]), np.array(["a"]), np.array([1j]), np.zeros(2, "f4,i4")):
        with pytest.raises(DataError):
            array_of(read(pickle.dumps(value, 2), Rules(NAMES, "")), "'file'")
