"""The proof: Keras's own layer on the same batch, and what happens when it disagrees."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from embedinspect import backend, keras_layer
from embedinspect.errors import KerasUnavailable, UsageError
from embedinspect.lookup import Settings, look_up
from embedinspect.matrix import EmbeddingMatrix
from embedinspect.stored_rows import StoredRows
from tests.conftest import BACKEND, CLASSIC


def test_keras_confirms_the_lookup():
    proof = keras_layer.prove(look_up(CLASSIC, Settings(maxlen=6, mask_zero=True)))
    assert proof.holds
    assert (proof.vectors_equal, proof.vectors_total, proof.mask_equal) == (12, 12, 12)
    assert proof.output_shape == (2, 6, 3)
    assert proof.backend == BACKEND


def test_the_batch_goes_through_in_parts(monkeypatch):
    monkeypatch.setattr(keras_layer, "_VALUES_AT_A_TIME", 40)
    proof = keras_layer.prove(look_up(CLASSIC * 5, Settings(maxlen=6)))
    assert proof.output_shape == (10, 6, 3)
    assert (proof.vectors_equal, proof.vectors_total) == (60, 60)


def test_numbers_that_are_not_finite_are_compared_bit_for_bit():
    rows = np.array([[0, -0.0], [np.nan, np.inf], [1e-45, -np.inf]], np.float32)
    assert keras_layer.prove(look_up(["a b"], matrix=EmbeddingMatrix(rows, "test"))).holds


@pytest.mark.parametrize("mask_zero", [False, True])
def test_of_a_large_matrix_the_layer_gets_just_the_rows_in_use(mask_zero, monkeypatch):
    monkeypatch.setattr(keras_layer, "_MOST_VALUES", 100)
    halves = np.random.RandomState(0).standard_normal((50, 3)).astype(np.float16)
    matrix = EmbeddingMatrix(StoredRows(halves, (50, 3)), "test")
    lookup = look_up(CLASSIC, Settings(maxlen=6, mask_zero=mask_zero), matrix=matrix)
    monkeypatch.setattr(StoredRows, "__array__", None)  # the whole is never copied
    proof = keras_layer.prove(lookup)
    assert proof.holds
    assert (proof.vectors_total, proof.rows) == (12, 6)
    assert proof.mask_equal == (12 if mask_zero else None)


def test_texts_without_positions():
    proof = keras_layer.prove(look_up([""]))
    assert (proof.holds, proof.vectors_total, proof.output_shape) == (True, 0, (1, 0, 3))


def test_a_difference_is_found_and_named(monkeypatch):
    import keras

    class Wrong(keras.layers.Embedding):
        def call(self, inputs):
            output = keras.ops.convert_to_numpy(super().call(inputs)).copy()
            output[1, 3, 2] = np.nextafter(output[1, 3, 2], np.float32(1))
            return output

    monkeypatch.setattr(keras.layers, "Embedding", Wrong)
    proof = keras_layer.prove(look_up(CLASSIC, Settings(maxlen=6)))
    assert not proof.holds
    assert proof.first_difference == (1, 3)
    assert (proof.vectors_equal, proof.vectors_total) == (11, 12)


def test_a_difference_is_an_error_with_its_place(run, monkeypatch):
    wrong = keras_layer.Proof("3", "tensorflow", (1, 2, 3), 1, 2, None, (0, 1))
    monkeypatch.setattr(keras_layer, "prove", lambda *_: wrong)
    for form in ("table", "json", "ndjson", "csv"):
        code, out, err = run("show", "a b", "--format", form)
        assert code == 1
        assert "first at text 0, position 1 (id 2)" in err
        assert out


def test_the_backend_is_chosen_in_order(monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND")
    assert backend.choose(None) == "tensorflow"
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert backend.choose(None) == "jax"
    assert backend.choose("torch") == "torch"
    monkeypatch.setenv("KERAS_BACKEND", "theano")
    with pytest.raises(UsageError, match="KERAS_BACKEND is 'theano'"):
        backend.choose(None)


def test_keras_cannot_change_its_backend():
    with pytest.raises(UsageError, match=f"already runs on {BACKEND}"):
        keras_layer.load("numpy")


def test_what_native_code_prints_stays_off_the_screen(capfd):
    with keras_layer.quiet():
        os.write(1, b"noise")
        os.write(2, b"noise")
    os.write(1, b"result")
    assert capfd.readouterr() == ("result", "")


def test_what_was_caught_is_replayed_on_an_error_of_ours(capfd):
    def fail():
        with keras_layer.quiet():
            os.write(2, b"what the native code said")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert "what the native code said" in capfd.readouterr().err


@pytest.fixture
def interruptible():
    """Ctrl-C interrupts, also where the tests were started with it ignored, in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_as_the_block_ends_says_nothing(capfd, monkeypatch, interruptible):
    # It can come before the block is told of its end, which then is never told at all.
    ignored = []
    monkeypatch.setattr(sys, "unraisablehook", ignored.append)
    block = keras_layer.quiet()
    block.__enter__()
    os.write(2, b"noise")
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    del block
    os.write(1, b"after it")
    assert not ignored
    assert capfd.readouterr() == ("after it", "")


def test_a_missing_backend_is_one_line(capfd):
    def fail():
        with keras_layer.quiet():
            os.write(2, b"noise")
            raise KerasUnavailable("no backend")

    with pytest.raises(KerasUnavailable):
        fail()
    assert capfd.readouterr().err == ""


def wrong_layer(monkeypatch, **methods):
    import keras

    wrong = type("Wrong", (keras.layers.Embedding,), methods)
    monkeypatch.setattr(keras.layers, "Embedding", wrong)


def test_a_mask_that_differs_is_found(monkeypatch):
    wrong_layer(monkeypatch, compute_mask=lambda self, ids, mask=None: ids != 2)
    proof = keras_layer.prove(look_up(CLASSIC, Settings(maxlen=6, mask_zero=True)))
    assert proof.first_difference == (0, 0)
    assert (proof.vectors_equal, proof.mask_equal) == (12, 7)


def test_the_place_counts_from_the_first_text_of_all(monkeypatch):
    monkeypatch.setattr(keras_layer, "_VALUES_AT_A_TIME", 18)  # one text at a time
    wrong_layer(monkeypatch, call=lambda self, ids: np.asarray(self.embeddings)[np.maximum(ids, 1)])
    texts = ["a b c d e f", "a b c d e f", "a b"]
    assert keras_layer.prove(look_up(texts)).first_difference == (2, 0)


def test_the_process_ends_with_the_code_of_a_difference(tmp_path):
    code = (
        "import sys\n"
        "from embedinspect import keras_layer\n"
        "from embedinspect.__main__ import console\n"
        "sys.modules['keras'] = sys  # as if it had been imported\n"
        "wrong = keras_layer.Proof('3', 'tensorflow', (1, 1, 3), 0, 1, None, (0, 0))\n"
        "keras_layer.prove = lambda *_: wrong\n"
        "sys.argv = ['embedinspect', 'show', 'a']\n"
        "console()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)
    assert done.returncode == 1
    assert "first at text 0, position 0" in done.stderr
    assert "0 of 1 vectors" in done.stdout
