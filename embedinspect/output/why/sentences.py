"""What checks the readings of `why`, and what each of them says and does not, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from embedinspect.analysis.why.records import (
    SHOWN,
    Attributions,
    Explanation,
    ReadToken,
    SortName,
    Steps,
    Why,
    Without,
)
from embedinspect.output.labels import source_name
from embedinspect.page import Fact, Glossary, Meaning, Table
from embedinspect.wording import clipped_repr, listed, plural

# Separate runs of the same float32 arithmetic differ by rounding; a larger difference is a fault.
ROUNDING = 1e-4
_NOTHING = 1e-6
_MOST_NAMED = 3
# The readings that are compared, as a sentence names them.
_MOST_BY: dict[SortName, str] = {
    "change": "by change",
    "removed": "by leaving it out",
    "unknown": "by reading it as unknown",
    "attribution": "by attribution",
}
SORTED_BY: dict[SortName, str] = {
    "change": "change",
    "removed": "difference without it",
    "unknown": "difference as unknown",
    "attribution": "attribution",
}


def checks(
    explanation: Explanation, why: Why, sort: SortName | None, left_out: int
) -> Iterator[Fact]:
    """Yield the answer on a text, what checks each reading, and what the table leaves out.

    Args:
        sort: by which reading the tokens of the table were chosen, if not by the usual one.
        left_out: how many tokens the table leaves out.
    """
    yield Fact("answer", answer(why))
    if why.steps is not None and len(why.probabilities) == 2 and why.read:
        yield Fact("turns", _turns(why))
    most = why.matters_most(why.readings)
    if len(most) > 1 and len(why.read) > 1:
        yield Fact("matters", _matters(most, why.readings))
    if why.steps is not None:
        yield _of_steps(why, why.steps)
    if why.without is None:
        yield Fact(
            "without it", "left out: it would take too many predictions of so long a text", "aside"
        )
    else:
        yield _of_without(explanation, why, why.without)
    if why.attributions is not None:
        yield _of_attributions(why, why.attributions)
    if left_out:
        by = SORTED_BY[sort or explanation.matter_by]
        yield Fact(
            "left out",
            f"{plural(left_out, 'token')} of {len(why.read):,}, those with the least {by}; --full "
            "shows all",
        )
    replaced = dict.fromkeys(token.token for token in why.read if token.status == "replaced")
    if replaced:
        names = listed(map(clipped_repr, replaced), 4)
        yield Fact("unknown", f"read as {_unknown(explanation)}: {names}", "notable")
    if len(why.read) < len(why.tokens):
        yield Fact("not read", _not_read(why), "notable")


def answer(why: Why) -> str:
    """Return the answer on a text; of a text without a token that is read, that it says nothing."""
    if why.nothing_read:
        return f"{_answer(why)}. No token of the text is read, so the answer says nothing about it"
    return _answer(why)


def _answer(why: Why) -> str:
    if why.label == why.asked:
        return f"{why.label}, with probability {why.probability:.3f}"
    return f"{why.label}; the probability of {why.asked} is {why.probability:.3f}"


def _turns(why: Why) -> str:
    """Return after which token the answer is what it is, and whether it had turned before."""
    turn = why.turn
    if turn is None:
        return f"nowhere: the answer is {why.label} before the first token and after each"
    change = f"{turn.before:.3f} before, {turn.after:.3f} after"
    if turn.token is None:
        where = "in the padding behind the text"
    else:
        where = f"at {clipped_repr(turn.token)} (position {turn.position})"
    if turn.times == 1:
        return f"to {why.label} {where}, once: {change}"
    return f"to {why.label} {where}, the last of {turn.times:,} times: {change}"


def _matters(most: dict[SortName, tuple[ReadToken, ...]], all_readings: Sequence[SortName]) -> str:
    """Return which token matters most by each reading, and whether they agree.

    Args:
        all_readings: also those by which no token matters.
    """
    by_all = _in_all([tokens for by, tokens in most.items() if by != "unknown"])
    if by_all and all(token.status == "replaced" for token in by_all):
        # What is unknown already cannot matter by being read so, which is no difference.
        most = {by: tokens for by, tokens in most.items() if by != "unknown"}
    by_all = _in_all(list(most.values()))
    if by_all:
        alike = len(most) == len(all_readings)
        names = "by all readings" if alike else _joined(_MOST_BY[by] for by in most)
        return f"{_named(by_all)} the most, {names}"
    readings: dict[str, list[str]] = {}
    for by, tokens in most.items():
        readings.setdefault(_named(tokens), []).append(_MOST_BY[by])
    parts = (f"{tokens} {_joined(names)}" for tokens, names in readings.items())
    return f"the readings differ in what matters most: {'; '.join(parts)}"


def _in_all(groups: Sequence[Sequence[ReadToken]]) -> list[ReadToken]:
    """Return the tokens that are in each group."""
    return [token for token in groups[0] if all(token in group for group in groups[1:])]


def _joined(names: Iterable[str]) -> str:
    """Return names as a sentence lists them: commas, and `and` before the last."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _named(tokens: Sequence[ReadToken]) -> str:
    """Return tokens that matter alike, with their positions."""
    names = [f"{clipped_repr(token.token)} (position {token.position})" for token in tokens]
    if len(names) == 1:
        return names[0]
    if len(names) > _MOST_NAMED:
        return f"{len(names):,} tokens alike, {names[0]} among them,"
    return f"{_joined(names)} alike"


