"""The vocabulary of a saved Keras Tokenizer, read without Keras."""

from __future__ import annotations

import json
from typing import Any

from embedinspect.errors import DataError, UsageError
from embedinspect.texts import decode, read_bytes
from embedinspect.vocabulary import DEFAULT_FILTERS, Tokenization, Vocabulary

_EXPECTED = "expected what Keras's Tokenizer.to_json or --save-vocabulary writes"
_LARGEST_ID = 2**31 - 2
_LARGEST_COUNT = 2**63 - 1
LARGEST_FILE = 2**28  # bytes; ten million words take about that


def read_vocabulary(path: str, expected: str = "a saved vocabulary") -> Vocabulary:
    """Return the vocabulary in a file that `Tokenizer.to_json` or --save-vocabulary wrote.

    Args:
        expected: what kind of file it should be, for errors.

    Raises:
        DataError: the file cannot be read, or holds no such vocabulary.
    """
    path_label = repr(path)
    data = read_bytes(path, expected, LARGEST_FILE)
    return from_json(decode(data, "utf-8", path_label), path_label)


def from_json(text: str, path_label: str = "vocabulary") -> Vocabulary:
    """Return the vocabulary of a saved Keras Tokenizer (`Tokenizer.to_json`).

    Raises:
        DataError: not JSON, not such a tokenizer, or a word index that is no mapping to ids.
    """
    try:
        saved = json.loads(text)
        refuse_language_model(saved, path_label)
        return _from_config(saved["config"])
    except json.JSONDecodeError as error:
        problem = f"is not JSON (line {error.lineno})"
    except KeyError as error:
        problem = f"has no {error.args[0]}"
    except (
        TypeError, AttributeError, ValueError, OverflowError, RecursionError, UsageError
    ) as error:  # fmt: skip
        problem = f"is not a saved tokenizer ({error})"
    raise DataError(f"{path_label} {problem}; {_EXPECTED}")


def refuse_language_model(contents: object, path_label: str) -> None:
    """Refuse the `tokenizer.json` of a language model, whose words have no place in such a file.

    Raises:
        DataError: it says what to name instead.
    """
    if isinstance(contents, dict) and isinstance(contents.get("model"), dict):
        raise DataError(
            f"{path_label} is the tokenizer of a language model; name the model's folder as the "
            "source, which has its matrix, too"
        )


def rules_from_json(text: str, path_label: str) -> Vocabulary:
    """Return a saved tokenizer without its words: their ids may be wrong, the rest may not.

    Raises:
        DataError: as `from_json` raises it.
    """
    config = json.loads(text)["config"]
    empty: dict[str, dict[str, int]] = {"word_index": {}, "word_counts": {}, "word_docs": {}}
    return from_json(json.dumps({"config": {**config, **empty}}), path_label)


def _from_config(config: Any) -> Vocabulary:
    """Return the vocabulary; whatever error a wrong config raises says what is wrong with it."""
    word_index = _whole_numbers("word_index", config["word_index"])
    if any(id_ < 1 for id_ in word_index.values()):
        raise TypeError("word_index has an id below 1")
    if any(id_ > _LARGEST_ID for id_ in word_index.values()):
        raise TypeError("word_index has an id beyond int32")
    num_words, oov_token = config.get("num_words"), config.get("oov_token")
    if not (num_words is None or (type(num_words) is int and num_words >= 0)):
        raise TypeError("num_words is no whole number")
    if not (oov_token is None or isinstance(oov_token, str)):
        raise TypeError("oov_token is no string")
    filters, split = config.get("filters", DEFAULT_FILTERS), config.get("split", " ")
    if not isinstance(filters, str) or not isinstance(split, str):
        raise TypeError("filters or split is no string")
    return Vocabulary(
        word_index=word_index,
        word_counts=_whole_numbers("word_counts", config.get("word_counts", {})),
        word_docs=_whole_numbers("word_docs", config.get("word_docs", {})),
        document_count=_count(config.get("document_count", 0)),
        num_words=num_words or None,
        oov_token=oov_token,
        tokenization=Tokenization(
            filters=filters,
            lower=bool(config.get("lower", True)),
            split=split,
            char_level=bool(config.get("char_level", False)),
        ),
    )


def _whole_numbers(name: str, table: Any) -> dict[str, int]:
    """Return a table of words and numbers, which Keras writes as a JSON text of its own."""
    numbers: dict[str, int] = json.loads(table) if isinstance(table, str) else table
    if not all(type(number) is int for number in numbers.values()):
        raise TypeError(f"{name} has a value that is no whole number")
    if not all(0 <= number <= _LARGEST_COUNT for number in numbers.values()):
        raise TypeError(f"{name} has a number that no tokenizer writes")
    return numbers


def _count(number: object) -> int:
    if type(number) is not int or not 0 <= number <= _LARGEST_COUNT:
        raise TypeError("document_count is no count of texts")
    return number
