"""Our tokenizer and Keras's, with the same settings: for tests on free input."""

from __future__ import annotations

from hypothesis import strategies as st

from embedinspect.vocabulary import Tokenization, fit

WORDS = st.sampled_from(["the", "fox", "Fox", "it's", "zu", "ß", "İ", "a-b", "!!", "\t", "of."])
TEXTS = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=()), max_size=30),
        st.lists(WORDS, max_size=12).map(" ".join),
    ),
    max_size=5,
)
SETTINGS = st.fixed_dictionaries(
    {
        "num_words": st.one_of(st.none(), st.integers(1, 8)),
        "oov_token": st.one_of(st.none(), st.sampled_from(["<OOV>", "fox", "the", ""])),
        "filters": st.one_of(
            st.just(Tokenization().filters), st.text(max_size=4), st.just("ab -.")
        ),
        "lower": st.booleans(),
        "split": st.one_of(st.just(" "), st.text(min_size=1, max_size=2)),
        "char_level": st.booleans(),
    }
)


def keras_tokenizer(texts, settings):
    """Return Keras's own Tokenizer, fitted on the texts."""
    from tensorflow.keras.preprocessing.text import Tokenizer

    tokenizer = Tokenizer(**settings)
    tokenizer.fit_on_texts(texts)
    return tokenizer


def fit_with(texts, settings):
    """Return what `fit` gives: our vocabulary, and the ids of the texts."""
    rules = {name: settings[name] for name in ("filters", "lower", "split", "char_level")}
    return fit(
        texts,
        num_words=settings["num_words"],
        oov_token=settings["oov_token"],
        tokenization=Tokenization(**rules),
    )
