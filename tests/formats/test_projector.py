"""The pair of files of TensorBoard's projector, and configs that name no such pair."""

from __future__ import annotations

import os

import pytest

from embedinspect.errors import DataError, UsageError
from embedinspect.source import SourceOptions, open_source
from tests.builders import write_projector


@pytest.mark.parametrize("config", [True, False])
def test_a_projector_pair(tmp_path, config):
    write_projector(tmp_path, config=config)
    name = "projector_config.pbtxt" if config else "vectors.tsv"
    source = open_source(str(tmp_path / name))
    assert source.matrix.rows.tolist() == [[1, 2], [3, 4]]
    assert list(source.words) == ["a", "b"]
    assert source.warnings == ()
    write_projector(tmp_path, labels="word\tn\na\t1\nb\t2\n", config=config)
    assert list(open_source(str(tmp_path / name)).words) == ["a", "b"]
    write_projector(tmp_path, labels="a\n", config=config)
    assert any(
        "differ in length" in warning for warning in open_source(str(tmp_path / name)).warnings
    )


def test_the_folder_of_a_projector_is_its_config(tmp_path):
    """A row without a word is still one: its label is # and its number."""
    write_projector(tmp_path, labels="#0\n#0\n")
    source = open_source(str(tmp_path))
    assert source.matrix.rows.tolist() == [[1, 2], [3, 4]]
    assert list(source.words) == [None, "#0"]


@pytest.mark.parametrize("label", ["[[", "[1", "{", '["a",', "[PAD]", '{"a": 1}'])
def test_labels_that_begin_like_json_are_labels(tmp_path, label):
    write_projector(tmp_path, labels=f"{label}\nb\n")
    assert list(open_source(str(tmp_path)).words) == [label, "b"]


def test_projector_configs_that_name_no_rows(tmp_path):
    path = tmp_path / "projector_config.pbtxt"
    path.write_text('embeddings {\n  tensor_name: "layer/.ATTRIBUTES/VARIABLE_VALUE"\n}\n')
    with pytest.raises(DataError, match="names no file of rows"):
        open_source(str(path))
    two = 'embeddings {\n  tensor_path: "a.tsv"\n}\nembeddings {\n  tensor_path: "b.tsv"\n}\n'
    path.write_text(two)
    with pytest.raises(UsageError, match=r"'a\.tsv', 'b\.tsv'"):
        open_source(str(path))
    (tmp_path / "b.tsv").write_text("1\t2\n")
    assert open_source(str(path), SourceOptions(tensor="b.tsv")).matrix.rows.tolist() == [[1, 2]]


def test_projector_configs_that_name_what_is_no_file(tmp_path):
    write_projector(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    path, rows = tmp_path / "projector_config.pbtxt", tmp_path / "vectors.tsv"
    given = path.read_text()
    for name in ("vectors.tsv", "metadata.tsv"):
        path.write_text(given.replace(name, "pipe"))
        with pytest.raises(DataError, match="pipe'; expected a regular file"):
            open_source(str(path))
        path.write_text(given.replace(name, "a\0b"))
        with pytest.raises(DataError, match="null character"):
            open_source(str(path))
        path.write_text(given.replace(name, "x" * 5000))
        with pytest.raises(DataError, match="too long"):
            open_source(str(path))
    for name in ("pipe", "a\0b"):
        path.write_text(given.replace("metadata.tsv", name))
        assert open_source(str(rows)).words is None
    path.write_text(given.replace("metadata.tsv", "x" * 5000))
    with pytest.raises(DataError, match="too long"):
        open_source(str(rows))
