"""Files that are opened, saved and closed: what comes back with them, and what is given back for them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from masklet.errors import MaskletError
from masklet.hosting.left_sessions import LeftSessions
from masklet.hosting.notices import Notice, notice_of
from masklet.hosting.presence import BEAT_S, Other, Presence
from masklet.phrases import phrase

from . import farm_documents, plates
from .matte_places import known_mattes
from .preferences import connection_settings

if TYPE_CHECKING:
    from masklet.hosting.loop import Loop
    from masklet.hosting.work.plate_session import PlateSession
    from masklet.hosting.work.releasing import Closing

    from .plates import PlateBlock


class Openings:
    """The file that is open in this Blender.

    Args:
        owner: Holds the plates' memories and runs jobs.
    """

    def __init__(self, owner: Loop[PlateBlock]) -> None:
        self._owner = owner
        self._saved_sessions: set[str] = set()
        self._left = LeftSessions(Path(bpy.utils.user_resource("CONFIG")) / "masklet" / "sessions.json")
        self._presence: Presence | None = None
        self._others: tuple[Other, ...] = ()
        # Blender knows a timer by the very object.
        self._timer = self._beat

    def opened(self) -> None:
        """Bring back what the file knows: states at once, masks where the server still has them."""
        self.saved()
        for block in list(plates.all_plates()):
            own, memory = plates.props(block), self._owner.memory(block)
            if self._others:
                # Two Blenders in one session would take each other's prompts away.
                own.session_id = ""
            if any(item.states not in {"", "[]"} for item in own.objects):
                if not own.session_id or not self._may_find_server():
                    memory.lose_session()
                elif not bpy.app.background:
                    self._look_for_session(block)
            self._look_for_mattes(block)
            # A farm that renders the file must not hear what the artist is to hear once.
            if not bpy.app.background:
                self.look_home(block)
        self._tell_of_others()
        self._owner.redraw()

    def saved(self) -> None:
        """The file on disk knows these sessions now; from here it can be opened again."""
        for block in plates.all_plates():
            plates.adopt(block)
        self._saved_sessions = {plates.props(block).session_id for block in plates.all_plates()}
        for session_id in self._saved_sessions:
            self._left.came_back(session_id)
        self._be_present()

    def exported(self, session_id: str) -> None:
        """A document on disk knows this session: whoever opens it, here or elsewhere, comes back to it."""
        if session_id:
            self._saved_sessions.add(session_id)
            self._left.came_back(session_id)

    def before_saving(self) -> None:
        """Copies of plates get names of their own before the file keeps them."""
        for block in list(plates.all_plates()):
            plates.adopt(block)

    def closed(self, sessions: Iterable[PlateSession]) -> list[Closing]:
        """The file goes: what gives back sessions that no saved file knows, and those left long ago."""
        self._leave()
        closings: list[Closing] = []
        for session in sessions:
            if not session.session_id:
                continue
            if session.session_id not in self._saved_sessions:
                closings.append(session.close)
                continue
            old = self._left.leave(connection_settings().address, [session.session_id])
            closings.extend(partial(session.close_other, session_id) for session_id in old)
        return closings

    def _may_find_server(self) -> bool:
        """False where a server would have to be started first, which holds nothing."""
        return self._owner.connection.is_open or bool(connection_settings().address)

    def _look_for_session(self, block: PlateBlock) -> None:
        from masklet.hosting.work import plate_work

        try:
            self._owner.start(
                block, phrase("Looking for masks"), plate_work.come_back, wait=False, is_long=False
            )
        except MaskletError as error:
            self._owner.tell(block, notice_of(error))

    def _look_for_mattes(self, block: PlateBlock) -> None:
        """Say which mattes are no longer where the file remembers them."""
        known = [(item, files) for item in plates.props(block).objects for files in known_mattes(item)]
        missing = [(item, files) for item, files in known if not files.folder.is_dir()]
        if missing:
            sentence = phrase(
                "The mattes of {names} are no longer in {folder}: get them again, or bring the folder back",
                names=", ".join(item.name for item, _ in missing),
                folder=missing[0][1].folder,
            )
            self._owner.tell(block, Notice(sentence))

    def look_home(self, block: PlateBlock) -> None:
        """Tell, once, what a farm has made of the plate."""
        if not farm_documents.were_submitted():
            return
        from masklet.hosting.work.farming import homecoming_job

        uid = plates.props(block).uid

        def tell(notice: Notice) -> None:
            found = plates.find_plate(uid)
            if found is not None:
                self._owner.tell(found, notice)

        try:
            self._owner.run(homecoming_job(farm_documents.document_of(block), uid, on_notice=tell))
        except MaskletError as error:
            self._owner.tell(block, notice_of(error))

    def _be_present(self) -> None:
        file = Path(bpy.data.filepath) if bpy.data.filepath else None
        if self._presence is not None and self._presence.document != file:
            self._leave()
        # A render farm opens files by the hundred and prompts in none of them.
        if file is None or bpy.app.background or not any(True for _ in plates.all_plates()):
            return
        if self._presence is None:
            self._presence = Presence(file)
        self.look_around()
        if not bpy.app.timers.is_registered(self._timer):
            bpy.app.timers.register(self._timer, first_interval=BEAT_S, persistent=True)

    def look_around(self) -> None:
        """Tell the artist who else has come to have this file open."""
        others = () if self._presence is None else self._presence.beat()
        is_news = others != self._others
        self._others = others
        if is_news:
            self._tell_of_others()

    def _tell_of_others(self) -> None:
        if not self._others:
            return
        sentence = phrase(
            "This file is open in another Blender too ({names}): save it under another name, or the one who "
            "saves last wins",
            names=", ".join(f"{other.user}, {other.machine}" for other in self._others),
        )
        for block in list(plates.all_plates()):
            self._owner.tell(block, Notice(sentence))

    def _beat(self) -> float | None:
        if self._presence is None:
            return None
        self.look_around()
        return BEAT_S

    def _leave(self) -> None:
        if bpy.app.timers.is_registered(self._timer):
            bpy.app.timers.unregister(self._timer)
        if self._presence is not None:
            self._presence.leave()
        self._presence, self._others = None, ()
