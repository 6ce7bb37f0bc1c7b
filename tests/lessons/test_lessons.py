"""Every lesson: its lines of Keras give the numbers that it gave; it holds for any texts."""

from __future__ import annotations

import json
import re
import shlex
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.main import get_command

from embedinspect import keras_layer, samples
from embedinspect.cli import app
from embedinspect.errors import UsageError
from embedinspect.lessons import (
    TOPICS,
    Experiment,
    KerasPart,
    Lesson,
    Request,
    Topic,
    check,
    classifier,
    find,
    layer,
    names,
    sizes_in,
)
from embedinspect.lessons.asking import ASKED_WITH, topics_for
from embedinspect.lessons.backends import NEEDS, SCRIPT, ask_backends
from embedinspect.lessons.parts import CODE_WIDTH, column, dimensions
from embedinspect.lessons.recorded import recorded_backends
from embedinspect.sequences import pad
from tests.conftest import BACKEND

OF_TEXTS = [topic for topic in TOPICS if topic.takes_texts]
NAMED_BY_THE_PLAN = [
    "lookup",
    "one-hot",
    "input-dim",
    "num-words",
    "oov",
    "padding",
    "mask-zero",
    "imdb",
    "parameters",
    "pretrained",
]
# Each of the questions that people ask most, by its number in the list that was drawn up of them.
CONFUSIONS = {
    1: ["lookup", "one-hot"],
    2: ["input-dim"],
    3: ["tokenizer", "old-code"],
    4: ["num-words"],
    5: ["mask-zero"],
    6: ["input-length", "old-code"],
    7: ["imdb"],
    8: ["pretrained"],
    9: ["mask-lost"],
    10: ["padding", "truncating"],
    11: ["one-hot"],
    12: ["oov"],
    13: ["vectors"],
    14: ["task-embedding"],
    15: ["training"],
    16: ["shapes", "parameters"],
    17: ["projector"],
    18: ["vector-files"],
    19: ["cosine"],
    20: ["isotropy"],
    21: ["analogies"],
}
DIFFICULT = [
    [""],
    ["?!..."],
    ["one"],
    ["[bold]red[/x] \x1b[31m", "", "a\tb c"],
    ["the same word the same word", "another", "?", "'\"\\ \u202e é 東京"],
]


def by_name(topic: Topic) -> str:
    return topic.name


def run_code(lesson: Lesson) -> dict[str, object]:
    """Run the lines as they are printed, and return the variables that they leave."""
    space: dict[str, object] = {}
    exec(compile("\n".join(lesson.experiment.code), "the lesson's code", "exec"), space)
    return space


def plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def same(value: object, expected: object) -> bool:
    if isinstance(expected, np.ndarray | float):
        values = np.asarray(value)
        return values.shape == np.shape(expected) and np.allclose(
            values, expected, atol=1e-5, equal_nan=True
        )
    return plain(value) == plain(expected)


def the_code_agrees(topic: Topic, request: Request) -> None:
    experiment = topic.run(request)
    part = topic.run_keras(request, None) if topic.name == "tokenizer" else None
    lesson = Lesson(topic, experiment, part)
    space = run_code(lesson)
    for name, expected in lesson.numbers.items():
        assert same(space[name], expected), (name, space[name], expected)


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    """Some lines write files."""
    monkeypatch.chdir(tmp_path)


# -- every lesson ------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", TOPICS, ids=by_name)
def test_the_lines_of_keras_find_the_same_numbers(topic):
    the_code_agrees(topic, Request())
    lesson = topic.run(Request())
    assert lesson.numbers or topic.name == "tokenizer"  # whose numbers are Keras's
    assert max(map(len, lesson.code)) <= CODE_WIDTH


@pytest.mark.parametrize("texts", DIFFICULT, ids=range(len(DIFFICULT)))
@pytest.mark.parametrize("topic", OF_TEXTS, ids=by_name)
def test_they_do_on_difficult_texts_too(topic, texts):
    the_code_agrees(topic, Request(texts))


