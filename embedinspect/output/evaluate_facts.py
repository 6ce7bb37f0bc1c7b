"""What stands below the numbers of a test: how it was read, counted and measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from embedinspect.analysis.evaluate.association import DRAWN
from embedinspect.analysis.evaluate.results import Comparison, Evaluation, FileResult, Settings
from embedinspect.analysis.evaluate.statistics import DRAWS, SHUFFLES
from embedinspect.output.labels import short
from embedinspect.page import Fact
from embedinspect.wording import listed, plural

_ANALOGY_SHUFFLES = 200
_METHODS = {"cosadd": "3CosAdd", "cosmul": "3CosMul"}
_CHANCE = {
    "analogies": "chance: a word drawn from the rows that can be an answer",
    "pairs": "chance: no correlation",
    "odd-one-out": "chance: any word of the group",
    "categories": "chance: the share of the largest category, below which no purity can be",
    "association": "chance: no difference between the two sets of targets",
}
_PERMUTED = {
    "analogies": f"the answers of a section are shuffled {_ANALOGY_SHUFFLES} times",
    "pairs": f"the scores are shuffled {SHUFFLES:,} times",
    "odd-one-out": f"the odd word of each group is drawn {SHUFFLES:,} times",
    "categories": f"the categories are shuffled {SHUFFLES:,} times beside the same clusters",
    "association": "the words of the two targets are dealt out to them anew",
}


def facts_of(
    evaluation: Evaluation, results: Sequence[FileResult], comparisons: Sequence[Comparison]
) -> Iterator[Fact]:
    """Yield what a reader of a file's tables has to know."""
    test = results[0].file
    perhaps = "" if test.perhaps is None else f"; if it is {test.perhaps}: --as {test.perhaps}"
    yield Fact("kind", f"{test.kind}, as it has {test.reason}{perhaps}")
    for note in test.notes:
        yield Fact("", note)
    if test.left_out.total:
        lines = plural(test.left_out.total, "line")
        yield Fact("left out", f"{lines}: {listed(test.left_out.first, 1)}", "doubtful")
    yield from _vocabulary(evaluation, results)
    if test.kind == "pairs":
        yield from _without_correlation(evaluation, results)
    yield Fact("method", _method(test.kind, evaluation))
    drawn = _ways(results) if test.kind == "association" else ""
    amounts = ", without their signs" if test.kind in {"pairs", "association"} else ""
    yield Fact("chance", _CHANCE[test.kind].removeprefix("chance: "))
    yield Fact(
        "permuted",
        f"{_PERMUTED[test.kind]}{drawn}; 95 of 100 such numbers are at most this{amounts}",
    )
    if any(m.low is not None for r in results for s in r.results for m in s.measures):
        yield Fact("from, to", _interval(test.kind))
    if comparisons:
        yield Fact("difference", _difference(comparisons))


def _ways(results: Sequence[FileResult]) -> str:
    """Return in how many ways the words of targets were dealt out."""
    exact = {m.exact for r in results for s in r.results for m in s.measures} - {None}
    names = {True: "in every way", False: f"in {DRAWN:,} ways that are drawn"}
    said = " or ".join(names[one] for one in (True, False) if one in exact)
    return f", {said}" if said else ""


def _vocabulary(evaluation: Evaluation, results: Sequence[FileResult]) -> Iterator[Fact]:
    several = len(evaluation.sources) > 1
    label = "words"
    for result in results:
        missing = result.missing
        of = f"{chr(ord('A') + result.source)}: " if several else ""
        if missing.total:
            names = listed([short(word) for word in missing.first], 5)
            if missing.total > 5:
                names = ", ".join(short(word) for word in missing.first[:5]) + ", ..."
            said = f"{plural(missing.total, 'word')} without a vector ({names})"
        else:
            said = "all have a vector"
        if missing.no_direction:
            said += f"; {missing.no_direction:,} of them with a row of zeros, NaN or infinity"
        if missing.composed:
            said += f"; {plural(missing.composed, 'vector')} composed of parts of words"
        yield Fact(label, of + said)
        label = ""
    if any(result.missing.total for result in results):
        yield Fact("oov", _counted(results[0].file.kind, evaluation.settings))


def _without_correlation(evaluation: Evaluation, results: Sequence[FileResult]) -> Iterator[Fact]:
    """Yield, for each source, why there is no correlation in any section, where there is none."""
    for result in results:
        if any(m.value is not None for section in result.results for m in section.measures):
            continue
        of = f"{chr(ord('A') + result.source)}: " if len(evaluation.sources) > 1 else ""
        judged = plural(max(section.counted for section in result.results), "pair")
        yield Fact(
            "value",
            f"{of}none, as {judged} can be judged; a correlation takes 2 or more, of scores that "
            "differ and cosines that differ",
            "doubtful",
        )


def _counted(kind: str, settings: Settings) -> str:
    if kind == "association":
        return "words without a vector are left out of their set"
    if settings.oov == "skip" and kind == "pairs":
        return (
            "a pair with a word without a vector is skipped; --oov wrong gives it the similarity 0"
        )
    if settings.oov == "skip":
        return "what has a word without a vector is skipped; --oov wrong counts it as wrong"
    if kind == "pairs":
        return "a pair with a word without a vector has the similarity 0; --oov skip leaves it out"
    return "what has a word without a vector counts as wrong; --oov skip leaves it out"


def _method(kind: str, evaluation: Evaluation) -> str:
    settings = evaluation.settings
    case = (
        "capitals count"
        if settings.case
        else "capitals do not count: the first row of a word is taken"
    )
    rows = listed([f"{count:,}" for count in dict.fromkeys(evaluation.rows)])
    among = f"; {case}; {rows} rows are looked at"
    credit = "" if settings.top == 1 else f", right if among the {settings.top} best"
    if kind == "analogies":
        return (
            f"{_METHODS[settings.method]}{credit}; no offset: right if the answer were the row "
            f"nearest to the third word{among}"
        )
    if kind == "odd-one-out":
        return f"the word with the lowest mean cosine with the others{credit}{among}"
    if kind == "categories":
        return (
            "k-means on vectors of length 1, as many clusters as categories; right is a word whose "
            f"category is that of most in its cluster{among}"
        )
    if kind == "association":
        return (
            "mean cosine with the first attributes less that with the second; p is one-sided"
            f"{among}"
        )
    return f"cosine of the two words{among}"


def _interval(kind: str) -> str:
    if kind == "pairs":
        return f"95 % interval by {DRAWS:,} bootstraps of the pairs"
    if kind == "association":
        return f"95 % interval by {DRAWS:,} bootstraps of the target words"
    words = ", and questions that share words make it too narrow" if kind == "analogies" else ""
    return f"95 % interval by Wilson; it takes the items as independent{words}"


def _difference(comparisons: Sequence[Comparison]) -> str:
    count = sum(comparison.adjusted is not None for comparison in comparisons)
    shared = ""
    if comparisons[0].file.kind == "analogies":
        shared = "; questions that share words make p too small"
    return (
        f"the other less A on what counts for both, by {comparisons[0].test}; p adjusted by Holm "
        f"for {plural(count, 'comparison')}, more than chance below 0.05{shared}"
    )
