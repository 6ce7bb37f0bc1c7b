"""What the files of a language model say about its tokens, beside the matrix and its words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from embedinspect.errors import DataError
from embedinspect.formats.tensors import Tensor

if TYPE_CHECKING:
    from embedinspect.tokenizing.subwords import SubwordVocabulary


@dataclass(frozen=True)
class ModelTokens:
    """The tokens of a language model, as its folder or file has them.

    Attributes:
        ids: the id of each token, added ones included.
        special: the ids of tokens with a task of their own, such as `[CLS]`, by their role or name.
        added: the ids of tokens that were added to the tokenizer's own.
        unused: the ids of tokens that the file itself says are not used.
        vocab_size: as the configuration of the model has it; None where it does not say.
        tied: whether the configuration says that input embedding and output head are one matrix.
        head: the output head, where the file holds one of its own.
        space: how a token shows that it begins a word, as "Ġ" or "▁"; None where it does not.
        continues: how a token shows that it goes on with a word, as "##"; None where it does not.
        vocabulary: returns by what texts become ids; None where the files do not tell.
        no_ids: why they do not tell, as the end of a sentence that begins with the path.
    """

    ids: Mapping[str, int] = field(default_factory=dict)
    special: Mapping[str, int] = field(default_factory=dict)
    added: Mapping[str, int] = field(default_factory=dict)
    unused: Mapping[str, int] = field(default_factory=dict)
    vocab_size: int | None = None
    tied: bool | None = None
    head: Tensor | None = None
    space: str | None = None
    continues: str | None = None
    vocabulary: Callable[[], SubwordVocabulary] | None = None
    no_ids: str | None = None

    def subwords(self, label: str) -> SubwordVocabulary:
        """Return the vocabulary by which the model cuts texts.

        Args:
            label: how messages name the model.

        Raises:
            DataError: its files do not tell, or the library that reads them is missing.
        """
        if self.no_ids is not None or self.vocabulary is None:
            reason = self.no_ids or "has no tokenizer that cuts texts as the model does"
            raise DataError(f"the ids of texts cannot be told: {label} {reason}")
        return self.vocabulary()
