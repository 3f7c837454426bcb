"""What comes with scripts and goes with them: sessions to come back to, and who else has one open."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.errors import MaskletError
from masklet.hosting.left_sessions import LeftSessions
from masklet.hosting.notices import Notice, notice_of
from masklet.hosting.presence import BEAT_S, Other, Presence
from masklet.hosting.work.farming import homecoming_job
from masklet.phrases import phrase
from masklet.transport.helper_environment import config_file
from masklet_nuke import documents, plates
from masklet_nuke.folders import script_file
from masklet_nuke.plate_document import document_file
from masklet_nuke.undoing import no_step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from masklet.hosting.loop import Loop
    from masklet.hosting.work.plate_session import PlateSession
    from masklet.hosting.work.releasing import Closing
    from masklet_nuke.api import Node, Nuke


class Openings:
    """Which sessions are left on the server when a script is closed, and taken up when it is opened again.

    Args:
        nuke: The module.
        owner: Runs the jobs.
    """

    def __init__(self, nuke: Nuke, owner: Loop[Node]) -> None:
        self._nuke, self._owner = nuke, owner
        self._saved: set[str] = set()
        self._left = LeftSessions(config_file().with_name("nuke-sessions.json"))
        self._presence: _Beating | None = None

    def opened(self) -> None:
        """A script was opened: its states are known at once, its masks where the server still has them."""
        self.saved()
        others = () if self._presence is None else self._presence.others
        for node in list(plates.adopted(self._nuke)):
            kept = documents.session(node)
            if others:
                # Two Nukes in one session would take each other's prompts away.
                with no_step(self._nuke):
                    documents.keep_session(node, type(kept)(), (0, 0))
                self._owner.tell(node, Notice(_others_sentence(others), is_alarm=False))
                continue
            self._look_home(node)
            memory = self._owner.memory(node)
            if not any(text not in {"", "[]"} for text in documents.states(node).values()):
                continue
            if not kept.session_id or not self._may_find_server():
                memory.lose_session()
            else:
                self._look_for_session(node)
        self._owner.redraw()

    def _look_home(self, node: Node) -> None:
        """Tell, once, what the farm has made of the node's shot."""
        uid = self._owner.host.uid(node)

        def tell(notice: Notice) -> None:
            found = self._owner.host.find(uid)
            if found is not None:
                self._owner.tell(found, notice)

        self._owner.run(homecoming_job(document_file(self._nuke, node), uid, on_notice=tell))

    def saved(self) -> None:
        """The script on disk knows these sessions: from there it can be opened again."""
        nodes = list(plates.adopted(self._nuke))
        for node in nodes:
            plates.adopt(self._nuke, node)
        self._saved = {documents.session(node).session_id for node in nodes} - {""}
        for session_id in self._saved:
            self._left.came_back(session_id)
        self._be_present(bool(nodes))

    def closed(self, sessions: Iterable[PlateSession]) -> list[Closing]:
        """The script goes: what gives back sessions that no saved script knows, and those of long ago."""
        self._leave()
        address = self._owner.host.connection_settings().address
        closings: list[Closing] = []
        for session in sessions:
            if not session.session_id:
                continue
            if session.session_id not in self._saved:
                closings.append(session.close)
                continue
            old = self._left.leave(address, [session.session_id])
            closings.extend(partial(session.close_other, session_id) for session_id in old)
        return closings

    def _may_find_server(self) -> bool:
        """False where a server would have to be started first, which holds nothing."""
        return self._owner.connection.is_open or bool(self._owner.host.connection_settings().address)

    def _look_for_session(self, node: Node) -> None:
        from masklet.hosting.work import plate_work

        try:
            self._owner.start(
                node, phrase("Looking for masks"), plate_work.come_back, wait=False, is_long=False
            )
        except MaskletError as error:
            self._owner.tell(node, notice_of(error))

    def _be_present(self, has_plates: bool) -> None:
        file = script_file(self._nuke)
        if self._presence is not None and str(self._presence.document) != file:
            self._leave()
        # A farm opens scripts by the hundred and prompts in none of them.
        if file and has_plates and self._nuke.GUI and self._presence is None:
            self._presence = _Beating(Path(file))

    def _leave(self) -> None:
        if self._presence is not None:
            self._presence.leave()
            self._presence = None


class _Beating(Presence):
    """Beats in a thread of its own, which touches files alone."""

    def __init__(self, document: Path) -> None:
        super().__init__(document)
        self.others: tuple[Other, ...] = self.beat()
        self._ended = threading.Event()
        threading.Thread(target=self._run, daemon=True, name="masklet-presence").start()

    def leave(self) -> None:
        """Take the note away, and write no other."""
        self._ended.set()
        super().leave()

    def _run(self) -> None:
        while not self._ended.wait(BEAT_S):
            self.others = self.beat()


def _others_sentence(others: tuple[Other, ...]) -> str:
    return phrase(
        "This script is open in another Nuke too ({names}): save it under another name, or the one who saves "
        "last wins",
        names=", ".join(f"{other.user}, {other.machine}" for other in others),
    )
