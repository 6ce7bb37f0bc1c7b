"""Write a small database of sqlite-vec; run by hand, with `apsw` and `sqlite-vec`.

    python tests/data/make_sqlite_vec.py

`sqlite-vec/vectors.db` has two tables of vec0; `sqlite-vec/vectors.json` what its own SELECT
returns of them: for each table the rows in order, with each vector as a list.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import apsw
import sqlite_vec

FOLDER = Path(__file__).parent / "sqlite-vec"
FULL = (
    "create virtual table full using vec0(embedding float[6] distance_metric=cosine, "
    "word text, user integer partition key, quantized int8[8], bits bit[16], rank integer, "
    "+note text, +weight float, genre text, chunk_size=8)"
)
KEYED = (
    "create virtual table keyed using vec0(name text primary key, vector float[3], chunk_size=16)"
)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / "vectors.db"
    path.unlink(missing_ok=True)
    connection = apsw.Connection(str(path))
    connection.enable_load_extension(True)
    connection.load_extension(sqlite_vec.loadable_path())
    connection.execute("pragma page_size=1024")
    draw = random.Random(15)

    def floats(count: int) -> str:
        return json.dumps([round(draw.gauss(0, 1), 4) for _ in range(count)])

    connection.execute(FULL)
    rowids = draw.sample(range(1000), 40)
    for rowid in rowids:
        connection.execute(
            "insert into full(rowid, embedding, word, user, quantized, bits, rank, note, weight, "
            "genre) values (?, ?, ?, ?, vec_int8(?), vec_bit(?), ?, ?, ?, ?)",
            (
                rowid,
                floats(6),
                "wörd" * draw.randrange(6) + str(rowid),
                draw.randrange(3),
                json.dumps([draw.randrange(-128, 128) for _ in range(8)]),
                draw.randbytes(2),
                draw.randrange(99),
                f"note {rowid}",
                draw.random(),
                draw.choice(["fiction", "a very long name of a genre"]),
            ),
        )
    for rowid in rowids[5:15]:
        connection.execute("delete from full where rowid = ?", (rowid,))
    connection.execute("update full set word = 'changed' where rowid = ?", (rowids[0],))
    connection.execute(KEYED)
    for number in range(12):
        connection.execute(
            "insert into keyed(name, vector) values (?, ?)", (f"k{number}", floats(3))
        )
    connection.execute("delete from keyed where name = 'k3'")
    connection.execute("create table items(id integer primary key, title text)")
    connection.executemany("insert into items values (?, ?)", [(n, f"title {n}") for n in rowids])
    connection.execute("create table other(id integer primary key, title text, body text)")
    answers = {
        "full": connection.execute(
            "select rowid, vec_to_json(embedding), vec_to_json(quantized), vec_to_json(bits), "
            "word, note, genre from full order by rowid"
        ).fetchall(),
        "keyed": connection.execute("select name, vec_to_json(vector) from keyed").fetchall(),
    }
    connection.execute("vacuum")
    connection.close()
    (FOLDER / "vectors.json").write_text(json.dumps(answers, ensure_ascii=False, indent=0) + "\n")


if __name__ == "__main__":
    main()
