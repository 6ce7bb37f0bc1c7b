"""A sample of the sweep: models saved by Keras, each traced and compared with the model itself."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sweeps import keras_models


@pytest.fixture(scope="module")
def keras():
    from embedinspect import keras_layer

    return keras_layer.load("tensorflow")


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(list(keras_models.models())))
def test_ids_are_those_of_the_model_or_refused(keras, tmp_path, model):
    outcomes = keras_models.run_one(keras, *model, tmp_path, alone=False)
    assert outcomes is not None, keras_models.REFUSED_BY_KERAS
    assert outcomes["equal"] + outcomes["refused"] > 0
    assert (outcomes["wrong"], outcomes["wrong words"]) == (0, 0)


@pytest.mark.parametrize("rules", ["default", "strings", "numbers"])
def test_the_sweep_compares_something(keras, tmp_path, rules):
    outcomes = keras_models.run_one(keras, "functional", rules, 1, tmp_path, alone=False)
    assert outcomes["equal"] == len(keras_models.TEXTS)


def test_the_sweep_sees_a_wrong_answer(keras, tmp_path, monkeypatch):
    from embedinspect.tokenizing import rules

    monkeypatch.setattr(rules, "_STRIPPED", {})
    outcomes = keras_models.run_one(keras, "functional", "default", 1, tmp_path, alone=False)
    assert outcomes["wrong"] > 0
