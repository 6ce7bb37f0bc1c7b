"""Labelled data of every kind: what is read, what is refused, where a mistake is."""

from __future__ import annotations

import http.server
import io
import json
import os
import pickle
import threading
from pathlib import Path

import numpy as np
import pytest

from embedinspect.errors import DataError, UsageError
from embedinspect.training import datasets, imdb, labelled
from embedinspect.training.data import limited, split, summarize
from embedinspect.training.settings import TrainSettings, defaults_for
from tests.training.builders import rezip, write_imdb

REAL = Path(os.environ.get("IMDB_NPZ", "~/.keras/datasets/imdb.npz")).expanduser()


def test_imdb_is_what_keras_makes_of_it(imdb_file, monkeypatch):
    import keras

    words = write_imdb(imdb_file, train=3000)  # more than is read ahead at once
    monkeypatch.setattr(
        "keras.src.datasets.imdb.get_file", lambda *_, **__: str(imdb_file), raising=True
    )
    (x_train, y_train), (x_test, y_test) = keras.datasets.imdb.load_data(num_words=15)
    data = imdb.open_imdb(str(imdb_file), 15)
    for part, x, y in ((data.train, x_train, y_train), (data.test, x_test, y_test)):
        assert [ids.tolist() for ids in part.ids] == [list(ids) for ids in x]
        assert part.labels.tolist() == list(y)
    assert data.vocabulary.word_index["the"] == words["the"] + 3
    assert (data.vocabulary.start_id, data.vocabulary.oov_id) == (1, 2)


def test_a_new_sentence_gets_the_ids_of_the_training(imdb_file):
    vocabulary = imdb.open_imdb(str(imdb_file), 10).vocabulary
    assert vocabulary.encode(["The film, unseen brilliant!"]) == [[1, 4, 5, 2, 2]]
    traced = vocabulary.trace("The unseen brilliant")
    assert [token.token for token in traced] == ["<START>", "the", "unseen", "brilliant"]
    assert [token.status for token in traced] == ["looked_up", "looked_up", "replaced", "replaced"]


@pytest.mark.skipif(not REAL.is_file(), reason="set IMDB_NPZ to the real imdb.npz")
def test_the_first_real_review_decodes_to_its_words():
    data = imdb.open_imdb(str(REAL), 5000)
    words = data.vocabulary.words
    first = data.train.ids[0]
    assert len(first) == 218
    assert first[:6].tolist() == [1, 14, 22, 16, 43, 530]
    decoded = " ".join(words[int(id_)] for id_ in first[:12])
    expected = "this film was just brilliant casting location scenery story direction everyone's"
    assert decoded == f"<START> {expected}"
    assert np.mean([len(ids) for ids in data.train.ids]) == pytest.approx(238.71364)


class Evil:
    def __reduce__(self):
        return (os.mkdir, ("pwned",))


def pickled(payload: object, count: int = 120) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "|O", "fortran_order": False, "shape": (count,)}
    )
    return stream.getvalue() + pickle.dumps(payload, protocol=2)


