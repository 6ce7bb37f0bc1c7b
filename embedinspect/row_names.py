"""What rows are called in questions: by a word, by a number, or by how a text begins."""

from __future__ import annotations

from itertools import islice

from embedinspect.errors import UsageError
from embedinspect.row_words import Words
from embedinspect.wording import clipped_repr, plural, up_to

_MOST_NAMED = 3
_SEEN_BEFORE = 20  # characters of what texts have in common
_ELIDED = "…"  # as tables cut a text, which may be copied from there


def row_of(name: str, words: Words | None, rows: int, path: str) -> int | None:
    """Return the row that a name stands for; None for a name that stands for none.

    A word of that very spelling wins. `#5` is the row of that number, and where the matrix has no
    words, a plain number is a row, too. Where the words are whole texts, how one of them begins is
    enough, if no other begins so; plain numbers are never taken for a beginning.

    Args:
        rows: how many there are.
        path: of the source, for messages.

    Raises:
        UsageError: a row number beyond the matrix, or a beginning of several texts.
    """
    if words is not None:
        row = words.row_of(name)
        if row is not None:
            return row
    number = name.removeprefix("#")
    if not (number.isascii() and number.isdecimal()):
        return None if words is None else _row_of_beginning(name, words, path)
    if number == name and words is not None:
        return None
    row = int(number) if len(number) < 18 else rows
    if row < rows:
        return row
    raise UsageError(
        f"row {name} is not there; expected {up_to(rows - 1)}, as {path!r} has "
        f"{plural(rows, 'row')}"
    )


def _row_of_beginning(name: str, words: Words, path: str) -> int | None:
    """Return the row of the only text that begins so; None where none does."""
    beginning = name.rstrip().removesuffix(_ELIDED)
    if not beginning.strip() or not words.are_texts:
        return None
    first: dict[str, int] = {}
    for row in words.beginning_with(beginning):
        first.setdefault(words[row] or "", row)
        if len(first) > _MOST_NAMED:
            break
    if len(first) < 2:
        return next(iter(first.values()), None)
    named = ", ".join(
        f"#{row} ({clipped_repr(_from(text, len(beginning)))})"
        for text, row in islice(first.items(), _MOST_NAMED)
    )
    more = " and others" if len(first) > _MOST_NAMED else ""
    raise UsageError(
        f"several texts of {path!r} begin with {clipped_repr(beginning)}; expected more of the one "
        f"you mean, or its row: {named}{more}"
    )


def _no_text(name: str, words: Words, path: str) -> str:
    """Return the message for a name that is the beginning of no text."""
    folded = name.casefold()
    begins = (text for text in words if text is not None and text.casefold().startswith(folded))
    meant = next(begins, None)
    hint = "rows --where 'word=*PART*' lists texts by a part of them"
    if meant is not None:
        hint = f"did you mean {clipped_repr(meant)}?"
    return (
        f"no text of {path!r} begins with {clipped_repr(name)}; expected the beginning of one, or "
        f"a row such as '#5'; {hint}"
    )


def _texts_beginning(name: str, words: Words) -> list[str]:
    """Return some words of several parts that begin so: they may be meant, but are not taken."""
    if not name.strip() or (name.isascii() and name.isdecimal()):
        return []
    begins = (words[row] or "" for row in words.beginning_with(name))
    return list(islice(dict.fromkeys(text for text in begins if " " in text), _MOST_NAMED))


def _from(text: str, place: int) -> str:
    """Return a text from where it may differ from others that begin so."""
    return text if place < _SEEN_BEFORE else f"...{text[place - _SEEN_BEFORE // 2 :]}"


def no_row(name: str, words: Words | None, rows: int, path: str) -> str:
    """Return the message for a name that has no row; it says what may have been meant."""
    if words is None:
        return (
            f"{path!r} has no words, so {clipped_repr(name)} cannot be found; expected the number "
            "of a row, such as #5, or words with --words FILE"
        )
    if words.are_texts and not (name.isascii() and name.isdecimal()):
        return _no_text(name, words, path)
    close = _texts_beginning(name, words) or words.close_to(name)
    hint = f"; did you mean {', '.join(map(clipped_repr, close))}?" if close else ""
    if not close and name.isascii() and name.isdecimal() and int(name[:18]) < rows:
        hint = f"; did you mean the row '#{name}'?"
    return (
        f"{clipped_repr(name)} is not among the {plural(words.named, 'word')} of {path!r}; "
        f"expected one of them, or a row such as #5{hint}"
    )
