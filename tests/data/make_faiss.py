"""Write small indexes of FAISS; run by hand, with `faiss-cpu`.

    python tests/data/make_faiss.py

`faiss/NAME.index` is the index, `faiss/NAME.npz` the rows and ids that went into it.
"""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np

FOLDER = Path(__file__).parent / "faiss"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    draw = np.random.default_rng(15)
    for name, index in (
        ("flat-l2", faiss.IndexFlatL2(7)),
        ("flat-ip", faiss.IndexFlatIP(5)),
        ("flat-l1", faiss.IndexFlat(6, faiss.METRIC_L1)),
        ("flat-lp", faiss.IndexFlat(6, faiss.METRIC_Lp)),
        ("id-map", faiss.IndexIDMap(faiss.IndexFlatL2(8))),
        ("id-map-2", faiss.IndexIDMap2(faiss.IndexFlatIP(3))),
        ("id-map-hnsw", faiss.IndexIDMap(faiss.IndexHNSWFlat(4, 4))),
        ("hnsw", faiss.IndexHNSWFlat(4, 4)),
        ("ivf", faiss.index_factory(4, "IVF2,Flat")),
        ("pq", faiss.index_factory(4, "PQ2x4")),
        ("sq", faiss.index_factory(4, "SQ8")),
        ("lsh", faiss.IndexLSH(4, 8)),
        ("pca", faiss.index_factory(4, "PCA2,Flat")),
        ("empty", faiss.IndexFlatL2(4)),
        ("repeated-ids", faiss.IndexIDMap(faiss.IndexFlatL2(2))),
    ):
        write(name, index, draw)
    binary = faiss.IndexBinaryFlat(16)
    binary.add(draw.integers(0, 256, (9, 2)).astype(np.uint8))
    faiss.write_index_binary(binary, str(FOLDER / "binary.index"))


def write(name: str, index: faiss.Index, draw: np.random.Generator) -> None:
    rows = draw.standard_normal((0 if name == "empty" else 40, index.d)).astype(np.float32)
    if not index.is_trained:
        index.train(rows)
    if name.startswith("id-map") or name == "repeated-ids":
        ids = draw.choice(2**62, 40, replace=False)
        ids[:12] = draw.permutation(12)  # some that could be taken for the numbers of rows
        if name == "repeated-ids":
            ids[20:] = ids[:20]
        index.add_with_ids(rows, ids)
        np.savez_compressed(FOLDER / f"{name}.npz", rows=rows, ids=ids)
    else:
        index.add(rows)
        np.savez_compressed(FOLDER / f"{name}.npz", rows=rows)
    faiss.write_index(index, str(FOLDER / f"{name}.index"))


if __name__ == "__main__":
    main()
