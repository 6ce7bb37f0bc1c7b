"""With which vocabulary, settings and rows texts are traced."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embedinspect.analysis.coverage import cover
from embedinspect.analysis.coverage_matrix import write_matrix
from embedinspect.analysis.tracing import trace, trace_by_source, trace_by_text_vectorization
from embedinspect.errors import DataError, UsageError
from embedinspect.lookup import Settings, look_up
from embedinspect.source import open_source
from embedinspect.vocabulary import Tokenization, Vocabulary, fit
from tests.analysis.builders import layer, model_of, run_of
from tests.builders import VECTORS, source_of
from tests.conftest import CLASSIC

WORDS = ["this", "is", "a", "text"]


@pytest.fixture
def saved(tmp_path):
    """The path of the classic texts' vocabulary."""
    vocabulary, _ = fit(CLASSIC, oov_token="?", tokenization=Tokenization(filters="!"))
    path = tmp_path / "v.json"
    path.write_text(vocabulary.to_json())
    return str(path)


@pytest.fixture
def matrix(tmp_path):
    """The path of a matrix with ten rows."""
    path = tmp_path / "m.npy"
    np.save(path, np.arange(20, dtype=np.float32).reshape(10, 2))
    return str(path)


# -- by the classic rules ----------------------------------------------------------------------


def test_without_files_words_are_counted_and_rows_drawn():
    traced = trace(CLASSIC, Settings(maxlen=6))
    assert (traced.lookup.sequences == look_up(CLASSIC, Settings(maxlen=6)).sequences).all()
    assert traced.lookup.matrix.origin.startswith("drawn")
    assert (traced.notes, traced.run, traced.unpredictable) == ((), None, None)


def test_a_saved_vocabulary_gives_the_ids(saved):
    lookup = trace(["a cat"], Settings(), vocabulary_path=saved).lookup
    assert lookup.sequences.tolist() == [[4, 1]]
    limited = trace(["a is"], Settings(num_words=4), vocabulary_path=saved).lookup
    assert limited.sequences.tolist() == [[1, 3]]


def test_a_file_gives_the_rows(matrix):
    lookup = trace(CLASSIC, Settings(), matrix_path=matrix).lookup
    assert lookup.matrix.rows.shape == (10, 2)
    assert lookup.matrix.origin == f"from {matrix}"


@pytest.mark.parametrize("count", [False, True])
def test_texts_with_a_word_are_counted_on_request(count):
    lookup = trace(CLASSIC, Settings(), count_documents=count).lookup
    assert bool(lookup.vocabulary.word_docs) == count


@pytest.mark.parametrize(
    ("settings", "filters", "message"),
    [
        (Settings(oov_token="x"), None, r"--oov-token is 'x', but '.*v.json' was saved with '\?'"),
        (Settings(), ",", r"--filters is ',', but .* was saved with '!'; leave it out"),
        (
            Settings(tokenization=Tokenization(char_level=True)),
            None,
            "--char-level is True, but .* was saved with False",
        ),
    ],
)
def test_options_that_the_saved_vocabulary_contradicts(saved, settings, filters, message):
    with pytest.raises(UsageError, match=message):
        trace(["a"], settings, vocabulary_path=saved, filters=filters)


def test_options_that_the_saved_vocabulary_agrees_with(saved):
    settings = Settings(oov_token="?")
    assert trace(["a"], settings, vocabulary_path=saved, filters="!").lookup.ids[0].tolist() == [4]


def test_files_that_are_not_there(saved):
    with pytest.raises(DataError, match=r"cannot read 'none\.json'.*expected a saved vocabulary"):
        trace(["a"], Settings(), vocabulary_path="none.json")
    with pytest.raises(DataError, match=r"cannot read 'none\.npy'"):
        trace(["a"], Settings(), vocabulary_path=saved, matrix_path="none.npy")


def test_text_vectorization_pads_at_the_end(matrix):
    traced = trace_by_text_vectorization(CLASSIC, Settings(maxlen=6), matrix_path=matrix)
    lookup = traced.lookup
    assert lookup.vocabulary.name == "textvectorization"
    assert (lookup.settings.padding, lookup.settings.truncating) == ("post", "post")
    assert lookup.sequences[0, -2:].tolist() == [0, 0]
    assert lookup.matrix.origin == f"from {matrix}"
    limited = trace_by_text_vectorization(CLASSIC, Settings(num_words=3)).lookup
    assert int(limited.sequences.max()) == 2


# -- by a source -------------------------------------------------------------------------------


def test_words_of_a_model_have_the_ids_of_their_rows():
    source = model_of(words=[None, *WORDS, "not"])
    traced = trace_by_source(["is not new"], source, Settings(maxlen=4))
    assert traced.lookup.sequences.tolist() == [[0, 0, 2, 5]]
    assert traced.lookup.matrix is source.matrix
    assert traced.notes == ()
    assert traced.run is None


