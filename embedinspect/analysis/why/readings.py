"""The three readings of one text, each with what checks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from embedinspect.analysis.why.network import Network
from embedinspect.analysis.why.records import Attributions, BaselineName, Steps, Without
from embedinspect.lookup import Lookup
from embedinspect.sequences import IntArray, pad
from embedinspect.stored_rows import FloatArray
from embedinspect.vocabulary import Token

# Gradients are taken at this many points, and at more where the shares do not add up.
FEWEST_STEPS, MOST_STEPS = 50, 800
SMALL_GAP = 1e-3
# What separate predictions may cost: so many positions are read in about half a minute.
_MOST_POSITIONS = 2**24


@dataclass(frozen=True)
class ReadText:
    """A text as the model reads it.

    Attributes:
        lookup: of this text alone.
        tokens: all of them, each with its position.
        own: the model's own prediction: of each class, float32.
        target: the class that is asked about.
    """

    lookup: Lookup
    tokens: Sequence[Token]
    own: FloatArray
    target: int

    @property
    def chance(self) -> float:
        """The model's own prediction of the class that is asked about."""
        return float(self.own[self.target])

    @property
    def read(self) -> list[Token]:
        """The tokens that have a position."""
        return [token for token in self.tokens if token.position is not None]

    @property
    def kept(self) -> list[int]:
        """The place among the ids of each token that is read."""
        known = [token for token in self.tokens if token.id is not None]
        return [place for place, token in enumerate(known) if token.position is not None]

    @property
    def sequence(self) -> IntArray:
        """The padded ids, shape (length,)."""
        ids: IntArray = self.lookup.sequences[0]
        return ids

    @property
    def positions(self) -> list[int]:
        """The position of each token that is read, in reading order."""
        positions = (token.position for token in self.tokens)
        return [position for position in positions if position is not None]

    def padded(self, ids: IntArray) -> IntArray:
        """Return other ids as this text's are padded and cut, shape (length,)."""
        settings, padding_id = self.lookup.settings, self.lookup.vocabulary.padding_id
        sides = settings.padding, settings.truncating
        sequences = pad([ids], settings.maxlen, *sides, padding_id)
        return np.asarray(sequences[0], np.int32)


# -- after each token ------------------------------------------------------------------------------


def read_along(network: Network, text: ReadText) -> tuple[Steps, list[float | None]]:
    """Return the probability after each token that is read."""
    of_classes, of_zeros = network.steps(text.sequence)
    after, at_rest = of_classes[:, text.target], float(of_zeros[text.target])
    positions = text.positions
    first, last = (positions[0], positions[-1]) if positions else (len(after), len(after) - 1)
    before = 0 if network.masks else first
    behind = 0 if network.masks else len(after) - 1 - last
    end = float(after[-1]) if behind else None
    start = float(after[first - 1]) if before else at_rest
    chances = [float(after[position]) for position in positions]
    ended = end if end is not None else chances[-1] if chances else start
    return Steps(start, before, end, behind, ended - text.chance), [*chances]


# -- without it ------------------------------------------------------------------------------------


def leave_out(
    network: Network, text: ReadText, unknown: int | None
) -> tuple[Without | None, list[float | None], list[float | None]]:
    """Return the predictions without each token that is read, and with an unknown one instead.

    What is removed leaves the text that the model would get: one token shorter, cut and padded
    anew. Where the text was too long, a token that was cut off moves in.

    Args:
        unknown: the id to put in a token's place; None for none.
    """
    sequence, places, ids = text.sequence, text.kept, text.lookup.ids[0]
    none: list[float | None] = [None] * len(places)
    removed: list[IntArray] = [text.padded(np.delete(ids, place)) for place in places]
    long_enough = bool(removed) and len(removed[0]) >= network.shortest
    replaced = []
    if unknown is not None:
        for position in text.positions:
            replaced.append(sequence.copy())
            replaced[-1][position] = unknown
    if (len(removed) + len(replaced)) * len(sequence) > _MOST_POSITIONS:
        return None, none, none
    without = _predicted(network, text.target, removed) if long_enough else []
    instead = _predicted(network, text.target, [*replaced, sequence])
    difference = abs(instead.pop() - text.chance)
    effects = [abs(chance - text.chance) for chance in without or instead]
    checked = None
    if effects:
        most = effects.index(max(effects))
        for sequences, chances in ((removed, without), (replaced, instead)):
            if chances:
                [alone] = _predicted(network, text.target, [sequences[most]])
                difference = max(difference, abs(alone - chances[most]))
        checked = text.positions[most]
    moved_in = _moving_in(text)
    return Without(moved_in, checked, difference), [*without] or none, [*instead] or none


