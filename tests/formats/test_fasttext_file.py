"""fastText's own models, with fastText and gensim as the oracles, and hostile ones."""

from __future__ import annotations

import json
import random
import struct
import tracemalloc
from functools import cache
from pathlib import Path

import gensim
import numpy as np
import pytest
from gensim.models.fasttext import load_facebook_vectors
from hypothesis import given, settings
from hypothesis import strategies as st

from embedinspect.analysis import neighbors
from embedinspect.errors import DataError, EmbedInspectError, UsageError
from embedinspect.formats import open_file
from embedinspect.formats.contents import Contents
from embedinspect.formats.fasttext_file import MAGIC
from embedinspect.output import rows as rows_output
from embedinspect.output.document import json_parts
from embedinspect.source import open_source

DATA = Path(__file__).parent.parent / "data" / "fasttext"
EXPECTED = np.load(DATA / "expected.npz")
MODELS = ["skipgram.bin", "cbow.bin", "no_ngrams.bin", "classifier.bin"]
GENSIM = Path(gensim.__file__).parent / "test" / "test_data"
GENSIM_MODELS = [
    "crime-and-punishment.bin", "lee_fasttext.bin", "lee_fasttext_new.bin",
    "non_ascii_fasttext.bin", "toy-model.bin", "toy-model-pretrained.bin",
]  # fmt: skip


@cache
def opened(path: Path) -> Contents:
    return open_file(str(path))


@cache
def of_gensim(name: str):
    return load_facebook_vectors(str(GENSIM / name))


@pytest.mark.parametrize("name", MODELS)
def test_words_and_rows_are_those_of_fasttext_itself(name):
    contents = opened(DATA / name)
    assert list(contents.words) == EXPECTED[f"{name}:words"].tolist()
    assert np.abs(np.asarray(contents.rows) - EXPECTED[f"{name}:rows"]).max() < 3e-7


@pytest.mark.parametrize("name", MODELS)
def test_the_vector_of_an_unseen_word_is_that_of_fasttext_itself(name):
    contents = opened(DATA / name)
    for word, expected in zip(EXPECTED["unseen"], EXPECTED[f"{name}:unseen"], strict=True):
        row = contents.words.row_of(str(word))
        if row is not None:
            assert np.abs(contents.rows[row] - expected).max() < 3e-7
        elif contents.compose is None:
            assert not expected.any()
        else:
            assert np.abs(contents.compose(str(word)).vector - expected).max() < 3e-7


@pytest.mark.parametrize("name", GENSIM_MODELS)
def test_words_and_rows_are_those_of_gensim(name):
    """But for the end of a sentence: fastText itself gives it no n-grams, gensim does."""
    contents, vectors = opened(GENSIM / name), of_gensim(name)
    assert list(contents.words) == vectors.index_to_key
    alike = np.array([word != "</s>" or name == "lee_fasttext.bin" for word in contents.words])
    assert np.abs(np.asarray(contents.rows) - vectors.vectors)[alike].max() < 2e-7


@pytest.mark.parametrize(
    "name", ["crime-and-punishment", "lee_fasttext", "toy-model", "pang_lee_polarity_fasttext"]
)
def test_rows_are_those_that_fasttext_has_written_as_text(name):
    lines = (GENSIM / f"{name}.vec").read_bytes().splitlines()[1:]
    written = {line.split()[0]: np.array(line.split()[1:], float) for line in lines}
    contents = opened(GENSIM / f"{name}.bin")
    compared = [(row, written.get(word.encode())) for row, word in enumerate(contents.words)]
    assert sum(row is not None for _, row in compared) > 0.99 * len(compared)
    for row, numbers in compared:
        if numbers is not None:
            assert np.allclose(contents.rows[row], numbers, 1e-4, 1e-5)


@settings(max_examples=120)
@given(
    st.sampled_from(["lee_fasttext_new.bin", "toy-model.bin", "non_ascii_fasttext.bin"]),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
)
def test_unseen_words_of_any_script_have_the_vectors_of_gensim(name, word):
    contents, vectors = opened(GENSIM / name), of_gensim(name)
    if word in vectors.key_to_index:
        return
    composed = contents.compose(word)
    if composed is None:  # a vector of zeros would have no meaning
        assert not vectors[word].any()
        return
    assert np.abs(composed.vector - vectors[word]).max() < 2e-7


def test_rows_are_the_same_however_they_are_taken():
    rows = opened(DATA / "cbow.bin").rows
    whole = np.asarray(rows)
    for key in (7, -1, slice(3, 60, 7), [5, 2, 5], np.arange(105) % 3 == 0, np.array([], int)):
        assert np.array_equal(open_file(str(DATA / "cbow.bin")).rows[key], whole[key])


def test_the_parts_of_an_unseen_word_are_its_n_grams():
    composed = opened(DATA / "cbow.bin").compose("né!")
    assert composed.parts == ("<n", "n", "né", "é", "é!", "!", "!>")


def test_a_model_without_n_grams_has_no_vector_for_an_unseen_word():
    source = open_source(str(DATA / "no_ngrams.bin"))
    with pytest.raises(UsageError, match="'lokami' is not among the 105 words"):
        source.places_of(["lokami"])


