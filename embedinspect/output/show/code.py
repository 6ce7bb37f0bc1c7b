"""The same lookup as a Keras script: what `--code` prints."""

from __future__ import annotations

import pprint
import shlex
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from embedinspect import samples
from embedinspect.errors import UsageError
from embedinspect.formats import magic
from embedinspect.lookup import Lookup
from embedinspect.stored_rows import FloatArray
from embedinspect.vocabulary import Tokenization


@dataclass(frozen=True)
class Inputs:
    """What came from files and not from the texts: named in the script, read by it."""

    vocabulary: str | None = None
    matrix: str | None = None
    backend: str | None = None
    maxlen: int | None = None


def script(lookup: Lookup, inputs: Inputs) -> str:
    """Return a complete script that prints the same sequences and the same output tensor."""
    parts = [
        _head(lookup, inputs),
        f"texts = {_literal(list(lookup.texts))}",
        _vectorize(lookup, inputs)
        if lookup.vocabulary.name != "classic"
        else _tokenize(lookup, inputs),
        _weights(lookup, inputs),
        _model(lookup),
    ]
    return "\n\n".join(parts) + "\n"


def _literal(value: object) -> str:
    return pprint.pformat(value, width=96, sort_dicts=False)


def _head(lookup: Lookup, inputs: Inputs) -> str:
    classic = lookup.vocabulary.name == "classic"
    lines = [
        '"""What an Embedding layer does with texts: ids, a padded sequence, rows of a matrix."""',
        "",
    ]
    if classic and inputs.vocabulary:
        lines.append("import json")
    if inputs.backend:
        lines.append("import os")
    if classic and not inputs.vocabulary:
        lines.append("from collections import Counter")
    if lines[-1]:
        lines.append("")
    if inputs.backend:
        lines += [
            f'os.environ["KERAS_BACKEND"] = "{inputs.backend}"  # before Keras is imported',
            "",
        ]
    lines += ["import keras", "import numpy as np", ""]
    lines.append('np.set_printoptions(threshold=10**9, floatmode="unique")  # print every number')
    return "\n".join(lines)


def _tokens(tokenization: Tokenization) -> str:
    lower = ".lower()" if tokenization.lower else ""
    if tokenization.char_level:
        return f"def tokens(text):\n    return list(text{lower})\n"
    return (
        f"FILTERS = {tokenization.filters!r}\n\n\n"
        "def tokens(text):\n"
        f"    text = text{lower}.translate(str.maketrans({{c: {tokenization.split!r} for c in FILTERS}}))\n"
        f"    return [token for token in text.split({tokenization.split!r}) if token]\n"
    )


def _tokenize(lookup: Lookup, inputs: Inputs) -> str:
    vocabulary, settings = lookup.vocabulary, lookup.settings
    first = 1 if vocabulary.oov_token is None else 2
    lines = [
        "# Words become ids: the most frequent first, 0 is kept for padding.",
        _tokens(vocabulary.tokenization),
        "",
    ]
    if inputs.vocabulary:
        lines += [
            f'with open({samples.resolve(inputs.vocabulary)!r}, encoding="utf-8") as file:',
            '    word_index = json.loads(json.load(file)["config"]["word_index"])',
        ]
    else:
        lines += [
            "counts = Counter(token for text in texts for token in tokens(text))",
            "word_index = {word: id_ for id_, (word, _) in enumerate(counts.most_common(), start="
            f"{first})}}",
        ]
        if vocabulary.oov_token is not None:
            lines.append(f"word_index = {{{vocabulary.oov_token!r}: 1}} | word_index")
    limit = f"id_ < {vocabulary.num_words}" if vocabulary.num_words else ""
    lines += ["", "", "def encode(text):"]
    lines.append("    ids = [word_index.get(token) for token in tokens(text)]")
    known = "id_ is not None" + (f" and {limit}" if limit else "")
    if vocabulary.oov_id is None:
        lines.append(f"    return [id_ for id_ in ids if {known}]")
    else:
        lines.append(f"    return [id_ if {known} else {vocabulary.oov_id} for id_ in ids]")
    lines += [
        "",
        "",
        "# Sequences of one length: the rest is padding, what is too long is cut off.",
        "sequences = keras.utils.pad_sequences(",
        f"    [encode(text) for text in texts], maxlen={lookup.maxlen}, "
        f'padding="{settings.padding}", truncating="{settings.truncating}"',
        ")",
        "print(sequences)",
    ]
    return "\n".join(lines)