def test_rows_of_words_alone_move_down_by_one():
    source = source_of(np.eye(4), WORDS)
    traced = trace_by_source(["this text"], source, Settings())
    assert traced.lookup.sequences.tolist() == [[1, 4]]
    rows = traced.lookup.matrix.rows
    assert not rows[0].any()
    assert (rows[1:] == source.matrix.rows).all()
    assert traced.notes == (
        "row 0 of made is 'this', and id 0 is the padding in Keras: its rows stand one further "
        "down here, under a row of zeros",
    )


@pytest.mark.parametrize("mask_zero", [False, True])
def test_the_mask_is_that_of_the_layer(mask_zero):
    source = model_of(layer("LSTM"), words=[None, *WORDS, None], mask_zero=mask_zero)
    lookup = trace_by_source(["is"], source, Settings(maxlen=2)).lookup
    assert lookup.mask(0) == ([False, True] if mask_zero else None)


def test_what_is_set_beside_the_words_of_a_source():
    source = source_of(np.eye(4), [None, "[UNK]", "a!", "b"])
    settings = Settings(num_words=3, oov_token="[UNK]")
    lookup = trace_by_source(["a! b c"], source, settings, filters="").lookup
    assert lookup.sequences.tolist() == [[2, 1, 1]]
    assert trace_by_source(["a! b"], source, Settings()).lookup.sequences.tolist() == [[3]]


def test_sources_that_cannot_be_traced_with():
    with pytest.raises(UsageError, match="'made' has no words"):
        trace_by_source(["a"], source_of(np.eye(2)), Settings())
    with pytest.raises(UsageError, match=r"--oov-token '\?' is not among the words of 'made'"):
        trace_by_source(["a"], source_of(np.eye(2), "ab"), Settings(oov_token="?"))


# -- by a run ----------------------------------------------------------------------------------

VOCABULARY = Vocabulary({"<OOV>": 1, "film": 2}, num_words=4, oov_token="<OOV>")


def test_a_run_brings_its_settings():
    source = run_of(VOCABULARY, num_words=4, maxlen=3, padding="post", mask_zero=True)
    traced = trace_by_source(["a film"], source, Settings(maxlen=9))
    assert traced.lookup.sequences.tolist() == [[1, 2, 0]]
    assert traced.lookup.settings == source.run.lookup_settings
    assert traced.run is source.run
    assert traced.unpredictable is None


def test_only_the_last_epoch_predicts():
    source = run_of(VOCABULARY, num_words=4, maxlen=3, epochs=2, epoch=1)
    traced = trace_by_source(["a film"], source, Settings())
    assert traced.run is None
    assert traced.unpredictable == (
        "no predictions: only the rows of epoch 1 are kept, the rest of the classifier is that of "
        "epoch 2"
    )


# -- a matrix that has words of its own --------------------------------------------------------


@pytest.fixture
def made_for(tmp_path):
    """The path of a matrix that `coverage --write` made for texts, its vocabulary beside it."""
    source = open_source(str(VECTORS))
    path = tmp_path / "made.npy"
    write_matrix(cover(source, ["the queen of the king"]), str(path), "zeros", force=False)
    return str(path)


def test_the_vocabulary_beside_a_matrix_gives_the_ids(made_for):
    """Counted anew, "queen" would have the row of "the"."""
    traced = trace(["queen"], Settings(), matrix_path=made_for)
    source = open_source(str(VECTORS))
    assert (
        traced.lookup.output(0)[0].tolist()
        == source.matrix.rows[source.words.index["queen"]].tolist()
    )
    assert traced.vocabulary_path == made_for.replace(".npy", ".vocabulary.json")
    [note] = traced.notes
    assert "the ids are those of" in note


def test_other_ids_than_those_beside_a_matrix_are_warned_of(made_for, saved):
    [note] = trace(["a"], Settings(), matrix_path=made_for, vocabulary_path=saved).notes
    assert "Warning: the ids here are not those of" in note
    assert "so its vector is that of another word" in note


def test_counted_ids_beside_words_of_a_matrix_are_warned_of(matrix):
    vectors = trace(["queen"], Settings(), matrix_path=str(VECTORS)).notes
    assert "has words of its own, and the ids here are others" in vectors[0]
    Path(f"{matrix}.words.json").write_text('["a"]')
    [note] = trace(["a"], Settings(), matrix_path=matrix).notes
    assert f"show --from {matrix} goes by the words" in note


def test_the_script_loads_the_vocabulary_beside_the_matrix(run, made_for):
    code, out, err = run("show", "queen", "--matrix", made_for, "--code")
    assert code == 0
    assert made_for.replace(".npy", ".vocabulary.json") in out.decode()
    assert "lies beside" in err
