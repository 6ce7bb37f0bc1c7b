"""Tokenizers that come from strangers: one line, nothing printed, memory bounded, no wrong ids."""

from __future__ import annotations

import json
import sys
from random import Random, SystemRandom

import pytest
from tokenizers import Tokenizer

from embedinspect.errors import DataError
from embedinspect.tokenizing import tokenizer_file
from embedinspect.tokenizing.tokenizer_file import load
from tests.tokenizing.models import KINDS, by_hand, write_model

TEXTS = ["the unbelievable kings, words", "é😀 \x00 [UNK]", ""]
DEEP = b'{"model": ' + b"[" * 100_000


@pytest.fixture
def written(tmp_path):
    """Write a tokenizer.json; returns its path."""

    def write(contents: dict | bytes):
        data = contents if isinstance(contents, bytes) else json.dumps(contents).encode()
        (tmp_path / "tokenizer.json").write_bytes(data)
        return tmp_path / "tokenizer.json"

    return write


def stored() -> dict:
    return json.loads(by_hand().to_str())


def ids_of_library(data: bytes) -> list[list[int]] | None:
    """What the library itself makes of the texts; None where it stops."""
    try:
        tokenizer = Tokenizer.from_buffer(data)
        tokenizer.no_padding()
        return [tokenizer.encode(text).ids for text in TEXTS]
    except BaseException:  # a panic is no Exception
        return None


@pytest.mark.parametrize("kind", KINDS)
def test_altered_files_give_the_ids_of_the_library_or_one_line(kind, written, capfd):
    whole = KINDS[kind]().to_str().encode()
    seed = SystemRandom().randrange(2**32)
    random = Random(seed)
    refused = accepted = 0
    for _ in range(40):
        data = bytearray(whole)
        if random.random() < 0.2:
            del data[random.randrange(len(data)) :]
        else:
            for _ in range(random.randint(1, 6)):
                data[random.randrange(len(data))] = random.choice(b'0123456789"{}[],:aZ\x00\xff')
        with tokenizer_file._muted():
            wanted = ids_of_library(bytes(data))
        try:
            tokenizer = load(written(bytes(data)))
            limit, side = tokenizer.max_length, tokenizer.cut_side
            pieces = [tokenizer.pieces(text, limit, side) for text in TEXTS]
        except DataError as error:
            refused += "\n" not in str(error)
        else:
            assert [[piece.id for piece in text] for text in pieces] == wanted, f"seed {seed}"
            accepted += 1
    assert refused
    assert refused + accepted == 40, f"seed {seed}"
    assert capfd.readouterr().err == ""


def test_a_panic_of_the_library_is_one_line(written, capfd):
    contents = stored()
    del contents["post_processor"]["special_tokens"]["[CLS]"]
    with pytest.raises(DataError, match=r"cannot cut 'the king' into tokens \(no entry found"):
        load(written(contents)).pieces("the king")
    assert capfd.readouterr().err == ""


def test_the_first_text_at_which_the_library_stops_is_named(written):
    contents = stored()
    del contents["model"]["vocab"]["[UNK]"]
    contents["added_tokens"] = []
    texts = ["the king", "the queen", "of"]
    with pytest.raises(DataError, match=r"cannot cut 'the queen' into tokens \(.*Missing \[UNK\]"):
        list(load(written(contents)).pieces_of(texts))


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff\xfe", DEEP, b'{"version": "1.0"}'])
def test_what_is_no_tokenizer_is_refused_in_one_line(data, written):
    message = r"is no tokenizer that tokenizers [\d.]+ can read \("
    with pytest.raises(DataError, match=message) as error:
        load(written(data))
    assert "\n" not in str(error.value)


def test_a_file_larger_than_any_tokenizer_is_not_parsed(written, monkeypatch):
    monkeypatch.setattr(tokenizer_file, "_LARGEST_FILE", 1000)
    with pytest.raises(DataError, match="more than 1,000 bytes; expected a tokenizer"):
        load(written(b" " * 1001))


def test_ids_beyond_any_row_are_refused(written):
    contents = stored()
    contents["model"]["vocab"]["king"] = 2**32 - 1
    with pytest.raises(DataError, match="gives 'king' the id 4294967295; expected at most"):
        load(written(contents)).pieces("king")


@pytest.mark.parametrize("where", ["normalizer", "decoder"])
def test_rules_that_double_a_text_again_and_again_are_refused_before_they_run(where, written):
    contents = stored()
    double = {"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}
    contents[where] = {"type": "Sequence", f"{where}s": [double] * 60}
    tokenizer = load(written(contents))
    with pytest.raises(DataError, match="times as long; expected at most 67,108,864 characters"):
        tokenizer.decode([8]) if where == "decoder" else tokenizer.pieces("a")


def test_rules_that_make_a_text_a_little_longer_are_no_danger(written):
    contents = stored()
    rule = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}
    contents["normalizer"] = {"type": "Sequence", "normalizers": [rule] * 8}
    assert len(load(written(contents)).pieces("the king " * 1000)) == 2002


def test_chance_that_belongs_to_training_is_left_out(written):
    contents = json.loads(KINDS["byte level"]().to_str())
    sure = load(written(contents)).pieces("unbelievable kings")
    contents["model"]["dropout"] = 0.9
    tokenizer = load(written(contents))
    assert tokenizer.dropout == pytest.approx(0.9)
    assert all(tokenizer.pieces("unbelievable kings") == sure for _ in range(20))


@pytest.mark.parametrize("length", [2**60, 5])
def test_lengths_in_the_file_take_no_memory_before_they_are_checked(length, written, run, tmp_path):
    contents = stored()
    contents["padding"] = {
        "strategy": {"Fixed": length}, "direction": "Right", "pad_to_multiple_of": None,
        "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]",
    }  # fmt: skip
    write_model(tmp_path, json.dumps(contents).encode())
    code, out, err = run("show", "--from", str(tmp_path), "the king", "--no-keras", "--json")
    if length == 5:
        assert json.loads(out)["texts"][0]["sequence"] == [2, 4, 5, 3, 0]
        assert "pads every text to 5 positions; --maxlen gives another number" in err
    else:
        assert (code, out) == (1, b"")
        assert "expected at most 1,048,576; give a number of your own: --maxlen" in err


def test_a_lone_surrogate_is_no_text(written):
    with pytest.raises(DataError, match="holds a lone surrogate"):
        load(written(stored())).pieces("a\ud800")


def test_a_missing_library_is_named_with_the_command_that_brings_it(tmp_path, run, monkeypatch):
    write_model(tmp_path, by_hand())
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    code, out, err = run("show", "--from", str(tmp_path), "the king", "--no-keras")
    assert (code, out) == (1, b"")
    assert err.endswith('which is not installed; install it: pip install "embedinspect[hub]"\n')
    code, out, _ = run("decode", str(tmp_path), "4 5")
    assert code == 0
    assert b"the king" in out
    assert b"pip install" in out
    for command in (("info",), ("rows",), ("neighbors",)):
        words = () if command == ("info",) else ("king",)
        assert run(*command, str(tmp_path), *words)[0] == 0
