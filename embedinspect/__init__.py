"""Inspect embeddings: what an Embedding layer does, shown on the reader's own texts.

In Python and in notebooks, the names of `embedinspect.notebook` are here, too:

    import embedinspect as ei
    ei.open("sample:vectors").neighbors("king - man + woman")
"""

__version__ = "0.1.0"

_NAMES = (
    "DataError",
    "EmbedInspectError",
    "EmbedInspectWarning",
    "KerasUnavailable",
    "Matrix",
    "Result",
    "UsageError",
    "doctor",
    "evaluate",
    "explain",
    "open",
    "show",
    "train",
)
__all__ = ["__version__", *_NAMES]  # noqa: PLE0604 (the names are strings)


def __getattr__(name: str) -> object:
    """Return a name of the room for notebooks, which is imported when it is first used."""
    if name not in _NAMES:
        raise AttributeError(f"module 'embedinspect' has no attribute {name!r}")
    # By its name, since the house is built the other way: a room imports from its left.
    from importlib import import_module

    value: object = getattr(import_module("embedinspect.notebook"), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
