"""PyTorch's checkpoints, with the rows that PyTorch itself read from them, and hostile ones."""

from __future__ import annotations

import io
import pickle
import random
import resource
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from embedinspect.errors import DataError, EmbedInspectError, UsageError
from embedinspect.formats import open_file
from embedinspect.formats.contents import ReadOptions
from embedinspect.formats.torch_file import open_checkpoint

DATA = Path(__file__).parent.parent / "data" / "torch"
EXPECTED = np.load(DATA / "expected.npz")
FILES = sorted({name.partition(":")[0] for name in EXPECTED.files})


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def members_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def described(shape: object, strides: object, offset: object = 0, length: int = 6) -> bytes:
    """Return a pickle of one tensor of float32, made of opcodes."""

    def plain(value: object) -> bytes:
        return pickle.dumps(value, 2)[2:-1]

    return b"".join(
        [
            b"\x80\x02}X\x01\0\0\0actorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storage",
            b"ctorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu",
            plain(length) + b"tQ",
            plain(offset) + plain(shape) + plain(strides),
            b"\x89}tRs.",
        ]
    )


def checkpoint(data_pkl: bytes, numbers: bytes = np.arange(6, dtype="<f4").tobytes()) -> bytes:
    return zipped({"a/data.pkl": data_pkl, "a/data/0": numbers})


def opened(tmp_path, data: bytes, tensor: str | None = None):
    path = tmp_path / "weights.pt"
    path.write_bytes(data)
    return open_file(str(path), ReadOptions(tensor=tensor))


@pytest.mark.parametrize("file", FILES)
def test_every_row_is_that_which_pytorch_reads(file):
    names = [name.partition(":")[2] for name in EXPECTED.files if name.startswith(f"{file}:")]
    tensors = {tensor.name: tensor for tensor in open_checkpoint(DATA / file).tensors}
    unread = {"state_dict.expanded"}  # a thousand views of one row
    assert set(tensors) == set(names) | (unread & set(tensors))
    for name in set(names) - unread:
        rows, expected = tensors[name].read(), EXPECTED[f"{file}:{name}"]
        assert tensors[name].shape == expected.shape
        assert np.asarray(rows).tobytes() == expected.tobytes(), name
        assert np.array_equal(rows[len(expected) - 1], expected[-1], equal_nan=True)


def test_the_embedding_of_a_model_is_found_beside_its_optimizer_s_copies():
    contents = open_file(str(DATA / "trained.bin"))
    assert (contents.kind, contents.tensor) == ("PyTorch checkpoint", "model.emb.weight")
    assert "optimizer.state.0.exp_avg" in {tensor.name for tensor in contents.tensors}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("sparse", "is a tensor that is sparse"),
        ("quantized", "is a tensor that is quantized"),
        ("meta", "without numbers"),
        ("vector", "has shape '[4]'"),
        ("cube", "has shape '[2, 2, 2]'"),
        ("empty", "has shape '[0, 3]'"),
        ("bool", "has dtype bool"),
        ("complex", "has dtype complex64"),
    ],
)
def test_a_tensor_that_is_not_read_is_named_with_the_reason(name, says):
    with pytest.raises(UsageError) as raised:
        open_file(str(DATA / "kinds.pt"), ReadOptions(tensor=f"state_dict.{name}"))
    assert says in str(raised.value)


def test_a_tensor_that_repeats_its_storage_is_refused():
    with pytest.raises(DataError, match=r"shows 4,000 numbers, of which its storage has 4"):
        open_file(str(DATA / "kinds.pt"), ReadOptions(tensor="state_dict.expanded"))


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("module.pt", "names 'torch.nn.modules.sparse.Embedding', which is not among the names"),
        ("script.pt", "is a TorchScript model, which is a program"),
        ("legacy.pt", "is a PyTorch checkpoint in the form from before 1.6"),
    ],
)
def test_other_forms_are_named_with_a_way_out(file, says):
    with pytest.raises(DataError) as raised:
        open_file(str(DATA / file))
    assert says in str(raised.value)
    assert "torch.save(" in str(raised.value)


