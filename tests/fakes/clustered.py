"""A cluster on this machine: a gateway in a thread, and workers that are processes of their own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from fakes.kept import KeptServer
from masklet_server.cluster.gateway import Gateway, GatewaySettings
from masklet_server.cluster.ports import LEASE_S
from masklet_server.cluster.sqlite_directory import SqliteDirectory
from masklet_server.service.settings import ServerSettings


@dataclass(frozen=True)
class Certificates:
    """What a server shows, and whose certificates it asks clients for.

    Attributes:
        certificate: PEM.
        key: Of the certificate.
        authority: Of all that belong together.
    """

    certificate: Path
    key: Path
    authority: Path

    @property
    def settings(self) -> dict[str, Path]:
        """By the names of a server's settings."""
        return {
            "tls_certificate": self.certificate,
            "tls_key": self.key,
            "tls_client_ca": self.authority,
        }


class GatewayThread:
    """A gateway that can be stopped and started again on its port and its file.

    Args:
        folder: Holds the directory.
        signed_tokens: Register of tokens; None asks for none.
        lease_s: A worker that has not reported for so long is gone.
        tls: Its certificate, key, and the authority that clients' certificates have to be of.
    """

    def __init__(
        self,
        folder: Path,
        *,
        signed_tokens: Path | None = None,
        lease_s: float = LEASE_S,
        tls: Mapping[str, Path] = MappingProxyType({}),
    ) -> None:
        self._lease_s = lease_s
        self._tls = tls
        self._file = folder / "directory.sqlite"
        self._signed_tokens = signed_tokens
        self.address = "127.0.0.1:0"
        self._gateway: Gateway | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    @property
    def directory(self) -> SqliteDirectory:
        assert self._gateway is not None
        return self._gateway.directory

    def start(self) -> None:
        ready = threading.Event()
        failures: list[BaseException] = []

        async def serve() -> None:
            self._stopping = asyncio.Event()
            access = ServerSettings(address=self.address, signed_tokens=self._signed_tokens, **self._tls)
            try:
                self._gateway = Gateway(GatewaySettings(access, self._file, lease_s=self._lease_s))
                self.address = str(await self._gateway.start())
            except BaseException as error:
                failures.append(error)
                raise
            finally:
                ready.set()
            await self._stopping.wait()
            await self._gateway.stop()

        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(serve(),), daemon=True)
        self._thread.start()
        ready.wait(30)
        if failures:
            raise failures[0]

    def stop(self) -> None:
        if self._thread is not None and self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(30)
            self._thread = None


@dataclass
class Cluster:
    """A gateway and its workers.

    Args:
        folder: Holds clips, journals and the directory.
        frame_s: What a frame takes.
        signed_tokens: Register of tokens; None asks for none.
        worker_token: File with the token of the workers.
        certificates: Of gateway and workers; None without TLS.
    """

    folder: Path
    frame_s: float = 0.0
    signed_tokens: Path | None = None
    worker_token: Path | None = None
    certificates: Certificates | None = None
    workers: dict[str, KeptServer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shown = self.certificates
        self.gateway = GatewayThread(
            self.folder, signed_tokens=self.signed_tokens, tls={} if shown is None else shown.settings
        )
        self._left = ExitStack()

    def __enter__(self) -> Cluster:
        self.gateway.start()
        self._left.callback(self.gateway.stop)
        return self

    def __exit__(self, *_: object) -> None:
        self._left.close()

    @property
    def address(self) -> str:
        return self.gateway.address

    def start(self, name: str, more: Sequence[str] = ()) -> KeptServer:
        """A worker, or the next one of this name."""
        asked: list[str] = ["--gateway", self.address, "--worker", name, *more]
        if self.signed_tokens is not None:
            asked += ["--signed-tokens", str(self.signed_tokens)]
            asked += ["--gateway-token-file", str(self.worker_token)]
        if self.certificates is not None:
            authority = str(self.certificates.authority)
            asked += ["--gateway-ca", authority, "--tls-client-ca", authority]
            for whose in ("tls", "gateway"):
                asked += [f"--{whose}-cert", str(self.certificates.certificate)]
                asked += [f"--{whose}-key", str(self.certificates.key)]
        worker = self.workers[name] = KeptServer(self.folder, self.frame_s, asked)
        worker.start()
        self._left.callback(self._end, worker)
        return worker

    def at(self, session_id: str) -> str:
        """The name of the worker that has a session."""
        found = self.gateway.directory.locate(session_id)
        assert found is not None
        return found.worker

    def lives(self, name: str) -> bool:
        """True while a worker's process is there."""
        return name in self.workers and self.workers[name].process.poll() is None

    def state(self, name: str) -> str:
        """What the directory says of a worker."""
        return self.gateway.directory.worker(name).state.value

    @staticmethod
    def _end(worker: KeptServer) -> None:
        if worker.process.poll() is None:
            worker.kill()


def wait_until(holds: Callable[[], bool], *, within_s: float = 30.0) -> None:
    """Wait until something is true, and fail where it never is."""
    until_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < until_s
        time.sleep(0.05)
