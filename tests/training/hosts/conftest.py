"""What the tests of several processes share: where they run, and how they train."""

from __future__ import annotations

import pytest


@pytest.fixture
def own_folder(tmp_path, monkeypatch, for_jax):
    """An empty folder, in which no backend was chosen."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KERAS_BACKEND")
    for name, value in for_jax.items():
        monkeypatch.setenv(name, value)
