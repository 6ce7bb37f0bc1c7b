"""`show` for programs: texts and rows, one at a time, so that the output tensor is never whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from embedinspect.keras_layer import Proof
from embedinspect.lookup import Lookup, OneHot
from embedinspect.output.document import (
    NOT_FINITE,
    Document,
    RowText,
    Written,
    WrittenVector,
    cached_rows,
)
from embedinspect.stored_rows import FloatArray
from embedinspect.token_counts import TokenCounts
from embedinspect.tokenizing.subwords import Subword, SubwordVocabulary
from embedinspect.training.predict import Prediction
from embedinspect.vocabulary import Token


def show_document(
    lookup: Lookup,
    counts: TokenCounts,
    *,
    proof: Proof | None = None,
    product: OneHot | None = None,
    predict: Callable[[], Sequence[Prediction]] | None = None,
) -> Document:
    """Return a lookup as a document; its schema is `embedinspect schema show`.

    Args:
        proof: Keras's word on it.
        product: of the one-hot ids and the matrix.
        predict: has a classifier read the texts; asked once its predictions are needed.
    """
    row_text = cached_rows(lookup.matrix.rows)
    head = {
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
        "one_hot": None if product is None else vars(product),
        "keras": _proof(proof),
    }
    parts = ("start", "end") if isinstance(lookup.vocabulary, SubwordVocabulary) else ()
    return Document(
        "show",
        head,
        {"texts": _texts(lookup, row_text, predict), "weights": _weights(lookup, row_text)},
        lines="texts",
        columns=("text", "position", "token", "id", *parts, "mask", "vector"),
        rows=_positions(lookup),
    )


def _texts(
    lookup: Lookup, row_text: RowText, predict: Callable[[], Sequence[Prediction]] | None
) -> Iterator[dict[str, Any]]:
    predictions = None if predict is None else predict()
    for text in range(len(lookup.texts)):
        sequence = lookup.sequences[text].tolist()
        odd = lookup.matrix.not_finite and not np.isfinite(lookup.output(text)).all()
        yield {
            "text": lookup.texts[text],
            "tokens": [_token(token) for token in lookup.trace(text)],
            "filtered_characters": lookup.filtered_characters(text),
            "sequence": sequence,
            "mask": lookup.mask(text),
            "prediction": None if predictions is None else vars(predictions[text]),
            "note": NOT_FINITE if odd else None,
            "output": Written("[" + ", ".join(map(row_text, sequence)) + "]"),
        }


def _token(token: Token) -> dict[str, Any]:
    names = ("token", "id", "rank", "position", "status", "reason")
    subword = ("piece", "start", "end", "text", "special") if isinstance(token, Subword) else ()
    return {name: getattr(token, name) for name in (*names, *subword)}


def _weights(lookup: Lookup, row_text: RowText) -> Iterator[dict[str, Any]]:
    for id_ in _rows_told(lookup):
        vector = row_text(id_)
        yield {
            "id": id_,
            "token": lookup.words.get(id_),
            "uses": int(lookup.uses[id_]),
            "note": NOT_FINITE if "null" in vector else None,
            "vector": Written(vector),
        }


def _rows_told(lookup: Lookup) -> Iterable[int]:
    """Return which rows are told: all, but of a language model's large table those looked up."""
    if isinstance(lookup.vocabulary, SubwordVocabulary):
        return [int(id_) for id_ in np.flatnonzero(lookup.uses)]
    return range(lookup.matrix.input_dim)


def _positions(lookup: Lookup) -> Iterator[dict[str, Any]]:
    """Yield each position of each text: padding has no token, and without `mask_zero` no mask."""
    width = lookup.matrix.output_dim
    row_text = cached_rows(lookup.matrix.rows, _comma_separated)
    for text in range(len(lookup.texts)):
        tokens = {token.position: token for token in lookup.trace(text)}
        mask = lookup.mask(text)
        for position, id_ in enumerate(lookup.sequences[text].tolist()):
            token = tokens.get(position)
            yield {
                "text": text,
                "position": position,
                "token": token.token if token is not None else "",
                "id": id_,
                "start": token.start if isinstance(token, Subword) else None,
                "end": token.end if isinstance(token, Subword) else None,
                "mask": None if mask is None else mask[position],
                "vector": WrittenVector(row_text(id_), width),
            }


def _comma_separated(row: FloatArray) -> str:
    return ",".join(map(str, row))


def _settings(lookup: Lookup) -> dict[str, object]:
    settings, vocabulary = lookup.settings, lookup.vocabulary
    subwords = isinstance(vocabulary, SubwordVocabulary)
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
        **({"padding_id": vocabulary.padding_id} if subwords else {}),
    }


def _proof(proof: Proof | None) -> dict[str, object] | None:
    if proof is None:
        return None
    about = {name: value for name, value in vars(proof).items() if name != "first_difference"}
    return about if proof.rows is not None else {k: v for k, v in about.items() if k != "rows"}
