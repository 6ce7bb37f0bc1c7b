"""gensim's own files, old and new, with gensim as the oracle, and hostile ones."""

from __future__ import annotations

import os
import pickle
import random
import shutil
from pathlib import Path

import gensim
import numpy as np
import pytest
from gensim.models import Doc2Vec, FastText, Word2Vec
from gensim.models.doc2vec import TaggedDocument
from gensim.utils import SaveLoad

from embedinspect.errors import DataError, EmbedInspectError
from embedinspect.formats import open_file
from embedinspect.formats.contents import Contents, ReadOptions
from embedinspect.formats.gensim_names import MODELS, VECTORS
from embedinspect.source import open_source

GENSIM = Path(gensim.__file__).parent / "test" / "test_data"
TEXTS = [["a", "bb", "ccc"], ["bb", "ccc", "dé", "#1"]] * 20
SMALL = {"vector_size": 4, "min_count": 1, "epochs": 1, "seed": 1, "workers": 1}


class Stub:
    """Stands for any class of a pickle: what it was called with, and the state it was given."""

    def __new__(cls, *arguments):
        self = super().__new__(cls)
        self.arguments = arguments
        return self

    def __setstate__(self, state):
        self.__dict__.update(state if isinstance(state, dict) else {})


class Unpickler(pickle.Unpickler):
    """Python's own unpickler with NumPy's arrays, and a stub for all classes of old gensims."""

    def find_class(self, module, name):
        if name in {"_reconstruct", "ndarray", "dtype", "scalar", "encode"}:
            return super().find_class(module, name)
        return (lambda *_: {}) if name == "defaultdict" else type(name, (Stub,), {})


def is_of_gensim(path: Path) -> bool:
    """Return whether a file holds a gensim object of a class with vectors."""
    if not path.is_file():
        return False
    start = path.read_bytes()[:200]
    return start[:1] == b"\x80" and any(
        module.encode() + b"\n" + kind.encode() + b"\n" in start
        for module, _, kind in (name.rpartition(".") for name in MODELS | VECTORS)
    )


FILES = sorted(str(path.relative_to(GENSIM)) for path in GENSIM.rglob("*") if is_of_gensim(path))


def oracle(path: Path) -> tuple[list, np.ndarray]:
    """Return words and rows as gensim loads them, or as they lie in a pickle it cannot load."""
    try:
        model = SaveLoad.load(str(path))
        vectors = getattr(model, "wv", model)
        return list(vectors.index_to_key), vectors.vectors
    except (AttributeError, ImportError):
        with path.open("rb") as file:
            state = vars(Unpickler(file, encoding="latin1").load())
        for name in ("wv", "kv"):
            state = vars(state[name]) if name in state else state
        words = state.get("index2word") or state.get("index2entity")
        if "syn0" in state.get("__numpys", ()):
            return list(words), np.load(f"{path}.syn0.npy")
        return list(words), state["vectors"] if "vectors" in state else state["syn0"]


def names_of(contents: Contents) -> list:
    """Return words, and the numbers of rows that have none."""
    return [row if word is None else word for row, word in enumerate(contents.words)]


def test_all_files_of_gensim_with_vectors_are_found():
    assert len(FILES) >= 63
    assert {"lee_fasttext", "poincare_test_3.4.0", "old_w2v_models/w2v_3.4.0.mdl"} <= set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_words_and_rows_are_those_of_gensim(name):
    words, rows = oracle(GENSIM / name)
    contents = open_file(str(GENSIM / name))
    assert names_of(contents) == words
    assert np.array_equal(np.asarray(contents.rows), rows.astype(np.float32))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("limit", [1, 10**9])
def test_vectors_of_today_s_gensim(tmp_path, protocol, limit):
    path, model = tmp_path / "words.kv", Word2Vec(TEXTS, **SMALL)
    model.wv.save(str(path), sep_limit=limit, pickle_protocol=protocol)
    assert path.with_name("words.kv.vectors.npy").is_file() == (limit == 1)
    contents = open_file(str(path))
    assert contents.kind == "gensim KeyedVectors"
    assert list(contents.words) == model.wv.index_to_key
    assert np.array_equal(contents.rows, model.wv.vectors)


@pytest.mark.parametrize("limit", [1, 10**9])
def test_a_model_has_its_output_layer_besides(tmp_path, limit):
    path, model = tmp_path / "words.model", Word2Vec(TEXTS, **SMALL)
    model.save(str(path), sep_limit=limit)
    contents = open_file(str(path))
    assert [(tensor.name, tensor.role) for tensor in contents.tensors] == [
        ("wv.vectors", "input embedding"), ("syn1neg", "output head")
    ]  # fmt: skip
    assert np.array_equal(contents.rows, model.wv.vectors)
    output = open_file(str(path), ReadOptions(tensor="syn1neg"))
    assert np.array_equal(output.rows, model.syn1neg)
    assert list(output.words) == model.wv.index_to_key


