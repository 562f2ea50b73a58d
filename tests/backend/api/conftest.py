"""A fresh application for every test."""

from __future__ import annotations

import pytest

from tests.backend.api.world import Lull


@pytest.fixture
def lull() -> Lull:
    return Lull()
