"""Nothing is in order that was not looked at: each check, with each piece of evidence taken away.

Each case is broken in the way that one check finds. Whatever is taken away, the thing stays broken,
so the check may still find it, or must fall silent: it must never say that all is in order.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from embedinspect.analysis.doctor import CHECKS, diagnose, language_model, make_case
from embedinspect.formats.contents import Problems
from embedinspect.lookup import Settings
from tests.analysis.builders import (
    language_model_of,
    layer,
    model_of,
    run_of,
    words_by_id,
    words_in_order,
)
from tests.analysis.doctor.findings import WORDS
from tests.analysis.test_untrained import decayed, trained
from tests.builders import source_of
from tests.conftest import CLASSIC

LSTM, AVERAGE = layer("LSTM"), layer("GlobalAveragePooling1D")
IMDB = {"the": 1, "and": 2, "a": 3, "of": 4, "to": 5, "is": 6, "br": 7}
ROWS = np.random.RandomState(0).rand(6, 4).astype(np.float32)


def rows_with(changes):
    rows = ROWS.copy()
    for row, numbers in changes.items():
        rows[row] = numbers
    return rows


def model_with(*layers, **options):
    """Return what a case is made of: a model, its words, and the texts that it reads."""
    return {
        "settings": Settings(padding=options.pop("padding", "pre")),
        "texts": CLASSIC,
        "source": model_of(*(layers or (LSTM,)), **options),
        "words": words_by_id(*WORDS),
        "padding_given": True,
    }


def with_words(words, **changes):
    return model_with() | {"words": words} | changes


def source_with_problems():
    problems = Problems("'bad.txt'")
    problems.add("short lines", "line 2 has 1 number; expected 4")
    source = source_of(ROWS, ["", *WORDS])
    return replace(source, contents=replace(source.contents, problems=problems))


def vectors_of_words_with_spaces():
    source = source_of(ROWS, ["ice cream", *WORDS])
    return replace(source, contents=replace(source.contents, kind="GloVe text"))


def run_that_left_a_row():
    words = make_case(Settings(), CLASSIC).vocabulary
    return {"settings": Settings(), "source": run_of(words, rows=ROWS, num_words=6)}


def of_a_table(drawn=slice(0), alike=slice(0)):
    """Return a case of a larger matrix, with rows as Keras draws them, or like those before."""
    random = np.random.RandomState(0)
    rows = random.normal(0, 1, (300, 16)) * random.gamma(5, 1, (300, 1))
    rows[drawn] = random.uniform(-0.05, 0.05, rows[drawn].shape)
    rows[1:][alike] = rows[:-1][alike] * 1.1
    words = words_by_id(*(f"w{row}" for row in range(1, 300)))
    return {"settings": Settings(), "source": model_of(LSTM, rows=rows), "words": words}


def of_tokens(rows=None, **known):
    """Return a case of a language model's table: 300 tokens, where nothing else is said."""
    if rows is None:
        rows = trained(300)
    return {"settings": Settings(), "source": language_model_of(rows, **known)}


def tokens_near_unused_ones():
    rows = trained(300)
    rows[:28] = decayed(28)
    names = [f"[unused{row}]" if row < 20 else f"w{row}" for row in range(300)]
    return of_tokens(rows, names=names, tied=True)


def added_tokens_all_alike():
    rows = trained(300)
    rows[290:] = rows[3] * 2
    return of_tokens(rows, added={f"w{row}": row for row in range(290, 300)})


