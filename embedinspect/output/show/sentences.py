"""What stands below the tables: the numbers of this run in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from embedinspect.keras_layer import Proof
from embedinspect.lookup import Lookup, OneHot
from embedinspect.output.screen import Screen, clip, labelled
from embedinspect.token_counts import TokenCounts
from embedinspect.training.predict import Prediction
from embedinspect.vocabulary import Token
from embedinspect.wording import literal, plural

FIRST_SENTENCE = "Each token id is a row number; the output copies that row."
LEFT_OUT = "Keras was left out (--no-keras): the real layer has not confirmed this."
_MOST_WORDS = 12
_SPOKEN = {
    "looked_up": "looked up",
    "replaced": "replaced",
    "dropped": "dropped",
    "cut_off": "cut off",
}


def describe(
    lookup: Lookup, counts: TokenCounts, screen: Screen, *, full: bool = False
) -> Iterator[Text]:
    """Yield the lines below the tables: one fact each, with its label."""
    speak = _Sentences(lookup, counts, screen, full)
    for label, sentence, clipped in speak.all():
        yield from labelled(label, sentence, screen, clipped=clipped and not full)


def describe_one_hot(lookup: Lookup, one_hot: OneHot, screen: Screen) -> list[Text]:
    """Return the sentence about the product of one-hot ids and matrix."""
    matrix = (lookup.matrix.input_dim, lookup.matrix.output_dim)
    verdict = "is the same tensor" if one_hot.equal else "is not the same tensor"
    reason = ""
    if not one_hot.equal and lookup.matrix.not_finite:
        reason = "; 0 times NaN or infinity is NaN, while a lookup never touches other rows"
    return labelled(
        "one-hot",
        f"{one_hot.shape} one-hot ids {screen.glyphs.times} {matrix} matrix: the product "
        f"{verdict}, largest difference {one_hot.largest_difference:g}{reason}",
        screen,
    )


def describe_predictions(
    predictions: Sequence[Prediction], label_names: tuple[str, str], screen: Screen, full: bool
) -> Iterator[Text]:
    """Yield the classifier's word on each text; on the first and last of many."""
    shown: list[int | None] = list(range(len(predictions)))
    if len(predictions) > _MOST_WORDS and not full:
        half = _MOST_WORDS // 2
        shown = [*shown[:half], None, *shown[-half:]]
    second = literal(label_names[1], screen.glyphs.encoding)
    for number, text in enumerate(shown):
        if text is None:
            sentence = f"{len(predictions) - _MOST_WORDS:,} more"
        else:
            found = predictions[text]
            label = literal(found.label, screen.glyphs.encoding)
            sentence = f"text {text}: {label}, probability of {second} {found.probability:.3f}"
        yield from labelled("" if number else "prediction", sentence, screen)


def describe_proof(proof: Proof) -> str:
    """Return Keras's word on the lookup, in one line."""
    masks = ""
    if proof.mask_equal is not None:
        masks = f", {proof.mask_equal:,} of {proof.vectors_total:,} mask values are id != 0"
    return (
        f"Keras {proof.version} on {proof.backend}: output {proof.output_shape}, "
        f"{proof.vectors_equal:,} of {proof.vectors_total:,} vectors equal the row of their id"
        f"{masks}"
    )


