"""Samples are found by name from anywhere, and a file of the user's comes first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from embedinspect import samples
from embedinspect.errors import DataError, UsageError
from embedinspect.formats import open_file
from embedinspect.source import SourceOptions, open_source
from embedinspect.texts import read_texts
from embedinspect.training import datasets
from tests.builders import SAMPLE_TEXTS

NAMES = sorted(path.name for path in SAMPLE_TEXTS.iterdir())


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_there_are_samples_of_different_stems():
    assert {"classic.txt", "reviews.csv", "vectors.txt"} <= set(NAMES)
    assert len({Path(name).stem for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_found_with_and_without_its_suffix(name):
    expected = str(SAMPLE_TEXTS / name)
    assert samples.resolve(f"sample:{name}") == expected
    assert samples.resolve(f"sample:{Path(name).stem}") == expected


@pytest.mark.parametrize("path", ["reviews", "a/sample:reviews", "-", "", "samples:reviews"])
def test_other_paths_are_left_alone(path):
    assert samples.resolve(path) == path
    assert not samples.is_sample(path)


def test_a_file_of_that_very_name_comes_first():
    Path("sample:reviews").write_text("mine\n")
    assert samples.resolve("sample:reviews") == "sample:reviews"
    assert read_texts("sample:reviews") == ["mine"]
    assert samples.from_anywhere("sample:reviews") == str(Path.cwd() / "sample:reviews")


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("sample:revews", "did you mean sample:reviews"),
        ("sample:", "no sample ''; expected one of sample:analogies, "),
        ("sample:../pyproject.toml", "there is no sample"),
    ],
)
def test_a_sample_that_there_is_not(path, says):
    for read in (samples.resolve, read_texts, open_file, open_source, samples.stem):
        with pytest.raises(UsageError, match=says):
            read(path)


def test_a_stem_is_that_of_the_file():
    assert samples.stem("sample:reviews.csv") == samples.stem("a/reviews.csv") == "reviews"
    assert samples.stem("imdb") == "imdb"


def test_texts_and_vectors_are_read_by_name():
    assert read_texts("sample:classic") == ["This is a text", "This is not a text"]
    source = open_source("sample:vectors")
    assert source.path == "sample:vectors"
    assert source.matrix.origin == "from sample:vectors"
    assert source.words.row_of("king") is not None


def test_words_are_read_by_name():
    Path("rows.txt").write_text("1 2\n3 4\n")
    source = open_source("rows.txt", SourceOptions(words="sample:classic"))
    assert list(source.words) == ["This is a text", "This is not a text"]
    assert source.words_from.startswith("sample:classic, ")


def test_an_error_says_the_name_that_was_given():
    with pytest.raises((DataError, UsageError), match="'sample:classic'") as caught:
        open_source("sample:classic")
    assert str(SAMPLE_TEXTS) not in str(caught.value)


def test_labelled_texts_are_found_again_from_anywhere(tmp_path, monkeypatch):
    data = datasets.open_data("sample:reviews", None, num_words=None, seed=0)
    assert data.source["path"] == "sample:reviews"
    source = json.loads(json.dumps(data.source))
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    again = datasets.reopen(source, None, settings=datasets.TrainSettings())
    assert again.fingerprint == data.fingerprint
