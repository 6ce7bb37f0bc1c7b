"""Inspect embeddings: what an Embedding layer does, shown on the reader's own texts."""

__version__ = "0.1.0"
