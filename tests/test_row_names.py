"""What rows are called: by a word, by a number, by how a text begins."""

from __future__ import annotations

import re

import numpy as np
import pytest

from embedinspect.errors import UsageError
from embedinspect.row_words import Words, pack
from tests.builders import source_of

TEXTS = [
    "The river crossed the valley before dawn.",
    "The river never agreed to the terms.",
    "A violinist from Vienna found a letter.",
    "A violinist from Vienna found a letter.",
    "17",
    "Short",
    "The river crossed the valley by night.",
]


@pytest.fixture(params=["list", "packed"])
def texts(request):
    source = source_of(np.eye(len(TEXTS)), TEXTS)
    words = Words(TEXTS) if request.param == "list" else pack([text.encode() for text in TEXTS])
    object.__setattr__(source.matrix, "words", words)
    return source


def test_how_a_text_begins_stands_for_it_if_no_other_begins_so(texts):
    assert texts.row_of("The river n") == 1
    assert texts.row_of(TEXTS[1]) == 1
    assert texts.row_of("A viol") == 2  # equal texts are one, which has its first row
    assert texts.row_of("The river nev…") == 1  # as tables cut it
    assert texts.row_of("Sho") == 5
    assert texts.row_of("the river n") is None
    assert texts.row_of("") is None
    assert texts.row_of(" ") is None


def test_numbers_are_never_how_a_text_begins(texts):
    assert texts.row_of("17") == 4
    assert texts.row_of("1") is None
    assert texts.row_of("#1") == 1
    with pytest.raises(UsageError, match=r"a row such as #5; did you mean the row '#1'\?$"):
        texts.rows_of(["1"])
    with pytest.raises(UsageError, match=r"a row such as #5$"):
        texts.rows_of(["7"])


def test_what_no_text_begins_with_says_how_to_find_one(texts):
    with pytest.raises(UsageError, match=r"^no text of 'made' begins with 'valley'; .*of them$"):
        texts.rows_of(["valley"])
    with pytest.raises(
        UsageError, match=r"; did you mean 'The river never agreed to the terms.'\?$"
    ):
        texts.rows_of(["the river never"])


def test_texts_of_a_script_without_spaces_are_texts():
    long = ["山川草木" * 8 + str(number) for number in range(4)]
    assert source_of(np.eye(4), long).row_of(f"{'山川草木' * 8}2") == 2
    source = source_of(np.eye(2), ["山川" * 15, "草木" * 15])
    assert source.row_of("草木草木") == 1


def test_a_beginning_of_several_texts_names_them_from_where_they_differ(texts):
    with pytest.raises(UsageError) as error:
        texts.row_of("The river crossed the valley b")
    says = str(error.value)
    assert says.startswith(
        "several texts of 'made' begin with 'The river crossed the valley b'; expected more of the "
        "one you mean, or its row: #0 ("
    )
    assert says.endswith("#0 ('...e valley before dawn.'), #6 ('...e valley by night.')")
    with pytest.raises(UsageError, match=re.escape("#0 ('The river crossed the")):
        texts.row_of("The")


def test_of_words_that_are_no_texts_a_beginning_is_no_word():
    words = source_of(np.eye(3), ["king", "kingdom", "the kingdom of the twelve far islands"])
    assert words.row_of("kin") is None
    assert words.row_of("the kingdom of") is None
    with pytest.raises(UsageError, match="did you mean 'king'"):
        words.rows_of(["kin"])


def test_of_many_that_begin_so_three_are_named():
    many = source_of(np.eye(9), [f"The same beginning of everything, {n}" for n in range(9)])
    with pytest.raises(UsageError, match=r"#2 .* and others$") as error:
        many.row_of("The same")
    assert "#3" not in str(error.value)


def test_of_words_that_are_no_texts_those_that_begin_so_are_suggested():
    titles = ["Refund policy for orders", "Refunds", "Refund policy by post", "Refund x", "cost"]
    source = source_of(np.eye(5), titles)
    with pytest.raises(
        UsageError, match=r"did you mean 'Refund policy for orders', 'Refund policy by post'\?$"
    ):
        source.rows_of(["Refund p"])


def test_the_rows_of_a_word_are_all_found(texts):
    for text in TEXTS:
        expected = [row for row, each in enumerate(TEXTS) if each == text]
        assert list(texts.words.named_so(text)) == expected
    assert list(texts.words.named_so("The river")) == []
