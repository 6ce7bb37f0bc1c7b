"""Model folders, with transformers, model2vec and sentence-transformers as the oracles.

What these libraries said is kept in `tests/data/models`, by `make_model_folders.py`.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from embedinspect.errors import DataError, EmbedInspectError, UsageError
from embedinspect.formats.model_words import read_tokens
from embedinspect.formats.token_words import TokenWords
from embedinspect.source import SourceOptions, open_source

MODELS = Path(__file__).parents[1] / "data" / "models"
NAMES = sorted(path.stem for path in MODELS.glob("*.npy"))
TOKENS = sorted(path.stem for path in (MODELS / "tokens").glob("*.json"))


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_those_that_tokens_look_up_and_words_are_the_tokens(name):
    source = open_source(str(MODELS / name))
    expected = np.load(MODELS / f"{name}.npy")
    rows = np.asarray(source.matrix.rows)
    assert rows.dtype == np.float32
    assert np.array_equal(rows, expected)
    assert np.array_equal(source.matrix.rows[[5, 2]], expected[[5, 2]])
    ids = json.loads((MODELS / f"{name}.json").read_text(encoding="utf-8"))
    assert source.contents.tokens.ids == ids
    tokens = {id_: token for token, id_ in ids.items()}
    assert list(source.words) == [tokens.get(row) for row in range(len(rows))]
    assert all(source.row_of(token) == id_ for token, id_ in ids.items() if id_ < len(rows))
    assert source.warnings == ()
    assert source.words_from == "tokenizer.json"


@pytest.mark.parametrize("name", TOKENS)
def test_tokens_of_other_files_have_the_ids_that_transformers_gives_them(name):
    folder = MODELS / "tokens" / name
    kind = json.loads((folder / "config.json").read_text())["model_type"]
    found = read_tokens(folder, kind)
    ids = json.loads((MODELS / "tokens" / f"{name}.json").read_text(encoding="utf-8"))
    assert found.tokens.ids == ids


def copied(name: str, folder: Path) -> Path:
    """Return a copy of a model in a folder, whose files may be changed."""
    return shutil.copytree(MODELS / name, folder / name)


def picked(path: Path, **options: str) -> str | None:
    return open_source(str(path), SourceOptions(**options)).tensor


def test_an_index_of_shards_is_a_source_like_its_folder():
    source = open_source(str(MODELS / "t5-sharded" / "model.safetensors.index.json"))
    assert np.array_equal(np.asarray(source.matrix.rows), np.load(MODELS / "t5-sharded.npy"))
    assert source.row_of("▁king") is not None


def test_a_missing_shard_is_an_error_only_where_it_holds_what_is_wanted(tmp_path):
    folder = copied("t5-sharded", tmp_path)
    elsewhere = "decoder.block.0.layer.1.EncDecAttention.k.weight"
    files = json.loads((folder / "model.safetensors.index.json").read_text())["weight_map"]
    (folder / files[elsewhere]).unlink()
    assert picked(folder) == "shared.weight"
    with pytest.raises(DataError, match=f"{elsewhere[:20]}.* is missing"):
        picked(folder, tensor=elsewhere)
    (folder / files["shared.weight"]).unlink()
    with pytest.raises(DataError, match=r"'shared.weight' is in .*, which is missing"):
        picked(folder)


def test_the_only_matrix_of_the_shards_that_are_there_is_not_taken_for_the_only_one(tmp_path):
    safetensors.numpy.save_file({"a": np.ones((3, 2), "f4")}, tmp_path / "1.safetensors")
    index = {"weight_map": {"a": "1.safetensors", "b": "2.safetensors"}}
    path = tmp_path / "model.safetensors.index.json"
    path.write_text(json.dumps(index))
    with pytest.raises(DataError, match=r"'b' is in .*, which is missing"):
        picked(path)


@pytest.mark.parametrize(
    "file", ["../a", "/etc/passwd", "a/../../b", "a\0b", "C:\\a", "", 5, None, ["a"], {"a": 1}]
)
def test_an_index_names_only_files_of_its_folder(tmp_path, file):
    path = tmp_path / "model.safetensors.index.json"
    path.write_text(json.dumps({"weight_map": {"wte.weight": file}}))
    with pytest.raises(DataError, match="expected the name of a file or folder within"):
        picked(path)


def test_the_hub_s_cache_is_opened_at_the_snapshot_of_main(tmp_path):
    cache = tmp_path / "models--owner--name"
    for name in ("bert", "gpt2-f16"):
        shutil.copytree(MODELS / name, cache / "snapshots" / name)
    weights = cache / "snapshots" / "bert" / "model.safetensors"
    (cache / "blobs").mkdir()
    weights.rename(cache / "blobs" / "ab12")
    weights.symlink_to("../../blobs/ab12")
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("bert")
    assert open_source(str(cache)).kind == "Hugging Face model (bert)"
    (cache / "refs" / "main").write_text("../../bert")
    with pytest.raises(UsageError, match="expected the path of one: 'bert', 'gpt2-f16'"):
        open_source(str(cache))
    shutil.rmtree(cache / "snapshots" / "bert")
    assert open_source(str(cache)).kind == "Hugging Face model (gpt2)"
    with pytest.raises(UsageError, match="one of its models: 'models--owner--name'"):
        open_source(str(tmp_path))


@pytest.mark.parametrize("below", ["0_StaticEmbedding", "0_Transformer"])
def test_the_first_module_of_sentence_transformers_holds_rows_and_tokens(tmp_path, below):
    folder = copied("static", tmp_path)
    (folder / below).mkdir()
    for name in ("model.safetensors", "tokenizer.json"):
        (folder / name).rename(folder / below / name)
    (folder / "modules.json").write_text(json.dumps([{"idx": 0, "path": below}]))
    source = open_source(str(folder))
    assert np.array_equal(np.asarray(source.matrix.rows), np.load(MODELS / "static.npy"))
    assert source.row_of("king") is not None
    (folder / "modules.json").write_text(json.dumps([{"idx": 0, "path": "../static"}]))
    with pytest.raises(DataError, match=r"names '\.\./static'; expected"):
        open_source(str(folder))


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (["config.json"], "expected the folder of a model with its weights, downloaded whole"),
        (["config.json", "model.weights.h5"], r"name the file: '.*model\.weights\.h5'"),
        (["a.gguf", "README.md"], r"name the file: '.*a\.gguf'"),
        (["config.json", "onnx/model.onnx"], r"name the file: '.*onnx/model\.onnx'"),
        (["config.json", "pytorch_model.bin"], "is no zip, so it is of the format before PyTorch"),
        (["a.safetensors", "b.safetensors"], r"one of them: 'a\.safetensors', 'b\.safetensors'"),
    ],
)
def test_folders_without_weights_that_are_read_name_what_to_open(tmp_path, files, says):
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    with pytest.raises((DataError, UsageError), match=says):
        open_source(str(tmp_path))


@pytest.mark.parametrize("sharded", [False, True])
def test_weights_of_pytorch_are_read_where_no_safetensors_lie_there(tmp_path, sharded):
    folder = copied("bert", tmp_path)
    (folder / "model.safetensors").unlink()
    file = folder / ("1.bin" if sharded else "pytorch_model.bin")
    shutil.copy(MODELS.parent / "torch" / "trained.bin", file)
    expected = open_source(str(file))
    names = [tensor.name for tensor in expected.contents.tensors]
    if sharded:
        index = {"weight_map": dict.fromkeys(names, "1.bin")}
        (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    source = open_source(str(folder))
    assert source.kind == "Hugging Face model (bert)"
    assert [tensor.name for tensor in source.contents.tensors] == names
    assert np.array_equal(np.asarray(source.matrix.rows), np.asarray(expected.matrix.rows))


def test_words_and_texts_belong_to_the_tables_of_tokens_alone():
    head = open_source(str(MODELS / "llama-untied"), SourceOptions(tensor="lm_head.weight"))
    assert head.row_of("king") is not None
    other = SourceOptions(tensor="model.layers.0.mlp.up_proj.weight")
    source = open_source(str(MODELS / "llama-untied"), other)
    assert (source.words, source.contents.tokens) == (None, None)


def test_what_the_configuration_says_of_tokens_is_there():
    tokens = open_source(str(MODELS / "llama-untied")).contents.tokens
    assert (tokens.vocab_size, tokens.tied, tokens.space) == (300, False, "Ġ")
    assert tokens.head.name == "lm_head.weight"
    assert dict(tokens.special) == {"</s>": 0, "<s>": 1, "<pad>": 2}
    tokens = open_source(str(MODELS / "bert")).contents.tokens
    assert (tokens.head, tokens.continues) == (None, "##")
    assert set(tokens.added) >= {"kingfisher", "new token", "[CLS]"}


def test_a_special_id_of_the_configuration_that_no_token_has_is_told(tmp_path):
    folder = copied("llama-untied", tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"pad_token_id": 32_000}))
    assert open_source(str(folder)).contents.tokens.special["pad_token_id"] == 32_000


@pytest.mark.parametrize(
    ("name", "word", "meant"),
    [
        ("gpt2-f16", "the", "'Ġthe'"),
        ("gpt2-f16", " queen", "'Ġqueen'"),
        ("t5-sharded", "king", "'▁king'"),
        ("bert", "kinks", "'kings'"),
    ],
)
def test_a_word_that_is_a_token_only_with_a_space_is_hinted_at(name, word, meant):
    source = open_source(str(MODELS / name))
    assert source.row_of(word) is None
    assert f"did you mean {meant}" in source.no_row(word)


def test_a_word_is_hinted_at_in_the_letters_of_byte_level_tokens():
    assert TokenWords({"ĠcafÃ©": 0}, 1).close_to("café") == ["ĠcafÃ©"]


def test_a_row_of_several_tokens_is_asked_for_by_each_of_them():
    words = TokenWords({"a": 1, "b": 1, "beyond": 2}, 2)
    assert list(words) == [None, "b"]
    assert [words.row_of(token) for token in ("a", "b", "beyond")] == [1, 1, None]


def test_files_of_tokens_that_disagree_are_told(tmp_path):
    folder = copied("bert", tmp_path)
    tokens = list(json.loads((MODELS / "bert.json").read_text(encoding="utf-8")))
    tokens[7], tokens[8] = tokens[8], tokens[7]
    (folder / "vocab.txt").write_text("\n".join(tokens), encoding="utf-8")
    (warning,) = open_source(str(folder)).warnings
    assert "vocab.txt and tokenizer.json disagree on the ids of 2 tokens" in warning


def test_a_family_of_pieces_with_ids_of_its_own_gets_no_words(tmp_path):
    folder = copied("t5-sharded", tmp_path)
    (folder / "tokenizer.json").unlink()
    shutil.copy(MODELS / "tokens" / "t5" / "spiece.model", folder)
    (folder / "config.json").write_text('{"model_type": "pegasus"}')
    source = open_source(str(folder))
    assert source.words is None
    assert "spiece.model gives the pieces of a pegasus" in source.warnings[0]
    assert "has no tokenizer that is read here" in source.contents.tokens.no_ids


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"mapping": np.array([0, 1, 9, 2])}, "names rows from 0 to 9"),
        ({"mapping": np.array([0, -1, 1, 2])}, "names rows from -1 to 2"),
        ({"mapping": np.ones(4, "f4")}, "expected whole numbers"),
        ({"weights": np.ones(3, "f4")}, "expected 4 floats"),
        ({"weights": np.ones(4, "i4")}, "expected 4 floats"),
        ({"mapping": np.zeros(0, "i4")}, "expected at least 1"),
    ],
)
def test_a_mapping_that_lies_is_refused(tmp_path, change, says):
    tensors = {"embeddings": np.ones((3, 2), "f4"), "mapping": np.array([0, 1, 2, 0])}
    safetensors.numpy.save_file(tensors | change, tmp_path / "model.safetensors")
    with pytest.raises(DataError, match=says):
        open_source(str(tmp_path))


BAD_TOKENIZERS = {
    "deep": '{"model":{"vocab":' + "[" * 100_000,
    "many lists": "{" + "[]," * 5_000_000,
    "an id of 2^60": '{"model":{"vocab":{"a":1152921504606846976}}}',
    "a negative id": '{"model":{"vocab":{"a":-1}}}',
    "an id that is no number": '{"model":{"vocab":{"a":true}}}',
    "an id of 5,000 digits": '{"model":{"vocab":{"a":' + "9" * 5_000 + "}}}",
    "a pair that is none": '{"model":{"vocab":[["a",1.0],5]}}',
    "no model": "{}",
    "no object": "[]",
    "half a character": '{"model":{"vocab":{"\\ud800":1}}}',
    "an added token that is none": '{"model":{"vocab":{}},"added_tokens":[5]}',
    "an added token far away": '{"model":{"vocab":{}},"added_tokens":[{"content":"x","id":1e99}]}',
    "nothing": "",
}


@pytest.mark.parametrize("bad", BAD_TOKENIZERS)
def test_tokenizers_that_lie_are_refused_in_one_line(tmp_path, bad):
    folder = copied("bert", tmp_path)
    (folder / "tokenizer.json").write_text(BAD_TOKENIZERS[bad])
    with pytest.raises(DataError, match=r"tokenizer\.json") as error:
        open_source(str(folder))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path, name):
    folder = copied("bert", tmp_path)
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(DataError, match="regular file"):
        open_source(str(folder))


@pytest.fixture(scope="module")
def altered(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("altered")


MUTATED = [
    *(("bert", name) for name in ("config.json", "tokenizer.json", "model.safetensors")),
    *(("t5-sharded", name) for name in ("model.safetensors.index.json", "tokenizer_config.json")),
    ("model2vec-clusters", "model.safetensors"),
    ("static", "modules.json"),
    ("tokens/t5", "spiece.model"),
    ("tokens/bert", "vocab.txt"),
    ("tokens/gpt2", "vocab.json"),
]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(MUTATED),
    st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=3)), max_size=4),
    st.one_of(st.none(), st.floats(0, 1)),
)
def test_altered_folders_are_refused_or_read_with_a_word_a_row(altered, which, changes, cut):
    model, name = which
    folder = altered / model
    if not folder.exists():
        shutil.copytree(MODELS / model, folder)
        if model.startswith("tokens"):
            safetensors.numpy.save_file(
                {"wte.weight": np.ones((300, 2), "f4")}, folder / "model.safetensors"
            )
    data = bytearray((MODELS / model / name).read_bytes())
    for place, what in changes:
        at = int(place * (len(data) - 1))
        data[at : at + len(what)] = what
    (folder / name).write_bytes(bytes(data if cut is None else data[: int(cut * len(data))]))
    try:
        source = open_source(str(folder))
        rows = np.asarray(source.matrix.rows)
    except EmbedInspectError:
        pass
    else:
        assert rows.ndim == 2
        assert source.words is None or len(list(source.words)) == len(rows)
    finally:
        shutil.copy(MODELS / model / name, folder / name)
