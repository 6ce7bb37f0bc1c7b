"""From a question in plain words to the topic that answers it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from embedinspect.lessons.lesson import Topic

# Words that people ask with, besides those of the topic's own name, question and summary.
ASKED_WITH = {
    "lookup": "what is an embedding layer work table index fetch vector for a word multiply dict",
    "one-hot": "difference dense linear faster sparse categorical multiplication encode",
    "input-dim": "size vocabulary plus one off error range index out of bounds invalid indices",
    "tokenizer": "import no module preprocessing text module found removed deprecated replace",
    "num-words": "top most frequent limit word_index longer keeps all why size max",
    "oov": "unknown unseen new test words missing dropped vanish disappear token out vocabulary",
    "imdb": "decode reviews offset index word wrong nonsense garbage gibberish read back ids three",
    "padding": "pre post left right side pad zeros accuracy lstm 50 percent stuck front end",
    "truncating": "cut long texts off beginning end lose maxlen truncate length drop",
    "mask-zero": "padded positions output not zero zeros ignore padding masked vector nonzero",
    "mask-lost": "mask lost ignored dropped flatten pooling conv support propagate layer after",
    "shapes": "shape dimension none batch output 3d expected ndim axis sequence length",
    "parameters": "parameters count number weights summary how many computed trainable 4 lstm",
    "vectors": "extract get vectors weights out numpy array matrix save word trained layer access",
    "pretrained": "glove word2vec fasttext load own matrix initialize freeze pretrained use",
    "vector-files": "read file format header parse text txt bin line spaces gensim load",
    "cosine": "similarity high low threshold enough score near related mean 0.6 floor chance",
    "isotropy": "anisotropic embeddings rank spread dimensions used variance common mean pca",
    "analogies": "analogy king queen man woman minus plus add subtract arithmetic offset relation",
    "training": "learn trained change update move gradient random untrained freeze rows weights",
    "task-embedding": "neighbors similar meaning strange bad nonsense semantic sentiment closest",
    "projector": "tensorboard visualize plot see projector tsv labels metadata 3d",
    "input-length": "input_length argument deprecated removed warning unexpected keyword flatten",
    "old-code": "old tutorial code book 2017 nb_epoch update port version fails today error keras",
}
_EMPTY_WORDS = (
    "a an and are as at be but by can could did do does for from get give given go goes had has "
    "have how i if in into is it its just me mean my no of on one or our see should show so some "
    "tell than that the their them then there these they this to too up us use used want was we "
    "what when where which who why will with would you your work make made today nice keras"
)
_EMPTY = frozenset(_EMPTY_WORDS.split())
_NAME, _OWN, _ASKED = 3.0, 2.0, 1.0
_CLEAR = 1.3  # how much better than the second the first must be
_LEAST = 0.3  # the share of the question's words, by weight, that must lead there


def topics_for(question: str, topics: Sequence[Topic]) -> list[Topic]:
    """Return the topic that a question in plain words leads to, or those that it may lead to.

    Words count the more, the fewer topics have them. Nothing is returned where most of the
    question's words are those of no topic.
    """
    words = _words(question)
    of_topic = {topic.name: _weights(topic) for topic in topics}
    topics_with = Counter(word for weights in of_topic.values() for word in weights)
    rarity = {word: math.log(1 + len(topics) / count) for word, count in topics_with.items()}
    known = [word for word in words if word in rarity]
    if not known or len(known) < _LEAST * len(words):
        return []
    scores = {
        topic: sum(of_topic[topic.name].get(word, 0.0) * rarity[word] for word in known)
        for topic in topics
    }
    ranked = sorted((topic for topic in topics if scores[topic]), key=scores.__getitem__)[::-1]
    if len(ranked) > 1 and scores[ranked[0]] < _CLEAR * scores[ranked[1]]:
        return ranked[:3]
    return ranked[:1]


def _weights(topic: Topic) -> dict[str, float]:
    weights = dict.fromkeys(_words(ASKED_WITH.get(topic.name, "")), _ASKED)
    own = " ".join([topic.question, topic.summary, *topic.aliases])
    weights |= dict.fromkeys(_words(own), _OWN)
    return weights | dict.fromkeys(_words(topic.name), _NAME)


def _words(text: str) -> list[str]:
    """Return the telling words of a text, each once, without their endings."""
    words = re.findall(r"[a-z0-9]+", text.replace("_", " ").lower())
    return list(dict.fromkeys(_stem(word) for word in words if word not in _EMPTY))


def _stem(word: str) -> str:
    """Return a word without the endings that a question may change.

    >>> [_stem(word) for word in ("layers", "padded", "padding", "zeros", "masks")]
    ['layer', 'pad', 'pad', 'zero', 'mask']
    """
    if len(word) > 5:
        word = re.sub(r"(?:ing|ed)$", "", word)
    if len(word) > 3:
        word = re.sub(r"(?:(?<=[sxz])es|(?<![su])s|e)$", "", word)
    return re.sub(r"([b-df-hj-km-np-rt-vx-y])\1$", r"\1", word)
