"""Which matrix of a model is its input embedding."""

from __future__ import annotations

import numpy as np
import pytest

from embedinspect.formats.tensor_roles import role_of, with_roles
from embedinspect.formats.tensors import Tensor, pick


def matrices(*names: str, rows: int = 4) -> list[Tensor]:
    return [Tensor(name, (rows, 2), "F32", lambda: np.ones((rows, 2), "f4")) for name in names]


# As the checkpoints of these models have them.
INPUTS = {
    "bert": "bert.embeddings.word_embeddings.weight",
    "gpt2": "transformer.wte.weight",
    "gpt-neox": "gpt_neox.embed_in.weight",
    "llama": "model.embed_tokens.weight",
    "llama of meta": "tok_embeddings.weight",
    "t5": "shared.weight",
    "bart": "model.shared.weight",
    "opt": "model.decoder.embed_tokens.weight",
    "clip": "text_model.embeddings.token_embedding.weight",
    "xlnet": "transformer.word_embedding.weight",
    "modernbert": "model.embeddings.tok_embeddings.weight",
    "mamba": "backbone.embeddings.weight",
    "model2vec": "embeddings",
    "static": "embedding.weight",
}
OTHERS = {
    "lm_head.weight": "output head",
    "embed_out.weight": "output head",
    "output.weight": "output head",
    "cls.predictions.decoder.weight": "output head",
    "lm_head.decoder.weight": "output head",
    "transformer.wpe.weight": "position embedding",
    "bert.embeddings.position_embeddings.weight": "position embedding",
    "model.decoder.embed_positions.weight": "position embedding",
    "bert.embeddings.token_type_embeddings.weight": "token type embedding",
    "bert.encoder.layer.0.attention.output.dense.weight": None,
    "model.layers.0.mlp.up_proj.weight": None,
    "decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight": None,
    "vision_model.embeddings.patch_embedding.weight": None,
    "lm_head.dense.weight": None,
    "shared.weight_scale": None,
}


@pytest.mark.parametrize("name", INPUTS.values())
def test_the_input_embedding_of_known_models_is_picked_among_their_matrices(name):
    tensors = with_roles(matrices(*OTHERS, name))
    assert pick(tensors, None, "file").name == name


@pytest.mark.parametrize("name", OTHERS)
def test_other_matrices_are_not_taken_for_the_input_embedding(name):
    assert role_of(name) == OTHERS[name]


def test_copies_of_a_shared_embedding_are_not_candidates():
    names = ["encoder.embed_tokens.weight", "shared.weight", "decoder.embed_tokens.weight"]
    assert pick(with_roles(matrices(*names)), None, "file").name == "shared.weight"
