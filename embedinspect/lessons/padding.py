"""Padding and masks: where padding goes, what is cut off, what a mask does and where it is lost."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from embedinspect import keras_layer
from embedinspect.lessons.lesson import Experiment, KerasPart, Request
from embedinspect.lessons.lstm import UNITS, WIDTH, code_for, draw_lstm
from embedinspect.lessons.parts import (
    IMPORTS,
    array,
    assign,
    column,
    dimensions,
    drawn,
    exact,
    ids_of,
    run_on,
    share,
    table,
    tokens_by_position,
    yes,
)
from embedinspect.lookup import Settings, look_up
from embedinspect.sequences import IntArray, Side, mask, pad
from embedinspect.vocabulary import fit
from embedinspect.wording import plural

PAIR = ("a wonderful film", "a dull and endless film")
LONG = ("the film starts slowly but the end is wonderful",)
PADDINGS = (0, 10, 500)
SHOWN_UNITS = 2


def padding(request: Request) -> Experiment:
    """Without a mask, padding after the text washes the text out of an LSTM."""
    texts = list(request.texts or PAIR)
    vocabulary, sequences = fit(texts)
    ids = [ids_of(sequence) for sequence in sequences]
    longest = max(1, *map(len, ids))
    # Two sequences are compared: where there is one text, with a text of nothing but padding.
    pair = [ids[0], ids[1] if len(ids) > 1 else ()]
    lstm = draw_lstm(max(2, len(vocabulary.word_index) + 1))

    def apart(side: Side, added: int, masked: bool) -> float:
        batch = pad(pair, longest + added, side)
        first, second = lstm.last_state(batch, masked=masked)
        return float(np.abs(first - second).max())

    before = [apart("pre", n, False) for n in PADDINGS]
    after = [apart("post", n, False) for n in PADDINGS]
    masked = [apart("post", n, True) for n in PADDINGS]
    compared = "text 0 and text 1" if len(ids) > 1 else "text 0 and an empty text"
    return Experiment(
        intro="All sequences of a batch need the same length, so short ones are filled up with the "
        "padding id 0. An LSTM reads a sequence from left to right, and hands on what it has at "
        "the end. A mask tells it which positions are padding.",
        tables=[
            table(
                "Sequences",
                [
                    column("text", texts),
                    column("padding before (pre)", map(ids_of, pad(ids, longest, "pre"))),
                    column("padding after (post)", map(ids_of, pad(ids, longest, "post"))),
                ],
            ),
            table(
                f"How far apart the LSTM's results for {compared} are",
                [
                    column("padding added", PADDINGS),
                    column("before", map(exact, before)),
                    column("after", map(exact, after)),
                    column("after, masked", map(exact, masked)),
                ],
            ),
        ],
        findings=[
            f"With {PADDINGS[-1]} paddings after the text, the two results differ by "
            f"{after[-1]:.1g}: no layer after the LSTM can tell the texts apart, and training gets "
            "no further than guessing. The LSTM read the padding last."
            if after[-1] < 1e-4
            else f"With {PADDINGS[-1]} paddings after the text, the results differ by "
            f"{after[-1]:.4f}.",
            f"With the padding before, they still differ by {before[-1]:.4f}; with a mask, by "
            f"{masked[-1]:.4f} wherever the padding stands.",
        ],
        rule='For an LSTM without a mask, pad before the text (padding="pre", the default of '
        "pad_sequences). TextVectorization pads after it: then use mask_zero=True.",
        code=[
            *IMPORTS,
            *code_for(len(lstm.rows)),
            *assign("ids", [list(row) for row in pair]),
            "def apart(side, mask_zero):",
            "    batch = keras.utils.pad_sequences(",
            f"        ids, maxlen={longest + PADDINGS[-1]}, padding=side)",
            "    two = model(mask_zero).predict(batch, verbose=0)",
            "    return float(abs(two[0] - two[1]).max())",
            'before, after = apart("pre", False), apart("post", False)',
            'masked = apart("post", True)',
            "print(before, after, masked)",
        ],
        numbers={"before": before[-1], "after": after[-1], "masked": masked[-1]},
        texts=texts,
        next=["embedinspect explain mask-zero", "embedinspect explain truncating"],
    )


def truncating(request: Request) -> Experiment:
    """What maxlen cuts off, and at which end."""
    texts = list(request.texts or LONG)
    vocabulary, sequences = fit(texts)
    lengths = [len(ids) for ids in sequences]
    longest, total = max(1, *lengths), sum(lengths)
    maxlen = request.size("maxlen", max(1, longest // 2))
    words = vocabulary.words

    def kept(ids: IntArray, side: Side) -> str:
        part = ids[-maxlen:] if side == "pre" else ids[:maxlen]
        return " ".join(words[int(id_)] for id_ in part)

    tries = sorted({maxlen, *(max(1, longest * part // 4) for part in (1, 2, 3, 4))})
    cut = [sum(max(0, length - limit) for length in lengths) for limit in tries]
    here = cut[tries.index(maxlen)]
    return Experiment(
        intro="maxlen is the length that every sequence gets. Longer ones are cut at the start "
        f"(truncating='pre', the default) or at the end ('post'). Here maxlen is {maxlen:,}.",
        tables=[
            table(
                "What is left",
                [
                    column("text", range(len(texts)), kind="id"),
                    column("tokens", lengths),
                    column("cut at the start (pre)", [kept(ids, "pre") for ids in sequences]),
                    column("cut at the end (post)", [kept(ids, "post") for ids in sequences]),
                ],
            ),
            table(
                "What a maxlen costs",
                [
                    column("maxlen", tries),
                    column("tokens cut off", cut),
                    column("share", [share(n, total) for n in cut]),
                    column(
                        "positions that are padding",
                        [sum(max(0, limit - n) for n in lengths) for limit in tries],
                    ),
                ],
            ),
        ],
        findings=[
            f"maxlen {maxlen:,} cuts off {here:,} of {plural(total, 'token')} "
            f"({share(here, total)}). No error and no warning says so.",
            f"The longest text has {plural(longest if total else 0, 'token')}: a maxlen above "
            "that cuts nothing, and adds only padding.",
        ],
        rule="Choose maxlen by the lengths of your texts, and the end to keep by what they say: "
        "reviews often judge in their last sentence, news says the main thing first.",
        code=[
            "import keras",
            *assign("ids", [list(ids_of(ids)) for ids in sequences]),
            f"pre = keras.utils.pad_sequences(ids, maxlen={maxlen})",
            "post = keras.utils.pad_sequences(",
            f'    ids, maxlen={maxlen}, truncating="post")',
            "print(pre, post)",
        ],
        numbers={"pre": pad(sequences, maxlen), "post": pad(sequences, maxlen, "pre", "post")},
        texts=texts,
        next=['embedinspect show --maxlen 4 "your text"', "embedinspect explain padding"],
    )


def mask_zero(request: Request) -> Experiment:
    """The mask leaves the output as it is; later layers use it."""
    texts = list((request.texts or ("a wonderful film",))[:1])
    _, ids = fit(texts)
    length = len(ids[0])
    traced = look_up(texts, Settings(maxlen=length + 2, mask_zero=True))
    sequence = traced.sequences[0]
    lstm = draw_lstm(traced.matrix.input_dim)
    rows = lstm.rows
    whole = pad(ids, max(1, length))
    batches = [
        ("none" if length else "1 position", whole),
        ("before (pre)", pad(ids, length + 2, "pre")),
        ("after (post)", pad(ids, length + 2, "post")),
    ]
    masked = [lstm.last_state(batch, masked=True)[0] for _, batch in batches]
    plain = [lstm.last_state(batch, masked=False)[0] for _, batch in batches]
    moved_masked = [float(np.abs(state - masked[0]).max()) for state in masked]
    moved_plain = [float(np.abs(state - plain[0]).max()) for state in plain]
    return Experiment(
        intro="mask_zero=True makes a mask: it says for each position whether its id is not 0. "
        "Later layers get it beside the output, here an LSTM: it reads a text position by "
        f"position, and each of its {UNITS} units gives a number.",
        tables=[
            table(
                "Output of Embedding(mask_zero=True)",
                [
                    column("position", range(len(sequence)), kind="id"),
                    column("token", tokens_by_position(traced, 0)),
                    column("id", ids_of(sequence), kind="id"),
                    column("mask", mask(sequence).tolist()),
                    *dimensions(rows[sequence], WIDTH),
                ],
            ),
            table(
                f"What an LSTM of {UNITS} units behind it gives",
                [
                    column("padding", [name for name, _ in batches] * 2),
                    column("mask", ["yes"] * len(batches) + ["no"] * len(batches)),
                    *(
                        column(f"unit {unit}", [exact(state[unit]) for state in masked + plain])
                        for unit in range(SHOWN_UNITS)
                    ),
                    column("most that a unit moved", map(exact, moved_masked + moved_plain)),
                ],
            ),
        ],
        findings=[
            "Where the mask is False the output is row 0, and not zeros. It begins with "
            f"{rows[0][0]:.3f}.",
            f"With the mask, padding moves the LSTM's units by {max(moved_masked):.4f}, and "
            f"without it by up to {max(moved_plain):.4f}.",
        ],
        rule="mask_zero changes what later layers do, never what the Embedding gives. Id 0 must "
        "then not be a word.",
        code=[
            *IMPORTS,
            *code_for(len(rows)),
            *array("ids", traced.sequences),
            "embedding = model(True).layers[0]",
            "output = embedding(ids)  # row 0 at the padding",
            "mask = embedding.compute_mask(ids)",
            "masked = model(True).predict(ids, verbose=0)",
            "plain = model(False).predict(ids, verbose=0)",
            "print(mask, masked, plain)",
        ],
        numbers={
            "output": lstm.rows[traced.sequences],
            "mask": mask(traced.sequences),
            "masked": masked[1][None],
            "plain": plain[1][None],
        },
        texts=texts,
        next=[
            'embedinspect show "your text" --maxlen 8 --mask-zero',
            "embedinspect explain mask-lost",
        ],
    )


def mask_lost(request: Request) -> Experiment:
    """What a lost mask does: the padding counts."""
    texts = list((request.texts or ("a wonderful film",))[:1])
    _, ids = fit(texts)
    length = len(ids[0])
    traced = look_up(texts, Settings(maxlen=2 * length + 1, mask_zero=True))
    rows, sequence = traced.matrix.rows, traced.sequences[0]
    everything = rows[sequence].mean(axis=0)
    seen = mask(sequence)
    only_words = rows[sequence[seen]].mean(axis=0) if seen.any() else np.full_like(rows[0], np.nan)
    apart = float(np.abs(everything - only_words).max())
    counted = int((~seen).sum())
    return Experiment(
        intro="A mask travels from layer to layer beside the output, and says which positions are "
        "padding. Here GlobalAveragePooling1D takes the mean of a text's vectors.",
        tables=[
            table(
                "Mean of the vectors",
                [
                    column("the mask", ["arrives", "is lost"]),
                    column("positions counted", [int(seen.sum()), len(sequence)]),
                    *dimensions([only_words, everything], len(everything)),
                ],
            )
        ],
        findings=[
            f"Without the mask {plural(counted, 'padding position')} "
            f"{'is' if counted == 1 else 'are'} counted as if they were words: the mean moves by "
            f"up to {apart:.4f}."
            if seen.any()
            else "No word is left of this text. With the mask nothing is counted, and the mean of "
            "nothing is NaN, no number: in training one such text makes every weight NaN."
        ],
        rule="Add with the layer Add, average with GlobalAveragePooling1D, or put the LSTM right "
        "after the Embedding. After Flatten, Conv1D or max pooling there is no mask any more.",
        code=[
            *IMPORTS,
            *array("ids", traced.sequences),
            *drawn("weights", *rows.shape),
            "layer = keras.layers.Embedding(",
            f"    {len(rows)}, 3, mask_zero=True, weights=[weights])",
            "embedded = layer(ids)",
            "mean = keras.layers.GlobalAveragePooling1D()",
            "arrives = mean(embedded)",
            "lost = mean(embedded + 0)  # + drops the mask",
            "print(arrives, lost)",
        ],
        numbers={"arrives": only_words[None], "lost": everything[None]},
        texts=texts,
        next=["embedinspect doctor MODEL", "embedinspect explain mask-zero"],
    )


def mask_lost_keras(request: Request, backend: str | None) -> KerasPart:
    """Put layer after layer behind a masked Embedding, and look for the mask and its effect."""
    keras = keras_layer.load(backend)
    numpy = keras.ops.convert_to_numpy
    used, handed_on, warned = [], [], []
    with keras_layer.quiet():
        layers: Any = keras.layers
        embedded = layers.Embedding(6, 4, mask_zero=True)(np.array([[0, 0, 1, 2, 3]], np.int32))
        unmasked = keras.ops.copy(embedded)
        tried: dict[str, Callable[[Any], Any]] = {
            "Dropout": layers.Dropout(0.1),
            "Dense": layers.Dense(3),
            "LSTM": layers.LSTM(3),
            "LSTM, all positions": layers.LSTM(3, return_sequences=True),
            "GlobalAveragePooling1D": layers.GlobalAveragePooling1D(),
            "Add()([x, x])": lambda x: layers.Add()([x, x]),
            "x + x": lambda x: x + x,
            "keras.ops.add(x, x)": lambda x: keras.ops.add(x, x),
            "Conv1D": layers.Conv1D(3, 2),
            "Flatten": layers.Flatten(),
            "GlobalMaxPooling1D": layers.GlobalMaxPooling1D(),
        }
        for run in tried.values():
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                result = run(embedded)
            warned.append(yes(any("mask" in str(warning.message) for warning in caught)))
            handed_on.append(yes(getattr(result, "_keras_mask", None) is not None))
            used.append(yes(not np.allclose(numpy(result), numpy(run(unmasked)), atol=1e-6)))
    columns = [
        column("layer", tried),
        column("uses the mask", used),
        column("hands it on", handed_on),
        column("warns", warned),
    ]
    lost = [line[0] for line in zip(tried, used, handed_on, strict=True) if "yes" not in line[1:]]
    silent = [name for name, warns in zip(tried, warned, strict=True) if warns == "no"]
    quietly = ", ".join(name for name in lost if name in silent)
    return KerasPart(
        [table("Layers behind Embedding(mask_zero=True)", columns)],
        [
            f"{len(lost)} of {len(tried)} neither use the mask nor hand it on: {', '.join(lost)}.",
            f"Without any warning: {quietly}." if quietly else "Each of them warns.",
        ],
        {},
        run_on(keras),
    )
