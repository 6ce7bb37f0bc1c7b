"""What other programs make of word vectors: gensim itself is asked."""

from __future__ import annotations

import json

import pytest
from gensim.models import KeyedVectors

from embedinspect.analysis.other_readers import remarks
from embedinspect.source import open_source
from tests.builders import source_of


@pytest.fixture
def path(tmp_path):
    return tmp_path / "vectors"


def split(path) -> dict[str, list[float]]:
    """Return words and numbers as a loop over the lines reads them."""
    vectors = {}
    for line in path.read_text().splitlines():
        word, *numbers = line.split()
        vectors[word] = [float(number) for number in numbers]
    return vectors


def test_words_with_spaces_end_other_readers(path):
    path.write_text("the 1 2\nnew york 3 4\n")
    with pytest.raises(ValueError, match="york"):
        KeyedVectors.load_word2vec_format(str(path), no_header=True)
    with pytest.raises(ValueError, match="york"):
        split(path)
    [header, spaces] = remarks(open_source(str(path)))
    assert "no_header=True" in header
    assert "1 word holds spaces, such as 'new york': gensim and a plain split() end" in spaces


def test_other_white_space_parts_a_word_for_a_plain_split(path):
    path.write_text("2 2\nthe 1 2\na\u00a0b 3 4\n")
    assert KeyedVectors.load_word2vec_format(str(path)).index_to_key == ["the", "a\u00a0b"]
    with pytest.raises(ValueError, match="b"):
        split(path)
    [_, spaces] = remarks(open_source(str(path)))
    assert "1 word holds other white space" in spaces


def test_a_header_is_a_word_to_a_loop(path):
    path.write_text("2 2\nthe 1 2\nof 3 4\n")
    assert "2" in split(path)
    assert remarks(open_source(str(path))) == [
        "gensim expects the header in line 1; a loop over the lines takes it for a word"
    ]


def test_of_rows_with_one_word_gensim_keeps_the_first_and_a_loop_the_last(path):
    path.write_text("the 1 2\nof 3 4\nthe 5 6\n")
    kept = KeyedVectors.load_word2vec_format(str(path), no_header=True)["the"]
    assert (kept.tolist(), split(path)["the"]) == ([1, 2], [5, 6])
    source = open_source(str(path))
    assert source.matrix.rows[source.words.row_of("the")].tolist() == [1, 2]
    assert "1 line repeats a word: gensim keeps the first row" in remarks(source)[1]


def test_nothing_is_said_of_other_files():
    assert remarks(source_of([[1, 2]], ["new york"])) == []


def test_info_says_it(run, path):
    path.write_text("the 1 2\nnew york 3 4\n")
    code, out, _ = run("info", str(path), "--json")
    assert (code, json.loads(out)["other_readers"]) == (0, remarks(open_source(str(path))))
    assert "gensim and a plain split()" in run("info", str(path))[1].decode()


def test_export_says_it_of_glove_s_form(run, tmp_path, path):
    path.write_text("the 1 2\nnew york 3 4\n")
    out = run("export", str(path), str(tmp_path / "x.txt"))[1].decode()
    assert "gensim and a plain split() end there" in " ".join(out.split())
    assert "split()" not in run("export", str(path), str(tmp_path / "x.vec"))[1].decode()
