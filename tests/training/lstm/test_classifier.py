"""The classifier with the packed LSTM beside the same one with Keras's."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest

from embedinspect.errors import UsageError
from embedinspect.training import batches, classifier, fit, session
from embedinspect.training.lstm import choice
from embedinspect.training.settings import TrainSettings
from tests.training.builders import SIZES, write_table

SIZES_HERE = {"num_words": 60, "maxlen": 40, "output_dim": 8, "units": 12, "batch_size": 16}


def texts(count, seed=0):
    random = np.random.default_rng(seed)
    ids = [random.integers(1, 60, random.integers(1, 60)).astype(np.int32) for _ in range(count)]
    return fit.Part(ids, random.integers(0, 2, count).astype(np.int8))


def trained(lstm, part, epochs, **options):
    """Return the state of a classifier after some epochs, by name."""
    settings = TrainSettings(**SIZES_HERE, lstm=lstm, **options)
    model = classifier.build(keras, settings, len(part))
    for epoch in range(1, epochs + 1):
        model.fit(batches.dataset(keras, part, settings, epoch), shuffle=False, verbose=0)
    return classifier.state_arrays(keras, model)


@pytest.mark.parametrize("options", [{}, {"mask_zero": True, "padding": "post"}])
def test_fifty_steps_leave_the_weights_and_the_optimizer_of_keras(options):
    """Keras's Adam squares the gradient of each position by itself, so padding counts as well."""
    part = texts(200)
    packed = trained("packed", part, 4, **options)
    plain = trained("keras", part, 4, **options)
    assert packed.keys() == plain.keys()
    for name, array in plain.items():
        assert np.abs(packed[name] - array).max() <= 1e-4 * max(1, np.abs(array).max()), name


def test_the_model_that_is_saved_is_one_of_kerass_own_classes(tmp_path):
    settings = TrainSettings(**SIZES_HERE, lstm="packed")
    model = classifier.build(keras, settings)
    part = texts(40)
    model.fit(batches.dataset(keras, part, settings, 1), shuffle=False, verbose=0)
    classifier.plain(keras, model, settings).save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded) is keras.Sequential
    assert [type(layer).__module__.split(".")[0] for layer in loaded.layers] == ["keras"] * 3
    ids = batches.padded(part, batches.Batch(np.arange(40), 40), settings)
    expected = model.predict_on_batch(ids)
    assert loaded.predict_on_batch(ids) == pytest.approx(expected, abs=1e-6)
    assert classifier.plain(keras, loaded, settings) is loaded
    pairs = zip(loaded.optimizer.variables, model.optimizer.variables, strict=True)
    assert all((ours.numpy() == saved.numpy()).all() for saved, ours in pairs)


def test_a_run_goes_on_to_the_last_bit_and_either_lstm_takes_it_up(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_table(tmp_path / "reviews.csv")
    options = {**SIZES, "lstm": "packed"}

    def train(out, epochs):
        begun = session.begin("reviews.csv", {**options, "epochs": epochs}, out=out)
        return session.train(session.build(begun), lambda _: None)

    def state(path):
        with np.load(next((tmp_path / path / "checkpoint").glob("*.npz"))) as saved:
            return {name: saved[name] for name in saved.files}

    told = train("whole", 2).lstm
    assert told == {"kernel": "packed", "reason": "tokens alone are computed"}
    train("halves", 1)
    session.train(session.build(session.resume("halves", {"epochs": 2})), lambda _: None)
    whole, halves = state("whole"), state("halves")
    assert all((whole[name] == halves[name]).all() for name in whole)
    taken = session.resume("whole", {"lstm": "keras"})
    run, model = fit.resume(keras, taken.run, taken.data)
    assert run.lstm["kernel"] == "keras"
    now = classifier.state_arrays(keras, model)
    assert all((now[name] == whole[name]).all() for name in now if name in whole)


def test_which_lstm_is_used_and_why():
    large = TrainSettings()

    def choose(settings, backend="tensorflow", gpu=False, texts=25_000):
        return choice.choose(settings, backend, gpu, texts)

    assert choose(large).kernel == "packed"
    assert choose(replace(large, mask_zero=True)).kernel == "packed"
    for other, arguments in [
        (large, {"backend": "jax"}),
        (large, {"gpu": True}),
        (large, {"texts": 100}),
        (replace(large, dropout=0.2), {}),
        (replace(large, shards=2), {}),
        (replace(large, lstm="keras"), {}),
    ]:
        assert choose(other, **arguments).kernel == "keras"
    assert choose(large, texts=100).reason == (
        f"so few positions ({100 * large.maxlen:,}) do not pay for loading the packed one (from "
        "1,000,000 on)"
    )
    assert choose(replace(large, lstm="packed"), texts=1).kernel == "packed"
    with pytest.raises(UsageError, match="dropout"):
        choose(replace(large, lstm="packed", dropout=0.2))


def test_without_numba_keras_trains_and_what_is_missing_is_said(monkeypatch):
    monkeypatch.setattr(choice, "LIBRARY", "no_such_package")
    found = choice.choose(TrainSettings(), "tensorflow", False, 25_000)
    assert found.kernel == "keras"
    assert "not installed" in found.reason
