"""Maps of runs: before and after on the same axes, how far rows moved, what the classifier says."""

from __future__ import annotations

import numpy as np
import pytest

from embedinspect import keras_layer
from embedinspect.analysis.axis import opinion, rank
from embedinspect.analysis.map import MapOptions, lay_out
from embedinspect.errors import UsageError
from embedinspect.source import SourceOptions, open_source
from embedinspect.training import classifier
from embedinspect.training.predict import _shared
from embedinspect.training.run_folder import open_embedding
from embedinspect.training.settings import TrainSettings
from tests.training.builders import BAD, GOOD


def test_before_and_after_are_seen_on_the_same_axes(trained):
    source = open_source("a")
    made = lay_out(source, MapOptions(before=0))
    then = open_embedding(source.run, 0).rows.astype(np.float64)[made.rows]
    now = source.matrix.rows.astype(np.float64)[made.rows]
    _, _, right = np.linalg.svd(now - now.mean(axis=0), full_matrices=False)
    turned = (then - now.mean(axis=0)) @ right[:2].T
    assert np.abs(made.before) == pytest.approx(np.abs(turned), abs=1e-9)
    assert (made.points - made.before) == pytest.approx(
        (now - then) @ right[:2].T * np.sign(made.before[0] / turned[0]), abs=1e-9
    )
    centred = then - then.mean(axis=0)
    expected = ((centred @ right[:2].T) ** 2).sum() / (centred**2).sum()
    assert made.before_seen == pytest.approx(expected)
    assert made.before_epoch == 0
    with pytest.raises(UsageError, match="but for 3, which is that of the map itself"):
        lay_out(source, MapOptions(before=source.run.epochs))
    with pytest.raises(UsageError, match="expected 0 to 3"):
        lay_out(source, MapOptions(before=9))


def test_by_cosine_the_rows_before_have_length_1_too(trained):
    source = open_source("a")
    made = lay_out(source, MapOptions(before=0, metric="cosine"))
    sides = []
    for rows in (open_embedding(source.run, 0).rows, source.matrix.rows):
        wide = np.asarray(rows, np.float64)[made.rows]
        sides.append(wide / np.linalg.norm(wide, axis=1, keepdims=True))
    then, now = sides
    _, _, right = np.linalg.svd(now - now.mean(axis=0), full_matrices=False)
    turned = (then - now.mean(axis=0)) @ right[:2].T
    assert np.abs(made.before) == pytest.approx(np.abs(turned), abs=1e-5)


def test_a_run_is_coloured_by_how_far_its_rows_moved(trained):
    source = open_source("a")
    for before, options in ((0, MapOptions()), (1, MapOptions(before=1))):
        made = lay_out(source, options)
        then = open_embedding(source.run, before).rows[made.rows]
        moved = np.linalg.norm(source.matrix.rows[made.rows].astype(float) - then, axis=1)
        assert made.shade.values == pytest.approx(moved)
        assert made.color_by == "moved"
    assert lay_out(open_source("a", SourceOptions(epoch=0))).shade is None


def test_the_classifier_colours_each_word_as_it_reads_it_alone(trained):
    source = open_source("a")
    made = lay_out(source, MapOptions(color_by="classifier"))
    found = opinion(rank(source, BAD, GOOD))
    chances = dict(zip(found.words, found.probabilities, strict=True))
    compared = [place for place, name in enumerate(made.names) if name in chances]
    assert len(compared) == len(chances)
    for place in compared:
        assert made.shade.values[place] == pytest.approx(chances[made.names[place]], abs=1e-6)
    assert (made.shade.low_name, made.shade.high_name) == source.run.label_names
    with pytest.raises(UsageError, match="only that after epoch 3 is kept"):
        lay_out(open_source("a", SourceOptions(epoch=1)), MapOptions(color_by="classifier"))


def test_after_is_the_epoch_and_brings_before(trained, run):
    import json

    document = json.loads(run("map", "a", "--after", "2", "--json")[1])
    assert (document["source"]["epoch"], document["before_epoch"]) == (2, 0)
    document = json.loads(run("map", "a", "--before", "1", "--json")[1])
    assert (document["source"]["epoch"], document["before_epoch"]) == (3, 1)
    code, out, err = run("map", "a", "--after", "2", "--epoch", "2")
    assert (code, out) == (2, b"")
    assert "name the same epoch" in err


@pytest.mark.parametrize("mask_zero", [True, False])
@pytest.mark.parametrize("padding", ["pre", "post"])
def test_what_all_texts_begin_with_is_read_once(mask_zero, padding):
    keras = keras_layer.load()
    settings = TrainSettings(
        num_words=20, output_dim=4, units=5, maxlen=6, mask_zero=mask_zero, padding=padding
    )
    model = classifier.build(keras, settings)
    padded = np.zeros((30, 6), np.int32)
    columns = slice(4, 6) if padding == "pre" else slice(0, 2)
    padded[:, columns] = np.random.RandomState(0).randint(1, 20, (30, 2))
    padded[:, columns.start] = 1
    expected = classifier.predict(keras, model, padded)
    assert np.ptp(expected) > 1e-4
    for shared in (5, 4, 3) if padding == "pre" else (1,):
        found = classifier.predict_after(keras, model, padded, shared, batch_size=7)
        assert found == pytest.approx(expected, abs=1e-6)
    assert _shared(padded) == (5 if padding == "pre" else 1)
    assert _shared(padded[:1]) == 5
    assert _shared(np.arange(4)[:, None]) == 0
