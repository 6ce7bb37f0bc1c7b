"""Training: which rows move, what a trained embedding is a map of, and how to look at it."""

from __future__ import annotations

import inspect
import tempfile
from pathlib import Path

import numpy as np

from embedinspect import keras_layer
from embedinspect.lessons import classifier
from embedinspect.lessons.lesson import Experiment, KerasPart, Request
from embedinspect.lessons.parts import (
    IMPORTS,
    PADDING,
    array,
    assign,
    column,
    dimensions,
    drawn,
    exact,
    run_on,
    table,
)
from embedinspect.matrix import draw
from embedinspect.sequences import pad
from embedinspect.stored_rows import FloatArray
from embedinspect.vocabulary import fit
from embedinspect.wording import plural

WIDTH, EPOCHS, UNUSED_ROWS = 2, 10, 2
REVIEWS = ("a wonderful film", "a dull and endless film")
LABELLED = (
    ("wonderful and moving", 1),
    ("great and moving story", 1),
    ("wonderful story and great acting", 1),
    ("the king was great", 1),
    ("the queen was wonderful", 1),
    ("dull and endless", 0),
    ("awful and endless story", 0),
    ("dull story and awful acting", 0),
    ("the king was dull", 0),
    ("the queen was awful", 0),
)
ASKED = ("wonderful", "endless", "king")
MAP_WIDTH, MAP_EPOCHS = 4, 40
WORDS = ("cat", "tea\tpot", "", "line\nbreak", "dog")


def training(request: Request) -> Experiment:
    """Only rows that are looked up move."""
    texts = request.texts or REVIEWS
    vocabulary, sequences = fit(texts)
    longest = max(1, *map(len, sequences))
    ids = pad(sequences, longest)
    labels = [1 - number % 2 for number in range(len(texts))]
    input_dim = len(vocabulary.word_index) + 1 + UNUSED_ROWS
    before, _ = classifier.start(input_dim, WIDTH)

    def moved(masked: bool) -> FloatArray:
        trained = classifier.train(ids, labels, input_dim, WIDTH, EPOCHS, masked=masked)
        distance: FloatArray = np.linalg.norm(trained.rows - before, axis=1).astype(np.float32)
        return distance

    plain, masked = moved(False), moved(True)
    uses = np.bincount(ids.ravel(), minlength=input_dim)
    names = [f"{PADDING} padding", *vocabulary.word_index, *["no word"] * UNUSED_ROWS]
    still = int((plain == 0).sum())
    padding = (
        f"The padding is looked up {plural(int(uses[0]), 'time')}: its row moved by {plain[0]:.4f}."
    )
    untouched = (
        "no text looks it up, so it is still as it was drawn"
        if still == 1
        else "no text looks them up, so they are still as they were drawn"
    )
    return Experiment(
        intro="Training changes numbers so that the answers come out right. Here a small "
        f"classifier learns for {plural(EPOCHS, 'epoch')}, rounds over all texts. Its labels are "
        "made up: text 0 is 1, text 1 is 0, and so on.",
        tables=[
            table(
                "How far each row moved",
                [
                    column("row", range(input_dim), kind="id"),
                    column("token", names),
                    column("looked up", uses.tolist()),
                    column("moved", map(exact, plain)),
                    column("moved, mask_zero", map(exact, masked)),
                ],
            )
        ],
        findings=[
            f"{plural(still, 'row')} did not move: {untouched}.",
            "One text has no word left. With mask_zero its mean is the mean of nothing, NaN, and "
            "one such text turns all that training changes into NaN."
            if not np.isfinite(masked).all()
            else f"{padding} With mask_zero it moved by {masked[0]:.4f}."
            if uses[0]
            else "No text needed padding here, so row 0 did not move either.",
        ],
        rule="The layer is trained unless trainable=False, and an update moves only rows that its "
        "batch looked up. A word that never occurs keeps its random vector: it means nothing.",
        code=[
            *IMPORTS,
            *array("ids", ids),
            *assign("labels", labels),
            *classifier.code_for(input_dim, WIDTH, masked=False),
            f"model.fit(ids, np.array(labels), epochs={EPOCHS}, shuffle=False,",
            "          batch_size=len(ids), verbose=0)",
            "after = model.layers[0].get_weights()[0]",
            "moved = np.linalg.norm(after - rows, axis=1)",
            "print(moved)",
        ],
        numbers={"moved": plain},
        texts=texts,
        next=["embedinspect train sample:reviews", "embedinspect diff runs/reviews"],
    )


