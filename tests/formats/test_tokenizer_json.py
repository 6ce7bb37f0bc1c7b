"""The ids of tokens, with the tokenizers library as the oracle."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

from embedinspect.errors import DataError
from embedinspect.formats.tokenizer_json import read_tokenizer_json

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)


def tokenizer_json(model: dict[str, object], added: list[dict[str, object]]) -> str:
    rules = ("truncation", "padding", "normalizer", "pre_tokenizer", "post_processor", "decoder")
    settings = dict.fromkeys(rules)
    return json.dumps({"version": "1.0", **settings, "added_tokens": added, "model": model})


def added_token(token: str, id_: int, special: bool) -> dict[str, object]:
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": id_, "content": token, "special": special, **flags}


WORD_PIECE = st.dictionaries(TEXTS, st.integers(0, 30), max_size=12).map(
    lambda vocab: {
        "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100, "vocab": vocab,
    }
)  # fmt: skip
UNIGRAM = st.lists(TEXTS, min_size=1, max_size=12).map(
    lambda pieces: {
        "type": "Unigram", "unk_id": 0, "byte_fallback": False,
        "vocab": [[piece, -1.5] for piece in pieces],
    }
)  # fmt: skip
WORD_LEVEL = st.dictionaries(TEXTS, st.integers(0, 30), max_size=12).map(
    lambda vocab: {"type": "WordLevel", "unk_token": "x", "vocab": vocab}
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    st.one_of(WORD_PIECE, UNIGRAM, WORD_LEVEL),
    st.lists(st.tuples(TEXTS, st.integers(0, 40), st.booleans()), max_size=6),
    st.booleans(),
)
def test_tokens_have_the_ids_that_the_library_gives_them(tmp_path, model, added, known):
    """Whatever ids the file claims for added tokens, which the library numbers itself.

    Where its versions differ, which needs gaps, a warning says so.
    """
    if known and model["vocab"]:
        added.append((next(iter(dict(model["vocab"]))), 7, True))
    text = tokenizer_json(model, [added_token(*token) for token in added])
    path = tmp_path / "tokenizer.json"
    path.write_text(text)
    library = Tokenizer.from_str(text)
    tokens = read_tokenizer_json(path)
    ids = dict(model["vocab"]) if isinstance(model["vocab"], dict) else {}
    has_gaps = len(ids) <= max(ids.values(), default=-1)
    differs = any("versions of the tokenizers library" in warning for warning in tokens.warnings)
    assert has_gaps or not differs
    if not differs:
        assert tokens.ids == library.get_vocab(with_added_tokens=True)
        decoder = library.get_added_tokens_decoder()
        names = {id_: token for token, id_ in tokens.added.items()}
        assert {id_: token.content for id_, token in decoder.items()}.items() <= names.items()


@pytest.mark.parametrize(
    ("of_file", "ids"),
    [
        ((9, 10, 11), {"c": 9, "x": 10, "y": 11}),  # as tokenizers 0.20.3 numbers them
        ((9, 3, 4), {"c": 9, "x": 3, "y": 4}),  # as 0.23.3 does
        ((9, 30, 31), {"c": 9, "x": 3, "y": 4}),
    ],
)
def test_where_versions_of_the_library_differ_the_ids_of_the_file_decide(tmp_path, of_file, ids):
    path = tmp_path / "tokenizer.json"
    added = [added_token(token, id_, True) for token, id_ in zip("cxy", of_file, strict=True)]
    model = {"type": "WordLevel", "unk_token": "a", "vocab": {"a": 0, "b": 1, "c": 9}}
    path.write_text(tokenizer_json(model, added))
    tokens = read_tokenizer_json(path)
    assert tokens.added == ids
    assert "'x' is 10 or 3" in tokens.warnings[0]


@pytest.mark.parametrize(
    ("rule", "space"),
    [
        (pre_tokenizers.ByteLevel(), "Ġ"),
        (pre_tokenizers.Metaspace(), "▁"),
        (pre_tokenizers.Metaspace("_"), "_"),
        (pre_tokenizers.Sequence([pre_tokenizers.Digits(), pre_tokenizers.ByteLevel()]), "Ġ"),
        (normalizers.Sequence([normalizers.NFC(), normalizers.Replace(" ", "▁")]), "▁"),
        (pre_tokenizers.Whitespace(), None),
    ],
)
def test_the_sign_of_a_space_is_that_of_the_rules(tmp_path, rule, space):
    tokenizer = Tokenizer(models.BPE())
    if isinstance(rule, normalizers.Normalizer):
        tokenizer.normalizer = rule
    else:
        tokenizer.pre_tokenizer = rule
    tokenizer.decoder = decoders.Fuse()
    path = tmp_path / "tokenizer.json"
    tokenizer.save(str(path))
    assert read_tokenizer_json(path).space == space


def test_ids_that_the_library_does_not_give_are_told(tmp_path):
    path = tmp_path / "tokenizer.json"
    model = {"type": "WordLevel", "unk_token": "a", "vocab": {"a": 0, "b": 1}}
    path.write_text(tokenizer_json(model, [added_token("x", 7, True)]))
    tokens = read_tokenizer_json(path)
    assert tokens.ids["x"] == 2
    assert "gives 1 added token another id than the tokenizers library" in tokens.warnings[0]
    assert "'x' 7 instead of 2" in tokens.warnings[0]


def test_many_added_tokens_take_linear_time(tmp_path):
    path = tmp_path / "tokenizer.json"
    added = [added_token(f"<{number}>", number, True) for number in range(50_000)]
    path.write_text(tokenizer_json({"type": "WordLevel", "vocab": {}}, added))
    tokens = read_tokenizer_json(path)
    assert tokens.ids["<49999>"] == 49_999


def test_a_file_without_a_vocabulary_is_refused(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text('{"model": {"vocab": 5}}')
    with pytest.raises(DataError, match="has no vocabulary"):
        read_tokenizer_json(path)
