"""Word vectors and models as gensim saves them (`.kv`, `.model`): a pickle, and arrays beside it.

Read are the versions from 0.12 on: Word2Vec, FastText, Doc2Vec and Poincaré models, and vectors by
themselves. Large arrays lie in files of their own, `NAME.vectors.npy` for the file `NAME`. Nothing
is unpickled: see `unpickler`. What the attributes of the classes mean is from gensim's own source.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

from embedinspect.errors import DataError
from embedinspect.formats.beginning import Start
from embedinspect.formats.contents import Contents, Problems, ReadOptions
from embedinspect.formats.gensim_names import MODELS, RULES, VECTORS
from embedinspect.formats.gensim_parts import Saved
from embedinspect.formats.ngrams import LONGEST_NGRAM, Composed, Scheme, SubwordVectors
from embedinspect.formats.pickled_values import Record
from embedinspect.formats.repairs import as_lines
from embedinspect.formats.tensors import Role, Tensor, pick
from embedinspect.formats.unpickler import unpickled
from embedinspect.row_words import PackedWords, pack
from embedinspect.stored_rows import Vectors
from embedinspect.wording import clipped_repr, literal, plural

# The class of the object comes first, in the old protocols as text, in the new ones by its length.
_BEGINS = re.compile(
    rb"\x80[\x01-\x05](?:\x95.{8})?(?:ccopy_reg\n_reconstructor\n(?:q.)?\()?"
    rb"(?:c(gensim\.[\w.]+)\n(\w+)\n|\x8c.(gensim\.[\w.]+)\x94\x8c.(\w+)\x94)",
    re.DOTALL,
)
_WORD_LISTS = ("index_to_key", "index2word", "index2entity")
_VECTORS = ("vectors", "syn0")
_DOCUMENTS = ("vectors_docs", "doctag_syn0", "vectors")


@dataclass(frozen=True)
class _Part:
    """A matrix with the words of its rows.

    Attributes:
        name: the attributes that lead to it.
        rows: its rows.
        dtype: the type of its numbers as they are stored.
        words: of its rows.
        role: what it is for.
        compose: returns the vector of a word that has no row; None where there is no way to.
    """

    name: str
    rows: Vectors
    dtype: str
    words: PackedWords
    role: Role | None = None
    compose: Callable[[str], Composed | None] | None = None


def recognises(start: Start) -> bool:
    """Return whether a file is the pickle of an object of gensim's."""
    return _BEGINS.match(start.data) is not None


def read(path: Path, options: ReadOptions) -> Contents:
    """Return the vectors of words, or those of another matrix that is named.

    Raises:
        UsageError: there is no matrix of that name.
        DataError: the file is damaged, holds no vectors, or lacks an array that lies beside it.
    """
    problems = Problems(repr(str(path)), options.strict)
    label = problems.path_label
    with path.open("rb") as file:
        data = mmap(file.fileno(), 0, access=ACCESS_READ)
    start = _BEGINS.match(data)
    names = [part.decode("ascii", "replace") for part in start.groups() if part] if start else []
    if ".".join(names) not in MODELS | VECTORS:
        raise DataError(
            f"{label} is of gensim's class {clipped_repr('.'.join(names))}, which has no vectors "
            "that are read; expected KeyedVectors, Word2Vec, FastText or Doc2Vec"
        )
    rules = replace(RULES, way_out=RULES.way_out.replace("PATH", label))
    value = unpickled(data, rules, label)
    if type(value) is not Record or value.name not in MODELS | VECTORS:
        raise DataError(f"{label} holds no object of gensim's; expected vectors or a model")
    parts = {part.name: part for part in _parts(Saved(path, value), problems)}
    tensors = tuple(_tensor(part) for part in parts.values())
    tensor = pick(tensors, options.tensor, label)
    part = parts[tensor.name]
    return Contents(
        f"gensim {literal(value.name.rpartition('.')[2])}",
        part.rows,
        part.words,
        part.dtype,
        problems,
        part.name,
        tensors=tensors,
        compose=part.compose,
    )


def _tensor(part: _Part) -> Tensor:
    rows, columns = part.rows.shape
    return Tensor(part.name, (rows, columns), part.dtype, lambda: part.rows, part.role)


def _parts(saved: Saved, problems: Problems) -> Iterator[_Part]:
    """Yield the matrices of an object: of words, of documents, and the output layer's.

    Raises:
        DataError: it has none, or one of them is damaged.
    """
    if saved.record.name in VECTORS:
        yield _of_words(saved, problems)
        return
    # Before 1.0 a model had its vectors as attributes of its own.
    words = _of_words(saved.part("wv", "kv") or saved, problems)
    yield replace(words, role="input embedding")
    documents = saved.part("dv", "docvecs")
    if documents is not None:
        part = _of_documents(documents, problems)
        if part is not None:
            yield part
    output = (saved.part("trainables") or saved).matrix("syn1neg")
    if output is not None and output[1].shape == words.rows.shape:
        yield _Part(*output, words.words, "output head")


