"""Small matrices with words, opened as a user's file would be."""

from __future__ import annotations

import pytest

from embedinspect.source import Source, open_source
from tests.builders import VECTORS


@pytest.fixture(scope="session")
def vectors() -> Source:
    return open_source(str(VECTORS))