def test_rows_of_an_unseen_word_say_that_they_were_composed():
    source = open_source(str(DATA / "cbow.bin"))
    places = source.places_of(["né", "né!", "#3"])
    document = json.loads("".join(json_parts(rows_output.document(source, places))))
    known, composed, numbered = document["rows"]
    assert (known["row"], known["note"]) == (3, None)
    assert (composed["row"], composed["word"]) == (None, "né!")
    assert composed["note"].startswith("not among the words; composed from 7 character n-grams: <n")
    assert known["vector"] == numbered["vector"]
    assert composed["vector"] == pytest.approx(source.contents.compose("né!").vector.tolist())


def test_neighbors_of_an_unseen_word_are_those_of_its_vector():
    source, vectors = open_source(str(GENSIM / GENSIM_MODELS[2])), of_gensim(GENSIM_MODELS[2])
    questions = [neighbors.parse(source, "nights"), neighbors.parse(source, "nights - night + day")]
    single, total = neighbors.ask(source, questions, top=5).answers
    expected = vectors.similar_by_vector(vectors["nights"], topn=5)
    assert [neighbor.word for neighbor in single.neighbors] == [word for word, _ in expected]
    assert [term.row for term in total.question.terms] == [
        None, vectors.key_to_index["night"], vectors.key_to_index["day"]
    ]  # fmt: skip
    assert total.neighbors


def test_a_quantized_model_is_refused_by_name():
    with pytest.raises(DataError, match=r"quantized fastText model \(.ftz\).*get_word_vector"):
        open_file(str(DATA / "quantized.ftz"))


def field(place: int, form: str, value: object, name: str = "skipgram.bin") -> bytes:
    data = bytearray((DATA / name).read_bytes())
    struct.pack_into(form, data, place, value)
    return bytes(data)


WORDS_AT, MATRIX_AT = 8 + 56, -(1 + 16 + 105 * 16) - (16 + 605 * 16)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (field(4, "<i", 13), "is a fastText model of version 13; expected 11 or 12"),
        (field(8, "<i", 2**31 - 1), "has a damaged header"),
        (field(8, "<i", 5), "expected 605 x 5"),
        (field(8 + 36, "<i", 2**30), "has a damaged header"),
        (field(8 + 32, "<i", 2**31 - 1), "claims a matrix of 605 x 4; expected 2,147,483,752 x 4"),
        (field(WORDS_AT, "<i", 2**31 - 1), "claims 105 words and 0 labels, 2,147,483,647 together"),
        (field(WORDS_AT + 4, "<i", -1), "claims -1 words"),
        (field(WORDS_AT + 20, "<q", 2**62), "ends early"),
        (field(MATRIX_AT, "<q", 2**60), "claims a matrix of 1,152,921,504,606,846,976 x 4"),
        (field(8 + 56 + 28 + 13, "<B", 1), "has a label among its words"),
    ],
)
def test_sizes_in_the_header_are_not_believed(tmp_path, data, says):
    path = tmp_path / "model.bin"
    path.write_bytes(data)
    tracemalloc.start()
    with pytest.raises(DataError) as raised:
        open_file(str(path))
    assert tracemalloc.get_traced_memory()[1] < 2**25
    tracemalloc.stop()
    assert says in str(raised.value)


def test_altered_models_are_refused_or_keep_their_shape(tmp_path):
    chance, path = random.Random(3), tmp_path / "model.bin"
    for name in ("skipgram.bin", "classifier.bin"):
        original = (DATA / name).read_bytes()
        for number in range(100):
            data = bytearray(original)
            for _ in range(chance.randint(1, 3)):
                data[chance.randrange(len(data) if number % 2 else 120)] = chance.randrange(256)
            path.write_bytes(
                bytes(data[: chance.randrange(len(data))] if number % 5 == 0 else data)
            )
            try:
                contents = open_file(str(path))
                rows = np.asarray(contents.rows)
            except EmbedInspectError:
                continue
            assert len(contents.words) == len(rows)
            assert np.array_equal(open_file(str(path)).rows[-1], rows[-1], equal_nan=True)


def test_a_file_without_the_magic_number_must_be_a_model_in_all_its_fields(tmp_path):
    original = (GENSIM / "lee_fasttext.bin").read_bytes()
    assert not original.startswith(MAGIC)
    path = tmp_path / "model.bin"
    for place in range(0, 56, 4):
        path.write_bytes(original[:place] + b"\xff\xff\xff\xff" + original[place + 4 :])
        try:
            assert open_file(str(path)).kind == "fastText model"
        except EmbedInspectError:
            continue


def test_a_model_of_many_words_is_opened_without_its_matrix(tmp_path):
    """A sparse file of 4 GB: its rows take memory only where they are looked at."""
    words, dim, buckets = 50_000, 300, 3_500_000
    path = tmp_path / "model.bin"
    with path.open("wb") as file:
        file.write(
            struct.pack("<4si12id", MAGIC, 12, dim, 5, 5, 5, 5, 1, 2, 2, buckets, 3, 6, 1, 0)
        )
        file.write(struct.pack("<3i2q", words, words, 0, 1, -1))
        file.write(b"".join(b"w%d\0" % row + struct.pack("<qb", row, 0) for row in range(words)))
        file.write(struct.pack("<?qq", False, words + buckets, dim))
        file.truncate(file.tell() + 4 * dim * (words + buckets))
    tracemalloc.start()
    contents = open_file(str(path))
    assert contents.words.row_of("w49999") == 49_999
    assert contents.rows[49_999].shape == contents.compose("unseen").vector.shape == (300,)
    assert tracemalloc.get_traced_memory()[1] < 2**27
    tracemalloc.stop()
