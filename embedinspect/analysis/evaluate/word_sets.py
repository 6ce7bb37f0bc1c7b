"""Sets of words in JSON: association tests, or categories."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from embedinspect.analysis.evaluate.items import (
    Association,
    Kind,
    Member,
    Section,
    TestFile,
    name_of,
)
from embedinspect.errors import DataError
from embedinspect.wording import clipped_repr, listed

# What the four sets of a test are called: targets, then attributes.
_NAMES = (
    ("X", "Y", "A", "B"),
    ("targ1", "targ2", "attr1", "attr2"),
    ("target_1", "target_2", "attribute_1", "attribute_2"),
)
EXPECTED = (
    'an association test, {"X": [words], "Y": [words], "A": [words], "B": [words]} or a mapping of '
    'names to such tests, or categories, {"name": [words]}'
)


def read_sets(path: str, label: str, contents: str, kind: Kind | None) -> TestFile:
    """Return the association tests, or the categories, of a JSON text.

    A test has four sets: `X`, `Y`, `A` and `B` as in Caliskan et al. 2017, `targ1`, `targ2`,
    `attr1`, `attr2` as in the files of May et al. 2019 (each a list, or an object with `category`
    and `examples`), or `target_sets` and `attribute_sets` as in a query of WEFE. Any other object
    of lists is one of categories.

    Raises:
        DataError: it is neither.
    """
    try:
        value = json.loads(contents)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        where = "" if line is None else f", line {line}"
        reason = getattr(error, "msg", "nested too deep")
        raise DataError(f"{label} is no JSON{where}: {reason}; expected {EXPECTED}") from None
    if kind in {None, "association"}:
        tests = _tests(value, path, label)
        if tests:
            sections = tuple(Section(name, [test]) for name, test in tests)
            reason = "two sets of targets and two of attributes, in JSON"
            return TestFile(path, "association", reason, sections)
    if kind in {None, "categories"} and isinstance(value, dict) and len(value) > 1:
        members = [
            Member(word, str(name))
            for name, words in value.items()
            for word in _words(words, str(name), label)
        ]
        sections = (Section(name_of(path), members),)
        return TestFile(path, "categories", "an object of lists, in JSON", sections)
    raise DataError(f"{label} holds JSON, but no {kind or 'sets of words'}; expected {EXPECTED}")


def _tests(value: Any, path: str, label: str) -> list[tuple[str, Association]]:
    """Return the association tests of a value by their names: one, a list, or a mapping of them."""
    one = _test(value, name_of(path), label)
    if one is not None:
        return [one]
    if isinstance(value, dict):
        named = [(str(name), entry) for name, entry in value.items()]
    elif isinstance(value, list):
        named = [(f"{name_of(path)} {number}", entry) for number, entry in enumerate(value, 1)]
    else:
        return []
    tests = [_test(entry, name, label) for name, entry in named]
    if not any(tests):
        return []
    for (name, _), test in zip(named, tests, strict=True):
        if test is None:
            raise DataError(
                f"{label} has no four sets under {clipped_repr(name)}; expected {EXPECTED}"
            )
    return [test for test in tests if test is not None]


def _test(value: Any, name: str, label: str) -> tuple[str, Association] | None:
    """Return a test and its name; None where the value is none."""
    if not isinstance(value, Mapping):
        return None
    if {"target_sets", "attribute_sets"} <= value.keys():
        targets, attributes = value["target_sets"], value["attribute_sets"]
        if not all(isinstance(sets, list) and len(sets) == 2 for sets in (targets, attributes)):
            raise DataError(
                f"{label} has other than two target_sets and two attribute_sets under "
                f"{clipped_repr(name)}; expected two of each"
            )
        sets = [*targets, *attributes]
        names = [
            *_given_names(value, "target_sets_names", ("X", "Y")),
            *_given_names(value, "attribute_sets_names", ("A", "B")),
        ]
    else:
        keys = next((keys for keys in _NAMES if set(keys) <= value.keys()), None)
        if keys is None:
            return None
        sets = [value[key] for key in keys]
        names = [_category(entry, key) for entry, key in zip(sets, keys, strict=True)]
    x, y, a, b = (_words(entry, key, label) for entry, key in zip(sets, names, strict=True))
    return name, Association((x, y), (a, b), (names[0], names[1], names[2], names[3]))


def _given_names(value: Mapping[str, Any], key: str, otherwise: tuple[str, str]) -> list[str]:
    names = value.get(key)
    return list(map(str, names)) if isinstance(names, list) and len(names) == 2 else [*otherwise]


def _category(entry: Any, key: str) -> str:
    return str(entry.get("category", key)) if isinstance(entry, dict) else key


def _words(entry: Any, name: str, label: str) -> tuple[str, ...]:
    """Return the words of a set, each once: a word counts once in it, as in WEFE."""
    words = entry.get("examples") if isinstance(entry, dict) else entry
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        what = listed([type(word).__name__ for word in words], 3) if isinstance(words, list) else ""
        came = f"a list of {what}" if what else type(words).__name__
        raise DataError(f"{label} has {came} under {clipped_repr(name)}; expected a list of words")
    return tuple(dict.fromkeys(word.strip() for word in words if word.strip()))
