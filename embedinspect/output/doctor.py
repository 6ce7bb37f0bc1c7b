"""`doctor`: findings, the worst first, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from embedinspect.analysis.doctor import SEVERITIES, Case, Diagnosis, Finding, Need, Severity
from embedinspect.output.document import Document, about
from embedinspect.output.screen import Screen, labelled
from embedinspect.wording import literal, plural

_STYLES = {"error": "bold red", "warning": "bold yellow", "note": "bold cyan"}
# How to give what a check would need, and needs that one of them meets.
_GIVE: tuple[tuple[str, frozenset[Need]], ...] = (
    ("--from SOURCE", frozenset({"matrix", "rows", "model", "keras", "run"})),
    ("--vocabulary FILE", frozenset({"words", "file of words", "list of words"})),
    ("texts, or --file", frozenset({"texts", "sequences"})),
    ("--maxlen", frozenset({"maxlen"})),
    ("--reference VECTORS", frozenset({"reference"})),
)


def draw(diagnosis: Diagnosis, screen: Screen) -> Iterator[Text]:
    """Yield what was looked at, the findings, and what was in order or not checked."""
    case = diagnosis.case
    for label, sentence in _looked_at(case):
        yield from labelled(label, sentence, screen)
    yield from labelled("found", _counts(diagnosis), screen)
    for number, finding in enumerate(diagnosis.findings, 1):
        yield Text()
        yield from _finding(number, finding, screen)
    yield Text()
    for label, statements in _rest(diagnosis):
        yield from labelled(label, statements, screen)


def _looked_at(case: Case) -> Iterator[tuple[str, str]]:
    source = case.source
    if source is not None:
        matrix = source.matrix
        layer = f", layer {source.tensor}" if source.keras is not None else ""
        epoch = f", epoch {source.epoch}" if source.run is not None else ""
        shape = f"({matrix.input_dim}, {matrix.output_dim})"
        yield "source", literal(f"{source.path}: {source.kind}{layer}{epoch}, shape {shape}")
    elif case.settings.input_dim is not None:
        yield "matrix", f"input_dim {case.settings.input_dim:,}"
    if source is not None and source.words is not None:
        named, given = source.words.named, len(case.pairs)
        count = f"{named:,} with a row, of {given:,}" if given > named else f"{named:,}"
        yield "words", literal(f"{count}, from {source.words_from}{_limit(case)}")
    elif case.vocabulary is not None:
        origin = "counted from these texts" if case.counted else "from --vocabulary"
        yield "words", f"{len(case.vocabulary.word_index):,}, {origin}{_limit(case)}"
    if case.texts:
        settings = case.settings
        tokens = case.tokens.total()
        maxlen = "the longest" if case.maxlen is None else f"{case.maxlen:,}"
        yield (
            "texts",
            f"{plural(len(case.texts), 'text')}, {plural(tokens, 'token')}; maxlen {maxlen}, "
            f"padding {settings.padding}, truncating {settings.truncating}, mask_zero "
            f"{case.mask_zero}",
        )


def _limit(case: Case) -> str:
    return "" if case.limit is None else f"; num_words {case.limit:,}"


def _counts(diagnosis: Diagnosis) -> str:
    if not diagnosis.findings:
        return "nothing"
    return ", ".join(
        plural(diagnosis.count(severity), severity)
        for severity in SEVERITIES
        if diagnosis.count(severity)
    )


def _finding(number: int, finding: Finding, screen: Screen) -> Iterator[Text]:
    head = f"{number}  {finding.severity}"
    for place, line in enumerate(labelled(head, literal(f"{finding.what}."), screen)):
        if not place:
            line.stylize(_STYLES[finding.severity], 0, len(head))
        yield line
    for label, sentence in (
        ("   evidence", finding.evidence),
        ("   leads to", finding.leads_to),
        ("   to mend", finding.mend),
    ):
        for line in labelled(label, literal(sentence), screen):
            line.stylize("not bold", 0, len(label))
            yield line


def _rest(diagnosis: Diagnosis) -> Iterator[tuple[str, str]]:
    if diagnosis.in_order:
        yield "in order", "; ".join(diagnosis.in_order)
    case, label = diagnosis.case, "not checked"
    for given, needs in _GIVE:
        topics = [topic for topic, need in diagnosis.not_checked if need in needs]
        if topics and _would_help(case, given):
            first = "" if case.has("words") else "--vocabulary FILE and "
            also = first if given == "--reference VECTORS" else ""
            yield label, f"{', '.join(topics)}: give {also}{given}"
            label = ""


def _would_help(case: Case, given: str) -> bool:
    """Return whether an option could still be given: a source has its own model, or none."""
    if given == "--from SOURCE":
        return case.source is None
    if given == "--vocabulary FILE":
        return not case.pairs and (case.source is None or case.source.words is None)
    return given != "--reference VECTORS" or case.source is not None


def document(diagnosis: Diagnosis, fail_on: Severity) -> Document:
    """Return the findings, for programs."""
    case = diagnosis.case
    vocabulary, settings = case.vocabulary, case.settings
    head = {
        "source": None if case.source is None else about(case.source),
        "texts": len(case.texts),
        "vocabulary": None
        if vocabulary is None
        else {"words": len(vocabulary.word_index), "counted_from_texts": case.counted},
        "settings": {
            "num_words": case.limit,
            "maxlen": case.maxlen,
            "padding": settings.padding,
            "truncating": settings.truncating,
            "mask_zero": case.mask_zero,
            "input_dim": case.rows,
        },
        "counts": {severity: diagnosis.count(severity) for severity in SEVERITIES},
        "fail_on": fail_on,
        "failed": diagnosis.at_or_above(fail_on),
        "in_order": diagnosis.in_order,
        "not_checked": [{"topic": topic, "needs": need} for topic, need in diagnosis.not_checked],
    }
    items = ({"number": n, **vars(found)} for n, found in enumerate(diagnosis.findings, 1))
    columns = ("number", "kind", "severity", "what", "evidence", "leads_to", "mend")
    return Document("doctor", head, items, "findings", columns)