def _predicted(network: Network, target: int, sequences: Sequence[IntArray]) -> list[float]:
    chances: list[float] = network.predict(np.stack(sequences))[:, target].tolist()
    return chances


def _moving_in(text: ReadText) -> str | None:
    """Return the token beyond the cut that comes first when there is room for one more."""
    cut = [token for token in text.tokens if token.status == "cut_off" and token.id is not None]
    if not cut:
        return None
    return cut[-1 if text.lookup.settings.truncating == "pre" else 0].token


# -- integrated gradients --------------------------------------------------------------------------


def attribute(
    network: Network, text: ReadText, baseline: BaselineName, steps: int | None
) -> tuple[Attributions, list[float | None]]:
    """Return how the difference of logits between baseline and text is shared among the tokens.

    Integrated gradients (Sundararajan, Taly and Yan, 2017): the share of a number is its difference
    from the baseline, times the mean of the logit's gradient along the straight line between the
    two. The mean is taken by Gauss-Legendre quadrature.

    Args:
        steps: at how many points the gradient is taken; None for as many as it takes until the
            shares add up, up to a limit.
    """
    ids = text.sequence[None]
    vectors = network.rows[ids]
    if baseline == "padding":
        row = network.rows[text.lookup.vocabulary.padding_id]
        begin = np.broadcast_to(row, vectors.shape).astype(np.float32)
    else:
        begin = np.zeros_like(vectors)
    ends = np.concatenate([vectors, begin])
    both = network.logits(ends, np.concatenate([ids, ids]))[:, text.target]
    logit, baseline_logit = map(float, both)
    difference = logit - baseline_logit
    points = steps or FEWEST_STEPS
    while True:
        shares = _shares(network, text, begin, points)
        gap = float(shares.sum()) - difference
        small = abs(gap) <= SMALL_GAP * max(1.0, abs(difference))
        if steps is not None or small or points >= MOST_STEPS:
            break
        points *= 2
    of_tokens = shares[text.positions].tolist()
    tokens = float(sum(of_tokens))
    padding = float(np.delete(shares, text.positions).sum())
    record = Attributions(baseline, points, logit, baseline_logit, tokens, padding, gap)
    return record, [*of_tokens]


def _shares(network: Network, text: ReadText, begin: FloatArray, points: int) -> FloatArray:
    """Return the share of each position, float64, shape (length,)."""
    ids = text.sequence[None]
    vectors = network.rows[ids]
    places, weights = np.polynomial.legendre.leggauss(points)
    mean = np.zeros(vectors.shape[1:])
    part = max(1, 2**22 // vectors.size)
    for start in range(0, points, part):
        along = ((places[start : start + part] + 1) / 2).astype(np.float32)[:, None, None]
        line = begin + along * (vectors - begin)
        slopes = network.slope(line, np.repeat(ids, len(line), axis=0), text.target)
        mean += np.tensordot(weights[start : start + part] / 2, slopes.astype(np.float64), axes=1)
    shares: FloatArray = (mean * (vectors[0].astype(np.float64) - begin[0])).sum(axis=-1)
    return shares
