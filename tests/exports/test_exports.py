"""What is written reads back bit for bit: by us, and by those whose formats they are."""

from __future__ import annotations

import json
import os
import re

import numpy as np
import pyarrow.parquet
import pytest
import safetensors.numpy
from gensim.models import KeyedVectors
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from embedinspect import exports
from embedinspect.errors import DataError, UsageError
from embedinspect.exports.naming import for_glove, for_lines, without_spaces
from embedinspect.source import open_source
from tests.builders import VECTORS, source_of

FUNCTION_SCOPED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
WORD = st.text(st.characters(categories=["L", "P"]), min_size=1, max_size=5)
FLOATS = st.floats(width=32, allow_nan=True)
NAMES = {
    "word2vec": "x.vec",
    "word2vec-binary": "x.bin",
    "glove": "x.txt",
    "csv": "x.csv",
    "npy": "x.npy",
    "safetensors": "x.safetensors",
    "projector": "folder",
    "parquet": "x.parquet",
}


@st.composite
def sources(draw):
    words = draw(st.lists(WORD, min_size=3, max_size=6, unique=True))
    width = draw(st.integers(2, 4))
    rows = draw(hnp.arrays(np.float32, (len(words), width), elements=FLOATS))
    rows[np.isnan(rows)] = np.nan  # one NaN of many: a text holds no other bits of it
    return source_of(rows, words)


def test_every_target_is_tested():
    assert set(NAMES) == {target.name for target in exports.TARGETS}


@FUNCTION_SCOPED
@given(sources(), st.sampled_from(sorted(set(NAMES))))
def test_what_is_written_reads_back_bit_for_bit(tmp_path, source, name):
    written = exports.export(source, str(tmp_path / NAMES[name]), name, force=True)
    main = written.path / "projector_config.pbtxt" if name == "projector" else written.path
    read_back = open_source(str(main))
    assert read_back.matrix.rows.tobytes() == source.matrix.rows.tobytes()
    assert list(read_back.words) == list(source.words)
    assert written.changed == ()
    assert not read_back.warnings
    assert not read_back.problems.total


# What a format might take for its own: numbers, comments, brackets of JSON, marks, separators.
FREE_WORD = st.one_of(
    st.none(),
    st.text(max_size=5),
    st.text(st.sampled_from('#[]{}"0123456789.e-+ _,;:\t\ufeffab'), max_size=5),
    st.sampled_from(["0\u2003,", "3 2", "#0", "#1", "word", "nan", "embeddings{", "a b", "a_b"]),
    st.just("PAR1"),
)


@st.composite
def free_sources(draw):
    words = draw(st.lists(FREE_WORD, min_size=1, max_size=6))
    shape = (len(words), draw(st.integers(1, 4)))
    elements = st.one_of(FLOATS, st.integers(0, 9).map(float))
    rows = draw(hnp.arrays(np.float32, shape, elements=elements))
    rows[np.isnan(rows)] = np.nan
    return source_of(rows, draw(st.sampled_from([words, None])))


def by_name(source):
    return [source.name_of(row) for row in range(source.matrix.input_dim)]


@settings(FUNCTION_SCOPED, max_examples=150)
@given(free_sources(), st.sampled_from(sorted(NAMES)))
def test_any_words_read_back_or_their_change_is_told(tmp_path_factory, source, name):
    tmp_path = tmp_path_factory.mktemp("export")
    written = exports.export(source, str(tmp_path / NAMES[name]), name, force=True)
    main = written.path / "projector_config.pbtxt" if name == "projector" else written.path
    # A few numbers may happen to be the codes of digits, and then nobody could tell.
    assume(name != "word2vec-binary" or re.fullmatch(rb"[ -~\s]*", main.read_bytes()) is None)
    read_back = open_source(str(main))
    assert read_back.matrix.rows.tobytes() == source.matrix.rows.tobytes()
    words = zip(by_name(source), by_name(read_back), strict=True)
    told = [(word, read_word) for word, read_word in words if word != read_word]
    assert told == list(written.changed)
    assert not read_back.warnings
    assert not read_back.problems.total


