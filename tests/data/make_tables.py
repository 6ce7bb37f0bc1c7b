"""Write one table of words and vectors as other programs do; run by hand, with these libraries.

    python tests/data/make_tables.py

`tables/rows.npy` and `tables/words.json` are what all the others hold.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl

FOLDER = Path(__file__).parent / "tables"
WIDTH = 6


def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    rows = np.random.default_rng(15).standard_normal((40, WIDTH)).astype(np.float32)
    rows[3] = [0, -0.0, 1e-40, 3.4028235e38, 1 / 3, 16777216]
    words = [f"w{number}" for number in range(len(rows))]
    words[:6] = ["two words", "line\nfeed", "comma,", '"quoted"', "Ünï☃", "tab\t"]
    np.save(FOLDER / "rows.npy", rows)
    (FOLDER / "words.json").write_text(json.dumps(words))
    by_duckdb(rows, words)
    by_pandas(rows, words)
    by_polars(rows, words)


def by_duckdb(rows: np.ndarray, words: list[str]) -> None:
    table = pd.DataFrame({"id": range(len(rows)), "word": words, "vector": rows.tolist()})
    duckdb.register("given", table)
    duckdb.sql("create table lists as select id, word, vector::float[] as vector from given")
    duckdb.sql(f"create table arrays as select word, vector::float[{WIDTH}] as vector from given")
    duckdb.sql("create table doubles as select word, vector::double[] as vector from given")
    columns = ", ".join(f"vector[{place + 1}]::float as dim_{place}" for place in range(WIDTH))
    duckdb.sql(f"create table numbers as select word, {columns} from given")
    for table_name in ("lists", "arrays", "doubles", "numbers"):
        place = FOLDER / f"duckdb-{table_name}"
        duckdb.sql(f"copy {table_name} to '{place}.parquet' (compression zstd, row_group_size 16)")
    for name, options in (("csv", "header"), ("ndjson", "format json"), ("json", "array true")):
        duckdb.sql(f"copy lists to '{FOLDER / 'duckdb.'}{name}' ({options})")


def by_pandas(rows: np.ndarray, words: list[str]) -> None:
    lists = pd.DataFrame({"text": words, "embedding": list(rows)})
    lists.to_parquet(FOLDER / "pandas-lists.parquet")
    lists.to_feather(FOLDER / "pandas-lists.feather")
    categories = lists.assign(text=lists["text"].astype("category"))
    categories.to_parquet(FOLDER / "pandas-categories.parquet")
    categories.to_feather(FOLDER / "pandas-categories.feather", compression="zstd")
    plain = pd.DataFrame({"text": words, "embedding": [row.tolist() for row in rows]})
    plain.to_csv(FOLDER / "pandas-lists.csv")
    for name, options in (("ndjson", {"lines": True}), ("json", {})):
        path = FOLDER / f"pandas-lists.{name}"
        plain.to_json(path, orient="records", double_precision=15, **options)
    numbers = pd.DataFrame(rows, index=words, columns=[str(place) for place in range(WIDTH)])
    numbers.to_parquet(FOLDER / "pandas-numbers.parquet")
    numbers.to_parquet(FOLDER / "fastparquet-numbers.parquet", engine="fastparquet")
    numbers.reset_index().to_feather(FOLDER / "pandas-numbers.feather")
    numbers.to_csv(FOLDER / "pandas-numbers.csv")


def by_polars(rows: np.ndarray, words: list[str]) -> None:
    for name, kind in (("lists", pl.List(pl.Float32)), ("arrays", pl.Array(pl.Float32, WIDTH))):
        table = pl.DataFrame(
            {"number": range(len(rows)), "token": words, "vector": rows.tolist()},
            schema_overrides={"vector": kind},
        )
        table.write_parquet(FOLDER / f"polars-{name}.parquet", row_group_size=16)
        table.write_ipc(FOLDER / f"polars-{name}.arrow", compression="lz4")
        table.write_ipc_stream(FOLDER / f"polars-{name}.arrows")
    table.write_ndjson(FOLDER / "polars.ndjson")


if __name__ == "__main__":
    main()