def test_a_file_without_checksums_is_read_with_a_warning():
    contents = open_file(str(DATA / "no_checksums.pt"))
    [warning] = contents.warnings
    assert "does not have the checksum" in warning


@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [
        ((3, 2), (2, 1), 1),
        ((4, 2), (2, 1), 0),
        ((3, 2), (2, 2), 0),
        ((2, 2), (2**61, 1), 0),
        ((2**40, 2**20), (0, 0), 0),
        ((3, 3), (1, 1), 0),
        ((1, 1), (1, 1), 6),
        ((3, 2), (2, -1), 0),
        ((3, 2), (2, 1), -1),
        ((3, 2), (2,), 0),
        ((3.0, 2), (2, 1), 0),
        ((2**70, 2), (2, 1), 0),
        ("ab", (2, 1), 0),
        (None, None, 0),
    ],
)
def test_a_tensor_outside_its_storage_is_refused(tmp_path, shape, strides, offset):
    with pytest.raises(EmbedInspectError):
        opened(tmp_path, checkpoint(described(shape, strides, offset)))


def test_a_tensor_at_the_edges_of_its_storage_is_read(tmp_path):
    rows = opened(tmp_path, checkpoint(described((2, 2), (3, 1), 1))).rows
    assert np.asarray(rows).tolist() == [[1, 2], [4, 5]]
    rows = opened(tmp_path, checkpoint(described((1, 6), (2**61, 1)))).rows
    assert rows.tolist() == [[0, 1, 2, 3, 4, 5]]


def test_a_zip_that_readers_could_read_differently_is_refused(tmp_path):
    data = checkpoint(described((3, 2), (2, 1)))
    with (
        pytest.warns(UserWarning, match="Duplicate"),
        zipfile.ZipFile(stream := io.BytesIO(data), "a") as archive,
    ):
        archive.writestr("a/data/0", bytes(24))
    with pytest.raises(DataError, match="2 members of the name 'a/data/0'"):
        opened(tmp_path, stream.getvalue())
    with pytest.raises(DataError, match="is compressed; expected it stored"):
        opened(tmp_path, zipped(members_of(DATA / "kinds.pt"), zipfile.ZIP_DEFLATED))
    renamed = bytearray(data)
    renamed[data.find(b"a/data/0")] = ord("b")
    with pytest.raises(DataError, match="has two names"):
        opened(tmp_path, bytes(renamed))


def test_a_storage_is_no_path(tmp_path):
    outside = described((3, 2), (2, 1)).replace(b"X\x01\0\0\x000", b"X\x0a\0\0\x00../../../0")
    members = {"a/data.pkl": outside, "a/data/../../../0": bytes(24)}
    with pytest.raises(DataError, match="a storage without a name"):
        opened(tmp_path, zipped(members))


def test_sizes_in_the_zip_are_not_believed(tmp_path):
    data = bytearray(checkpoint(described((3, 2), (2, 1))))
    entry = data.rfind(b"PK\1\2")
    struct.pack_into("<II", data, entry + 20, 2**31, 2**31)
    with pytest.raises(DataError, match="claims bytes beyond the file"):
        opened(tmp_path, bytes(data))


def test_altered_checkpoints_are_refused_or_read_as_before(tmp_path):
    """What is altered outside of the numbers gives the same rows, a warning or an error."""
    original = (DATA / "trained.bin").read_bytes()
    chance, before = random.Random(5), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    expected = EXPECTED["trained.bin:model.emb.weight"]
    end = original.find(b"/data/0") - 30
    for _ in range(150):
        data = bytearray(original)
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(end)] = chance.randrange(256)
        try:
            contents = opened(tmp_path, bytes(data), "model.emb.weight")
        except EmbedInspectError:
            continue
        assert contents.warnings or np.array_equal(contents.rows, expected)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < before + 2**18
