"""The subwords of a language model: a text becomes ids by the model's own tokenizer."""

from __future__ import annotations

from dataclasses import dataclass

from embedinspect.vocabulary import Vocabulary


@dataclass(frozen=True)
class SubwordVocabulary(Vocabulary):
    """The tokens of a language model, which cuts texts by rules of its own."""
