"""Options that commands share: one name, one meaning, one help text.

A help text is a phrase that can be understood without the heading of its panel.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer
from annotated_types import Interval

from embedinspect.backend import check_installed

TOKENIZING, SEQUENCES, MATRIX = "Tokenizing", "Sequences", "Matrix"
TEXTS, KERAS, OUTPUT = "Texts", "Keras", "Output"
SOURCE, QUESTION, WRITING = "Source", "Question", "Writing"

Side = Literal["pre", "post"]
BackendName = Literal["tensorflow", "jax", "torch", "numpy", "openvino"]
Lstm = Literal["auto", "packed", "keras"]

LARGEST_SEED = 2**32 - 1

DATA, MODEL, TRAINING, RUN, SIZES = "Data", "Model", "Training", "Run", "Sizes"
SHARDS, PROCESSES = "Shards", "Processes"
# In the order in which help shows them: what is asked first, how it is written last.
PANELS = (
    DATA, TEXTS, TOKENIZING, MODEL, SEQUENCES, MATRIX, TRAINING, SHARDS, PROCESSES, RUN, QUESTION,
    SIZES, SOURCE, WRITING, KERAS, OUTPUT,
)  # fmt: skip


def option(panel: str, help_text: str, *names: str, **settings: Any) -> Any:
    """Return an option that stands in a panel of the help."""
    return typer.Option(*names, help=help_text, rich_help_panel=panel, **settings)


def flag(panel: str, help_text: str, *names: str) -> Any:
    """Return an option without a value."""
    return option(panel, help_text, *names, metavar="")


# Bounds stand with the type and not in Typer's min and max, whose help shows them as formulas.
# They count only within `| None`: Python makes one of an Annotated in another, and they are lost.
Count = Annotated[int, Interval(ge=1)]
CountOrNone = Annotated[int, Interval(ge=0)]
SeedNumber = Annotated[int, Interval(ge=0, le=LARGEST_SEED)]

# -- texts and how they become sequences ----------------------------------------------------------

Texts = Annotated[
    list[str] | None,
    typer.Argument(metavar="TEXT", help="Texts; without any, --file or standard input."),
]
File = Annotated[
    list[str] | None,
    option(
        TEXTS,
        "Read texts from a file: one a line, or a column of CSV, TSV or JSON Lines; - is standard "
        "input. May be given again.",
        "--file",
        metavar="PATH",
    ),
]
Encoding = Annotated[str, option(TEXTS, "Encoding of these files.", metavar="NAME")]
TextColumn = Annotated[str | None, option(TEXTS, "Column of the texts.", metavar="NAME")]

NumWords = Annotated[
    Count | None,
    option(TOKENIZING, "Use the ids below N: the N-1 most frequent words.", metavar="N"),
]
OovToken = Annotated[
    str | None,
    option(TOKENIZING, "Token that takes id 1 and stands for every unknown word.", metavar="TOKEN"),
]
CharLevel = Annotated[bool, flag(TOKENIZING, "Make every character a token.", "--char-level")]
Filters = Annotated[
    str | None,
    option(
        TOKENIZING,
        "Characters that are removed, and that separate words.",
        metavar="CHARACTERS",
        show_default="punctuation but ', tab, newline",
    ),
]
TokenizerName = Annotated[
    Literal["classic", "textvectorization"],
    option(
        TOKENIZING,
        "How texts become tokens. classic: by the rules of Keras's Tokenizer; textvectorization: "
        "by those of its TextVectorization layer.",
        metavar="RULES",
    ),
]
Vocabulary = Annotated[
    str | None,
    option(
        TOKENIZING,
        "Vocabulary of the texts, which gives each word its id: a Keras tokenizer, saved by "
        "Tokenizer.to_json.",
        "--vocabulary",
        metavar="FILE",
        show_default="the words of the texts, counted",
    ),
]
SaveVocabulary = Annotated[
    str | None,
    option(TOKENIZING, "Save the vocabulary as a Keras tokenizer.", metavar="FILE"),
]

Maxlen = Annotated[
    Count | None,
    option(
        SEQUENCES, "Number of positions in each sequence.", metavar="N", show_default="longest text"
    ),
]
Padding = Annotated[
    Side | None,
    option(SEQUENCES, "Side of the text on which padding is added.", show_default="pre"),
]
Truncating = Annotated[
    Side | None, option(SEQUENCES, "Side on which long texts are cut.", show_default="pre")
]
MaskZero = Annotated[
    bool, flag(SEQUENCES, "Mask the padding for later layers, as in Keras.", "--mask-zero")
]

# -- the matrix -----------------------------------------------------------------------------------

InputDim = Annotated[
    Count | None,
    option(
        MATRIX,
        "Number of rows in the embedding matrix.",
        metavar="N",
        show_default="num_words, else words + 1",
    ),
]
OutputDim = Annotated[
    Count | None, option(MATRIX, "Numbers in each row.", metavar="N", show_default="3")
]
Seed = Annotated[
    SeedNumber | None,
    option(MATRIX, "Seed of the numbers that are drawn.", metavar="N", show_default="0"),
]
MatrixFile = Annotated[
    str | None,
    option(
        MATRIX,
        "Take the rows from a file: .npy, .npz, or a text of numbers.",
        "--matrix",
        metavar="FILE",
    ),
]

# -- a source: a matrix that is there, with its words ---------------------------------------------

ClassifierPath = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="A run folder of train, or a Keras model (.keras) of plain layers.",
        show_default=False,
    ),
]
SourcePath = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="A run folder, a model (a folder as on the Hugging Face hub, GGUF, Keras, TensorFlow, "
        "PyTorch, ONNX), word vectors, arrays, or a table; sample:vectors to try.",
        show_default=False,
    ),
]
FromSource = Annotated[
    str | None,
    option(
        SOURCE,
        "Take words and rows from a source: a run, a model, word vectors or an array.",
        "--from",
        metavar="SOURCE",
    ),
]
Epoch = Annotated[
    CountOrNone | None,
    option(
        SOURCE,
        "Epoch of a run whose rows are taken; 0 is before training.",
        "--epoch",
        metavar="N",
        show_default="last",
    ),
]
Layer = Annotated[
    str | None,
    option(SOURCE, "Layer of a Keras file, by its name or path.", "--layer", metavar="NAME"),
]
Tensor = Annotated[
    str | None,
    option(
        SOURCE, "Tensor or array of a file or model that holds several.", "--tensor", metavar="NAME"
    ),
]
VectorsColumn = Annotated[
    str | None,
    option(SOURCE, "Column of a table that holds the vectors.", "--vectors", metavar="COLUMN"),
]
RowWords = Annotated[
    str | None,
    option(
        SOURCE,
        "Words of the rows: a column of a table, or a file with one a line, a JSON list or "
        "mapping, or a saved Keras tokenizer.",
        "--words",
        metavar="COLUMN|FILE",
    ),
]
IndexFrom = Annotated[
    int | None,
    option(
        SOURCE,
        "Row of the first word in that file; 3 for Keras's IMDB index.",
        "--index-from",
        metavar="N",
        show_default="0",
    ),
]
WordsFrom = Annotated[
    str | None,
    option(
        SOURCE,
        "Lookup layer of a Keras model whose words the rows have.",
        "--words-from",
        metavar="LAYER",
        show_default="the one that feeds the embedding",
    ),
]
Dims = Annotated[
    Count | None,
    option(
        SOURCE,
        "Cut rows to their first N numbers and scale them to length 1, as Matryoshka models are "
        "used.",
        "--dims",
        metavar="N",
        show_default="all",
    ),
]
Strict = Annotated[bool, flag(SOURCE, "Stop at the first line that is wrong.", "--strict")]
NoCache = Annotated[
    bool, flag(SOURCE, "Neither use nor keep what was read of large files.", "--no-cache")
]


def _of_one(name: str, source: str, metavar: str) -> Any:
    """Return an option that is about one source of two."""
    help_text = f"As --{name}, of {source} alone."
    return option(SOURCE, help_text, f"--{name}-{source.lower()}", metavar=metavar)


TensorA = Annotated[str | None, _of_one("tensor", "A", "NAME")]
TensorB = Annotated[str | None, _of_one("tensor", "B", "NAME")]
DimsA = Annotated[Count | None, _of_one("dims", "A", "N")]
DimsB = Annotated[Count | None, _of_one("dims", "B", "N")]
LayerA = Annotated[str | None, _of_one("layer", "A", "NAME")]
LayerB = Annotated[str | None, _of_one("layer", "B", "NAME")]
WordsA = Annotated[str | None, _of_one("words", "A", "COLUMN|FILE")]
WordsB = Annotated[str | None, _of_one("words", "B", "COLUMN|FILE")]

# -- questions ------------------------------------------------------------------------------------

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="WORD",
        help="Words, or rows by their numbers, such as '#5'; where the words are whole texts (half "
        "of them longer than 24 characters, with spaces), the beginning of one.",
        show_default=False,
    ),
]
NEARNESS = "How nearness is measured."
Metric = Annotated[
    Literal["cosine", "dot", "euclidean"],
    option(QUESTION, NEARNESS),
]
PairMetric = Annotated[
    Literal["cosine", "euclidean"],
    option(QUESTION, NEARNESS),
]
Csls = Annotated[
    bool,
    flag(
        QUESTION,
        "Correct cosines against hubs, rows that are near to everything: twice the cosine, less "
        "the mean cosine of each of the two with its own 10 nearest rows (CSLS).",
        "--csls",
    ),
]
Top = Annotated[
    Annotated[int, Interval(ge=1, le=100_000)] | None,
    option(
        QUESTION,
        "Number of rows in each table; where it is given, the other forms have these rows, too, "
        "and no others.",
        "--top",
        "-n",
        metavar="N",
        show_default="10",
    ),
]
TopNeighbors = Annotated[
    Annotated[int, Interval(ge=1, le=100_000)] | None,
    option(
        QUESTION,
        "Number of neighbors of each question.",
        "--top",
        "-n",
        metavar="N",
        show_default="10",
    ),
]

# -- Keras and output -----------------------------------------------------------------------------

NoKeras = Annotated[
    bool,
    flag(KERAS, "Leave out what needs Keras, such as the check by the real layer.", "--no-keras"),
]


def _installed(backend: str | None) -> str | None:
    """Refuse a backend that is not there before anything is read or printed."""
    if backend is not None:
        check_installed(backend)
    return backend


def backend_option(show_default: str, consequence: str = "") -> Any:
    """Return the option that names Keras's backend; `consequence` says what else depends on it."""
    help_text = f"Backend that Keras runs on. {consequence}".rstrip()
    return option(KERAS, help_text, show_default=show_default, callback=_installed)