@pytest.mark.parametrize("topic", [t for t in TOPICS if t.takes], ids=by_name)
def test_they_do_with_sizes_of_the_readers(topic):
    sizes = {"num_words": 3, "maxlen": 6, "input_dim": 7, "output_dim": 4, "units": 5}
    request = Request(None, {name: sizes[name] for name in topic.takes})
    the_code_agrees(topic, request)
    assert plain(topic.run(request).numbers) != plain(topic.run(Request()).numbers)


@settings(max_examples=15)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=4))
def test_any_texts_give_whole_tables(texts):
    for topic in OF_TEXTS:
        for table in topic.run(Request(texts)).tables:
            assert len({len(column.values) for column in table.columns}) == 1


def test_numbers_that_name_something_are_written_as_ids():
    tables = [table for topic in TOPICS for table in topic.run(Request()).tables]
    numbers = {
        (heading.name, heading.kind)
        for table in tables
        for heading in table.columns
        if all(type(value) in {int, float} for value in heading.values)
    }
    assert {kind for _, kind in numbers} == {"id", "number"}
    assert {name for name, kind in numbers if kind == "id"} == {
        "text", "position", "id", "id - 3", "row", 'id with oov_token="<OOV>"'
    }  # fmt: skip


def test_a_column_is_written_as_its_values_are():
    assert column("", [1, None, 2.5]).kind == "number"
    assert column("", ["a", 1]).kind == column("", [True]).kind == "text"
    assert column("", [(1, 2), ()]).kind == "sequence"
    assert column("", range(3), kind="id").values == [0, 1, 2]
    assert dimensions([[0.5, 1], None], 2)[1].values == [1.0, None]


# -- what the lessons claim --------------------------------------------------------------------


@cache
def by_keras(topic: Topic) -> KerasPart:
    """Return what Keras gives for a lesson's own texts; the tests of output share it."""
    return topic.run_keras(Request(), None)


def rows(topic: str, title: str, **given: object) -> list[dict[str, object]]:
    """Return the lines of a table of a lesson by their headers."""
    return rows_of(find(topic).run(Request(**given)), title)


def rows_of(part: Experiment | KerasPart, title: str) -> list[dict[str, object]]:
    """Return the lines of a table of an experiment, or of Keras's part, likewise."""
    table = next(table for table in part.tables if title in table.title)
    headers = [column.name for column in table.columns]
    return [dict(zip(headers, row, strict=True)) for row in table.rows]


def test_num_words_keeps_one_word_fewer():
    kept = [row["id < 4"] for row in rows("num-words", "word_index", sizes={"num_words": 4})]
    assert kept.count("yes") == 3


def test_the_offset_is_three():
    review = rows("imdb", "A review", texts=["b a a a"])
    assert [row["id"] for row in review] == [1, 5, 4, 4, 4]
    assert [row["read as id - 3"] for row in review] == ["<start>", "b", "a", "a", "a"]


def test_padding_after_the_text_washes_it_out():
    last = rows("padding", "How far apart")[-1]
    assert last["after"] < 1e-6 < 0.05 < last["before"]
    assert last["after, masked"] > 0.05


def test_a_mask_makes_padding_invisible():
    states = rows("mask-zero", "LSTM")
    assert len({row["unit 0"] for row in states if row["mask"] == "yes"}) == 1
    assert len({row["unit 0"] for row in states if row["mask"] == "no"}) == 3
    moved = "most that a unit moved"
    assert max(float(row[moved]) for row in states if row["mask"] == "yes") == 0
    assert max(float(row[moved]) for row in states if row["mask"] == "no") > 0.01


def test_the_output_shown_is_that_of_the_model_in_the_code():
    output = [[float(row[f"dim {dim}"]) for dim in range(4)] for row in rows("mask-zero", "Output")]
    numbers = find("mask-zero").run(Request()).numbers["output"][0]
    assert np.allclose(output, numbers, atol=5e-4)


def test_the_layers_that_lose_the_mask():
    layers = {row["layer"]: row for row in rows_of(by_keras(find("mask-lost")), "Layers behind")}
    lost = {
        name for name, row in layers.items() if row["uses the mask"] == row["hands it on"] == "no"
    }
    assert lost == {"x + x", "keras.ops.add(x, x)", "Conv1D", "Flatten", "GlobalMaxPooling1D"}
    assert layers["Flatten"]["warns"] == "yes"
    assert layers["x + x"]["warns"] == "no"


