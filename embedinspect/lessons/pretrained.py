"""Pretrained vectors: into the right rows of the matrix, and out of their files."""

from __future__ import annotations

import sys

import numpy as np

from embedinspect.lessons.lesson import Experiment, Request
from embedinspect.lessons.parts import (
    IMPORTS,
    assign,
    column,
    dimensions,
    share,
    table,
    word,
    yes,
)
from embedinspect.vocabulary import fit
from embedinspect.wording import listed, plural

TEXTS = ("the cat saw a dog", "the dog saw a zorgle")
WIDTH = 2
GLOVE = ("the 0.4 0.2", "cat 0.9 0.7", ". . . 0.1 0.3", "New York 0.5 0.8")
HEADER = "4 2"
GLOVE_ROWS, GLOVE_WIDTH = 400_000, 100


def pretrained(request: Request) -> Experiment:
    """Row id holds the vector of the word of that id; one mistake shifts them all."""
    texts = request.texts or TEXTS
    vocabulary, ids = fit(texts)
    index = vocabulary.word_index
    without = list(index)[len(index) - max(1, len(index) // 4) :]
    stream = np.random.RandomState(0)
    made_up = {
        name: [round(float(number), 1) for number in stream.uniform(-1, 1, WIDTH)]
        for name in index
        if name not in without
    }
    matrix = np.zeros((len(index) + 1, WIDTH), np.float32)
    for name, id_ in index.items():
        if name in made_up:
            matrix[id_] = made_up[name]
    # The mistake: vectors in the order of word_index, beginning at row 0.
    of_row = [*made_up, *[""] * len(matrix)][: len(index) + 1]
    shifted = sum(of_row[id_] == name for name, id_ in index.items())
    uses = np.bincount(np.concatenate([*ids, np.empty(0, np.int32)]), minlength=len(matrix))
    covered = sum(int(uses[index[name]]) for name in made_up)
    total = int(uses.sum())
    return Experiment(
        intro="Pretrained vectors were learned from a great deal of text. GloVe and word2vec come "
        "as files with a word and its numbers on each line. The vectors here are made up; the "
        "rarest words have none.",
        tables=[
            table(
                "The matrix, and whose vectors one mistake puts there",
                [
                    column("row", range(len(matrix)), kind="id"),
                    column("word", ["· padding", *index]),
                    column("in the file", ["", *(yes(name in made_up) for name in index)]),
                    *dimensions(matrix, WIDTH),
                    column("mistake", of_row),
                ],
            )
        ],
        findings=[
            f"The mistake fills the rows in order from row 0, though ids begin at 1: {shifted} of "
            f"{plural(len(index), 'word')} {'has its' if shifted == 1 else 'have their'} own "
            "vector. Nothing raises an error.",
            f"Coverage: {len(made_up)} of {plural(len(index), 'word')} have a vector "
            f"({share(len(made_up), len(index))}), and {covered} of {plural(total, 'token')} "
            f"({share(covered, total)}).",
            f"Without one: {listed([word(name) for name in without], 5)}. Their rows are zeros, "
            "and look alike to the model."
            if without
            else "There is no word here.",
        ],
        rule="matrix[word_index[word]] = vectors[word]; row 0 stays for padding. Look at coverage "
        "before you train: another spelling or upper case loses words.",
        code=[
            *IMPORTS,
            *assign("word_index", index),
            *assign("vectors", made_up),
            f"matrix = np.zeros((len(word_index) + 1, {WIDTH}))",
            "for word, id_ in word_index.items():",
            "    if word in vectors:",
            "        matrix[id_] = vectors[word]",
            "layer = keras.layers.Embedding(",
            "    *matrix.shape, trainable=False, weights=[matrix])",
            "missing = [word for word in word_index",
            "           if word not in vectors]",
            "rows = layer.get_weights()[0]",
            "print(rows, missing)",
        ],
        numbers={"rows": matrix, "missing": without},
        texts=texts,
        next=[
            'embedinspect coverage sample:vectors "the king and the queen" --write matrix.npy',
            'embedinspect show "the king and the queen" --from matrix.npy',
            "embedinspect doctor matrix.npy --reference sample:vectors",
        ],
    )


def vector_files(request: Request) -> Experiment:
    """A line of a vector file: a header or none, and words that hold spaces."""
    lines = [HEADER, *GLOVE]
    naive = [line.split(" ") for line in lines]
    right = [line.rsplit(" ", WIDTH) for line in GLOVE]
    broken = sum(len(fields) != WIDTH + 1 for fields in naive[1:])
    values = np.array([[float(number) for number in row[1:]] for row in right], np.float32)
    a_float = sys.getsizeof(0.5) + 8  # the object, and the list's pointer to it
    size = GLOVE_ROWS * GLOVE_WIDTH
    return Experiment(
        intro="A vector file has a word and its numbers on each line. The word2vec form begins "
        "with a header line; the GloVe form has none. Here each word has "
        f"{WIDTH} numbers.",
        tables=[
            table(
                "Five lines of a file",
                [
                    column("line", lines),
                    column("fields", [len(fields) for fields in naive]),
                    column("split()", [fields[0] for fields in naive]),
                    column("from the right", ["(header)", *(row[0] for row in right)]),
                ],
            )
        ],
        findings=[
            f"{broken} of {len(GLOVE)} words hold spaces, so their lines have more than "
            f"{WIDTH + 1} fields. Cut from the right, each line is read correctly.",
            f"The header {HEADER!r} would pass for the word '{naive[0][0]}' with "
            f"{plural(len(naive[0]) - 1, 'number')}. A header is a first line of two whole "
            "numbers.",
            f"{GLOVE_ROWS:,} words with {GLOVE_WIDTH} numbers are {size:,} numbers: "
            f"{size * 4 / 1e6:,.0f} MB as float32. A Python list of floats takes about "
            f"{size * a_float / 1e9:.1f} GB, so put them into one array.",
        ],
        rule="The last numbers of a line are the vector, and all before them is the word. See "
        "whether the first line is a header: gensim's load_word2vec_format expects one, unless it "
        "is told no_header=True. Take only the words that you need.",
        code=[
            *IMPORTS,
            *assign("lines", list(GLOVE)),
            "vectors = {}",
            "for line in lines:",
            f'    word, *numbers = line.rsplit(" ", {WIDTH})',
            '    vectors[word] = np.array(numbers, "float32")',
            "words = list(vectors)",
            "matrix = np.stack(list(vectors.values()))",
            "layer = keras.layers.Embedding(*matrix.shape,",
            "                               weights=[matrix])",
            "rows = layer.get_weights()[0]",
            "print(words, rows)",
        ],
        numbers={"words": [row[0] for row in right], "rows": values},
        next=[
            "embedinspect info sample:vectors",
            "embedinspect export sample:vectors vectors.vec",
            "embedinspect neighbors sample:vectors king",
            "embedinspect coverage sample:vectors --file TEXTS --write matrix.npy",
        ],
    )
