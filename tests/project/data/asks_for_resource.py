"""Read by test_other_systems.py, never collected by itself: it asks for what Windows lacks."""

import resource

import pytest


@pytest.mark.skipif(resource is None, reason="")
def test_nothing() -> None: ...