def test_the_classic_parameters():
    assert [row["parameters"] for row in rows("parameters", "")] == [160_000, 53_200, 101, 213_301]


def test_a_shifted_matrix_gives_no_word_its_own_vector():
    matrix = rows("pretrained", "The matrix")
    assert len(matrix) == 7
    assert all(row["word"] != row["mistake"] for row in matrix)


def test_rows_that_no_text_looks_up_stay():
    distances = rows("training", "How far")
    assert {row["looked up"] == 0 for row in distances} == {True, False}
    assert all((row["moved"] == 0) == (row["looked up"] == 0) for row in distances)
    assert distances[0]["moved, mask_zero"] == 0


def test_a_masked_text_without_words_spoils_training_as_in_keras():
    ids, labels = pad([[1, 2], [], [3]]), [1, 0, 1]
    ours = classifier.train(ids, labels, 6, 2, 3, masked=True).rows
    space: dict[str, object] = {}
    code = ["import keras, numpy as np", *classifier.code_for(6, 2, masked=True)]
    exec("\n".join(code), space)
    space["model"].fit(ids, np.array(labels), epochs=3, batch_size=3, verbose=0)
    theirs = space["model"].get_weights()[0]
    assert (np.isnan(ours) == np.isnan(theirs)).all()
    assert np.isnan(ours).any()
    assert np.isfinite(ours[4:]).all()


def test_neighbors_follow_the_task():
    wonderful, endless, king = rows("task-embedding", "Nearest")
    assert wonderful["nearest after"] in {"great", "moving"}
    assert endless["nearest after"] in {"awful", "dull"}
    assert king["nearest after"] != "queen"
    assert rows("task-embedding", "Length")[2]["after"] < 0.1


def test_the_floor_of_a_cosine_shrinks_with_the_root_of_the_width():
    for row in rows("cosine", "random rows", sizes={"output_dim": 128}):
        assert np.isclose(row["deviation"], row["1 / sqrt(width)"], rtol=0.02)
    shifted = rows("cosine", "added", sizes={"output_dim": 128})
    for row in shifted:  # of one length, common and own part are at right angles
        assert np.isclose(
            row["mean cosine"], row["added"] ** 2 / (1 + row["added"] ** 2), atol=0.02
        )


def test_what_all_rows_share_shows_in_the_mean_cosine_and_not_in_the_rank():
    lines = {row["rows"]: row for row in rows("isotropy", "One large")}
    plain, shared, strong = (lines[n] for n in ("random", "+ common", "+ strong"))
    assert abs(plain["mean cosine"]) < 0.02 < 0.8 < shared["mean cosine"]
    assert shared["effective rank"] == plain["effective rank"] > 19
    assert abs(strong["mean cosine"]) < 0.02
    assert strong["participation ratio"] < 3 < 15 < strong["effective rank"]
    removed = lines["- both"]
    assert float(removed["same nearest row"][:-1]) > 2 * float(
        lines["+ both"]["same nearest row"][:-1]
    )


def test_an_offset_is_right_where_rows_hold_what_stands_beside_words():
    totals = {row["rows"]: list(row.values())[1:] for row in rows("analogies", "Right of 24")}
    assert totals["counts, 8 dims"][:2] == [24, 24]
    assert totals["yes or no"][0] <= 12 > 4 >= totals["yes or no"][1]
    assert totals["counts, 8 dims"][2] == 24  # so that the lesson may warn of it
    assert totals["counts, 4 dims"][1] < 24
    assert [row["counts"] for row in rows("analogies", "Answers")] == ["queen", "princess", "boy"]


def test_old_lines_fail_as_they_stand():
    part = by_keras(find("old-code"))
    today = {row["old line"]: row["today"] for row in rows_of(part, "Old")}
    assert today["model.fit(x, y, nb_epoch=1)"].startswith("TypeError")
    assert "warns" in today["Embedding(5000, 32, input_length=500)"]
    assert "Of the modern forms 8 of 8 do" in part.findings[0]


def test_an_unbuilt_layer_has_no_weights():
    answers = [row["answer"] for row in rows_of(by_keras(find("vectors")), "answers")]
    assert answers == ["[]", "[]", "[(5, 3)]", "Sequential", "[(5, 3)]"]


