"""A bare NumPy lookup printed with Typer and rich: the rival of `show --no-keras`."""

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer()


@app.command()
def main(texts: list[str], num_words: int = 10, maxlen: int = 6) -> None:
    counts: dict[str, int] = {}
    for text in texts:
        for word in text.lower().split():
            counts[word] = counts.get(word, 0) + 1
    index = {word: i for i, word in enumerate(sorted(counts, key=lambda w: -counts[w]), 1)}
    ids = np.zeros((len(texts), maxlen), int)
    for row, text in zip(ids, texts, strict=True):
        found = [index[word] for word in text.lower().split() if index[word] < num_words]
        row[maxlen - len(found) :] = found
    weights = np.random.RandomState(0).uniform(-0.05, 0.05, (num_words, 3)).astype("float32")
    output = weights[ids]
    table = Table("text", "position", "id", "vector")
    for text, sequence in enumerate(ids):
        for position, id_ in enumerate(sequence):
            table.add_row(str(text), str(position), str(id_), str(output[text, position]))
    console = Console()
    console.print(table)
    rows = Table("id", "row")
    for id_, row in enumerate(weights):
        rows.add_row(str(id_), str(row))
    console.print(rows)


app()
