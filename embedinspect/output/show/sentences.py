"""What stands below the tables: the numbers of this lookup in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from embedinspect.keras_layer import Proof
from embedinspect.lookup import Lookup
from embedinspect.output.labels import short
from embedinspect.page import Fact, folded
from embedinspect.token_counts import TokenCounts
from embedinspect.tokenizing.subwords import SubwordVocabulary
from embedinspect.training.predict import Prediction
from embedinspect.vocabulary import Token
from embedinspect.wording import plural

FIRST_SENTENCE = "Each token id is a row number; the output copies that row."
LEFT_OUT = "Keras was left out (--no-keras): the real layer has not confirmed this."
_MOST_WORDS = 12
_MOST_EXAMPLES = 20
_STATUSES = {
    "looked_up": "looked up",
    "replaced": "replaced",
    "dropped": "dropped",
    "cut_off": "cut off",
}


def lookup_facts(lookup: Lookup, counts: TokenCounts, *, full: bool = False) -> Iterator[Fact]:
    """Yield what there is to say of a lookup: shapes, vocabulary, each kind of loss, padding.

    Args:
        full: leave no word out.
    """
    brief = not full
    matrix = lookup.matrix
    texts, maxlen, output_dim = lookup.output_shape
    yield Fact(
        "shape",
        f"{lookup.output_shape}: batch of {plural(texts, 'text')}, sequence of "
        f"{plural(maxlen, 'position')}, output_dim {output_dim}",
    )
    yield Fact(
        "parameters",
        f"{matrix.input_dim:,} × {output_dim:,} = {matrix.parameters:,} (input_dim × output_dim)",
    )
    yield Fact("matrix", short(matrix.origin, 200))
    if matrix.not_finite:
        count = plural(matrix.not_finite, "number")
        yield Fact("not finite", f"{count} NaN or infinite", "wrong")
    if isinstance(lookup.vocabulary, SubwordVocabulary):
        vocabulary = lookup.vocabulary
        yield Fact("tokenizer", f"{vocabulary.kind} of {short(vocabulary.path, 200)}")
    yield Fact("word_index", _word_index(lookup, full=full), brief=brief)
    limit, known = lookup.vocabulary.num_words, len(lookup.vocabulary.word_index)
    if limit and known >= limit:
        yield Fact(
            "num_words",
            f"{limit:,}: word_index stays complete with {plural(known, 'token')}, but ids stop at "
            f"{limit - 1:,}",
        )
    yield Fact("tokens", _sum(counts))
    if counts.special:
        each = ", ".join(f"{_word(token)} {count}×" for token, count in counts.special.items())
        total = plural(sum(counts.special.values()), "token")
        yield Fact("special", f"{total} put around the texts by the tokenizer: {each}")
    yield from _losses(lookup, counts, full=full)
    yield from _paddings(lookup, brief=brief)


def prediction_facts(
    predictions: Sequence[Prediction], label_names: tuple[str, str], *, full: bool
) -> list[Fact]:
    """Return the classifier's word on each text; on the first and last of many."""
    fold = folded(len(predictions), None if full else _MOST_WORDS)
    lines = [_prediction(text, predictions[text], label_names[1]) for text in fold.head]
    if fold.left_out:
        lines.append(f"{fold.left_out:,} more")
    lines += [_prediction(text, predictions[text], label_names[1]) for text in fold.tail]
    return [Fact("" if number else "prediction", line) for number, line in enumerate(lines)]


def _prediction(text: int, prediction: Prediction, second: str) -> str:
    chance = f"probability of {second} {prediction.probability:.3f}"
    return f"text {text}: {prediction.label}, {chance}"


def proof_sentence(proof: Proof) -> str:
    """Return Keras's word on the lookup, in one line."""
    masks = ""
    if proof.mask_equal is not None:
        masks = f", {proof.mask_equal:,} of {proof.vectors_total:,} mask values are id != 0"
    given = ""
    if proof.rows is not None:
        given = f"; the layer was given just the {plural(proof.rows, 'row')} that {{}}"
        given = given.format("is in use" if proof.rows == 1 else "are in use")
    return (
        f"Keras {proof.version} on {proof.backend}: output {proof.output_shape}, "
        f"{proof.vectors_equal:,} of {proof.vectors_total:,} vectors equal the row of their id"
        f"{masks}{given}"
    )


