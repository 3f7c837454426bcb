"""The server's log: a line for people, or a line of JSON with who asked for it."""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import datetime, timezone

from masklet_server.service.call_watch import CALLS_LOGGER, current_call


class JsonLines(logging.Formatter):
    """One object of JSON a line: time, level, logger, message, and the call that it belongs to."""

    def format(self, record: logging.LogRecord) -> str:  # noqa: D102  (logging's)
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        call = current_call.get()
        if call is not None:
            line.update(call.facts())
        facts = getattr(record, "facts", None)
        if isinstance(facts, dict):
            line.update(facts)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        # In ASCII, so that no name of a client changes how a terminal or a collector reads the line.
        return json.dumps(line, default=str)


class TextLines(logging.Formatter):
    """A line for people, in the time of the machine."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self.converter = time.localtime


def set_up_log(*, as_json: bool) -> None:
    """Write the log to standard error, every call's end as well where programs read it."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else TextLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # For people, an artist's hundred clicks are no news.
    calls = logging.INFO if as_json else logging.WARNING
    logging.getLogger(CALLS_LOGGER).setLevel(calls)
