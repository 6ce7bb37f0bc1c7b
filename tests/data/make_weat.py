"""Record what WEFE makes of association tests on drawn vectors; run by hand, with `wefe`.

    python tests/data/make_weat.py

`weat.json` has for each case the words of the four sets, the vectors of the words, and WEFE's
effect size. Its p values are not recorded: WEFE draws words with replacement, which is no
permutation.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from gensim.models import KeyedVectors
from wefe.metrics import WEAT
from wefe.query import Query
from wefe.word_embedding_model import WordEmbeddingModel

CASES = {"even": (4, 4, 3, 3), "uneven": (5, 3, 2, 4), "wide": (6, 6, 5, 5)}


def main() -> None:
    draw = np.random.default_rng(17)
    cases = {}
    for name, sizes in CASES.items():
        sets = [
            [f"{letter}{n}" for n in range(size)]
            for letter, size in zip("xyab", sizes, strict=True)
        ]
        words = [word for one in sets for word in one]
        rows = np.round(draw.standard_normal((len(words), 6)), 3).astype(np.float32)
        rows[: sizes[0]] += 0.5 * rows[-1]
        rows = np.round(rows, 3)
        vectors = KeyedVectors(6)
        vectors.add_vectors(words, rows)
        query = Query(sets[:2], sets[2:], ["X", "Y"], ["A", "B"])
        result = WEAT().run_query(query, WordEmbeddingModel(vectors, "drawn"))
        cases[name] = {
            **dict(zip("XYAB", sets, strict=True)),
            "vectors": {
                word: [float(str(number)) for number in row]
                for word, row in zip(words, rows, strict=True)
            },
            "effect_size": float(result["effect_size"]),
        }
    (Path(__file__).parent / "weat.json").write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()
