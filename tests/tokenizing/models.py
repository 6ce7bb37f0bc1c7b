"""Model folders whose tokenizers are trained on a few sentences, by the library that owns them."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import numpy as np
from safetensors.numpy import save_file
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

SENTENCES = [
    "The king reads an unbelievable book, and the queen's kings read it too!",
    "Words are cut into pieces; pieces of words have ids, ids have rows.",
    "Un café à Paris, ein König in Köln, книга на столе, 本を読む, كتاب",
    "0 1 2 34 567 :-) <b>bold</b> [x] and the unbelievers walk on",
] * 3
# From scripts that are written from left to right and from right to left, joined, stacked, wide.
_ALPHABETS = (
    "abcdefghijklmnop qrstuvwxyz",
    "ABCXYZ.,;:!?-'\"()[]{}<>/\\&#@$%^*_=+|~` ",
    "éàöüñçÅß œŠ",
    "e\u0301 o\u0308 n\u0303 \u0301\u0323\u20dd",
    "книга стол ё",
    "كتاب قلم ءآ",
    "שלום עולם",
    "本を読む 東京 カﾞ ㌔",
    "한국어 \u1112\u1161\u11ab",
    "हिन्दी \u0902 ไทย",
    "😀👩\u200d👩\u200d👧🇩🇪👍🏽",
    "\x00\x01\x07\x1b\x7f\x85\u200b\u200e\u202e\ufeff\ufffd\u2028",
    " \t\n\r\u00a0\u3000",
    "ﬁ½²™Ⅷ①𝔘𝕟",
    "0123456789 ٣४",
)
_MARKUP = ("[CLS]", "[SEP]", "[UNK]", "[PAD]", "<unk>", "</s>", "<pad>", "<|end|>", "Ġ", "##", "▁")
_WORDS = ("king", "unbelievable", "The", "words", "Köln", "café", "book", "pieces")


def random_texts(seed: int, count: int) -> list[str]:
    """Return texts of up to 16 parts from many scripts, with markup and words among them."""
    random = Random(seed)

    def part() -> str:
        choice = random.random()
        if choice < 0.2:
            return random.choice(_WORDS)
        if choice < 0.3:
            return random.choice(_MARKUP)
        if choice < 0.4:
            return " "
        if choice < 0.45:
            return chr(random.choice((random.randrange(0xD800), random.randrange(0xE000, 0x30000))))
        alphabet = random.choice(_ALPHABETS)
        return "".join(random.choice(alphabet) for _ in range(random.randint(1, 4)))

    return ["".join(part() for _ in range(random.randint(0, 16))) for _ in range(count)]


def wordpiece() -> Tokenizer:
    """Return a tokenizer as BERT's, which cuts to 12 tokens and pads to the longest text."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]"]  # so id 0 is no padding
    trainer = trainers.WordPieceTrainer(vocab_size=160, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.add_tokens(["walk on"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    tokenizer.enable_truncation(12)
    tokenizer.enable_padding(pad_id=3, pad_token="[PAD]")
    return tokenizer


def byte_level() -> Tokenizer:
    """Return a tokenizer as RoBERTa's, which cuts and pads on the left, to a multiple of 8."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|end|>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.add_special_tokens(["<s>", "</s>"])
    ids = {name: tokenizer.token_to_id(name) for name in ("<s>", "</s>")}
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", ids["</s>"]), ("<s>", ids["<s>"])
    )
    tokenizer.enable_truncation(20, direction="left")
    tokenizer.enable_padding(
        direction="left", pad_id=ids["</s>"], pad_token="</s>", pad_to_multiple_of=8
    )
    return tokenizer


def unigram() -> Tokenizer:
    """Return a tokenizer as T5's, which neither cuts nor pads."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=120,
        unk_token="<unk>",
        special_tokens=["</s>", "<unk>", "<pad>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 0)]
    )
    return tokenizer


def byte_fallback() -> Tokenizer:
    """Return a tokenizer as Llama's, which has a token for every byte; padded to 24 positions."""
    alphabet = {character for character in "".join(SENTENCES) if character.isascii()}
    names = ["<unk>", "<s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *sorted(alphabet)]
    ids = {name: id_ for id_, name in enumerate(dict.fromkeys(names))}
    tokenizer = Tokenizer(models.BPE(ids, [], unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    tokenizer.add_special_tokens(["<s>"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 1)]
    )
    tokenizer.enable_padding(length=24, pad_id=0, pad_token="<unk>")
    return tokenizer


def by_hand() -> Tokenizer:
    """Return a small tokenizer as BERT's that is the same each time; training is not."""
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "king", "book", "un", "and", "of"]
    names += ["##s", "##believ", "##able", "words", "!", ","]
    tokenizer = Tokenizer(
        models.WordPiece({name: id_ for id_, name in enumerate(names)}, unk_token="[UNK]")
    )
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.add_special_tokens(names[:4])
    tokenizer.enable_truncation(12)
    return tokenizer


KINDS = {
    "wordpiece": wordpiece,
    "byte level": byte_level,
    "unigram": unigram,
    "byte fallback": byte_fallback,
}


def write_model(
    folder: Path, tokenizer: Tokenizer | bytes, *, rows: int | None = None, **config: object
) -> None:
    """Write a model folder: a tokenizer, a table for it, a config.

    Args:
        tokenizer: of the library, or the bytes of its file.
        rows: of the table; by default one for each token.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(tokenizer, bytes):
        (folder / "tokenizer.json").write_bytes(tokenizer)
    else:
        tokenizer.save(str(folder / "tokenizer.json"))
        rows = rows or tokenizer.get_vocab_size()
    table = np.random.RandomState(0).standard_normal((rows or 16, 4)).astype(np.float32)
    save_file({"model.embed_tokens.weight": table}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", **config}))
