"""What Keras says in Python: runs that were trained there, live models, and the kept notebook."""

from __future__ import annotations

import gc
import json
from pathlib import Path

import numpy as np
import pytest

import embedinspect as ei

NOTEBOOK = Path(__file__).parents[1] / ".github" / "notebook.ipynb"
TEXT = "a wonderful, moving film"
# What is asked of a run, in Python and on the command line.
OF_A_RUN = {
    "info": (lambda s: s.info(), ["info", "run"]),
    "rows that moved": (lambda s: s.rows(sort="moved", top=3),
                        ["rows", "run", "--sort", "moved", "--top", "3"]),
    "axis": (lambda s: s.axis(low="awful", high="wonderful", top=3, keras=True),
             ["axis", "run", "--low", "awful", "--high", "wonderful", "--top", "3"]),
    "diff": (lambda s: s.diff(words="film"), ["diff", "run", "film"]),
    "map": (lambda s: s.map(before=0, first=50), ["map", "run", "--before", "0", "--first", "50"]),
    "doctor": (lambda s: s.doctor(TEXT), ["doctor", "run", TEXT]),
    "why": (lambda s: s.why(TEXT, label="positive"), ["why", "run", TEXT, "--class", "positive"]),
    "show": (lambda s: s.show(TEXT, keras=True), ["show", "--from", "run", TEXT]),
}  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run that was trained from Python; returns its folder and what training has answered."""
    folder = tmp_path_factory.mktemp("trained")
    answer = ei.train("sample:reviews", epochs=1, units=4, out=folder / "run")
    return folder, answer


def test_training_answers_with_what_the_run_holds(trained):
    folder, answer = trained
    document = answer.to_dict()
    assert document["command"] == "train"
    kept = ei.open(folder / "run").info().to_dict()
    assert document["history"] == kept["history"]
    assert document["test"] == kept["test"]
    assert answer.to_pandas()["loss"].tolist() == [epoch["loss"] for epoch in kept["history"]]


@pytest.mark.parametrize("name", OF_A_RUN)
def test_a_run_answers_as_on_the_command_line(trained, run, monkeypatch, name):
    monkeypatch.chdir(trained[0])
    ask, line = OF_A_RUN[name]
    answer = ask(ei.open("run"))
    assert answer.to_dict() == json.loads(run(*line, "--json")[1])
    assert "<script" not in answer._repr_html_()


def test_keras_is_asked_once_for_an_answer_in_every_form(run, monkeypatch):
    from embedinspect import keras_layer

    times = []
    prove = keras_layer.prove
    monkeypatch.setattr(keras_layer, "prove", lambda *a: times.append(1) or prove(*a))
    answer = ei.show("one two", keras=True)
    assert "Keras 3" in repr(answer) + answer.to_markdown() + answer._repr_html_()
    assert answer.to_dict() == json.loads(run("show", "one two", "--json")[1])
    assert len(times) == 2  # once here, once for the command
    lesson = ei.explain("mask-zero", keras=True)
    assert lesson.to_dict() == json.loads(run("explain", "mask-zero", "--json")[1])


@pytest.fixture(scope="module")
def model():
    """A model with its TextVectorization, as it is in the memory of a notebook."""
    import keras

    texts = keras.layers.TextVectorization(output_sequence_length=4)
    texts.adapt(["a good film", "a bad film"])
    model = keras.Sequential(
        [
            keras.Input((1,), dtype="string"),
            texts,
            keras.layers.Embedding(6, 3, mask_zero=True, name="words"),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(1, activation="sigmoid"),
        ],
        name="reviews",
    )
    return model, texts


def test_a_live_model_answers_by_its_own_vocabulary_and_rows(model):
    model, texts = model
    rows = model.get_layer("words").get_weights()[0]
    live = ei.open(model)
    assert live.source.matrix.rows.tolist() == rows.tolist()
    folder = Path(live.source.path).parent
    shown = live.show("a strange film", keras=True).to_dict()
    assert shown["texts"][0]["sequence"] == np.asarray(texts(["a strange film"]))[0].tolist()
    assert shown["settings"]["mask_zero"]
    assert ei.open(model, layer="words").rows("film").to_dict()["rows"][0]["row"] == 2
    assert folder.exists()
    del live
    gc.collect()
    assert not folder.exists()
    with pytest.raises(ei.UsageError, match="no-such-layer"):
        ei.open(model, layer="no-such-layer")


def test_a_live_layer_has_its_rows_its_mask_and_the_id_of_unknown_words(model, recwarn):
    model, texts = model
    layer = model.get_layer("words")
    live = ei.open(layer, words=texts.get_vocabulary())
    assert not [one for one in recwarn if one.category is ei.EmbedInspectWarning]
    assert live.source.matrix.rows.tolist() == layer.get_weights()[0].tolist()
    assert live.source.row_0_is_padding
    assert live.source.words is not None
    assert live.source.words[0] is None
    shown = live.show("a strange film").to_dict()
    assert shown["texts"][0]["sequence"] == [3, 1, 2]  # [UNK] is the row of what is not known
    assert shown["settings"]["mask_zero"]
    meanings = live.decode([0, 1, 2]).to_pandas()["status"].tolist()
    assert meanings == ["padding", "word", "word"]
    with pytest.warns(ei.EmbedInspectWarning, match="give index_from=1"):
        ei.open(layer, words=["film", "a"])


def test_a_layer_with_learned_changes_beside_its_rows_has_them_in(model):
    import keras

    layer = keras.layers.Embedding(4, 3)
    layer.build(None)
    layer.enable_lora(1)
    for weight in layer.trainable_variables:
        weight.assign(np.full(weight.shape, 0.5, np.float32))
    ids = np.arange(4)
    output = keras.ops.convert_to_numpy(layer(ids))
    np.testing.assert_allclose(ei.open(layer).source.matrix.rows, output, rtol=1e-6)
    quantized = keras.layers.Embedding(4, 3)
    quantized.build(None)
    quantized.quantize("int8")
    with pytest.raises(ei.DataError, match="quantized"):
        ei.open(quantized)
    with pytest.raises(ei.DataError, match="has 2 arrays"):
        ei.open(model[0].layers[-1])


def executed(notebook, folder):
    nbclient = pytest.importorskip("nbclient")
    client = nbclient.NotebookClient(
        notebook, timeout=120, resources={"metadata": {"path": str(folder)}}, allow_errors=True
    )
    client.execute()
    return [out for cell in notebook.cells if cell.cell_type == "code" for out in cell.outputs]


def test_the_notebook_runs_from_its_first_cell_to_its_last(tmp_path):
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells)  # it is kept without them
    notebook.cells.append(nbformat.v4.new_code_cell("vectors.rows('qeen')"))
    *outputs, mistake = executed(notebook, tmp_path)
    assert [
        out for out in outputs if out.output_type == "error" or out.get("name") == "stderr"
    ] == []
    assert len(outputs) == sum(cell.cell_type == "code" for cell in notebook.cells) - 1
    assert sum("text/html" in out.get("data", {}) for out in outputs) >= 10
    assert mistake.ename == "UsageError"
    assert len(mistake.traceback) == 1
    assert "did you mean 'queen'?" in mistake.traceback[0]
