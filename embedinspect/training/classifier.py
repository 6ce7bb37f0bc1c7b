"""The classifier: Embedding, LSTM, Dense; built from settings, its state taken out and put in."""

from __future__ import annotations

from typing import Any

import numpy as np

from embedinspect.errors import DataError
from embedinspect.formats.arrays import Array
from embedinspect.sequences import IntArray, Side
from embedinspect.training.lstm import choice
from embedinspect.training.settings import TrainSettings

WEIGHTS = (
    "embedding/embeddings",
    "lstm/kernel",
    "lstm/recurrent_kernel",
    "lstm/bias",
    "dense/kernel",
    "dense/bias",
)
THRESHOLD = 0.5


def weight_shapes(settings: TrainSettings) -> dict[str, tuple[int, ...]]:
    """Return the shape of each weight of the classifier by its name."""
    rows, width, units = settings.num_words, settings.output_dim, settings.units
    shapes = ((rows, width), (width, 4 * units), (units, 4 * units), (4 * units,), (units, 1), (1,))
    return dict(zip(WEIGHTS, shapes, strict=True))


def use_cudnn(mask_zero: bool, padding: Side, gpu: bool) -> bool | str:
    """Return the value that the LSTM's `use_cudnn` must have.

    The cuDNN kernel takes masks only where the padding comes after the text and fails on others
    when it runs (`keras.src.backend.tensorflow.rnn`), so it is switched off for those.
    """
    return False if gpu and mask_zero and padding == "pre" else "auto"


def has_gpu(keras: Any) -> bool:
    """Return whether Keras's backend sees a GPU."""
    try:
        return bool(keras.distribution.list_devices("gpu"))
    except (RuntimeError, ValueError, NotImplementedError, AttributeError):
        return False


def lstm_choice(keras: Any, settings: TrainSettings, texts: int) -> choice.Choice:
    """Return which LSTM computes the classifier, and why; the arguments are those of `build`.

    Raises:
        UsageError: the packed one was asked for and is not possible.
    """
    return choice.choose(settings, keras.config.backend(), has_gpu(keras), texts)


def build(keras: Any, settings: TrainSettings, texts: int = 0, layer: Any = None) -> Any:
    """Return the classifier, compiled and with its optimizer built, so that all its state exists.

    Its initial weights follow from the seed alone. With a mask it takes sequences of any length,
    since batches are then as long as their longest review; without one it reads the padding, too,
    and the length is `maxlen`.

    Args:
        texts: how many it is going to read; for few of them Keras's LSTM is ready sooner.
        layer: class of the LSTM, where it is neither of these.

    Raises:
        UsageError: the packed LSTM was asked for and is not possible.
    """
    model = _layers(keras, settings, layer or keras.layers.LSTM)
    if layer is None and lstm_choice(keras, settings, texts).kernel == "packed":
        from embedinspect.training.lstm.layer import packed

        model = packed(keras, model)
    _compile(keras, model, keras.optimizers.Adam(learning_rate=settings.learning_rate))
    model.optimizer.build(model.trainable_variables)
    return model


def plain(keras: Any, model: Any, settings: TrainSettings) -> Any:
    """Return the classifier as a model of Keras's own classes alone, of the same layers and
    optimizer, for other programs."""
    if type(model) is keras.Sequential:
        return model
    ordinary = keras.Sequential([_input(keras, settings), *model.layers], name=model.name)
    _compile(keras, ordinary, model.optimizer)
    return ordinary


def _compile(keras: Any, model: Any, optimizer: Any) -> None:
    model.compile(loss="binary_crossentropy", optimizer=optimizer, metrics=["accuracy"])


def _input(keras: Any, settings: TrainSettings) -> Any:
    return keras.Input((None if settings.mask_zero else settings.maxlen,), dtype="int32")