def test_input_length_does_nothing():
    ways = rows_of(by_keras(find("input-length")), "Three ways")
    assert [row["parameters"] for row in ways] == [0, 0, 160_000]
    assert "input_length" in ways[0]["Keras says"]


def test_the_projector_is_told_a_name_that_is_not_there():
    assert "not among them" in by_keras(find("projector")).findings[0]


def test_ids_without_a_row_on_tensorflow():
    assert ask_backends(["tensorflow"], 4, [4, -1, -5]) == {
        "tensorflow": [
            "error: InvalidArgumentError",
            "row 3, silently, the last row",
            "error: InvalidArgumentError",
        ],
        "tensorflow with jit_compile": [
            "row 3, silently, the last row",
            "row 3, silently, the last row",
            "row 0, silently",
        ],
    }


def ask_here(monkeypatch, capsys, rows: int, ids: list[int]) -> dict[str, list[str]]:
    """Return the same by the same script in this process, which has TensorFlow loaded already."""
    monkeypatch.setattr("sys.argv", ["script", json.dumps([rows, ids])])
    with warnings.catch_warnings():
        exec(compile(SCRIPT, "the script", "exec"), {})
    return json.loads(capsys.readouterr().out)


@pytest.mark.skipif(BACKEND != "tensorflow", reason=f"Keras runs on {BACKEND} here")
def test_the_recording_is_what_the_backend_does(monkeypatch, capsys):
    """Only TensorFlow is sure to be here; the sweep `record_backends` checks the others."""
    recorded = recorded_backends()
    assert set(recorded) == set(NEEDS)
    for rows in (1, 4):
        outcomes = ask_here(monkeypatch, capsys, rows, [rows, -1, -rows - 1])
        assert recorded["tensorflow"].for_rows(rows) == outcomes


def test_backends_that_are_not_here_are_shown_as_recorded(monkeypatch):
    monkeypatch.setattr(layer, "missing_packages", lambda: {"tensorflow": [], "jax": ["jax"]})
    ran = {"tensorflow": ["a row of NaN"] * 3}
    monkeypatch.setattr(layer, "ask_backends", lambda *_: ran)
    part = find("input-dim").run_keras(Request(), None)
    outcomes = {row["backend"]: row["id -1"] for row in rows_of(part, "Ids without a row")}
    assert outcomes == {
        "tensorflow": "a row of NaN", "jax, recorded": "row 4, silently, the last row"
    }  # fmt: skip
    [sentence] = [text for text in part.findings if text.startswith("Recorded")]
    assert re.search(r"with Keras 3\.[\d.]+ on \d{4}-\d\d-\d\d, and not run here", sentence)
    assert re.search(r"where jax is not installed: jax \(jax [\d.]+\)\.$", sentence)


def test_ids_of_imdb_are_read():
    """As `keras.datasets.imdb` says that they are to be read: rank + 3, 1 is the start."""
    review = rows("imdb", "A review", texts=["[1, 14, 22, 16, 0, 2, 5000]"])
    assert [row["read as id - 3"] for row in review] == [
        "<start>", "this", "film", "was", "<pad>", "<oov>", "(none)"
    ]  # fmt: skip


def test_a_backend_that_does_not_run_says_so(monkeypatch):
    from embedinspect.lessons import backends

    monkeypatch.setattr(backends, "SCRIPT", "raise SystemExit(1)")
    assert ask_backends(["tensorflow"], 4, [4]) == {"tensorflow": ["it does not run here"]}


# -- names -------------------------------------------------------------------------------------


def test_every_confusion_has_its_lesson():
    assert sorted(CONFUSIONS) == list(range(1, 22))
    for topics in CONFUSIONS.values():
        assert [find(name).name for name in topics] == topics
    assert {name for topics in CONFUSIONS.values() for name in topics} == {
        topic.name for topic in TOPICS
    }


def test_the_topics_that_were_promised():
    assert set(NAMED_BY_THE_PLAN) <= {topic.name for topic in TOPICS}
    assert len({topic.group for topic in TOPICS}) == 8


