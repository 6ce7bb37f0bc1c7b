"""Writes the checkpoints of PyTorch that the tests read, and the rows that PyTorch reads from them.

Run by hand, in an environment with torch and NumPy: python tests/data/make_torch.py
"""

from __future__ import annotations

import io
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import torch

FOLDER = Path(__file__).parent / "torch"
DTYPES = (
    "float64", "float32", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2",
    "float8_e4m3fnuz", "float8_e5m2fnuz", "int64", "int32", "int16", "int8", "uint8", "uint16",
    "uint32",
)  # fmt: skip


def drawn(*shape: int, dtype: str = "float32") -> torch.Tensor:
    kind = getattr(torch, dtype)
    if not kind.is_floating_point:
        low = 0 if dtype.startswith("uint") else -100
        return torch.randint(low, 100, shape).to(kind)
    return torch.randn(*shape, dtype=torch.float64).to(kind)


def views(count: int) -> dict[str, torch.Tensor]:
    """Return views of a few storages: narrowed, stepped, transposed, as chance will have it."""
    chance = np.random.default_rng(7)
    storages = [drawn(400, dtype=dtype) for dtype in ("float32", "float16", "bfloat16", "int32")]
    made = {}
    for number in range(count):
        storage = storages[chance.integers(len(storages))]
        rows, columns = (int(side) for side in chance.integers(1, 9, 2))
        steps = [1, columns] if chance.random() < 0.3 else [columns * 2, 1]
        if chance.random() < 0.3:
            steps = [rows * 3, 2] if chance.random() < 0.5 else [1, rows]
        reach = (rows - 1) * steps[0] + (columns - 1) * steps[1]
        if reach >= 400:
            continue
        offset = int(chance.integers(0, 400 - reach))
        made[f"view.{number}"] = torch.as_strided(storage, (rows, columns), steps, offset)
    return made


def kinds() -> dict[str, Any]:
    """Return a nested checkpoint with tensors of every type, and some that are not read."""
    plain = drawn(6, 4)
    state = OrderedDict((f"kind.{dtype}", drawn(5, 3, dtype=dtype)) for dtype in DTYPES)
    state["transposed"] = drawn(3, 7).t()
    state["whole"], state["part"], state["column"] = plain, plain[2:4], plain[:, 1:3]
    state["parameter"] = torch.nn.Parameter(drawn(2, 3))
    state["buffer"] = torch.nn.Buffer(drawn(2, 3))
    state["not_finite"] = torch.tensor([[float("nan"), float("inf")], [-0.0, 1e-45]])
    state["one_row"] = drawn(1, 4).expand(1, 4)
    state["vector"], state["cube"], state["empty"] = drawn(4), drawn(2, 2, 2), drawn(0, 3)
    state["expanded"] = drawn(1, 4).expand(1000, 4)
    state["sparse"] = drawn(3, 3).to_sparse()
    state["quantized"] = torch.quantize_per_tensor(drawn(3, 3), 0.1, 0, torch.qint8)
    state["meta"] = torch.empty(3, 3, device="meta")
    state["bool"], state["complex"] = drawn(3, 3) > 0, torch.complex(drawn(3, 3), drawn(3, 3))
    layers = [{"weight": drawn(2, 2)}, (drawn(2, 2), None)]
    return {"epoch": 3, "loss": 0.25, "state_dict": state, "layers": layers, 7: {"w": drawn(2, 2)}}


def trained() -> dict[str, Any]:
    """Return a checkpoint as a training loop writes it: a model's and an optimizer's state."""
    model = torch.nn.ModuleDict({"emb": torch.nn.Embedding(7, 4), "out": torch.nn.Linear(4, 2)})
    optimizer = torch.optim.Adam(model.parameters())
    model["out"](model["emb"](torch.arange(7))).sum().backward()
    optimizer.step()
    return {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": 1}


def swapped(data: bytes) -> bytes:
    """Return a checkpoint of float32 as a machine writes it that stores high bytes first."""
    source, target = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            part = source.read(name)
            if "/data/" in name:
                part = np.frombuffer(part, "<f4").astype(">f4").tobytes()
            archive.writestr(name, b"big" if name.endswith("/byteorder") else part)
    return target.getvalue()


def saved(value: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream)
    return stream.getvalue()


def rows_in(value: Any, prefix: str = "") -> dict[str, np.ndarray]:
    """Return the matrices that PyTorch has read, as float32, by the keys on the way to them."""
    if isinstance(value, torch.Tensor):
        if value.layout != torch.strided or value.is_quantized or value.is_meta:
            return {}
        if value.ndim != 2 or not value.numel() or value.dtype in (torch.bool, torch.complex64):
            return {}
        return {prefix: value.detach().to(torch.float32).numpy()}
    items = value.items() if isinstance(value, dict) else enumerate(value)
    rows = {}
    for key, item in items:
        if isinstance(item, torch.Tensor | dict | list | tuple):
            rows |= rows_in(item, f"{prefix}.{key}" if prefix else str(key))
    return rows


def main() -> None:
    torch.manual_seed(7)
    swap = {"emb.weight": drawn(5, 3), "transposed": drawn(3, 4).t()}
    files = {
        "kinds.pt": saved(kinds()),
        "views.pt": saved(views(60)),
        "trained.bin": saved(trained()),
        "big_endian.pt": swapped(saved(swap)),
    }
    torch.serialization.set_crc32_options(False)
    files["no_checksums.pt"] = saved({"emb.weight": drawn(4, 3)})
    torch.serialization.set_crc32_options(True)
    expected = {}
    for name, data in files.items():
        (FOLDER / name).write_bytes(data)
        state = torch.load(io.BytesIO(data), weights_only=True)
        expected |= {f"{name}:{tensor}": rows for tensor, rows in rows_in(state).items()}
    np.savez_compressed(FOLDER / "expected.npz", **expected)
    # What is refused.
    model = torch.nn.Embedding(3, 2)
    (FOLDER / "module.pt").write_bytes(saved(model))
    torch.jit.save(torch.jit.script(model), FOLDER / "script.pt")
    torch.save(swap, FOLDER / "legacy.pt", _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    main()
