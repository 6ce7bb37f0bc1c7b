"""What kind a file is, its content tells; what does not fit is named with its line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedinspect.analysis.evaluate.items import Analogy, Member, OddOneOut, Pair
from embedinspect.analysis.evaluate.reading import read_test
from embedinspect.errors import DataError, EmbedInspectError


@pytest.fixture
def read(tmp_path):
    """Return a function that reads a text as a test."""

    def read_text(text, kind=None, **settings):
        path = tmp_path / "test.txt"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return read_test(str(path), kind, **settings)

    return read_text


def items(test):
    return [item for section in test.sections for item in section.items]


def test_analogies_of_four_words_keep_their_sections(read):
    test = read(": one\na b c d\n\n: two\ne f g h\ni j k l\n")
    assert test.kind == "analogies"
    assert [(s.name, len(s.items)) for s in test.sections] == [("one", 1), ("two", 2)]
    assert items(test)[0] == Analogy("a", "b", "c", ("d",))
    assert read("a b c d\ne f g h\n").sections[0].name == "test"


def test_pairs_of_a_relation_are_asked_in_both_orders(read):
    test = read("dog\tpuppy/whelp\ncat\tkitten\ncow\tcalf\n")
    assert test.kind == "analogies"
    assert len(items(test)) == 6
    assert items(test)[0] == Analogy("dog", "puppy", "cat", ("kitten",), ("whelp",))
    assert items(test)[2] == Analogy("cat", "kitten", "dog", ("puppy", "whelp"))


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("# Word 1\tWord 2\tHuman\ntiger\tcat\t7.35\nbook\tpaper\t7.46\nking\tcabbage\t0.23\n", 3),
        ("Word 1,Word 2,Human (Mean),1,2\ntiger,cat,7.35,9,7\nbook,paper,7.46,8,7\n"
         "king,cabbage,0.23,0,1\n", 3),
        ("word1\tword2\tPOS\tscore\tconc\ntiger\tcat\tN\t7.35\t2\nbook\tpaper\tN\t7.46\t2\n"
         "king\tcabbage\tN\t0.23\t1\n", 4),
        ("tiger cat 7.35\nbook paper 7.46\nking cabbage 0.23\n", 3),
        ("tiger;cat;7,35\nbook;paper;7,46\nking;cabbage;0,23\n", 3),
        ("1 tiger cat 7.35\n2 book paper 7.46\n3 king cabbage 0.23\n", 4),
        ("tiger-n cat-n 7.35\nbook-n paper-n 7.46\nking-n cabbage-n 0.23\n", 3),
        ("\ufefftiger\tcat\t7.35\r\nbook\tpaper\t7.46\r\nking\tcabbage\t0.23\r\n", 3),
    ],
)  # fmt: skip
def test_rated_pairs_are_read_whatever_their_delimiter_and_columns(read, text, column):
    test = read(text)
    assert test.kind == "pairs"
    expected = [Pair("tiger", "cat", 7.35), Pair("book", "paper", 7.46)]
    assert items(test) == [*expected, Pair("king", "cabbage", 0.23)]
    assert test.notes[0].startswith(f"the score is column {column} of ")


def test_parts_of_speech_are_sections(read):
    rows = [f"a{n}\tb{n}\t{'NV'[n % 2]}\t{n}\n" for n in range(20)]
    test = read("word1\tword2\tPOS\tscore\n" + "".join(rows))
    assert [(s.name, len(s.items)) for s in test.sections] == [("N", 10), ("V", 10)]


def test_odd_ones_out_stand_behind_a_bar_or_an_empty_line(read):
    test = read(": food\nbread cheese apple | car\ncar, train | bread, ice cream\n")
    assert test.kind == "odd-one-out"
    assert items(test) == [
        OddOneOut(("bread", "cheese", "apple"), "car"),
        OddOneOut(("car", "train"), "bread"),
        OddOneOut(("car", "train"), "ice cream"),
    ]
    blocks = read("bread\nice cream\napple\n\ncar\nking\n")
    assert items(blocks) == [
        OddOneOut(("bread", "ice cream", "apple"), "car"),
        OddOneOut(("bread", "ice cream", "apple"), "king"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "bread\tfood\ncheese\tfood\ncar\tvehicle\ntrain\tvehicle\n",
        "food,bread\nfood,cheese\nvehicle,car\nvehicle,train\n",
        ": food\nbread\ncheese\n: vehicle\ncar\ntrain\n",
        ": food\nbread cheese\n: vehicle\ncar train\n",
        '{"food": ["bread", "cheese"], "vehicle": ["car", "train"]}',
    ],
)
def test_categories_are_two_columns_or_words_under_headings(read, text):
    test = read(text, None if text[0] != ":" else "categories")
    assert test.kind == "categories"
    assert items(test) == [
        Member("bread", "food"), Member("cheese", "food"), Member("car", "vehicle"),
        Member("train", "vehicle"),
    ]  # fmt: skip


def test_what_could_be_two_kinds_names_the_other_and_as_chooses(read):
    text = "sky blue\nsea blue\ngrass green\nleaf green\n"
    assert (read(text).kind, read(text).perhaps) == ("categories", "analogies")
    assert read(text, "analogies").size == 12
    assert read("dog puppy\ncat kitten\n").perhaps is None
    with pytest.raises(DataError, match="expected pairs: two words and a score"):
        read(text, "pairs")


def test_association_tests_are_read_as_in_their_papers(read):
    sets = {"X": ["rose"], "Y": ["wasp"], "A": ["good", "good"], "B": ["bad"]}
    old = {
        f"{kind}{n}": {"category": name, "examples": [word]}
        for kind, n, name, word in (
            ("targ", 1, "Flowers", "rose"), ("targ", 2, "Insects", "wasp"),
            ("attr", 1, "Pleasant", "good"), ("attr", 2, "Unpleasant", "bad"),
        )
    }  # fmt: skip
    wefe = {"target_sets": [["rose"], ["wasp"]], "attribute_sets": [["good"], ["bad"]]}
    for value in (sets, old, wefe):
        [item] = items(read(json.dumps(value)))
        assert (item.targets, item.attributes) == ((("rose",), ("wasp",)), (("good",), ("bad",)))
    assert items(read(json.dumps(old)))[0].names[0] == "Flowers"
    several = read(json.dumps({"first": sets, "second": wefe}))
    assert [section.name for section in several.sections] == ["first", "second"]
    assert len(read(json.dumps([sets, sets, old])).sections) == 3


def test_lines_that_do_not_fit_are_counted_and_named(read):
    test = read(": one\n" + "a b c d\n" * 8 + "a b c\na b c d e\n")
    assert test.size == 8
    assert test.left_out.total == 2
    assert test.left_out.first[0] == "line 10 has 3 fields ('a b c'); expected 4"
    with pytest.raises(DataError, match=r"line 10 has 3 fields \('a b c'\); expected 4"):
        read(": one\n" + "a b c d\n" * 8 + "a b c\n", strict=True)
    test = read("a b 1\n" * 9 + "a b many\n")
    assert test.left_out.first == ("line 10 has no number in column 3: 'many'",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("\n\n", "has no line of words"),
        ("just some words of a text\nand more\n", "line 1 is 'just some words"),
        ("the 0.1 0.2 0.3\nof 0.2 0.3 0.4\n", "no test of a known form"),
        ("{", "is no JSON, line 1"),
        ('{"X": ["a"]}', "holds JSON, but no"),
        ('{"X": ["a"], "Y": 3, "A": ["b"], "B": ["c"]}', "has int under 'Y'"),
        ('{"one": {"X": ["a"], "Y": ["b"], "A": ["c"], "B": ["d"]}, "two": 3}', "under 'two'"),
        ("[" * 100_000, "nested too deep"),
        (b"\xff\xfe\x00", "is not utf-8"),
    ],
)
def test_what_is_no_test_is_one_line(read, text, says):
    with pytest.raises(DataError, match=says) as error:
        read(text)
    assert len(str(error.value)) < 500
    assert "\n" not in str(error.value)


def test_a_file_that_would_ask_millions_is_refused(read):
    with pytest.raises(DataError, match="a section of 1,500 pairs gives 2,248,500 questions"):
        read("".join(f"a{n} b{n}\n" for n in range(1500)))


PIECES = st.sampled_from(
    [*"ab|:,;\t#{}[]\"'\\/ \n\r", "\n", " ", "1", "2.5", "word", ": name\n", "nan", "1e999", "é"]
)


@given(pieces=st.lists(PIECES, max_size=40), kind=st.sampled_from([None, "analogies", "pairs",
       "odd-one-out", "categories", "association"]))  # fmt: skip
def test_any_text_is_a_test_or_an_error_of_one_line(tmp_path_factory, pieces, kind):
    path = tmp_path_factory.getbasetemp() / "any.txt"
    path.write_text("".join(pieces), newline="")
    message = ""
    try:
        test = read_test(str(path), kind)
        assert kind in {None, test.kind}
    except EmbedInspectError as error:
        message = str(error)
    assert "\n" not in message
