"""Vocabulary: tokenizers, num_words, the out-of-vocabulary token, the offset of the IMDB data."""

from __future__ import annotations

import importlib

from embedinspect import keras_layer
from embedinspect.lessons.lesson import Experiment, KerasPart, Request
from embedinspect.lessons.parts import (
    assign,
    column,
    error_text,
    ids_of,
    run_on,
    table,
    word,
    yes,
)
from embedinspect.text_vectorization import vectorize
from embedinspect.training.imdb import INDEX_FROM, START, UNKNOWN
from embedinspect.vocabulary import fit
from embedinspect.wording import listed, plural

OOV_TOKEN = "<OOV>"
TOKENIZER = "from tensorflow.keras.preprocessing.text import Tokenizer"
TOKENIZER_TEXTS = ("It isn't a text!", "It is a text, is it?")
# The words of the lowest ranks in Keras's imdb_word_index.json, from 1 on.
_FREQUENT = "the and a of to is br in it i this that was as for with movie but film on"
IMDB_FREQUENT = {name: rank for rank, name in enumerate(_FREQUENT.split(), 1)}
_MOST_DIGITS = 9
REVIEW = ("the best film of the year and the best of all",)


def tokenizer(request: Request) -> Experiment:
    """The classic Tokenizer's rules, which this tool follows without Keras."""
    texts = request.texts or TOKENIZER_TEXTS
    vocabulary, ids = fit(texts)
    words = list(vocabulary.word_index)
    cut = [vocabulary.tokenization.tokens(text) for text in texts]
    removed = sorted(set("".join(texts)) & set(vocabulary.tokenization.filters))
    return Experiment(
        intro="A tokenizer cuts a text into tokens, and gives each token a number, its id. Keras "
        "has had two: the old class Tokenizer, and the layer TextVectorization.",
        tables=[
            table(
                "By the rules of the old Tokenizer",
                [
                    column("text", texts),
                    column("tokens", [" ".join(tokens) for tokens in cut]),
                    column("ids", map(ids_of, ids)),
                ],
            )
        ],
        findings=[
            f"{plural(len(words), 'word')}: {listed([word(name) for name in words], 6)}. The most "
            "frequent has id 1; of equally frequent words, the one seen first comes first."
            if words
            else "No word is left in these texts.",
            f"Removed: {' '.join(removed)} and upper case. The apostrophe stays."
            if removed
            else "Nothing was removed but upper case. The apostrophe stays.",
        ],
        rule="The Tokenizer is gone from Keras's own names. TensorFlow still has it, deprecated, "
        "in tensorflow.keras.preprocessing.text. A model trained with its ids needs them again: "
        "keep what to_json() gives. Use TextVectorization for new models.",
        code=[
            "import keras",
            *assign("texts", list(texts)),
            "layer = keras.layers.TextVectorization()",
            "layer.adapt(texts)",
            "words = [str(word) for word in layer.get_vocabulary()]",
            "sequences = keras.ops.convert_to_numpy(layer(texts))",
            "print(words, sequences)",
        ]
        if words
        else ["# There is no word to give the layer."],
        numbers={},
        texts=texts,
        next=[
            'embedinspect show "your text" --tokenizer textvectorization',
            'embedinspect show "your text" --save-vocabulary tokenizer.json',
            'embedinspect show "another text" --vocabulary tokenizer.json',
        ],
    )


def tokenizer_keras(request: Request, backend: str | None) -> KerasPart:
    """Import the old name, and run the new layer on the same texts."""
    texts = request.texts or TOKENIZER_TEXTS
    keras = keras_layer.load(backend)
    try:
        importlib.import_module("keras.preprocessing.text")
        answer = "it works"
    except ImportError as error:
        answer = error_text(error)
    imports = f"from keras.preprocessing.text import Tokenizer: {answer}."
    classic, _ = fit(texts)
    if not classic.word_index:
        return KerasPart([], [imports], {}, run_on(keras))
    try:
        vocabulary, ids = vectorize(texts, backend=backend)
    except ImportError as error:  # the layer needs TensorFlow whatever the backend is
        return KerasPart([], [imports, error_text(error)], {}, run_on(keras))
    words = ["", *vocabulary.word_index]
    longest = max(map(len, ids), default=0)
    sequences = [[*ids_of(row), *[0] * (longest - len(row))] for row in ids]
    tokens = [vocabulary.tokenization.tokens(text) for text in texts]
    same = [w for w in words if w and vocabulary.word_index[w] == classic.word_index.get(w)]
    return KerasPart(
        [
            table(
                "By TextVectorization",
                [
                    column("text", texts),
                    column("tokens", map(" ".join, tokens)),
                    column("ids", map(ids_of, sequences)),
                ],
            )
        ],
        [
            imports,
            "Id 0 is padding and id 1 is [UNK] for unknown words, so words begin at id 2. "
            f"{len(same)} of {plural(len(words) - 2, 'word')} "
            f"{'has' if len(same) == 1 else 'have'} the id that the Tokenizer gave.",
            "Padding stands after the text, and punctuation is removed, the apostrophe too.",
        ],
        {"words": words, "sequences": sequences},
        run_on(keras),
    )


