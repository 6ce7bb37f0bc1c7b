"""What the layer does: the lookup, the same as a product, and how many rows it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from embedinspect import keras_layer
from embedinspect.lessons.backends import ask_backends, missing_packages
from embedinspect.lessons.lesson import Experiment, KerasPart, Request
from embedinspect.lessons.parts import (
    IMPORTS,
    PADDING,
    array,
    column,
    dimensions,
    drawn,
    ids_of,
    table,
    tokens_by_position,
    word,
)
from embedinspect.lessons.recorded import recorded_backends
from embedinspect.lookup import Lookup, Settings, look_up, one_hot
from embedinspect.page import Table
from embedinspect.wording import plural

CLASSIC_TEXTS = ("This is a text", "This is not a text")
# The classic IMDB recipe, for the cost of its products.
MAXLEN, INPUT_DIM, OUTPUT_DIM = 500, 5000, 32


def lookup(request: Request) -> Experiment:
    """The output at a position is the row of its id."""
    texts = request.texts or CLASSIC_TEXTS
    traced = look_up(texts, Settings())
    rows, ids = traced.matrix.rows, traced.sequences
    equal = sum(
        bool((traced.output(text)[position] == rows[id_]).all())
        for text in range(len(texts))
        for position, id_ in enumerate(ids[text].tolist())
    )
    return Experiment(
        intro="A token is a word as it was cut from the text, and its token id is a number. The "
        "embedding matrix holds a row of numbers for each id. A shorter text is filled up with id "
        "0, the padding (·).",
        tables=[_positions(traced), _matrix(traced)],
        findings=[
            f"{equal:,} of {plural(ids.size, 'output vector')} equal the row of their id, to the "
            "last bit.",
            _same_word_twice(traced),
        ],
        rule="output[text, position] = matrix[id]. The layer copies rows: nothing is multiplied, "
        "and neither the position nor the words around it matter.",
        code=[
            *IMPORTS,
            *array("ids", ids),
            *drawn("weights", *rows.shape),
            "layer = keras.layers.Embedding(",
            f"    {rows.shape[0]}, {rows.shape[1]}, weights=[weights])",
            "output = layer(ids)  # the same as weights[ids]",
            "print(output)",
        ],
        numbers={"output": rows[ids]},
        texts=texts,
        next=['embedinspect show "your text"', "embedinspect explain one-hot"],
    )


def _positions(traced: Lookup) -> Table:
    texts: list[int] = []
    positions: list[int] = []
    tokens: list[str] = []
    ids: list[int] = []
    for text in range(len(traced.texts)):
        sequence = traced.sequences[text].tolist()
        texts += [text] * len(sequence)
        positions += range(len(sequence))
        tokens += tokens_by_position(traced, text)
        ids += sequence
    return table(
        f"Ids and output {traced.output_shape}",
        [
            column("text", texts, kind="id"),
            column("position", positions, kind="id"),
            column("token", tokens),
            column("id", ids, kind="id"),
            *dimensions([traced.matrix.rows[id_] for id_ in ids], traced.matrix.output_dim),
        ],
    )


def _matrix(traced: Lookup) -> Table:
    rows = traced.matrix.rows
    names = [f"{PADDING} padding", *(traced.words.get(id_, "") for id_ in range(1, len(rows)))]
    return table(
        f"Embedding matrix {rows.shape}",
        [
            column("row", range(len(rows)), kind="id"),
            column("token", names),
            *dimensions(rows, rows.shape[1]),
        ],
    )


def _same_word_twice(traced: Lookup) -> str:
    """Return what the most frequent word shows; padding does where no word comes twice."""
    uses = traced.uses.copy()
    uses[0] = 0
    best = int(uses.argmax())
    if uses[best] < 2:
        return "No word comes twice here. Where one does, it gets the same row each time."
    name, times = word(traced.words[best]), int(uses[best])
    return f"{name} is id {best} and comes {times} times: {times} times the same numbers."


def one_hot_product(request: Request) -> Experiment:
    """A one-hot vector times the matrix is the row; so is a Dense layer without a bias."""
    texts = request.texts or ("a rose is a rose",)
    traced = look_up(texts, Settings())
    rows, ids = traced.matrix.rows, traced.sequences
    input_dim, output_dim = rows.shape
    product = one_hot(traced)
    used = [int(id_) for id_ in np.flatnonzero(traced.uses)]
    vectors = np.eye(input_dim, dtype=np.int64)[used]
    products = vectors.astype(np.float32) @ rows
    names = [traced.words.get(id_, f"{PADDING} padding") for id_ in used]
    here = (ids.size, input_dim, output_dim)
    classic = (MAXLEN, INPUT_DIM, OUTPUT_DIM)
    return Experiment(
        intro="A one-hot vector has as many numbers as there are ids: a 1 at the place of its id, "
        "and 0 everywhere else.",
        tables=[
            table(
                "One-hot vector times matrix",
                [
                    column("token", names),
                    column("id", used, kind="id"),
                    column("one-hot", map(ids_of, vectors)),
                    *dimensions(products, output_dim),
                ],
            ),
            table(
                "What it costs",
                [
                    column("", [_what(texts), "an IMDB review"]),
                    *(
                        column(name, sizes)
                        for name, sizes in zip(
                            ("tokens", "input_dim", "output_dim"),
                            zip(here, classic, strict=True),
                            strict=True,
                        )
                    ),
                    column("one-hot numbers", [s[0] * s[1] for s in (here, classic)]),
                    column("products", [s[0] * s[1] * s[2] for s in (here, classic)]),
                    column("numbers copied", [s[0] * s[2] for s in (here, classic)]),
                ],
            ),
        ],
        findings=[
            "Each product is the row of the id: the zeros remove all other rows. The largest "
            f"difference to the lookup is {product.largest_difference:g}.",
            f"The product needs {MAXLEN * INPUT_DIM * OUTPUT_DIM:,} multiplications for a review "
            f"of {MAXLEN} tokens. The lookup copies {MAXLEN * OUTPUT_DIM:,} numbers and "
            "multiplies nothing.",
        ],
        rule="Embedding, and Dense without a bias on one-hot vectors, are the same function with "
        "the same weights. Only the cost differs, so take Embedding.",
        code=[
            *IMPORTS,
            *array("ids", ids),
            *drawn("weights", input_dim, output_dim),
            f"dense = keras.layers.Dense({output_dim}, use_bias=False)",
            f"dense.build((None, {input_dim}))",
            "dense.set_weights([weights])",
            f"one_hot = keras.ops.one_hot(ids, {input_dim})",
            "product = dense(one_hot)",
            "print(product)  # the same as weights[ids]",
        ],
        numbers={"product": rows[ids]},
        texts=texts,
        next=['embedinspect show "a rose is a rose" --one-hot'],
    )


def _what(texts: Sequence[str]) -> str:
    return word(texts[0]) if len(texts) == 1 else plural(len(texts), "text")


def input_dim(request: Request) -> Experiment:
    """Ids begin at 1, so the matrix needs one row more than there are words."""
    texts = request.texts or CLASSIC_TEXTS
    traced = look_up(texts, Settings())
    words = len(traced.vocabulary.word_index)
    needed = traced.matrix.input_dim
    names = [f"{PADDING} padding", *(traced.words[id_] for id_ in range(1, needed))]
    return Experiment(
        intro="input_dim is how many rows the matrix has: rows 0 to input_dim - 1. The word_index "
        "gives each word its id, starting at 1. Id 0 is kept for padding. The backend is the "
        "library that Keras computes with.",
        tables=[
            table(
                "Which ids have a row",
                [
                    column("id", range(needed), kind="id"),
                    column("token", names),
                    *(
                        column(f"input_dim {rows:,}", [_row(id_, rows) for id_ in range(needed)])
                        for rows in ([words, needed] if words else [needed])
                    ),
                ],
            )
        ],
        findings=[
            f"len(word_index) is {words:,}, so the highest id is {words:,}, and the matrix needs "
            f"{words:,} + 1 = {needed:,} rows.",
            f"With input_dim={words:,} the word with the highest id, {word(traced.words[words])}, "
            "has no row."
            if words
            else "There is no word here: only the row of the padding is needed.",
        ],
        rule="input_dim = len(word_index) + 1, or num_words where that is set. Check it before "
        "training: on some backends an id without a row raises no error.",
        code=[
            *IMPORTS,
            *array("ids", traced.sequences),
            f"words = {words}  # len(word_index)",
            "input_dim = words + 1",
            "assert ids.min(initial=0) >= 0",
            "assert ids.max(initial=0) < input_dim",
            "layer = keras.layers.Embedding(input_dim, 3)",
            "shape = tuple(layer(ids).shape)",
            "print(input_dim, shape)",
        ],
        numbers={"input_dim": needed, "shape": traced.output_shape},
        texts=texts,
        next=[
            "embedinspect explain num-words",
            'embedinspect doctor --text "This is a text" --text "This is not a text" --input-dim 5',
        ],
    )


def _row(id_: int, rows: int) -> str:
    return f"row {id_:,}" if id_ < rows else "no row"


def input_dim_backends(request: Request, backend: str | None) -> KerasPart:
    """Look up ids without a row, on the backend asked for or on all that are installed.

    What the others did when they were recorded is added, and named so.
    """
    short = max(1, input_dim(request).numbers["input_dim"] - 1)
    ids = (short, -1, -short - 1)
    backends, missing = _backends_to_try(backend)
    answers = dict(ask_backends(backends, short, ids))
    recording = {name: kept for name, kept in recorded_backends().items() if name in missing}
    for kept in recording.values():
        answers |= {f"{way}, recorded": what for way, what in kept.for_rows(short).items()}
    findings = _sentences_on(answers, short)
    if recording:
        lacking = dict.fromkeys(package for name in recording for package in missing[name])
        ran_on = [f"{name} ({kept.versions})" for name, kept in recording.items()]
        kept = next(iter(recording.values()))
        findings.append(
            f"Recorded with Keras {kept.keras} on {kept.date}, and not run here, where "
            f"{' and '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} not installed: "
            f"{', '.join(ran_on)}."
        )
    title = f"Ids without a row, where input_dim is {short:,} (rows 0 to {short - 1:,})"
    columns = [
        column("backend", answers, kind="prose"),
        *(
            column(f"id {id_:,}", [outcomes[n] for outcomes in answers.values()], kind="prose")
            for n, id_ in enumerate(ids)
        ),
    ]
    return KerasPart([table(title, columns)], findings)


def _sentences_on(answers: Mapping[str, Sequence[str]], short: int) -> list[str]:
    """Return what the backends have in common, and in what they differ."""
    findings = []
    quiet = [
        f"{name} ({outcomes[0].split(',')[0]})"
        for name, outcomes in answers.items()
        if "row" in outcomes[0].split()
    ]
    if quiet:
        findings.append(f"Id {short:,} has no row, and raises no error on: {'; '.join(quiet)}.")
    loud = [name for name, outcomes in answers.items() if outcomes[0].startswith("error")]
    if loud:
        findings.append(f"It raises an error on: {'; '.join(loud)}.")
    last = [name for name, outcomes in answers.items() if "last row" in outcomes[1]]
    if last:
        findings.append(f"Id -1 is the last row, as in a Python list, on: {'; '.join(last)}.")
    if any("jit_compile" in name for name in answers):
        findings.append(
            "jit_compile is an argument of compile(): TensorFlow then translates the model before "
            "it runs. Keras turns it on by itself where there is a GPU and every layer allows it."
        )
    return findings


def _backends_to_try(backend: str | None) -> tuple[list[str], dict[str, list[str]]]:
    """Return the backends to run, and of those that cannot be, which packages they lack."""
    if backend is not None:
        keras_layer.load(backend)  # says what is missing
        return [backend], {}
    packages = missing_packages()
    missing = {name: lacks for name, lacks in packages.items() if lacks}
    return [name for name in packages if name not in missing], missing
