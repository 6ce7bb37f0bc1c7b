"""Which positions and rows are shown: the lines that input and output tables share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from embedinspect.lookup import Lookup
from embedinspect.tokenizing.subwords import Subword
from embedinspect.vocabulary import Token

MOST_LINES = 24  # of positions, and of matrix rows, before anything is left out
MOST_TEXTS = 4
LONG_RUN = 8  # padding runs of this length fold always,
SHORT_RUN = 3  # and of this one where the lines would be too many
FEWEST_LINES = 6


@dataclass(frozen=True)
class Line:
    """One line of the input and output tables.

    Attributes:
        kind: `position`, `padding` (a folded run), `more` (positions left out), `cut` (tokens
            that truncation cut off here), `nothing` (a text without positions), `texts` (texts
            left out) or `blank`.
        text: index of the text; of the first one left out for `texts`.
        first: position, the first of a run.
        count: how many positions, tokens or texts the line stands for.
        token: what stands at a position; None for padding.
        opens: whether it is the first line of its text.
    """

    kind: str
    text: int = 0
    first: int = 0
    count: int = 1
    token: Token | None = None
    opens: bool = False

    @property
    def at_id(self) -> bool:
        """Whether there is an id at this line's position."""
        return self.kind in {"position", "padding"}

    @property
    def label(self) -> str:
        """What a line that is no position says in place of a token."""
        noun = "text" if self.count == 1 else "texts"
        labels = {
            "more": f"{self.count} more",
            "cut": f"{self.count} cut off",
            "nothing": "no positions",
            "texts": f"{self.count} more {noun}",
        }
        return labels.get(self.kind, "")


@dataclass(frozen=True)
class RowLine:
    """One line of the matrix table: a row, or `count` rows left out from `id` on."""

    id: int
    count: int = 0


def position_lines(lookup: Lookup, full: bool) -> list[Line]:
    """Return the lines of the texts that are shown, a blank one between texts."""
    texts = list(range(len(lookup.texts)))
    if len(texts) > MOST_TEXTS and not full:
        texts = [*texts[: MOST_TEXTS - 1], texts[-1]]
    per_text = [_text_lines(lookup, text, LONG_RUN if not full else 0) for text in texts]
    if not full and _total(per_text) > MOST_LINES:
        per_text = [_text_lines(lookup, text, SHORT_RUN) for text in texts]
        room = max(FEWEST_LINES, (MOST_LINES - len(per_text) + 1) // max(1, len(per_text)))
        if _total(per_text) > MOST_LINES:
            per_text = [_elided(lines, room) for lines in per_text]
    lines: list[Line] = []
    before = -1
    for text, own in zip(texts, per_text, strict=True):
        if lines:
            lines.append(Line("blank"))
        if text > before + 1:
            lines += [Line("texts", before + 1, count=text - before - 1), Line("blank")]
        lines.extend(own)
        before = text
    return lines


def row_lines(lookup: Lookup, lines: Sequence[Line], full: bool) -> list[RowLine]:
    """Return the matrix rows to show: all, or else the reserved ones and those looked up above."""
    input_dim = lookup.matrix.input_dim
    if full or input_dim <= MOST_LINES:
        return [RowLine(id_) for id_ in range(input_dim)]
    vocabulary = lookup.vocabulary
    wanted = {vocabulary.padding_id, input_dim - 1, *vocabulary.unknown_ids[:1]} | {
        id_of(lookup, line) for line in lines if line.at_id
    }
    rows: list[RowLine] = []
    before = -1
    for id_ in sorted(id_ for id_ in wanted if id_ < input_dim):
        missing = id_ - before - 1
        if missing == 1:
            rows.append(RowLine(id_ - 1))
        elif missing:
            rows.append(RowLine(before + 1, missing))
        rows.append(RowLine(id_))
        before = id_
    return rows


def ids_of(lookup: Lookup, lines: Sequence[Line], rows: Sequence[RowLine]) -> list[int]:
    """Return the ids whose vectors are shown, each once, in order."""
    ids = {row.id for row in rows if not row.count}
    return sorted(ids | {id_of(lookup, line) for line in lines if line.at_id})


def id_of(lookup: Lookup, line: Line) -> int:
    """Return the token id at the line's position."""
    return int(lookup.sequences[line.text, line.first])


def name_of(token: Token) -> str:
    """Return a token as tables show it: a subword as its piece, what is unknown with a mark."""
    name = token.piece if isinstance(token, Subword) else token.token
    return f"? {name}" if token.status == "replaced" else name


def part_of(token: Token | None) -> str | None:
    """Return the part of the text that a subword stands for; None where it has none."""
    if not isinstance(token, Subword) or token.special:
        return None
    return token.text if token.text.strip() else f"'{token.text}'"


def span_of(token: Token | None, dash: str) -> str | None:
    """Return where that part begins and ends, in characters; of a special token that it is one."""
    if not isinstance(token, Subword):
        return None
    return "special" if token.special else f"{token.start}{dash}{token.end}"


def _total(per_text: Sequence[Sequence[Line]]) -> int:
    return sum(map(len, per_text)) + len(per_text) - 1


def _text_lines(lookup: Lookup, text: int, run: int) -> list[Line]:
    """Return the lines of one text; padding runs of `run` or more fold, none for 0."""
    traced = lookup.trace(text)
    at = {token.position: token for token in traced if token.position is not None}
    cut = [place for place, token in enumerate(traced) if token.status == "cut_off"]
    lines: list[Line] = []
    position = 0
    while position < lookup.maxlen:
        end = position
        while end < lookup.maxlen and end not in at:
            end += 1
        if run and end - position >= run:
            lines.append(Line("padding", text, position, end - position))
            position = end
            continue
        lines.append(Line("position", text, position, token=at.get(position)))
        position += 1
    if cut:
        last = max((token.position or 0 for token in traced[: cut[0]]), default=-1)
        place = sum(line.first <= last for line in lines)
        lines.insert(place, Line("cut", text, count=len(cut)))
    lines = lines or [Line("nothing", text)]
    opening = lines[0]
    lines[0] = Line(opening.kind, text, opening.first, opening.count, opening.token, opens=True)
    return lines


def _elided(lines: list[Line], room: int) -> list[Line]:
    """Leave out lines in the middle, with the count of their positions, to fit `room` lines."""
    if len(lines) <= room:
        return lines
    tail = max(1, room // 3)
    head = room - tail - 1
    hidden = lines[head : len(lines) - tail]
    count = sum(line.count for line in hidden if line.kind != "cut")
    return [*lines[:head], Line("more", lines[0].text, hidden[0].first, count), *lines[-tail:]]