@pytest.mark.parametrize("tag", [str, int, "t{}".format])
def test_documents_have_their_tags(tmp_path, tag):
    path = tmp_path / "documents.model"
    model = Doc2Vec([TaggedDocument(text, [tag(row)]) for row, text in enumerate(TEXTS)], **SMALL)
    model.save(str(path))
    assert np.array_equal(open_file(str(path)).rows, model.wv.vectors)
    documents = open_file(str(path), ReadOptions(tensor="dv.vectors"))
    assert np.array_equal(documents.rows, model.dv.vectors)
    assert names_of(documents) == model.dv.index_to_key


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("old_d2v_models/d2v_0.12.0.mdl", "doctag_syn0"),
        ("old_d2v_models/d2v_3.4.0.mdl", "vectors_docs"),
        ("small_tag_doc_5_iter50", "doctag_syn0"),
    ],
)
def test_documents_of_old_models_have_their_tags(name, tensor):
    documents = open_file(str(GENSIM / name), ReadOptions(tensor=f"docvecs.{tensor}"))
    with (GENSIM / name).open("rb") as file:
        expected = vars(vars(Unpickler(file, encoding="latin1").load())["docvecs"])
    tags = {row: row for row in range(expected.get("max_rawint", 1) + 1)}
    tags |= {(tag.arguments[0] + len(tags)): word for word, tag in expected["doctags"].items()}
    assert names_of(documents) == [tags[row] for row in range(len(documents.rows))]
    assert np.array_equal(documents.rows, expected[tensor])


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("limit", [1, 10**9])
def test_fasttext_composes_words_that_it_knows_and_others(tmp_path, whole, limit):
    path, model = tmp_path / "words.model", FastText(TEXTS, bucket=50, **SMALL)
    (model if whole else model.wv).save(str(path), sep_limit=limit)
    contents, expected = open_file(str(path)), SaveLoad.load(str(path))
    vectors = expected.wv if whole else expected
    assert np.abs(np.asarray(contents.rows) - vectors.vectors).max() < 2e-7
    for word in ("unseen", "dé", "日本語", "x"):
        if word not in vectors.key_to_index:
            assert np.abs(contents.compose(word).vector - vectors[word]).max() < 2e-7
    [place] = open_source(str(path)).places_of(["unseen"])
    assert "character n-grams: <un" in place.how


def test_a_file_of_old_n_grams_composes_no_vectors():
    """Which n-grams gensim 3.8 left out is not known to gensim 4, whose vectors would be wrong."""
    assert open_file(str(GENSIM / "compatible-hash-true.model")).compose is None


def test_a_model_without_words_is_named():
    with pytest.raises(DataError, match=r"of gensim's class 'gensim.models.ldamodel.LdaModel'"):
        open_file(str(GENSIM / "lda_3_0_1_model"))
    with pytest.raises(DataError, match="is packed with gzip"):
        open_file(str(GENSIM / "ft_kv_3.6.0.model.gz"))


def test_an_array_that_is_not_beside_its_file_is_named(tmp_path):
    path = tmp_path / "words.kv"
    Word2Vec(TEXTS, **SMALL).wv.save(str(path), sep_limit=1)
    shutil.move(tmp_path / "words.kv.vectors.npy", tmp_path / "elsewhere.npy")
    with pytest.raises(DataError, match=r"'words.kv.vectors.npy', which is not there"):
        open_file(str(path))


def altered(tmp_path, change) -> Path:
    path, vectors = tmp_path / "words.kv", Word2Vec(TEXTS, **SMALL).wv
    change(vectors)
    vectors.save(str(path))
    return path


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda v: v.key_to_index.update(a=3, bb=3), "in its list of words another stands there"),
        (lambda v: v.key_to_index.pop("a"), "has 5 words in its list, but 4 in its index"),
        (lambda v: v.index_to_key.append("more"), "has 6 words, but 5 rows"),
        (lambda v: v.index_to_key.__setitem__(0, 1.5), "a word of the kind float in row 0"),
        (lambda v: setattr(v, "index_to_key", None), "holds no list of words"),
        (lambda v: setattr(v, "vectors", v.vectors.ravel()), r"has shape \(20,\)"),
        (lambda v: setattr(v, "vectors", v.vectors.astype(complex)), "array of another type"),
        (lambda v: setattr(v, "vectors", None), "holds no vectors of words"),
        (lambda v: setattr(v, "norms", os.getcwd), "names '(posix|nt).getcwd', which is not among"),
    ],
)
def test_words_that_do_not_fit_their_rows_are_refused(tmp_path, change, says):
    with pytest.raises(DataError, match=says):
        open_file(str(altered(tmp_path, change)))


def test_altered_files_are_refused_or_read_without_harm(tmp_path):
    original = (GENSIM / "old_w2v_models" / "w2v_3.4.0.mdl").read_bytes()
    chance, path = random.Random(2), tmp_path / "words.model"
    for number in range(150):
        data = bytearray(original)
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(40, len(data))] = chance.randrange(256)
        cut = chance.randrange(len(data)) if number % 5 == 0 else len(data)
        path.write_bytes(bytes(data[:cut]))
        try:
            contents = open_file(str(path))
        except EmbedInspectError:
            continue
        assert len(contents.words) == len(contents.rows) <= 3
