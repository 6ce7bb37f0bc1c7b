"""How a case is put together: from real files, and from options that do not fit them."""

from __future__ import annotations

import contextlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedinspect.analysis.coverage import cover
from embedinspect.analysis.coverage_matrix import write_matrix
from embedinspect.analysis.doctor import diagnose, make_case, open_case
from embedinspect.errors import DataError, EmbedInspectError, UsageError
from embedinspect.lookup import Settings
from embedinspect.source import SourceOptions, open_source
from embedinspect.vocabulary import Tokenization
from tests.analysis.builders import layer, model_of, run_of, words_by_id, words_in_order
from tests.analysis.doctor.findings import WORDS, findings_in, severities_in
from tests.builders import VECTORS, source_of
from tests.conftest import CLASSIC

LSTM = layer("LSTM")


def opened(path, texts=(), *, vocabulary=None, reference=None, **settings):
    return open_case(
        path,
        SourceOptions(words=vocabulary),
        texts,
        Settings(**settings),
        padding_given=False,
        filters_given=False,
        reference=reference,
    )


# -- from files --------------------------------------------------------------------------------


@pytest.mark.usefixtures("classic_files")
def test_the_files_of_the_classic_example_are_healthy():
    diagnosis = diagnose(opened("model.keras", CLASSIC, vocabulary="tokenizer.json"))
    assert diagnosis.findings == []
    case = diagnosis.case
    assert case.maxlen == 6
    assert [ids.tolist() for ids in case.ids] == [[1, 2, 3, 4], [1, 2, 5, 3, 4]]
    assert case.source.words_from == "tokenizer.json, by their own ids"
    assert list(case.source.words) == [None, *WORDS]


@pytest.mark.filterwarnings("ignore:Layer 'flat'")  # Keras says here what doctor is to find
@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_the_model_is_read_from_its_file(keras, classic_files, name):
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((6,), dtype="int32"),
            layers.Embedding(6, 4, name="words", mask_zero=True),
            layers.Flatten(name="flat"),
            layers.Lambda(lambda x: 2 * x, name="twice"),
        ]
    )
    model.save(classic_files / name)
    findings = findings_in(opened(name, vocabulary="tokenizer.json"))
    assert findings.keys() == {"mask-lost", "holds-code"}
    assert findings["mask-lost"].numbers["layer"] == "flat"
    assert findings["holds-code"].numbers["layers"] == [{"class_name": "Lambda", "name": "twice"}]


@pytest.mark.filterwarnings("ignore:The object being serialized includes a `lambda`")
def test_a_function_without_a_name_is_code(keras, classic_files):
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((6,), dtype="int32"),
            layers.Embedding(6, 4, name="words"),
            layers.Dense(1, activation=lambda x: 2 * x),
        ]
    )
    model.save(classic_files / "model.keras")
    findings = findings_in(opened("model.keras", vocabulary="tokenizer.json"))
    assert list(findings) == ["holds-code"]


def test_the_words_of_a_model_without_a_row_are_a_finding_and_no_warning(keras, classic_files):
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((), dtype="string"),
            layers.TextVectorization(vocabulary=WORDS, output_sequence_length=6, name="ids"),
            layers.Embedding(6, 4, name="words", mask_zero=True),
            layers.LSTM(3),
        ]
    )
    model.save(classic_files / "model.keras")
    (warning,) = open_source("model.keras").warnings
    assert "there is none for 'not' and the words after it" in warning
    case = opened("model.keras", CLASSIC)
    assert severities_in(case) == {"input-dim-one-too-small": "error"}
    assert case.settings.padding == "post"
    assert case.padding_given


@pytest.mark.parametrize("as_tokenizer", [False, True])
def test_wrong_ids_are_read_to_be_found(tmp_path, as_tokenizer):
    index = {"this": 1, "not": -2}
    config = {"word_index": json.dumps(index), "filters": "!", "num_words": None}
    path = tmp_path / "index.json"
    path.write_text(json.dumps({"config": config} if as_tokenizer else index))
    case = opened(None, ["this! not?"], vocabulary=str(path))
    assert "negative-id" in findings_in(case)
    assert case.vocabulary.tokenization.filters == ("!" if as_tokenizer else Tokenization().filters)


def test_the_matrix_that_coverage_writes_is_in_order(vectors, tmp_path):
    path = str(tmp_path / "m.npy")
    write_matrix(cover(vectors, ["the king and queen"]), path, "zeros", force=False)
    diagnosis = diagnose(opened(path, ["the queen"], reference=str(VECTORS)))
    assert [finding.kind for finding in diagnosis.findings] == ["zero-rows"]  # that of "and"
    assert any("rows are the vectors of their words" in told for told in diagnosis.in_order)


