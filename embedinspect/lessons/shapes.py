"""Shapes and parameters of the classic classifier, and how to get the vectors out of a layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from embedinspect import keras_layer
from embedinspect.lessons.lesson import Experiment, KerasPart, Request
from embedinspect.lessons.parts import (
    column,
    dimensions,
    drawn,
    run_on,
    table,
    word,
)
from embedinspect.lookup import Settings, look_up
from embedinspect.training.settings import TrainSettings
from embedinspect.vocabulary import fit
from embedinspect.wording import plural

NAMED = ("This is a text",)


def _sizes(request: Request) -> tuple[int, int, int, int, int]:
    """Return texts, positions, rows, width and units: the reader's, or the classic recipe's."""
    classic = TrainSettings()
    texts, maxlen, rows = classic.batch_size, classic.maxlen, classic.num_words
    if request.texts:
        vocabulary, ids = fit(request.texts)
        texts, maxlen = len(request.texts), max(1, *map(len, ids))
        rows = len(vocabulary.word_index) + 1
    return (
        texts,
        request.size("maxlen", maxlen),
        request.size("input_dim", rows),
        request.size("output_dim", classic.output_dim),
        request.size("units", classic.units),
    )


def _origin(request: Request) -> str:
    base = "those of your texts" if request.texts else "those of the classic IMDB recipe"
    return f"yours, else {base}" if request.sizes else base


def _classifier(maxlen: int, rows: int, width: int, units: int) -> list[str]:
    return [
        "import keras",
        "model = keras.Sequential([",
        f'    keras.Input(({maxlen},), dtype="int32"),',
        f"    keras.layers.Embedding({rows}, {width}),",
        f"    keras.layers.LSTM({units}),",
        '    keras.layers.Dense(1, activation="sigmoid"),',
        "])",
    ]


def shapes(request: Request) -> Experiment:
    """What each number of a shape means, layer by layer."""
    texts, maxlen, rows, width, units = _sizes(request)
    layer_shapes = [(None, maxlen), (None, maxlen, width), (None, units), (None, 1)]
    meaning = [
        f"each text is a sequence of {plural(maxlen, 'token id')}",
        f"each id became a row of {plural(width, 'number')}",
        f"the LSTM gives {plural(units, 'number')} a text, at its end",
        "one probability a text",
    ]
    return Experiment(
        intro="A tensor is a block of numbers, and its shape says how many there are along each of "
        f"its axes. The sizes are {_origin(request)}.",
        tables=[
            table(
                "Shapes",
                [
                    column("after", ["Input", "Embedding", "LSTM", "Dense"]),
                    column("shape", map(str, layer_shapes)),
                    column(
                        f"with {plural(texts, 'text')}",
                        [str((texts, *shape[1:])) for shape in layer_shapes],
                    ),
                    column("what it says", meaning, kind="prose"),
                ],
            )
        ],
        findings=[
            "None stands for the batch, the texts that come at once. The model leaves open how "
            f"many: with {texts:,} of them the Embedding gives {(texts, maxlen, width)}.",
            f"input_dim, {rows:,}, is in no shape: it is how many rows there are to choose from.",
        ],
        rule="ids (batch, maxlen) -> Embedding (batch, maxlen, output_dim) -> LSTM (batch, units). "
        "An Embedding adds one more axis at the end, whatever shape it is given.",
        code=[
            *_classifier(maxlen, rows, width, units),
            "shapes = [tuple(model.input_shape)]",
            "shapes += [tuple(layer.output.shape)",
            "           for layer in model.layers]",
            "print(shapes)",
        ],
        numbers={"shapes": layer_shapes},
        texts=request.texts,
        next=[
            "embedinspect explain shapes --maxlen 200 --output-dim 64",
            "embedinspect explain parameters",
        ],
    )


def parameters(request: Request) -> Experiment:
    """Where the counts of `model.summary()` come from."""
    _, maxlen, rows, width, units = _sizes(request)
    settings = TrainSettings(num_words=rows, maxlen=maxlen, output_dim=width, units=units)
    layers = settings.parameters()
    counts = [layer.parameters for layer in layers]
    total = sum(counts)
    return Experiment(
        intro="A parameter is a number that training may change. The sizes here are "
        f"{_origin(request)}: input_dim {rows:,} rows, output_dim {width}, "
        f"{plural(units, 'LSTM unit')}.",
        tables=[
            table(
                "Parameters",
                [
                    column("layer", [*(layer.layer for layer in layers), "total"]),
                    column(
                        "formula",
                        [
                            "input_dim × output_dim",
                            "4 × ((output_dim + units) × units + units)",
                            "units + 1",
                            "",
                        ],
                        kind="prose",
                    ),
                    column(
                        "with the sizes",
                        [*(layer.formula.replace(" x ", " × ") for layer in layers), ""],
                        kind="prose",
                    ),
                    column("parameters", [*counts, total]),
                ],
            )
        ],
        findings=[
            f"The embedding holds {counts[0] / total:.0%} of the {total:,} parameters: {rows:,} "
            f"rows of {width} numbers, {counts[0] * 4 / 1e6:.2f} MB as float32.",
            f"The LSTM has 4 gates. Each looks at a row ({width}) and at its own last result "
            f"({units}), for each of {plural(units, 'unit')}, and adds a bias.",
            f"maxlen is in no formula: {maxlen:,} positions share the same parameters.",
        ],
        rule="Embedding: input_dim × output_dim. LSTM: 4 × ((output_dim + units) × units + units). "
        "Dense with one output: units + 1.",
        code=[
            *_classifier(maxlen, rows, width, units),
            "counts = [layer.count_params() for layer in model.layers]",
            "total = model.count_params()",
            "print(counts, total)",
        ],
        numbers={"counts": counts, "total": total},
        texts=request.texts,
        next=[
            "embedinspect explain parameters --input-dim 20000 --units 64",
            "embedinspect explain shapes",
        ],
    )


def vectors(request: Request) -> Experiment:
    """A word's vector is the row of its id."""
    texts = request.texts or NAMED
    traced = look_up(texts, Settings())
    rows, index = traced.matrix.rows, traced.vocabulary.word_index
    rare = list(index)[-1:]
    id_ = index[rare[0]] if rare else 0
    return Experiment(
        intro="The vectors of the words are the rows of the embedding matrix, and the matrix is "
        "the one weight of the layer. A row is found by the word's id.",
        tables=[
            table(
                f"The matrix, with words {rows.shape}",
                [
                    column("id", range(len(rows)), kind="id"),
                    column("word", ["· padding", *index]),
                    *dimensions(rows, rows.shape[1]),
                ],
            )
        ],
        findings=[
            f"The vector of {word(rare[0])} is row {id_}: "
            f"{', '.join(f'{number:.4f}' for number in rows[id_])}."
            if rare
            else "There is no word here: row 0 is the padding's."
        ],
        rule="Build the model, or call it once, before you read weights. Take the layer by its "
        "name, not by its place, and keep the word_index with the model: it is not in the file.",
        code=[
            "import keras",
            "import numpy as np",
            *drawn("weights", *rows.shape),
            f'words = keras.layers.Embedding({len(rows)}, 3, name="words")',
            "before = len(words.get_weights())  # not built: none",
            "inner = keras.Sequential([words])",
            "outer = keras.Sequential([keras.Input((2,)), inner])",
            "words.set_weights([weights])",
            "def embeddings(part):",
            "    if isinstance(part, keras.layers.Embedding):",
            "        yield part",
            '    for layer in getattr(part, "layers", []):',
            "        yield from embeddings(layer)",
            "shapes = {layer.name: layer.get_weights()[0].shape",
            "          for layer in embeddings(outer)}",
            f"vector = words.get_weights()[0][{id_}]",
            "print(before, shapes, vector)",
        ],
        numbers={"before": 0, "shapes": {"words": rows.shape}, "vector": rows[id_]},
        texts=texts,
        next=[
            "embedinspect rows sample:vectors king queen",
            "embedinspect export MODEL vectors.txt --words FILE",
        ],
    )


