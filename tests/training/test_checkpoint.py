"""Checkpoints: what NumPy would write, read back whole and in blocks, and refused where damaged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedinspect.errors import DataError
from embedinspect.formats import arrays
from embedinspect.training import checkpoint


class Made:
    """A table whose rows come three at a time."""

    def __init__(self, rows: np.ndarray) -> None:
        self.rows, self.shape, self.dtype, self.nbytes = rows, rows.shape, rows.dtype, rows.nbytes

    def blocks(self) -> Iterator[np.ndarray]:
        for first in range(0, len(self.rows), 3):
            yield self.rows[first : first + 3]


def state_of(rows: int, width: int) -> dict[str, np.ndarray]:
    stream = np.random.default_rng(rows)
    return {
        "embedding/embeddings": stream.standard_normal((rows, width), np.float32),
        "lstm/bias": stream.standard_normal(width, np.float32),
        "optimizer/0": np.array(7, np.int64),
    }


def shapes_of(state: dict[str, np.ndarray]) -> dict[str, tuple[int, ...]]:
    return {name: array.shape for name, array in state.items()}


@given(st.integers(1, 20), st.integers(1, 6), st.integers(1, 40))
def test_what_is_written_in_blocks_is_what_numpy_writes_and_reads(tmp_path_factory, rows, width, n):
    folder, state = tmp_path_factory.mktemp("checkpoint"), state_of(rows, width)
    table = Made(state["embedding/embeddings"])
    checkpoint.write(folder / "a.npz", {**state, "embedding/embeddings": table})
    np.savez(folder / "b.npz", **state)
    assert (folder / "a.npz").read_bytes() == (folder / "b.npz").read_bytes()
    read = checkpoint.read(folder / "a.npz", shapes_of(state))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "BLOCK_VALUES", n)
        blocks = list(checkpoint.read_blocks(folder / "a.npz", shapes_of(state)))
    for name, array in state.items():
        assert read[name].tobytes() == array.tobytes()
        parts = [(first, block) for other, first, block in blocks if other == name]
        assert b"".join(block.tobytes() for _, block in parts) == array.tobytes()
        lengths = [len(block) if block.ndim else 1 for _, block in parts]
        assert [first for first, _ in parts] == np.cumsum([0, *lengths[:-1]]).tolist()
    assert max(block.size for name, _, block in blocks if "embedding" in name) <= max(n, width)


def test_an_array_of_a_checkpoint_is_copied_as_numpy_saves_it(tmp_path):
    state = state_of(9, 4)
    checkpoint.write(tmp_path / "a.npz", state)
    checkpoint.copy_array(tmp_path / "a.npz", "embedding/embeddings", tmp_path / "a.npy")
    np.save(tmp_path / "b.npy", state["embedding/embeddings"])
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()


def test_arrays_in_the_order_of_fortran_and_compressed_ones_are_read_in_blocks_too(tmp_path):
    state = state_of(9, 4)
    turned = {**state, "embedding/embeddings": np.asfortranarray(state["embedding/embeddings"])}
    np.savez_compressed(tmp_path / "a.npz", **turned)
    blocks = {
        name: block
        for name, _, block in checkpoint.read_blocks(tmp_path / "a.npz", shapes_of(state))
    }
    for name, array in state.items():
        assert (blocks[name] == array).all()


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda path: path.unlink(), "No such file|no such file"),
        (lambda path: path.write_bytes(path.read_bytes()[:200]), "damaged zip"),
        (lambda path: path.write_bytes(bytes(10**6)), "expected at most"),
    ],
)
def test_a_damaged_checkpoint_is_refused_alike_whole_and_in_blocks(tmp_path, damage, says):
    path, state = tmp_path / "a.npz", state_of(9, 4)
    checkpoint.write(path, state)
    damage(path)
    with pytest.raises(DataError, match=says):
        checkpoint.read(path, shapes_of(state))
    with pytest.raises(DataError, match=says):
        list(checkpoint.read_blocks(path, shapes_of(state)))


def test_a_number_that_is_none_is_refused_in_any_block(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "BLOCK_VALUES", 8)
    state = state_of(9, 4)
    state["embedding/embeddings"][8, 3] = np.nan
    checkpoint.write(tmp_path / "a.npz", state)
    with pytest.raises(DataError, match=r"'embedding/embeddings' in .* holds NaN or infinity"):
        list(checkpoint.read_blocks(tmp_path / "a.npz", shapes_of(state)))


def test_a_byte_that_has_changed_is_noticed_at_the_end_of_its_array(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "BLOCK_VALUES", 8)
    state = state_of(9, 4)
    path: Path = tmp_path / "a.npz"
    checkpoint.write(path, state)
    contents = bytearray(path.read_bytes())
    contents[contents.index(state["embedding/embeddings"].tobytes()) + 2] ^= 1
    path.write_bytes(contents)
    with pytest.raises(DataError, match="damaged zip"):
        list(checkpoint.read_blocks(path, shapes_of(state)))


def test_in_blocks_an_array_may_have_more_numbers_than_are_read_at_once(tmp_path, monkeypatch):
    state = state_of(9, 4)
    checkpoint.write(tmp_path / "a.npz", state)
    monkeypatch.setattr(arrays, "MOST_VALUES", 30)
    with pytest.raises(DataError, match="has 36 numbers; expected at most 30"):
        checkpoint.read(tmp_path / "a.npz", shapes_of(state))
    assert len(list(checkpoint.read_blocks(tmp_path / "a.npz", shapes_of(state)))) == 3


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one(tmp_path):
    path, state = tmp_path / "a.npz", state_of(9, 4)
    checkpoint.write(path, state)
    before = path.read_bytes()

    class Broken(Made):
        def blocks(self) -> Iterator[np.ndarray]:
            yield self.rows[:3]
            raise OSError(28, "No space left on device")

    broken = {**state, "embedding/embeddings": Broken(state["embedding/embeddings"])}
    with pytest.raises(DataError, match=r"cannot write .*a\.npz': no space left"):
        checkpoint.write(path, broken)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["a.npz"]