class _Sentences:
    """The sentences of one lookup: (label, sentence, whether it may be clipped)."""

    def __init__(self, lookup: Lookup, counts: TokenCounts, screen: Screen, full: bool) -> None:
        self.lookup, self.counts, self.screen, self.full = lookup, counts, screen, full

    def all(self) -> Iterator[tuple[str, str, bool]]:
        lookup, times = self.lookup, self.screen.glyphs.times
        matrix = lookup.matrix
        texts, maxlen, output_dim = lookup.output_shape
        yield (
            "shape",
            f"{lookup.output_shape}: batch of {plural(texts, 'text')}, sequence of "
            f"{plural(maxlen, 'position')}, output_dim {output_dim}",
            False,
        )
        yield (
            "parameters",
            f"{matrix.input_dim:,} {times} {output_dim:,} = {matrix.parameters:,} "
            f"(input_dim {times} output_dim)",
            False,
        )
        yield "matrix", self.word(matrix.origin, 200), False
        if matrix.not_finite:
            yield "not finite", f"{plural(matrix.not_finite, 'number')} NaN or infinite", False
        yield "word_index", self.index(), True
        limit = lookup.vocabulary.num_words
        known = len(lookup.vocabulary.word_index)
        if limit and known >= limit:
            yield (
                "num_words",
                f"{limit:,}: word_index stays complete with {plural(known, 'token')}, but ids "
                f"stop at {limit - 1:,}",
                False,
            )
        yield "tokens", self.sum(), False
        yield from self.losses()
        yield from self.paddings()

    def index(self) -> str:
        items = sorted(self.lookup.vocabulary.word_index.items(), key=lambda item: item[1])
        names = [f"{self.word(word)} {id_}" for word, id_ in self.shortened(items)]
        if len(names) < len(items):
            names.insert(len(names) // 2, f"{len(items) - len(names):,} more")
        vocabulary = self.lookup.vocabulary
        reserved = [
            self.word(token)
            for token in (vocabulary.start_token, vocabulary.oov_token)
            if token is not None and token not in vocabulary.word_counts
        ]
        found = " and ".join([plural(len(items) - len(reserved), "unique token"), *reserved])
        return found + (": " + ", ".join(names) if names else "")

    def shortened(self, items: Sequence[tuple[str, int]]) -> Sequence[tuple[str, int]]:
        if self.full or len(items) <= _MOST_WORDS:
            return items
        half = _MOST_WORDS // 2
        return [*items[:half], *items[-half:]]

    def sum(self) -> str:
        by_status = self.counts.by_status
        parts = [
            f"{by_status[status]:,} {spoken}"
            for status, spoken in _SPOKEN.items()
            if by_status[status]
        ]
        total = self.counts.total
        if not total:
            return "none"
        if total == by_status["looked_up"]:
            return f"{total:,}, all looked up: none dropped, none cut off"
        return f"{total:,} = " + " + ".join(parts)

    def losses(self) -> Iterator[tuple[str, str, bool]]:
        lookup, by_status = self.lookup, self.counts.by_status
        if by_status["dropped"]:
            yield (
                "dropped",
                f"{by_status['dropped']:,}, {self.why('dropped')}: {self.examples('dropped')}",
                True,
            )
        if by_status["replaced"]:
            name = self.word(lookup.vocabulary.oov_token or "")
            yield (
                "? unknown",
                f"{by_status['replaced']:,} looked up as {name}, {self.why('replaced')}: "
                f"{self.examples('replaced')}",
                True,
            )
        if by_status["cut_off"]:
            side = "start" if lookup.settings.truncating == "pre" else "end"
            yield (
                "cut off",
                f"{by_status['cut_off']:,} to maxlen {lookup.maxlen:,}, at the {side}: "
                f"{self.examples('cut_off')}",
                True,
            )
        removed = self.counts.filtered_characters
        if removed:
            count = plural(sum(removed.values()), "character")
            each = " ".join(
                f"{literal(c)} {n}{self.screen.glyphs.times}"
                for c, n in sorted(removed.items(), key=lambda item: -item[1])
            )
            whole = self.examples("filtered")
            whole = f"; nothing is left of {whole}" if whole else ""
            yield "filtered", f"{count}: {each}{whole}", True

    def why(self, status: str) -> str:
        """Return why tokens have no id of their own, as far as the examples show it."""
        ranked = {
            token.rank is not None
            for _, tokens in self.counts.examples.get(status, [])
            for token in tokens
        }
        reasons = ["not in the vocabulary"] * (False in ranked)
        if True in ranked:
            reasons.append(f"id not below num_words {self.lookup.vocabulary.num_words:,}")
        return " or ".join(reasons) or "without an id of their own"

    def examples(self, status: str) -> str:
        """Return the lost tokens of the first texts that lost any."""
        found = self.counts.examples.get(status, [])
        spoken = []
        for text, tokens in found:
            words = " ".join(self.lost(token) for token in tokens[: 10**9 if self.full else 20])
            spoken.append(f"text {text}: {words}")
        return "; ".join(spoken)

    def lost(self, token: Token) -> str:
        word = self.word(token.token)
        ranked = token.status in {"dropped", "replaced"} and token.rank is not None
        return f"{word} (rank {token.rank})" if ranked else word

    def paddings(self) -> Iterator[tuple[str, str, bool]]:
        lookup, glyphs = self.lookup, self.screen.glyphs
        total = int(lookup.sequences.size)
        if lookup.padding_positions:
            masked = "mask False, but " if lookup.settings.mask_zero else ""
            yield (
                f"{glyphs.padding} padding",
                f"{lookup.padding_positions:,} of {plural(total, 'position')}: {masked}the output "
                "is row 0, not zeros",
                False,
            )
        empty = lookup.empty_texts
        if empty:
            named = ", ".join(map(str, empty[:20])) + (", and more" if len(empty) > 20 else "")
            noun = "text" if len(empty) == 1 else "texts"
            left = "only padding is left" if lookup.maxlen else "the output has no positions"
            yield "empty", f"{noun} {named}: no token has an id, {left}", True

    def word(self, text: str, width: int = 24) -> str:
        shown = literal(text, self.screen.glyphs.encoding)
        return clip(shown if shown.strip() else f"'{shown}'", width, self.screen.glyphs.more)
