"""Write small random models as transformers, model2vec and sentence-transformers save them.

Run by hand, with `torch`, `transformers`, `tokenizers`, `sentencepiece`, `model2vec` (with
scikit-learn) and `sentence-transformers`:

    python tests/data/make_model_folders.py

`models/NAME/` is the folder, `models/NAME.npy` what its tokens look up (float32), and
`models/NAME.json` the id of each token, as the tokenizer of that library says. `models/tokens/`
has folders of slow tokenizers, without weights.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import safetensors.torch
import sentencepiece
import torch
from model2vec import StaticModel
from model2vec.model import quantize_model
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    AutoTokenizer,
    BertConfig,
    BertModel,
    BertTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

FOLDER = Path(__file__).parent / "models"
TEXTS = [
    "The king spoke and the queen listened.",
    "Kings and queens of unbelievable courage walked home.",
    "A café in Zürich serves tea, coffee and cake.",
    "She was walking, talking and smiling at the kingfishers.",
    "Numbers such as 1, 22 and 333 are tokens, too.",
    "东京 is a city; Москва is another one.",
] * 3
WIDTH = 16


def word_piece() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused0]", "[unused1]"]
    trainer = trainers.WordPieceTrainer(vocab_size=180, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )


def byte_level(end: str, **roles: str) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=[end, *roles.values()],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=end, **roles)


def unigram() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=150,
        special_tokens=["<pad>", "</s>", "<unk>"],
        unk_token="<unk>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )


def llama(tokenizer: PreTrainedTokenizerFast, rows: int = 0, **changes: object) -> PreTrainedModel:
    config = LlamaConfig(
        vocab_size=rows or len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=32,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        **changes,
    )
    return LlamaForCausalLM(config)


def save(
    name: str, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, **options: object
) -> None:
    """Save a model and its tokenizer, and what both say when they are loaded again."""
    folder = FOLDER / name
    model.save_pretrained(folder, **options)
    tokenizer.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    kind = AutoModelForCausalLM if model.config.architectures[0].endswith("CausalLM") else AutoModel
    loaded = kind.from_pretrained(folder, dtype="auto")
    expect(
        name,
        loaded.get_input_embeddings().weight.detach().float().numpy(),
        AutoTokenizer.from_pretrained(folder).get_vocab(),
    )


def expect(name: str, rows: np.ndarray, ids: dict[str, int]) -> None:
    np.save(FOLDER / f"{name}.npy", rows.astype(np.float32))
    expect_ids(name, ids)


def expect_ids(name: str, ids: dict[str, int]) -> None:
    text = json.dumps(dict(sorted(ids.items(), key=lambda item: item[1])), ensure_ascii=False)
    (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def make_models() -> None:
    tokenizer = word_piece()
    tokenizer.add_tokens(["kingfisher", "new token"])
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=16,
        pad_token_id=tokenizer.pad_token_id,
    )
    save("bert", BertModel(config), tokenizer)

    tokenizer = byte_level("<|endoftext|>")
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|user|>"]})
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_embd=WIDTH,
        n_layer=1,
        n_head=2,
        n_inner=16,
        n_positions=16,
        bos_token_id=0,
        eos_token_id=0,
    )
    save("gpt2-f16", GPT2LMHeadModel(config).half(), tokenizer)

    tokenizer = unigram()
    tokenizer.add_special_tokens(
        {"additional_special_tokens": [f"<extra_id_{number}>" for number in range(5)]}
    )
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=WIDTH,
        d_kv=8,
        d_ff=16,
        num_layers=1,
        num_heads=2,
        pad_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
    )
    save("t5-sharded", T5ForConditionalGeneration(config), tokenizer, max_shard_size="8KB")

    tokenizer = byte_level("</s>", bos_token="<s>", pad_token="<pad>")
    save("llama-bf16", llama(tokenizer).bfloat16(), tokenizer)
    save("llama-untied", llama(tokenizer, tie_word_embeddings=False), tokenizer)
    save("llama-tied", llama(tokenizer, tie_word_embeddings=True), tokenizer)
    save("llama-padded", llama(tokenizer, rows=-(-len(tokenizer) // 64) * 64), tokenizer)


def make_resized() -> None:
    """Write models whose tables were resized for new tokens, by the real function."""
    for name, options in (
        ("resized-mean", {"mean_resizing": True}),
        ("resized-random", {"mean_resizing": False}),
        ("padded", {"mean_resizing": False, "pad_to_multiple_of": 64}),
    ):
        tokenizer = byte_level("</s>", bos_token="<s>", pad_token="<pad>")
        model = llama(tokenizer)
        tokenizer.add_tokens([f"<new_{number}>" for number in range(12)])
        model.resize_token_embeddings(len(tokenizer), **options)
        save(name, model.bfloat16(), tokenizer)


def make_static() -> None:
    """Write static embeddings of model2vec and of sentence-transformers."""
    draw = np.random.default_rng(15)
    tokenizer = word_piece().backend_tokenizer
    tokens = tokenizer.get_vocab_size()
    rows = draw.normal(size=(tokens, WIDTH)).astype(np.float32)
    static = StaticModel(rows, tokenizer, config={"model_type": "model2vec"})
    half = StaticModel(rows.astype(np.float16), tokenizer, config={"model_type": "model2vec"})
    for name, model in (
        ("model2vec", static),
        ("model2vec-clusters", quantize_model(static, vocabulary_quantization=20)),
        ("model2vec-clusters-f16", quantize_model(half, vocabulary_quantization=20)),
        (
            "model2vec-clusters-i8",
            quantize_model(static, vocabulary_quantization=20, quantize_to="int8"),
        ),
    ):
        model.save_pretrained(FOLDER / name)
        (FOLDER / name / "README.md").unlink(missing_ok=True)
        loaded = StaticModel.from_pretrained(FOLDER / name)
        looked_up = loaded._encode_helper(np.arange(tokens))
        expect(name, looked_up, loaded.tokenizer.get_vocab())

    sentences = SentenceTransformer(
        modules=[StaticEmbedding(tokenizer, embedding_weights=rows)], device="cpu"
    )
    sentences.save(str(FOLDER / "static"), create_model_card=False)
    expect("static", sentences[0].embedding.weight.detach().numpy(), tokenizer.get_vocab())


def make_tokens() -> None:
    """Write the files of slow tokenizers, each with what transformers makes of them."""
    folder = FOLDER / "tokens"
    folder.mkdir()
    (folder / "pieces").mkdir()
    (folder / "texts").write_text("\n".join(TEXTS), encoding="utf-8")
    options = {
        "input": str(folder / "texts"),
        "vocab_size": 130,
        "minloglevel": 2,
        "hard_vocab_limit": False,
        "normalization_rule_name": "identity",
    }
    for kind, file, more in (
        ("llama", "tokenizer.model", {"model_type": "bpe", "byte_fallback": False}),
        ("t5", "spiece.model", {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1}),
        ("xlm-roberta", "sentencepiece.bpe.model", {}),
    ):
        path = folder / kind
        path.mkdir()
        prefix = folder / "pieces" / kind
        sentencepiece.SentencePieceTrainer.train(**options, **more, model_prefix=str(prefix))
        shutil.copy(prefix.with_suffix(".model"), path / file)
        write(path / "config.json", {"model_type": kind})
        expect_ids(f"tokens/{kind}", AutoTokenizer.from_pretrained(path).get_vocab())
    shutil.rmtree(folder / "pieces")
    (folder / "texts").unlink()

    tokens = sorted(word_piece().get_vocab().items(), key=lambda item: item[1])
    lines = [token for token, _ in tokens]
    for name, text, added in (
        ("bert", "\n".join([*lines, ""]), {"[new]": len(lines), "[other]": len(lines) + 1}),
        ("bert-repeated", "\r\n".join([*lines, lines[20], "last"]), {}),
    ):
        path = folder / name
        path.mkdir()
        (path / "vocab.txt").write_bytes(text.encode())
        write(path / "config.json", {"model_type": "bert"})
        if added:
            write(path / "added_tokens.json", added)
        expect_ids(f"tokens/{name}", BertTokenizer.from_pretrained(path).get_vocab())

    path = folder / "gpt2"
    path.mkdir()
    tokenizer = byte_level("<|endoftext|>")
    tokenizer.backend_tokenizer.model.save(str(path))
    write(path / "config.json", {"model_type": "gpt2"})
    special = {"additional_special_tokens": ["<|user|>"], "eos_token": "<|endoftext|>"}
    write(path / "special_tokens_map.json", special)
    expect_ids("tokens/gpt2", AutoTokenizer.from_pretrained(path).get_vocab())


def make_layers() -> None:
    """Write folders whose other files add tokens to those of tokenizer.json."""
    added = {
        f"{id_}": {"content": f"<added {id_}>", "special": id_ == 305, "normalized": False}
        | dict.fromkeys(("single_word", "lstrip", "rstrip"), False)
        for id_ in (305, 301)
    }
    two = ["<A>", "<B>"]
    image = {"image": "<I>"}
    for name, of, file, more in (
        ("roles", "llama-tied", "tokenizer_config.json", {"pad_token": "<P>", "mask_token": "<M>"}),
        ("more", "llama-tied", "tokenizer_config.json", {"additional_special_tokens": two}),
        (
            "extra",
            "llama-tied",
            "tokenizer_config.json",
            {"extra_special_tokens": image},
        ),
        ("both", "t5-sharded", "tokenizer_config.json", {"additional_special_tokens": two}),
        ("decoder", "llama-tied", "tokenizer_config.json", {"added_tokens_decoder": added}),
        ("map", "llama-tied", "special_tokens_map.json", {"pad_token": {"content": "<P>"}}),
        ("file", "gpt2-f16", "added_tokens.json", {"<Z>": 305, "<Y>": 302}),
    ):
        path = FOLDER / "tokens" / f"json-{name}"
        path.mkdir()
        for kept in ("config.json", "tokenizer.json", "tokenizer_config.json"):
            shutil.copy(FOLDER / of / kept, path)
        before = json.loads((path / file).read_text()) if (path / file).exists() else {}
        write(path / file, before | more)
        expect_ids(f"tokens/json-{name}", AutoTokenizer.from_pretrained(path).get_vocab())


def make_fp8() -> None:
    """Write tables of FP8 that have every byte, and what PyTorch makes of each."""
    folder = FOLDER / "fp8"
    folder.mkdir()
    every = torch.arange(256, dtype=torch.uint8).reshape(64, 4)
    for name in ("e4m3fn", "e5m2", "e4m3fnuz", "e5m2fnuz"):
        rows = every.view(getattr(torch, f"float8_{name}"))
        safetensors.torch.save_file({"rows": rows}, folder / f"{name}.safetensors")
        np.save(folder / f"{name}.npy", rows.float().numpy())


def write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    torch.manual_seed(15)
    make_models()
    make_resized()
    make_static()
    make_tokens()
    make_layers()
    make_fp8()
    for path in FOLDER.rglob("*"):
        assert path.is_dir() or path.stat().st_size < 50_000, path


if __name__ == "__main__":
    main()
