"""A report: what every question has to say of one source, for one page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from embedinspect.analysis.axis import split_words
from embedinspect.analysis.diff import Difference, compare
from embedinspect.analysis.doctor import Diagnosis, diagnose
from embedinspect.analysis.doctor.opening import make_case
from embedinspect.analysis.health import Health, examine
from embedinspect.analysis.language_model import TokenHealth, examine_tokens
from embedinspect.analysis.map import MapOptions, RowMap, lay_out
from embedinspect.analysis.neighbors import Neighborhood, ask_each
from embedinspect.analysis.ranks import LengthsByRank, lengths_by_rank
from embedinspect.analysis.tracing import trace_by_source
from embedinspect.analysis.why import Explanation, explain_answer
from embedinspect.errors import DataError, UsageError
from embedinspect.lookup import Lookup, Settings
from embedinspect.source import Source, SourceOptions, open_source

NEAREST = 10
_NEIGHBORS_COMPARED = 10
Told = TypeVar("Told")


@dataclass(frozen=True)
class Report:
    """The record that `report` prints.

    Attributes:
        source: the source that it is about.
        health: what its matrix is like.
        tokens: what is said of a language model's tokens; None where there are none.
        by_rank: lengths of the rows by rank; None where they do not stand by rank.
        diagnosis: what `doctor` says of it.
        row_map: its rows in two dimensions; None where they cannot be drawn.
        difference: what moved in training; None where the source is no run after training.
        neighborhood: what is nearest to the chosen words; None where none was chosen.
        lookup: the texts through vocabulary, sequences and matrix; None where there are none.
        explanation: how the classifier reads the texts; None where there is none to ask.
        left_out: what could not be told, and why: pairs of a name and a sentence.
    """

    source: Source
    health: Health
    tokens: TokenHealth | None
    by_rank: LengthsByRank | None
    diagnosis: Diagnosis
    row_map: RowMap | None
    difference: Difference | None
    neighborhood: Neighborhood | None
    lookup: Lookup | None
    explanation: Explanation | None
    left_out: tuple[tuple[str, str], ...]


def report_on(
    source: Source,
    texts: Sequence[str] = (),
    words: Sequence[str] = (),
    *,
    ask_classifier: bool = True,
    backend: str | None = None,
) -> Report:
    """Return what every question has to say of a source.

    Args:
        texts: sentences that are traced, and read by the classifier of a run or a Keras model.
        words: that are marked in the map, and whose neighbors are told.
        ask_classifier: import Keras, and ask the classifier how it reads the texts.
        backend: that Keras runs on.

    Raises:
        UsageError: a word has no row.
        DataError: the source is damaged.
    """
    words = split_words(source, words)
    source.rows_of(words)  # a word that is misspelled is an error, whatever else can be told
    left_out: list[tuple[str, str]] = []

    def told(name: str, ask: Callable[[], Told]) -> Told | None:
        try:
            return ask()
        except (DataError, UsageError) as error:
            left_out.append((name, str(error)))
            return None

    case = told("texts in doctor", lambda: make_case(Settings(), texts, source=source))
    if case is None:  # the texts cannot be traced, but the rest can be told
        case = make_case(Settings(), source=source)
    trained = source.run is not None and source.epoch not in {0, None}
    neighborhood = ask_each(source, words, top=NEAREST, metric="cosine") if words else None
    explains = bool(texts) and ask_classifier and (source.run is not None or _is_model(source))
    return Report(
        source=source,
        health=examine(source),
        tokens=examine_tokens(source),
        by_rank=lengths_by_rank(source),
        diagnosis=diagnose(case),
        row_map=told(
            "map",
            lambda: lay_out(source, _map_options(source, words, ask_classifier, backend)),
        ),
        difference=told("what moved", lambda: _moved(source)) if trained else None,
        neighborhood=neighborhood,
        lookup=told("texts", lambda: _traced(source, texts)) if texts else None,
        explanation=told("classifier", lambda: explain_answer(source, texts, backend=backend))
        if explains
        else None,
        left_out=tuple(left_out),
    )


def _is_model(source: Source) -> bool:
    return source.keras is not None


def _map_options(
    source: Source, words: Sequence[str], ask_classifier: bool, backend: str | None
) -> MapOptions:
    """Return the options of the map: of a run after training also the rows before it.

    Where the classifier of a run can be asked, the colors are what it makes of each word.
    """
    run = source.run
    if run is None or not source.epoch:
        return MapOptions(words=words)
    asked = ask_classifier and source.epoch == run.epochs
    return MapOptions(
        words=words, before=0, color_by="classifier" if asked else None, backend=backend
    )


def _moved(source: Source) -> Difference:
    drawn = open_source(source.path, SourceOptions(epoch=0))
    return compare(drawn, source, neighbors=_NEIGHBORS_COMPARED)


def _traced(source: Source, texts: Sequence[str]) -> Lookup:
    return trace_by_source(texts, source, Settings()).lookup
