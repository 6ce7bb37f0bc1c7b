"""Pairs of words that people have rated: which columns hold words, and which the score."""

from __future__ import annotations

import re
from collections import Counter

from embedinspect.analysis.evaluate.items import Pair, Section, TestFile, name_of
from embedinspect.analysis.evaluate.lines import (
    Line,
    Misfits,
    Row,
    Table,
    body_of,
    cut,
    number_or_none,
    refuse_widths,
    sections_of,
)
from embedinspect.wording import clipped_repr

_ENOUGH = 0.8
_MOST_GROUPS, _LEAST_IN_GROUP = 12, 5
_PART_OF_SPEECH = re.compile(r".-[a-z]\Z")


def score_column(table: Table) -> int | None:
    """Return the column of the score: the first of numbers behind two of words; None without one.

    >>> from embedinspect.analysis.evaluate.lines import Line
    >>> score_column(cut([Line(1, "word1,word2,POS,score"), Line(2, "old,new,A,1.58"),
    ...                   Line(3, "smart,bright,A,9.2"), Line(4, "big,huge,A,9"),
    ...                   Line(5, "bad,ill,A,5")]))
    3
    """
    numeric = [is_numeric(table, place) for place in range(table.width)]
    words = [place for place, is_number in enumerate(numeric) if not is_number][:2]
    if len(words) < 2:
        return None
    return next((place for place in range(words[1] + 1, table.width) if numeric[place]), None)


def is_numeric(table: Table, place: int) -> bool:
    """Return whether a column holds numbers, but for a few entries and perhaps a heading."""
    rows = table.rows[1:] or table.rows
    count = sum(number_or_none(row.fields[place]) is not None for row in rows)
    return count >= _ENOUGH * len(rows)


def rated_pairs(path: str, lines: list[Line], misfits: Misfits) -> TestFile | None:
    """Return the pairs of lines; None where they have no score.

    Lines that begin with a # are comments, as for gensim. A column between words and score with
    few different entries, such as SimLex-999's part of speech, makes sections of the pairs.
    """
    lines = [line for line in lines if not line.text.startswith("#")]
    table = cut(body_of(lines))
    score = None if table is None else score_column(table)
    if table is None or score is None:
        return None
    refuse_widths(table.others, table.width, misfits)
    words = [place for place in range(score) if not is_numeric(table, place)]
    first, second = words[:2]
    header = _header(table, score)
    group = next((place for place in words[2:] if _makes_groups(table, place)), None)
    names = _names_of_lines(lines)
    tags = _tagged(table, (first, second))
    sections: dict[str, list[Pair]] = {}
    for row in table.rows:
        value = number_or_none(row.fields[score])
        if row is header:
            continue
        if value is None:
            what = f"has no number in column {score + 1}: {clipped_repr(row.fields[score], 20)}"
            misfits.add(row.number, what)
            continue
        name = names.get(row.number) or (name_of(path) if group is None else row.fields[group])
        pair = Pair(_plain(row.fields[first], tags), _plain(row.fields[second], tags), value)
        sections.setdefault(name, []).append(pair)
    label = f" ({header.fields[score]})" if header is not None else ""
    notes = [f"the score is column {score + 1} of {table.width}{label}"]
    if tags:
        notes.append("the part of speech behind each word, such as -n, is cut off")
    return TestFile(
        path,
        "pairs",
        "two words and a number on each line",
        tuple(Section(name, pairs) for name, pairs in sections.items()),
        notes=tuple(notes),
        left_out=misfits.left_out,
    )


def _header(table: Table, score: int) -> Row | None:
    first = table.rows[0]
    return first if number_or_none(first.fields[score]) is None else None


def _names_of_lines(lines: list[Line]) -> dict[int, str]:
    return {
        line.number: name for name, body in sections_of(lines) for line in body if name is not None
    }


def _makes_groups(table: Table, place: int) -> bool:
    """Return whether a column sorts the pairs into a few groups of some size."""
    counts = Counter(row.fields[place] for row in table.rows[1:])
    return 2 <= len(counts) <= _MOST_GROUPS and min(counts.values()) >= _LEAST_IN_GROUP


def _tagged(table: Table, words: tuple[int, int]) -> bool:
    """Return whether each word has a part of speech behind it, as in the lemmas of MEN."""
    return all(_PART_OF_SPEECH.search(row.fields[place]) for row in table.rows for place in words)


def _plain(word: str, tags: bool) -> str:
    return word[:-2] if tags else word
