"""How a classifier comes to its answer: after each token, without each token, by gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from embedinspect.analysis.tracing import trace_by_source
from embedinspect.analysis.why import network as networks
from embedinspect.analysis.why.compiled import WITH_GRADIENTS
from embedinspect.analysis.why.network import Network
from embedinspect.analysis.why.readings import ReadText, attribute, leave_out, read_along
from embedinspect.analysis.why.records import (
    CLASSIFIERS,
    BaselineName,
    Explanation,
    ReadToken,
    Why,
)
from embedinspect.errors import DataError, UsageError
from embedinspect.formats.keras_chain import Chain, chain_of
from embedinspect.lookup import Lookup, Settings
from embedinspect.sequences import Side, pad
from embedinspect.source import Source
from embedinspect.training.classifier import THRESHOLD
from embedinspect.vocabulary import Token
from embedinspect.wording import clipped_repr, listed, plural, up_to

__all__ = ["Explanation", "Why", "explain_answer"]


def explain_answer(
    source: Source,
    texts: Sequence[str],
    *,
    backend: str | None = None,
    label: str | None = None,
    baseline: BaselineName | None = None,
    steps: int | None = None,
    maxlen: int | None = None,
    padding: Side | None = None,
    truncating: Side | None = None,
) -> Explanation:
    """Return how the classifier of a run, or of a `.keras` file, comes to its answers.

    Args:
        label: whose probability is read, by its name or number; None for the second of two, and
            of several for the most probable of each text.
        baseline: of integrated gradients; None for the padding row where the model reads padding,
            else zeros.
        steps: at how many points gradients are taken; None for as many as it takes.
        maxlen: positions, where neither run nor model sets them.
        padding: the side of the padding, likewise.
        truncating: the side on which long texts are cut, likewise.

    Raises:
        UsageError: the source is no classifier, or an option does not fit it.
        DataError: the model is none that is rebuilt here, is damaged, or gives no numbers.
        KerasUnavailable: Keras or its backend cannot be imported.
    """
    chain = _chain_of(source)
    settings = _settings(source, chain, maxlen, padding, truncating)
    traced = trace_by_source(texts, source, settings)
    lookups = [_alone(traced.lookup, place) for place in range(len(texts))]
    network = _network(source, chain, backend)
    _check_lengths(lookups, network, source)
    labels = _labels(source, network)
    target = None if label is None else _target(label, labels)
    unknown = _unknown(traced.lookup, network)
    on = network.keras.config.backend()
    start = baseline or ("zeros" if network.masks else "padding")
    ask = _Asking(
        network, labels, target, unknown[0] if unknown else None, start, steps, on in WITH_GRADIENTS
    )
    return Explanation(
        source=source,
        layers=tuple(type(layer).__name__ for layer in [*network.layers, network.last]),
        labels=labels,
        masks=network.masks,
        backend=on,
        version=network.keras.version(),
        unknown=unknown,
        no_steps=network.not_step_by_step,
        no_unknown=None if unknown else "the vocabulary has no id for unknown tokens",
        no_attributions=None if ask.gradients else f"Keras has no gradients on {on}",
        notes=(*traced.notes, *_notes(source, chain, settings)),
        whys=tuple(map(ask.why, lookups)),
    )


@dataclass(frozen=True)
class _Asking:
    """What is asked of a classifier about each text.

    Attributes:
        network: the classifier.
        labels: the names of its classes.
        target: the class to ask about; None for the second of two, and of several for the most
            probable.
        unknown: the id of unknown tokens; None where there is none.
        baseline: of integrated gradients.
        steps: at how many points gradients are taken; None for as many as it takes.
        gradients: whether there are any.
    """

    network: Network
    labels: tuple[str, ...]
    target: int | None
    unknown: int | None
    baseline: BaselineName
    steps: int | None
    gradients: bool

    def why(self, lookup: Lookup) -> Why:
        """Return the three readings of the only text of a lookup."""
        network = self.network
        own = network.predict(lookup.sequences)[0]
        if not np.isfinite(own).all():
            raise DataError(
                f"the classifier gives NaN for {clipped_repr(lookup.texts[0])}; expected weights "
                "that do not overflow; train it again with a lower learning rate"
            )
        most = int(own.argmax())
        if len(own) == 2 and network.outputs == 1:  # as the classifier itself decides at one half
            most = int(own[1] > THRESHOLD)
        target = self.target
        if target is None:
            target = 1 if network.outputs == 1 else most
        text = ReadText(lookup, lookup.trace(0), own, target)
        none: list[float | None] = [None] * len(text.read)
        steps, chances = None, none
        if network.not_step_by_step is None:
            steps, chances = read_along(network, text)
        without, removed, instead = leave_out(network, text, self.unknown)
        attributions, shares = None, none
        if self.gradients:
            attributions, shares = attribute(network, text, self.baseline, self.steps)
        before = [steps.start, *chances[:-1]] if steps is not None else chances
        read = iter(zip(chances, before, removed, instead, shares, strict=True))
        return Why(
            text=lookup.texts[0],
            probabilities=tuple(own.tolist()),
            label=self.labels[most],
            asked=self.labels[target],
            probability=text.chance,
            positions=lookup.maxlen,
            padding=lookup.padding_positions,
            tokens=tuple(
                _token(token, *(next(read) if token.position is not None else [None] * 5))
                for token in text.tokens
            ),
            steps=steps,
            without=without,
            attributions=attributions,
            nothing_read=all(token.id == lookup.vocabulary.start_id for token in text.read),
        )


def _token(
    token: Token,
    chance: float | None,
    before: float | None,
    removed: float | None,
    instead: float | None,
    share: float | None,
) -> ReadToken:
    change = None if chance is None or before is None else chance - before
    return ReadToken(
        token.token, token.id, token.position, token.status, token.reason,
        chance, change, removed, instead, share,
    )  # fmt: skip


# -- the classifier --------------------------------------------------------------------------------


def _chain_of(source: Source) -> Chain | None:
    """Return the layers of a `.keras` file; None for a run, whose layers are known.

    Raises:
        UsageError: the source is no classifier, or an epoch of which only the rows are kept.
        DataError: the model is none that is rebuilt here.
    """
    run, file = source.run, source.keras
    if run is not None:
        if source.epoch != run.epochs or not run.epochs:
            kept = f"only the rows of epoch {source.epoch} are kept, the rest of the classifier is "
            raise UsageError(
                f"{source.path!r} has no classifier of epoch {source.epoch}: {kept}that of epoch "
                f"{run.epochs}; leave --epoch out"
                if run.epochs
                else f"{source.path!r} has no finished epoch, so no classifier; expected one or "
                "more; train it on with --resume"
            )
        return None
    if file is None or file.config is None or source.layer is None:
        raise UsageError(
            f"{source.path!r} is no classifier ({source.kind}); expected {CLASSIFIERS}"
        )
    if file.kind != "keras":
        raise UsageError(
            f"{source.path!r} is a {source.kind}; expected a model in the form .keras, so load it "
            "in Keras and save it so"
        )
    chain = chain_of(file.config, repr(source.path))
    if source.layer.name != chain.embedding:
        raise UsageError(
            f"{clipped_repr(source.layer.name)} is not the Embedding layer of {source.path!r}; "
            f"expected {clipped_repr(chain.embedding)}; leave --layer out"
        )
    if chain.vectorizes and source.lookup is None:
        raise UsageError(
            f"{source.path!r} turns texts into ids by a layer of its own; leave --words out"
        )
    return chain


def _network(source: Source, chain: Chain | None, backend: str | None) -> Network:
    if chain is None:
        assert source.run is not None
        return networks.of_run(source.run, backend)
    return networks.of_chain(source.path, chain, source.matrix.rows, backend)


def _labels(source: Source, network: Network) -> tuple[str, ...]:
    if source.run is not None:
        return source.run.label_names
    return tuple(f"class {number}" for number in range(network.classes))


def _target(label: str, labels: tuple[str, ...]) -> int:
    """Return the class of that name or number."""
    if label in labels:
        return labels.index(label)
    if label.isascii() and label.isdecimal() and int(label[:9]) < len(labels):
        return int(label[:9])
    names = listed(map(clipped_repr, labels))
    raise UsageError(
        f"--class is {clipped_repr(label)}; expected a name ({names}) or a number "
        f"({up_to(len(labels) - 1)})"
    )


# -- its texts -------------------------------------------------------------------------------------


def _settings(
    source: Source,
    chain: Chain | None,
    maxlen: int | None,
    padding: Side | None,
    truncating: Side | None,
) -> Settings:
    """Return how texts become sequences, as far as the classifier leaves that open.

    Raises:
        UsageError: an option for what the classifier sets itself.
    """
    given = {"--maxlen": maxlen, "--padding": padding, "--truncating": truncating}
    names = [name for name, value in given.items() if value is not None]
    own = chain is None or chain.vectorizes
    if names and own:
        what = "run" if chain is None else "TextVectorization layer"
        raise UsageError(f"{names[0]} is set by the {what} of {source.path!r}; leave it out")
    if chain is None or chain.vectorizes:
        return Settings()
    if maxlen is not None and chain.length not in {None, maxlen}:
        takes = plural(chain.length or 0, "position")
        raise UsageError(f"--maxlen is {maxlen}, but {source.path!r} takes {takes}; leave it out")
    return Settings(
        maxlen=chain.length or maxlen, padding=padding or "pre", truncating=truncating or "pre"
    )


def _alone(lookup: Lookup, place: int) -> Lookup:
    """Return one text of a lookup by itself: without a set length, it is as long as it is."""
    settings, ids = lookup.settings, [lookup.ids[place]]
    sides = settings.padding, settings.truncating
    sequences = pad(ids, settings.maxlen, *sides, lookup.vocabulary.padding_id)
    return replace(lookup, texts=[lookup.texts[place]], ids=ids, sequences=sequences)


def _check_lengths(lookups: Sequence[Lookup], network: Network, source: Source) -> None:
    """Find out whether each text has as many positions as the classifier needs.

    Raises:
        DataError: one has too few.
    """
    for number, lookup in enumerate(lookups):
        if lookup.maxlen < network.shortest:
            raise DataError(
                f"text {number} has {plural(lookup.maxlen, 'position')}, but {source.path!r} needs "
                f"{network.shortest} or more; leave it out"
            )


def _unknown(lookup: Lookup, network: Network) -> tuple[int, str] | None:
    """Return the id of unknown tokens and its token; the first of several such ids."""
    ids = lookup.vocabulary.unknown_ids
    if not len(ids) or ids[0] >= len(network.rows):
        return None
    return ids[0], lookup.vocabulary.oov_token or ""


def _notes(source: Source, chain: Chain | None, settings: Settings) -> list[str]:
    """Return what the answers rest on that the file does not say."""
    if chain is None:
        return []
    notes = []
    if chain.assumed:
        notes.append(
            f"{source.path} ends without an activation and names no loss: its output is taken for "
            f"logits, of which {chain.final} makes probabilities"
        )
    if not chain.vectorizes:
        length = "as long as its ids"
        if settings.maxlen is not None:
            length = f"padded and cut to {plural(settings.maxlen, 'position')}, "
            length += f"padding {settings.padding}, truncating {settings.truncating}"
        notes.append(
            f"{source.path} takes ids, and does not say how texts become them: each text is "
            f"{length}; --maxlen, --padding and --truncating change that"
        )
    return notes
