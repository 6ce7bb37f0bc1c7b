"""Which lookup layer of a model gives an embedding its ids, and so its rows their words.

The graph in the model's config decides. Where it does not say, a layer with just as many tokens as
there are rows is offered, and called a guess. Where it says that no lookup layer is in front, the
rows have no words.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from embedinspect.errors import UsageError
from embedinspect.formats.keras_config import is_kerass
from embedinspect.formats.keras_origins import Names, Origin, Origins, origins
from embedinspect.tokenizing.lookup_layer import (
    CATEGORIES,
    LOOKUPS,
    NUMBERS,
    STRINGS,
    TEXT,
    LookupLayer,
    Shape,
)
from embedinspect.wording import clipped_repr, listed, plural

# What of a config does not change the ids that a layer with these words gives.
_NO_RULES = frozenset({"name", "dtype", "trainable", "vocabulary", "vocabulary_size"})


@dataclass(frozen=True)
class LookupOfRows:
    """The lookup layer whose words the rows of an embedding have.

    Attributes:
        lookup: the layer; None where the rows have no words that are known.
        how: how it was found: by the model's graph, by a guess, or because the user named it.
        no_ids: why it cannot be known which ids the model gives a text, as the end of a sentence
            that begins with the file; what to do comes with it.
        doubt: what a reader of the words must know.
    """

    lookup: LookupLayer | None = None
    how: Literal["graph", "guess", "picked"] = "graph"
    no_ids: str | None = None
    doubt: str | None = None

    @property
    def words_from(self) -> str:
        """Where the words come from, in words."""
        assert self.lookup is not None
        return f"{_HOW[self.how].format(self.lookup.path)}, item i names row i"

    def words(self, rows: int) -> list[str | None] | None:
        """Return the word of each row; None where none is known."""
        words = self.lookup.words if self.lookup is not None else None
        if words is None:
            return None
        return [*words[:rows], *[None] * (rows - len(words))]

    def warnings(self, rows: int) -> list[str]:
        """Return what is odd about the words of that many rows, each a sentence."""
        warnings = [self.doubt] if self.doubt is not None else []
        words = (self.lookup.words if self.lookup is not None else None) or []
        if self.lookup is not None and len(words) > rows:
            warnings.append(
                f"the layer {self.lookup.path} of the model has {plural(len(words), 'word')}, but "
                f"the matrix has {plural(rows, 'row')}: there is none for "
                f"{clipped_repr(words[rows] or '')} and the words after it"
            )
        return warnings


# How the lookup layer was found, with its name.
_HOW = {
    "graph": "the layer {} of the model",
    "guess": "a guess: the layer {} of the model, which has as many tokens",
    "picked": "the layer {} of the model (--words-from)",
}


@dataclass(frozen=True)
class Rows:
    """A weight of which the words of its rows are asked for.

    Attributes:
        names: of the layer that it belongs to, those of the models around it first.
        count: how many rows there are.
        embedding: whether it is an embedding, by the config or by its name.
        shared: other names under which models share the layer.
    """

    names: Names
    count: int
    embedding: bool
    shared: Sequence[Names] = ()


@dataclass(frozen=True)
class Lookups:
    """The lookup layers of a model, and where the graph has them.

    Attributes:
        layers: each once, in the order of the config.
        by_names: the layers by their names in the graph; a shared layer may have several.
        origins: where the input of each layer of the graph comes from.
    """

    layers: tuple[LookupLayer, ...] = ()
    by_names: Mapping[Names, LookupLayer] = field(default_factory=dict)
    origins: Origins = field(default_factory=Origins)

    def words_of(self, weight: Rows, wanted: str | None, label: str) -> LookupOfRows:
        """Return the lookup layer whose words the rows of a weight have.

        Args:
            wanted: the lookup layer that the user names, by name or path; None to find it.
            label: how errors name the file.

        Raises:
            UsageError: no lookup layer has that name, or several could be meant.
        """
        owner = self.origins.owner(weight.names)
        calls = list(self.origins.takes[owner]) if owner is not None else []
        for names in weight.shared:
            calls += self.origins.takes[names]
        if wanted is not None:
            lookup = self._pick(wanted, label)
            return LookupOfRows(lookup, "picked", self._no_ids(lookup, calls))
        if owner is not None and owner in self.origins.embeddings:
            certain = [origin for origin in calls if not origin.unknown]
            feeding = self._feeding(certain)
            if feeding:
                lookup = self._only(feeding, label, "feed the embedding")
                return LookupOfRows(lookup, "graph", self._no_ids(lookup, certain))
            if len(certain) == len(calls):
                return LookupOfRows()
        elif not weight.embedding or (owner is not None and owner not in self.origins.custom):
            return LookupOfRows()
        return self._guess(self._feeding(calls) or list(self.layers), weight.count, label)

    def _guess(self, candidates: list[LookupLayer], rows: int, label: str) -> LookupOfRows:
        """Return the only layer that has as many tokens as there are rows, as a guess."""
        candidates = [lookup for lookup in candidates if lookup.words is not None]
        fitting = [lookup for lookup in candidates if rows in lookup.sizes]
        if fitting:
            lookup = self._only(fitting, label, f"have {rows:,} tokens, as many as there are rows")
            option = f"--words-from {lookup.path}"
            return LookupOfRows(
                lookup,
                "guess",
                f"has words for its rows only by a guess; expected to know which layer they are "
                f"from; {option} says that it is {lookup.label}",
                f"the words of {label} are a guess: its graph does not say where the ids come "
                f"from, and {lookup.label} has as many tokens as there are rows; {option} says "
                "that it is this one",
            )
        if not candidates:
            return LookupOfRows()
        sizes = listed(
            f"{clipped_repr(lookup.path, 60)} ({plural(len(lookup.words or ()), 'token')})"
            for lookup in candidates
        )
        doubt = (
            f"{label} does not say which words its {plural(rows, 'row')} have, and no lookup layer "
            f"has as many tokens: {sizes}; pick one with --words-from LAYER"
        )
        return LookupOfRows(doubt=doubt)

    def _feeding(self, calls: Iterable[Origin]) -> list[LookupLayer]:
        """Return the lookup layers that some calls take their ids from, each once."""
        names = {names for origin in calls for names in origin.lookups}
        feeding = {id(self.by_names[key]) for key in names if key in self.by_names}
        return [lookup for lookup in self.layers if id(lookup) in feeding]

    def _only(self, lookups: list[LookupLayer], label: str, what: str) -> LookupLayer:
        """Return the first of some layers that all have the same words and rules.

        Raises:
            UsageError: they differ.
        """
        first = lookups[0]
        if all(_alike(first, other) for other in lookups[1:]):
            return first
        raise UsageError(
            f"{label} has {len(lookups)} lookup layers that {what}; expected one; pick it with "
            f"--words-from LAYER: {_paths(lookups)}"
        )

    def _pick(self, wanted: str, label: str) -> LookupLayer:
        fitting = [lookup for lookup in self.layers if wanted == lookup.path] or [
            lookup for lookup in self.layers if wanted == lookup.name
        ]
        if not fitting:
            names = [*(lookup.name for lookup in self.layers), *(one.path for one in self.layers)]
            close = difflib.get_close_matches(wanted, names, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise UsageError(
                f"--words-from is {clipped_repr(wanted)}; expected a lookup layer of {label}: "
                f"{_paths(self.layers) or 'it has none'}{hint}"
            )
        lookup = self._only(fitting, label, f"are called {clipped_repr(wanted)}")
        if lookup.words is None:
            raise UsageError(
                f"--words-from is {clipped_repr(wanted)}, but {lookup.label} of {label} "
                f"{lookup.no_words}; expected a layer with words"
            )
        return lookup

    def _no_ids(self, lookup: LookupLayer, calls: Iterable[Origin]) -> str | None:
        """Return why the ids of a text cannot be known, with what to do, or None."""
        reason = self._unknown_ids(lookup, calls)
        if reason is None:
            return None
        return (
            f"has {reason}; expected rules that can be told from the file; ask for rows by word or "
            "number instead (rows, neighbors)"
        )

    def _unknown_ids(self, lookup: LookupLayer, calls: Iterable[Origin]) -> str | None:
        names = {names for names, layer in self.by_names.items() if layer is lookup}
        between = [origin for origin in calls if origin.lookups & names]
        if between and all(origin.rearranged for origin in between):
            layer = min(between[0].rearranged)
            return (
                f"the layer {clipped_repr(layer)} between {lookup.label} and the embedding, which "
                "may cut, join or reorder the ids"
            )
        taken = [origin for key in names for origin in self.origins.takes.get(key, ())]
        for origin in taken:
            makers = sorted(origin.unknown) + sorted("/".join(key) for key in origin.lookups)
            if makers:
                made = f"what the layer {clipped_repr(makers[0])} makes of a text"
                return f"{lookup.label}, which looks up {made}"
        shapes: list[Shape | None] = [shape for origin in taken for _, shape in origin.inputs]
        reason = lookup.no_ids(shapes)
        return None if reason is None else f"{lookup.label}, which {reason}"


def _paths(lookups: Iterable[LookupLayer]) -> str:
    return listed(
        f"{clipped_repr(lookup.path, 60)} ({lookup.class_name}, "
        + (lookup.no_words or plural(len(lookup.words or ()), "token"))
        + ")"
        for lookup in lookups
    )


def _alike(lookup: LookupLayer, other: LookupLayer) -> bool:
    """Return whether two layers give the same ids to every text."""
    return (
        lookup.class_name == other.class_name
        and lookup.words == other.words
        and lookup.words is not None
        and _without(lookup.config, _NO_RULES) == _without(other.config, _NO_RULES)
    )


def _without(config: dict[str, Any] | None, keys: Collection[str]) -> dict[str, Any]:
    return {key: value for key, value in (config or {}).items() if key not in keys}


# -- what a file holds ----------------------------------------------------------------------------


def lookups_in(
    config: dict[str, Any],
    objects: Iterable[dict[str, Any]],
    assets: Mapping[str, str],
    names_of: Callable[[str], Names],
) -> Lookups:
    """Return the lookup layers of a model.

    Args:
        config: of the model.
        objects: every object in the config with a class and a config of its own, at any depth.
        assets: the text of each vocabulary file, by the path of its layer in the file.
        names_of: returns the names of the layer at a path in the file.
    """
    graph = origins(config)
    entries: dict[Names, tuple[str, dict[str, Any]]] = dict(graph.lookups)
    laid_out = {id(inner) for _, inner in entries.values()}
    for class_name, inner in _elsewhere(objects):
        if id(inner) not in laid_out:
            entries.setdefault((inner["name"],), (class_name, inner))
    owned = _owners(entries, assets, names_of)
    layers: list[LookupLayer] = []
    by_names: dict[Names, LookupLayer] = {}
    for names, (class_name, inner) in entries.items():
        asset = owned.get(names)
        lookup = LookupLayer(names[-1], "/".join(names), class_name, inner, asset)
        shared = next((one for one in layers if _is_shared(one, lookup)), None)
        if shared is not None and shared.asset is None and asset is not None:
            layers[layers.index(shared)] = lookup
            by_names = {key: lookup if one is shared else one for key, one in by_names.items()}
        elif shared is None:
            layers.append(lookup)
        by_names[names] = lookup if shared is None or asset is not None else shared
    layers.extend(_without_config(assets, set(owned), names_of, entries))
    return Lookups(tuple(layers), by_names, graph)


def _elsewhere(objects: Iterable[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for entry in objects:
        inner = entry["config"]
        if (
            entry["class_name"] in LOOKUPS | CATEGORIES
            and is_kerass(entry)
            and isinstance(inner.get("name"), str)
        ):
            yield entry["class_name"], inner


def _owners(
    entries: Mapping[Names, tuple[str, dict[str, Any]]],
    assets: Mapping[str, str],
    names_of: Callable[[str], Names],
) -> dict[Names, str]:
    """Return the vocabulary file of each layer that was adapted, by the layer's names.

    Before Keras wrote the names of layers beside their weights, only a single file can be told.
    """
    adapted = [names for names, (_, inner) in entries.items() if inner.get("vocabulary") is None]
    owned = {}
    for path, text in assets.items():
        names = names_of(path)
        if names in adapted:
            owned[names] = text
        elif len([one for one in adapted if one[-1:] == names[-1:]]) == 1:
            owned[next(one for one in adapted if one[-1:] == names[-1:])] = text
    lookups = [names for names in adapted if entries[names][0] in LOOKUPS]
    if not owned and len(lookups) == len(assets) == 1:
        owned[lookups[0]] = next(iter(assets.values()))
    return owned


def _is_shared(lookup: LookupLayer, other: LookupLayer) -> bool:
    """Return whether two entries of a config are one layer, which two models share."""
    return (
        lookup.name == other.name
        and lookup.class_name == other.class_name
        and _without(lookup.config, {"dtype"}) == _without(other.config, {"dtype"})
        and (lookup.asset is None or other.asset is None or lookup.asset == other.asset)
    )


def _without_config(
    assets: Mapping[str, str],
    owned: set[Names],
    names_of: Callable[[str], Names],
    entries: Mapping[Names, object],
) -> Iterator[LookupLayer]:
    """Yield the layers of which the file holds the words, but not the rules."""
    if owned and len(owned) == len(assets):
        return
    for path, text in assets.items():
        names = names_of(path) or (path.split("/")[-1],)
        if names in owned or any(names[-1] == one[-1] for one in owned):
            continue
        place = path.split("/")[-1]
        kinds = {"text_vectorization": TEXT, "integer_lookup": NUMBERS}
        kind = next((kind for start, kind in kinds.items() if place.startswith(start)), STRINGS)
        name = names[-1] if names not in entries else place
        yield LookupLayer(name, "/".join([*names[:-1], name]), kind, None, text)
