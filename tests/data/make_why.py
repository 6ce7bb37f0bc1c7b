"""Writes what captum attributes to the tokens of a few texts, on a small LSTM of PyTorch.

Run by hand, in an environment with torch and captum: python tests/data/make_why.py

The weights are those of a Keras classifier (Embedding, LSTM, Dense), which has its gates in the
same order. The logit is that of the output; baselines are the padding row, and zeros.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from captum.attr import IntegratedGradients, LayerIntegratedGradients

ROWS, WIDTH, UNITS, LENGTH = 12, 5, 6, 9
STEPS = 50
TEXTS = [[3, 4, 5], [2, 9, 9, 11, 7, 1, 6], [8], [10, 3, 2, 4, 5, 6, 7, 8, 9]]


def weights() -> dict[str, np.ndarray]:
    """Return weights by their names in a checkpoint, large enough that the logit bends."""
    chance = np.random.default_rng(16)
    shapes = {
        "embedding/embeddings": (ROWS, WIDTH),
        "lstm/kernel": (WIDTH, 4 * UNITS),
        "lstm/recurrent_kernel": (UNITS, 4 * UNITS),
        "lstm/bias": (4 * UNITS,),
        "dense/kernel": (UNITS, 1),
        "dense/bias": (1,),
    }
    return {
        name: np.round(chance.standard_normal(shape), 3).astype(np.float32)
        for name, shape in shapes.items()
    }


class Classifier(torch.nn.Module):
    """The classifier up to its logit."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(ROWS, WIDTH)
        self.lstm = torch.nn.LSTM(WIDTH, UNITS, batch_first=True)
        self.dense = torch.nn.Linear(UNITS, 1)
        state = {
            "embedding.weight": arrays["embedding/embeddings"],
            "lstm.weight_ih_l0": arrays["lstm/kernel"].T,
            "lstm.weight_hh_l0": arrays["lstm/recurrent_kernel"].T,
            "lstm.bias_ih_l0": arrays["lstm/bias"],
            "lstm.bias_hh_l0": np.zeros_like(arrays["lstm/bias"]),
            "dense.weight": arrays["dense/kernel"].T,
            "dense.bias": arrays["dense/bias"],
        }
        self.load_state_dict({name: torch.from_numpy(part.copy()) for name, part in state.items()})

    def of_vectors(self, vectors: torch.Tensor) -> torch.Tensor:
        _, (state, _) = self.lstm(vectors)
        return self.dense(state[-1])[:, 0]

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.of_vectors(self.embedding(ids))


def main() -> None:
    arrays = weights()
    model = Classifier(arrays).double().eval()
    by_layer = LayerIntegratedGradients(model, model.embedding)
    by_vectors = IntegratedGradients(model.of_vectors)
    texts: list[dict[str, Any]] = []
    for ids in TEXTS:
        sequence = torch.tensor([[0] * (LENGTH - len(ids)) + ids])
        settings = {"n_steps": STEPS, "method": "gausslegendre"}
        padding = by_layer.attribute(sequence, torch.zeros_like(sequence), **settings)
        vectors = model.embedding(sequence).detach()
        zeros = by_vectors.attribute(vectors, torch.zeros_like(vectors), **settings)
        texts.append(
            {
                "ids": ids,
                "logit": float(model(sequence).detach()),
                "padding": padding.sum(-1)[0].tolist(),
                "zeros": zeros.sum(-1)[0].tolist(),
            }
        )
    contents = {
        "weights": {name: array.tolist() for name, array in arrays.items()},
        "length": LENGTH,
        "steps": STEPS,
        "texts": texts,
    }
    path = Path(__file__).parent / "why.json"
    path.write_text(json.dumps(contents, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