def task_embedding(request: Request) -> Experiment:
    """A trained embedding is a map of the task."""
    vocabulary, sequences = fit([text for text, _ in LABELLED])
    labels = [label for _, label in LABELLED]
    ids = pad(sequences)
    index = vocabulary.word_index
    input_dim = len(index) + 1
    before, _ = classifier.start(input_dim, MAP_WIDTH)
    trained = classifier.train(ids, labels, input_dim, MAP_WIDTH, MAP_EPOCHS, masked=True)
    after = trained.rows
    right = int(((trained.probabilities > 0.5) == np.array(labels, bool)).sum())
    first = [_nearest(before, index, name) for name in ASKED]
    last = [_nearest(after, index, name) for name in ASKED]
    king, queen = (after[index[name]] for name in ("king", "queen"))
    return Experiment(
        intro="Neighbors are words whose vectors point the same way; the cosine says how much, "
        f"and 1 is the same direction. The classifier learns which of {len(labels)} short reviews "
        "praise, and which blame.",
        tables=[
            table(
                "Nearest neighbor, before and after training",
                [
                    column("word", ASKED),
                    column("nearest before", [name for name, _ in first]),
                    column("cosine", [exact(cosine) for _, cosine in first]),
                    column("nearest after", [name for name, _ in last]),
                    column("cosine ", [exact(cosine) for _, cosine in last]),
                ],
            ),
            table(
                "Length of the vector",
                [
                    column("word", ASKED),
                    column("before", [exact(np.linalg.norm(before[index[w]])) for w in ASKED]),
                    column("after", [exact(np.linalg.norm(after[index[w]])) for w in ASKED]),
                ],
            ),
        ],
        findings=[
            f"After training {right} of {len(labels)} reviews come out right. Words of praise "
            f"stand together, and so do words of blame: {ASKED[0]} is next to {last[0][0]}, "
            f"{ASKED[1]} next to {last[1][0]}.",
            f"king hardly helps to decide, so it stays short. king and queen have the cosine "
            f"{_cosine(king, queen):.2f}, by chance: the labels never asked what they mean.",
        ],
        rule="An embedding holds what its task needed. For neighbors by meaning take vectors "
        "that were trained for that, such as GloVe or word2vec.",
        code=[
            *IMPORTS,
            *array("ids", ids),
            *assign("labels", labels),
            *classifier.code_for(input_dim, MAP_WIDTH, masked=True),
            f"model.fit(ids, np.array(labels), epochs={MAP_EPOCHS}, shuffle=False,",
            "          batch_size=len(ids), verbose=0)",
            "after = model.layers[0].get_weights()[0]",
            "lengths = np.linalg.norm(after[1:], axis=1)",
            "unit = after[1:] / lengths[:, None]",
            f"cosines = unit @ unit[{index[ASKED[0]]} - 1]  # of {ASKED[0]}",
            "print(cosines)",
        ],
        numbers={"cosines": np.array([_cosine(row, after[index[ASKED[0]]]) for row in after[1:]])},
        next=[
            "embedinspect axis sample:vectors king queen --low bad awful --high good great",
            "embedinspect explain analogies",
            "embedinspect explain pretrained",
        ],
    )


