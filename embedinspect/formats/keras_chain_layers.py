"""The layers that a classifier of texts may be rebuilt from, each read from checked settings.

What is not known here, of a class or of a setting, is refused by name. The shapes of weights and
outputs are as in Keras 3.15 (`build` and `compute_output_shape` of each layer).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from embedinspect.formats.keras_chain_order import Config, Entry, NotAChain, is_plain
from embedinspect.wording import clipped_repr

Shape = tuple[int, ...]
Weights = tuple[tuple[str, Shape], ...]

# All of these are functions of one tensor, in `keras.activations`.
ACTIVATIONS = frozenset(
    {
        "linear", "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "swish", "mish",
        "tanh", "sigmoid", "hard_sigmoid", "softplus", "softsign", "softmax", "exponential",
    }
)  # fmt: skip
# These do nothing once a model is trained.
ONLY_TRAINING = frozenset(
    {"Dropout", "SpatialDropout1D", "GaussianDropout", "GaussianNoise", "AlphaDropout"}
)
# How many gates their kernels hold side by side.
RECURRENT = {"SimpleRNN": 1, "LSTM": 4, "GRU": 3}
_MERGES = ("concat", "sum", "mul", "ave")
_LARGEST = 2**31
# Settings that change nothing of what a trained layer gives.
_OF_TRAINING = frozenset(
    {
        "name", "trainable", "seed", "dropout", "recurrent_dropout", "implementation", "unroll",
        "unit_forget_bias", "rate", "noise_shape", "stddev", "batch_input_shape", "input_length",
        "use_cudnn", "embeddings_initializer", "embeddings_regularizer", "embeddings_constraint",
        "activity_regularizer",
        *(f"{weight}_{what}" for weight in ("kernel", "recurrent", "bias")
          for what in ("initializer", "regularizer", "constraint")),
    }
)  # fmt: skip
_CHECKED_ANYWHERE = frozenset({"dtype", "quantization_config", "data_format"})


class Size(NamedTuple):
    """What comes out of a layer for one text.

    Attributes:
        length: how many positions; None where texts may have any number.
        width: numbers of each position, or of the text where it has no positions any more.
        positions: whether it still has positions.
        masked: whether later layers are told which positions are padding.
    """

    length: int | None
    width: int
    positions: bool = True
    masked: bool = False

    def whole(self, width: int) -> Size:
        """Return the size of one vector for the whole text."""
        return Size(None, width, positions=False)


@dataclass(frozen=True)
class ChainLayer:
    """A layer with all that it takes to build it.

    Attributes:
        class_name: in `keras.layers`.
        name: in the file.
        settings: what it is built with, checked.
        weights: the path of each of its weights in the file, and its shape, in Keras's order.
        inner: of a Bidirectional layer: the layer that reads forwards, and the other.
    """

    class_name: str
    name: str
    settings: Config
    weights: Weights = ()
    inner: tuple[ChainLayer, ...] = ()


def read_layer(entry: Entry, size: Size) -> tuple[ChainLayer | None, Size]:
    """Return a layer, None where only training needs it, and the size of what comes out of it.

    Args:
        size: of what goes in.

    Raises:
        NotAChain: the layer or one of its settings is not known here, or does not fit.
    """
    if entry.masked and not size.masked:
        raise NotAChain(f"has {entry.label}, which takes a mask that the layer before it has lost")
    if entry.class_name in ONLY_TRAINING:
        checked(entry, set())
        return None, size
    read = _READERS.get(entry.class_name)
    if read is None:
        raise NotAChain(f"has {entry.label}, which is not among the layers that are known")
    layer, size = read(entry, size)
    if size.length is not None and size.length < 1:
        raise NotAChain(f"has {entry.label}, which needs more positions than there are")
    return layer, size


# -- settings --------------------------------------------------------------------------------------


def checked(entry: Entry, known: set[str]) -> Config:
    """Return the config of a layer, of which everything that counts is among the known settings."""
    config = entry.config
    for key in config:
        if key not in known | _OF_TRAINING | _CHECKED_ANYWHERE:
            raise NotAChain(
                f"has {entry.label} with {clipped_repr(key)}, a setting that is not known here"
            )
    policy = config.get("dtype", "float32")
    if isinstance(policy, dict):
        inner = policy.get("config")
        policy = inner.get("name") if isinstance(inner, dict) else None
    if policy != "float32":
        raise NotAChain(
            f"has {entry.label}, which computes in {clipped_repr(str(policy))}, not in float32"
        )
    if config.get("quantization_config") is not None:
        raise NotAChain(f"has {entry.label}, which is quantized")
    if config.get("data_format", "channels_last") != "channels_last":
        raise NotAChain(f"has {entry.label}, whose channels do not come last")
    return config


def wrong(entry: Entry, key: str) -> NotAChain:
    """Return the error for a setting with a value that is not known here."""
    return NotAChain(f"has {entry.label} with {key} {clipped_repr(str(entry.config.get(key)))}")


def whole(entry: Entry, key: str, default: int = 0) -> int:
    """Return a setting that is a whole number from 1 on, or a list of one such number."""
    value = entry.config.get(key, default)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if type(value) is not int or not 1 <= value <= _LARGEST:
        raise wrong(entry, key)
    return value


def truth(entry: Entry, key: str, *, default: bool = False) -> bool:
    """Return a setting that is true or false."""
    value = entry.config.get(key, default)
    if not isinstance(value, bool):
        raise wrong(entry, key)
    return value


def _choice(entry: Entry, key: str, choices: frozenset[str] | tuple[str, ...], default: str) -> str:
    value = entry.config.get(key, default)
    if value is None and key.endswith("activation"):
        return "linear"
    if not isinstance(value, str) or value not in choices:
        raise wrong(entry, key)
    return value


def _positions(entry: Entry, size: Size) -> None:
    if not size.positions:
        raise NotAChain(f"has {entry.label} where there are no positions any more")


def _named(place: str, *shapes: Shape) -> Weights:
    return tuple((f"{place}/vars/{number}", shape) for number, shape in enumerate(shapes))


def shortest(layers: Sequence[ChainLayer]) -> int:
    """Return how many positions a text must have at least to get through the layers."""
    needed = 1
    for layer in reversed(layers):
        window = _window(layer.settings)
        if window is not None:
            padded = layer.settings["padding"] != "valid"
            needed = (needed - 1) * layer.settings["strides"] + (1 if padded else window)
    return needed


def _window(settings: Config) -> int | None:
    """Return how many positions a convolution or pooling looks at; None for other layers."""
    if "kernel_size" in settings:
        return int(settings["dilation_rate"] * (settings["kernel_size"] - 1) + 1)
    return settings.get("pool_size")


def _windows(length: int | None, window: int, stride: int, padding: str) -> int | None:
    """Return in how many places a window stands."""
    if length is None:
        return None
    return -(-length // stride) if padding != "valid" else (length - window) // stride + 1


# -- layers ----------------------------------------------------------------------------------------


def _dense(entry: Entry, size: Size) -> tuple[ChainLayer, Size]:
    checked(entry, {"units", "activation", "use_bias"})
    units, use_bias = whole(entry, "units"), truth(entry, "use_bias", default=True)
    activation = _choice(entry, "activation", ACTIVATIONS, "linear")
    weights = _named(entry.place, (size.width, units), *[(units,)] * use_bias)
    settings = {"units": units, "activation": activation, "use_bias": use_bias}
    return ChainLayer("Dense", entry.name, settings, weights), size._replace(width=units)


def _recurrent(entry: Entry, size: Size) -> tuple[ChainLayer, Size]:
    gated = {"LSTM": {"recurrent_activation"}, "GRU": {"recurrent_activation", "reset_after"}}
    flags = {"return_sequences", "go_backwards", "zero_output_for_mask"}
    refused = {"return_state", "stateful", "time_major"}
    own = gated.get(entry.class_name, set())
    checked(entry, {"units", "activation", "use_bias"} | flags | refused | own)
    _positions(entry, size)
    for flag in sorted(refused):
        if truth(entry, flag):
            raise wrong(entry, flag)
    units, use_bias = whole(entry, "units"), truth(entry, "use_bias", default=True)
    settings: Config = {flag: truth(entry, flag) for flag in sorted(flags)}
    settings |= {"units": units, "use_bias": use_bias}
    settings["activation"] = _choice(entry, "activation", ACTIVATIONS, "tanh")
    gates = RECURRENT[entry.class_name] * units
    bias: Shape = (gates,)
    if own:
        settings["recurrent_activation"] = _choice(
            entry, "recurrent_activation", ACTIVATIONS, "sigmoid"
        )
    if "reset_after" in own:
        settings["reset_after"] = truth(entry, "reset_after", default=True)
        bias = (2, gates) if settings["reset_after"] else (gates,)
    weights = _named(f"{entry.place}/cell", (size.width, gates), (units, gates), *[bias] * use_bias)
    after = size._replace(width=units) if settings["return_sequences"] else size.whole(units)
    return ChainLayer(entry.class_name, entry.name, settings, weights), after


def _bidirectional(entry: Entry, size: Size) -> tuple[ChainLayer, Size]:
    checked(entry, {"merge_mode", "layer", "backward_layer"})
    merge = _choice(entry, "merge_mode", _MERGES, "concat")
    layers, sizes = [], []
    for key, group in (("layer", "forward_layer"), ("backward_layer", "backward_layer")):
        inner = entry.config.get(key)
        if not (isinstance(inner, dict) and is_plain(inner) and inner.get("class_name") in RECURRENT
                and isinstance(inner.get("config"), dict)):  # fmt: skip
            raise NotAChain(f"has {entry.label} around something else than {', '.join(RECURRENT)}")
        config = inner["config"]
        place = f"{entry.place}/{group}"
        layer, after = _recurrent(Entry(inner["class_name"], entry.name, config, place), size)
        layers.append(layer)
        sizes.append(after)
    forward, backward = layers
    turned = (forward.settings["go_backwards"], backward.settings["go_backwards"])
    if sizes[0] != sizes[1] or turned != (False, True):
        raise NotAChain(f"has {entry.label}, whose two layers do not fit each other")
    after = sizes[0]._replace(width=sizes[0].width * (2 if merge == "concat" else 1))
    settings: Config = {"merge_mode": merge}
    layer = ChainLayer("Bidirectional", entry.name, settings, inner=(forward, backward))
    return layer, after


def _convolution(entry: Entry, size: Size) -> tuple[ChainLayer, Size]:
    known = {"filters", "kernel_size", "strides", "padding", "dilation_rate", "groups"}
    checked(entry, known | {"activation", "use_bias"})
    _positions(entry, size)
    settings: Config = {
        "filters": whole(entry, "filters"),
        "kernel_size": whole(entry, "kernel_size"),
        "strides": whole(entry, "strides", 1),
        "padding": _choice(entry, "padding", ("valid", "same", "causal"), "valid"),
        "dilation_rate": whole(entry, "dilation_rate", 1),
        "groups": whole(entry, "groups", 1),
        "activation": _choice(entry, "activation", ACTIVATIONS, "linear"),
        "use_bias": truth(entry, "use_bias", default=True),
    }
    filters, groups, kernel = settings["filters"], settings["groups"], settings["kernel_size"]
    if size.width % groups or filters % groups:
        raise wrong(entry, "groups")
    if settings["strides"] > 1 and settings["dilation_rate"] > 1:
        raise wrong(entry, "dilation_rate")
    weights = _named(
        entry.place, (kernel, size.width // groups, filters), *[(filters,)] * settings["use_bias"]
    )
    window = _window(settings) or 1
    length = _windows(size.length, window, settings["strides"], settings["padding"])
    return ChainLayer("Conv1D", entry.name, settings, weights), Size(length, filters)


def _pooling(entry: Entry, size: Size) -> tuple[ChainLayer, Size]:
    checked(entry, {"pool_size", "strides", "padding"})
    _positions(entry, size)
    pool = whole(entry, "pool_size", 2)
    stride = pool if entry.config.get("strides") is None else whole(entry, "strides")
    padding = _choice(entry, "padding", ("valid", "same"), "valid")
    settings = {"pool_size": pool, "strides": stride, "padding": padding}
    length = _windows(size.length, pool, stride, padding)
    return ChainLayer(entry.class_name, entry.name, settings), Size(length, size.width)


def _global_pooling(entry: Entry, size: Size) -> tuple[ChainLayer, Size]:
    checked(entry, {"keepdims"})
    _positions(entry, size)
    if truth(entry, "keepdims"):
        raise wrong(entry, "keepdims")
    return ChainLayer(entry.class_name, entry.name, {}), size.whole(size.width)


def _flatten(entry: Entry, size: Size) -> tuple[ChainLayer, Size]:
    checked(entry, set())
    if not size.positions:
        return ChainLayer("Flatten", entry.name, {}), size
    if size.length is None:
        raise NotAChain(f"has {entry.label} behind an unknown number of positions")
    return ChainLayer("Flatten", entry.name, {}), size.whole(size.width * size.length)


def _activation(entry: Entry, size: Size) -> tuple[ChainLayer, Size]:
    checked(entry, {"activation"})
    name = _choice(entry, "activation", ACTIVATIONS, "linear")
    return ChainLayer("Activation", entry.name, {"activation": name}), size


def _softmax(entry: Entry, size: Size) -> tuple[ChainLayer, Size]:
    if checked(entry, {"axis"}).get("axis", -1) != -1 or size.positions:
        raise wrong(entry, "axis")
    return ChainLayer("Activation", entry.name, {"activation": "softmax"}), size


_READERS: dict[str, Callable[[Entry, Size], tuple[ChainLayer, Size]]] = {
    "Dense": _dense,
    **dict.fromkeys(RECURRENT, _recurrent),
    "Bidirectional": _bidirectional,
    "Conv1D": _convolution,
    **dict.fromkeys(("MaxPooling1D", "AveragePooling1D"), _pooling),
    **dict.fromkeys(("GlobalMaxPooling1D", "GlobalAveragePooling1D"), _global_pooling),
    "Flatten": _flatten,
    "Activation": _activation,
    "Softmax": _softmax,
}
