"""What `explain` teaches: each lesson a question, an experiment that is run, and a rule."""

from __future__ import annotations

import difflib
import re

from embedinspect.errors import UsageError
from embedinspect.lessons.record import Experiment, KerasPart, Lesson, Request, Topic
from embedinspect.lessons.topics import TOPICS
from embedinspect.texts import clipped_repr

_NEAREST, _LEAST_LIKENESS = 3, 0.55


def find(name: str) -> Topic:
    """Return the topic of that name, or the one that a name from code leads to.

    Case, `-` and `_` make no difference, nor does what stands around a name in code.

    Raises:
        UsageError: neither; it names the nearest.

    >>> find("layer.get_weights()").name
    'vectors'
    """
    named = names()
    asked = re.split(r"[(=]", name)[0]
    for candidate in (asked, asked.split(".")[-1]):
        if plain(candidate) in named:
            return named[plain(candidate)]
    begun = [one for one in named if plain(asked) and one.startswith(plain(asked))]
    close = difflib.get_close_matches(plain(asked), named, n=_NEAREST, cutoff=_LEAST_LIKENESS)
    nearest = list(dict.fromkeys(named[one].name for one in [*begun, *close]))[:_NEAREST]
    hint = f"; did you mean {' or '.join(nearest)}?" if nearest else ""
    raise UsageError(
        f"there is no topic {clipped_repr(name)}; expected one of "
        f"{', '.join(topic.name for topic in TOPICS)}{hint}"
    )


def names() -> dict[str, Topic]:
    """Return the topic for each name that leads to one, as `plain` writes names."""
    aliases = {plain(alias): topic for topic in TOPICS for alias in topic.aliases}
    return aliases | {plain(topic.name): topic for topic in TOPICS}


def plain(name: str) -> str:
    """Return a name as names are compared: small letters, without `-`, `_`, dots and spaces.

    >>> plain("mask_zero"), plain("Mask-Zero")
    ('maskzero', 'maskzero')
    """
    return re.sub(r"[-_. ]", "", name).lower()


def check(topic: Topic, request: Request, backend: str | None = None) -> None:
    """Refuse texts, sizes or a backend that the lesson has no use for.

    Raises:
        UsageError: names what was given, and what the lesson takes.
    """
    if request.texts is not None and not topic.takes_texts:
        raise UsageError(
            f"the lesson {topic.name} takes no texts, but got {clipped_repr(request.texts[0])}; "
            f"expected: embedinspect explain {topic.name}"
        )
    if backend is not None and topic.run_keras is None:
        raise UsageError(
            f"the lesson {topic.name} runs without Keras, so it has no use for --backend "
            f"{backend}; leave it out"
        )
    for size in request.sizes:
        if size not in topic.takes:
            taken = " ".join(f"--{name.replace('_', '-')}" for name in topic.takes) or "no sizes"
            raise UsageError(
                f"--{size.replace('_', '-')} has no part in the lesson {topic.name}; expected "
                f"{taken}"
            )


__all__ = ["TOPICS", "Experiment", "KerasPart", "Lesson", "Request", "Topic", "check", "find"]
