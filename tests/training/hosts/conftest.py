"""What the tests of several processes share: where they run, and how they train."""

from __future__ import annotations

import pytest

from tests.training.builders import QUICK_TO_COMPILE


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    """An empty folder, in which no backend was chosen."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KERAS_BACKEND")
    monkeypatch.setenv("XLA_FLAGS", QUICK_TO_COMPILE)
