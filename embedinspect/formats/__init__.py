"""Files that hold an embedding matrix: a module for each format, a row for each in the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from embedinspect import samples
from embedinspect.errors import DataError, UsageError, os_reason
from embedinspect.formats import cache, magic, table_parts
from embedinspect.formats.beginning import NoMatrix, Start, first_bytes, unreadable
from embedinspect.formats.checkpoint_paths import named_index
from embedinspect.formats.contents import Contents, ReadOptions
from embedinspect.formats.strangers import stranger_like
from embedinspect.matrix import EmbeddingMatrix, norms_of


@dataclass(frozen=True)
class Format:
    """A kind of file or folder, recognised by what is in it and never by its name.

    Attributes:
        name: of the format.
        recognises: returns whether a file is of this format.
        read: returns what is in a file.
        picks: the option that picks one of several matrices, where a file can have several.
        folders: whether a folder can be of this format, too.
        cached: whether the contents of a large file are worth keeping in the cache.
        unpacks: whether a file that is packed as a whole is read, too.
        sure: whether a file that is recognised can be of no other kind, though it begins like a
            stranger: what is wrong in it is said then.
        words_beside: returns the file of words that belongs to a file of this format, if there is
            one, from the file's path and the name of the matrix in it.
    """

    name: str
    recognises: Callable[[Start], bool]
    read: Callable[[Path, ReadOptions], Contents]
    picks: str | None = None
    folders: bool = False
    cached: bool = False
    unpacks: bool = False
    sure: bool = False
    words_beside: Callable[[Path, str | None], Path | None] | None = None


def _begins(*prefixes: bytes) -> Callable[[Start], bool]:
    """Return a function that recognises files by their first bytes alone."""
    return lambda start: start.data.startswith(prefixes)


def _when(module: str, *prefixes: bytes, function: str = "recognises") -> Callable[[Start], bool]:
    """Return a function that asks a module of this package, where the first bytes fit.

    The module is imported only then, as it may need heavy libraries.
    """

    def recognises(start: Start) -> bool:
        if prefixes and not start.data.startswith(prefixes):
            return False
        return bool(getattr(import_module(f"{__name__}.{module}"), function)(start))

    return recognises


def _by(module: str, function: str = "read") -> Callable[[Path, ReadOptions], Contents]:
    """Return a function that reads with a module of this package, imported only then."""

    def read(path: Path, options: ReadOptions) -> Contents:
        contents: Contents = getattr(import_module(f"{__name__}.{module}"), function)(path, options)
        return contents

    return read


def _beside(module: str, function: str) -> Callable[[Path, str | None], Path | None]:
    """Return a function that asks a module of this package for the file of words."""

    def find(path: Path, tensor: str | None) -> Path | None:
        found: Path | None = getattr(import_module(f"{__name__}.{module}"), function)(path, tensor)
        return found

    return find


_OWN_WORDS = _beside("vocabulary_file", "find_beside")

# The first that recognises a file counts, so what is more special stands first.
FORMATS = (
    Format("npy", _begins(magic.NPY), _by("arrays", "open_npy"), words_beside=_OWN_WORDS),
    Format("keras", _when("keras_files", magic.ZIP), _by("keras_files"), "layer"),
    Format(
        "torch",
        _when("torch_file", magic.ZIP),
        _by("torch_file"),
        "tensor",
        words_beside=_OWN_WORDS,
    ),
    Format(
        "zip of texts",
        _when("zipped_text", magic.ZIP),
        _by("zipped_text"),
        "tensor",
        cached=True,
    ),
    Format("npz", _begins(magic.ZIP), _by("npz_file"), "tensor", words_beside=_OWN_WORDS),
    Format("hdf5", _begins(magic.HDF5), _by("keras_files"), "layer"),
    Format("keras shards", _when("keras_shards", b"{"), _by("keras_files"), "layer", sure=True),
    Format(
        "safetensors",
        _when("safetensors_file"),
        _by("safetensors_file"),
        "tensor",
        words_beside=_OWN_WORDS,
    ),
    Format(
        "model folder",
        _when("model_folder"),
        _by("model_folder"),
        "tensor",
        folders=True,
        sure=True,
    ),
    Format("sqlite", _begins(magic.SQLITE), _by("sqlite_file"), "vectors"),
    Format("FAISS", _when("faiss_file", b"I"), _by("faiss_file")),
    Format(
        "parquet", _when("parquet_file", magic.PARQUET), _by("parquet_file"), "vectors", cached=True
    ),
    Format("arrow", _when("arrow_file", *magic.ARROW), _by("arrow_file"), "vectors"),
    Format("onnx", _when("onnx_file", magic.ONNX), _by("onnx_file"), "tensor"),
    Format("tflite", _when("tflite_file"), _by("tflite_file"), "tensor"),
    Format("gguf", _when("gguf_file", magic.GGUF), _by("gguf_file"), "tensor"),
    Format(
        "tensorflow checkpoint",
        _when("checkpoint_paths"),
        _by("checkpoint_file"),
        "tensor",
        folders=True,
    ),
    Format("gensim", _when("gensim_file", b"\x80"), _by("gensim_file"), "tensor"),
    Format("fastText", _when("fasttext_file"), _by("fasttext_file")),
    Format(
        "word2vec binary",
        _when("word2vec_binary"),
        _by("word2vec_binary"),
        cached=True,
        unpacks=True,
    ),
    Format("json", _when("json_rows"), _by("json_rows"), "vectors", unpacks=True),
    Format("table", _when("number_table"), _by("number_table"), "vectors"),
    Format("word vectors", _when("text_layout"), _by("word_vectors"), cached=True, unpacks=True),
    Format(
        "projector",
        _when("projector"),
        _by("projector"),
        "tensor",
        folders=True,
        words_beside=_beside("projector", "labels_in_config"),
    ),
    Format(
        "numbers",
        _when("number_text"),
        _by("number_text"),
        words_beside=_beside("projector", "metadata_beside"),
    ),
)


def open_file(path: str, options: ReadOptions | None = None) -> Contents:
    """Return what is in a file: a matrix of at least one row and one column, float32.

    Raises:
        UsageError: an option that does not fit the format.
        DataError: the file cannot be read, is of no known format, or holds no matrix of numbers.
    """
    with samples.located(path) as place:
        return _open(place, options or ReadOptions())


def _open(path: str, options: ReadOptions) -> Contents:
    path = named_index(path)
    start = first_bytes(path)
    worth_keeping = options.cache and start.size >= cache.WORTH
    picked = options.layer or options.tensor or options.vectors
    if worth_keeping and not picked:
        cached = cache.recall(Path(path), strict=options.strict)
        # What --words names may be a column of the table.
        if cached is not None and (cached.tensor is None or options.words is None):
            return cached
    file_format = _recognise(start, path)
    _refuse_options(options, file_format, path)
    try:
        before = cache.stamp(Path(path)) if worth_keeping else {}
        contents = file_format.read(Path(path), options)
        if file_format.words_beside is not None and contents.words is None:
            beside = file_format.words_beside(Path(path), contents.tensor)
            contents = replace(contents, words_beside=beside)
        column_is_named = options.words is not None and contents.words_column == options.words
        if not file_format.cached or not worth_keeping or picked or column_is_named:
            return contents
        contents = replace(contents, norms=norms_of(contents.rows))
        if cache.stamp(Path(path)) != before:
            warning = f"{path} was changed while it was read, so its rows may be old ones and new"
            return replace(contents, warnings=(*contents.warnings, warning))
        return replace(contents, kept=cache.keep(Path(path), contents, before))
    except DataError as error:
        raise (None if file_format.sure else _as_stranger(start, path)) or error from None
    except OSError as error:
        raise unreadable(path, os_reason(error)) from None
    except MemoryError:
        raise DataError(
            f"{path!r} needs more memory than there is; expected a matrix that fits; save fewer "
            "rows, or float32 rather than float64"
        ) from None


def _refuse_options(options: ReadOptions, file_format: Format, path: str) -> None:
    for name, value, files in (
        ("layer", options.layer, "a Keras file"),
        ("tensor", options.tensor, "a file of several arrays"),
        ("vectors", options.vectors, "a table of columns"),
    ):
        if value is not None and file_format.picks != name:
            picks = file_format.picks
            raise UsageError(
                f"--{name} picks a matrix of {files}, but {path!r} is in the format "
                f"{file_format.name}; " + (f"expected --{picks}" if picks else "leave it out")
            )


def open_matrix(path: str) -> EmbeddingMatrix:
    """Return the matrix in a file, without its words; raises what `open_file` raises."""
    return EmbeddingMatrix(open_file(path).rows, f"from {path}")


def _recognise(start: Start, path: str) -> Format:
    for file_format in FORMATS:
        if start.is_folder and not file_format.folders:
            continue
        if file_format.recognises(start):
            if start.packed and not file_format.unpacks:
                raise DataError(
                    f"{path!r} is packed with {start.packed.name} ({file_format.name}); expected "
                    f"it unpacked: {start.packed.unpack} {path!r}"
                )
            return file_format
    if start.is_folder:
        raise table_parts.refusal(path, start.names) or unreadable(
            path, "it is a folder, and no run or model of a known kind"
        )
    if start.packed:
        raise DataError(
            f"{path!r} is packed with {start.packed.name}, and no word vectors; expected these, or "
            f"a file that is not packed: {start.packed.unpack} {path!r}"
        )
    raise _as_stranger(start, path) or NoMatrix(f"{path!r} is a binary file of no known format")


def _as_stranger(start: Start, path: str) -> DataError | None:
    """Return the error for a file that is of another kind altogether; None where it is of none."""
    stranger = stranger_like(start.data)
    if stranger is None:
        return None
    convert = stranger.convert.replace("PATH", repr(path))
    return NoMatrix(f"{path!r} is {stranger.what}", f"to convert it: {convert}")