def test_lines_that_were_left_out_are_found(tmp_path):
    path = tmp_path / "bad.txt"
    path.write_text("a 1 2\nb 3 4 5 6 7\nc 5 6\nd 7 x\ne 9 9\n")
    assert findings_in(opened(str(path)))["odd-file"].numbers["problems"] == 2


@pytest.mark.parametrize(
    ("path", "more", "message"),
    [
        ("none.keras", {}, "cannot read 'none.keras'"),
        ("tokenizer.json", {}, "has no column of vectors"),
        (None, {"vocabulary": "none.json"}, "cannot read 'none.json'"),
        ("model.keras", {"reference": "none.txt"}, "cannot read 'none.txt'"),
    ],
)
@pytest.mark.usefixtures("classic_files")
def test_files_that_cannot_be_read(path, more, message):
    with pytest.raises(DataError, match=message):
        opened(path, **more)


@pytest.mark.usefixtures("classic_files")
def test_a_mask_that_the_layer_does_not_make():
    with pytest.raises(UsageError, match=r"the layer 'words' of .* has mask_zero=False"):
        opened("model.keras", mask_zero=True)


# -- from what was read ------------------------------------------------------------------------


def test_a_run_brings_its_settings_and_its_words():
    words = make_case(Settings(), CLASSIC).vocabulary
    source = run_of(words, num_words=6, maxlen=4, padding="post")
    case = make_case(Settings(maxlen=9), CLASSIC, source=source)
    assert (case.maxlen, case.settings.padding, case.padding_given) == (4, "post", True)
    assert case.vocabulary.word_index == words.word_index


def test_rows_of_words_alone_are_read_one_further_down():
    words = words_in_order("this", "is", "a")
    case = make_case(Settings(), ["a is"], source=source_of(np.eye(3)), words=words)
    assert case.moved
    assert case.rows == 4
    assert case.ids[0].tolist() == [3, 2]


def test_the_ids_of_a_file_are_shifted():
    words = words_by_id("the", "film")
    case = make_case(Settings(), ["film"], words=words, words_path="w.json", index_from=3)
    assert case.pairs == [("the", 4), ("film", 5)]
    assert case.ids[0].tolist() == [5]
    with pytest.raises(UsageError, match="--index-from is -1; expected 0 or more"):
        make_case(Settings(), words=words, index_from=-1)


def test_the_out_of_vocabulary_token_must_be_a_word():
    words = words_by_id("[UNK]", "a", "b")
    with pytest.raises(UsageError, match=r"one of them, such as '\[UNK\]'"):
        make_case(Settings(oov_token="<unk>"), ["a b c"], words=words)
    case = make_case(Settings(oov_token="[UNK]"), ["a b c"], words=words)
    assert case.ids[0].tolist() == [2, 3, 1]


def test_filters_count_only_where_they_were_given():
    settings = Settings(tokenization=Tokenization(filters="b"))
    words = words_by_id("a", "b!")
    case = make_case(settings, ["a b!"], words=words, filters_given=True)
    assert case.ids[0].tolist() == [1]
    case = make_case(Settings(), ["a b!"], words=words_by_id("a", "b"))
    assert case.ids[0].tolist() == [1, 2]


def test_references_that_cannot_be_compared(vectors):
    model, words = model_of(LSTM), words_by_id(*WORDS)
    with pytest.raises(UsageError, match="name their matrix as SOURCE"):
        make_case(Settings(), CLASSIC, reference=vectors)
    with pytest.raises(UsageError, match="its words with --vocabulary"):
        make_case(Settings(), source=model, reference=vectors)
    with pytest.raises(UsageError, match="has 6 dimensions, 'made' has 4"):
        make_case(Settings(), source=model, words=words, reference=vectors)
    with pytest.raises(UsageError, match="--reference 'made' has no words"):
        make_case(Settings(), source=model, words=words, reference=source_of(np.eye(4)))


# -- any file of words -------------------------------------------------------------------------

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=3) | st.floats(),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.text() | st.sampled_from(["config", "word_index", "num_words", "filters", "a", "1"]),
        inner,
        max_size=3,
    ),
    max_leaves=12,
)  # fmt: skip


@given(ANYTHING, st.lists(st.text(max_size=9), max_size=2), st.none() | st.integers(0, 4))
def test_any_file_of_words_is_judged_or_refused(tmp_path_factory, content, texts, index_from):
    folder = tmp_path_factory.mktemp("words")
    np.save(folder / "m.npy", np.random.RandomState(0).rand(4, 2).astype("f4"))
    path = folder / "words"
    path.write_text(json.dumps(content) if not isinstance(content, str) else content, "utf-8")
    options = SourceOptions(words=str(path), index_from=index_from)
    for source in (str(folder / "m.npy"), None):
        with contextlib.suppress(EmbedInspectError):
            case = open_case(
                source, options, texts, Settings(), padding_given=False, filters_given=False
            )
            for finding in diagnose(case).findings:
                assert finding.what
                assert json.dumps(finding.numbers)
