"""The run folder: plain JSON and arrays, written so that a kill leaves the old or the new state.

`run.json` is the state. Everything that it names is written before it is put in its place, in
one step, and nothing else in the folder counts.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from embedinspect.errors import DataError, UsageError, os_reason
from embedinspect.files import put, unwritable, workshop, write_whole
from embedinspect.formats import open_matrix
from embedinspect.formats.arrays import Array
from embedinspect.lookup import Settings
from embedinspect.matrix import EmbeddingMatrix
from embedinspect.saved_vocabulary import from_json
from embedinspect.training import checkpoint, run_place, run_state
from embedinspect.training.checkpoint import State
from embedinspect.training.data import LabelledData
from embedinspect.training.run_state import (
    EXPECTED,
    FORMAT,
    FORMAT_VERSION,
    STATE,
    TRAINING,
)
from embedinspect.training.settings import TrainSettings, settings_from
from embedinspect.vocabulary import Vocabulary
from embedinspect.wording import up_to

VOCABULARY, MODEL = "vocabulary.json", "model.keras"


@dataclass(frozen=True)
class Run:
    """A run folder as it stands.

    Attributes:
        path: the path of the folder.
        settings: the settings of the training.
        vocabulary: the vocabulary with its reserved ids.
        data: name, source, fingerprint, label names and counts of the data.
        history: the numbers of each finished epoch, the first epoch first.
        status: `training`, `done`, `stopped early` or `loss is not a number`.
        test: loss and accuracy on the test reviews; None until training is done.
        versions: the versions of the packages that trained the last epochs.
        earlier_versions: `versions` of earlier epochs, where a run went on with others; `epochs` is
            the last epoch of each.
        lstm: which LSTM computed it last, `kernel`, and why, `reason`.
    """

    path: Path
    settings: TrainSettings
    vocabulary: Vocabulary
    data: dict[str, Any]
    history: tuple[dict[str, Any], ...] = ()
    status: str = TRAINING
    test: dict[str, float] | None = None
    versions: dict[str, str] | None = None
    earlier_versions: tuple[dict[str, Any], ...] = ()
    lstm: dict[str, str] | None = None

    @property
    def epochs(self) -> int:
        """How many epochs are finished."""
        return len(self.history)

    @property
    def best_epoch(self) -> int | None:
        """The epoch with the lowest validation loss; None where nothing was held out."""
        losses = self._validation_losses()
        return losses.index(min(losses)) + 1 if losses else None

    @property
    def validation_has_risen(self) -> bool:
        """Whether the validation loss was lower after an earlier epoch than after the last."""
        losses = self._validation_losses()
        return bool(losses) and losses[-1] > min(losses)

    def _validation_losses(self) -> list[float]:
        """Return the validation loss of each epoch; none where nothing was held out."""
        if not all("validation_loss" in epoch for epoch in self.history):
            return []
        return [epoch["validation_loss"] for epoch in self.history]

    @property
    def label_names(self) -> tuple[str, str]:
        """What the probabilities 0 and 1 stand for."""
        first, second = self.data["label_names"]
        return first, second

    @property
    def lookup_settings(self) -> Settings:
        """The settings of a lookup that sees what the classifier sees."""
        return Settings(
            num_words=self.settings.num_words,
            maxlen=self.settings.maxlen,
            padding=self.settings.padding,
            truncating=self.settings.truncating,
            mask_zero=self.settings.mask_zero,
        )

    def embedding_path(self, epoch: int) -> Path:
        """Return the path of the rows after an epoch; epoch 0 is before training."""
        return self.path / "embedding" / f"epoch-{epoch}.npy"

    def checkpoint_path(self, epoch: int) -> Path:
        """Return the path of the state of model and optimizer after an epoch."""
        return self.path / "checkpoint" / f"epoch-{epoch}.npz"


def create(run: Run, state: State, *, force: bool) -> None:
    """Write a new run folder beside its place, then put it there in one step.

    Raises:
        UsageError: there is something already that may not be replaced.
        DataError: the folder cannot be written.
    """
    run_place.check_place(run.path, force)
    try:
        run.path.parent.mkdir(parents=True, exist_ok=True)
        with workshop(run.path.parent, f".{run.path.name}-") as temporary:
            being_made = replace(run, path=temporary / "run")
            being_made.path.mkdir()
            write_whole(being_made.path / VOCABULARY, _vocabulary_json(run.vocabulary).encode())
            save_epoch(being_made, state)
            put([(being_made.path, run.path)])
    except OSError as error:
        raise DataError(f"cannot write {str(run.path)!r}: {os_reason(error)}") from None


def save_epoch(run: Run, state: State) -> None:
    """Write what an epoch left: the checkpoint, its rows, and last of all `run.json`.

    Args:
        state: of model and optimizer, from `classifier.state_arrays`.

    Raises:
        DataError: something cannot be written.
    """
    for folder in ("embedding", "checkpoint"):
        (run.path / folder).mkdir(exist_ok=True)
    path = run.checkpoint_path(run.epochs)
    checkpoint.write(path, state)
    checkpoint.copy_array(path, "embedding/embeddings", run.embedding_path(run.epochs))
    save_state(run)
    for old in (run.path / "checkpoint").glob("epoch-*.npz"):
        if old != run.checkpoint_path(run.epochs):
            old.unlink(missing_ok=True)


def save_state(run: Run) -> None:
    """Write `run.json`, in one step."""
    state = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "status": run.status,
        "epochs_finished": run.epochs,
        "settings": asdict(run.settings),
        "data": run.data,
        "history": list(run.history),
        "test": run.test,
        "versions": run.versions,
        "earlier_versions": list(run.earlier_versions),
        "lstm": run.lstm,
    }
    write_whole(run.path / STATE, (json.dumps(state, indent=2) + "\n").encode())


def save_model(run: Run, write: Callable[[Path], None]) -> None:
    """Write the `.keras` file for other programs, under another name first.

    Args:
        write: writes it to a path.

    Raises:
        DataError: it cannot be written.
    """
    temporary = run.path / ".writing.keras"
    try:
        write(temporary)
        temporary.replace(run.path / MODEL)
    except OSError as error:
        raise unwritable(run.path / MODEL, error) from None
    finally:
        temporary.unlink(missing_ok=True)


def open_run(path: str) -> Run:
    """Return the run in a folder; everything that is used of it is checked.

    Raises:
        DataError: something is missing, damaged or out of bounds.
    """
    folder = Path(path)
    state = run_state.read_state(folder)
    path_label = repr(str(folder / STATE))
    history = run_state.history_of(state, path_label)
    return Run(
        path=folder,
        settings=settings_from(state.get("settings"), path_label),
        vocabulary=_vocabulary(folder / VOCABULARY),
        data=run_state.data_of(state, path_label),
        history=history,
        status=run_state.status_of(state, history, path_label),
        test=run_state.evaluation_of(state, path_label),
        versions=run_state.versions_of(state.get("versions")),
        earlier_versions=run_state.earlier_versions_of(state),
        lstm=run_state.lstm_of(state.get("lstm")),
    )


def how_to_go_on(path: Path, options: Sequence[str] = ()) -> str:
    """Return what is saved of a run that was stopped, and the command that goes on with it.

    Args:
        options: that the command takes besides.
    """
    try:
        epochs = len(run_state.history_of(run_state.read_state(path), repr(str(path / STATE))))
    except DataError:
        return "nothing is saved"
    command = shlex.join(["embedinspect", "train", "--resume", str(path), *options])
    if not epochs:
        return f"no epoch was finished; to begin again: {command}"
    return f"saved up to epoch {epochs}; to go on: {command}"


def open_embedding(run: Run, epoch: int | None = None) -> EmbeddingMatrix:
    """Return the rows after an epoch, the last by default; 0 is before training.

    Raises:
        UsageError: an epoch that the run does not have.
        DataError: the array is missing, or its shape is not that of the settings.
    """
    epoch = run.epochs if epoch is None else epoch
    if not 0 <= epoch <= run.epochs:
        epochs = f"{up_to(run.epochs)}, the epochs of this run"
        raise UsageError(f"--epoch is {epoch}; expected {epochs}")
    path = str(run.embedding_path(epoch))
    matrix = open_matrix(path)
    expected = (run.settings.num_words, run.settings.output_dim)
    if matrix.rows.shape != expected:
        raise DataError(
            f"{path!r} has shape {matrix.rows.shape}; expected {expected}, by the settings of the "
            "run"
        )
    when = "before training" if epoch == 0 else f"after epoch {epoch} of {run.epochs}"
    return EmbeddingMatrix(matrix.rows, f"from run {run.path}, {when}")


def open_checkpoint(run: Run, shapes: dict[str, tuple[int, ...]]) -> dict[str, Array]:
    """Return arrays from the checkpoint of the last epoch.

    Args:
        shapes: the expected shape of each array, by name.

    Raises:
        DataError: the checkpoint or an array is missing or damaged, has another shape, or holds
            NaN or infinity, which no training goes on from.
    """
    return checkpoint.read(run.checkpoint_path(run.epochs), shapes)


def describe_data(data: LabelledData) -> dict[str, Any]:
    """Return what a run folder says about its data."""
    return {
        "name": data.name,
        "source": data.source,
        "fingerprint": data.fingerprint,
        "label_names": list(data.label_names),
        "train_reviews": len(data.train),
        "test_reviews": len(data.test),
    }


def _vocabulary_json(vocabulary: Vocabulary) -> str:
    rules = vocabulary.tokenization
    return json.dumps(
        {
            "config": {
                "word_index": vocabulary.word_index,
                "num_words": vocabulary.num_words,
                "oov_token": vocabulary.oov_token,
                "start_token": vocabulary.start_token,
                "padding_id": 0,
                "filters": rules.filters,
                "lower": rules.lower,
                "split": rules.split,
                "char_level": rules.char_level,
            }
        }
    )


def _vocabulary(path: Path) -> Vocabulary:
    text = run_state.read_text(path, run_state.LARGEST_VOCABULARY)
    vocabulary = from_json(text, repr(str(path)))
    start = json.loads(text)["config"].get("start_token")
    if start is not None and not isinstance(start, str):
        raise DataError(f"{str(path)!r} has a start_token that is not a string; {EXPECTED}")
    return replace(vocabulary, start_token=start)
