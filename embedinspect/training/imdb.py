"""The IMDB reviews: Keras's `imdb.npz`, wherever it lies, and the aclImdb folder of its authors.

The file holds plain index numbers. What `keras.datasets.imdb.load_data` makes of them, which is
what the classic recipe trains on, is made here in the same way: both parts shuffled with one
stream of seed 113, every number moved up by 3, a start id of 1 in front, and 2 for what is out of
vocabulary. Maas et al., "Learning Word Vectors for Sentiment Analysis", ACL 2011.
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
from itertools import chain
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
    """Return the IMDB data from a file of Keras's layout, or downloaded by Keras.

    Raises:
        DataError: what cannot be read, is damaged or hostile, or cannot be downloaded.
    """
    file = Path(path) if path is not None else download(FILE)
    parts = _read_parts(file)
    vocabulary = _vocabulary(_word_index(file), num_words)
    shuffled = np.random.RandomState(SHUFFLE_SEED)
    found = []
    for flat, lengths, labels in parts:
        order = np.arange(len(lengths))
        shuffled.shuffle(order)
        ids = _with_reserved_ids(flat, lengths, num_words)
        found.append(Part([ids[i] for i in order], labels[order]))
    train, test = found
    source = {"kind": "imdb", "path": None if path is None else str(file.absolute())}
    return LabelledData(
        "IMDB reviews", source, train, test, vocabulary, LABELS, fingerprint(train, test)
    )


def _with_reserved_ids(flat: IntArray, lengths: IntArray, num_words: int) -> list[IntArray]:
    """Return for each review the start id and its ids, those not below `num_words` unknown."""
    ends = np.cumsum(lengths + 1)
    starts = ends - lengths - 1
    ids = np.empty(len(flat) + len(lengths), np.int32)
    is_word = np.ones(len(ids), bool)
    is_word[starts] = False
    moved = flat + np.int32(INDEX_FROM)
    ids[is_word] = np.where(moved >= num_words, np.int32(UNKNOWN), moved)
    ids[starts] = START
    return np.split(ids, ends[:-1])


def _vocabulary(word_index: dict[str, int], num_words: int) -> Vocabulary:
    reserved = {START_TOKEN: START, UNKNOWN_TOKEN: UNKNOWN}
    ranked = sorted(word_index.items(), key=lambda item: item[1])
    return Vocabulary(
        word_index=reserved | {word: id_ + INDEX_FROM for word, id_ in ranked},
        num_words=num_words,
        oov_token=UNKNOWN_TOKEN,
        start_token=START_TOKEN,
    )


# -- the file ----------------------------------------------------------------------------------


class _PickledArray:
    """Stands for the object array of a pickle: keeps its items, runs nothing."""

    items: object = None

    def __setstate__(self, state: object) -> None:
        if isinstance(state, tuple) and state:
            self.items = state[-1]


class _PickledDtype:
    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass


def _reconstruct(*_: object) -> _PickledArray:
    return _PickledArray()


class _Unpickler(pickle.Unpickler):
    """Admits the three names that an object array of lists needs, and puts stand-ins for them.

    So no function that a file names is ever called.
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
                f"it asks for {module}.{name}, which no data set needs: refused, nothing was run"
            ) from None


def _read_parts(path: Path) -> list[tuple[IntArray, IntArray, Labels]]:
    """Return for both parts all index numbers in a row, the lengths, and the labels."""
    shown = repr(str(path))
    expected = "expected Keras's imdb.npz (x_train, y_train, x_test, y_test)"
    try:
        with zipfile.ZipFile(path) as archive:
            found = []
            for part in ("train", "test"):
                flat, lengths = _reviews(archive, f"x_{part}")
                labels = _labels(archive, f"y_{part}", len(lengths))
                found.append((flat, lengths, labels))
            return found
    except KeyError as error:
        raise DataError(f"{shown}: {error.args[0]}; {expected}") from None
    except DataError as error:
        raise DataError(f"{shown} cannot be used: {error}; {expected}") from None
    except arrays.DAMAGES as error:
        raise DataError(f"{shown} is a damaged zip ({error}); {expected}") from None
    except OSError as error:
        raise DataError(f"cannot read {shown}: {os_reason(error)}; {expected}") from None


