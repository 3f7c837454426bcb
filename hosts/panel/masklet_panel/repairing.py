"""The buttons below sentences: what each of them does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from masklet.errors import MaskletError
from masklet.hosting.notices import Notice, Remedy, notice_of
from masklet.hosting.work import plate_work
from masklet.hosting.work.connection import describe
from masklet.hosting.work.jobs import Job
from masklet.hosting.work.plate_events import TrackRequest
from masklet.phrases import phrase, text_of
from masklet_panel.opening import moved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from masklet.types import FrameRange
    from masklet_panel.file_finder import FileFinder
    from masklet_panel.workspace import Workspace


class Repairs:
    """Does what helps.

    Args:
        workspace: What is open.
        finder: Looks for files.
        find_plate: Asks the artist where the pictures are; empty for nowhere.
        open_soon: Opens a document once its files are found.
    """

    def __init__(
        self,
        workspace: Workspace,
        finder: FileFinder,
        find_plate: Callable[[], str],
        open_soon: Callable[[str], None],
    ) -> None:
        self._workspace = workspace
        self._finder = finder
        self._find_plate = find_plate
        self._open_soon = open_soon

    def all(self) -> Mapping[Remedy, Callable[[], None]]:
        """By what is to be repaired."""
        return {
            Remedy.RECONNECT: self.reconnect,
            Remedy.ACCEPT_PLATE: self.accept_plate,
            Remedy.FIND_PLATE: self.find_plate,
            Remedy.OTHER_WEIGHTS: self.use_embedded_model,
            Remedy.OPEN_THEIRS: self.open_theirs,
            Remedy.TRACK: self.track,
        }

    def reconnect(self) -> None:
        """Reach the server anew if it does not answer; then send what is said."""
        model = self._workspace.model
        settings = model.host.connection_settings()
        model.tell(Notice(phrase("Asking the server …"), is_alarm=False))

        def work(job: Job) -> Iterator[object]:
            del job
            # A server of one's own would end with its connection, and all masks with it.
            yield describe(model.loop.connection.healthy_server(settings), settings.words)

        def ended(error: MaskletError | None) -> None:
            model.tell(None if error is None else notice_of(error))
            if error is None:
                self._follow()

        model.loop.run(Job(phrase("Reconnecting"), work, on_event=lambda event: None, on_end=ended))

    def accept_plate(self) -> None:
        """Keep what was said although the pictures are others."""
        model = self._workspace.model
        kept = model.kept
        if kept is not None and model.plate is not None:
            model.host.keep(model.plate, replace(kept, session=replace(kept.session, fingerprint="")))
            self._follow()

    def find_plate(self) -> None:
        """Ask where the pictures are now."""
        path = self._find_plate()
        model = self._workspace.model
        plate, kept = model.plate, model.kept
        if not path or kept is None:
            return

        def take(place: tuple[str, FrameRange]) -> None:
            if model.plate is plate:
                model.move_plate(*place)
                self._follow()

        def refused(error: MaskletError) -> None:
            # Not found there: the button stays.
            model.tell(Notice(text_of(error), remedy=Remedy.FIND_PLATE))

        self._finder.ask(partial(moved, kept, path), take, refused)

    def use_embedded_model(self) -> None:
        """Run the server of one's own with the weights that are always there."""
        model = self._workspace.model
        model.host.settings = replace(model.host.settings, weights="")
        model.loop.forget_server()
        self._follow()

    def open_theirs(self) -> None:
        """Read the document again, as somebody else has written it."""
        model = self._workspace.model
        if model.file is not None:
            self._open_soon(str(model.file))

    def track(self) -> None:
        """Bring back the masks that the server has lost."""
        self._workspace.model.start(
            phrase("Tracking"),
            lambda session, job, server: plate_work.track(
                session, job, server, TrackRequest(stale_only=True)
            ),
        )

    def _follow(self) -> None:
        model = self._workspace.model
        model.tell(None)
        if model.plate is not None:
            model.loop.synchronise(model.plate, wait=False)
            self._workspace.pictures.retry()