def _of_steps(why: Why, steps: Steps) -> Fact:
    start = "in the state of zeros, before anything is read"
    if steps.padding_before:
        start = f"after {plural(steps.padding_before, 'position')} of padding"
    last = f"{why.probability + steps.difference:.3f} after"
    ends = f"{last} the last token"
    if steps.padding_behind:
        ends = f"{last} {plural(steps.padding_behind, 'position')} of padding behind the text"
    if not why.read:
        ends = "there is no token to read"
    return Fact(
        "probability",
        f"{steps.start:.3f} {start}; {ends}, and the model's own prediction is "
        f"{why.probability:.3f}{_checked(steps.difference)}",
        _confirmed(steps.difference),
    )


def _of_without(explanation: Explanation, why: Why, without: Without) -> Fact:
    if without.checked is None:
        return Fact("without it", "there is no token to leave out")
    token = next(token for token in why.read if token.position == without.checked)
    parts = []
    if token.removed is not None:
        parts.append(f"{token.removed:.3f} without it")
    if token.unknown is not None and explanation.unknown is not None:
        parts.append(f"{token.unknown:.3f} with {_unknown(explanation)} in its place")
    if parts and max(why.effects("removed") + why.effects("unknown")) < SHOWN:
        return Fact(
            "without it",
            f"no token by itself changes {why.probability:.3f} by 0.001, the same as separate "
            f"predictions{_checked(without.difference)}",
            _confirmed(without.difference),
        )
    text = f"{why.probability:.3f} becomes {' and '.join(parts)}" if parts else "one token alone"
    moved = ""
    if without.moved_in is not None:
        moved = f"; where a token is removed, {clipped_repr(without.moved_in)}, which was cut off, "
        moved += "moves in"
    return Fact(
        "without it",
        f"the most by {clipped_repr(token.token)}: {text}, the same as separate predictions"
        f"{_checked(without.difference)}{moved}",
        _confirmed(without.difference),
    )


def _of_attributions(why: Why, given: Attributions) -> Fact:
    baseline = _baseline(given)
    shares = f"tokens {given.tokens:+.3f}"
    if given.padding:
        shares += f" and padding {given.padding:+.3f}"
    whole = given.logit - given.baseline_logit
    small = abs(given.gap) <= 0.01 * max(1.0, abs(whole))
    if not why.read and not given.padding and small:
        same = f"the logit is {given.logit:+.3f}, the same as for {baseline}"
        return Fact("attribution", f"there is no token that could have a share: {same}")
    return Fact(
        "attribution",
        f"{shares}; the logit is {given.logit:+.3f} for the text and {given.baseline_logit:+.3f} "
        f"for {baseline}, {whole:+.3f} apart: the gap is {_amount(given.gap)}, by gradients at "
        f"{plural(given.steps, 'point')}",
        "confirmed" if small else "doubtful",
    )


