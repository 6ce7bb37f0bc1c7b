"""Altered vocabularies and labelled texts: each is read, or refused in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from embedinspect.errors import EmbedInspectError
from embedinspect.formats.vocabulary_file import read_words
from embedinspect.saved_vocabulary import read_vocabulary
from embedinspect.text_tables import read_text_file
from embedinspect.training.labelled import open_table

WORD_INDEX = {"<OOV>": 1, "the": 2, "film": 3, "ça": 4}
TOKENIZER = {
    "class_name": "Tokenizer",
    "config": {
        "num_words": 4, "filters": "!.,", "lower": True, "split": " ", "char_level": False,
        "oov_token": "<OOV>", "document_count": 2, "word_counts": json.dumps({"the": 2, "film": 1}),
        "word_docs": json.dumps({"the": 2}), "index_docs": json.dumps({"2": 2}),
        "index_word": json.dumps({"1": "<OOV>", "2": "the", "3": "film", "4": "ça"}),
        "word_index": json.dumps(WORD_INDEX),
    },
}  # fmt: skip
REVIEWS = [(f"film {number}, it is 'so' so", "pos" if number % 2 else "neg") for number in range(8)]
LINES = [json.dumps({"text": text, "label": label}) for text, label in REVIEWS]


def as_words(path: Path) -> None:
    placed = read_words(str(path), 5, None)
    assert len(placed.words) == 5


def as_vocabulary(path: Path) -> None:
    vocabulary = read_vocabulary(str(path))
    assert all(isinstance(id_, int) for id_ in vocabulary.word_index.values())


def as_texts(path: Path) -> None:
    assert all(isinstance(text, str) for text in read_text_file(str(path)).texts)


def as_labelled(path: Path) -> None:
    data = open_table(str(path), None, None, 0)
    assert len(data.label_names) == 2


Reader = Callable[[Path], None]
FILES: dict[str, tuple[str, tuple[Reader, ...]]] = {
    "tokenizer.json": (json.dumps(TOKENIZER), (as_words, as_vocabulary)),
    "index.json": (json.dumps(WORD_INDEX), (as_words, as_vocabulary)),
    "list.json": (json.dumps(["", *WORD_INDEX]), (as_words,)),
    "words.txt": ("\n".join(["[PAD]", *WORD_INDEX, ""]), (as_words,)),
    "reviews.csv": (
        "text,label\n" + "".join(f'"{text}",{label}\n' for text, label in REVIEWS),
        (as_texts, as_labelled),
    ),
    "reviews.tsv": (
        "text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in REVIEWS),
        (as_texts, as_labelled),
    ),
    "reviews.jsonl": ("\n".join(LINES), (as_texts, as_labelled)),
}
HARMLESS = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)


def read_or_refuse(path: Path, readers: tuple[Reader, ...]) -> None:
    for reader in readers:
        message = ""
        try:
            reader(path)
        except EmbedInspectError as error:
            message = str(error)
        assert "\n" not in message


def test_they_are_read_as_they_stand(tmp_path):
    for name, (contents, readers) in FILES.items():
        path = tmp_path / name
        path.write_text(contents, "utf-8")
        for reader in readers:
            if (name, reader) != ("index.json", as_vocabulary):  # an index alone has no rules
                reader(path)


@HARMLESS
@given(
    st.sampled_from(sorted(FILES)),
    st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=3)), max_size=4),
    st.one_of(st.none(), st.floats(0, 1)),
)
def test_altered_bytes(tmp_path, name, changes, cut):
    contents, readers = FILES[name]
    data = bytearray(contents.encode())
    for place, what in changes:
        at = int(place * (len(data) - 1))
        data[at : at + len(what)] = what
    path = tmp_path / name
    path.write_bytes(bytes(data if cut is None else data[: int(cut * len(data))]))
    read_or_refuse(path, readers)


NUMBERS = st.sampled_from([-1, 0, 2**31, 2**63, 10**400, 1.5, float("inf"), float("nan"), 1e308])
VALUES = NUMBERS | st.sampled_from([None, True, "", "x", "\0", "\ud800", [], [1], {}, {"a": "b"}])


def with_value(value: Any, keys: list[str], new: Any) -> Any:
    """Return a copy in which a value deep within is another, in JSON within JSON, too."""
    if not keys:
        return new
    if isinstance(value, str):
        return json.dumps(with_value(json.loads(value), keys, new))
    return {**value, keys[0]: with_value(value[keys[0]], keys[1:], new)}


PLACES = [
    ["class_name"], ["config"], *(["config", key] for key in TOKENIZER["config"]),
    ["config", "word_index", "the"], ["config", "index_word", "2"], ["config", "index_docs", "2"],
    ["config", "word_counts", "the"], ["config", "word_docs", "the"],
]  # fmt: skip


@HARMLESS
@example(["config", "document_count"], float("inf"))
@given(st.sampled_from(PLACES), VALUES)
def test_altered_values_of_a_tokenizer(tmp_path, keys, value):
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(with_value(TOKENIZER, keys, value)), "utf-8")
    read_or_refuse(path, (as_words, as_vocabulary))


@HARMLESS
@given(VALUES)
def test_altered_values_of_an_index_and_a_list(tmp_path, value):
    for name, contents in (
        ("index.json", {**WORD_INDEX, "film": value}),
        ("list.json", ["", value, "film"]),
        ("reviews.jsonl", {"text": value, "label": "pos"}),
        ("reviews.jsonl", {"text": "a film", "label": value}),
    ):
        path = tmp_path / name
        line = json.dumps(contents)
        path.write_text("\n".join([*LINES, line]) if name == "reviews.jsonl" else line, "utf-8")
        read_or_refuse(path, FILES[name][1])
