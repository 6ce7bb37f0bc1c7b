"""`train`: the model and the data before, the history and the result after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict

from embedinspect.output import history
from embedinspect.output.document import Document
from embedinspect.output.suggestions import command_line
from embedinspect.page import Column, Fact, Facts, Page, Table
from embedinspect.training.data import DataSummary
from embedinspect.training.hosts.plan import Plan
from embedinspect.training.run_folder import Run
from embedinspect.training.session import Session
from embedinspect.training.settings import TrainSettings
from embedinspect.wording import plural

# Test accuracies of this recipe as published, in percent. Sources: Brownlee's tutorial "Sequence
# Classification with LSTM Recurrent Neural Networks in Python with Keras"; the imdb_fasttext
# example of Keras; Wang and Manning 2012 (NB-SVM with bigrams).
PUBLISHED = 86.79
PUBLISHED_REVIEWS = 16_750
STRONGER = "a bag of words reaches 88.1%, one of word pairs 90.6%, NB-SVM with pairs 91.2%"


_LSTMS = {"packed": "packed", "keras": "Keras's"}


def page(session: Session, train: Callable[[], Run]) -> Page:
    """Yield the model and the data, then train, and yield the epochs and the result."""
    yield classifier(session.settings)
    yield Facts(list(_data(session)))
    run = train()
    yield Facts(list(_test(run)))
    if run.history:
        yield history.epochs(run)
        yield from history.curves(run)
    yield Facts(list(_result(session, run)))


def classifier(settings: TrainSettings) -> Table:
    """Return the layers of the classifier, with the formula of each one's parameters."""
    layers = settings.parameters()
    total = sum(layer.parameters for layer in layers)
    return Table(
        "Classifier",
        [
            Column("layer", [*(layer.layer for layer in layers), "total"], rigid=True),
            Column(
                "output shape",
                [*(layer.output_shape for layer in layers), ""],
                rigid=True,
                optional=True,
            ),
            Column("parameters", [*(_formula(*layer[2:]) for layer in layers), ""], rigid=True),
            Column("", [*(layer.parameters for layer in layers), total], "number"),
        ],
    )


def _formula(formula: str, count: int) -> str:
    return f"{formula} =".replace(" x ", " × ") if count else formula


def _data(session: Session) -> Iterator[Fact]:
    data, summary, settings = session.data, session.summary, session.settings
    yield Fact("data", f"{data.name}: {_parts(summary)} {data.label_names[1]}")
    yield Fact(
        "lengths",
        f"median {summary.median_length:,.0f} ids, mean {summary.mean_length:,.1f}, longest "
        f"{summary.longest:,}",
    )
    unknown = summary.out_of_vocabulary / max(1, summary.tokens)
    yield Fact(
        "unknown",
        f"{summary.out_of_vocabulary:,} of {summary.tokens:,} ids are out of vocabulary "
        f"({unknown:.1%})",
    )
    cut = summary.cut_tokens / max(1, summary.tokens)
    yield Fact(
        "cut off",
        f"{summary.cut_reviews:,} of {plural(summary.train_reviews, 'review')} are longer than "
        f"maxlen {settings.maxlen:,}: {summary.cut_tokens:,} ids ({cut:.1%})",
    )
    if session.plan is not None:
        yield Fact("shared", _shared(session.plan))


def _shared(plan: Plan) -> str:
    """Return by how many processes it is trained, and what each has a part of."""
    processes = plural(plan.processes, "process", "processes")
    here = "" if plan.alone else f"; here runs process {plan.local[0]}"
    if plan.shard_rows:
        return f"the rows of the matrix, among {processes}{here}"
    return f"each batch is cut into {plural(plan.shards, 'shard')}, for {processes}{here}"


def _parts(summary: DataSummary) -> str:
    held_out = summary.validation_reviews
    validation = f", {held_out:,} of them held out for validation" if held_out else ""
    return (
        f"{summary.train_reviews:,} reviews to train{validation}, {summary.test_reviews:,} to "
        f"test, {summary.positive_share:.0%}"
    )


def _test(run: Run) -> Iterator[Fact]:
    yield from history.test(run)
    if run.test is not None and run.data["source"]["kind"] == "imdb":
        yield Fact(
            "published",
            f"{PUBLISHED}% for the classic recipe, of 5,000 words, 500 positions and 3 epochs "
            f"(Brownlee's tutorial, whose log shows {PUBLISHED_REVIEWS:,} training reviews); "
            f"{STRONGER}: an LSTM is a demonstration here, no strong baseline",
        )


def _result(session: Session, run: Run) -> Iterator[Fact]:
    if run.lstm is not None:
        yield Fact("LSTM", f"{_LSTMS[run.lstm['kernel']]}: {run.lstm['reason']}")
    yield Fact("status", _status(run))
    if session.plan is not None and not session.plan.leads:
        yield Fact("run", "written by process 0, where that was started")
        return
    yield Fact("run", str(run.path))
    path = str(run.path)
    yield Fact("next", command_line("why", path, "a wonderful film"))
    yield Fact("", command_line("rows", path, "--sort", "moved"))
    if run.status == "done" and not run.validation_has_risen:
        again = () if session.plan is None else session.plan.again
        epochs = "--epochs", str(run.epochs + 1)
        yield Fact("", command_line("train", "--resume", path, *epochs, *again))
    if not run.settings.mask_zero:
        yield Fact("", "--mask-zero: padding unseen, batches cut short, faster")


def _status(run: Run) -> str:
    epochs = f"{plural(run.epochs, 'epoch')} of {run.settings.epochs}"
    if run.status == "stopped early":
        return f"stopped early after {epochs}; the best validation loss was epoch {run.best_epoch}"
    if run.status == "done":
        return f"done, {epochs}"
    return f"{run.status}: stopped after {epochs}"


def document(session: Session, run: Run) -> Document:
    """Return settings, data and numbers of a run that was trained."""
    layers = run.settings.parameters()
    head = {
        "run": str(run.path),
        "status": run.status,
        "settings": asdict(run.settings),
        "settings_by_data_size": session.chosen,
        "data": {
            "name": run.data["name"],
            "fingerprint": run.data["fingerprint"],
            "label_names": run.data["label_names"],
            **asdict(session.summary),
        },
        "layers": [
            {
                "layer": layer.layer,
                "output_shape": layer.output_shape,
                "formula": layer.formula,
                "parameters": layer.parameters,
            }
            for layer in layers
        ],
        "parameters": sum(layer.parameters for layer in layers),
        "test": run.test,
        "lstm": run.lstm,
        "versions": run.versions,
        "earlier_versions": list(run.earlier_versions),
    }
    lists = {"history": list(run.history)}
    return Document("train", head, lists, lines="history", columns=history.keys(run))
