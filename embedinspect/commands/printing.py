"""Printing what `show` found: the lookup at once, then what Keras and a classifier say to it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embedinspect.commands.options import Format
from embedinspect.errors import DataError

if TYPE_CHECKING:
    from embedinspect.keras_layer import Proof
    from embedinspect.lookup import Lookup
    from embedinspect.training.predict import Prediction
    from embedinspect.training.run_folder import Run


@dataclass(frozen=True)
class Shown:
    """What is printed.

    Attributes:
        run: whose classifier predicts a label for each text; None for no predictions.
        backend: that Keras runs on; None for the default.
        no_keras: leave out what needs Keras.
        one_hot: show the one-hot ids and their product with the matrix too.
    """

    lookup: Lookup
    run: Run | None
    backend: str | None
    no_keras: bool
    one_hot: bool


def print_tables(shown: Shown, *, full: bool, precision: int | None) -> None:
    """Print the lookup as tables at once, then the predictions and Keras's word."""
    from rich.text import Text

    from embedinspect.output.screen import open_screen
    from embedinspect.output.show import sentences
    from embedinspect.output.show.tables import draw_tables
    from embedinspect.token_counts import count_tokens

    lookup, screen = shown.lookup, open_screen()
    screen.paragraph(sentences.FIRST_SENTENCE)
    screen.line(Text())
    for line in draw_tables(lookup, screen, full=full, precision=precision):
        screen.line(line)
    screen.line(Text())
    for line in sentences.describe(lookup, count_tokens(lookup), screen, full=full):
        screen.line(line)
    if shown.one_hot:
        from embedinspect.lookup import one_hot
        from embedinspect.output.show.one_hot import draw_one_hot

        screen.line(Text())
        for line in draw_one_hot(lookup, screen, full=full):
            screen.line(line)
        screen.line(Text())
        for line in sentences.describe_one_hot(lookup, one_hot(lookup), screen):
            screen.line(line)
    screen.line(Text())
    sys.stdout.flush()
    if shown.no_keras:
        screen.paragraph(sentences.LEFT_OUT)
        return
    proof = _prove(shown)
    if shown.run is not None:
        names = shown.run.label_names
        for line in sentences.describe_predictions(_predict(shown) or [], names, screen, full):
            screen.line(line)
        screen.line(Text())
    screen.paragraph(sentences.describe_proof(proof), "" if proof.holds else "bold red")
    _insist(proof, lookup)


def print_document(shown: Shown, form: Format) -> None:
    """Print the lookup as JSON, ndjson or csv.

    A line of ndjson or csv has no place for Keras's word: it is had after them, and only a
    difference is said.
    """
    from embedinspect.lookup import one_hot
    from embedinspect.output.show import documents
    from embedinspect.output.stdout import write_utf8
    from embedinspect.token_counts import count_tokens

    lookup = shown.lookup
    if form == "csv":
        write_utf8(documents.csv_lines(lookup))
    elif form == "ndjson":
        write_utf8(documents.ndjson_lines(lookup, _predict(shown)))
    proof = None if shown.no_keras else _prove(shown)
    if form == "json":
        product = one_hot(lookup) if shown.one_hot else None
        counts, predictions = count_tokens(lookup), _predict(shown)
        write_utf8(documents.json_document(lookup, counts, proof, product, predictions))
    if proof is not None:
        _insist(proof, lookup)


def _prove(shown: Shown) -> Proof:
    from embedinspect.keras_layer import choose_backend, prove
    from embedinspect.output.stdout import waiting

    with waiting(f"Keras on {choose_backend(shown.backend)} runs the same batch"):
        return prove(shown.lookup, shown.backend)


def _predict(shown: Shown) -> list[Prediction] | None:
    if shown.run is None or shown.no_keras:
        return None
    from embedinspect.output.stdout import waiting
    from embedinspect.training.predict import predict

    with waiting("The classifier reads the texts"):
        return predict(shown.run, shown.lookup, shown.backend)


def _insist(proof: Proof, lookup: Lookup) -> None:
    """Raise where Keras's output is not the lookup."""
    if proof.first_difference is None:
        return
    text, position = proof.first_difference
    raise DataError(
        f"Keras's output differs from the rows of the ids, first at text {text}, position "
        f"{position} (id {lookup.sequences[text, position]}); expected equal numbers, so please "
        "report this with the command that showed it"
    )
