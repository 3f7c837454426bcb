"""The small network, built once."""

from __future__ import annotations

import pytest

from fakes.tracking import TinyNetwork


@pytest.fixture(scope="session")
def network() -> TinyNetwork:
    return TinyNetwork()
