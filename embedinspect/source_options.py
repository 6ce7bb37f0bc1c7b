"""What a user may say about a source."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from embedinspect.errors import UsageError
from embedinspect.formats.contents import Progress


@dataclass(frozen=True)
class SourceOptions:
    """What a user may say about a source.

    Attributes:
        epoch: after which epoch of a run, 0 for before training; by default the last.
        layer: which layer of a Keras file.
        tensor: which array of a file with several arrays.
        vectors: which column of a table holds the vectors.
        words: the column of a table that holds the words of the rows, or the path of a file.
        index_from: the row of the first of these words; None where it was not given.
        words_from: the lookup layer of a Keras file whose words the rows have.
        strict: whether the first wrong line is an error.
        cache: whether large texts are read from the cache, and kept there.
        progress: what a reader that takes long tells how far it is.
    """

    epoch: int | None = None
    layer: str | None = None
    tensor: str | None = None
    vectors: str | None = None
    words: str | None = None
    index_from: int | None = None
    strict: bool = False
    cache: bool = True
    words_from: str | None = None
    progress: Progress | None = None

    @property
    def named(self) -> tuple[tuple[str, str | int | None], ...]:
        """The options that say which matrix and which words, with their values."""
        return (
            ("--layer", self.layer),
            ("--tensor", self.tensor),
            ("--vectors", self.vectors),
            ("--words", self.words),
            ("--index-from", self.index_from),
            ("--words-from", self.words_from),
        )

    def typed(self) -> list[str]:
        """Return the options as they are typed, so that another command reads the same rows.

        >>> SourceOptions(epoch=0, words="names.txt").typed()
        ['--words', 'names.txt', '--epoch', '0']
        """
        values = (*self.named, ("--epoch", self.epoch))
        return [part for name, value in values if value is not None for part in (name, str(value))]

    def refuse_beside_run(self, path: str) -> None:
        """Refuse what a run folder sets itself.

        Raises:
            UsageError: names the first such option.
        """
        for name, value in self.named:
            if value is not None:
                raise UsageError(f"{name} is set by the run folder {path!r}; leave it out")

    def refuse_words_from(self, path: str, *, keras: bool) -> None:
        """Refuse the name of a lookup layer where it cannot be one, or where words are named, too.

        Args:
            keras: whether the source is a Keras model.

        Raises:
            UsageError: it is given all the same.
        """
        if not keras:
            raise UsageError(
                f"--words-from names a lookup layer of a Keras model, and {path!r} is none; "
                "leave it out, or name a file of words with --words"
            )
        if self.words is not None:
            raise UsageError(
                "--words-from and --words both name the words; leave out one of the two"
            )


def where_words_are(path: str) -> str:
    """Return what to name where a file has no words: its folder, if that is a language model's."""
    if (Path(path).parent / "tokenizer.json").is_file():
        return "its folder, which has a tokenizer"
    return "a file of them with --words FILE"