@pytest.mark.parametrize("topic", TOPICS, ids=by_name)
def test_what_a_lesson_leads_to_exists(topic):
    """The commands to go on with are there, and have the options and arguments that they show."""
    for line in topic.run(Request()).next:
        program, name, *arguments = shlex.split(line)
        assert program == "embedinspect"
        command = get_command(app).commands[name]
        command.make_context(name, list(arguments))  # raises where it could not be parsed
        if name == "explain":
            find(arguments[0])
            assert arguments[0] != topic.name or len(arguments) > 1
        for argument in arguments:
            assert not argument.startswith("sample_texts")  # who has no clone has no such folder
            assert Path(samples.resolve(argument)).is_file() or "sample:" not in argument


def test_sizes_of_the_readers_own_are_not_called_the_recipes():
    for name in ("shapes", "parameters"):
        topic = find(name)
        assert "are those of the classic IMDB recipe" in topic.run(Request()).intro
        own = topic.run(Request(sizes={"output_dim": 64}))
        assert "are yours, else those of the classic IMDB recipe" in own.intro


def test_every_alias_leads_to_its_own_topic():
    for topic in TOPICS:
        for alias in (topic.name, *topic.aliases):
            for written in (alias, alias.upper(), alias.replace("_", "-"), f"{alias}()"):
                assert find(written) is topic, written
    assert len(names()) == sum(1 + len(topic.aliases) for topic in TOPICS)  # none is taken twice


@pytest.mark.parametrize(
    ("written", "topic"),
    [
        ("input_length", "input-length"),
        ("get_weights", "vectors"),
        ("nb_epoch", "old-code"),
        ("mask_zero=True", "mask-zero"),
        ("num_words", "num-words"),
        ("oov_token", "oov"),
        ("INPUT_DIM", "input-dim"),
        ("output_dim", "shapes"),
        ("imdb.load_data(num_words=5000)", "imdb"),
        ("Embedding(5000, 32, input_length=500)", "input-length"),
        ("x = Embedding(5000, 32)", "lookup"),
        ("model.fit(x, y, batch_size=64, nb_epoch=3)", "old-code"),
        ("Tokenizer(num_words=100)", "num-words"),
        ("from keras.preprocessing.text import Tokenizer", "tokenizer"),
        ("from keras.utils.np_utils import to_categorical", "old-code"),
        ("import gensim", "vector-files"),
        ("index_from", "imdb"),
        ("Tokenizer", "tokenizer"),
        ("keras.layers.TextVectorization", "tokenizer"),
        ("pad_sequences", "padding"),
        ("one_hot", "one-hot"),
        ("Flatten", "mask-lost"),
        ("to_categorical", "one-hot"),
        ("GloVe", "pretrained"),
        ("word2vec", "pretrained"),
        ("Projector", "projector"),
        ("keras.losses.CosineSimilarity()", "cosine"),
        ("cosine", "cosine"),
        ("most_similar", "task-embedding"),
        ("king - man + woman", "analogies"),
        ("np.linalg.svd(rows)", "isotropy"),
        ("effective_rank", "isotropy"),
        ("model.layers[0].get_weights()", "vectors"),
    ],
)
def test_names_from_code_run_their_lesson(written, topic):
    assert find(written).name == topic