def test_others_read_what_is_written(tmp_path):
    rows = np.random.RandomState(0).standard_normal((5, 3)).astype(np.float32)
    source = source_of(rows, ["a", "new york", "é", None, "z"])
    for name, file in NAMES.items():
        exports.export(source, str(tmp_path / file), name, force=True)
    for file, binary, header in (("x.vec", False, True), ("x.bin", True, True)):
        path = str(tmp_path / file)
        kv = KeyedVectors.load_word2vec_format(path, binary=binary, no_header=not header)
        assert kv.index_to_key == ["a", "new_york", "é", "#3", "z"]
        assert kv.vectors.tobytes() == rows.tobytes()
    assert np.load(tmp_path / "x.npy").tobytes() == rows.tobytes()
    words = json.loads((tmp_path / "x.npy.words.json").read_text())
    assert words == ["a", "new york", "é", None, "z"]
    assert list(open_source(str(tmp_path / "x.npy")).words) == words
    tensor = safetensors.numpy.load_file(tmp_path / "x.safetensors")["embedding"]
    assert tensor.tobytes() == rows.tobytes()
    table = pyarrow.parquet.read_table(tmp_path / "x.parquet").to_pydict()
    assert table["word"] == ["a", "new york", "é", "#3", "z"]
    assert np.array(table["vector"], np.float32).tobytes() == rows.tobytes()
    assert table["row"] == [0, 1, 2, 3, 4]


@FUNCTION_SCOPED
@given(st.lists(st.text(max_size=4), min_size=1, max_size=6))
def test_the_projector_gets_as_many_labels_as_rows(tmp_path, words):
    """Words with tabs or line ends, or empty ones, would break its metadata."""
    source = source_of(np.ones((len(words), 2)), words)
    folder = tmp_path / "projector"
    written = exports.export(source, str(folder), None, force=True)
    labels = (folder / "metadata.tsv").read_bytes().decode().split("\n")
    vectors = (folder / "vectors.tsv").read_text().split("\n")
    assert labels.pop() == vectors.pop() == ""
    assert len(labels) == len(vectors) == len(words)
    assert all(label and "\t" not in label and len(label.splitlines()) == 1 for label in labels)
    changed = [word for word, label in zip(words, labels, strict=True) if word != label]
    assert [word for word, _ in written.changed] == changed


@given(st.text(max_size=6))
def test_escaped_words_are_one_field(word):
    for escape in (for_lines, without_spaces, for_glove):
        written = escape(word)
        assert written
        assert len(written.splitlines()) == 1
        written.encode("utf-8")
    assert " " not in without_spaces(word)


def test_words_that_a_format_cannot_hold_are_told(tmp_path):
    source = source_of(np.ones((3, 2)), ["a b", "no 1", "tab\t"])
    written = exports.export(source, str(tmp_path / "x.txt"), None)
    assert dict(written.changed) == {"no 1": "no_1", "tab\t": "tab\\t"}
    assert list(open_source(str(tmp_path / "x.txt")).words) == ["a b", "no_1", "tab\\t"]


def test_nothing_is_replaced_unasked(tmp_path):
    source = source_of(np.ones((2, 2)), "ab")
    path = tmp_path / "x.npy"
    path.write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        exports.export(source, str(path), None)
    assert path.read_text() == "mine"
    assert [file.name for file in tmp_path.iterdir()] == ["x.npy"]
    exports.export(source, str(path), None, force=True)
    assert np.load(path).shape == (2, 2)