def _vectorize(lookup: Lookup, inputs: Inputs) -> str:
    max_tokens = lookup.settings.num_words
    return "\n".join(
        [
            "# Words become ids: 0 is padding, 1 stands for every word that is not known.",
            "vectorization = keras.layers.TextVectorization(",
            f"    max_tokens={max_tokens}, output_sequence_length={inputs.maxlen}",
            ")",
            "vectorization.adapt(texts)",
            'sequences = np.asarray(vectorization(texts)).astype("int32")',
            "print(sequences)",
        ]
    )


def _weights(lookup: Lookup, inputs: Inputs) -> str:
    matrix = lookup.matrix
    if inputs.matrix is None:
        return (
            "# The embedding matrix: a row for each id, drawn as Keras draws it by default.\n"
            f"weights = np.random.RandomState({lookup.settings.seed}).uniform("
            f'-0.05, 0.05, ({matrix.input_dim}, {matrix.output_dim})).astype("float32")'
        )
    place = samples.resolve(inputs.matrix)  # the script cannot know where samples lie
    expression, read = _reading(place)
    _check(read, inputs.matrix, np.asarray(matrix.rows))
    return f"# The embedding matrix: a row for each id.\nweights = {expression}"


def _check(read: Callable[[], Any], path: str, rows: FloatArray) -> None:
    """Refuse a file that NumPy does not read to the same rows.

    Raises:
        UsageError: it does not.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            same = np.array_equal(read().astype(np.float32), rows, equal_nan=True)
    except (ValueError, TypeError, OSError, StopIteration, zipfile.BadZipFile):
        same = False
    if not same:
        raise UsageError(
            f"--code prints a script that reads the matrix with NumPy, which does not read "
            f"{path!r} so; expected .npy, .npz or a text of numbers: embedinspect export "
            f"{shlex.quote(path)} rows.npy"
        )


def _reading(path: str) -> tuple[str, Callable[[], Any]]:
    """Return the expression with which NumPy reads a matrix file, and a function that does so."""
    with Path(path).open("rb") as file:
        start = file.read(4096)
    if start.startswith(magic.NPY):
        return f'np.load({path!r}).astype("float32")', lambda: np.load(path)
    if start.startswith(magic.ZIP):
        return (
            f'next(a for a in np.load({path!r}).values() if a.ndim == 2).astype("float32")',
            lambda: next(array for array in np.load(path).values() if array.ndim == 2),
        )
    sign = next((sign for sign in (",", ";") if sign.encode() in start), None)
    return (
        f'np.loadtxt({path!r}, delimiter={sign!r}, ndmin=2, dtype="float32")',
        lambda: np.loadtxt(path, delimiter=sign, ndmin=2, dtype="float32"),
    )


def _model(lookup: Lookup) -> str:
    mask = ", mask_zero=True" if lookup.settings.mask_zero else ""
    return "\n".join(
        [
            "# The model: an Embedding layer that holds these rows.",
            f"embedding = keras.layers.Embedding({lookup.matrix.input_dim}, {lookup.matrix.output_dim}{mask})",
            f'model = keras.Sequential([keras.Input(({lookup.maxlen},), dtype="int32"), embedding])',
            "embedding.set_weights([weights])",
            "",
            "output = model.predict(sequences, verbose=0)",
            "print(output)",
            "",
            "# Every output vector is the row of its id.",
            "print(np.array_equal(output, weights[sequences], equal_nan=True))",
        ]
    )
