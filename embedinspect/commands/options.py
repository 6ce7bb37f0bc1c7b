"""Options that commands share: one name, one meaning, one help text."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

TOKENIZING, SEQUENCES, MATRIX = "Tokenizing", "Sequences", "Matrix"
INPUT, KERAS, OUTPUT = "Input", "Keras", "Output"
SOURCE = "Source"


def _option(panel: str, help_text: str, *names: str, **settings: Any) -> Any:
    return typer.Option(*names, help=help_text, rich_help_panel=panel, **settings)


Side = Literal["pre", "post"]
Format = Literal["table", "json", "ndjson", "csv"]
BackendName = Literal["tensorflow", "jax", "torch", "numpy", "openvino"]

Texts = Annotated[
    list[str] | None,
    typer.Argument(metavar="TEXT", help="Texts; else --file, else standard input."),
]
File = Annotated[
    list[str] | None,
    _option(
        INPUT,
        "Texts from a file, one a line; - is standard input. Repeatable.",
        "--file",
        metavar="PATH",
    ),
]
Encoding = Annotated[str, _option(INPUT, "Encoding of the files.")]

NumWords = Annotated[
    int | None,
    _option(TOKENIZING, "Use ids below this one: the n-1 most frequent words.", min=1),
]
OovToken = Annotated[
    str | None, _option(TOKENIZING, "Takes id 1 and stands for words without an id.")
]
CharLevel = Annotated[bool, _option(TOKENIZING, "Every character is a token.", "--char-level")]
Filters = Annotated[
    str | None,
    _option(
        TOKENIZING,
        "Characters that are removed and separate words.",
        show_default="punctuation but ', tab, newline",
    ),
]
TokenizerName = Annotated[
    Literal["classic", "textvectorization"],
    _option(TOKENIZING, "Rules of Keras's classic Tokenizer, or its TextVectorization layer."),
]
VocabularyFile = Annotated[
    str | None,
    _option(TOKENIZING, "Use a saved vocabulary (Tokenizer.to_json).", metavar="FILE"),
]
SaveVocabulary = Annotated[
    str | None, _option(TOKENIZING, "Save the vocabulary in that form.", metavar="FILE")
]

Maxlen = Annotated[int | None, _option(SEQUENCES, "Positions.", min=1, show_default="longest text")]
Padding = Annotated[Side | None, _option(SEQUENCES, "Where padding goes.", show_default="pre")]
Truncating = Annotated[
    Side | None, _option(SEQUENCES, "Where long texts are cut.", show_default="pre")
]
MaskZero = Annotated[bool, _option(SEQUENCES, "Mask the padding.", "--mask-zero")]

InputDim = Annotated[
    int | None,
    _option(MATRIX, "Rows.", min=1, show_default="num_words, else words + 1"),
]
OutputDim = Annotated[int | None, _option(MATRIX, "Numbers in a row.", min=1, show_default="3")]
Seed = Annotated[
    int | None, _option(MATRIX, "Of the drawn matrix.", min=0, max=2**32 - 1, show_default="0")
]
MatrixFile = Annotated[
    str | None,
    _option(MATRIX, "Use these rows: .npy, .npz, or a text of numbers.", metavar="FILE"),
]

FromSource = Annotated[
    str | None,
    _option(
        SOURCE,
        "Use words and rows of a run, a Keras file, word vectors, an array.",
        "--from",
        metavar="SOURCE",
    ),
]

NoKeras = Annotated[bool, _option(KERAS, "Leave out the check by the real layer.", "--no-keras")]
Backend = Annotated[
    BackendName | None,
    _option(KERAS, "Backend of the check.", show_default="KERAS_BACKEND, else tensorflow"),
]
Code = Annotated[bool, _option(KERAS, "Print a Keras script that does the same.", "--code")]

OneHotToo = Annotated[
    bool, _option(OUTPUT, "Show the one-hot ids and their product with the matrix.", "--one-hot")
]
FormatName = Annotated[
    Format | None, _option(OUTPUT, "How to print.", "--format", show_default="table")
]
Json = Annotated[bool, _option(OUTPUT, "Short for --format json.", "--json")]
Full = Annotated[bool, _option(OUTPUT, "Leave nothing out of the tables.", "--full")]
Precision = Annotated[
    int | None,
    _option(OUTPUT, "Decimals in the tables.", min=0, max=20, show_default="3 digits"),
]

SourcePath = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="Run folder, .keras, .h5, .npy, .npz, .safetensors, word vectors, or TSV.",
        show_default=False,
    ),
]
Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="WORD", help="Words, or rows such as #5.", show_default=False),
]
SourceEpoch = Annotated[
    int | None,
    _option(
        SOURCE, "Of a run: rows after it; 0 is before training.", "--epoch", min=0,
        show_default="last",
    ),
]  # fmt: skip
Layer = Annotated[
    str | None,
    _option(SOURCE, "Layer of a Keras file, by name or path.", "--layer", metavar="NAME"),
]
Tensor = Annotated[
    str | None, _option(SOURCE, "Array of a file with several.", "--tensor", metavar="NAME")
]
SourceWords = Annotated[
    str | None,
    _option(
        SOURCE,
        "Words of the rows: one a line, a JSON list or mapping, a Keras tokenizer.",
        "--vocabulary",
        metavar="FILE",
    ),
]
IndexFrom = Annotated[
    int | None,
    _option(SOURCE, "Row of the first word of --vocabulary.", "--index-from", show_default="0"),
]
Strict = Annotated[bool, _option(SOURCE, "Stop at the first line that is wrong.", "--strict")]
NoCache = Annotated[
    bool, _option(SOURCE, "Neither use nor keep what was read of large files.", "--no-cache")
]
Metric = Annotated[
    Literal["cosine", "dot", "euclidean"],
    typer.Option(help="What near means.", rich_help_panel="Question"),
]
Top = Annotated[
    int, typer.Option(min=1, max=100_000, help="How many to show.", rich_help_panel="Question")
]
Force = Annotated[bool, _option(OUTPUT, "Replace what stands there.", "--force")]
