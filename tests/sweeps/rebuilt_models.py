"""Many classifiers saved by Keras, each rebuilt from its file and compared with the model itself.

    python -m tests.sweeps.rebuilt_models [COUNT]

Each model is a random chain of layers that may be rebuilt, with random settings and weights,
Sequential or functional, with a mask or without; a few have a layer that may not. Keras loads the
file in safe mode, and what that model predicts for random ids is the truth: the rebuilt one must
predict the same, or be refused, and each of the three readings must pass its check.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from embedinspect import keras_layer
from embedinspect.analysis import why
from embedinspect.errors import EmbedInspectError
from embedinspect.source import SourceOptions, open_source

WORDS = ["good", "bad", "dull", "film", "the", "a", "story"]
ROWS, WIDTH = len(WORDS) + 2, 3
ACTIVATIONS = ["linear", "relu", "tanh", "elu", "gelu", "softplus", "swish", "leaky_relu"]
CLOSE = 2e-5


class Builder:
    """Makes a random model.

    Attributes:
        chance: what is random in it.
        refused: whether it has a layer that is not rebuilt.
    """

    def __init__(self, keras: Any, seed: int) -> None:
        self.keras, self.layers = keras, keras.layers
        self.chance = np.random.RandomState(seed)
        self.refused = False

    def pick(self, *choices: Any) -> Any:
        return choices[self.chance.randint(len(choices))]

    def maybe(self, share: float = 0.5) -> bool:
        return bool(self.chance.rand() < share)

    def model(self) -> Any:
        length = self.pick(None, 6, 9)
        text = self.maybe()
        first = [self.layers.TextVectorization(vocabulary=WORDS, output_sequence_length=length)]
        embedding = self.layers.Embedding(ROWS, WIDTH, mask_zero=self.maybe())
        layers = [*first * text, embedding, *self.positions(), *self.end(length)]
        start = self.keras.Input((1,), dtype="string") if text else self.keras.Input((length,))
        if self.maybe():
            model = self.keras.Sequential([start, *layers])
        else:
            values = start
            for layer in layers:
                values = layer(values)
            model = self.keras.Model(start, values)
        for weight in model.weights:
            if "seed" not in weight.path:
                weight.assign(self.chance.standard_normal(weight.shape) * 0.5)
        if self.maybe(0.3):
            losses = self.keras.losses
            several = model.output_shape[-1] > 1
            logits = self.maybe(0.9) if self.linear else False
            loss = losses.CategoricalCrossentropy if several else losses.BinaryCrossentropy
            model.compile(loss=loss(from_logits=logits))
            self.refused |= self.linear and not logits
        return model

    def positions(self) -> list[Any]:
        return [self.layer() for _ in range(self.pick(0, 1, 1, 2, 3))]

    def layer(self) -> Any:
        layers, pick, maybe = self.layers, self.pick, self.maybe
        kind = pick("noise", "recurrent", "recurrent", "both", "conv", "pool", "dense", "other")
        if kind == "noise":
            return pick(layers.Dropout, layers.SpatialDropout1D, layers.GaussianNoise)(0.3)
        if kind == "recurrent":
            return self.recurrent(sequences=True)
        if kind == "both":
            return layers.Bidirectional(self.recurrent(True, False), merge_mode=self.merge())
        if kind == "conv":
            dilation = pick(1, 1, 2)
            return layers.Conv1D(
                4, pick(1, 2), strides=1 if dilation > 1 else pick(1, 2), dilation_rate=dilation,
                padding=pick("valid", "same", "causal"), use_bias=maybe(),
                activation=pick(*ACTIVATIONS),
            )  # fmt: skip
        if kind == "pool":
            pooling = pick(layers.MaxPooling1D, layers.AveragePooling1D)
            return pooling(2, strides=pick(None, 1), padding=pick("valid", "same"))
        if kind == "dense":
            return layers.Dense(3, activation=pick(*ACTIVATIONS), use_bias=maybe())
        if maybe():
            return layers.Activation(pick(*ACTIVATIONS))
        self.refused = True
        return pick(layers.LayerNormalization, layers.BatchNormalization)()

    def merge(self) -> str:
        return str(self.pick("concat", "sum", "mul", "ave"))

    def recurrent(self, sequences: bool, backwards: bool | None = None) -> Any:
        layers, pick, maybe = self.layers, self.pick, self.maybe
        kind = pick(layers.LSTM, layers.GRU, layers.SimpleRNN)
        settings: dict[str, Any] = {"reset_after": maybe()} if kind is layers.GRU else {}
        return kind(
            pick(2, 4), return_sequences=sequences, use_bias=maybe(0.8), dropout=pick(0, 0.2),
            go_backwards=maybe(0.2) if backwards is None else backwards,
            zero_output_for_mask=maybe(0.2), activation=pick("tanh", "relu"), **settings,
        )  # fmt: skip

    def end(self, length: int | None) -> list[Any]:
        layers, pick, maybe = self.layers, self.pick, self.maybe
        ends = [
            self.recurrent(False),
            layers.Bidirectional(self.recurrent(False, False), merge_mode=self.merge()),
            layers.GlobalMaxPooling1D(),
            layers.GlobalAveragePooling1D(),
            *[layers.Flatten()] * (length is not None),
        ]
        activation = pick("sigmoid", "softmax", "linear")
        self.linear = activation == "linear"
        units = pick(2, 3) if activation == "softmax" else pick(1, 1, 3)
        apart = maybe(0.2)
        last = [layers.Dense(units, activation=None if apart else activation, use_bias=maybe(0.8))]
        if apart and activation == "softmax":
            last.append(layers.Softmax())
        elif apart:
            last.append(layers.Activation(activation))
        return [pick(*ends), *[layers.Dense(3, activation="relu")] * maybe(0.3), *last]


def truth(keras: Any, path: Path, explanation: why.Explanation) -> np.ndarray:
    """Return what the model that Keras loads predicts for each text, made probabilities."""
    model = keras.saving.load_model(path, compile=False)
    answers = []
    for one in explanation.whys:
        vectorizes = any("Vectorization" in type(layer).__name__ for layer in model.layers)
        ids = np.zeros((1, one.positions), "int32")
        for token in one.read:
            ids[0, token.position] = token.id
        given = keras.ops.convert_to_tensor([[one.text]]) if vectorizes else ids
        answers.append(np.asarray(model(given, training=False))[0])
    return np.stack(answers)


def run_one(keras: Any, seed: int, folder: Path) -> str:
    """Return what came of one model: equal, refused, or what was wrong."""
    build = Builder(keras, seed)
    path = folder / "model.keras"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = build.model()
        except ValueError:
            return "not built"  # more windows than positions
        model.save(path)
        texts = ["good film", "a dull dull story the film zzz bad", "the bad"]
        words = folder / "words.json"
        words.write_text('{"good": 2, "bad": 3, "dull": 4, "film": 5, "the": 6, "a": 7}')
        vectorizes = any("Vectorization" in type(layer).__name__ for layer in model.layers)
        try:
            options = SourceOptions(words=None if vectorizes else str(words))
            explanation = why.explain_answer(open_source(str(path), options), texts)
        except EmbedInspectError as error:
            return "refused" if build.refused else _needed(str(error))
        if build.refused:
            return "not refused"
        outputs = truth(keras, path, explanation)
    return _compared(outputs, explanation, linear=build.linear)


def _needed(error: str) -> str:
    """Return that a text was too short, which is right, or what the error says."""
    return "too short" if " position" in error and "needs" in error else f"error: {error}"


def _compared(outputs: np.ndarray, explanation: why.Explanation, *, linear: bool) -> str:
    for output, one in zip(outputs, explanation.whys, strict=True):
        chances = np.asarray(one.probabilities)
        if linear and len(output) > 1:
            powers = np.exp(output - output.max())
            output = powers / powers.sum()
        elif linear:
            output = 1 / (1 + np.exp(-output))
        if np.abs(chances[-len(output) :] - output).max() > CLOSE:
            return f"other prediction: {chances} for {output}"
        if one.steps is not None and abs(one.steps.difference) > CLOSE:
            return f"steps end elsewhere: {one.steps.difference}"
        if one.without is not None and abs(one.without.difference) > CLOSE:
            return f"other separate predictions: {one.without.difference}"
        given = one.attributions
        if given is None or abs(given.gap) > 0.05 * max(1, abs(given.logit - given.baseline_logit)):
            return f"shares do not add up: {given}"
    return "equal" if explanation.no_steps else "equal, with steps"


def main() -> int:
    keras = keras_layer.load("tensorflow")
    outcomes: Counter[str] = Counter()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    fine = {"equal", "equal, with steps", "refused", "not built", "too short"}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(count):
            outcome = run_one(keras, seed, Path(folder))
            outcomes[outcome if outcome in fine else "wrong"] += 1
            if outcome not in fine:
                print(f"WRONG {seed}: {outcome}", flush=True)
    print(", ".join(f"{number} {outcome}" for outcome, number in outcomes.most_common()))
    return 1 if outcomes["wrong"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
