"""What `explain` teaches: each lesson is a question, an experiment that is run, and a rule."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping

from embedinspect.errors import UsageError
from embedinspect.lessons.asking import topics_for
from embedinspect.lessons.lesson import Experiment, KerasPart, Lesson, Request, Topic
from embedinspect.lessons.topics import TOPICS
from embedinspect.wording import clipped_repr

_NEAREST, _LEAST_LIKENESS, _SHORTEST = 3, 0.7, 4
_SAME_SIZE = {"input_length": "maxlen"}
LARGEST = 10**6


def find(name: str) -> Topic:
    """Return the topic of that name, or the one that a piece of code or a question leads to.

    Case, `-` and `_` make no difference. A call leads to the topic of its last keyword argument
    that has one, else of what is called; an import to that of the module, else of what is imported.
    A question in plain words leads to the topic that shares its telling words.

    Raises:
        UsageError: there is no such topic; it names the nearest.

    >>> find("layer.get_weights()").name
    'vectors'
    >>> find("Embedding(5000, 32, input_length=500)").name
    'input-length'
    >>> find("why is my output not zero").name
    'mask-zero'
    """
    named = names()
    for candidate in _candidates(name):
        if plain(candidate) in named:
            return named[plain(candidate)]
    likely = topics_for(name, TOPICS) if is_question(name) else []
    if len(likely) == 1:
        return likely[0]
    near = [topic.name for topic in likely] or [named[near].name for near in _near(name, named)]
    nearest = list(dict.fromkeys(near))[:_NEAREST]
    expected = (
        f"did you mean {' or '.join(nearest)}? embedinspect explain lists them all"
        if nearest
        else f"expected one of {', '.join(topic.name for topic in TOPICS)}"
    )
    texts = "; texts go after the topic" if " " in name.strip() else ""
    raise UsageError(f"there is no topic {clipped_repr(name)}; {expected}{texts}")


def is_question(name: str) -> bool:
    """Return whether a name of a topic is a question in plain words, rather than code."""
    return len(name.split()) > 1 and not re.search(r"[()=]", name)


def _candidates(asked: str) -> Iterator[str]:
    """Yield what may be the name of a topic, the most telling first."""
    before, _, arguments = asked.partition("(")
    called = before.split("=")[-1 if arguments else 0].strip()
    last = called.split(".")[-1]
    # num_words means something else to load_data than to a Tokenizer.
    if last != "load_data":
        yield from reversed(re.findall(r"(\w+)\s*=(?!=)", arguments))
    yield called
    yield last
    imported = re.fullmatch(r"(?:from\s+([\w.]+)\s+)?import\s+([\w.]+).*", asked.strip())
    if imported:
        module = imported[1] or ""
        yield from (module, *reversed(module.split(".")), imported[2])


def _near(asked: str, named: Mapping[str, Topic]) -> Iterator[str]:
    """Yield the nearest names: those within the question, those it begins, those spelled alike."""
    words = [plain(word) for word in re.findall(r"[\w-]+", asked)]
    within = [word for word in words if word in named]
    yield from within
    whole = plain(re.split(r"[(=]", asked)[0])
    if whole and not within:
        yield from (name for name in named if name.startswith(whole))
        likely = [name for name in named if len(name) >= _SHORTEST]
        yield from difflib.get_close_matches(whole, likely, n=_NEAREST, cutoff=_LEAST_LIKENESS)


def sizes_in(asked: str, topic: Topic) -> dict[str, int]:
    """Return the sizes that stand in a call, such as `num_words=3`, where the lesson takes them.

    Raises:
        UsageError: one that is 0, or too large.
    """
    sizes = {}
    for name, value in re.findall(r"(\w+)\s*=\s*([0-9]+)\b", asked):
        size = _SAME_SIZE.get(name, name)
        if size in topic.takes:
            number = int(value[:9])  # more digits would be too large anyway
            if not 1 <= number <= LARGEST:
                raise UsageError(f"{name} is {value[:9]}; expected 1 to {LARGEST:,}")
            sizes[size] = number
    return sizes


def names() -> dict[str, Topic]:
    """Return the topic for each name that leads to one; names are written as by `plain`."""
    aliases = {plain(alias): topic for topic in TOPICS for alias in topic.aliases}
    return aliases | {plain(topic.name): topic for topic in TOPICS}


def plain(name: str) -> str:
    """Return a name as names are compared: in lower case, without `-`, `_`, dots and spaces.

    >>> plain("mask_zero"), plain("Mask-Zero")
    ('maskzero', 'maskzero')
    """
    return re.sub(r"[-_. ]", "", name).lower()


def check(topic: Topic, request: Request, backend: str | None = None) -> None:
    """Refuse texts, sizes or a backend that the lesson has no use for.

    Raises:
        UsageError: there is one; it says what the lesson takes.
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
            taken = ", ".join(f"--{name.replace('_', '-')}" for name in topic.takes)
            raise UsageError(
                f"--{size.replace('_', '-')} has no part in the lesson {topic.name}"
                + (f"; expected {taken}" if taken else ", which takes no sizes; leave it out")
            )


__all__ = [
    "TOPICS",
    "Experiment",
    "KerasPart",
    "Lesson",
    "Request",
    "Topic",
    "check",
    "find",
    "is_question",
    "sizes_in",
]