def _layers(keras: Any, settings: TrainSettings, lstm: Any) -> Any:
    """Return the layers with their initial weights, as a Sequential."""
    keras.utils.set_random_seed(settings.seed)
    layers = keras.layers
    rate = settings.dropout
    before, after = (
        [layers.Dropout(rate, seed=settings.seed + place, name=f"dropout_{place}")] if rate else []
        for place in (1, 2)
    )
    cudnn = use_cudnn(settings.mask_zero, settings.padding, has_gpu(keras))
    return keras.Sequential(
        [
            _input(keras, settings),
            layers.Embedding(
                settings.num_words,
                settings.output_dim,
                mask_zero=settings.mask_zero,
                name="embedding",
            ),
            *before,
            lstm(settings.units, use_cudnn=cudnn, name="lstm"),
            *after,
            layers.Dense(1, activation="sigmoid", name="dense"),
        ]
    )


def state_variables(model: Any) -> dict[str, Any]:
    """Return every variable that training changes, each under a name of its own."""
    weights = list(model.weights)
    if len(weights) > len(WEIGHTS):  # seed states of Dropout are weights in some versions
        weights = [weight for weight in weights if "seed" not in weight.path]
    metrics = [variable for metric in model.metrics for variable in metric.variables]
    others = {id(variable) for variable in [*weights, *metrics]}
    random = [variable for variable in model.variables if id(variable) not in others]
    return {
        **dict(zip(WEIGHTS, weights, strict=True)),
        **{f"random/{number}": variable for number, variable in enumerate(random)},
        **{f"optimizer/{i}": variable for i, variable in enumerate(model.optimizer.variables)},
    }


def state_arrays(keras: Any, model: Any) -> dict[str, Array]:
    """Return weights, random state and optimizer state as arrays."""
    return {
        name: np.array(keras.ops.convert_to_numpy(variable))
        for name, variable in state_variables(model).items()
    }


def state_shapes(model: Any) -> dict[str, tuple[int, ...]]:
    """Return the shapes of `state_arrays`."""
    return {name: tuple(variable.shape) for name, variable in state_variables(model).items()}


def fill(model: Any, arrays: dict[str, Array]) -> None:
    """Put arrays of the right names and shapes into the model.

    Raises:
        DataError: an array does not fit its variable.
    """
    for name, variable in state_variables(model).items():
        if name in arrays:
            try:
                variable.assign(arrays[name])
            except (ValueError, TypeError) as error:
                raise DataError(f"{name} does not fit the classifier: {error}") from None


def predict(keras: Any, model: Any, ids: IntArray, batch_size: int = 256) -> Array:
    """Return the probability of the second label for each row of padded ids, float32."""
    parts = [
        keras.ops.convert_to_numpy(model(ids[start : start + batch_size], training=False))[:, 0]
        for start in range(0, len(ids), batch_size)
    ]
    return np.concatenate(parts) if parts else np.empty(0, np.float32)


def predict_after(
    keras: Any, model: Any, ids: IntArray, shared: int, batch_size: int = 256
) -> Array:
    """Return what `predict` does, but for rounding, of rows whose first ids are the same.

    The LSTM reads these once; from the state that it has then, it reads the rest of each row.

    Args:
        shared: how many first ids all rows have in common; less than all.
    """
    embedding, lstm = model.get_layer("embedding"), model.get_layer("lstm")
    reader = keras.layers.LSTM(lstm.units, return_state=True, use_cudnn=lstm.use_cudnn)

    def read(layer: Any, part: IntArray, **state: Any) -> Any:
        vectors, mask = embedding(part), embedding.compute_mask(keras.ops.convert_to_tensor(part))
        return layer(vectors, mask=mask, **state)

    reader.build((1, shared, embedding.output_dim))
    reader.set_weights(lstm.get_weights())
    _, *states = read(reader, ids[:1, :shared])
    parts = []
    for first in range(0, len(ids), batch_size):
        rest = ids[first : first + batch_size, shared:]
        begun = [keras.ops.repeat(state, len(rest), axis=0) for state in states]
        chances = model.get_layer("dense")(read(lstm, rest, initial_state=begun))
        parts.append(keras.ops.convert_to_numpy(chances)[:, 0])
    return np.concatenate(parts)
