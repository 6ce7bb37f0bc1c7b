"""Groups of options that commands share, each a frozen record.

A command that has one as a parameter has its fields as options of its own (`signature.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated

from embedinspect.commands import options as option
from embedinspect.commands.notes import note
from embedinspect.errors import DataError
from embedinspect.output.forms import ALL, Form, Target, choose_form

if TYPE_CHECKING:
    from embedinspect.lookup import Settings
    from embedinspect.source import Source, SourceOptions
    from embedinspect.training.hosts.plan import Request

_MOST_PROBLEMS = 5
# Of a field that is no option, but set by the command line itself.
NO_OPTION = {"option": False}


@dataclass(frozen=True)
class StdoutGroup:
    """How an answer is written to stdout. The choices of --format are those of the command."""

    format_name: str | None = None
    json: option.Json = False

    def choose(self, otherwise: Form = Form.TABLE) -> Target:
        """Return the form; `otherwise` where none was asked for.

        Raises:
            UsageError: --json and another --format.
        """
        return Target(choose_form(self.format_name, json=self.json, otherwise=otherwise))


@dataclass(frozen=True)
class FormGroup(StdoutGroup):
    """How an answer is written, and where.

    Attributes:
        forms: that the command can give; no option.
        inputs: texts from the command line, which may name what is read; no option.
    """

    output: option.Output = None
    forms: Sequence[Form] = field(default=ALL, metadata=NO_OPTION)
    inputs: Sequence[str] = field(default=(), metadata=NO_OPTION)

    def choose(self, otherwise: Form = Form.TABLE) -> Target:
        """Return the form and the file; `otherwise` where no form was asked for.

        Raises:
            UsageError: options that contradict, or a file that cannot be written or is an input.
        """
        stdout = super().choose(otherwise)
        if self.output is None:
            return stdout
        from embedinspect.output.files import file_target, refuse_inputs

        target = file_target(self.output, self.forms, name=self.format_name, json=self.json)
        refuse_inputs(self.output, self.inputs)
        return target


@dataclass(frozen=True)
class ReadGroup:
    """How a source is read: which of its matrices, and with which words."""

    layer: option.Layer = None
    tensor: option.Tensor = None
    vectors: option.VectorsColumn = None
    words_file: option.RowWords = None
    index_from: option.IndexFrom = None
    words_from: option.WordsFrom = None
    strict: option.Strict = False
    no_cache: option.NoCache = False

    def options(self, epoch: int | None = None) -> SourceOptions:
        """Return what a source is opened with."""
        from embedinspect.source import SourceOptions

        return SourceOptions(
            epoch=epoch,
            layer=self.layer,
            tensor=self.tensor,
            vectors=self.vectors,
            words=self.words_file,
            index_from=self.index_from,
            words_from=self.words_from,
            strict=self.strict,
            cache=not self.no_cache,
        )

    def open(self, path: str, epoch: int | None = None) -> Source:
        """Return the source at a path; what is odd about it is said on stderr."""
        return open_and_warn(path, self.options(epoch))


@dataclass(frozen=True)
class TwoGroup(ReadGroup):
    """How two sources are read: both in one way, but for what is said of one alone."""

    tensor_a: option.TensorA = None
    tensor_b: option.TensorB = None
    layer_a: option.LayerA = None
    layer_b: option.LayerB = None
    words_a: option.WordsA = None
    words_b: option.WordsB = None
    dims: option.Dims = None
    dims_a: option.DimsA = None
    dims_b: option.DimsB = None

    def open_a(self, path: str, epoch: int | None = None) -> Source:
        """Return the first source."""
        return self._open(path, epoch, self.tensor_a, self.layer_a, self.words_a)

    def open_b(self, path: str) -> Source:
        """Return the second source."""
        return self._open(path, None, self.tensor_b, self.layer_b, self.words_b)

    @property
    def of_b(self) -> str | None:
        """The first option that is about the second source alone, if any is given."""
        given = {
            "--tensor-b": self.tensor_b,
            "--layer-b": self.layer_b,
            "--words-b": self.words_b,
            "--dims-b": self.dims_b,
        }
        return next((name for name, value in given.items() if value is not None), None)

    def _open(
        self, path: str, epoch: int | None, tensor: str | None, layer: str | None, words: str | None
    ) -> Source:
        options = self.options(epoch)
        words = words or options.words
        other_has_words = words is None and bool(self.words_a or self.words_b)
        return open_and_warn(
            path,
            replace(
                options,
                tensor=tensor or options.tensor,
                layer=layer or options.layer,
                words=words,
                index_from=None if other_has_words else options.index_from,
            ),
        )


@dataclass(frozen=True)
class SourceGroup(ReadGroup):
    """The argument SOURCE, and how it is read."""

    path: option.SourcePath = ""
    epoch: option.Epoch = None

    def source(self) -> Source:
        """Return the source; what is odd about it is said on stderr."""
        return self.open(self.path, self.epoch)


@dataclass(frozen=True)
class ClassifierGroup(SourceGroup):
    """The argument SOURCE where it must be a classifier, and how it is read."""

    path: option.ClassifierPath = ""

    def source(self) -> Source:
        """Return the source; of what is none at all it is said what a classifier is read from."""
        from embedinspect.analysis.why.records import CLASSIFIERS
        from embedinspect.formats.beginning import NoMatrix

        try:
            return super().source()
        except NoMatrix as error:
            raise DataError(f"{error.what}; expected {CLASSIFIERS}") from None


@dataclass(frozen=True)
class TextsGroup:
    """Texts from arguments, files or standard input."""

    texts: option.Texts = None
    file: option.File = None
    encoding: option.Encoding = "utf-8"
    text_column: option.TextColumn = None

    @property
    def any(self) -> bool:
        """Whether texts were named, as arguments or by --file."""
        return bool(self.texts or self.file)

    def read(self, *, missing: str | None = None) -> list[str]:
        """Return the texts; of an argument that names a file it is said that it is a text.

        Args:
            missing: the message where there is no text at all, if not the usual one.
        """
        from embedinspect.commands.notes import note_files
        from embedinspect.texts import collect_texts

        texts = collect_texts(
            self.texts or [],
            self.file or [],
            self.encoding,
            missing=missing,
            read=self._read_file,
        )
        note_files(self.texts or [])
        return texts

    def _read_file(self, name: str, encoding: str) -> list[str]:
        """Return the texts of a file; of a table it is said which column was read."""
        from embedinspect.text_tables import read_text_file
        from embedinspect.wording import clipped_repr, plural

        file = read_text_file(name, encoding, self.text_column)
        if file.column is not None:
            label = "standard input" if name == "-" else name
            column = clipped_repr(file.column)
            note(f"Note: {label} is a table: {plural(len(file.texts), 'text')}, column {column}")
        return file.texts


@dataclass(frozen=True)
class TokenizingGroup:
    """How texts are cut into tokens and tokens become ids."""

    num_words: option.NumWords = None
    oov_token: option.OovToken = None
    char_level: option.CharLevel = False
    filters: option.Filters = None


@dataclass(frozen=True)
class SequencesGroup:
    """How ids become sequences of one length."""

    maxlen: option.Maxlen = None
    padding: option.Padding = None
    truncating: option.Truncating = None
    mask_zero: option.MaskZero = False


@dataclass(frozen=True)
class KerasGroup:
    """Whether Keras is asked, and on which backend."""

    no_keras: option.NoKeras = False
    backend: option.Backend = None


def settings_of(
    tokenizing: TokenizingGroup,
    sequences: SequencesGroup,
    *,
    input_dim: int | None = None,
    output_dim: int | None = None,
    seed: int | None = None,
) -> Settings:
    """Return the settings of a lookup; what was not given has its default."""
    from embedinspect.lookup import Settings
    from embedinspect.vocabulary import DEFAULT_FILTERS, Tokenization

    filters = DEFAULT_FILTERS if tokenizing.filters is None else tokenizing.filters
    return Settings(
        num_words=tokenizing.num_words,
        oov_token=tokenizing.oov_token,
        tokenization=Tokenization(filters=filters, char_level=tokenizing.char_level),
        maxlen=sequences.maxlen,
        padding=sequences.padding or "pre",
        truncating=sequences.truncating or "pre",
        mask_zero=sequences.mask_zero,
        input_dim=input_dim,
        output_dim=output_dim,
        seed=seed or 0,
    )


def open_and_warn(path: str, options: SourceOptions) -> Source:
    """Return the source at a path; what is odd about it is said on stderr."""
    from embedinspect.output.stdout import waiting
    from embedinspect.source import open_source
    from embedinspect.wording import plural

    with waiting(f"Reading {path}") as tell:
        source = open_source(path, replace(options, progress=tell))
    for warning in source.warnings:
        note(f"Warning: {warning}")
    problems = source.problems
    if problems.total:
        counts = ", ".join(f"{kind}: {count:,}" for kind, count in problems.counts.items())
        note(f"Warning: {path} has {plural(problems.total, 'problem')} ({counts}):")
        for message in problems.first[:_MOST_PROBLEMS]:
            note(f"  {message}")
        if problems.total > _MOST_PROBLEMS:
            note(f"  and {problems.total - _MOST_PROBLEMS:,} more; --strict stops at the first")
    if source.kept is not None:
        note(
            f"kept for the next time in {source.kept} (embedinspect cache shows and clears it, "
            "--no-cache leaves it out)"
        )
    return source


@dataclass(frozen=True)
class ProcessesGroup:
    """The processes that train together, and where they meet."""

    processes: Annotated[
        option.Count | None,
        option.option(
            option.PROCESSES,
            "Train by N processes, started here; with --coordinator, N on all machines. Each batch "
            "is cut into N parts, which changes the bits of the weights, unless --shards or "
            "--shard-rows says otherwise. This needs JAX; on one machine TensorFlow alone is "
            "faster.",
            metavar="N",
        ),
    ] = None
    coordinator: Annotated[
        str | None,
        option.option(
            option.PROCESSES,
            "Where process 0 waits for those of other machines; auto under Slurm or Open MPI. It "
            "asks for no password: use it in a network that you trust.",
            metavar="HOST:PORT|auto",
        ),
    ] = None
    process_id: Annotated[
        option.CountOrNone | None,
        option.option(
            option.PROCESSES,
            "Number of the process that runs here, with --coordinator; 0 writes the run.",
            metavar="N",
        ),
    ] = None

    def request(self) -> Request:
        """Return what is asked for."""
        from embedinspect.training.hosts.plan import Request

        return Request(self.processes, self.coordinator, self.process_id)