def _cosine(a: FloatArray, b: FloatArray) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def _nearest(rows: FloatArray, index: dict[str, int], word: str) -> tuple[str, float]:
    """Return the word whose row points most nearly the same way, and the cosine."""
    cosines = {
        name: _cosine(rows[id_], rows[index[word]]) for name, id_ in index.items() if name != word
    }
    best = max(cosines, key=lambda name: cosines[name])
    return best, cosines[best]


def projector(request: Request) -> Experiment:
    """Rows and names must be as many, and a name may not break its line."""
    rows = draw(len(WORDS), WIDTH, 0).rows
    naive = "\n".join(WORDS) + "\n"
    clean = [name.replace("\t", " ").replace("\n", " ") or "(empty)" for name in WORDS]
    columns = [max(line.count("\t") for line in name.split("\n")) + 1 for name in WORDS]
    lines, mended = naive.count("\n"), len(clean)
    return Experiment(
        intro="TensorBoard's projector draws vectors in space. It reads a file with a vector on "
        "each line, and a metadata file with a name on each line, in the same order.",
        tables=[
            table(
                "Metadata, written as the words are",
                [
                    column("row", range(len(WORDS)), kind="id"),
                    column("word", WORDS),
                    column("lines", [name.count("\n") + 1 for name in WORDS]),
                    column("written safely", clean),
                    *dimensions(rows, WIDTH),
                ],
            )
        ],
        findings=[
            f"{plural(len(WORDS), 'vector')}, but {plural(lines, 'line')}: from the broken line "
            "on, each name stands at the wrong point.",
            f"A tab makes {max(columns)} columns, and then the first line is taken for a header. "
            "An empty name leaves an empty line. Written safely, there are "
            f"{plural(mended, 'line')}.",
        ],
        rule="Write one line a row, row 0 too, with no header for one column and without tabs and "
        "line breaks. Load both files at projector.tensorflow.org: what Keras's TensorBoard "
        "callback saves is no checkpoint that the projector reads.",
        code=[
            *IMPORTS,
            *assign("words", list(WORDS)),
            *drawn("weights", len(WORDS), WIDTH),
            f"layer = keras.layers.Embedding({len(WORDS)}, {WIDTH}, weights=[weights])",
            'names = [" ".join(word.split()) or "(empty)"',
            "         for word in words]",
            "rows = layer.get_weights()[0]",
            'vectors = ["\\t".join(map(str, row)) for row in rows]',
            'open("metadata.tsv", "w").write("\\n".join(names) + "\\n")',
            'open("vectors.tsv", "w").write("\\n".join(vectors) + "\\n")',
            "print(len(names), len(vectors))",
        ],
        numbers={"names": clean, "rows": rows},
        next=["embedinspect export sample:vectors projector"],
    )


def projector_keras(request: Request, backend: str | None) -> KerasPart:
    """Save weights as Keras's TensorBoard callback does, and look for what the projector wants."""
    import h5py

    wanted = "layer_with_weights-0/embeddings/.ATTRIBUTES/VARIABLE_VALUE"
    keras = keras_layer.load(backend)
    with keras_layer.quiet(), tempfile.TemporaryDirectory() as folder:
        model = keras.Sequential([keras.Input((2,), dtype="int32"), keras.layers.Embedding(5, 2)])
        path = Path(folder) / "keras_embedding.ckpt-0.weights.h5"
        model.save_weights(path)
        names: list[str] = []
        with h5py.File(path, "r") as file:
            file.visititems(
                lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None
            )
        source = inspect.getsource(keras.callbacks.TensorBoard)
        told = wanted if wanted in source else "another name"
        kind = "HDF5" if path.read_bytes().startswith(b"\x89HDF") else "another kind of file"
    place = "among them" if told in names else "not among them"
    return KerasPart(
        [
            table(
                "What the callback saves, and what it tells the projector to read",
                [
                    column("", ["saved: kind of file", "saved: names in it", "told: name to read"]),
                    column("found", [kind, ", ".join(names), told], kind="prose"),
                ],
            )
        ],
        [f"The name that the projector is told is {place}: it finds no embedding."],
        {},
        run_on(keras),
    )
