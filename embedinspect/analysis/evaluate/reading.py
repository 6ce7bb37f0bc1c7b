"""A file becomes a test: its kind is told by what is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from embedinspect.analysis.evaluate.items import (
    Analogy,
    Kind,
    Member,
    OddOneOut,
    Section,
    TestFile,
    name_of,
)
from embedinspect.analysis.evaluate.lines import (
    Line,
    Misfits,
    Row,
    Table,
    body_of,
    cut,
    refuse_widths,
    sections_of,
)
from embedinspect.analysis.evaluate.rated_pairs import is_numeric, rated_pairs, score_column
from embedinspect.analysis.evaluate.word_sets import read_sets
from embedinspect.errors import DataError
from embedinspect.texts import decode, read_bytes, read_decoded
from embedinspect.wording import clipped_repr, plural

EXPECTED = (
    "analogies (four words a line, or two under a heading), pairs (two words and a score), "
    "odd-one-out (words | the odd one), categories (a word and its category), or association tests "
    "(JSON)"
)
_MOST_BYTES = 2**26
_MOST_QUESTIONS = 2_000_000
_FEWEST_OF_A_CATEGORY = 2
_NAMES_OF_WORDS = frozenset({"word", "words", "term", "token", "text", "texts", "name", "item"})
_NAMES_OF_CATEGORIES = frozenset(
    {"category", "categories", "class", "label", "labels", "group", "cluster", "topic", "type"}
)


def read_test(
    path: str, kind: Kind | None = None, *, encoding: str = "utf-8", strict: bool = False
) -> TestFile:
    """Return the test in a file, or in standard input for `-`.

    The forms are those of the published tests:

    - analogies: `a b c d` under headings `: name`, as in questions-words.txt (Mikolov et al. 2013),
      or `a b` pairs of one relation, as in BATS (Gladkova et al. 2016), where `b` may have
      alternatives after slashes: every ordered couple of two pairs is a question then;
    - pairs: two words and a score, further columns and a header or not (WordSim-353, SimLex-999,
      MEN, RareWords);
    - odd-one-out: `words | odd words`, or the words of a topic, an empty line, and the odd ones
      (8-8-8 of Camacho-Collados and Navigli 2016): each odd word is asked for on its own;
    - categories: a word and its category, or words under a heading, or a JSON object of lists;
    - association: JSON, see `word_sets.py`.

    Args:
        kind: what the user says it is; by default it is told by the content.
        strict: whether a line that does not fit is an error, rather than left out and counted.

    Raises:
        DataError: the file cannot be read, or is of no kind; the message names a line.
    """
    contents, label = _contents(path, encoding)
    misfits = Misfits(label, strict)
    if contents.lstrip()[:1] in {"{", "["}:
        return read_sets(path, label, contents, kind)
    lines = [Line(number, text.strip()) for number, text in enumerate(contents.split("\n"), 1)]
    lines = [line for line in lines if not line.text.startswith(("# ", "#\t")) or line.text == "#"]
    if not body_of(lines):
        raise DataError(f"{label} has no line of words; expected {EXPECTED}")
    return _read_lines(path, label, lines, kind, misfits)


def _contents(path: str, encoding: str) -> tuple[str, str]:
    if path == "-":
        return read_decoded(path, encoding, expected=EXPECTED)
    data = read_bytes(path, "a file of a test", _MOST_BYTES)
    if not data:
        raise DataError(f"{path!r} is empty; expected {EXPECTED}")
    return decode(data, encoding, repr(path)), repr(path)


def _read_lines(
    path: str, label: str, lines: list[Line], kind: Kind | None, misfits: Misfits
) -> TestFile:
    """Return the test of a text; each reader says whether the lines could be of its kind."""
    readers: dict[Kind, Callable[[str, list[Line], Misfits], TestFile | None]] = {
        "odd-one-out": _odd,
        "pairs": rated_pairs,
        "analogies": _analogies,
        "categories": _categories,
    }
    if kind == "association":
        raise DataError(f"{label} is no JSON; expected word sets of an association test in JSON")
    if kind is not None:
        test = readers[kind](path, lines, misfits)
        if test is None:
            raise DataError(f"{label} {_no_kind(lines)}; expected {kind}: {_form_of(kind)}")
        return test
    taken, perhaps = _told(lines)
    test = None if taken is None else readers[taken](path, lines, misfits)
    if taken is None or test is None:
        raise DataError(f"{label} {_no_kind(lines)}; expected {EXPECTED}")
    if perhaps is None:
        return test
    return TestFile(**{**vars(test), "perhaps": perhaps})


def _form_of(kind: Kind) -> str:
    forms = EXPECTED.replace("or association", "association").split("), ")
    return next((form for form in forms if form.startswith(kind)), kind).split(" (")[-1].rstrip(")")


def _no_kind(lines: list[Line]) -> str:
    first = body_of(lines)[0]
    return f"is no test of a known form: line {first.number} is {clipped_repr(first.text)}"


def _told(lines: list[Line]) -> tuple[Kind | None, Kind | None]:
    """Return the kind of lines, and another that they could be of; None for none."""
    body = body_of(lines)
    if sum("|" in line.text for line in body) > len(body) / 2 or _blocks(lines) is not None:
        return "odd-one-out", None
    table = cut(body)
    if table is None:
        return ("categories", None) if _has_headings(lines) else (None, None)
    if score_column(table) is not None:
        return "pairs", None
    if any(is_numeric(table, place) for place in range(table.width)):
        return None, None
    if table.width == 4:
        return "analogies", None
    if table.width == 2:
        if _repeats(table.rows):
            return "categories", "analogies"
        return "analogies", "categories" if _has_headings(lines) else None
    return ("categories", None) if _has_headings(lines) else (None, None)


def _has_headings(lines: list[Line]) -> bool:
    return any(line.text.startswith(":") for line in lines)


def _repeats(rows: Sequence[Row]) -> bool:
    """Return whether the words of one column are few, and stand with several others each."""
    if any("/" in row.fields[1] for row in rows):
        return False
    for place in (0, 1):
        counts = Counter(row.fields[place] for row in rows)
        repeated = sum(count for count in counts.values() if count >= _FEWEST_OF_A_CATEGORY)
        if repeated > len(rows) / 2 and len(counts) <= max(1, len(rows) / 2):
            return True
    return False


# -- analogies ------------------------------------------------------------------------------------


def _analogies(path: str, lines: list[Line], misfits: Misfits) -> TestFile | None:
    """Return four words a line as they are, two words a line in all their couples."""
    table = cut(body_of(lines))
    if table is None or table.width not in {2, 4}:
        return None
    refuse_widths(table.others, table.width, misfits)
    fields = {row.number: row.fields for row in table.rows}
    sections = []
    for name, body in sections_of(lines):
        rows = [fields[line.number] for line in body if line.number in fields]
        name = name or name_of(path)
        if table.width == 4:
            items = [Analogy(row[0], row[1], row[2], (row[3],)) for row in rows]
        else:
            items = _couples([(row[0], _alternatives(row[1])) for row in rows])
        sections.append(Section(name, items))
        if sum(len(section.items) for section in sections) > _MOST_QUESTIONS:
            raise DataError(
                f"{misfits.label} gives more than {_MOST_QUESTIONS:,} questions; expected fewer; "
                "cut it into files"
            )
    if table.width == 4:
        reason = "four words on each line"
        notes: tuple[str, ...] = ()
    else:
        reason = "two words on each line, and no score"
        notes = ("each pair of a section is asked with each other pair of it, in both orders",)
    return TestFile(path, "analogies", reason, tuple(sections), None, notes, misfits.left_out)


def _alternatives(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("/") if part.strip()) or (text,)


def _couples(pairs: Sequence[tuple[str, tuple[str, ...]]]) -> list[Analogy]:
    """Return a question for every ordered couple of two pairs.

    Where a pair has several answers, its vector is that of the first, and none of them may be
    predicted for another pair, as in the evaluation of BATS by Vecto.
    """
    if len(pairs) ** 2 > _MOST_QUESTIONS:
        raise DataError(
            f"a section of {plural(len(pairs), 'pair')} gives {len(pairs) * (len(pairs) - 1):,} "
            f"questions; expected at most {_MOST_QUESTIONS:,}; cut it into sections"
        )
    return [
        Analogy(a, answers_of_a[0], c, answers, answers_of_a[1:])
        for first, (a, answers_of_a) in enumerate(pairs)
        for second, (c, answers) in enumerate(pairs)
        if first != second
    ]


# -- odd one out ----------------------------------------------------------------------------------


def _odd(path: str, lines: list[Line], misfits: Misfits) -> TestFile | None:
    """Return the groups of lines with a bar, or of topics in two blocks."""
    blocks = _blocks(lines)
    sections: list[Section] = []
    if blocks is not None:
        for name, words, odd in blocks:
            items = [OddOneOut(tuple(words), word) for word in odd]
            sections.append(Section(name or name_of(path), items))
        reason = "words, an empty line, and odd words"
        return TestFile(path, "odd-one-out", reason, tuple(sections), left_out=misfits.left_out)
    if not any("|" in line.text for line in body_of(lines)):
        return None
    for name, body in sections_of(lines):
        groups: list[OddOneOut] = []
        for line in body:
            groups += _groups(line, misfits)
        sections.append(Section(name or name_of(path), groups))
    reason = "words, a bar, and the odd one on each line"
    return TestFile(path, "odd-one-out", reason, tuple(sections), left_out=misfits.left_out)


def _groups(line: Line, misfits: Misfits) -> list[OddOneOut]:
    words, bar, odd = line.text.partition("|")
    members, outsiders = _words_in(words), _words_in(odd)
    if not bar or len(members) < 2 or not outsiders:
        misfits.add(line.number, f"is {clipped_repr(line.text)}; expected two words or more | odd")
        return []
    return [OddOneOut(members, word) for word in outsiders]


def _words_in(text: str) -> tuple[str, ...]:
    """Return the words of a text, cut at tabs or commas where it has any, else at spaces."""
    for delimiter in ("\t", ","):
        if delimiter in text.strip():
            return tuple(part.strip() for part in text.split(delimiter) if part.strip())
    return tuple(text.split())


def _blocks(lines: list[Line]) -> list[tuple[str | None, list[str], list[str]]] | None:
    """Return name, words and odd words of each section; None where they are not in two blocks.

    A block is lines of one word each without an empty one between them; a word may have spaces.
    """
    sections: list[tuple[str | None, list[list[str]]]] = [(None, [])]
    fresh = True
    for line in lines:
        if line.text.startswith(":"):
            sections.append((line.text.lstrip(":").strip(), []))
            fresh = True
        elif not line.text:
            fresh = True
        else:
            if any(sign in line.text for sign in "\t,;|"):
                return None
            if fresh:
                sections[-1][1].append([])
            sections[-1][1][-1].append(line.text)
            fresh = False
    filled = [(name, blocks) for name, blocks in sections if blocks]
    if not filled or any(len(blocks) != 2 or len(blocks[0]) < 2 for _, blocks in filled):
        return None
    words = [word for _, blocks in filled for block in blocks for word in block]
    if sum(" " in word for word in words) > len(words) / 2:  # lines of several words
        return None
    return [(name, blocks[0], blocks[1]) for name, blocks in filled]


# -- categories -----------------------------------------------------------------------------------


def _categories(path: str, lines: list[Line], misfits: Misfits) -> TestFile | None:
    """Return words with their categories: two columns, or words under headings."""
    table = cut(body_of(lines))
    notes: tuple[str, ...] = ()
    if _has_headings(lines):
        members = [
            Member(word, name)
            for name, body in sections_of(lines)
            for line in body
            for word in _words_in(line.text)
            if name is not None
        ]
        reason = "words under headings"
    elif table is not None and table.width == 2:
        refuse_widths(table.others, 2, misfits)
        table, header = _without_header(table)
        notes = (header,) if header else ()
        members = _members(table)
        reason = "a word and its category on each line"
    else:
        return None
    if len({member.category for member in members}) < 2:
        return None
    sections = (Section(name_of(path), members),)
    return TestFile(path, "categories", reason, sections, None, notes, misfits.left_out)


def _without_header(table: Table) -> tuple[Table, str]:
    """Return the table without its header, and a sentence on that; "" where it has none.

    A header is a first line of two names that columns of words and of categories go by.
    """
    first = [field.lower() for field in table.rows[0].fields]
    if not any(word in _NAMES_OF_WORDS and name in _NAMES_OF_CATEGORIES
               for word, name in (first, first[::-1])):  # fmt: skip
        return table, ""
    named = " and ".join(clipped_repr(field) for field in table.rows[0].fields)
    return replace(table, rows=table.rows[1:]), f"the first line is a header: {named}"


def _members(table: Table) -> list[Member]:
    """Return the members of two columns; the category is the column with fewer different words."""
    firsts, seconds = (len({row.fields[place] for row in table.rows}) for place in (0, 1))
    word, category = (1, 0) if firsts < seconds else (0, 1)
    return [Member(row.fields[word], row.fields[category]) for row in table.rows]
