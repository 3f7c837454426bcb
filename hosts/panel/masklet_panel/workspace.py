"""The parts that widgets are given: what is open, how it is seen, where the playhead goes, what is said."""

from __future__ import annotations

from masklet_panel.finding import Finding
from masklet_panel.geometry_store import GeometryStore
from masklet_panel.panel_model import PanelModel
from masklet_panel.picture_store import PictureStore
from masklet_panel.playback import Playback
from masklet_panel.saying import Saying
from masklet_panel.view_state import ViewState


class Workspace:
    """All parts of one panel.

    Args:
        model: What is open.

    Attributes:
        model: As given.
        view: How it is seen.
        pictures: Of the plate.
        playback: Moves the playhead.
        saying: What the hand says.
        finding: What was found and may be taken.
        geometry: Splines and anchors that are shown.
    """

    def __init__(self, model: PanelModel) -> None:
        self.model = model
        self.view = ViewState()
        self.pictures = PictureStore(model)
        self.playback = Playback(model, self.pictures)
        self.saying = Saying(model)
        self.finding = Finding(model)
        self.geometry = GeometryStore(model, self.view)
