"""Model folders as on the Hugging Face hub: the matrix of the input embedding, and its tokens.

A folder is the model's own, one of sentence-transformers or model2vec, or one of the hub's cache;
or the index of sharded weights is named. Nothing is run: all is JSON, texts and mapped numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embedinspect.formats import tokenizer_json
from embedinspect.formats.beginning import Start
from embedinspect.formats.contents import Contents, ReadOptions
from embedinspect.formats.json_object import object_if_there, value_of
from embedinspect.formats.model_files import ModelFiles, is_model, model_files
from embedinspect.formats.model_tensors import tensors_of
from embedinspect.formats.model_tokens import ModelTokens
from embedinspect.formats.model_words import TO_CONVERT, FolderTokens, read_tokens
from embedinspect.formats.tensors import Tensor, pick
from embedinspect.formats.token_words import TokenWords

if TYPE_CHECKING:
    from embedinspect.tokenizing.subwords import SubwordVocabulary

_KIND = re.compile(r"[\w.-]{1,40}", re.ASCII)
# Where the configuration of a model of several parts has that of its language model.
_PARTS = ("text_config", "llm_config", "language_config")
_IDS = ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id")
_NO_TOKENS = f"has no tokenizer that is read here; {TO_CONVERT}"
_NO_RULES = "has its tokens in {name}, which does not say how texts are cut; " + TO_CONVERT
_OF_TOKENS = {"input embedding", "output head"}


def recognises(start: Start) -> bool:
    """Return whether a folder is that of a model, or a file the index of its weights."""
    return is_model(start)


def read(path: Path, options: ReadOptions) -> Contents:
    """Return a matrix of a model, by default its input embedding, with the token of each row.

    Raises:
        UsageError: several files or matrices could be meant, or none has the wanted name.
        DataError: a file is missing or damaged, or of a kind that is not read.
    """
    files = model_files(path)
    config = object_if_there(files.folder, "config.json", "the configuration of a model")
    kind = config.get("model_type")
    kind = kind if isinstance(kind, str) and _KIND.fullmatch(kind) else None
    tensors, warnings = tensors_of(files, options.tensor)
    tensor = pick(tensors, options.tensor, repr(str(path)))
    rows = tensor.read()
    tokens = read_tokens(files.folder, kind)
    fits = _looked_up_by_tokens(tensor, tokens, config)
    words = None
    if fits and tokens.tokens is not None:
        words = TokenWords(tokens.tokens.ids, len(rows))
    return Contents(
        f"Hugging Face model{'' if kind is None else f' ({kind})'}",
        rows,
        words,
        tensor.dtype,
        tensor=tensor.name,
        tensors=tensors,
        words_from=None if words is None else tokens.words_from,
        warnings=(*warnings, *tokens.warnings) if fits else warnings,
        tokens=_model_tokens(files, config, tensors, tokens) if fits else None,
    )


def _looked_up_by_tokens(tensor: Tensor, tokens: FolderTokens, config: dict[str, Any]) -> bool:
    """Return whether the rows of a matrix are those of the tokens."""
    if tensor.role is not None:
        return tensor.role in _OF_TOKENS
    counts = {_of_config(config, "vocab_size", int)}
    if tokens.tokens is not None:
        counts.add(max(tokens.tokens.ids.values(), default=-1) + 1)
    return tensor.shape[0] in counts


def _of_config(config: dict[str, Any], key: str, kind: type[Any]) -> Any:
    """Return a value of a configuration, or of that of its language model; None for another."""
    for part in (config, *(value_of(config, name, dict) for name in _PARTS)):
        if type(part.get(key)) is kind:
            return part[key]
    return None


def _model_tokens(
    files: ModelFiles, config: dict[str, Any], tensors: tuple[Tensor, ...], found: FolderTokens
) -> ModelTokens:
    """Return what the files say about the tokens."""
    heads = [tensor for tensor in tensors if tensor.role == "output head"]
    about: dict[str, Any] = {
        "vocab_size": _of_config(config, "vocab_size", int),
        "tied": _of_config(config, "tie_word_embeddings", bool),
        "head": heads[0] if len(heads) == 1 else None,
    }
    ids = {key: _of_config(config, key, int) for key in _IDS}
    of_config = {key: id_ for key, id_ in ids.items() if id_ is not None and id_ >= 0}
    tokens = found.tokens
    if tokens is None:
        return ModelTokens(special=of_config, no_ids=_NO_TOKENS, **about)
    known = set(tokens.special.values())
    traced = found.words_from == tokenizer_json.NAME
    return ModelTokens(
        ids=tokens.ids,
        special=tokens.special | {key: id_ for key, id_ in of_config.items() if id_ not in known},
        added=tokens.added,
        space=tokens.space,
        continues=tokens.continues,
        vocabulary=_vocabulary_of(files.folder) if traced else None,
        no_ids=None if traced else _NO_RULES.format(name=found.words_from),
        **about,
    )


def _vocabulary_of(folder: Path) -> Callable[[], SubwordVocabulary]:
    """Return what reads the rules by which texts become ids; nothing is imported before."""

    def vocabulary() -> SubwordVocabulary:
        from embedinspect.tokenizing.subwords import read_subwords

        return read_subwords(folder)

    return vocabulary
