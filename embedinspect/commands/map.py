"""`embedinspect map`: the rows in two dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from embedinspect.commands import options as option
from embedinspect.commands.groups import FormGroup, SourceGroup
from embedinspect.commands.parsing import CommandParser
from embedinspect.errors import UsageError
from embedinspect.output.forms import Answer, write_answer

if TYPE_CHECKING:
    from embedinspect.analysis.map import MapOptions, RowMap
    from embedinspect.source import Source

_FIRST = 5000
_AXIS = "--axis"


class AxisParser(CommandParser):
    """Takes the two words behind each `--axis`, which Typer cannot for an option that repeats."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return the arguments that are left, as Typer has it."""
        return super().parse_args(ctx, spread(args))


def spread(arguments: list[str]) -> list[str]:
    """Return the arguments with `--axis` before each of its two words.

    Raises:
        UsageError: an axis with less than two.

    >>> spread(["run", "king", "--axis", "bad", "good", "--json"])
    ['run', 'king', '--axis', 'bad', '--axis', 'good', '--json']
    """
    spread_out: list[str] = []
    behind = iter(arguments)
    for argument in behind:
        if argument == "--":
            return [*spread_out, argument, *behind]
        if argument != _AXIS:
            spread_out.append(argument)
            continue
        for _ in range(2):
            end = next(behind, "-")
            if end.startswith("-"):
                raise UsageError("--axis has less than two words; expected --axis LOW HIGH")
            spread_out += [_AXIS, end]
    return spread_out


def map_(
    asked: SourceGroup,
    form: FormGroup,
    words: option.Words = None,
    first: Annotated[
        option.Count | None,
        option.option(
            option.QUESTION,
            "Draw the first N rows, which are the frequent words of runs and of word vectors.",
            "--first",
            metavar="N",
            show_default=f"{_FIRST:,}",
        ),
    ] = None,
    method: Annotated[
        Literal["pca", "pacmap", "umap", "tsne"],
        option.option(
            option.QUESTION,
            "How rows become points: along the directions of greatest spread (pca), or by a "
            "library that keeps neighbors near each other.",
            "--method",
        ),
    ] = "pca",
    metric: option.PairMetric = "euclidean",
    axis: Annotated[
        list[str] | None,
        option.option(
            option.QUESTION,
            "Take the direction from LOW to HIGH as the axis across, each a word, or several in "
            "quotes; given twice, also as the axis up.",
            "--axis",
            metavar="LOW HIGH",
        ),
    ] = None,
    color_by: Annotated[
        str | None,
        option.option(
            option.QUESTION,
            "What colors stand for: classifier (a run's, on each word alone; takes seconds), axis "
            "(that of --axis), norm, moved (of a run), none, or FILE:COLUMN of a CSV, TSV or JSON "
            "Lines file with the words.",
            "--color-by",
            metavar="WHAT",
            show_default="moved for runs, else none",
        ),
    ] = None,
    before: Annotated[
        option.CountOrNone | None,
        option.option(
            option.QUESTION,
            "Draw the rows of this epoch of a run, too, on the same axes; 0 is before training.",
            "--before",
            metavar="EPOCH",
        ),
    ] = None,
    after: Annotated[
        option.CountOrNone | None,
        option.option(
            option.QUESTION,
            "The same as --epoch; without --before, the rows before training are drawn, too.",
            "--after",
            metavar="EPOCH",
            show_default="last",
        ),
    ] = None,
    seed: Annotated[
        option.SeedNumber | None,
        option.option(
            option.QUESTION,
            "Seed of a library's method; pca has no random numbers.",
            "--seed",
            metavar="N",
            show_default="0",
        ),
    ] = None,
    backend: option.Backend = None,
) -> None:
    """Draw the rows in two dimensions, with as many words beside them as find room.

    By default they are seen along their two directions of greatest spread (PCA), and how much of
    the spread that is stands below the picture. Words behind SOURCE are marked. For a run, the
    colors are how far each row has moved; --color-by classifier asks the classifier itself.

    \b
    Examples:
    embedinspect map sample:vectors
    embedinspect map glove.6B.50d.txt king queen --first 2000
    embedinspect map glove.6B.50d.txt --axis man woman --axis bad good
    embedinspect map runs/imdb --before 0 --color-by classifier
    embedinspect map glove.6B.50d.txt --method pacmap --metric cosine
    """
    chosen = form.choose()
    if seed is not None and method == "pca":
        raise UsageError("--seed is for pacmap, umap and tsne; pca has no random numbers")
    if after is not None and asked.epoch is not None:
        raise UsageError("--after and --epoch name the same epoch; leave out one of the two")
    ends = axis or []
    if len(ends) % 2:
        raise UsageError("--axis has one word; expected --axis LOW HIGH")
    source = asked.open(asked.path, asked.epoch if after is None else after)
    from embedinspect.analysis.map import MapOptions

    options = MapOptions(
        words=words or (),
        first=_FIRST if first is None else first,
        method=method,
        metric=metric,
        axes=list(zip(ends[::2], ends[1::2], strict=True)),
        color_by=color_by,
        before=0 if before is None and after is not None else before,
        seed=seed or 0,
        backend=backend,
    )
    row_map = _laid_out(source, options)
    from embedinspect.output import map as output

    answer = Answer(
        title=f"A map of {source.path}",
        page=lambda: output.page(row_map),
        document=lambda: output.document(row_map),
    )
    write_answer(answer, chosen)


def _laid_out(source: Source, options: MapOptions) -> RowMap:
    from embedinspect.analysis.map import lay_out
    from embedinspect.output.stdout import waiting

    with waiting("Laying out the rows"):
        return lay_out(source, options)
