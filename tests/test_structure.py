"""Which way the house is built: a module imports only from its left."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import embedinspect

ROOT = Path(embedinspect.__file__).parent
# From left to right; a room may import from rooms before it, and from itself.
ROOMS = [
    "__init__",
    "errors",
    "backend",
    "wording",
    "samples",
    "texts",
    "text_tables",
    "files",
    "vocabulary",
    "saved_vocabulary",
    "tokenizing",
    "sequences",
    "stages",
    "word_index",
    "row_words",
    "row_names",
    "stored_rows",
    "matrix",
    "formats",
    "lookup",
    "token_counts",
    "keras_layer",
    "text_vectorization",
    "pictures",
    "page",
    "plots",
    "training",
    "source_options",
    "held_sources",
    "source",
    "analysis",
    "exports",
    "lessons",
    "output",
    "commands",
    "cli",
    "notebook",
    "__main__",
]


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def room(name: str) -> str:
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


@cache
def imports(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found.extend(names if node.module == "embedinspect" else [node.module])
        elif isinstance(node, ast.Import):
            found.extend(alias.name for alias in node.names)
    return found


def test_every_module_has_a_room():
    for path in modules():
        assert path.relative_to(ROOT).parts[0].removesuffix(".py") in ROOMS


def test_a_module_imports_only_from_its_left():
    for path in modules():
        own = ROOMS.index(path.relative_to(ROOT).parts[0].removesuffix(".py"))
        for name in imports(path):
            if name.split(".")[0] == "embedinspect" and room(name) in ROOMS:
                assert ROOMS.index(room(name)) <= own, f"{path.name} imports {name}"


def test_only_output_and_commands_know_rich_and_typer():
    for path in modules():
        top = path.relative_to(ROOT).parts[0].removesuffix(".py")
        known = {name.split(".")[0] for name in imports(path)}
        assert "rich" not in known or top in {"output", "commands"}
        assert "typer" not in known or top in {"cli", "commands"}
        assert "tensorflow" not in known
        assert "keras" not in known


def test_modules_stay_small():
    for path in modules():
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path.name
