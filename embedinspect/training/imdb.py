"""The IMDB reviews from Keras's `imdb.npz`, a local file or one that Keras downloads.

The file holds the rank of each word. They become ids as `keras.datasets.imdb.load_data` makes
them, since these are what the classic recipe trains on: both parts are shuffled with one stream
of seed 113, 3 is added to every rank, each review begins with the start id 1, and 2 stands for
what is out of vocabulary. The reviews are those of Maas et al., "Learning Word Vectors for
Sentiment Analysis", ACL 2011.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import pickle
import sys
import zipfile
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from embedinspect import keras_layer
from embedinspect.errors import DataError, os_reason
from embedinspect.formats import arrays
from embedinspect.sequences import IntArray
from embedinspect.texts import read_bytes
from embedinspect.training.data import LabelledData, Labels, Part, fingerprint
from embedinspect.vocabulary import Vocabulary

START, UNKNOWN, INDEX_FROM = 1, 2, 3
START_TOKEN, UNKNOWN_TOKEN = "<START>", "<UNK>"
SHUFFLE_SEED = 113
LABELS = ("negative", "positive")

FILE, WORD_INDEX = "imdb.npz", "imdb_word_index.json"
URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
# What Keras pins for the two files.
HASHES = {
    FILE: "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    WORD_INDEX: "bfafd718b763782e994055a2d397834f",
}


def open_imdb(path: str | None, num_words: int) -> LabelledData:
    """Return the IMDB data.

    Args:
        path: of the file, with the word index beside it; None to have Keras download both.
        num_words: ids from this one on are out of vocabulary.

    Raises:
        DataError: a file that cannot be read or downloaded, or that is damaged or hostile.
    """
    file = Path(path) if path is not None else download(FILE)
    stored = _read_parts(file)
    vocabulary = _vocabulary(_word_index(file), num_words)
    random = np.random.RandomState(SHUFFLE_SEED)
    parts = []
    for ranks, lengths, labels in stored:
        order = np.arange(len(lengths))
        random.shuffle(order)
        ids = _with_reserved_ids(ranks, lengths, num_words)
        parts.append(Part([ids[i] for i in order], labels[order]))
    train, test = parts
    source = {"kind": "imdb", "path": None if path is None else str(file.absolute())}
    return LabelledData(
        "IMDB reviews", source, train, test, vocabulary, LABELS, fingerprint(train, test)
    )


def _with_reserved_ids(ranks: IntArray, lengths: IntArray, num_words: int) -> list[IntArray]:
    """Return the ids of each review: the start id, then the words, unknown from `num_words` on.

    Args:
        ranks: of the words of all reviews, one review after the other.
        lengths: number of words of each review.
    """
    ends = np.cumsum(lengths + 1)
    starts = ends - lengths - 1
    ids = np.empty(len(ranks) + len(lengths), np.int32)
    is_word = np.ones(len(ids), bool)
    is_word[starts] = False
    word_ids = ranks + np.int32(INDEX_FROM)
    ids[is_word] = np.where(word_ids >= num_words, np.int32(UNKNOWN), word_ids)
    ids[starts] = START
    # By slices, of which np.split makes the same with more ado.
    return [ids[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]


def _vocabulary(word_index: dict[str, int], num_words: int) -> Vocabulary:
    reserved = {START_TOKEN: START, UNKNOWN_TOKEN: UNKNOWN}
    ranked = sorted(word_index.items(), key=lambda item: item[1])
    return Vocabulary(
        word_index=reserved | {word: rank + INDEX_FROM for word, rank in ranked},
        num_words=num_words,
        oov_token=UNKNOWN_TOKEN,
        start_token=START_TOKEN,
    )


# -- the file ----------------------------------------------------------------------------------


class _PickledArray:
    """Stands in for the object array of a pickle: keeps its items, runs nothing."""

    items: object = None

    def __setstate__(self, state: object) -> None:
        if isinstance(state, tuple) and state:
            self.items = state[-1]


class _PickledDtype:
    """Stands in for the dtype of a pickle, which is not looked at."""

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass


def _reconstruct(*_: object) -> _PickledArray:
    return _PickledArray()


class _Unpickler(pickle.Unpickler):
    """Admits only the names that an object array of lists needs, and puts stand-ins for them.

    No function that a file names is ever called.
    """

    _ADMITTED: dict[tuple[str, str], Any] = {  # noqa: RUF012 (never changed)
        ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy", "ndarray"): _PickledArray,
        ("numpy", "dtype"): _PickledDtype,
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._ADMITTED[module, name]
        except KeyError:
            raise DataError(
                f"it asks for {module}.{name}, which no data set needs (refused; nothing was run)"
            ) from None


def _read_parts(path: Path) -> list[tuple[IntArray, IntArray, Labels]]:
    """Return for the training and the test part: all ranks in a row, the lengths, the labels."""
    path_label = repr(str(path))
    expected = "expected Keras's imdb.npz (x_train, y_train, x_test, y_test)"
    try:
        with zipfile.ZipFile(path) as archive, _without_collector():
            parts = []
            for part in ("train", "test"):
                ranks, lengths = _reviews(archive, f"x_{part}")
                labels = _labels(archive, f"y_{part}", len(lengths))
                parts.append((ranks, lengths, labels))
            return parts
    except KeyError as error:
        raise DataError(f"{path_label}: {error.args[0]}; {expected}") from None
    except DataError as error:
        raise DataError(f"{path_label} cannot be used: {error}; {expected}") from None
    except arrays.DAMAGES as error:
        raise DataError(
            f"{path_label} is no .npz file, or a damaged one ({error}); {expected}"
        ) from None
    except OSError as error:
        raise DataError(f"cannot read {path_label}: {os_reason(error)}; {expected}") from None


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Keep the garbage collector from looking at millions of numbers, as there is no garbage."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _reviews(archive: zipfile.ZipFile, name: str) -> tuple[IntArray, IntArray]:
    """Return the ranks of all reviews in a row, and the length of each review."""
    member = archive.getinfo(f"{name}.npy")
    arrays.refuse_bomb(member, name)
    with archive.open(member) as file:
        shape, _, dtype = arrays.read_header(file, name)
        if len(shape) != 1 or not dtype.hasobject:
            raise DataError(
                f"{name} has shape {shape} and dtype {dtype}, so it is not a list of lists"
            )
        items = _unpickled(file, name)
    if not isinstance(items, list) or len(items) != shape[0]:
        raise DataError(f"{name} does not hold the {shape[0]} reviews that it claims")
    if not items or not all(type(item) is list for item in items):
        raise DataError(f"{name} holds reviews that are not lists of numbers")
    stored = array("i")
    try:
        for item in items:  # not all at once by an iterator, which takes three times as long
            stored.fromlist(item)
    except (TypeError, OverflowError) as error:
        raise DataError(f"{name} holds reviews that are not lists of numbers ({error})") from None
    ranks = np.frombuffer(stored, np.int32)
    if ranks.size and (ranks.min() < 0 or ranks.max() > 2**31 - 1 - INDEX_FROM):
        raise DataError(f"{name} holds numbers that are not ranks of words")
    return ranks, np.array([len(item) for item in items], np.int32)


def _unpickled(file: IO[bytes], name: str) -> object:
    """Return the items of a pickled object array; None if the pickle holds something else."""
    try:
        # Buffered, as the unpickler looks ahead then; else it asks for each number by two calls.
        root = _Unpickler(io.BufferedReader(io.BytesIO(file.read()))).load()
    except (DataError, zipfile.BadZipFile):
        raise
    except Exception as error:  # a pickle can be damaged in more ways than can be listed
        raise DataError(f"{name} holds a damaged pickle ({type(error).__name__})") from None
    return root.items if isinstance(root, _PickledArray) else None


def _labels(archive: zipfile.ZipFile, name: str, count: int) -> Labels:
    member = archive.getinfo(f"{name}.npy")
    arrays.refuse_bomb(member, name)
    with archive.open(member) as file:
        labels = arrays.read_array(file, member.file_size, name, (count,))
    if not np.isin(labels, (0, 1)).all():
        raise DataError(f"{name} holds labels other than 0 and 1")
    return labels.astype(np.int8)


def _word_index(file: Path) -> dict[str, int]:
    """Return Keras's word index, from beside the file or as Keras downloads it."""
    path = file.with_name(WORD_INDEX)
    if not path.is_file():
        path = download(WORD_INDEX)
    expected = "expected Keras's imdb_word_index.json"
    try:
        index = json.loads(read_bytes(str(path), expected))
    except (ValueError, RecursionError):
        raise DataError(f"{str(path)!r} is not JSON; {expected}") from None
    if not isinstance(index, dict) or not all(
        type(rank) is int and 0 < rank < 2**31 - 1 - INDEX_FROM for rank in index.values()
    ):
        raise DataError(f"{str(path)!r} does not map words to ranks from 1 on; {expected}")
    return index


def download(name: str) -> Path:
    """Return the path of a file in Keras's cache, which Keras downloads if it is not there.

    Keras checks the hash; its progress goes to stderr.

    Raises:
        DataError: it cannot be downloaded; the message says how to give it by hand.
    """
    keras = keras_layer.load()
    method = "md5" if len(HASHES[name]) == 32 else "sha256"
    try:
        with contextlib.redirect_stdout(sys.stderr):
            path = keras.utils.get_file(
                name, URL + name, file_hash=HASHES[name], hash_algorithm=method
            )
    except Exception as error:  # get_file raises a bare Exception
        reason = " ".join(str(error).split())
        raise DataError(
            f"{name} cannot be downloaded ({reason}); expected a network, or the files {FILE} and "
            f"{WORD_INDEX} in one folder: embedinspect train imdb --data path/to/{FILE}"
        ) from None
    return Path(path)