def objects(items: list) -> bytes:
    array = np.empty(len(items), object)
    array[:] = items
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"x_train": pickled(Evil())}, "mkdir, which no data set needs .refused; nothing was run"),
        ({"x_train": objects([Evil()] * 120)}, "refused"),
        ({"x_train": pickled([1, 2])}, "does not hold the 120 reviews"),
        ({"x_train": pickled(eval)}, "refused"),
        ({"x_train": pickled([1])[:-3]}, "holds a damaged pickle"),
        ({"x_train": objects([["a"]] * 120)}, "not lists of numbers"),
        ({"x_train": objects([[1.5]] * 120)}, "not lists of numbers"),
        ({"x_train": objects([[2**40]] * 120)}, "not lists of numbers"),
        ({"x_train": objects([[-4]] * 120)}, "not ranks of words"),
        ({"x_train": objects([3] * 120)}, "not lists of numbers"),
        ({"y_train": objects([1] * 120)}, "dtype object"),
        ({"x_train": b"nothing"}, "damaged header"),
    ],
)
def test_a_hostile_file_is_refused_and_runs_nothing(
    imdb_file, changed, says, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    rezip(imdb_file, **changed)
    before = imdb_file.read_bytes()
    with pytest.raises(DataError, match=says) as caught:
        imdb.open_imdb(str(imdb_file), 10)
    assert "\n" not in str(caught.value)
    assert not Path("pwned").exists()
    assert imdb_file.read_bytes() == before


def test_another_array_is_not_taken_for_damage_alone(imdb_file):
    np.save(imdb_file.with_suffix(".npy"), np.eye(3))
    with pytest.raises(DataError, match=r"is no \.npz file, or a damaged one"):
        imdb.open_imdb(str(imdb_file.with_suffix(".npy")), 10)


def test_labels_must_be_labels(imdb_file):
    stream = io.BytesIO()
    np.save(stream, np.full(120, 7))
    rezip(imdb_file, y_train=stream.getvalue())
    with pytest.raises(DataError, match="other than 0 and 1"):
        imdb.open_imdb(str(imdb_file), 10)


@pytest.mark.parametrize("index", ["[]", "{", '{"a": 0}', '{"a": "b"}', '{"a": true}'])
def test_a_word_index_that_is_none(imdb_file, index):
    imdb_file.with_name("imdb_word_index.json").write_text(index)
    with pytest.raises(DataError, match="imdb_word_index"):
        imdb.open_imdb(str(imdb_file), 10)


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serve the folder `served` on this machine, and let Keras cache in another."""
    served = tmp_path / "served"
    served.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(served))

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        monkeypatch.setattr(imdb, "URL", f"http://127.0.0.1:{httpd.server_port}/")
        home = "keras.src.utils.file_utils.config.keras_home"
        monkeypatch.setattr(home, lambda: str(tmp_path / "cache"))
        yield served
        httpd.shutdown()


def hashed(path: Path, method: str) -> str:
    import hashlib

    return hashlib.new(method, path.read_bytes()).hexdigest()


def test_a_download_is_quiet_on_stdout_and_kept(server, monkeypatch, capfd):
    write_imdb(server / "imdb.npz")
    monkeypatch.setitem(imdb.HASHES, "imdb.npz", hashed(server / "imdb.npz", "sha256"))
    index = hashed(server / "imdb_word_index.json", "md5")
    monkeypatch.setitem(imdb.HASHES, "imdb_word_index.json", index)
    data = imdb.open_imdb(None, 10)
    assert len(data.train) == 120
    assert capfd.readouterr().out == ""
    (server / "imdb.npz").unlink()
    assert imdb.open_imdb(None, 10).fingerprint == data.fingerprint


def test_a_file_that_the_server_does_not_have_is_one_line(server):
    with pytest.raises(DataError, match=r"imdb.npz cannot be downloaded .*404.*--data") as caught:
        imdb.open_imdb(None, 10)
    assert "\n" not in str(caught.value)


def test_a_file_of_another_hash_is_refused(server):
    write_imdb(server / "imdb.npz")
    with pytest.raises(DataError, match=r"imdb.npz cannot be downloaded .*corrupted"):
        imdb.open_imdb(None, 10)


# -- tables and folders ------------------------------------------------------------------------


def open_text(tmp_path, text: str | bytes, **columns):
    path = tmp_path / "data"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    options = {"text_column": None, "label_column": None, "seed": 0, **columns}
    return labelled.open_table(str(path), **options)


ROWS = [
    ("so good", "yes"),
    ("so bad", "no"),
    ('a "b", c', "no"),
    ("fine\nfilm", "yes"),
    ("x", "no"),
]


def test_csv_tsv_and_json_lines_are_the_same_data(tmp_path):
    import csv

    kinds = []
    for delimiter in ",\t":
        stream = io.StringIO()
        csv.writer(stream, delimiter=delimiter).writerows([("text", "label"), *ROWS])
        kinds.append(stream.getvalue())
    kinds.append("\n".join(json.dumps({"text": t, "label": x}) for t, x in ROWS) + "\n\n")
    kinds.append("\ufeff" + kinds[0])
    opened = [open_text(tmp_path, kind) for kind in kinds]
    assert len({data.fingerprint for data in opened}) == 1
    assert opened[0].label_names == ("no", "yes")
    assert (len(opened[0].train), len(opened[0].test)) == (4, 1)


def test_columns_are_found_or_named(tmp_path):
    text = "Sentiment,Review,id\npos,a b,1\nneg,c d,2\npos,e,3\nneg,f,4\npos,g,5\n"
    assert open_text(tmp_path, text).label_names == ("neg", "pos")
    text = text.replace("Sentiment", "mood").replace("Review", "words")
    with pytest.raises(
        UsageError, match="; it has 'mood', 'words', 'id'; choose one with --text-column"
    ):
        open_text(tmp_path, text)
    data = open_text(tmp_path, text, text_column="words", label_column="mood")
    assert data.label_names == ("neg", "pos")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("text,label\na,1\n,0\n", "line 3 has no text"),
        ("text,label\na,1\nb,\n", "line 3 has no label"),
        ("text,label\na,1\nb\n", "line 3 has no label"),
        ("text,label\na,1\nb,0,9\n", "line 3 has 3 fields; expected 2"),
        ("text,label\na,1\nb,0\nc,2\n", "line 4 has a third label '2' beside '1' and '0'"),
        ("text,label\na,1\nb,1\n", "has only the label '1'; expected two"),
        ("text,label\na,1\nb,0\n", "has 2 labelled texts; expected 5 or more"),
        (b"text,label\na,1\n\xff,0\n", "byte 0xff at offset 15, line 3"),
        ('text,label\n"a,1\n', "line 1: unexpected end of data"),
        ('{"text": "a", "label": 1}\n{"text"\n', "line 2 is not a JSON object"),
        ('{"text": "a", "label": 1}\n[1]\n', "line 2 is not a JSON object"),
        ('{"text": "a", "label": 1}\n{"text": null, "label": 1}\n', "line 2 has no text"),
    ],
)
def test_a_mistake_in_a_table_is_named_with_its_line(tmp_path, text, says):
    with pytest.raises(DataError, match=says) as caught:
        open_text(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_folders(folder, tmp_path):
    data = datasets.open_data(str(folder), None, num_words=None, seed=0)
    assert (len(data.train), len(data.test), data.label_names) == (60, 20, ("negative", "positive"))
    assert (
        data.fingerprint
        == datasets.open_data("imdb", str(folder), num_words=None, seed=0).fingerprint
    )
    with pytest.raises(DataError, match="train/neg"):
        datasets.open_data(str(tmp_path), None, num_words=None, seed=0)


def test_what_is_no_data(table):
    with pytest.raises(UsageError, match="'imbd' is neither a file nor a folder nor a data set"):
        datasets.open_data("imbd", None, num_words=None, seed=0)
    with pytest.raises(DataError, match="no such file"):
        datasets.open_data("missing.csv", None, num_words=None, seed=0)
    with pytest.raises(UsageError, match="--data is the path of imdb"):
        datasets.open_data(str(table), "x", num_words=None, seed=0)


# -- parts and settings ------------------------------------------------------------------------


def test_num_words_makes_ids_unknown(table):
    data = datasets.open_data(str(table), None, num_words=None, seed=0)
    clipped = datasets.with_num_words(data, 6)
    assert max(int(ids.max()) for ids in clipped.train.ids) == 5
    assert [len(ids) for ids in clipped.train.ids] == [len(ids) for ids in data.train.ids]
    summary = summarize(clipped, TrainSettings(num_words=6, maxlen=8))
    assert summary.out_of_vocabulary == sum(int((ids == 1).sum()) for ids in clipped.train.ids)
    assert summary.cut_reviews == sum(len(ids) > 8 for ids in data.train.ids)
    with pytest.raises(UsageError, match="expected 2 or more"):
        datasets.with_num_words(data, 1)


def test_limit_and_validation_follow_the_seed(table):
    data = datasets.open_data(str(table), None, num_words=None, seed=0)
    settings = TrainSettings(limit=50, validation=0.2, seed=3)
    small = limited(data, settings)
    assert (len(small.train), len(small.test)) == (50, 40)
    train, held_out = split(small.train, settings)
    assert (len(train), len(held_out)) == (40, 10)
    again, _ = split(limited(data, settings).train, settings)
    assert [a.tolist() for a in train.ids] == [b.tolist() for b in again.ids]


def test_defaults_follow_small_data_and_only_small_data():
    assert defaults_for([200] * 25_000, 88_000, None) == {"maxlen": 200}
    small = defaults_for([10] * 160, 400, None)
    assert (small["num_words"], small["maxlen"], small["mask_zero"]) == (401, 10, True)
    assert small["epochs"] * -(-160 // small["batch_size"]) >= 150
    assert "epochs" not in defaults_for([10] * 160, 400, 5)
