"""The names that gensim's word vectors and models are pickled with, from 0.12 to today's."""

from __future__ import annotations

from embedinspect.formats.pickled_arrays import NAMES
from embedinspect.formats.pickled_values import Meaning, Rules, a_default_dict, an_ordered_dict

WAY_OUT = (
    "where you trust the file, in Python, with the gensim that wrote it: "
    "gensim.utils.SaveLoad.load(PATH).wv.save_word2vec_format('rows.vec')"
)
_MODULES = "gensim.models."
# Classes of vectors by themselves, and of models that hold some.
VECTORS = frozenset(
    _MODULES + name
    for name in (
        "keyedvectors.KeyedVectors", "keyedvectors.Word2VecKeyedVectors",
        "keyedvectors.EuclideanKeyedVectors", "keyedvectors.FastTextKeyedVectors",
        "keyedvectors.Doc2VecKeyedVectors", "fasttext.FastTextKeyedVectors",
        "wrappers.fasttext.FastTextKeyedVectors", "doc2vec.DocvecsArray",
        "poincare.PoincareKeyedVectors", "deprecated.keyedvectors.KeyedVectors",
        "deprecated.keyedvectors.EuclideanKeyedVectors",
        "deprecated.fasttext_wrapper.FastTextKeyedVectors", "deprecated.doc2vec.DocvecsArray",
    )
)  # fmt: skip
MODELS = frozenset(
    _MODULES + name
    for name in (
        "word2vec.Word2Vec", "fasttext.FastText", "doc2vec.Doc2Vec", "wrappers.fasttext.FastText",
        "poincare.PoincareModel", "deprecated.word2vec.Word2Vec", "deprecated.fasttext.FastText",
        "deprecated.doc2vec.Doc2Vec", "deprecated.fasttext_wrapper.FastText",
    )
)  # fmt: skip
_PARTS = frozenset(
    _MODULES + name
    for name in (
        "word2vec.Vocab", "word2vec.Word2VecVocab", "word2vec.Word2VecTrainables",
        "keyedvectors.Vocab", "keyedvectors.SimpleVocab", "keyedvectors.CompatVocab",
        "fasttext.FastTextVocab", "fasttext.FastTextTrainables", "doc2vec.Doctag",
        "doc2vec.Doc2VecVocab", "doc2vec.Doc2VecTrainables", "poincare.NegativesBuffer",
        "deprecated.word2vec.Vocab", "deprecated.keyedvectors.Vocab", "deprecated.doc2vec.Doctag",
    )
)  # fmt: skip


def _admitted() -> dict[str, Meaning]:
    names: dict[str, Meaning] = dict.fromkeys((*VECTORS, *MODELS, *_PARTS))
    names.update(
        dict.fromkeys(
            (
                "gensim.utils.call_on_class_only", "builtins.hash", "builtins.int", "builtins.long",
                "builtins.float", "builtins.set", "builtins.frozenset", "builtins.object",
                "copyreg._reconstructor",
            )
        )
    )  # fmt: skip
    names["collections.OrderedDict"] = an_ordered_dict
    names["collections.defaultdict"] = a_default_dict
    names["UserString.defaultdict"] = a_default_dict  # as Python 3.4 called it in protocol 2
    return names | NAMES


RULES = Rules(_admitted(), WAY_OUT)
