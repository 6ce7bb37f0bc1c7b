"""The `.keras` file of a run whose matrix is too large to be held: written from the checkpoint.

Keras saves the same classifier with a matrix of one row; then the rows are put in its place.
Format: `keras.src.saving.saving_lib`, a zip of JSON and of the weights in HDF5.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from embedinspect.files import workshop
from embedinspect.formats.arrays import Array
from embedinspect.training import checkpoint, classifier
from embedinspect.training.run_folder import Run
from embedinspect.training.run_place import WORKSHOP

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_EMBEDDINGS = "embedding/embeddings"


def write(keras: Any, model: Any, run: Run, tables: Collection[str], path: Path) -> None:
    """Write the model file of a run from the checkpoint of its last epoch.

    Args:
        model: the classifier, of which process 0 holds some rows; its layers are written.
        tables: the arrays of the checkpoint that have a row for each word, by name.
        path: of the file, which is of no use where this fails.

    Raises:
        DataError: the checkpoint is missing or damaged.
        OSError: the file cannot be written.
    """
    settings = run.settings
    small = classifier.build(keras, replace(settings, num_words=1), layer=keras.layers.LSTM)
    shapes = classifier.state_shapes(small)
    whole = (settings.num_words, settings.output_dim)
    shapes = {name: whole if name in tables else shape for name, shape in shapes.items()}
    state = run.checkpoint_path(run.epochs)
    blocks = checkpoint.read_blocks(state, shapes)
    classifier.fill(small, {name: block for name, _, block in blocks if name not in tables})
    with workshop(path.parent, WORKSHOP) as folder:
        saved, weights = folder / "small.keras", folder / _WEIGHTS
        small.save(saved)
        with zipfile.ZipFile(saved) as template:
            template.extract(_WEIGHTS, folder)
        blocks = checkpoint.read_blocks(state, shapes)
        _put_rows(weights, whole, (block for block in blocks if block[0] in tables))
        with zipfile.ZipFile(saved) as template, zipfile.ZipFile(path, "w") as archive:
            for member in template.namelist():
                if member == _WEIGHTS:
                    archive.write(weights, member)
                elif member == _CONFIG:
                    archive.writestr(member, _config(keras, model, whole[0]))
                else:
                    archive.writestr(member, template.read(member))


def _put_rows(path: Path, shape: tuple[int, int], blocks: Iterator[tuple[str, int, Array]]) -> None:
    """Put tables in the place of those of one row, in a file of weights."""
    import h5py

    with h5py.File(path, "r+") as weights:
        for name, first, block in blocks:
            place = _place(name)
            if first == 0:
                dtype = weights[place].dtype
                del weights[place]
                weights.create_dataset(place, shape, dtype)
            weights[place][first : first + len(block)] = block


def _place(name: str) -> str:
    """Return where Keras keeps an array of the state in its file of weights."""
    if name == _EMBEDDINGS:
        return "layers/embedding/vars/0"
    return name.replace("optimizer/", "optimizer/vars/")


def _config(keras: Any, model: Any, rows: int) -> str:
    """Return the configuration of a model as Keras writes it, with a matrix of so many rows."""
    config = keras.saving.serialize_keras_object(model)
    [embedding] = [
        layer for layer in config["config"]["layers"] if layer["class_name"] == "Embedding"
    ]
    embedding["config"]["input_dim"] = rows
    return json.dumps(config)
