"""Texts traced through tokenizers of language models, with the library `tokenizers` as the oracle.

The ids come from that library. What can be broken here is how they are joined to rows, to names, to
parts of the text, to special tokens, to padding and to what is cut off.
"""

from __future__ import annotations

import json
from collections import Counter
from random import SystemRandom

import jsonschema
import numpy as np
import pytest
from tokenizers import Tokenizer

from embedinspect.analysis.tracing import trace_by_source
from embedinspect.commands.schema import FOLDER
from embedinspect.errors import DataError, UsageError
from embedinspect.lookup import Settings
from embedinspect.output.document import json_parts
from embedinspect.output.show.document import show_document
from embedinspect.source import open_source
from embedinspect.token_counts import count_tokens
from embedinspect.tokenizing.subwords import read_subwords
from tests.tokenizing.models import KINDS, by_hand, random_texts, write_model

TEXTS = 250  # for each of the four kinds


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A model folder of each kind."""
    made = {kind: tmp_path_factory.mktemp(kind.replace(" ", "-")) for kind in KINDS}
    for kind, folder in made.items():
        write_model(folder, KINDS[kind]())
    return made


@pytest.fixture(params=KINDS)
def folder(request, folders):
    """The model folder of one kind."""
    return folders[request.param]


def oracle_of(folder) -> Tokenizer:
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def traced(folder, texts, settings=None, **sides):
    return trace_by_source(texts, open_source(str(folder)), settings or Settings(), **sides)


def told(token):
    """What the trace tells of a token that stands in the sequence, as the library would."""
    return token.position, token.id, token.piece, (token.start, token.end), token.special


def expected(encoding, tokenizer):
    return [
        (position, id_, tokenizer.id_to_token(id_), tuple(offsets), bool(special))
        for position, (id_, offsets, special, real) in enumerate(
            zip(
                encoding.ids,
                encoding.offsets,
                encoding.special_tokens_mask,
                encoding.attention_mask,
                strict=True,
            )
        )
        if real
    ]


def test_ids_names_parts_and_padding_are_the_librarys_on_random_texts(folder):
    seed = SystemRandom().randrange(2**32)
    texts, tokenizer = random_texts(seed, TEXTS), oracle_of(folder)
    source = open_source(str(folder))
    lookup = trace_by_source(texts, source, Settings()).lookup
    rows = np.asarray(source.matrix.rows)
    encodings = tokenizer.encode_batch(texts)
    for text, encoding in enumerate(encodings):
        where = f"seed {seed}, text {text}: {texts[text]!r}"
        sequence = lookup.sequences[text].tolist()
        if tokenizer.padding is not None:  # a text may be longer than the length that is set
            more = lookup.maxlen - len(encoding.ids) if tokenizer.padding["length"] else 0
            assert sequence == [*encoding.ids, *[0] * more], where
        kept = [token for token in lookup.trace(text) if token.position is not None]
        assert list(map(told, kept)) == expected(encoding, tokenizer), where
        assert all(token.text == texts[text][token.start : token.end] for token in kept), where
        assert np.array_equal(lookup.output(text), rows[sequence]), where


def test_one_text_has_no_padding_but_a_length_that_the_file_sets(folder):
    tokenizer = oracle_of(folder)
    lookup = traced(folder, ["the king"]).lookup
    assert lookup.sequences.tolist() == [tokenizer.encode("the king").ids]


def test_all_tokens_stand_in_reading_order_those_that_are_cut_off_among_them(folder):
    texts, tokenizer = random_texts(SystemRandom().randrange(2**32), 60), oracle_of(folder)
    vocabulary = read_subwords(folder)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    for text in texts:
        whole = tokenizer.encode(text)
        tokens = vocabulary.trace(text)
        assert [token.rank for token in tokens if token.rank is not None] == [
            id_ for token, id_ in zip(tokens, whole.ids, strict=True) if token.rank is not None
        ], text
        lost = [place for place, token in enumerate(tokens) if token.status == "cut_off"]
        assert [(tokens[place].start, tokens[place].end) for place in lost] == [
            whole.offsets[place] for place in lost
        ], text
        cut = sum(token.status == "cut_off" for token in tokens)
        assert cut == len(whole.ids) - len(vocabulary.encode([text])[0]), text


@pytest.mark.parametrize(("maxlen", "cut", "pad"), [(5, "pre", "post"), (9, "post", "pre")])
def test_maxlen_and_sides_that_a_user_sets_are_those_of_the_library(folder, maxlen, cut, pad):
    texts, tokenizer = random_texts(SystemRandom().randrange(2**32), 40), oracle_of(folder)
    settings = Settings(maxlen=maxlen)
    lookup = traced(folder, texts, settings, truncating=cut, padding=pad).lookup
    tokenizer.enable_truncation(maxlen, direction="left" if cut == "pre" else "right")
    tokenizer.enable_padding(
        length=maxlen,
        direction="left" if pad == "pre" else "right",
        pad_id=lookup.vocabulary.padding_id,
    )
    assert lookup.sequences.tolist() == [e.ids for e in tokenizer.encode_batch(texts)]


def test_maxlen_has_room_for_the_special_tokens(folders):
    with pytest.raises(UsageError, match=r"--maxlen is 1, .* puts 2 special tokens"):
        traced(folders["wordpiece"], ["a"], Settings(maxlen=1))


def test_what_is_unknown_is_told_by_its_part_of_the_text(folders):
    lookup = traced(folders["wordpiece"], ["the ∮ king", "[UNK] Ω", ""]).lookup
    assert [(token.token, token.piece, token.status) for token in lookup.trace(0)[1:4]] == [
        ("the", "the", "looked_up"),
        ("∮", "[UNK]", "replaced"),
        ("king", "king", "looked_up"),
    ]
    assert [token.status for token in lookup.trace(1)[1:3]] == ["looked_up", "replaced"]
    counts = count_tokens(lookup)
    assert counts.by_status["replaced"] == 2
    assert counts.special == {"[CLS]": 3, "[SEP]": 3}


def test_characters_in_no_piece_are_counted_and_marks_that_are_joined_are_not(folders):
    lookup = traced(folders["wordpiece"], ["the \x01 king \u200b", "e\u0301"]).lookup
    assert lookup.filtered_characters(0) == {"\x01": 1, "\u200b": 1}
    assert lookup.filtered_characters(1) == {"\u0301": 1}  # BERT's normalizer strips it
    lookup = traced(folders["unigram"], ["caf" + "e\u0301"]).lookup
    assert lookup.trace(0)[-2].end == 4  # of 5 characters
    assert lookup.filtered_characters(0) == {}


def test_bytes_of_one_character_share_its_part_of_the_text(folders):
    for kind, first in (("byte level", 1), ("byte fallback", 2)):
        tokens = traced(folders[kind], ["😀a"]).lookup.trace(0)
        tokens = [token for token in tokens if token.text == "😀"][-4:]
        assert [(token.start, token.end) for token in tokens] == [(0, 1)] * 4, first


def test_padding_is_the_token_of_the_config_or_it_is_said_what_was_taken(tmp_path, folders):
    texts = ["the king reads", "the"]
    loose = oracle_of(folders["byte level"])
    loose.no_padding()
    write_model(tmp_path, loose)
    config = tmp_path / "tokenizer_config.json"
    for contents, id_, note in (
        ({"pad_token": {"content": "<s>"}, "padding_side": "left"}, "<s>", ()),
        ({"eos_token": "</s>"}, "</s>", ("its end of a text",)),
        ({}, "<|end|>", ("the first row",)),
    ):
        config.write_text(json.dumps(contents))
        answer = traced(tmp_path, texts)
        filled = loose.token_to_id(id_)
        assert answer.lookup.sequences[1, -1 if note else 0] == filled
        assert [words in notes for words, notes in zip(note, answer.notes, strict=True)] == [
            True for _ in note
        ]
        assert traced(tmp_path, texts[:1]).notes == ()


def test_id_0_is_a_token_as_any_other(folders, run):
    source = open_source(str(folders["byte level"]))
    assert not source.row_0_is_a_word
    folder = str(folders["byte level"])
    code, out, _ = run("show", "--from", folder, "<|end|> a", "a", "--no-keras", "--one-hot")
    screen = out.decode()
    assert code == 0
    assert "· padding   " in screen
    assert "the output is row 331, not zeros" in screen
    assert "· padding  " not in screen.split("shape  ")[0]
    code, _, err = run("show", "--from", folder, "a", "--mask-zero", "--no-keras")
    assert code == 2
    assert "id 0 is '<|end|>'; leave it out" in err


def test_an_id_without_a_row_is_an_error_that_names_its_token(tmp_path, folders):
    tokenizer = oracle_of(folders["wordpiece"])
    write_model(tmp_path, tokenizer, rows=tokenizer.get_vocab_size() - 1)
    with pytest.raises(DataError, match=r"id 160 \('walk on'\); .*resize_token_embeddings\(161\)"):
        traced(tmp_path, ["walk on"])
    assert traced(tmp_path, ["king"]).lookup.maxlen == 3


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("--num-words", "5"), "--num-words is set by the tokenizer of"),
        (("--oov-token", "[UNK]"), "--oov-token is set by the tokenizer of"),
        (("--filters", ""), "--filters is set by the tokenizer of"),
        (("--tokenizer", "classic"), "has rules of its own (wordpiece)"),
    ],
)
def test_what_the_tokenizer_sets_cannot_be_set(folders, run, option, message):
    code, _, err = run("show", "--from", str(folders["wordpiece"]), "a", "--no-keras", *option)
    assert code == 2
    assert message in err


def test_json_tells_each_token_with_its_part_of_the_text_and_fits_its_schema(folder):
    texts = random_texts(7, 12)
    lookup = traced(folder, texts, Settings(maxlen=7)).lookup
    made = json.loads("".join(json_parts(show_document(lookup, count_tokens(lookup)))))
    jsonschema.validate(made, json.loads((FOLDER / "show.json").read_text()))
    for text in made["texts"]:
        for token in text["tokens"]:
            assert token["text"] == text["text"][token["start"] : token["end"]]
    used = {id_ for text in made["texts"] for id_ in text["sequence"]}
    assert {row["id"] for row in made["weights"]} == used


def test_coverage_counts_the_librarys_tokens(folder, run):
    texts, tokenizer = random_texts(11, 20), oracle_of(folder)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    code, out, err = run("coverage", str(folder), *[f"x{text}" for text in texts], "--json")
    assert code == 0, err
    answer = json.loads(out)
    jsonschema.validate(answer, json.loads((FOLDER / "coverage.json").read_text()))
    encodings = tokenizer.encode_batch([f"x{text}" for text in texts])
    ids = [
        id_
        for encoding in encodings
        for id_, special in zip(encoding.ids, encoding.special_tokens_mask, strict=True)
        if not special
    ]
    assert answer["occurrences"] == len(ids)
    assert answer["rows_used"] == len({id_ for encoding in encodings for id_ in encoding.ids})
    known = [word for word in answer["words"] if word["row"] is not None]
    unknown = tokenizer.token_to_id("[UNK]" if "[UNK]" in tokenizer.get_vocab() else "<unk>")
    counts = {word["row"]: word["occurrences"] for word in known if word["row"] != unknown}
    assert counts == {id_: ids.count(id_) for id_ in set(ids) - {unknown}}
    assert sum(word["occurrences"] for word in known) + answer["dropped"] == len(ids)


def test_coverage_writes_no_matrix_for_rows_that_stand_by_the_models_ids(folder, run, tmp_path):
    code, _, err = run("coverage", str(folder), "a", "--write", str(tmp_path / "m.npy"))
    assert code == 2
    assert "stand by the ids of its tokenizer already" in err


def test_doctor_goes_by_the_tokenizer(folders, run):
    folder, text = str(folders["wordpiece"]), "∮ " * 9 + "book " * 20
    tokenizer = oracle_of(folders["wordpiece"])
    tokenizer.no_truncation()
    report = json.loads(run("doctor", folder, text, "", "--json")[1])
    found = {finding["kind"]: finding for finding in report["findings"]}
    assert found["truncation"]["numbers"]["cut"] == len(tokenizer.encode(text).ids) - 12
    assert found["empty-texts"]["numbers"]["first"] == [1]
    assert found["unknown-words"]["numbers"]["unknown"] == 9
    assert "maxlen-too-large" not in found
    assert "padding-id-is-a-word" not in found


def test_decode_joins_tokens_as_the_library_does(folder, run):
    tokenizer = oracle_of(folder)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    for text in ["The king reads 😀 unbelievable, café"]:
        ids = tokenizer.encode(text).ids
        code, out, err = run("decode", str(folder), " ".join(map(str, ids)), "--json")
        assert code == 0, err
        [sequence] = json.loads(out)["sequences"]
        assert sequence["text"] == tokenizer.decode(ids, skip_special_tokens=False)
        assert [meaning["word"] for meaning in sequence["ids"]] == [
            tokenizer.id_to_token(id_) for id_ in ids
        ]


def test_static_models_take_texts_without_special_tokens(tmp_path, folders):
    tokenizer = oracle_of(folders["wordpiece"])
    tokenizer.no_truncation()
    tokenizer.no_padding()
    text = "the ∮ king"
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    write_model(tmp_path / "m", tokenizer, model_type="model2vec")
    vocabulary = read_subwords(tmp_path / "m")
    unknown = tokenizer.token_to_id("[UNK]")
    assert vocabulary.encode([text]) == [[id_ for id_ in ids if id_ != unknown]]
    assert [token.status for token in vocabulary.trace(text)] == [
        "looked_up", "dropped", "looked_up",
    ]  # fmt: skip
    modules = [{"type": "sentence_transformers.models.StaticEmbedding", "path": "0_Static"}]
    write_model(tmp_path / "s" / "0_Static", tokenizer)
    (tmp_path / "s" / "modules.json").write_text(json.dumps(modules))
    assert read_subwords(tmp_path / "s" / "0_Static").encode([text]) == [ids]


def test_a_folder_without_a_tokenizer_does_not_cut_at_spaces(tmp_path, folders, run):
    write_model(tmp_path, oracle_of(folders["wordpiece"]))
    (tmp_path / "tokenizer.json").unlink()
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\nthe\nking\n")
    for command in (("show", "--from"), ("coverage",), ("doctor",)):
        code, out, err = run(*command, str(tmp_path), "the king")
        assert (code, out) == (1, b"")
        assert "the ids of texts cannot be told" in err
    with pytest.raises(DataError, match=r"has no tokenizer.json; .* AutoTokenizer"):
        read_subwords(tmp_path)


def test_a_screen_of_a_model_folder(golden, run, tmp_path, monkeypatch):
    write_model(tmp_path / "model", by_hand())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    texts = ["Unbelievable kings!", "the ∮ book of the king, the book of words and kings"]
    code, out, err = run("show", "--from", "model", *texts, "--no-keras")
    assert (code, err) == (0, "")
    golden("show-subwords-100.txt", out.decode())


def test_a_screen_of_the_tokens_of_texts(golden, run, tmp_path, monkeypatch):
    write_model(tmp_path / "model", by_hand())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    code, out, err = run("coverage", "model", "The kings, the unbelievable ∮ book", "--top", "5")
    assert (code, err) == (0, "")
    golden("coverage-subwords-100.txt", out.decode())


def test_counts_of_what_became_of_tokens_are_those_of_the_trace(folder):
    texts = random_texts(SystemRandom().randrange(2**32), 60)
    lookup = traced(folder, texts).lookup
    traces = [token for text in range(len(texts)) for token in lookup.trace(text)]
    statuses = Counter(token.status for token in traces)
    counts = count_tokens(lookup)
    assert {name: count for name, count in counts.by_status.items() if count} == statuses
    assert counts.special == Counter(token.token for token in traces if token.special)


def test_words_that_are_pieces_are_not_cut_at_spaces_in_silence(run, tmp_path):
    rows = [f"{word} {row} 1" for row, word in enumerate(by_hand().get_vocab())]
    rows += [f"##x{row} 1 {row}" for row in range(10)]
    (tmp_path / "v.vec").write_text("\n".join([f"{len(rows)} 2", *rows]))
    code, _, err = run("show", "--from", str(tmp_path / "v.vec"), "the kings", "--no-keras")
    assert code == 0
    assert "are pieces of a tokenizer, which is not at hand" in err


def test_a_file_of_a_model_folder_that_has_no_words_leads_to_the_folder(folders, run):
    folder = folders["wordpiece"]
    for command, message in (
        (("show", "--from", "model.safetensors", "a"), "name its folder, which has a tokenizer"),
        (("decode", "tokenizer.json", "4"), "name the model's folder as the source"),
        (("show", "--vocabulary", "tokenizer.json", "a"), "name the model's folder as the source"),
    ):
        words = [str(folder / word) if "." in word else word for word in command]
        code, out, err = run(*words)
        assert code in {1, 2}
        assert out == b""
        assert message in err