def _reviews(archive: zipfile.ZipFile, name: str) -> tuple[IntArray, IntArray]:
    member = archive.getinfo(f"{name}.npy")
    arrays.refuse_bomb(member, name)
    with archive.open(member) as file:
        shape, _, dtype = arrays.read_header(file, name)
        if len(shape) != 1 or not dtype.hasobject:
            raise DataError(f"{name} has shape {shape} and dtype {dtype}, and is no list of lists")
        items = _unpickled(file, name)
    if not isinstance(items, list) or len(items) != shape[0]:
        raise DataError(f"{name} does not hold the {shape[0]} reviews that it claims")
    if not items or not all(type(item) is list for item in items):
        raise DataError(f"{name} holds reviews that are no lists of numbers")
    try:
        flat = np.frombuffer(array("i", chain.from_iterable(items)), np.int32)
    except (TypeError, OverflowError) as error:
        raise DataError(f"{name} holds reviews that are no lists of numbers ({error})") from None
    if flat.size and (flat.min() < 0 or flat.max() > 2**31 - 1 - INDEX_FROM):
        raise DataError(f"{name} holds numbers that are no index into words")
    return flat, np.array([len(item) for item in items], np.int32)


def _unpickled(file: IO[bytes], name: str) -> object:
    collecting = gc.isenabled()
    gc.disable()  # millions of numbers and no garbage
    try:
        found = _Unpickler(io.BytesIO(file.read())).load()
    except (DataError, zipfile.BadZipFile):
        raise
    except Exception as error:  # a pickle can be damaged in more ways than can be listed
        raise DataError(f"{name} holds a damaged pickle ({type(error).__name__})") from None
    finally:
        if collecting:
            gc.enable()
    return found.items if isinstance(found, _PickledArray) else None


def _labels(archive: zipfile.ZipFile, name: str, count: int) -> Labels:
    member = archive.getinfo(f"{name}.npy")
    arrays.refuse_bomb(member, name)
    with archive.open(member) as file:
        labels = arrays.read_array(file, member.file_size, name, (count,))
    if not np.isin(labels, (0, 1)).all():
        raise DataError(f"{name} holds labels other than 0 and 1")
    return labels.astype(np.int8)


def _word_index(file: Path) -> dict[str, int]:
    """Return Keras's word index: beside the file, or from Keras."""
    path = file.with_name(WORD_INDEX)
    if not path.is_file():
        path = download(WORD_INDEX)
    expected = "expected Keras's imdb_word_index.json"
    try:
        index = json.loads(read_bytes(str(path), expected))
    except (ValueError, RecursionError):
        raise DataError(f"{str(path)!r} is not JSON; {expected}") from None
    if not isinstance(index, dict) or not all(
        type(id_) is int and 0 < id_ < 2**31 - 1 - INDEX_FROM for id_ in index.values()
    ):
        raise DataError(f"{str(path)!r} does not map words to numbers from 1 on; {expected}")
    return index


def download(name: str) -> Path:
    """Return the path of a file in Keras's cache, which Keras downloads if it is not there.

    Keras checks the hash; its progress goes to stderr.

    Raises:
        DataError: it cannot be fetched; says how to give it by hand.
    """
    keras = keras_layer.load()
    method = "md5" if len(HASHES[name]) == 32 else "sha256"
    try:
        with contextlib.redirect_stdout(sys.stderr):
            found = keras.utils.get_file(
                name, URL + name, file_hash=HASHES[name], hash_algorithm=method
            )
    except Exception as error:  # get_file raises a bare Exception
        reason = " ".join(str(error).split())
        raise DataError(
            f"{name} cannot be fetched ({reason}); expected a network, or the files {FILE} and "
            f"{WORD_INDEX} in one folder: embedinspect train imdb --data path/to/{FILE}"
        ) from None
    return Path(found)
