"""Small labelled data that the tests make: reviews whose label can be learned."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import numpy as np

SIZES = {"output_dim": 8, "units": 6, "batch_size": 16, "epochs": 3}
SMALL = [
    part for name, size in SIZES.items() for part in (f"--{name.replace('_', '-')}", str(size))
]
GOOD, BAD = ["wonderful", "moving", "brilliant", "funny"], ["dull", "awful", "boring", "clumsy"]
FILLING = ["the", "film", "story", "actor", "music", "of", "and", "a", "was", "with", "plot", "end"]


def reviews(count: int, seed: int = 0) -> list[tuple[str, int]]:
    """Return (text, label) pairs: a few words of opinion among words that say nothing."""
    random = np.random.RandomState(seed)
    pairs = []
    for number in range(count):
        label = number % 2
        words = list(random.choice(FILLING, random.randint(3, 12)))
        words += list(random.choice(GOOD if label else BAD, 2))
        random.shuffle(words)
        pairs.append((" ".join(words), label))
    return pairs


def write_table(path: Path) -> None:
    """Write 200 reviews as CSV."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows((text, ["negative", "positive"][label]) for text, label in reviews(200))


def write_imdb(path: Path, train: int = 120, test: int = 40) -> dict[str, int]:
    """Write an `imdb.npz` as Keras has it, with its word index beside it; return that index."""
    words = {word: rank for rank, word in enumerate([*FILLING, *GOOD, *BAD], 1)}
    arrays = {}
    for part, count in (("train", train), ("test", test)):
        pairs = sorted(reviews(count, seed=count), key=lambda pair: -pair[1])
        ids = np.empty(count, object)
        ids[:] = [[words[word] for word in text.split()] for text, _ in pairs]
        arrays[f"x_{part}"] = ids
        arrays[f"y_{part}"] = np.array([label for _, label in pairs])
    np.savez(path, **arrays)
    path.with_name("imdb_word_index.json").write_text(json.dumps(words))
    return words


def write_folder(path: Path) -> None:
    """Write 80 reviews in the layout of aclImdb."""
    for part, count in (("train", 60), ("test", 20)):
        for number, (text, label) in enumerate(reviews(count)):
            place = path / part / ("neg", "pos")[label]
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{number}.txt").write_text(text)


def rezip(path: Path, **changed: bytes) -> None:
    """Replace members of an npz file by bytes."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members |= {f"{name}.npy": data for name, data in changed.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
