"""`report`: one page with all that the other commands have to say of a source."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from embedinspect.analysis.report import Report
from embedinspect.output import diff, doctor, history, info, neighbors, train, why
from embedinspect.output import map as map_output
from embedinspect.output.document import Document, Written, json_parts
from embedinspect.page import (
    Fact,
    Facts,
    Headline,
    KeyFigure,
    KeyFigures,
    Meaning,
    Page,
    Part,
    Section,
    Trace,
)
from embedinspect.pictures import Heat
from embedinspect.plots.scales import heat_scale
from embedinspect.training.run_folder import Run
from embedinspect.wording import plural

MOST_MOVED = 10


def page(report: Report) -> Page:
    """Yield the key figures, then a section for each question that has an answer."""
    source, run = report.source, report.source.run
    yield Headline(f"{source.path}: {source.kind}", _about_run(run) if run is not None else "")
    yield KeyFigures(list(_key_figures(report)))
    if run is not None:
        yield Section("The model")
        yield train.classifier(run.settings)
        if run.history:
            yield Section("How training went")
            yield history.epochs(run)
            yield from history.curves(run)
    yield from _texts(report)
    if report.row_map is not None:
        yield Section("Where the rows lie")
        yield from map_output.page(report.row_map)
    if report.difference is not None:
        yield Section("What training moved")
        yield from diff.moved(report.difference, MOST_MOVED)
    if report.neighborhood is not None:
        yield Section("What is nearest")
        yield from neighbors.page(report.neighborhood)
    yield Section("The matrix")
    yield from info.about(source, report.tokens)
    yield from info.examined(source, report.health, report.by_rank)
    yield Section("What doctor says")
    yield from doctor.page(report.diagnosis)
    if report.left_out:
        yield Section("Left out")
        yield Facts([Fact(name, reason, "doubtful") for name, reason in report.left_out])


def _about_run(run: Run) -> str:
    return (
        f"{run.data['name']}: Embedding, LSTM and Dense, {plural(run.epochs, 'epoch')} of "
        f"{run.settings.epochs} ({run.status})."
    )


def _key_figures(report: Report) -> Iterator[KeyFigure]:
    source, health = report.source, report.health
    matrix, run = source.matrix, source.run
    if run is not None:
        yield from _of_run(report, run)
    else:
        shape = f"{matrix.input_dim:,} × {matrix.output_dim:,}"
        yield KeyFigure("rows × dimensions", shape, f"{matrix.parameters:,} numbers")
        words = source.words
        if words is None:
            yield KeyFigure("words", "none known", "--words names them")
        else:
            yield KeyFigure("words", f"{words.named:,}", f"from {source.words_from}")
        if health.participation_ratio is not None:
            yield KeyFigure(
                "participation ratio",
                f"{health.participation_ratio:.1f}",
                f"of {plural(health.most_directions, 'direction')}, if they varied evenly",
            )
    yield _of_doctor(report)


def _of_run(report: Report, run: Run) -> Iterator[KeyFigure]:
    if run.test is not None:
        reviews = f"on {run.test['reviews']:,} reviews"
        beside = f"; {train.STRONGER.split(',')[0]}" if _is_imdb(run) else ""
        yield KeyFigure("test accuracy", f"{run.test['accuracy']:.1%}", reviews + beside)
    elif run.history:
        accuracy = run.history[-1]["accuracy"]
        yield KeyFigure("training accuracy", f"{accuracy:.1%}", "nothing was tested")
    yield from _overfitting(run)
    total = sum(layer.parameters for layer in run.settings.parameters())
    share = report.source.matrix.parameters / total
    yield KeyFigure("parameters", f"{total:,}", f"{share:.0%} of them in the embedding")
    unmoved = report.health.unmoved_rows
    if unmoved is not None:
        names = ", ".join(report.source.name_of(row) for row in unmoved[:3].tolist())
        more = "…" if len(unmoved) > 3 else ""
        yield KeyFigure("rows that never moved", f"{len(unmoved):,}", names + more)


def _overfitting(run: Run) -> Iterator[KeyFigure]:
    """Yield since when the classifier overfits, where it does."""
    if history.overfits(run) and run.best_epoch is not None:
        best, last = (run.history[n - 1]["validation_loss"] for n in (run.best_epoch, run.epochs))
        yield KeyFigure(
            "overfitting",
            f"since epoch {run.best_epoch}",
            f"validation loss {best:.3f} then, {last:.3f} now",
            "doubtful",
        )


def _is_imdb(run: Run) -> bool:
    return bool(run.data["source"]["kind"] == "imdb")


def _of_doctor(report: Report) -> KeyFigure:
    counts = {name: report.diagnosis.count(name) for name in ("error", "warning", "note")}
    told = [plural(count, name) for name, count in counts.items() if count]
    value = told[0] if told else "nothing found"
    meaning: Meaning = "plain"
    if counts["error"]:
        meaning = "wrong"
    elif counts["warning"]:
        meaning = "doubtful"
    remark = ", ".join(told[1:]) or ("no error, no warning" if meaning == "plain" else "")
    return KeyFigure("doctor", value, remark, meaning)


def _texts(report: Report) -> Iterator[Part]:
    """Yield how the classifier reads the texts, and the rows that they fetch."""
    if report.explanation is not None:
        yield Section("How the classifier reads")
        yield from why.page(report.explanation)
    lookup = report.lookup
    if lookup is not None:
        yield Section("The rows that the texts fetch")
        rows = lookup.matrix.rows[np.unique(lookup.sequences)]
        yield Trace(lookup, heat=Heat(heat_scale(rows)))


def document(report: Report) -> Document:
    """Return the documents of all commands that the page is made of; null for those left out."""
    source = report.source
    parts = {
        "info": info.document(source, report.health, report.tokens, report.by_rank),
        "doctor": doctor.document(report.diagnosis, "error"),
        "map": None if report.row_map is None else map_output.document(report.row_map),
        "diff": None if report.difference is None else diff.document(report.difference, MOST_MOVED),
        "neighbors": None
        if report.neighborhood is None
        else neighbors.document(report.neighborhood),
        "why": None if report.explanation is None else why.document(report.explanation),
    }
    head: dict[str, Any] = {name: _written(part) for name, part in parts.items()}
    head["left_out"] = [{"part": name, "reason": reason} for name, reason in report.left_out]
    return Document("report", head)


def _written(document: Document | None) -> Written | None:
    """Return a document as JSON on one line."""
    if document is None:
        return None
    whole: Iterable[str] = json_parts(document)
    return Written(json.dumps(json.loads("".join(whole))))
