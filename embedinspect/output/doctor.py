"""`doctor`: findings, the worst first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from embedinspect.analysis.doctor import SEVERITIES, Case, Diagnosis, Finding, Need, Severity
from embedinspect.output.document import Document, about_source
from embedinspect.page import Fact, Facts, Meaning, Page, Problem
from embedinspect.wording import plural

_MEANINGS: dict[Severity, Meaning] = {"error": "wrong", "warning": "doubtful", "note": "notable"}
_NOT_SAID = "the file does not say"
# What would make a check possible, and the needs that this would meet.
_WOULD_MAKE_POSSIBLE: tuple[tuple[str, frozenset[Need]], ...] = (
    (
        "give SOURCE",
        frozenset(
            {"matrix", "rows", "layers", "known layers", "config", "Keras version", "mask", "run"}
        ),
    ),
    (_NOT_SAID, frozenset({"layers", "config", "Keras version", "mask"})),
    ("not known what its layers do", frozenset({"known layers"})),
    (
        "give --vocabulary FILE",
        frozenset({"words", "ids", "vocabulary", "file of words", "list of words"}),
    ),
    ("give texts, or --file", frozenset({"texts"})),
    ("give --maxlen", frozenset({"maxlen"})),
    ("give --padding", frozenset({"padding"})),
    ("give --reference VECTORS", frozenset({"reference"})),
)


def page(diagnosis: Diagnosis) -> Page:
    """Yield what was looked at, the findings, and what was in order or not checked."""
    worst = next((s for s in SEVERITIES if diagnosis.count(s)), None)
    meaning: Meaning = "confirmed" if worst is None else _MEANINGS[worst]
    yield Facts([*_looked_at(diagnosis.case), Fact("found", _counts(diagnosis), meaning)])
    for number, finding in enumerate(diagnosis.findings, 1):
        yield _problem(number, finding)
    yield Facts(list(_rest(diagnosis)))


def _looked_at(case: Case) -> Iterator[Fact]:
    source = case.source
    if source is not None:
        matrix = source.matrix
        layer = f", layer {source.tensor}" if source.keras is not None else ""
        epoch = f", epoch {source.epoch}" if source.run is not None else ""
        shape = f"({matrix.input_dim}, {matrix.output_dim})"
        yield Fact("source", f"{source.path}: {source.kind}{layer}{epoch}, shape {shape}")
    elif case.settings.input_dim is not None:
        yield Fact("matrix", f"input_dim {case.settings.input_dim:,}")
    if source is not None and source.words is not None:
        named, known = source.words.named, len(case.pairs)
        count = f"{named:,} with a row, of {known:,}" if known > named else f"{named:,}"
        yield Fact("words", f"{count}, from {source.words_from}{_limit(case)}")
    elif case.vocabulary is not None:
        origin = "counted from these texts" if case.counted else "from --vocabulary"
        yield Fact("words", f"{len(case.vocabulary.word_index):,}, {origin}{_limit(case)}")
    if case.texts:
        yield Fact("texts", "; ".join(_of_texts(case)))


def _of_texts(case: Case) -> Iterator[str]:
    settings, count = case.settings, plural(len(case.texts), "text")
    if case.vocabulary is None:
        yield f"{count}, whose ids are not known"
    else:
        yield f"{count}, {plural(case.tokens.total(), 'token')}"
    maxlen = "the longest" if case.maxlen is None else f"{case.maxlen:,}"
    padding = settings.padding if case.has("padding") else "not known"
    yield (
        f"maxlen {maxlen}, padding {padding}, truncating {settings.truncating}, mask_zero "
        f"{case.mask_zero}"
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


def _problem(number: int, finding: Finding) -> Problem:
    return Problem(
        number,
        finding.severity,
        _MEANINGS[finding.severity],
        f"{finding.what}.",
        [
            Fact("evidence", finding.evidence),
            Fact("leads to", finding.leads_to),
            *([] if finding.mend is None else [Fact("to mend", finding.mend)]),
        ],
    )


def _rest(diagnosis: Diagnosis) -> Iterator[Fact]:
    if diagnosis.in_order:
        yield Fact("in order", "; ".join(diagnosis.in_order), "confirmed")
    case, label = diagnosis.case, "not checked"
    for remedy, needs in _WOULD_MAKE_POSSIBLE:
        topics = [
            topic for topic, need in diagnosis.not_checked if _first_lacking(case, need) in needs
        ]
        if topics and _applies(case, remedy):
            yield Fact(label, f"{', '.join(topics)}: {_in_full(case, remedy)}", "aside")
            label = ""


def _first_lacking(case: Case, need: Need) -> Need:
    """Return what is lacking first: the side of the padding is of no use without the layers."""
    return "layers" if need == "padding" and not case.has("layers") else need


def _in_full(case: Case, remedy: str) -> str:
    if remedy == "give --reference VECTORS" and not case.has("words"):
        return "give --vocabulary FILE and --reference VECTORS"
    return remedy


def _applies(case: Case, remedy: str) -> bool:
    """Return whether this could still be given, or is what a Keras file lacks.

    A source has its own model, or none.
    """
    source = case.source
    if remedy == "give SOURCE":
        return source is None
    if remedy == _NOT_SAID:
        return source is not None and source.keras is not None
    if remedy == "give --vocabulary FILE":
        return not case.pairs and (source is None or source.words is None)
    return remedy != "give --reference VECTORS" or source is not None


def document(diagnosis: Diagnosis, fail_on: Severity) -> Document:
    """Return the findings."""
    case = diagnosis.case
    vocabulary, settings = case.vocabulary, case.settings
    head = {
        "source": None if case.source is None else about_source(case.source),
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
    findings = (
        {"number": number, **_values(finding)}
        for number, finding in enumerate(diagnosis.findings, 1)
    )
    columns = ("number", "kind", "severity", "what", "evidence", "leads_to", "mend")
    return Document("doctor", head, {"findings": findings}, lines="findings", columns=columns)


def _values(finding: Finding) -> dict[str, Any]:
    """Return all of a finding but its rows, of which `numbers` has the first hundred."""
    return {name: value for name, value in vars(finding).items() if name != "rows"}
