"""JSON, ndjson and csv: exact, complete, and as the schema says."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedinspect.commands.schema import FOLDER
from embedinspect.keras_layer import Proof
from embedinspect.lookup import Settings, look_up, one_hot
from embedinspect.matrix import EmbeddingMatrix
from embedinspect.output.document import Document, csv_lines, json_parts, ndjson_lines
from embedinspect.output.show.document import show_document
from embedinspect.token_counts import count_tokens
from tests.conftest import CLASSIC

SCHEMA = json.loads((FOLDER / "show.json").read_text(encoding="utf-8"))
PROOF = Proof("3.15.1", "tensorflow", (2, 6, 3), 12, 12, None, None)


def no_literal(name: str):
    raise AssertionError(f"{name} is not JSON")


def document(lookup, proof=None, product=None) -> dict:
    made = show_document(lookup, count_tokens(lookup), proof=proof, product=product)
    text = "".join(json_parts(made))
    text.encode("utf-8")
    found = json.loads(text, parse_constant=no_literal)
    jsonschema.validate(found, SCHEMA)
    return found


def lines_of(write, lookup) -> Iterator[str]:
    return write(show_document(lookup, count_tokens(lookup)))


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_classic_example():
    lookup = look_up(CLASSIC, Settings(num_words=10, maxlen=6))
    found = document(lookup, PROOF, one_hot(lookup))
    assert found["schema_version"] == 1
    assert found["word_index"] == {"this": 1, "is": 2, "a": 3, "text": 4, "not": 5}
    assert [text["sequence"] for text in found["texts"]] == [[0, 0, 1, 2, 3, 4], [0, 1, 2, 5, 3, 4]]
    assert [text["mask"] for text in found["texts"]] == [None, None]
    assert found["output_shape"] == [2, 6, 3]
    assert found["parameters"] == 30
    assert found["keras"]["vectors_equal"] == found["keras"]["vectors_total"] == 12
    assert found["one_hot"] == {"shape": [2, 6, 10], "largest_difference": 0.0, "equal": True}
    assert [weight["uses"] for weight in found["weights"]] == [3, 2, 2, 2, 2, 1, 0, 0, 0, 0]


@given(
    st.lists(st.text(st.characters(exclude_categories=()), max_size=20), min_size=1, max_size=3),
    st.sampled_from([None, 2, 4]),
    st.sampled_from([None, "<OOV>"]),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_json_gives_everything_back(texts, num_words, oov_token, mask_zero, seed):
    settings = Settings(num_words, oov_token, maxlen=4, mask_zero=mask_zero, seed=seed)
    lookup = look_up(texts, settings)
    found = document(lookup)
    rows = np.array([weight["vector"] for weight in found["weights"]], np.float32)
    assert (rows.view(np.uint32) == lookup.matrix.rows.view(np.uint32)).all()
    for index, text in enumerate(found["texts"]):
        assert text["text"] == texts[index]
        assert text["sequence"] == lookup.sequences[index].tolist()
        assert (np.array(text["output"], np.float32) == lookup.output(index)).all()
        assert text["mask"] == lookup.mask(index)
    lines = "".join(lines_of(ndjson_lines, lookup)).splitlines()
    assert [json.loads(line) for line in lines] == found["texts"]


def test_what_json_does_not_have_is_null_with_a_note():
    rows = np.array([[0, 1], [np.nan, 2], [np.inf, -np.inf]], np.float32)
    found = document(look_up(["a b"], Settings(maxlen=3), matrix=EmbeddingMatrix(rows, "test")))
    assert found["not_finite"] == 3
    assert [weight["vector"] for weight in found["weights"]] == [[0, 1], [None, 2], [None, None]]
    assert [bool(weight["note"]) for weight in found["weights"]] == [False, True, True]
    assert "null" in found["texts"][0]["note"]


def test_what_a_terminal_would_act_on_is_escaped():
    lookup = look_up(["\x1b[31m \x9b \u202e \ud800 東京"])
    text = "".join(lines_of(ndjson_lines, lookup))
    assert text[:-1].isprintable()
    assert json.loads(text)["text"] == lookup.texts[0]
    assert "東京" in "".join(lines_of(ndjson_lines, look_up(["東京"])))


def test_csv_has_a_row_for_each_position():
    lookup = look_up(['a,"b', "c"], Settings(maxlen=2, mask_zero=True, oov_token='x"y,z'))
    rows = list(csv.DictReader(io.StringIO("".join(lines_of(csv_lines, lookup)))))
    assert len(rows) == 4
    assert [row["id"] for row in rows] == [str(id_) for id_ in lookup.sequences.ravel()]
    assert [row["token"] for row in rows] == ["a", "b", "", "c"]
    assert [row["mask"] for row in rows] == ["true", "true", "false", "true"]
    vectors = [[row[f"dim_{i}"] for i in range(3)] for row in rows]
    assert (np.array(vectors, np.float32) == lookup.matrix.rows[lookup.sequences.ravel()]).all()


def test_csv_quotes_tokens():
    lookup = look_up(
        ['one,two"three'], Settings(tokenization=look_up([""]).vocabulary.tokenization)
    )
    text = "".join(lines_of(csv_lines, look_up(['a "b,c" d'], vocabulary=_unfiltered())))
    assert [row["token"] for row in csv.DictReader(io.StringIO(text))] == ["a", '"b,c"', "d"]
    assert lookup.maxlen == 3


@given(st.lists(st.tuples(st.text(max_size=5), st.text('\r\n",; a', max_size=5)), min_size=1))
def test_csv_reads_back_whatever_the_words_are(pairs):
    items = [{"word": word, "other": other} for word, other in pairs]
    document = Document("c", {}, {"items": items}, lines="items", columns=("word", "other"))
    text = "".join(csv_lines(document))
    assert list(csv.DictReader(io.StringIO(text, newline=""))) == items


def _unfiltered():
    from embedinspect.vocabulary import Tokenization, fit

    return fit(['a "b,c" d'], tokenization=Tokenization(filters=""))[0]


@pytest.mark.parametrize("form", ["json", "ndjson", "csv"])
def test_the_output_tensor_is_never_held_whole(form):
    """A million positions of a wide matrix pass through parts that stay small."""
    texts = ["a b c"] * 200
    lookup = look_up(texts, Settings(maxlen=50, output_dim=20))
    if form == "json":
        parts = lines_of(json_parts, lookup)
    else:
        parts = lines_of(ndjson_lines if form == "ndjson" else csv_lines, lookup)
    sizes = [len(part) for part in parts]
    assert sum(sizes) > 100 * max(sizes)