def tokens_with_spaces():
    letters = [chr(97 + row // 26) + chr(97 + row % 26) for row in range(150)]
    return of_tokens(names=[*letters, *("Ġ" + word for word in letters)], space="Ġ")


# By topic, what a case is made of in which the check finds something.
BROKEN = {
    "rows of tokens": lambda: of_tokens(ids={"w0": 0, "w1": 300}),
    "vocab_size": lambda: of_tokens(vocab_size=301),
    "output head": lambda: of_tokens(head=trained(300, seed=3), tied=True),
    "tokens of rows": lambda: of_tokens(names=[f"w{row}" for row in range(290)]),
    "ids out of range": lambda: with_words(words_by_id(*WORDS, "more")),
    "negative ids": lambda: with_words(words_by_id(*WORDS, more=-2)),
    "id 0": lambda: with_words(
        words_by_id(*WORDS, **{"[UNK]": 0}), source=model_of(LSTM, mask_zero=True)
    ),
    "lengths": lambda: with_words(words_in_order("<pad>", *WORDS[:3])),
    "shared ids": lambda: with_words(words_by_id(*WORDS, more=5)),
    "IMDB offset": lambda: with_words(words_by_id(**IMDB)),
    "unused rows": lambda: with_words(words_by_id(*WORDS[:4])),
    "misaligned rows": lambda: with_words(
        words_by_id(*WORDS), reference=source_of(np.roll(ROWS[1:], 1, axis=0), WORDS)
    ),
    "NaN": lambda: model_with(rows=rows_with({2: np.nan})),
    "zero rows": lambda: model_with(rows=rows_with({2: 0})),
    "duplicate rows": lambda: model_with(rows=rows_with({2: ROWS[3]})),
    "padding row": lambda: model_with(rows=rows_with({0: ROWS[1] * 40})),
    "unmoved rows": run_that_left_a_row,
    "untrained rows": lambda: of_a_table(drawn=slice(0, 100)),
    "near duplicates": lambda: of_a_table(alike=slice(0, 5)),
    "added tokens": added_tokens_all_alike,
    "unused tokens": tokens_near_unused_ones,
    "tokens there twice": tokens_with_spaces,
    "lost masks": lambda: model_with(layer("Flatten"), mask_zero=True),
    "side of the padding": lambda: model_with(padding="post"),
    "cuDNN": lambda: model_with(LSTM, mask_zero=True),
    "averages": lambda: model_with(AVERAGE),
    "vocabulary": lambda: {"settings": Settings(), "source": source_of(ROWS)},
    "Keras version": lambda: model_with(version="3.1.0"),
    "code": lambda: model_with(layer("Lambda")),
    "damaged lines": lambda: {"settings": Settings(), "source": source_with_problems()},
    "other readers": lambda: {"settings": Settings(), "source": vectors_of_words_with_spaces()},
    "unknown words": lambda: model_with() | {"texts": ["quite other words"]},
    "empty texts": lambda: model_with() | {"texts": [*CLASSIC, "other"]},
    "truncation": lambda: model_with(length=3),
    "maxlen": lambda: model_with(length=30),
}


def changed(parts, **changes):
    """Return the parts with another Keras file or layer, where they have one."""
    source = parts["source"]
    if source.keras is None:
        return parts
    contents = source.contents
    keras = replace(source.keras, **changes.get("keras", {}))
    embedding = replace(source.layer, **changes.get("layer", {}))
    return parts | {
        "source": replace(source, contents=replace(contents, keras=keras, layer=embedding))
    }


def as_an_array(parts):
    """Return the parts with the rows alone, as if they had been exported."""
    source = parts["source"]
    contents = replace(source.contents, keras=None, layer=None, tokens=None, tensors=())
    return parts | {
        "source": replace(source, contents=contents, run=None, vocabulary=None, epoch=None)
    }


def without(parts, *names):
    return {name: part for name, part in parts.items() if name not in names}


def before_training(parts):
    source = parts.get("source")
    return (
        parts
        if source is None or source.run is None
        else parts | {"source": replace(source, epoch=0)}
    )


TAKEN_AWAY = {
    "nothing": lambda parts: parts,
    "the texts": lambda parts: without(parts, "texts"),
    "the vocabulary": lambda parts: without(parts, "words", "reference"),
    "the reference": lambda parts: without(parts, "reference"),
    "the source": lambda parts: without(parts, "source", "reference"),
    "the side of the padding": lambda parts: (
        without(parts, "padding_given") | {"settings": replace(parts["settings"], padding="pre")}
    ),
    "the length": lambda parts: of_any_length(parts),
    "the config": lambda parts: changed(parts, keras={"config": None}, layer={"mask_zero": None}),
    "the version": lambda parts: changed(parts, keras={"version": None}),
    "the layers' kinds": lambda parts: of_unknown_kinds(parts),
    "the model": as_an_array,
    "the rows before training": before_training,
}


def with_layers(parts, change):
    """Return the parts with each layer of the model as `change` makes it."""
    if parts["source"].keras is None:
        return parts
    config = parts["source"].keras.config
    layers = [change(entry) for entry in config["config"]["layers"]]
    return changed(parts, keras={"config": config | {"config": {"layers": layers}}})


def of_any_length(parts):
    any_length = layer("InputLayer", batch_shape=[None, None])
    return with_layers(
        parts, lambda entry: any_length if entry["class_name"] == "InputLayer" else entry
    )


def of_unknown_kinds(parts):
    """Return the parts with layers of classes that nobody knows, but for those that hold code."""
    known = {"InputLayer", "Embedding", "Lambda"}
    return with_layers(
        parts,
        lambda entry: entry if entry["class_name"] in known else entry | {"class_name": "Mine"},
    )


@pytest.fixture(autouse=True)
def rows_before_training(monkeypatch):
    """Runs that are made in memory had these rows before training: one of them never moved."""
    before = source_of(rows_with(dict.fromkeys([1, 2, 4, 5], 7.0))).matrix
    monkeypatch.setattr(
        "embedinspect.training.run_folder.open_embedding", lambda run, epoch: before
    )


def test_each_check_has_a_broken_case():
    assert [check.topic for check in CHECKS] == list(BROKEN)


@pytest.mark.parametrize("topic", BROKEN)
@pytest.mark.parametrize("evidence", TAKEN_AWAY)
def test_what_is_broken_is_never_in_order(topic, evidence):
    check = next(check for check in CHECKS if check.topic == topic)
    parts = BROKEN[topic]()
    sound = diagnose(make_case(**model_with()))
    broken = diagnose(make_case(**parts))
    new = {finding.kind for finding in broken.findings} - {f.kind for f in sound.findings}
    assert new, "the case is not broken"
    assert check.in_order not in broken.in_order
    left = diagnose(make_case(**TAKEN_AWAY[evidence](parts)))
    assert check.in_order not in left.in_order


def test_every_check_that_can_be_asked_of_a_model_is_in_order_for_a_sound_one():
    """So that the test above cannot pass by checks that never say anything."""
    sound = model_with(LSTM, mask_zero=True) | {"settings": Settings(padding="post")}
    in_order = diagnose(make_case(**sound)).in_order
    unsaid = {check.topic for check in CHECKS if check.in_order not in in_order}
    assert unsaid == {
        "lengths", "IMDB offset", "misaligned rows", "unmoved rows",  # need more than a model
        "untrained rows", "near duplicates",  # need a larger matrix
        "other readers",  # is asked of word vectors
        *(check.topic for check in language_model.CHECKS),  # and these of a table of tokens
        *(check.topic for check in language_model.LATE_CHECKS),
        "side of the padding", "averages",  # no layer is there that could be hurt
    }  # fmt: skip
