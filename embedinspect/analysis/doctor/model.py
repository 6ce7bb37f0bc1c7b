"""The model around the layer, and the file it came in: masks, padding, words, code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from embedinspect.analysis.doctor.case import Case, version_of
from embedinspect.analysis.doctor.finding import Check, Finding, share
from embedinspect.formats.keras_graph import Behind, Node
from embedinspect.formats.keras_weights import objects
from embedinspect.tokenizing.lookup_layer import LookupLayer
from embedinspect.wording import clipped_repr, listed

# The Keras with the newest security fixes that are known; see its advisories.
SOUND = (3, 15, 1)
_HOLDS_CODE = ("Lambda", "TorchModuleWrapper", "TFSMLayer")

_LITTLE_PADDING = 0.10
_MASKED = {
    False: "mask_zero=True in the Embedding layer",
    True: "let the mask of the Embedding layer reach it: it ends before",
}
_INSTEAD = {
    "Flatten": "GlobalAveragePooling1D, which uses the mask, in place of Flatten",
    "GlobalMaxPooling1D": "GlobalAveragePooling1D, which uses the mask, in its place",
    "Lambda": "a layer of Keras in place of the Lambda, which hands no mask on",
}


def mask_lost(case: Case) -> Iterator[Finding]:
    """Find layers behind a masking Embedding that hand no mask on."""
    assert case.behind is not None
    for node in case.behind.losses:
        named = _called(node)
        if node.operation:
            mend = "the layer of that name, such as keras.layers.Add(), in place of the operation"
        else:
            mend = _INSTEAD.get(node.class_name) or _without_mask(case.behind)
        yield Finding(
            kind="mask-lost",
            severity="warning",
            what=f"the mask of the Embedding layer ends at {named}",
            evidence=(
                f"mask_zero=True, but {named} "
                + (
                    "gets an input without a mask, and then hands none on"
                    if node.class_name in {"Add", "Average", "Maximum", "Minimum", "Multiply"}
                    and not node.operation
                    else "hands no mask on"
                )
            ),
            leads_to=(
                "every layer after it takes the padding for words"
                + (
                    ", and Keras says nothing"
                    if node.operation
                    else "; Keras warns of it, if at all"
                )
            ),
            mend=mend,
            numbers={"layer": node.name, "class_name": node.class_name},
        )


def _without_mask(behind: Behind) -> str:
    """Return how to do without a layer that ends the mask, or without the mask."""
    deaf = next((r.node for r in behind.readers if r.node.recurrent and not r.masked), None)
    if deaf is None:
        return "mask_zero=False, or a layer that uses masks, such as an LSTM, in its place"
    return f"mask_zero=False, or {_called(deaf)} in front of it, where the mask still is"


def _called(node: Node) -> str:
    kind = "operation" if node.operation else "layer"
    return f"the {kind} {clipped_repr(node.name)} ({node.class_name})"


def _readers_of_padding(behind: Behind | None) -> list[Node]:
    """Return the recurrent layers that get no mask, and so read padding after the text last."""
    return [
        reader.node
        for reader in (behind.readers if behind is not None else ())
        if reader.node.recurrent and not reader.masked and not _backwards(reader.node)
    ]


def _side_matters(case: Case) -> bool:
    behind = case.behind
    return behind is None or bool(behind.unknown or _readers_of_padding(behind))


def padding_after(case: Case) -> Iterator[Finding]:
    """Find padding after the text, in front of a recurrent layer that gets no mask."""
    readers = _readers_of_padding(case.behind)
    harmless = case.mask_zero if case.behind is None else not readers
    if case.settings.padding != "post" or harmless:
        return
    padded = _padded_share(case)
    known = f"{share(padded, 1)} of the positions are padding" if padded is not None else ""
    little = padded is not None and padded < _LITTLE_PADDING
    every = bool(readers) and all(node.wrapped[1].get("return_sequences") for node in readers)
    named = listed((_called(node) for node in readers), 2)
    yield Finding(
        kind="padding-after-without-mask",
        severity="note" if not readers or little or every else "warning",
        what=(
            "padding stands after the text, without a mask, in front of a recurrent layer"
            if readers
            else "padding stands after the text, without a mask"
        ),
        evidence="; ".join(
            part for part in (f"padding='post', mask_zero={case.mask_zero}", named, known) if part
        ),
        leads_to=(
            ("" if readers else "if an LSTM follows: ")
            + "it reads the padding last and forgets the text; on the IMDB reviews it stays near "
            "50% accuracy"
        ),
        mend=_MASKED[case.mask_zero],
        numbers={
            "layers": [node.name for node in readers],
            "padding_share": padded,
            "mask_zero": case.mask_zero,
        },
    )


def _padded_share(case: Case) -> float | None:
    maxlen = case.maxlen or (int(case.lengths.max()) if len(case.lengths) else 0)
    if not case.texts or not maxlen:
        return None
    return 1 - float(case.lengths.clip(max=maxlen).sum()) / (maxlen * len(case.texts))


def _backwards(node: Node) -> bool:
    return bool(node.wrapped[1].get("go_backwards"))


def _readers_by_cudnn(behind: Behind) -> list[Node]:
    """Return the layers under a mask that cuDNN would run on a GPU."""
    return [
        reader.node
        for reader in behind.readers
        if reader.masked and _fit_for_cudnn(*reader.node.wrapped)
    ]


def _cudnn_gets_a_mask(case: Case) -> bool:
    behind = case.behind
    if behind is None:
        return True
    return bool(_readers_by_cudnn(behind) or (behind.unknown and case.mask_zero))


def padding_before_cudnn(case: Case) -> Iterator[Finding]:
    """Find padding before the text under a mask, in front of a layer that cuDNN would run.

    Rule: `keras.src.backend.tensorflow.rnn` and that of torch let cuDNN run masks only where they
    are right-padded; that of JAX leaves cuDNN out where there is a mask. Whether a layer is fit
    for cuDNN is decided as `cudnn_ok` does; `use_cudnn` is not saved with a model.
    """
    assert case.behind is not None
    readers = _readers_by_cudnn(case.behind)
    if case.settings.padding != "pre" or not readers:
        return
    run = case.source is not None and case.source.run is not None
    yield Finding(
        kind="padding-before-with-mask-on-cudnn",
        severity="note" if run else "warning",
        what="padding before the text, with a mask, does not go with cuDNN, the GPU's own LSTM",
        evidence=(
            f"padding='pre', mask_zero=True, {listed((_called(node) for node in readers), 2)} "
            "with the activations of cuDNN"
        ),
        leads_to=(
            "on a GPU, TensorFlow and torch stop with an error, since cuDNN takes masks only with "
            "padding after the text; on a CPU and on JAX all is well"
        ),
        mend="padding='post' (the mask makes the result the same), or use_cudnn=False in the layer",
        numbers={"layers": [node.name for node in readers], "padding_said": case.padding_given},
    )


def _fit_for_cudnn(class_name: str, config: dict[str, Any]) -> bool:
    return (
        class_name in {"LSTM", "GRU"}
        and config.get("activation", "tanh") == "tanh"
        and config.get("recurrent_activation", "sigmoid") == "sigmoid"
        and not config.get("unroll")
        and config.get("use_bias", True) is True
        and not config.get("recurrent_dropout")
        and config.get("reset_after", True) is True
    )


def _averages(case: Case) -> bool:
    behind = case.behind
    if behind is None or behind.unknown:
        return True
    return any(not reader.node.recurrent for reader in behind.readers)


def averaged_padding(case: Case) -> Iterator[Finding]:
    """Find an average over all positions, padding included."""
    assert case.behind is not None
    for reader in case.behind.readers:
        if reader.node.recurrent or reader.masked:
            continue
        yield Finding(
            kind="padding-averaged",
            severity="note",
            what="the average over the positions counts the padding as well",
            evidence=f"{_called(reader.node)} gets no mask",
            leads_to="the shorter a text is, the nearer its average is to the padding row",
            mend=_MASKED[case.mask_zero],
            numbers={"layer": reader.node.name},
        )


def no_vocabulary(case: Case) -> Iterator[Finding]:
    """Find a source without words, or with words that are only a guess."""
    source = case.source
    assert source is not None
    if source.guessed and source.lookup is not None:
        yield _guessed_vocabulary(source.lookup, source.matrix.input_dim)
    if source.words is not None:
        return
    texts = ", so the ids of the texts are not known" if case.texts else ""
    counting = (
        "; if the model was trained on just these texts, count them: embedinspect show --file "
        "TEXTS --save-vocabulary tokenizer.json"
        if case.texts
        else ""
    )
    yield Finding(
        kind="no-vocabulary",
        severity="note",
        what=f"{'the model' if source.keras else 'the matrix'} comes without its vocabulary",
        evidence=f"no words in {source.path!r}, and none given{texts}",
        leads_to="which row belongs to which word cannot be known, so much is not checked",
        mend=(
            "--vocabulary FILE; save it with the model: Tokenizer.to_json(), or a list by "
            f"id{counting}"
        ),
    )


def _guessed_vocabulary(lookup: LookupLayer, rows: int) -> Finding:
    return Finding(
        kind="guessed-vocabulary",
        severity="warning",
        what="whose words the rows have is a guess",
        evidence=(
            f"the model's graph does not say where its ids come from, and {lookup.label} has as "
            f"many tokens as there are rows: {rows:,}"
        ),
        leads_to="if they are another layer's, each row stands beside a word that is not its own",
        mend=f"--words-from {lookup.path}, if that is right; else the layer that is",
        numbers={"layer": lookup.path, "input_dim": rows},
    )


def old_keras(case: Case) -> Iterator[Finding]:
    """Find a file that was written by a Keras with known holes."""
    assert case.source is not None
    assert case.source.keras is not None
    version = case.source.keras.version
    numbers = version_of(version)
    if numbers is None or numbers >= SOUND:
        return
    sound = ".".join(map(str, SOUND))
    yield Finding(
        kind="old-keras",
        severity="warning",
        what=f"the file was written by Keras {'.'.join(map(str, numbers))}, which has known holes",
        evidence=f"keras_version {clipped_repr(version or '')}; {sound} has the fixes we know of",
        leads_to=(
            "the file itself may be fine, but that Keras can be made to run code by the files of "
            "strangers (CVE-2025-1550 and others)"
        ),
        mend=f"load files with Keras {sound} or newer, and save this one again",
        numbers={"version": version, "expected": sound},
    )


def holds_code(case: Case) -> Iterator[Finding]:
    """Find layers that would run code from the file when it is loaded."""
    assert case.source is not None
    assert case.source.keras is not None
    config = case.source.keras.config or {}
    layers = [
        (class_name, inner.get("name"))
        for class_name, inner in objects(config)
        if class_name in _HOLDS_CODE
    ]
    if not layers and _holds_nameless_function(config):
        layers = [("a function without a name, such as an activation", None)]
    if not layers:
        return
    named = (f"{kind} ({clipped_repr(str(name))})" if name else kind for kind, name in layers)
    yield Finding(
        kind="holds-code",
        severity="warning",
        what="the model holds code, which loading it would run",
        evidence=listed(named, 4),
        leads_to=(
            "Keras refuses to load it, or runs that code where safe_mode=False is given; nothing "
            "of it was run here"
        ),
        mend="a layer of Keras, or a registered class of your own, in place of each",
        numbers={"layers": [{"class_name": kind, "name": name} for kind, name in layers]},
    )


def _holds_nameless_function(config: object) -> bool:
    """Return whether a config holds a lambda: its code as text, its defaults and its closure."""
    waiting = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            match value.get("value"):
                case [str(), _, _]:
                    return True
            if value.get("class_name") == "__lambda__":
                return True
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return False


def wrong_lines(case: Case) -> Iterator[Finding]:
    """Find lines of a file that were left out or mended, and what else is odd about the file."""
    assert case.source is not None
    problems = case.source.problems
    if not problems.total and not case.source.warnings:
        return
    counts = [f"{count:,} {kind}" for kind, count in problems.counts.items()]
    yield Finding(
        kind="odd-file",
        severity="warning",
        what="the file is not quite what it should be",
        evidence="; ".join([*case.source.warnings, *counts, *problems.first[:2]]),
        leads_to="rows or words may be missing, or may not be those that you expect",
        mend="write the file anew, or get it again; info --strict stops at the first such line",
        numbers={"problems": problems.total, "warnings": list(case.source.warnings)},
    )


CHECKS = (
    Check(
        "lost masks",
        "no mask is lost on its way",
        ("layers",),
        mask_lost,
        clears=("known layers",),
        concerns=lambda case: case.behind is None or case.mask_zero,
    ),
    Check(
        "side of the padding",
        "the padding stands on the side that suits what reads it",
        ("padding",),
        padding_after,
        clears=("layers", "known layers"),
        concerns=_side_matters,
    ),
    Check(
        "cuDNN",
        "masks and padding suit an LSTM on a GPU (cuDNN)",
        ("layers", "padding"),
        padding_before_cudnn,
        clears=("known layers",),
        concerns=_cudnn_gets_a_mask,
    ),
    Check(
        "averages",
        "no average counts the padding",
        ("layers",),
        averaged_padding,
        clears=("known layers",),
        concerns=_averages,
    ),
    Check("vocabulary", "the vocabulary is at hand", ("matrix",), no_vocabulary),
    Check("Keras version", "the file's Keras has no known holes", ("Keras version",), old_keras),
    Check("code", "the file holds no code", ("config",), holds_code),
    Check("damaged lines", "nothing in the file had to be left out", ("matrix",), wrong_lines),
)
