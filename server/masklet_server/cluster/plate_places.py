"""Which workers have had which plates, as the directory's file remembers it for some days.

Only a hint: a worker that is told from here may have forgotten the plate, and reads it again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

KEPT_S = 3 * 86_400.0
"""What nobody has opened for so long is read anew, wherever that is."""
NOTED_EVERY_S = 3600.0
"""How often it is written that a plate is in use where it was."""

TABLE = """
CREATE TABLE IF NOT EXISTS near (
    content TEXT NOT NULL, worker TEXT NOT NULL, used_s REAL NOT NULL, PRIMARY KEY (content, worker)
) WITHOUT ROWID;
"""


def workers_near(database: sqlite3.Connection, content: str) -> Mapping[str, float]:
    """Names of the workers that have had a plate, and when; none for a plate without a name."""
    if not content:
        return {}
    found = database.execute("SELECT worker, used_s FROM near WHERE content = ?", (content,))
    return {str(name): float(used_s) for name, used_s in found}


def is_news(near: Mapping[str, float], content: str, worker: str, now_s: float) -> bool:
    """True where it has to be written that a worker has a plate."""
    return bool(content) and abs(now_s - near.get(worker, 0.0)) >= NOTED_EVERY_S


def note(database: sqlite3.Connection, content: str, worker: str, now_s: float) -> None:
    """A worker has a plate now."""
    database.execute("INSERT OR REPLACE INTO near VALUES (?, ?, ?)", (content, worker, now_s))


def forget_old(database: sqlite3.Connection, now_s: float) -> None:
    """Delete what was not used for :data:`KEPT_S`, by a clock that may have been set back meanwhile."""
    database.execute("DELETE FROM near WHERE abs(? - used_s) >= ?", (now_s, KEPT_S))
