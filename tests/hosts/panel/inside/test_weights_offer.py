"""The line about better weights: a button, how far it is, and a way to stop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Optional

import pytest
from Qt import QtWidgets

from masklet.better_weights import RECOMMENDED
from masklet.hosting.work.connection import ConnectionSettings
from masklet.hosting.work.weights_pull import PullProgress, WeightsPull
from masklet_panel.weights_offer import WeightsOffer


class Pull(WeightsPull):
    """Stands in for a process that fetches: it is where the test says it is."""

    def __init__(self, python: Optional[Path]) -> None:
        super().__init__(python)
        self.python = python
        self.starts = 0
        self.now = PullProgress()

    @property
    def progress(self) -> PullProgress:
        return self.now

    def start(self) -> None:
        self.starts += 1
        self.now = replace(self.now, is_running=True, problem="")

    def cancel(self) -> None:
        self.now = replace(self.now, is_running=False)


class Offered:
    """An offer, its settings and what it fetches with."""

    def __init__(self) -> None:
        self.settings = ConnectionSettings(helper_python="/opt/masklet/bin/python")
        self.pulls: list[Pull] = []
        self.fetched: list[str] = []
        self.widget = WeightsOffer(lambda: self.settings, self._make)
        self.widget.fetched.connect(self.fetched.append)

    def _make(self, python: Optional[Path]) -> Pull:
        self.pulls.append(Pull(python))
        return self.pulls[-1]


@pytest.fixture
def offered(application: QtWidgets.QApplication) -> Offered:
    return Offered()


def test_nothing_is_fetched_before_the_button_is_pressed(offered: Offered) -> None:
    assert offered.pulls == []
    assert "weights pull sam2.1_hiera_tiny (156 MB)" in offered.widget.words.text()
    assert offered.widget.button.text() == "Fetch sam2.1_hiera_tiny (156 MB)"


def test_it_shows_how_far_it_is_and_stops_and_goes_on(offered: Offered) -> None:
    offered.widget.press()
    (pull,) = offered.pulls
    assert pull.python == Path("/opt/masklet/bin/python")
    pull.now = PullProgress(39, 156, is_running=True)
    offered.widget.refresh()
    assert offered.widget.bar.value() == 25
    assert offered.widget.button.text() == "Stop Fetching"

    offered.widget.press()
    assert not pull.progress.is_running
    assert offered.widget.button.text() == "Fetch On"
    offered.widget.press()
    assert [each.starts for each in offered.pulls] == [1, 1]


def test_a_trouble_is_told_and_can_be_tried_again(offered: Offered) -> None:
    offered.widget.press()
    offered.pulls[0].now = PullProgress(5, 156, problem="the disk has no room: make some")
    offered.widget.refresh()

    assert offered.widget.words.text() == "the disk has no room: make some"
    # The cause may have been the interpreter.
    offered.settings = ConnectionSettings(helper_python="/opt/other/bin/python")
    offered.widget.press()
    assert offered.pulls[1].python == Path("/opt/other/bin/python")
    assert offered.pulls[1].starts == 1


def test_weights_that_are_here_are_handed_over(offered: Offered) -> None:
    offered.widget.press()
    offered.pulls[0].now = PullProgress(156, 156, is_done=True)
    offered.widget.refresh()

    assert offered.fetched == [RECOMMENDED]


@pytest.mark.parametrize("settings", [{"address": "studio:7700"}, {"weights": "studio_model"}])
def test_whoever_has_a_server_or_a_model_is_offered_nothing(
    offered: Offered, settings: dict[str, str]
) -> None:
    offered.settings = ConnectionSettings(**settings)  # type: ignore[arg-type]
    offered.widget.refresh()

    assert offered.widget.isHidden()
