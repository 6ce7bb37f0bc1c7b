"""The tokens of a language model as the words of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from embedinspect.row_words import Words

# How tokens show that they begin a word: byte-level BPE, and SentencePiece.
_SPACES = ("Ġ", "▁")
# The bytes that byte-level BPE writes as themselves; it writes the others as U+0100 and on.
_PRINTABLE = (*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100))


class TokenWords(Words):
    """The token of each row: the one whose id is the row's number.

    A token is called as the tokenizer's file has it, so `Ġking` is " king" in a byte-level
    vocabulary. Where several tokens have one id, the row can be asked for by each of them.
    """

    def __init__(
        self, ids: Mapping[str, int], rows: int, repeated: Mapping[int, str] | None = None
    ) -> None:
        """Name the rows.

        Args:
            ids: the id of each token; of several with one id, the last names the row.
            rows: how many rows there are; ids beyond them name none.
            repeated: tokens of rows whose token is that of another row, too, by row.
        """
        words: list[str | None] = [None] * rows
        self._ids = ids
        for token, id_ in ids.items():
            if id_ < rows:
                words[id_] = token
        for row, token in (repeated or {}).items():
            if row < rows:
                words[row] = token
        super().__init__(words)

    def row_of(self, word: str) -> int | None:
        """Return the row of a token, or None."""
        row = self._ids.get(word)
        return row if row is not None and row < len(self) else None

    def close_to(self, word: str, most: int = 3) -> list[str]:
        """Return tokens that may have been meant: the word as a token, or what is spelled alike."""
        forms = [word.removeprefix(" ")]
        if not word.isascii():
            forms.append(byte_level(forms[0]))
        tokens = [space + form for form in forms for space in ("", *_SPACES)]
        as_tokens = [token for token in tokens if self.row_of(token) is not None]
        return as_tokens[:most] or super().close_to(word, most)


@cache
def letters_of_bytes() -> dict[int, str]:
    """Return the character that byte-level BPE writes for each byte, as GPT-2 does."""
    others = [byte for byte in range(256) if byte not in _PRINTABLE]
    return {byte: chr(byte) for byte in _PRINTABLE} | {
        byte: chr(0x100 + number) for number, byte in enumerate(others)
    }


def byte_level(text: str) -> str:
    """Return a text as byte-level BPE writes it: a character for each byte of its UTF-8.

    >>> byte_level(" café")
    'ĠcafÃ©'
    """
    letters = letters_of_bytes()
    return "".join(letters[byte] for byte in text.encode("utf-8", "replace"))