Backend = Annotated[BackendName | None, backend_option("KERAS_BACKEND, else tensorflow")]
Code = Annotated[bool, flag(KERAS, "Print a Keras script that does the same.", "--code")]

OneHotToo = Annotated[
    bool,
    flag(OUTPUT, "Add the one-hot ids and their product with the matrix.", "--one-hot"),
]
Full = Annotated[bool, flag(OUTPUT, "Leave nothing out of the tables.", "--full")]
Precision = Annotated[
    Annotated[int, Interval(ge=0, le=20)] | None,
    option(OUTPUT, "Decimals of the numbers in the tables.", metavar="N", show_default="3 digits"),
]
HeatOrNot = Annotated[
    bool | None,
    option(
        OUTPUT,
        "Draw vectors as cells, blue below zero and orange above it, or write their numbers; by "
        "default they are drawn on screens with colors that are too narrow for the numbers.",
        "--heat/--no-heat",
        metavar="",
        show_default=False,
    ),
]
Output = Annotated[
    str | None,
    option(
        OUTPUT,
        "Write the answer to a file; its suffix says how: .html, .svg and .png (the pictures), "
        ".md, .json, .ndjson, .csv, .txt.",
        "--output",
        "-o",
        metavar="FILE",
    ),
]
Json = Annotated[bool, flag(OUTPUT, "Short for --format json.", "--json")]
Force = Annotated[bool, flag(WRITING, "Replace what is there already.", "--force")]
