"""What may have been meant by a command or an option that is not there."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterable

from embedinspect.errors import EmbedInspectError
from embedinspect.wording import clipped_repr

# Of a name and what it may mean; below it, they have little more than their length in common.
_LIKENESS = 0.7
_STDERR = "what is no part of the answer goes to stderr: 2>/dev/null leaves it out"
# Options that people look for under the name that they have elsewhere.
_OPTIONS = {
    "--vocabulary": "--words names the words of the rows",
    "--from": "the source comes first, before all words and texts",
    "--quiet": _STDERR,
    "--silent": _STDERR,
    "-q": _STDERR,
    "--plot": "embedinspect map SOURCE draws the rows",
}
# What to type, and the commands under which people look for it.
_COMMANDS = {
    "neighbors": "nearest near similar similarity most_similar search query analogy synonyms knn",
    "map SOURCE": "plot visualize visualise draw scatter tsne t-sne pca umap pacmap",
    "export SOURCE projector": "projector tensorboard",
    "export SOURCE FILE": "convert save write dump",
    "info SOURCE": "inspect describe stats statistics overview view open load",
    "rows SOURCE WORD": "row vector vectors get word",
    "decode SOURCE ID": "ids detokenize",
    'show "YOUR TEXT"': "trace tokenize encode text",
    "diff A B": "compare difference moved changes",
    "evaluate SOURCE FILE": "eval benchmark score accuracy quality analogies wordsim weat bias",
    "doctor SOURCE": "check lint validate debug fix test",
    "train DATA": "fit learn run classify",
    "explain": "docs topics topic lessons lesson faq tutorial examples how",
    'why RUN "YOUR TEXT"': "predict attribution attribute saliency interpret shap lime captum",
    "cache --clear": "clear clean",
    "--version": "version",
}
_LINE_OF = {name: line for line, names in _COMMANDS.items() for name in names.split()}


def no_such_command(name: str, commands: Iterable[str]) -> str:
    """Return what is said of a name that is no command."""
    came = f"there is no command {clipped_repr(name)}"
    lowered, commands = name.lower(), list(commands)
    line = _LINE_OF.get(lowered)
    close = difflib.get_close_matches(lowered, commands, n=1, cutoff=_LIKENESS)
    if line in commands or (line is None and close):
        return f"{came}; did you mean {line or close[0]!r}?"
    if line is not None:
        return f"{came}; did you mean: embedinspect {line}?"
    topic = _topic_of(name)
    if topic is not None:
        asked = clipped_repr(name) if " " in name.strip() else topic
        return f"{came}; did you mean: embedinspect explain {asked}?"
    if " " in name.strip():
        return f"{came}; to trace a text: embedinspect show {clipped_repr(name)}"
    return f"{came}; expected one of {', '.join(commands)}"


def _topic_of(name: str) -> str | None:
    """Return the topic of `explain` that a name leads to, or is spelled like; None for none."""
    from embedinspect import lessons

    with contextlib.suppress(EmbedInspectError):
        return lessons.find(name).name
    names = lessons.names()
    close = difflib.get_close_matches(lessons.plain(name), names, n=1, cutoff=_LIKENESS)
    return names[close[0]].name if close else None


def no_such_option(name: str, options: Iterable[str], otherwise: str) -> str:
    """Return what is said of an option that a command does not have.

    Args:
        options: those that it has.
        otherwise: what to say where none of them is meant.
    """
    options = list(options)
    if name == "--output" and "--out" in options:
        return (
            "there is no option --output here; --out names the run folder, and embedinspect info "
            "RUN --output FILE writes the curves"
        )
    if name in _OPTIONS:
        return f"there is no option {name} here; {_OPTIONS[name]}"
    close = difflib.get_close_matches(name, options, n=1, cutoff=_LIKENESS)
    if close:
        return f"there is no option {name}; did you mean {close[0]}?"
    return f"there is no option {name}; {otherwise}"
