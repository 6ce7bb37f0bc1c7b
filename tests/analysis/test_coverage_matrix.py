"""The matrix that `coverage --write` makes: each row is checked, in memory and in the file."""

from __future__ import annotations

import numpy as np
import pytest

from embedinspect.analysis import coverage_matrix
from embedinspect.analysis.coverage import cover
from embedinspect.analysis.coverage_matrix import check, matrix_for, write_matrix
from embedinspect.errors import DataError, UsageError
from embedinspect.saved_vocabulary import from_json
from embedinspect.source import open_source
from embedinspect.vocabulary import fit
from tests.builders import source_of
from tests.conftest import HERE

TEXTS = ["The Paris queen, the ice-cream!", "the zebra's queen"]
WITHOUT_VECTOR = {"<OOV>", "ice", "cream", "zebra's"}


@pytest.fixture
def coverage(vectors):
    return cover(vectors, TEXTS, any_case=True)


@pytest.mark.parametrize("fill", ["zeros", "random"])
@pytest.mark.parametrize(
    ("settings", "input_dim"), [({}, 7), ({"num_words": 4}, 4), ({"oov_token": "<OOV>"}, 8)]
)
def test_row_i_is_the_vector_of_the_word_with_id_i(vectors, settings, input_dim, fill):
    matrix = matrix_for(cover(vectors, TEXTS, any_case=True, **settings), fill)
    assert matrix.shape == (input_dim, vectors.matrix.output_dim)
    assert not matrix[0].any()
    vocabulary, _ = fit(TEXTS, **settings)
    used = {word: id_ for word, id_ in vocabulary.word_index.items() if id_ < input_dim}
    assert len(used) == input_dim - 1
    for word, id_ in used.items():
        row = vectors.words.row_of("Paris" if word == "paris" else word)
        if word in WITHOUT_VECTOR:
            assert matrix[id_].any() == (fill == "random")
        else:
            assert (matrix[id_] == vectors.matrix.rows[row]).all()


def test_a_matrix_with_a_row_in_the_wrong_place_is_refused(coverage):
    matrix = matrix_for(coverage)
    assert check(coverage, matrix) == len(coverage.covered)
    swapped = matrix.copy()
    swapped[[1, 2]] = swapped[[2, 1]]
    with pytest.raises(DataError, match="row 1 is not the vector of 'the'"):
        check(coverage, swapped)
    for wrong in (np.roll(matrix, 1, axis=0), matrix[:-1], matrix + 1):
        with pytest.raises(DataError, match="please report this"):
            check(coverage, wrong)


def test_no_word_in_common_gives_no_matrix():
    with pytest.raises(DataError, match="no word of the texts"):
        matrix_for(cover(source_of(np.eye(2), "ab"), ["x y"]))


def test_the_matrix_and_its_ids_are_written_side_by_side(coverage, tmp_path):
    path = tmp_path / "m.npy"
    written = write_matrix(coverage, str(path), "zeros", force=False)
    matrix = np.load(path)
    assert (matrix == matrix_for(coverage)).all()
    beside = tmp_path / "m.vocabulary.json"
    assert from_json(beside.read_text()).word_index == fit(TEXTS)[0].word_index
    assert (written.path, written.vocabulary) == (str(path), str(beside))
    assert (written.shape, written.fill) == (matrix.shape, "zeros")
    assert written.checked == len(coverage.covered)


@pytest.mark.parametrize("existing", ["m.npy", "m.vocabulary.json"])
def test_what_stands_there_is_replaced_by_force_alone(coverage, tmp_path, existing):
    (tmp_path / existing).write_text("mine")
    path = str(tmp_path / "m.npy")
    with pytest.raises(UsageError, match=rf"{existing}' exists already; .* or --force"):
        write_matrix(coverage, path, "zeros", force=False)
    assert (tmp_path / existing).read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1
    write_matrix(coverage, path, "zeros", force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.npy", "m.vocabulary.json"]
    assert (np.load(path) == matrix_for(coverage)).all()


def test_a_list_of_words_of_another_matrix_is_not_left_beside(coverage, tmp_path):
    path = str(tmp_path / "m.npy")
    (tmp_path / "m.npy.words.json").write_text('["x"]')
    with pytest.raises(UsageError, match=r"words\.json' exists already"):
        write_matrix(coverage, path, "zeros", force=False)
    write_matrix(coverage, path, "zeros", force=True)
    assert open_source(path).vocabulary is not None


def test_only_an_npy_file_is_written(coverage, tmp_path):
    with pytest.raises(UsageError, match=r"--write is .*m.txt'; expected a path that ends in .npy"):
        write_matrix(coverage, str(tmp_path / "m.txt"), "zeros", force=True)
    assert not list(tmp_path.iterdir())


def test_the_file_itself_is_checked(coverage, tmp_path, monkeypatch):
    """A disk that gives back something else is noticed."""

    def damaged(path):
        return np.load(path)[::-1], "float32"

    monkeypatch.setattr(coverage_matrix, "read_npy", damaged)
    with pytest.raises(DataError, match="so please report this"):
        write_matrix(coverage, str(tmp_path / "m.npy"), "random", force=False)


def test_words_that_a_source_composes_are_written_as_composed():
    source = open_source(str(HERE / "data" / "fasttext" / "skipgram.bin"))
    known = source.words[5]
    coverage = cover(source, [f"{known} {known}like"])
    assert [word.word for word in coverage.missing] == [f"{known}like"]
    expected = source.contents.compose(f"{known}like").vector
    assert coverage.composed[f"{known}like"].tobytes() == expected.tobytes()
    matrix = matrix_for(coverage)
    assert matrix[coverage.missing[0].id].tobytes() == expected.tobytes()
    assert matrix[coverage.covered[0].id].tobytes() == source.matrix.rows[5].tobytes()
