"""`show`: the tables at once, then what Keras and a classifier say to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from embedinspect.keras_layer import Proof
from embedinspect.lookup import Lookup, one_hot
from embedinspect.output.show import sentences
from embedinspect.output.show.lines import ids_of, position_lines, row_lines
from embedinspect.output.show.one_hot import one_hot_page
from embedinspect.page import Facts, Page, Paragraph, Trace
from embedinspect.pictures import Heat
from embedinspect.plots.scales import heat_of
from embedinspect.token_counts import count_tokens
from embedinspect.training.predict import Prediction


@dataclass(frozen=True)
class Witnesses:
    """Who is asked about a lookup, each when it is needed; None for those who are not.

    Attributes:
        prove: has the real Keras layer run the same batch.
        predict: has a run's classifier read the texts.
        label_names: what the probabilities 0 and 1 of that classifier stand for.
    """

    prove: Callable[[], Proof] | None = None
    predict: Callable[[], Sequence[Prediction]] | None = None
    label_names: tuple[str, str] = ("", "")


def show_page(
    lookup: Lookup,
    witnesses: Witnesses,
    *,
    one_hot_too: bool = False,
    full: bool = False,
    precision: int | None = None,
    heat: bool | None = None,
) -> Page:
    """Yield the linked tables, the facts about them, and Keras's word at last.

    Args:
        one_hot_too: also the one-hot ids and their product with the matrix.
        full: leave nothing out.
        precision: decimals of every number; None for three significant digits.
        heat: draw the vectors (True), or write their numbers (False); None to draw what does not
            fit.
    """
    yield Paragraph(sentences.FIRST_SENTENCE)
    yield Trace(lookup, full, precision, _heat(lookup, heat, full=full))
    yield Facts(list(sentences.lookup_facts(lookup, count_tokens(lookup), full=full)))
    if one_hot_too:
        yield from one_hot_page(lookup, one_hot(lookup), full=full)
    if witnesses.prove is None:
        yield Paragraph(sentences.LEFT_OUT, "aside")
        return
    proof = witnesses.prove()
    if witnesses.predict is not None:
        predictions = witnesses.predict()
        yield Facts(sentences.prediction_facts(predictions, witnesses.label_names, full=full))
    yield Paragraph(sentences.proof_sentence(proof), "confirmed" if proof.holds else "wrong")


def _heat(lookup: Lookup, wanted: bool | None, *, full: bool) -> Heat | None:
    """Return how the vectors that are shown may be drawn, all on one scale."""
    lines = position_lines(lookup, full)
    ids = ids_of(lookup, lines, row_lines(lookup, lines, full))
    return heat_of(lookup.matrix.rows[ids], wanted)
