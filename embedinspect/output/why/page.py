"""The page of `why`: a table and its checks for each text, then how to read the columns."""

from __future__ import annotations

from embedinspect.analysis.why.records import Explanation, SortName
from embedinspect.output.why.sentences import about, checks, glossary
from embedinspect.output.why.table import reading, shown
from embedinspect.page import Facts, Page, Reading


def page(explanation: Explanation, sort: SortName | None = None, *, full: bool = False) -> Page:
    """Yield each text as a table of its tokens with what checks it, then how to read the columns.

    Args:
        sort: by which reading the tokens that matter most come first; None for reading order.
        full: show all tokens; otherwise, of a long text, those that matter most.
    """
    tables = []
    for number, why in enumerate(explanation.whys):
        part = reading(explanation, number, sort, full=full)
        tables.append(part.table if isinstance(part, Reading) else part)
        yield part
        left_out = len(why.read) - len(shown(explanation, why, sort, full=full))
        yield Facts(list(checks(explanation, why, sort, left_out)))
    yield glossary(explanation, tables)
    yield Facts(list(about(explanation)))
