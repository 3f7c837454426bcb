"""Stands in for the site that publishes checkpoints, or for a proxy before it: HTTP on this machine."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Site:
    """A loopback web server with one file, which it can break off, hold back or change."""

    content: bytes = bytes(range(256)) * 12_000
    tag: str = '"one"'
    break_after_bytes: list[int] = field(default_factory=list)
    hold_after_bytes: list[int] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)
    status: int | None = None
    sends_on_to: str = ""
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    address: str = ""


@contextmanager
def weights_site() -> Iterator[Site]:
    """A site for the length of a ``with``."""
    site = Site()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.requests.append((self.path, self.headers.get("Range")))
            if site.status is not None:
                self.send_error(site.status)
                return
            if site.sends_on_to and not self.path.endswith("moved.pt"):
                self.send_response(302)
                self.send_header("Location", site.sends_on_to)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            start = 0
            if self.headers.get("Range") and self.headers.get("If-Range") == site.tag:
                start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            if start >= len(site.content):
                self.send_error(416)
                return
            body = site.content[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", site.tag)
            self.end_headers()
            if site.break_after_bytes:
                body = body[: site.break_after_bytes.pop(0)]
            if site.hold_after_bytes:
                count = site.hold_after_bytes.pop(0)
                self.wfile.write(body[:count])
                site.go_on.wait(timeout=60)
                body = body[count:]
            # Whoever asked may be gone by now.
            with suppress(ConnectionError):
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    site.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        site.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()
