"""`--code`: the script, run by itself, prints the same sequences and the same tensor."""

from __future__ import annotations

import contextlib
import io
import re

import numpy as np
import pytest
import safetensors.numpy

from embedinspect.errors import UsageError
from embedinspect.formats import open_matrix
from embedinspect.lookup import Settings, look_up
from embedinspect.matrix import EmbeddingMatrix
from embedinspect.output.show.code import Inputs, script
from embedinspect.vocabulary import Tokenization, fit
from tests.conftest import CLASSIC

TEXTS = [*CLASSIC, "It's [bold] 'quoted' \"text\" \\ ü", "", "a"]


def arrays(code: str) -> tuple[np.ndarray, np.ndarray]:
    """Run the script and return the two arrays that it printed."""
    printed = io.StringIO()
    before = np.get_printoptions()
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(code, "script", "exec"), {})
    finally:
        np.set_printoptions(**before)
    text = printed.getvalue()
    assert text.endswith("True\n")
    numbers = text.removesuffix("True\n")
    first, second = re.split(r"\n(?=\[\[\[)", numbers, maxsplit=1)

    def read(part: str) -> np.ndarray:
        return np.array(re.findall(r"-?[\d.]+(?:e[+-]?\d+)?", part), np.float64)

    return read(first), read(second).astype(np.float32)


def same(lookup, given=None) -> None:
    sequences, output = arrays(script(lookup, given or Inputs()))
    assert (sequences == lookup.sequences.ravel()).all()
    assert (output == lookup.matrix.rows[lookup.sequences].ravel()).all()


@pytest.mark.parametrize(
    "settings",
    [
        Settings(num_words=10, maxlen=6),
        Settings(num_words=4, oov_token="<OOV>", padding="post", mask_zero=True),
        Settings(num_words=9, oov_token="text", truncating="post", maxlen=2, seed=9),
        Settings(tokenization=Tokenization(char_level=True), output_dim=1),
        Settings(tokenization=Tokenization(filters="ai'"), input_dim=50),
    ],
)
def test_the_script_prints_the_same_arrays(settings):
    same(look_up(TEXTS, settings))


def test_with_files(tmp_path):
    vocabulary, _ = fit(TEXTS, num_words=5, oov_token="?")
    saved = tmp_path / "v.json"
    saved.write_text(vocabulary.to_json())
    rows = np.random.RandomState(1).rand(6, 2).astype(np.float32)
    np.save(tmp_path / "m.npy", rows)
    np.savez(tmp_path / "m.npz", words=np.zeros(3), rows=rows)
    np.savetxt(tmp_path / "m.txt", rows, delimiter=",")
    for name in ("m.npy", "m.npz", "m.txt"):
        path = str(tmp_path / name)
        lookup = look_up(TEXTS, vocabulary=vocabulary, matrix=open_matrix(path))
        same(lookup, Inputs(vocabulary=str(saved), matrix=path))


def test_a_matrix_that_numpy_does_not_read_is_refused(tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_bytes(safetensors.numpy.save({"a": np.eye(20, 2, dtype=np.float32)}))
    lookup = look_up(TEXTS, vocabulary=fit(TEXTS)[0], matrix=open_matrix(str(path)))
    with pytest.raises(UsageError, match=r"export .*m\.safetensors rows\.npy"):
        script(lookup, Inputs(matrix=str(path)))


def test_with_text_vectorization():
    from embedinspect.text_vectorization import vectorize

    for num_words, maxlen in ((None, None), (4, 3)):
        vocabulary, ids = vectorize(TEXTS, num_words, maxlen)
        settings = Settings(num_words=num_words, maxlen=maxlen, padding="post", truncating="post")
        same(look_up(TEXTS, settings, vocabulary=vocabulary, ids=ids), Inputs(maxlen=maxlen))


def test_the_backend_is_set_before_keras_is_imported():
    lookup = look_up(["a"], matrix=EmbeddingMatrix(np.ones((2, 1), np.float32), "test"))
    lines = script(look_up(["a"]), Inputs(backend="jax")).splitlines()
    assert lookup.maxlen == 1
    assert lines.index("import keras") > next(
        i for i, x in enumerate(lines) if "KERAS_BACKEND" in x
    )
