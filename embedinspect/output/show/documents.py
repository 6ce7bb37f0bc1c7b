"""`show` for programs: one JSON document, ndjson by text, csv by position.

All three are written text by text: the output tensor is never held whole.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from embedinspect import __version__
from embedinspect.keras_layer import Proof
from embedinspect.lookup import Lookup, OneHot
from embedinspect.matrix import FloatArray
from embedinspect.output.jsontext import SCHEMA_VERSION, RowText, cached_rows, dumps
from embedinspect.token_counts import TokenCounts
from embedinspect.training.predict import Prediction

NOT_FINITE = "NaN and infinity, which JSON does not have, are null"


def json_document(
    lookup: Lookup,
    counts: TokenCounts,
    proof: Proof | None,
    one_hot: OneHot | None,
    predictions: Sequence[Prediction] | None = None,
) -> Iterator[str]:
    """Yield the parts of the document; its schema is `embedinspect schema show`.

    Each text and each row of the matrix stands on a line of its own.
    """
    row_text = cached_rows(lookup.matrix.rows)
    head = {
        "schema_version": SCHEMA_VERSION,
        "command": "show",
        "version": __version__,
        "settings": _settings(lookup),
        "word_index": lookup.vocabulary.word_index,
        "word_counts": lookup.vocabulary.word_counts,
        "output_shape": lookup.output_shape,
        "parameters": lookup.matrix.parameters,
        "tokens": {"total": counts.total, **counts.by_status},
        "filtered_characters": counts.filtered_characters,
        "empty_texts": lookup.empty_texts,
        "padding_positions": lookup.padding_positions,
        "not_finite": lookup.matrix.not_finite,
        "one_hot": _one_hot(one_hot),
        "keras": _proof(proof),
    }
    yield "{\n"
    for key, value in head.items():
        yield f"  {dumps(key)}: {dumps(value)},\n"
    yield '  "texts": ['
    for text in range(len(lookup.texts)):
        yield ("," if text else "") + "\n    " + _text(lookup, text, row_text, predictions)
    yield '\n  ],\n  "weights": ['
    for id_ in range(lookup.matrix.input_dim):
        yield ("," if id_ else "") + "\n    " + _weight(lookup, id_, row_text)
    yield "\n  ]\n}\n"


def ndjson_lines(lookup: Lookup, predictions: Sequence[Prediction] | None = None) -> Iterator[str]:
    """Yield one line for each text: the elements of `texts` in the JSON document."""
    row_text = cached_rows(lookup.matrix.rows)
    for text in range(len(lookup.texts)):
        yield _text(lookup, text, row_text, predictions) + "\n"


def csv_lines(lookup: Lookup) -> Iterator[str]:
    """Yield a header and one row for each position of each text.

    Padding has an empty token; without `mask_zero` the mask is empty.
    """
    dimensions = [f"dim_{number}" for number in range(lookup.matrix.output_dim)]
    row_text = cached_rows(lookup.matrix.rows, _csv_numbers)
    header = ["text", "position", "token", "id", "mask"]
    yield ",".join([*header, *dimensions]) + "\n"
    for text in range(len(lookup.texts)):
        tokens = {token.position: token.token for token in lookup.trace(text)}
        mask = lookup.mask(text)
        part = io.StringIO()
        writer = csv.writer(part, lineterminator="")
        for position, id_ in enumerate(lookup.sequences[text].tolist()):
            masked = "" if mask is None else str(mask[position]).lower()
            writer.writerow([text, position, tokens.get(position, ""), id_, masked])
            part.write("," + row_text(id_) + "\n")
        yield part.getvalue()


def _csv_numbers(row: FloatArray) -> str:
    return ",".join(map(str, row))


def _text(
    lookup: Lookup, text: int, row_text: RowText, predictions: Sequence[Prediction] | None
) -> str:
    sequence = lookup.sequences[text].tolist()
    output = lookup.matrix.not_finite and not _finite(lookup, text)
    head = {
        "text": lookup.texts[text],
        "tokens": [vars(token) for token in lookup.trace(text)],
        "filtered_characters": lookup.filtered_characters(text),
        "sequence": sequence,
        "mask": lookup.mask(text),
        "prediction": None if predictions is None else vars(predictions[text]),
        "note": NOT_FINITE if output else None,
    }
    rows = ", ".join(map(row_text, sequence))
    return f'{dumps(head)[:-1]}, "output": [{rows}]}}'


def _finite(lookup: Lookup, text: int) -> bool:
    import numpy as np

    return bool(np.isfinite(lookup.output(text)).all())


def _weight(lookup: Lookup, id_: int, row_text: RowText) -> str:
    vector = row_text(id_)
    head = {
        "id": id_,
        "token": lookup.words.get(id_),
        "uses": int(lookup.uses[id_]),
        "note": NOT_FINITE if "null" in vector else None,
    }
    return f'{dumps(head)[:-1]}, "vector": {vector}}}'


def _settings(lookup: Lookup) -> dict[str, object]:
    settings, vocabulary = lookup.settings, lookup.vocabulary
    return {
        "tokenizer": vocabulary.name,
        "num_words": vocabulary.num_words,
        "oov_token": vocabulary.oov_token,
        "char_level": vocabulary.tokenization.char_level,
        "filters": vocabulary.tokenization.filters,
        "lower": vocabulary.tokenization.lower,
        "split": vocabulary.tokenization.split,
        "maxlen": lookup.maxlen,
        "padding": settings.padding,
        "truncating": settings.truncating,
        "mask_zero": settings.mask_zero,
        "input_dim": lookup.matrix.input_dim,
        "output_dim": lookup.matrix.output_dim,
        "matrix": lookup.matrix.origin,
    }


def _one_hot(one_hot: OneHot | None) -> dict[str, object] | None:
    if one_hot is None:
        return None
    largest = one_hot.largest_difference
    return {
        "shape": one_hot.shape,
        "largest_difference": None if largest != largest or largest == float("inf") else largest,
        "equal": one_hot.equal,
    }


def _proof(proof: Proof | None) -> dict[str, object] | None:
    if proof is None:
        return None
    return {
        "version": proof.version,
        "backend": proof.backend,
        "output_shape": proof.output_shape,
        "vectors_equal": proof.vectors_equal,
        "vectors_total": proof.vectors_total,
        "mask_equal": proof.mask_equal,
    }
