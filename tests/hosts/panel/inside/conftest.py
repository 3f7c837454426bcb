"""For tests that run in a host's Python, where there is Qt and the standard library, and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from Qt import QtWidgets

_FOREIGN = ("numpy", "grpc", "google", "typer", "rich", "torch")
# Its value; the two bindings disagree on how an enumeration becomes a number.
_DEFERRED_DELETE = 52


@pytest.fixture(scope="session")
def application() -> Iterator[QtWidgets.QApplication]:
    """The one application of the process."""
    made = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
    yield made
    made.closeAllWindows()


@pytest.fixture(autouse=True)
def _nothing_foreign(application: QtWidgets.QApplication) -> Iterator[None]:
    """Whatever the panel does, nothing is imported that a host could have in another version."""
    yield
    # What a test left to be deleted is deleted before the next one looks.
    application.sendPostedEvents(None, _DEFERRED_DELETE)
    assert [name for name in _FOREIGN if name in sys.modules] == []
