"""What `why` answers: how a classifier comes to its answer on a text, in three readings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from embedinspect.source import Source
from embedinspect.vocabulary import Status

BaselineName = Literal["padding", "zeros"]
SortName = Literal["change", "removed", "unknown", "attribution"]
SORTS: tuple[SortName, ...] = get_args(SortName)
# What a classifier is read from, as messages name it.
CLASSIFIERS = "a run of embedinspect train, or a model that Keras saved whole (.keras)"

# A smaller effect is zero in the table, which has three decimals.
SHOWN = 0.0005
# What the same effect may come out apart by.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class ReadToken:
    """One token of a text, and what each reading says of it; None where one does not.

    Attributes:
        token: as it was cut from the text.
        id: its token id; None where it has none.
        position: where the model reads it; None where it does not.
        status: what became of it: `looked_up`, `replaced`, `dropped`, `filtered`, `cut_off`.
        reason: why, in words; None for a token that is looked up.
        probability: of the label that is asked about, after this token and those before it.
        change: of that probability by this token.
        removed: the probability for the text without this token.
        unknown: the probability with the id of unknown tokens in its place.
        attribution: its share of the difference of logits between the text and the baseline.
    """

    token: str
    id: int | None
    position: int | None
    status: Status
    reason: str | None = None
    probability: float | None = None
    change: float | None = None
    removed: float | None = None
    unknown: float | None = None
    attribution: float | None = None


@dataclass(frozen=True)
class Steps:
    """The first reading: the probability after each token.

    Attributes:
        start: before the first token.
        padding_before: how many positions of padding that the model reads make it so; 0 where it
            is the state of zeros, in which every text begins.
        end: after the padding behind the text; None where none is read there.
        padding_behind: how many positions that is.
        difference: of the last probability from the model's own prediction, which it must equal.
    """

    start: float
    padding_before: int
    end: float | None
    padding_behind: int
    difference: float


@dataclass(frozen=True)
class Turn:
    """Where the answer of a classifier with two labels turned for the last time.

    Attributes:
        position: of the token after which it is another than before; None where the padding behind
            the text turns it.
        token: which that is; None likewise.
        before: the probability before.
        after: and after.
        times: how often the answer turns in all.
    """

    position: int | None
    token: str | None
    before: float
    after: float
    times: int


@dataclass(frozen=True)
class Without:
    """The second reading: the prediction without a token, and with an unknown one in its place.

    Attributes:
        moved_in: the token that was cut off and moves in where another is removed; None where
            none does.
        checked: the position of the token with the greatest effect, whose two predictions were
            made again by themselves; None where there is no token.
        difference: the largest between these and the ones in the table, and between the whole
            text among the others and by itself. They must be equal.
    """

    moved_in: str | None
    checked: int | None
    difference: float


@dataclass(frozen=True)
class Attributions:
    """The third reading: integrated gradients of the logit on the vectors of the embedding.

    Attributes:
        baseline: where the straight line to the text's vectors begins: the `padding` row at every
            position, or `zeros`.
        steps: at how many points of the line the gradient was taken.
        logit: of the label that is asked about, for the text.
        baseline_logit: for the baseline.
        tokens: the sum of the attributions of all tokens.
        padding: the sum of those of all positions of padding.
        gap: what tokens and padding together are above the difference of the two logits.
    """

    baseline: BaselineName
    steps: int
    logit: float
    baseline_logit: float
    tokens: float
    padding: float
    gap: float


@dataclass(frozen=True)
class Why:
    """How the classifier comes to its answer on one text.

    Attributes:
        text: as it came.
        probabilities: the model's own prediction: of each label.
        label: its answer: the most probable label.
        asked: the label whose probability the readings are about.
        probability: of that label, by the model itself.
        positions: how many positions the model reads, padding included.
        padding: how many of them are padding.
        tokens: all tokens of the text, in reading order.
        steps: about the first reading; None where the model has none.
        without: about the second; None where it was left out.
        attributions: about the third; None where the backend has no gradients.
        nothing_read: whether the model reads no token of the text, but padding and a start at most.
    """

    text: str
    probabilities: tuple[float, ...]
    label: str
    asked: str
    probability: float
    positions: int
    padding: int
    tokens: tuple[ReadToken, ...]
    steps: Steps | None
    without: Without | None
    attributions: Attributions | None
    nothing_read: bool = False

    @property
    def read(self) -> list[ReadToken]:
        """The tokens that the model reads."""
        return [token for token in self.tokens if token.position is not None]

    @property
    def turn(self) -> Turn | None:
        """Where the answer turned last; None where it never does, or none of that is known.

        Of more than two labels the probabilities of the others after each token are not known.
        """
        if self.steps is None or len(self.probabilities) != 2:
            return None
        before, last, times = self.steps.start, None, 0
        points: list[tuple[ReadToken | None, float | None]]
        points = [(token, token.probability) for token in self.read]
        points.append((None, self.steps.end))
        for token, after in points:
            if after is None:
                continue
            if (after > 0.5) != (before > 0.5):
                times += 1
                position = None if token is None else token.position
                name = None if token is None else token.token
                last = Turn(position, name, before, after, times)
            before = after
        return last

    @property
    def readings(self) -> list[SortName]:
        """The readings that its tokens have."""
        return [by for by in SORTS if any(getattr(t, by) is not None for t in self.read)]

    def matters_most(self, by: Sequence[SortName]) -> dict[SortName, tuple[ReadToken, ...]]:
        """Return the token that matters most by each of these readings, or those that do alike.

        A reading by which no token matters, so far as its table shows, is left out.
        """
        found: dict[SortName, tuple[ReadToken, ...]] = {}
        for name in by:
            effects = self.effects(name)
            largest = max(effects, default=0.0)
            if largest >= SHOWN:
                close = largest - _ROUNDING * max(1.0, largest)
                pairs = zip(self.read, effects, strict=True)
                found[name] = tuple(token for token, effect in pairs if effect >= close)
        return found

    def effects(self, by: SortName) -> list[float]:
        """Return how much each token that is read matters by one reading: 0 or more."""
        return [_effect(token, by, self.probability) for token in self.read]


@dataclass(frozen=True)
class Explanation:
    """The record that `why` prints.

    Attributes:
        source: the run or model.
        layers: of the classifier, behind the embedding, in words.
        labels: the names of the labels.
        masks: whether the model is told which positions are padding.
        backend: what Keras ran on.
        version: of Keras.
        unknown: the id of unknown tokens, and its token; None where there is none.
        no_steps: why the first reading does not exist, as the end of a sentence.
        no_unknown: why no token is replaced, likewise.
        no_attributions: why there is no third reading, likewise.
        notes: what to know of the ids and the output, each a sentence.
        whys: one for each text.
    """

    source: Source
    layers: tuple[str, ...]
    labels: tuple[str, ...]
    masks: bool
    backend: str
    version: str
    unknown: tuple[int, str] | None
    no_steps: str | None
    no_unknown: str | None
    no_attributions: str | None
    notes: tuple[str, ...]
    whys: tuple[Why, ...]

    @property
    def readings(self) -> list[SortName]:
        """By which readings tokens can be sorted."""
        known: list[SortName] = ["removed"]
        known += [] if self.no_attributions else ["attribution"]
        known += [] if self.no_unknown else ["unknown"]
        return known + ([] if self.no_steps else ["change"])

    @property
    def matter_by(self) -> SortName:
        """By which reading it goes which tokens matter most, where none was asked for."""
        return "removed" if self.no_attributions else "attribution"


def _effect(token: ReadToken, by: SortName, probability: float) -> float:
    value: float | None = getattr(token, by)
    if value is None:
        return 0.0
    return abs(value - probability) if by in {"removed", "unknown"} else abs(value)


def by_effect(why: Why, by: SortName) -> Sequence[int]:
    """Return the places of the tokens that are read, those that matter most first."""
    effects = why.effects(by)
    return sorted(range(len(effects)), key=lambda place: -effects[place])