def _of_words(saved: Saved, problems: Problems) -> _Part:
    """Return the vectors of words, composed from n-grams where gensim does not save them.

    Raises:
        DataError: there are none, or their words do not fit.
    """
    if saved.first("offset2doctag", "index2doctag") is not None:
        part = _of_documents(saved, problems)
        if part is not None:
            return part
    keys = saved.first(*_WORD_LISTS)
    found = saved.matrix(*_VECTORS)
    if found is None:
        found = saved.matrix("vectors_vocab")
        if found is None or not isinstance(keys, list):
            raise DataError(f"{saved.label} holds no vectors of words; expected some")
        words = _words(keys, len(found[1]), saved, problems)
        subwords = _subwords(saved, words, found[1])
        name, rows, dtype = f"{saved.name}.vectors".removeprefix("."), found[1], found[2]
        if subwords is None:
            return _Part(name, rows, dtype, words)
        return _Part(name, subwords.rows(), dtype, words, compose=subwords.of)
    if not isinstance(keys, list):
        raise DataError(f"{saved.label} holds no list of words; expected one")
    name, rows, dtype = found
    words = _words(keys, len(rows), saved, problems)
    subwords = _subwords(saved, words, rows)
    return _Part(name, rows, dtype, words, compose=None if subwords is None else subwords.of)


def _of_documents(saved: Saved, problems: Problems) -> _Part | None:
    """Return the vectors of documents, whose words are their tags; None where there are none."""
    found = saved.matrix(*_DOCUMENTS)
    if found is None:
        return None
    keys = _tags(saved, len(found[1]))
    if not isinstance(keys, list):
        raise DataError(f"{saved.label} holds no list of tags; expected one")
    return _Part(*found, _words(keys, len(found[1]), saved, problems))


def _tags(saved: Saved, rows: int) -> Any:
    """Return the tags of documents, which are numbers, texts, or the one and then the other."""
    texts = saved.first("offset2doctag")
    if texts is not None:  # from 0.12.3 to 3.8: all numbers up to the greatest, then texts
        greatest = saved.first("max_rawint")
        numbers = min(greatest + 1, rows + 1) if type(greatest) is int else 0
        return [*range(numbers), *texts] if isinstance(texts, list) else None
    texts = saved.first("index2doctag")
    if texts is not None:
        return texts or list(range(rows))
    return saved.first(*_WORD_LISTS)


def _words(keys: Sequence[Any], rows: int, saved: Saved, problems: Problems) -> PackedWords:
    """Return the words of rows; rows beyond them, and those called by their number, have none.

    Raises:
        DataError: there are more words than rows, keys of another kind, or two lists that differ.
    """
    if len(keys) > rows:
        raise DataError(
            f"{saved.label} has {plural(len(keys), 'word')}, but {plural(rows, 'row')}; expected a "
            "row for each word"
        )
    words = []
    for row, key in enumerate(keys):
        if type(key) is not str and type(key) is not int:
            raise DataError(
                f"{saved.label} has a word of the kind {type(key).__name__} in row {row}; expected "
                "texts, or numbers of documents"
            )
        words.append(f"#{row}" if key == row else str(key))
    if all(type(key) is str for key in keys):
        _compare(words, saved)
    words.extend(f"#{row}" for row in range(len(words), rows))
    return pack(as_lines([word.encode("utf-8", "surrogatepass") for word in words], problems))


def _compare(words: list[str], saved: Saved) -> None:
    """Compare the list of words with the row that each word says it has: gensim writes both.

    Raises:
        DataError: they differ, so that it is not known which row a word has.
    """
    places = saved.first("key_to_index", "vocab")
    if not isinstance(places, dict) or not places:
        return
    if len(places) != len(words):
        raise DataError(
            f"{saved.label} has {plural(len(words), 'word')} in its list, but {len(places):,} in "
            "its index; expected them to agree"
        )
    for word, place in places.items():
        row = place.attributes.get("index") if type(place) is Record else place
        if type(word) is not str or type(row) is not int:
            continue
        if not 0 <= row < len(words) or words[row] != word:
            raise DataError(
                f"{saved.label} has the word {clipped_repr(word)} in row {row}, but in its list of "
                "words another stands there; expected them to agree"
            )


def _subwords(saved: Saved, words: PackedWords, of_words: Any) -> SubwordVectors | None:
    """Return what composes vectors from n-grams; None where the model has no n-grams to do it.

    Before 4.0 gensim left out n-grams that it had not seen, and before 3.8 it had another hash: for
    such files only the vectors that are saved are given.
    """
    sizes = tuple(saved.first(name) for name in ("min_n", "max_n", "bucket"))
    if saved.first("compatible_hash") is not True or not all(type(size) is int for size in sizes):
        return None
    scheme = Scheme(*sizes)
    found = saved.matrix("vectors_ngrams")
    if found is None or not scheme.has_any or scheme.longest > LONGEST_NGRAM:
        return None
    if found[1].shape != (scheme.buckets, of_words.shape[1]):
        return None
    return SubwordVectors(words, of_words, found[1], scheme)