def _baseline(given: Attributions) -> str:
    return "the padding row at every position" if given.baseline == "padding" else "zeros"


def _checked(difference: float) -> str:
    if abs(difference) <= ROUNDING:
        return f" (difference {_amount(difference)})"
    return f" (difference {_amount(difference)}, though they must be equal: please report this)"


def _amount(difference: float) -> str:
    """Return a difference; what is less than rounding makes is not told apart."""
    small = abs(difference) < _NOTHING
    return f"less than {_NOTHING:.6f}" if small else f"{abs(difference):.2g}"


def _confirmed(difference: float) -> Meaning:
    return "confirmed" if abs(difference) <= ROUNDING else "wrong"


def _not_read(why: Why) -> str:
    counts: dict[str, int] = {}
    for token in why.tokens:
        if token.position is None:
            counts[token.status] = counts.get(token.status, 0) + 1
    names = {
        "cut_off": "beyond the length that is read",
        "dropped": "not in the vocabulary, so dropped",
        "filtered": "removed by the filters",
    }
    text = plural(sum(counts.values()), "token")  # the model's own beginning of a text may be one
    if len(counts) == 1:
        [status] = counts
        return f"{text}, {names.get(status, status)}"
    parts = [f"{count:,} {names.get(status, status)}" for status, count in counts.items()]
    return f"{text}: {', '.join(parts)}"


def _unknown(explanation: Explanation) -> str:
    assert explanation.unknown is not None
    id_, token = explanation.unknown
    return f"{token} (id {id_})" if token else f"id {id_}"


# -- how to read it --------------------------------------------------------------------------------


def glossary(explanation: Explanation, tables: Sequence[Table]) -> Glossary:
    """Return what each reading says, and what it does not, for the columns of these tables."""
    names: list[tuple[str, str]] = []
    if explanation.no_steps is None:
        names += [
            (
                "probability",
                "what the model would answer if the text ended after this token: it shows where "
                "the answer turns",
            ),
            (
                "change",
                "by the token: what it did to what was read so far, not what it is worth by itself",
            ),
        ]
    names.append(
        (
            "without it",
            "the model's prediction for the text without this token, padded anew: what hangs on "
            "it while all others stay. Where two words say the same, leaving out either may "
            "change little",
        )
    )
    if explanation.unknown is not None:
        names.append(
            (
                "as unknown",
                f"the prediction with {_unknown(explanation)} in its place, so that no other token "
                "moves",
            )
        )
    if explanation.no_attributions is None:
        names.append(
            (
                "attribution",
                "the token's share of the way from the baseline's logit to the text's (integrated "
                "gradients): all shares add up, and another baseline gives other shares",
            )
        )
    return Glossary([("How to read the columns", names)], tables)


def about(explanation: Explanation) -> Iterator[Fact]:
    """Yield what was asked, and why a reading of it is missing."""
    layers = ", ".join(["Embedding", *explanation.layers])
    yield Fact(
        "classifier",
        f"{source_name(explanation.source)}: {layers}; Keras {explanation.version} on "
        f"{explanation.backend}",
    )
    if explanation.no_steps is not None:
        yield Fact(
            "probability",
            f"there is none after each token for this model: {explanation.no_steps}",
            "notable",
        )
    if explanation.no_unknown is not None:
        yield Fact("as unknown", f"left out: {explanation.no_unknown}", "notable")
    if explanation.no_attributions is not None:
        yield Fact("attribution", f"left out: {explanation.no_attributions}", "notable")
    yield from (Fact("note", note, "notable") for note in explanation.notes)
