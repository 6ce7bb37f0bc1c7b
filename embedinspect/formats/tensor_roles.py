"""What a matrix of a language model is for, which its name tells.

The names are those of the modules in the transformers library (and in fairseq, model2vec and
sentence-transformers), as the files of the models on the Hugging Face hub have them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from embedinspect.formats.tensors import Role, Tensor

_SHARED = "shared"
# By the last part of a name that is not `weight`.
_BY_LAST_PART: dict[str, Role] = {
    **dict.fromkeys(
        (
            "embed_tokens", "word_embeddings", "word_embedding", "wte", _SHARED, "tok_embeddings",
            "token_embedding", "token_embeddings", "tokens_embed", "embed_in", "embedding",
            "embeddings", "emb",
        ),
        "input embedding",
    ),
    **dict.fromkeys(("lm_head", "embed_out", "output_layer", "proj_out"), "output head"),
    **dict.fromkeys(
        (
            "wpe", "position_embeddings", "position_embedding", "embed_positions",
            "positions_embed",
        ),
        "position embedding",
    ),
    **dict.fromkeys(("token_type_embeddings", "wtt"), "token type embedding"),
}  # fmt: skip
# By the end of the whole name: these last parts mean other things elsewhere.
_HEADS = ("predictions.decoder", "lm_head.decoder")
_WHOLE_HEADS = {"output", "decoder", "head"}


def role_of(name: str) -> Role | None:
    """Return what the matrix of a name is for; None where the name does not tell.

    >>> role_of("bert.embeddings.word_embeddings.weight"), role_of("lm_head.weight")
    ('input embedding', 'output head')
    >>> role_of("encoder.layer.0.attention.output.dense.weight") is None
    True
    """
    stem = name.removesuffix(".weight")
    if stem in _WHOLE_HEADS or stem.endswith(_HEADS):
        return "output head"
    return _BY_LAST_PART.get(stem.rpartition(".")[2])


def with_roles(tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Return the matrices with their roles.

    Where encoder and decoder share one embedding, as in T5 and BART, that one is the input
    embedding, and their own copies of it have no role.
    """
    named = [replace(tensor, role=tensor.role or role_of(tensor.name)) for tensor in tensors]
    shared = [tensor for tensor in named if _is_shared(tensor)]
    if len(shared) != 1:
        return tuple(named)
    return tuple(
        replace(tensor, role=None)
        if tensor.role == "input embedding"
        and not _is_shared(tensor)
        and tensor.shape == shared[0].shape
        else tensor
        for tensor in named
    )


def _is_shared(tensor: Tensor) -> bool:
    return tensor.name.removesuffix(".weight").rpartition(".")[2] == _SHARED