@pytest.mark.parametrize(
    ("written", "nearest"),
    [
        ("pading", "padding"),
        ("maskzero2", "mask-zero"),
        ("num_word", "num-words"),
        ("pad", "padding"),
        ("vect", "vectors"),
        ("what does an embedding layer do", "pretrained or lookup"),
    ],
)
def test_a_word_that_is_neither_names_the_nearest_first(written, nearest):
    with pytest.raises(UsageError) as error:
        find(written)
    assert f"no topic '{written}'; did you mean {nearest}" in str(error.value)
    assert ("texts go after the topic" in str(error.value)) == (" " in written)


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("why is my output not zero", "mask-zero"),
        ("does mask_zero make the output zero?", "mask-zero"),
        ("how do I get the vectors out of my model", "vectors"),
        ("How do I extract the embedding weights?", "vectors"),
        ("why does num_words keep all words", "num-words"),
        ("where do 160000 parameters come from", "parameters"),
        ("why do imdb reviews decode to nonsense", "imdb"),
        ("should I pad before or after the text", "padding"),
        ("which layers drop the mask", "mask-lost"),
        ("how do I use pretrained word vectors", "pretrained"),
        ("what does None mean in the shape", "shapes"),
        ("is embedding the same as a dense layer", "one-hot"),
        ("what happens to unknown words", "oov"),
        ("why is input_length deprecated", "input-length"),
        ("my old tutorial code does not run", "old-code"),
        ("why can I not import Tokenizer", "tokenizer"),
        ("index out of range error", "input-dim"),
        ("why are the neighbors of king strange", "task-embedding"),
        ("how can I see my embedding in tensorboard", "projector"),
        ("which rows never move in training", "training"),
        ("is a cosine of 0.6 high", "cosine"),
        ("what is a good similarity threshold", "cosine"),
        ("what does effective rank mean", "isotropy"),
        ("why are my embeddings anisotropic", "isotropy"),
        ("why does king minus man plus woman not give queen", "analogies"),
        ("do analogies work on my classifier", "analogies"),
        ("what does maxlen cut off", "truncating"),
        ("does my glove file need a header", "vector-files"),
    ],
)
def test_a_question_in_plain_words_finds_its_topic(question, topic):
    assert find(question).name == topic


@pytest.mark.parametrize("topic", TOPICS, ids=by_name)
def test_the_question_of_a_topic_finds_it(topic):
    assert topic in topics_for(topic.question, TOPICS)
    assert topic.name in ASKED_WITH


@pytest.mark.parametrize("text", ["the cat saw the dog", "hello world", "?! ...", "Grüße 東京"])
def test_a_text_is_no_question(text):
    assert topics_for(text, TOPICS) == []


def test_a_word_like_no_other_names_them_all():
    with pytest.raises(UsageError) as error:
        find("xyzzyx")
    assert "did you mean" not in str(error.value)
    assert all(topic.name in str(error.value) for topic in TOPICS)


def test_sizes_within_code():
    topic = find("num_words=3")
    assert sizes_in("num_words=3", topic) == {"num_words": 3}
    assert sizes_in("Tokenizer(num_words = 12, oov_token='x')", topic) == {"num_words": 12}
    assert sizes_in("maxlen=3", topic) == sizes_in("num_words=n", topic) == {}
    assert sizes_in("Embedding(9, 9, input_length=7)", find("input-length")) == {"maxlen": 7}
    for wrong in ("0", "1000001", "9" * 5000):
        with pytest.raises(UsageError, match=r"num_words is .*; expected 1 to 1,000,000"):
            sizes_in(f"num_words={wrong}", topic)


def test_more_words_allowed_than_there_are():
    topic = find("num-words")
    request = Request(("a b c",), {"num_words": 4})
    assert "keeps the ids below 4: 3 words, not 4" in topic.run(request).findings[0]
    request = Request(("a b c",), {"num_words": 5})
    assert "every word here, since the highest id is 3" in topic.run(request).findings[0]


def test_what_a_lesson_has_no_use_for_is_refused():
    with pytest.raises(UsageError, match="projector takes no texts, but got 'a'"):
        check(find("projector"), Request(["a"]))
    with pytest.raises(UsageError, match="--units has no part in the lesson lookup"):
        check(find("lookup"), Request(None, {"units": 3}))
    with pytest.raises(UsageError, match="lookup runs without Keras"):
        check(find("lookup"), Request(), "jax")
    keras_layer.load("tensorflow")  # so that another is refused, whether it is installed or not
    with pytest.raises(UsageError):
        find("input-dim").run_keras(Request(), "jax")


def test_a_word_that_is_like_no_topic_gets_no_suggestion():
    with pytest.raises(UsageError, match=r"^there is no topic 'nosuchtopic'; expected one of"):
        find("nosuchtopic")


def test_how_far_a_cosine_lies_from_the_mean_follows_from_the_printed_numbers():
    said = find("cosine").run(Request()).findings[-1]
    mean, count, deviation = re.search(
        r"mean is ([\d.]+), and 0.6 lies ([\d.]+) of their deviations \(([\d.]+)\) below", said
    ).groups()
    assert round((float(mean) - 0.6) / float(deviation), 1) == float(count)