def vectors_keras(request: Request, backend: str | None) -> KerasPart:
    """Ask an Embedding for its weights before and after it is built, alone and in models."""
    experiment = vectors(request)
    rows = experiment.numbers["shapes"]["words"]
    keras = keras_layer.load(backend)
    numpy: Any = keras.ops.convert_to_numpy
    asked: list[str] = []
    answers: list[str] = []

    def note(what: str, answer: str) -> None:
        asked.append(what)
        answers.append(answer)

    def shapes_of(layer: Any) -> str:
        return str([weights.shape for weights in layer.get_weights()])

    with keras_layer.quiet():
        layer = keras.layers.Embedding(*rows, name="words")
        note("get_weights() of a new layer", shapes_of(layer))
        model = keras.Sequential([layer])
        note("get_weights() in a Sequential without Input", shapes_of(model))
        first = numpy(layer(np.array([[0]])))[0, 0]
        note("get_weights() after one call", shapes_of(layer))
        outer = keras.Sequential([keras.Input((2,)), model])
        note("outer.layers[0], where a model is in a model", type(outer.layers[0]).__name__)
        note("get_weights() of outer.layers[0].layers[0]", shapes_of(outer.layers[0].layers[0]))
        same = bool((first == layer.get_weights()[0][0]).all())
    return KerasPart(
        [
            table(
                "What Keras answers",
                [column("asked", asked, kind="prose"), column("answer", answers, kind="prose")],
            )
        ],
        [
            "A layer that was never built or called has no weights, and get_weights() says so "
            "with an empty list, not with an error. After one call it has them, and row 0 is "
            f"{'what' if same else 'not what'} the call gave for id 0.",
        ],
        {},
        run_on(keras),
    )
