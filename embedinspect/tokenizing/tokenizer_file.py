"""The `tokenizer.json` of a language model, which the library `tokenizers` reads and applies.

The file is data: nothing in it is run. It comes from strangers all the same, so its size is bounded
before the library parses it, and so is what its rules may blow a text up to; whatever the library
says of it, a panic of its Rust code included, becomes one line.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

from embedinspect.errors import DataError, EmbedInspectError, os_reason
from embedinspect.tokenizing.growth import growth
from embedinspect.wording import clipped_repr, literal

NAME = "tokenizer.json"
_LARGEST_FILE = 2**26  # the largest that are in use have some 34 MB
_MOST_CHARACTERS = 2**26  # that the rules of a file may make of one text
_MUCH_LONGER = 32  # times; no Unicode form makes more than 18 characters of one
_LARGEST_ID = 2**31 - 1
_LONGEST_REASON = 200
_TEXTS_AT_ONCE = 512
_STDERR = 2

_SURROGATES = re.compile("[\ud800-\udfff]")

Side = Literal["pre", "post"]

_HOW_TO_INSTALL = (
    "texts are cut into subwords by the library tokenizers, which {}; install it: "
    'pip install "embedinspect[hub]"'
)


class Piece(NamedTuple):
    """One token of a text, as the tokenizer gives it.

    Attributes:
        id: its token id.
        start: where its part of the text begins, in characters.
        end: where that part ends.
        special: whether it was put around the text, and is no part of it.
    """

    id: int
    start: int
    end: int
    special: bool


@dataclass(frozen=True)
class StoredPadding:
    """How sequences are padded, as the file has it.

    Attributes:
        id: of the token that fills them.
        side: of the text on which it stands.
        length: to how many positions; None for the longest text.
        multiple: of what number the length is a multiple; None for any.
    """

    id: int
    side: Side
    length: int | None
    multiple: int | None


class ModelTokenizer:
    """The tokenizer in a file; texts go in, pieces come out."""

    def __init__(self, tokenizer: Any, path: str, *, special_tokens: bool = True) -> None:
        """Keep what `load` has read.

        Args:
            tokenizer: of the library.
            path: of the file.
            special_tokens: whether the model puts its special tokens around a text.
        """
        self.path, self.label = path, repr(path)
        self._tokenizer, self._special_tokens = tokenizer, special_tokens
        padding, truncation = tokenizer.padding or {}, tokenizer.truncation or {}
        self.padding = _stored_padding(padding)
        self.max_length: int | None = truncation.get("max_length")
        self.cut_side: Side = "pre" if truncation.get("direction") == "left" else "post"
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self.dropout = getattr(tokenizer.model, "dropout", None)
        if self.dropout:  # chance, which belongs to training
            tokenizer.model.dropout = None

    @property
    def kind(self) -> str:
        """The kind of its model, such as `WordPiece`, `BPE`, `Unigram` or `WordLevel`."""
        return type(self._tokenizer.model).__name__

    @cached_property
    def special_count(self) -> int:
        """How many special tokens it puts around a text."""
        if not self._special_tokens:
            return 0
        return int(self._tokenizer.num_special_tokens_to_add(False))

    @cached_property
    def ids(self) -> dict[str, int]:
        """The id of each token, added ones included."""
        ids: dict[str, int] = self._tokenizer.get_vocab(with_added_tokens=True)
        return dict(sorted(ids.items(), key=lambda item: item[1]))

    @cached_property
    def names(self) -> dict[int, str]:
        """The token of each id; where two claim an id, the added one."""
        names = {id_: token for token, id_ in reversed(self.ids.items())}
        added = self._tokenizer.get_added_tokens_decoder()
        return names | {id_: token.content for id_, token in added.items()}

    @cached_property
    def unknown(self) -> str | None:
        """The token that stands for what is in no other; None where there is none."""
        model = self._tokenizer.model
        if hasattr(model, "unk_token"):
            token: str | None = model.unk_token
            return token if token in self.ids else None
        id_ = json.loads(model.__getstate__()).get("unk_id")
        return None if id_ is None else self.names.get(id_)

    def pieces(
        self, text: str, max_length: int | None = None, cut_side: Side = "post"
    ) -> list[Piece]:
        """Return the pieces of a text, special tokens included.

        Args:
            max_length: how many there may be; the special tokens are among those that stay.
            cut_side: on which side the others are cut off.

        Raises:
            DataError: a text that the tokenizer cannot take, or at which it stops.
        """
        return next(self.pieces_of([text], max_length, cut_side))

    def pieces_of(
        self,
        texts: Iterable[str],
        max_length: int | None = None,
        cut_side: Side = "post",
    ) -> Iterator[list[Piece]]:
        """Yield the pieces of each text; otherwise as `pieces`."""
        for encoding in self._encoded(texts, max_length, cut_side):
            yield self._pieces(encoding)

    def ids_of(
        self,
        texts: Iterable[str],
        max_length: int | None = None,
        cut_side: Side = "post",
    ) -> Iterator[tuple[list[int], list[int]]]:
        """Yield the ids of each text, and for each of them whether it is special, 0 or 1.

        It is several times as fast as `pieces_of`, and otherwise the same.
        """
        for encoding in self._encoded(texts, max_length, cut_side):
            yield self._ids(encoding), encoding.special_tokens_mask

    def uncovered(self, text: str) -> list[int]:
        """Return the places of a text's characters that are in no piece; raises as `pieces`."""
        [encoding] = self._encoded([text], None, "post")
        covered = bytearray(len(text))
        for start, end in encoding.offsets:
            covered[start:end] = b"\1" * (min(end, len(text)) - start)
        return [place for place, mark in enumerate(covered) if not mark] if 0 in covered else []

    def _encoded(
        self, texts: Iterable[str], max_length: int | None, cut_side: Side
    ) -> Iterator[Any]:
        remaining = iter(texts)
        while part := list(islice(remaining, _TEXTS_AT_ONCE)):
            for text in part:
                self._check(text)
            self._cut_at(max_length, cut_side)
            yield from self._encodings(part)

    def _cut_at(self, max_length: int | None, cut_side: Side) -> None:
        if max_length is None:
            self._tokenizer.no_truncation()
        else:
            direction = "left" if cut_side == "pre" else "right"
            self._tokenizer.enable_truncation(max_length, direction=direction)

    def _encodings(self, texts: list[str]) -> list[Any]:
        """Return what the library makes of texts; where it fails, the first such text is named."""
        named = clipped_repr(texts[0]) if len(texts) == 1 else "one of the texts"
        try:
            with _one_line(f"{self.label} cannot cut {named} into tokens"):
                if len(texts) == 1:  # without the threads of a batch
                    return [
                        self._tokenizer.encode(texts[0], add_special_tokens=self._special_tokens)
                    ]
                encodings: list[Any] = self._tokenizer.encode_batch(
                    texts, add_special_tokens=self._special_tokens
                )
                return encodings
        except DataError:
            if len(texts) == 1:
                raise
        return [encoding for text in texts for encoding in self._encodings([text])]

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids, as the tokenizer joins their pieces; special tokens stay.

        Ids that stand for no token are left out.

        Raises:
            DataError: the tokenizer stops at them.
        """
        known = [id_ for id_ in ids if id_ in self.names]
        self._check("".join(self.names[id_] for id_ in known), self._longer_joined)
        with _one_line(f"{self.label} cannot join the tokens of {len(known):,} ids"):
            text: str = self._tokenizer.decode(known, skip_special_tokens=False)
        return text

    def _ids(self, encoding: Any) -> list[int]:
        """Return the ids of an encoding, each of which a row may have.

        Raises:
            DataError: an id is larger than the number of any row.
        """
        ids: list[int] = encoding.ids
        largest = max(ids, default=0)
        if largest > _LARGEST_ID:
            name = clipped_repr(self.names.get(largest, ""))
            raise DataError(
                f"{self.label} gives {name} the id {largest}; expected at most {_LARGEST_ID}; see "
                "that the file is whole"
            )
        return ids

    def _pieces(self, encoding: Any) -> list[Piece]:
        return [
            Piece(id_, start, end, bool(special))
            for id_, (start, end), special in zip(
                self._ids(encoding), encoding.offsets, encoding.special_tokens_mask, strict=True
            )
        ]

    def _check(self, text: str, times: float | None = None) -> None:
        """Refuse a text that the library cannot take, or might blow up beyond measure."""
        if not text.isascii() and _SURROGATES.search(text):
            raise DataError(
                f"the text {clipped_repr(text)} holds a lone surrogate, which {self.label} cannot "
                "take; remove it"
            )
        times = self._longer if times is None else times
        if times > _MUCH_LONGER and times * len(text) > _MOST_CHARACTERS:
            raise DataError(
                f"the rules of {self.label} may make the text {clipped_repr(text)} {times:,.0f} "
                f"times as long; expected at most {_MOST_CHARACTERS:,} characters; give a shorter "
                "text, or see where the file comes from"
            )

    @cached_property
    def _longer(self) -> float:
        """How many times as long the rules of the file may make a text before it is cut."""
        return growth(self._tokenizer.normalizer) * growth(self._tokenizer.pre_tokenizer)

    @cached_property
    def _longer_joined(self) -> float:
        """How many times as long they may make tokens that are joined."""
        return growth(self._tokenizer.decoder)


def load(path: Path, *, special_tokens: bool = True) -> ModelTokenizer:
    """Return the tokenizer in a `tokenizer.json`.

    Args:
        special_tokens: whether the model puts its special tokens around a text.

    Raises:
        DataError: the file cannot be read, is larger than any such file, or is damaged; or the
            library is missing.
    """
    label = repr(str(path))
    data = _bytes_of(path, label)
    library = _library()
    with _one_line(f"{label} is no tokenizer that tokenizers {library.__version__} can read"):
        tokenizer = library.Tokenizer.from_buffer(data)
        return ModelTokenizer(tokenizer, str(path), special_tokens=special_tokens)


def _bytes_of(path: Path, label: str) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise DataError(
            f"cannot read {label}: {os_reason(error)}; expected the tokenizer of the model"
        ) from None
    if len(data) > _LARGEST_FILE:
        raise DataError(
            f"{label} has more than {_LARGEST_FILE:,} bytes; expected a tokenizer, whose files are "
            "far smaller"
        )
    return data


def _library() -> Any:
    """Return the library, which only the tracing of texts needs.

    Raises:
        DataError: it is not installed; the message says how to get it.
    """
    try:
        import tokenizers
    except ModuleNotFoundError as error:
        missing = "is not installed" if error.name == "tokenizers" else f"misses {error.name}"
        raise DataError(_HOW_TO_INSTALL.format(missing)) from None
    except ImportError as error:
        raise DataError(
            _HOW_TO_INSTALL.format(f"cannot be imported ({literal(str(error))})")
        ) from None
    return tokenizers


@contextmanager
def _one_line(what: str) -> Iterator[None]:
    """Turn whatever the library raises into one line, and keep what it prints off the screen.

    A panic of its Rust code is no `Exception`, and prints a backtrace first.
    """
    with _muted():
        try:
            yield
        except (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError, EmbedInspectError):
            raise
        except BaseException as error:
            reason = literal(" ".join(str(error).split())) or type(error).__name__
            if len(reason) > _LONGEST_REASON:
                reason = reason[: _LONGEST_REASON - 3] + "..."
            raise DataError(
                f"{what} ({reason}); see that the file is whole and belongs to the model"
            ) from None


@contextmanager
def _muted() -> Iterator[None]:
    """Send what native code writes on stderr nowhere."""
    try:
        kept = os.dup(_STDERR)
    except OSError:  # it was closed by whoever started the process
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDERR)
    os.close(nowhere)
    try:
        yield
    finally:
        with suppress(OSError):
            os.dup2(kept, _STDERR)
        os.close(kept)


def _stored_padding(padding: dict[str, Any]) -> StoredPadding | None:
    if not padding:
        return None
    side: Side = "pre" if padding.get("direction") == "left" else "post"
    length, multiple = padding.get("length"), padding.get("pad_to_multiple_of")
    return StoredPadding(int(padding["pad_id"]), side, length, multiple or None)
