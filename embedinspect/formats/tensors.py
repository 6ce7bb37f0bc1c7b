"""The matrices of a file that holds several, and which of them is meant."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from embedinspect.errors import DataError, UsageError
from embedinspect.stored_rows import Vectors
from embedinspect.wording import clipped_repr, listed

# What a matrix is for in a language model.
Role = Literal["input embedding", "output head", "position embedding", "token type embedding"]
_MOST_LISTED = 12


@dataclass(frozen=True)
class Tensor:
    """A matrix of two dimensions in a file.

    Attributes:
        name: as the file has it.
        shape: (rows, columns).
        dtype: the type of the numbers as they are stored, by the file's own name.
        read: returns its rows; raises DataError where they are damaged.
        role: what it is for, where that is known.
    """

    name: str
    shape: tuple[int, int]
    dtype: str
    read: Callable[[], Vectors]
    role: Role | None = None

    @property
    def label(self) -> str:
        """The name and the shape, for a message."""
        return f"{clipped_repr(self.name, 120)} ({self.shape[0]:,} x {self.shape[1]:,})"


def pick(tensors: Sequence[Tensor], wanted: str | None, label: str) -> Tensor:
    """Return the matrix that is wanted; by default the input embedding, or the only one.

    Args:
        label: how messages name the file.

    Raises:
        UsageError: several could be meant, or none has that name.
        DataError: there is none.
    """
    names = listed([tensor.label for tensor in tensors], _MOST_LISTED) or "none"
    if wanted is not None:
        exact = [tensor for tensor in tensors if tensor.name == wanted]
        ending = [
            tensor for tensor in tensors if tensor.name.endswith((f".{wanted}", f"/{wanted}"))
        ]
        if exact or len(ending) == 1:
            return (exact or ending)[0]
        close = difflib.get_close_matches(wanted, [tensor.name for tensor in tensors], n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise UsageError(
            f"--tensor is {clipped_repr(wanted)}; expected a tensor of two dimensions in {label}, "
            f"by its name or a last part of it that no other has: {names}{hint}"
        )
    if not tensors:
        raise DataError(
            f"{label} holds no tensor of two dimensions; expected one, (rows, output_dim)"
        )
    inputs = [tensor for tensor in tensors if tensor.role == "input embedding"]
    if len(inputs) == 1:
        return inputs[0]
    if len(tensors) == 1:
        return tensors[0]
    likely = [tensor.label for tensor in tensors if "embed" in tensor.name.lower()]
    hint = f"; called embedding: {listed(likely, _MOST_LISTED)}" if likely else ""
    raise UsageError(
        f"{label} holds {len(tensors)} tensors of two dimensions ({names}); expected one; name it "
        f"with --tensor{hint}"
    )