@pytest.mark.parametrize(
    ("destination", "says"),
    [("x.pdf", "is no form that is written"), ("folder.vec", "is a folder")],
)
def test_destinations_that_cannot_be(tmp_path, destination, says):
    (tmp_path / "folder.vec").mkdir()
    with pytest.raises(UsageError, match=says):
        exports.export(source_of(np.ones((2, 2))), str(tmp_path / destination), None)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_that_cannot_be_written(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(DataError, match="permission denied"):
        exports.export(source_of(np.ones((2, 2))), str(tmp_path / "x.npy"), None)


def test_a_failure_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exports.arrays, "_write_rows", full)
    with pytest.raises(DataError, match="no space left"):
        exports.export(source_of(np.ones((2, 2)), "ab"), str(tmp_path / "new" / "x.npy"), None)
    assert list(tmp_path.iterdir()) == []


def test_what_stood_there_still_does_when_one_of_two_files_cannot_be_put(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((1, 1)))
    words = tmp_path / "x.npy.words.json"
    words.mkdir()
    with pytest.raises(DataError, match="is a directory"):
        exports.export(source_of(np.ones((2, 2)), "ab"), str(tmp_path / "x.npy"), None, force=True)
    assert np.load(tmp_path / "x.npy").tolist() == [[0]]
    assert list(words.iterdir()) == []


def test_words_of_other_rows_are_not_left_beside_rows_without_words(tmp_path):
    path = tmp_path / "x.npy"
    exports.export(source_of(np.ones((2, 2)), "ab"), str(path), None)
    without = source_of(np.zeros((2, 2)))
    path.unlink()
    with pytest.raises(UsageError, match=r"x\.npy\.words\.json' exists already"):
        exports.export(without, str(path), None)
    exports.export(without, str(path), None, force=True)
    assert open_source(str(path)).words is None
    (tmp_path / "x.vocabulary.json").write_text("mine")
    with pytest.raises(UsageError, match=r"x\.vocabulary\.json' would be taken for the words"):
        exports.export(without, str(path), None, force=True)
    assert (tmp_path / "x.vocabulary.json").read_text() == "mine"


@pytest.mark.parametrize("file", sorted(set(NAMES.values()) - {"folder"}))
def test_everyone_may_read_what_is_written(tmp_path, file):
    (tmp_path / "plain").touch()
    written = exports.export(source_of(np.ones((2, 2)), "ab"), str(tmp_path / file), None)
    modes = {path.stat().st_mode for path in (*written.files, tmp_path / "plain")}
    assert len(modes) == 1


# -- to standard output -------------------------------------------------------------------------


@pytest.mark.parametrize("name", exports.STREAMED)
def test_standard_output_gets_what_a_file_gets(run, tmp_path, name):
    assert run("export", str(VECTORS), str(tmp_path / "file"), "--to", name)[0] == 0
    code, out, err = run("export", str(VECTORS), "-", "--to", name)
    assert (code, out) == (0, (tmp_path / "file").read_bytes())
    assert "26 rows, 6 dimensions" in err


def test_word2vec_text_goes_to_standard_output_by_default(run):
    code, out, err = run("export", str(VECTORS), "-")
    assert (code, out[:5]) == (0, b"26 6\n")
    assert "'ice cream' as 'ice_cream'" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["--to", "npy"], "cannot go to standard output"), (["--json"], "leave out one of the two")],
)
def test_what_cannot_go_to_standard_output(run, arguments, says):
    code, out, err = run("export", str(VECTORS), "-", *arguments)
    assert (code, out) == (2, b"")
    assert says in err


@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (1000, 40)])
def test_arrays_are_written_as_their_own_libraries_write_them(tmp_path, shape, monkeypatch):
    monkeypatch.setattr(exports.arrays, "_BLOCK", 100)
    rows = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    exports.export(source_of(rows, None), str(tmp_path / "ours.npy"), None)
    exports.export(source_of(rows, None), str(tmp_path / "ours.safetensors"), None)
    np.save(tmp_path / "theirs.npy", rows)
    safetensors.numpy.save_file({"embedding": rows}, tmp_path / "theirs.safetensors")
    for name in ("npy", "safetensors"):
        ours = (tmp_path / f"ours.{name}").read_bytes()
        assert ours == (tmp_path / f"theirs.{name}").read_bytes()