def _word_index(lookup: Lookup, *, full: bool) -> str:
    vocabulary = lookup.vocabulary
    items = sorted(vocabulary.word_index.items(), key=lambda item: item[1])
    half = _MOST_WORDS // 2
    whole = full or len(items) <= _MOST_WORDS
    named = items if whole else [*items[:half], *items[-half:]]
    names = [f"{_word(word)} {id_}" for word, id_ in named]
    if not whole:
        names.insert(half, f"{len(items) - len(names):,} more")
    reserved = [
        _word(token)
        for token in (vocabulary.start_token, vocabulary.oov_token)
        if token in vocabulary.word_index and token not in vocabulary.word_counts
    ]
    counts = " and ".join([plural(len(items) - len(reserved), "unique token"), *reserved])
    return counts + (": " + ", ".join(names) if names else "")


def _sum(counts: TokenCounts) -> str:
    by_status, total = counts.by_status, counts.total
    if not total:
        return "none"
    if total == by_status["looked_up"]:
        return f"{total:,}, all looked up: none dropped, none cut off"
    parts = [
        f"{by_status[status]:,} {name}" for status, name in _STATUSES.items() if by_status[status]
    ]
    return f"{total:,} = " + " + ".join(parts)


def _losses(lookup: Lookup, counts: TokenCounts, *, full: bool) -> Iterator[Fact]:
    """Yield a fact for each way in which tokens or characters were lost."""
    by_status, brief = counts.by_status, not full

    def lost(status: str) -> str:
        return _examples(counts, status, full=full)

    def why(status: str) -> str:
        return _why(lookup, counts, status)

    if by_status["dropped"]:
        sentence = f"{by_status['dropped']:,}, {why('dropped')}: {lost('dropped')}"
        yield Fact("dropped", sentence, "notable", brief)
    if by_status["replaced"]:
        name = _word(lookup.vocabulary.oov_token or "")
        sentence = f"{by_status['replaced']:,} looked up as {name}, {why('replaced')}"
        yield Fact("? unknown", f"{sentence}: {lost('replaced')}", "notable", brief)
    if by_status["cut_off"]:
        side = "start" if lookup.settings.truncating == "pre" else "end"
        sentence = f"{by_status['cut_off']:,} to maxlen {lookup.maxlen:,}, at the {side}"
        yield Fact("cut off", f"{sentence}: {lost('cut_off')}", "notable", brief)
    removed = counts.filtered_characters
    if removed:
        by_count = sorted(removed.items(), key=lambda item: -item[1])
        each = " ".join(f"{character} {count}×" for character, count in by_count)
        pieces = lost("filtered")
        whole = f"; nothing is left of {pieces}" if pieces else ""
        count = plural(sum(removed.values()), "character")
        if isinstance(lookup.vocabulary, SubwordVocabulary):
            whole = "; no token has a part of the text with them"
        yield Fact("filtered", f"{count}: {each}{whole}", "notable", brief)


def _why(lookup: Lookup, counts: TokenCounts, status: str) -> str:
    """Return why tokens have no id of their own, as far as the examples show it."""
    ranked = {
        token.rank is not None for _, tokens in counts.examples.get(status, []) for token in tokens
    }
    reasons = ["not in the vocabulary"] * (False in ranked)
    if True in ranked:
        reasons.append(f"id not below num_words {lookup.vocabulary.num_words:,}")
    return " or ".join(reasons) or "without an id of their own"


def _examples(counts: TokenCounts, status: str, *, full: bool) -> str:
    """Return the lost tokens of the first texts that lost any."""
    most = None if full else _MOST_EXAMPLES
    return "; ".join(
        f"text {text}: " + " ".join(map(_lost_token, tokens[:most]))
        for text, tokens in counts.examples.get(status, [])
    )


def _lost_token(token: Token) -> str:
    word = _word(token.token)
    ranked = token.status in {"dropped", "replaced"} and token.rank is not None
    return f"{word} (rank {token.rank})" if ranked else word


def _paddings(lookup: Lookup, *, brief: bool) -> Iterator[Fact]:
    if lookup.padding_positions:
        positions = plural(int(lookup.sequences.size), "position")
        masked = "mask False, but " if lookup.settings.mask_zero else ""
        yield Fact(
            "· padding",
            f"{lookup.padding_positions:,} of {positions}: {masked}the output is row "
            f"{lookup.vocabulary.padding_id}, not zeros",
        )
    empty = lookup.empty_texts
    if empty:
        named = ", ".join(map(str, empty[:20])) + (", and more" if len(empty) > 20 else "")
        noun = "text" if len(empty) == 1 else "texts"
        left = "only padding is left" if lookup.maxlen else "the output has no positions"
        yield Fact("empty", f"{noun} {named}: no token has an id, {left}", "notable", brief)


def _word(word: str) -> str:
    """Return a word for a sentence; white space in quotes."""
    return short(word) if word.strip() else f"'{word}'"
