"""Small labelled data that the tests make: reviews whose label can be learned."""

from __future__ import annotations

import csv
import json
import shutil
import zipfile

import numpy as np
import pytest

SIZES = {"output_dim": 8, "units": 6, "batch_size": 16, "epochs": 3}
SMALL = [
    part for name, size in SIZES.items() for part in (f"--{name.replace('_', '-')}", str(size))
]
GOOD, BAD = ["wonderful", "moving", "brilliant", "funny"], ["dull", "awful", "boring", "clumsy"]
FILLING = ["the", "film", "story", "actor", "music", "of", "and", "a", "was", "with", "plot", "end"]


def reviews(count: int, seed: int = 0) -> list[tuple[str, int]]:
    """Return (text, label) pairs: a few words of opinion among words that say nothing."""
    random = np.random.RandomState(seed)
    found = []
    for number in range(count):
        label = number % 2
        words = list(random.choice(FILLING, random.randint(3, 12)))
        words += list(random.choice(GOOD if label else BAD, 2))
        random.shuffle(words)
        found.append((" ".join(words), label))
    return found


def write_table(path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows((text, ["negative", "positive"][label]) for text, label in reviews(200))


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "reviews.csv"
    write_table(path)
    return path


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory):
    """A folder with a small run `a` that is trained once for all tests, and its `reviews.csv`."""
    from embedinspect.training import session

    folder = tmp_path_factory.mktemp("trained")
    write_table(folder / "reviews.csv")
    begun = session.begin(str(folder / "reviews.csv"), SIZES, out=str(folder / "a"))
    session.train(session.build(begun), lambda _: None)
    return folder


@pytest.fixture
def trained(trained_once, tmp_path, monkeypatch):
    """A copy of that run, `a`, in the test's own folder."""
    shutil.copytree(trained_once, tmp_path, dirs_exist_ok=True)
    state = json.loads((tmp_path / "a" / "run.json").read_text())
    state["data"]["source"]["path"] = str(tmp_path / "reviews.csv")
    (tmp_path / "a" / "run.json").write_text(json.dumps(state))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "reviews.csv"


def write_imdb(path, train=120, test=40) -> dict[str, int]:
    """Write an `imdb.npz` as Keras has it, with its word index beside it."""
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


@pytest.fixture
def imdb_file(tmp_path):
    path = tmp_path / "imdb.npz"
    write_imdb(path)
    return path


@pytest.fixture
def folder(tmp_path):
    """A folder in the aclImdb layout."""
    for part, count in (("train", 60), ("test", 20)):
        for number, (text, label) in enumerate(reviews(count)):
            place = tmp_path / "acl" / part / ("neg", "pos")[label]
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{number}.txt").write_text(text)
    return tmp_path / "acl"


def rezip(path, **changed: bytes) -> None:
    """Replace members of an npz file by bytes."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members |= {f"{name}.npy": data for name, data in changed.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
