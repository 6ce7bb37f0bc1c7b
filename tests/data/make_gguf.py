"""Write a small language model's file as llama.cpp has them, for the guide.

Run by hand, with `gguf`:

    python tests/data/make_gguf.py
"""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, TokenType

TOKENS = ["<unk>", "<s>", "</s>", "▁king", "▁queen", "▁man", "▁woman", "s", "ing", "[PAD9]"]


def main() -> None:
    """Write `gguf/tiny.gguf`: ten tokens, two of them nearly alike, quantized in blocks."""
    folder = Path(__file__).parent / "gguf"
    folder.mkdir(exist_ok=True)
    rows = np.random.RandomState(0).normal(0, 0.02, (len(TOKENS), 64)).astype(np.float32)
    rows[4] = rows[3] + np.random.RandomState(1).normal(0, 0.01, 64)
    writer = GGUFWriter(folder / "tiny.gguf", "llama")
    writer.add_vocab_size(len(TOKENS))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(TOKENS)
    types = [TokenType.UNKNOWN, *[TokenType.CONTROL] * 2, *[TokenType.NORMAL] * 6, TokenType.UNUSED]
    writer.add_token_types(types)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    kind = GGMLQuantizationType.Q8_0
    writer.add_tensor("token_embd.weight", gguf.quants.quantize(rows, kind), raw_dtype=kind)
    head = np.random.RandomState(2).normal(0, 0.02, rows.shape).astype(np.float32)
    writer.add_tensor("output.weight", gguf.quants.quantize(head, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
