"""Today's Keras: what became of old code, line by line, each line run as it stands."""

from __future__ import annotations

import contextlib
import io
import warnings
from typing import Any

import numpy as np

from embedinspect import keras_layer
from embedinspect.lessons.lesson import Experiment, KerasPart, Request
from embedinspect.lessons.parts import column, error_text, run_on, table
from embedinspect.wording import plural

WIDTH_OF_OUTCOME = 62
# (an old line, its modern form); each is run on the model and the arrays of `_names`.
OLD_AND_NEW = (
    ("from keras.preprocessing.text import Tokenizer", "TextVectorization()"),
    ("from keras.utils.np_utils import to_categorical", "keras.utils.to_categorical([0, 1])"),
    (
        "Embedding(5000, 32, input_length=500)",
        'Sequential([Input((500,), dtype="int32"), Embedding(5000, 32)])',
    ),
    ('Embedding(5, 2, init="uniform")', 'Embedding(5, 2, embeddings_initializer="uniform")'),
    ("model.fit(x, y, nb_epoch=1)", "model.fit(x, y, epochs=1)"),
    ("model.fit([[0, 1, 2]], [1])", "model.fit(np.array([[0, 1, 2]]), np.array([1]))"),
    ("model.predict_classes(x)", "model.predict(x) > 0.5"),
    ("model.layers[0].get_weights()", "model.layers[0].get_weights()"),
)
MODERN = (
    "import keras",
    "import numpy as np",
    "x, y = np.array([[0, 1, 2], [0, 3, 4]]), np.array([0, 1])",
    "model = keras.Sequential([",
    '    keras.Input((3,), dtype="int32"),',
    "    keras.layers.Embedding(5, 2),",
    "    keras.layers.LSTM(4),",
    '    keras.layers.Dense(1, activation="sigmoid"),',
    "])",
    'model.compile("adam", "binary_crossentropy")',
    "model.fit(x, y, epochs=3, verbose=0)",
    "shape = model.layers[0].get_weights()[0].shape",
    "print(shape)",
)


def old_code(request: Request) -> Experiment:
    """The lines of 2017 that changed."""
    return Experiment(
        intro="Much code for Embedding layers was written for Keras 1 and 2. Here each old line is "
        "run in the Keras that is installed.",
        tables=[],
        findings=[],
        rule="Give the length to Input, epochs instead of nb_epoch, NumPy arrays instead of lists. "
        "Import from keras, keras.layers and keras.utils, and from nothing deeper.",
        code=MODERN,
        numbers={"shape": (5, 2)},
        next=["embedinspect explain tokenizer", "embedinspect explain input-length"],
    )


def old_code_keras(request: Request, backend: str | None) -> KerasPart:
    """Run each old line, and its modern form."""
    keras = keras_layer.load(backend)
    names = _names(keras)
    with keras_layer.quiet():
        outcomes = [outcome(old, names) for old, _ in OLD_AND_NEW]
        modern = [outcome(new, names) for _, new in OLD_AND_NEW]
    works = sum(result.startswith("works") for result in outcomes)
    fine = sum(result == "works" for result in modern)
    return KerasPart(
        [
            table(
                "Old lines today",
                [
                    column("old line", [old for old, _ in OLD_AND_NEW], kind="prose"),
                    column("today", outcomes, kind="prose"),
                    column("modern form", [new for _, new in OLD_AND_NEW], kind="prose"),
                ],
            )
        ],
        [
            f"{works} of {len(outcomes)} old lines still run. Of the modern forms {fine} of "
            f"{len(modern)} do; they were tried too."
        ],
        {},
        run_on(keras),
    )


def _names(keras: Any) -> dict[str, Any]:
    """Return what the lines use: Keras, a small model, and a batch for it."""
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((3,), dtype="int32"), layers.Embedding(5, 2), layers.LSTM(4), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    x, y = np.array([[0, 1, 2], [0, 3, 4]]), np.array([0.0, 1.0])
    own = {"keras": keras, "np": np, "model": model, "x": x, "y": y}
    of_keras = {"Input": keras.Input, "Sequential": keras.Sequential}
    of_layers = {name: getattr(layers, name) for name in ("Embedding", "TextVectorization")}
    return own | of_keras | of_layers


def outcome(line: str, names: dict[str, Any]) -> str:
    """Run one of our own lines, and return `works`, its warning, or its error."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # Keras's progress bars
                exec(line, dict(names))
        except Exception as error:
            return error_text(error, WIDTH_OF_OUTCOME)
    messages = [warning.message for warning in caught if issubclass(warning.category, UserWarning)]
    return "works" if not messages else f"works, and warns: {messages[0]}"


def input_length(request: Request) -> Experiment:
    """Input says how long a sequence is."""
    maxlen, rows, width = request.size("maxlen", 500), 5000, 32
    return Experiment(
        intro="input_length said how long every sequence is. A layer is built when it first "
        "learns what shape it gets; until then it has no weights.",
        tables=[],
        findings=[],
        rule="Leave input_length out, and begin the model with keras.Input((maxlen,), "
        'dtype="int32"). Where the length varies, write keras.Input((None,)): an LSTM takes any '
        "length, Flatten with Dense behind it needs one.",
        code=[
            "import keras",
            "model = keras.Sequential([",
            f'    keras.Input(({maxlen},), dtype="int32"),',
            f"    keras.layers.Embedding({rows}, {width}),",
            "])",
            "shape = tuple(model.output_shape)",
            "parameters = model.count_params()",
            "print(shape, parameters)",
        ],
        numbers={"shape": (None, maxlen, width), "parameters": rows * width},
        next=["embedinspect explain shapes", "embedinspect explain old-code"],
    )


def input_length_keras(request: Request, backend: str | None) -> KerasPart:
    """Build the model with the old argument, without anything, and with Input."""
    numbers = input_length(request).numbers
    _, maxlen, width = numbers["shape"]
    rows = numbers["parameters"] // width
    keras = keras_layer.load(backend)
    layer = keras.layers.Embedding
    warned, built, weights, shapes = [], [], [], []
    with keras_layer.quiet():
        for arguments, beginning in (
            ({"input_length": maxlen}, []),
            ({}, []),
            ({}, [keras.Input((maxlen,), dtype="int32")]),
        ):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                model = keras.Sequential([*beginning, layer(rows, width, **arguments)])
            warned.append("; ".join(str(warning.message) for warning in caught) or "nothing")
            built.append("yes" if model.built else "no")
            weights.append(sum(int(array.size) for array in model.get_weights()))
            shapes.append(str(model.output_shape) if model.built else "none yet")
    forms = [
        f"Embedding(..., input_length={maxlen})",
        "Embedding(...)",
        f"Input(({maxlen},)) first",
    ]
    return KerasPart(
        [
            table(
                "Three ways to begin a model",
                [
                    column("begins with", forms, kind="prose"),
                    column("Keras says", warned, kind="prose"),
                    column("built", built),
                    column("parameters", weights),
                    column("output shape", shapes),
                ],
            )
        ],
        [
            f"With input_length the model has {plural(weights[0], 'parameter')} before it sees "
            "data, just as without it: the argument does nothing any more.",
            f"With Input it is built at once: {weights[2]:,} parameters, shape {shapes[2]}.",
        ],
        {},
        run_on(keras),
    )
