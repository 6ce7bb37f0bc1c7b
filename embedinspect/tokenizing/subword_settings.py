"""What the files beside a tokenizer say of how its model takes texts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedinspect.tokenizing.tokenizer_file import ModelTokenizer, Side
from embedinspect.wording import clipped_repr

_LARGEST_CONFIG = 2**22
# Of tokens that no tokenizer has for anything else.
_NAMES_OF_PADDING = ("[PAD]", "<pad>", "<|pad|>")


@dataclass(frozen=True)
class Padding:
    """By what the shorter of several texts are filled up.

    Attributes:
        id: of the token that fills them.
        side: of the text on which it stands.
        length: to how many positions at least; None for those of the longest text.
        multiple: of what number the length is a multiple.
        reason: why it is this id, where the model itself does not say; the end of a sentence that
            begins with the path of the tokenizer.
    """

    id: int
    side: Side = "post"
    length: int | None = None
    multiple: int = 1
    reason: str | None = None


def is_model2vec(folder: Path) -> bool:
    """Return whether the config in a folder is one of model2vec."""
    return bool(_config(folder / "config.json").get("model_type") == "model2vec")


def is_static(folder: Path) -> bool:
    """Return whether a model is a table alone, which takes texts without special tokens.

    Rules: `StaticModel.tokenize` of model2vec, `StaticEmbedding.tokenize` of sentence-transformers.
    """
    if is_model2vec(folder):
        return True
    folder = folder.resolve()
    for place in (folder, folder.parent):
        modules = _config(place / "modules.json", list)
        for module in modules:
            inside = isinstance(module, dict) and isinstance(module.get("path"), str)
            if inside and place / module["path"] == folder:
                return str(module.get("type")).endswith("StaticEmbedding")
    return False


def padding_of(tokenizer: ModelTokenizer, folder: Path) -> Padding:
    """Return by what texts are filled up: as the tokenizer's own file says, or else its config."""
    stored = tokenizer.padding
    if stored is not None:
        return Padding(stored.id, stored.side, stored.length, stored.multiple or 1)
    config = _config(folder / "tokenizer_config.json")
    side: Side = "pre" if config.get("padding_side") == "left" else "post"
    for token in (_name_of(config.get("pad_token")), *_NAMES_OF_PADDING):
        if token in tokenizer.ids:
            return Padding(tokenizer.ids[token], side)
    end = tokenizer.ids.get(_name_of(config.get("eos_token")))
    if end is not None:
        return Padding(end, side, reason=_no_padding(end, tokenizer, "its end of a text"))
    return Padding(0, side, reason=_no_padding(0, tokenizer, "the first row"))


def _name_of(token: object) -> str:
    """Return the name of a token in a config, where it stands alone or in an object."""
    name = token.get("content") if isinstance(token, dict) else token
    return name if isinstance(name, str) else ""


def _no_padding(id_: int, tokenizer: ModelTokenizer, role: str) -> str:
    name = clipped_repr(tokenizer.names.get(id_, ""))
    return f"has no padding token; shorter texts are filled up with id {id_} here ({name}, {role})"


def _config(path: Path, kind: type = dict) -> Any:
    """Return what a small JSON file beside the tokenizer holds; nothing where it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_CONFIG + 1)
        value = json.loads(data) if len(data) <= _LARGEST_CONFIG else kind()
    except (OSError, ValueError, RecursionError):
        return kind()
    return value if isinstance(value, kind) else kind()