def num_words(request: Request) -> Experiment:
    """num_words n keeps n - 1 words, and leaves word_index whole."""
    texts = request.texts or ("the cat saw the dog", "the dog saw a bird")
    whole, ids = fit(texts)
    words = len(whole.word_index)
    limit = request.size("num_words", max(2, words // 2 + 1))
    _, limited = fit(texts, num_words=limit)
    kept = min(words, limit - 1)
    before, after = sum(map(len, ids)), sum(map(len, limited))
    return Experiment(
        intro="word_index lists every word with its id; the most frequent word has id 1. "
        f"Here the old Tokenizer gets num_words={limit:,}.",
        tables=[
            table(
                "word_index",
                [
                    column("id", range(1, words + 1), kind="id"),
                    column("word", whole.word_index),
                    column("count", [whole.word_counts[name] for name in whole.word_index]),
                    column(f"id < {limit:,}", [yes(id_ < limit) for id_ in range(1, words + 1)]),
                ],
            ),
            table(
                "Sequences",
                [
                    column("text", texts),
                    column("ids without a limit", map(ids_of, ids)),
                    column(f"num_words={limit:,}", map(ids_of, limited)),
                ],
            ),
        ],
        findings=[
            f"num_words={limit:,} keeps the ids below {limit:,}: {plural(kept, 'word')}, not "
            f"{limit:,}. Id 0 counts too, and is no word."
            if limit <= words + 1
            else f"num_words={limit:,} keeps the ids below {limit:,}: that is every word here, "
            f"since the highest id is {words:,}.",
            f"word_index still holds {plural(words, 'word')}. The limit is applied later, when a "
            f"text becomes ids: {before - after:,} of {plural(before, 'token')} "
            f"{'is' if before - after == 1 else 'are'} dropped.",
        ],
        rule="num_words=n keeps the n - 1 most frequent words (n - 2 beside an oov_token), and "
        "input_dim=n is enough. Count "
        "the rows by num_words, not by len(word_index). TextVectorization(max_tokens=n) keeps "
        "n - 2 words: padding and [UNK] count there.",
        code=[
            TOKENIZER,
            *assign("texts", list(texts)),
            f"tokenizer = Tokenizer(num_words={limit})",
            "tokenizer.fit_on_texts(texts)",
            "words = len(tokenizer.word_index)",
            "sequences = tokenizer.texts_to_sequences(texts)",
            "print(words, sequences)",
        ],
        numbers={"words": words, "sequences": [list(ids_of(row)) for row in limited]},
        texts=texts,
        next=[f'embedinspect show "your text" --num-words {limit}', "embedinspect explain oov"],
    )


def oov(request: Request) -> Experiment:
    """Unknown words vanish; with an out-of-vocabulary token they do not, and ids move by one."""
    known, new = ["the cat saw the dog", "the dog slept"], ["the bird saw the dog", "zebras!"]
    if request.texts:
        *first, last = request.texts
        known, new = (first, [last]) if first else (known, [last])
    without, _ = fit(known)
    with_oov, _ = fit(known, oov_token=OOV_TOKEN)
    numbers, tokens, plain, replaced = [], [], [], []
    for number, text in enumerate(new):
        for token, kept in zip(without.trace(text), with_oov.trace(text), strict=True):
            if token.status != "filtered":
                numbers.append(number)
                tokens.append(token.token)
                plain.append(token.id)
                replaced.append(kept.id)
    sequences, with_token = without.encode(new), with_oov.encode(new)
    unknown = sum(id_ is None for id_ in plain)
    empty = sum(not ids for ids in sequences)
    moved = next(iter(without.word_index), None)
    return Experiment(
        intro="The vocabulary was made from "
        f"{plural(len(known), 'text')}: {listed([word(text) for text in known], 3)}. A word that "
        "is not in it is out of vocabulary.",
        tables=[
            table(
                "New texts",
                [
                    column("text", numbers, kind="id"),
                    column("token", tokens),
                    column("id", ["none" if id_ is None else id_ for id_ in plain], kind="id"),
                    column(f'id with oov_token="{OOV_TOKEN}"', replaced, kind="id"),
                ],
            ),
            table(
                "Sequences",
                [
                    column("text", new),
                    column("ids", map(ids_of, sequences)),
                    column("ids with oov_token", map(ids_of, with_token)),
                ],
            ),
        ],
        findings=[
            f"{unknown} of {plural(len(tokens), 'token')} {'is' if unknown == 1 else 'are'} out "
            "of vocabulary. Without oov_token such tokens vanish, and the words after them move up."
            if unknown
            else f"None of {plural(len(tokens), 'token')} is out of vocabulary: nothing vanishes.",
            f"{empty} of {plural(len(new), 'new text')} {'has' if empty == 1 else 'have'} no known "
            "word: nothing is left but an empty sequence."
            if empty
            else "Each text keeps at least one id.",
            f"oov_token takes id 1, so every word moves by one: {word(moved)} is "
            f"{without.word_index[moved]} without it and {with_oov.word_index[moved]} with it."
            if moved is not None
            else "The vocabulary is empty, so every token is out of it.",
        ],
        rule="Set oov_token before the vocabulary is made, and give the matrix one more row. A "
        "model is trained with one of the two numberings: never mix them.",
        code=[
            TOKENIZER,
            *assign("known", known),
            *assign("new", new),
            "without = Tokenizer()",
            f'with_token = Tokenizer(oov_token="{OOV_TOKEN}")',
            "for tokenizer in (without, with_token):",
            "    tokenizer.fit_on_texts(known)",
            "sequences = without.texts_to_sequences(new)",
            "replaced = with_token.texts_to_sequences(new)",
            "print(sequences, replaced)",
        ],
        numbers={"sequences": sequences, "replaced": with_token},
        texts=[*known, *new],
        next=[
            'embedinspect show "your text" --oov-token "<OOV>"',
            "embedinspect doctor --vocabulary FILE --file TEXTS",
        ],
    )


def imdb(request: Request) -> Experiment:
    """Word k of the IMDB index has id k + 3 in the reviews."""
    texts = (request.texts or REVIEW)[:1]
    given_ids = _ids_in(texts[0])
    if given_ids is not None:
        rank_of, review = dict(IMDB_FREQUENT), given_ids
        index = (
            f"Of the word index only the {len(rank_of)} most frequent words are known here; with "
            "its file, embedinspect decode knows them all."
        )
    else:
        vocabulary, ids = fit(texts)
        rank_of = vocabulary.word_index
        review = [START, *(int(rank) + INDEX_FROM for rank in ids[0])]
        index = (
            "Nothing is downloaded here: this small index is made from one text, and its ids are "
            "those that load_data would give."
        )
    words = {rank: name for name, rank in rank_of.items()}
    names = {0: "<pad>", START: "<start>", UNKNOWN: "<oov>"}
    right = [names.get(id_) or words.get(id_ - INDEX_FROM) for id_ in review]
    wrong = [words.get(id_) for id_ in review]
    matching = sum(read == meant is not None for read, meant in zip(wrong, right, strict=True))
    return Experiment(
        intro=f"The IMDB data come as ids, with a word index to read them by. {index}",
        tables=[
            table(
                "A review, read in two ways",
                [
                    column("position", range(len(review)), kind="id"),
                    column("id", review, kind="id"),
                    column("read as id", [name or "(none)" for name in wrong]),
                    column("id - 3", [id_ - INDEX_FROM for id_ in review], kind="id"),
                    column("read as id - 3", [name or "(none)" for name in right]),
                ],
            )
        ],
        findings=[
            f"Read without the offset, {matching} of {plural(len(review), 'position')} "
            f"{'is' if matching == 1 else 'are'} right: the review becomes word salad.",
            f"Id {START} is the start of every review, {UNKNOWN} stands for a word beyond "
            f"num_words, 0 is padding. The most frequent word, rank 1 in the index, is id "
            f"{1 + INDEX_FROM}. Id {INDEX_FROM} is never used.",
        ],
        rule="id in the data = rank in get_word_index() + index_from, and index_from is 3 by "
        "default. Subtract it to read a review; add it, and start with 1, to write one.",
        code=[
            "# The real ones: get_word_index() and load_data()",
            "# of keras.datasets.imdb.",
            *assign("word_index", rank_of),
            *assign("review", review),
            "words = {rank + 3: w for w, rank in word_index.items()}",
            'words |= {0: "<pad>", 1: "<start>", 2: "<oov>"}',
            'read = [words.get(id_, "(none)") for id_ in review]',
            'decoded = " ".join(read)',
            "print(decoded)",
        ],
        numbers={"decoded": " ".join(name or "(none)" for name in right)},
        texts=texts,
        next=[
            "embedinspect train imdb",
            'embedinspect decode imdb_word_index.json --index-from 3 "1 14 22 16"',
        ],
    )


def _ids_in(text: str) -> list[int] | None:
    """Return the ids in a text of ids alone, as Python prints them; None for any other text."""
    items = text.strip().strip("[]").replace(",", " ").split()
    if not items or not all(item.isascii() and item.isdecimal() for item in items):
        return None
    return [int(item[:_MOST_DIGITS]) for item in items]
