"""`embedinspect why`: how a classifier comes to its answer."""

from __future__ import annotations

from typing import Annotated, Literal

from embedinspect.commands import options as option
from embedinspect.commands.groups import ClassifierGroup, FormGroup, TextsGroup
from embedinspect.errors import UsageError
from embedinspect.output.forms import Answer, write_answer

_MOST_STEPS = 10_000


def why(
    asked: ClassifierGroup,
    texts: TextsGroup,
    form: FormGroup,
    label: Annotated[
        str | None,
        option.option(
            option.QUESTION,
            "Class whose probability is read, by its name or number.",
            "--class",
            metavar="CLASS",
            show_default="the second of two, the most probable of several",
        ),
    ] = None,
    sort: Annotated[
        Literal["change", "removed", "unknown", "attribution"] | None,
        option.option(
            option.QUESTION,
            "Put the tokens first that matter most: by their change of the probability, by what "
            "the prediction is without them or with the unknown id, or by their attribution.",
            "--sort",
            show_default="reading order",
        ),
    ] = None,
    baseline: Annotated[
        Literal["padding", "zeros"] | None,
        option.option(
            option.QUESTION,
            "Baseline of integrated gradients: the padding row at every position, or zeros.",
            "--baseline",
            show_default="zeros where the padding is masked, else padding",
        ),
    ] = None,
    steps: Annotated[
        option.Count | None,
        option.option(
            option.QUESTION,
            "Points between baseline and text at which the gradient is taken.",
            "--steps",
            metavar="N",
            show_default="50, and more until the sum is right",
        ),
    ] = None,
    maxlen: option.Maxlen = None,
    padding: option.Padding = None,
    truncating: option.Truncating = None,
    backend: option.Backend = None,
    full: option.Full = False,
) -> None:
    """Show how a classifier comes to its answer on a text, token by token.

    Three readings stand side by side, each with its check: the probability after each token, the
    prediction without it, and its share of the answer by integrated gradients. A Keras model is
    rebuilt from its plain layers, and nothing in it is run.

    \b
    Examples:
    embedinspect why runs/imdb "I expected a wonderful film and got a dull mess"
    embedinspect why runs/imdb "not good at all" --sort attribution
    embedinspect why runs/imdb --file reviews.txt --format csv
    """
    chosen = form.choose()
    if steps is not None and steps > _MOST_STEPS:
        raise UsageError(f"--steps is {steps}; expected at most {_MOST_STEPS:,}")
    from embedinspect.analysis.why import explain_answer
    from embedinspect.output import why as output
    from embedinspect.output.stdout import waiting

    source = asked.source()
    collected = texts.read()
    with waiting("The classifier reads the texts"):
        explanation = explain_answer(
            source,
            collected,
            backend=backend,
            label=label,
            baseline=baseline,
            steps=steps,
            maxlen=maxlen,
            padding=padding,
            truncating=truncating,
        )
    if sort is not None and sort not in explanation.readings:
        raise UsageError(
            f"--sort is {sort!r}, which does not exist for this model; expected one of "
            f"{', '.join(explanation.readings)}"
        )
    answer = Answer(
        title="Why the classifier says that",
        page=lambda: output.page(explanation, sort, full=full),
        document=lambda: output.document(explanation, sort),
    )
    write_answer(answer, chosen)
