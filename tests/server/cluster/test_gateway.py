"""What a gateway answers: where things are, to those who may know, and nothing to anybody else."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator

import grpc.aio
import pytest

import masklet
from fakes.clustered import GatewayThread
from fakes.protocol import bearer, methods
from fakes.service import MODEL
from masklet import codec as wire
from masklet.errors import (
    AccessDeniedError,
    BadInputError,
    ClipError,
    NotPermittedError,
    ServerUnreachableError,
    SessionNotFoundError,
    VersionError,
)
from masklet.scopes import SHARED, Scope
from masklet.transport.endpoint import Endpoint
from masklet.types import ServerInfo
from masklet.v1 import cluster_pb2
from masklet.version import VERSION
from masklet_server.cluster import gateway as gateway_module
from masklet_server.cluster.codec import packed_info
from masklet_server.cluster.gateway import Gateway, GatewaySettings
from masklet_server.cluster.ports import (
    LEASE_S,
    REPORT_EVERY_S,
    Load,
    Membership,
    NameOfAnotherError,
    Offer,
    SessionFacts,
)
from masklet_server.cluster.remote_roster import RemoteRoster
from masklet_server.cluster.rules import GATEWAY_RULES, WORKER_RULES
from masklet_server.identity.caller import named
from masklet_server.identity.signed_tokens import make_token
from masklet_server.service.interceptor import ENDPOINT_KEY
from masklet_server.service.settings import ServerSettings

SESSION = "ab" * 16
ABSENT = "cd" * 16
INFO = ServerInfo(VERSION, "a GPU", MODEL, (MODEL,), 8, 16, 4096, 1 << 30, opens_paths=True)


@dataclasses.dataclass
class Guarded:
    """A gateway that asks for tokens, and one worker that is not there but in name."""

    gateway: GatewayThread
    tokens: dict[str, str]
    membership: Membership | None = None

    def roster(self, who: str = "cluster") -> RemoteRoster:
        return RemoteRoster(Endpoint(self.gateway.address, token=self.tokens[who], plaintext=True))


def offer(name: str = "gpu0", *, endpoint: str = "127.0.0.1:9") -> Offer:
    return Offer(name, endpoint, "ef" * 16, packed_info(wire.server_to_wire(INFO)))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("gateway")
    register = folder / "tokens.json"
    tokens = {
        who: make_token(register, named(who, scopes=SHARED), 3600.0)[0]
        for who in ("ann", "ben", "eve", "acme/ann")
    }
    tokens["cluster"] = make_token(register, named("cluster", scopes=(Scope.ADMIN,)), 3600.0)[0]
    made = Guarded(GatewayThread(folder, signed_tokens=register, lease_s=600.0), tokens)
    made.gateway.start()
    roster = made.roster()
    made.membership = roster.join(offer())
    roster.report(made.membership, Load(1 << 30, 4))
    facts = SessionFacts("ann", {"ben": ("read", "prompt")}, "plate.mov", 2)
    roster.claim(made.membership, SESSION, facts)
    yield made
    made.gateway.stop()


def test_every_call_about_a_session_is_sent_on_for_those_who_get_in_and_unknown_to_all_others(
    guarded: Guarded,
) -> None:
    about = [each for each in methods() if "session_id" in each.request.fields_by_name]
    assert len(about) >= 30

    async def ask() -> None:
        async with grpc.aio.insecure_channel(guarded.gateway.address) as channel:
            for who in ("ann", "ben"):
                metadata = bearer(guarded.tokens[who])
                for method in about:
                    status, kind, text, trailing = await method.answer(
                        channel, method.message(session_id=SESSION), metadata
                    )
                    assert (status, kind) == ("FAILED_PRECONDITION", "elsewhere"), method.path
                    assert dict(trailing)[ENDPOINT_KEY] == "127.0.0.1:9"
                    assert "update the one on your machine" in text
            for who in ("eve", "acme/ann"):
                metadata = bearer(guarded.tokens[who])
                for method in about:
                    found, absent = [
                        await method.answer(channel, method.message(session_id=each), metadata)
                        for each in (SESSION, ABSENT)
                    ]
                    assert found == absent, method.path
                    assert found[:2] in (("NOT_FOUND", "session-not-found"), ("OK", "")), method.path

    asyncio.run(ask())


def test_who_has_no_token_that_counts_learns_nothing(guarded: Guarded) -> None:
    with pytest.raises(AccessDeniedError):
        masklet.connect(guarded.gateway.address, token="x" * 40)
    with masklet.connect(guarded.gateway.address, token=guarded.tokens["acme/ann"]) as stranger:
        assert stranger.sessions() == ()
        with pytest.raises(SessionNotFoundError):
            stranger.resume(SESSION)


def test_a_guest_sees_whose_a_session_is_and_what_may_be_done_there(guarded: Guarded) -> None:
    with masklet.connect(guarded.gateway.address, token=guarded.tokens["ben"]) as guest:
        (summary,) = guest.sessions()
    assert (summary.session_id, summary.owner, summary.objects) == (SESSION, "ann", 2)
    assert summary.rights == (Scope.READ, Scope.PROMPT)


def test_only_the_keepers_token_makes_workers_and_drains_them(guarded: Guarded) -> None:
    artist = guarded.roster("ann")
    assert guarded.membership is not None
    for call in (
        lambda: artist.join(offer("mine")),
        lambda: artist.claim(guarded.membership, ABSENT, SessionFacts("ann")),  # type: ignore[arg-type]
        lambda: artist.release(SESSION, 1),
        lambda: artist.drain("gpu0"),
        artist.workers,
    ):
        with pytest.raises(NotPermittedError, match="needs admin"):
            call()
    for path, rules in (("ClusterService", GATEWAY_RULES), ("JournalService", WORKER_RULES)):
        service = cluster_pb2.DESCRIPTOR.services_by_name[path]
        calls = {f"/{service.full_name}/{method.name}" for method in service.methods}
        assert {each for each in rules if path in each} == calls
        assert {rules[each].scope for each in calls} == {Scope.ADMIN}


def test_a_worker_says_who_it_is_or_is_refused(guarded: Guarded) -> None:
    roster = guarded.roster()
    with pytest.raises(NameOfAnotherError, match=r"gpu0 is at 127\.0\.0\.1:9 already"):
        roster.join(offer(endpoint="127.0.0.1:10"))
    for bad in ("", "../x", "a b", "x" * 101):
        with pytest.raises(BadInputError, match="is no name for a worker"):
            roster.join(offer(bad))
    with pytest.raises(BadInputError):
        roster.join(offer("other", endpoint="nowhere"))
    port = guarded.gateway.address.rpartition(":")[2]
    for own in (f"127.0.0.1:{port}", f"localhost:{port}"):
        with pytest.raises(BadInputError, match="is the address of the cluster's front door"):
            roster.join(offer("other", endpoint=own))
    assert [(each.name, each.sessions) for each in roster.workers()] == [("gpu0", 1)]


def test_a_worker_whose_protocol_artists_do_not_speak_is_refused_and_the_next_patch_is_not(
    guarded: Guarded,
) -> None:
    roster = guarded.roster()

    def of(version: str) -> Offer:
        info = packed_info(wire.server_to_wire(dataclasses.replace(INFO, version=version)))
        return dataclasses.replace(offer("upgraded", endpoint="127.0.0.1:10"), info=info)

    major, minor, patch = VERSION.split(".")
    with pytest.raises(VersionError, match="install the same on both"):
        roster.join(of(f"{major}.{int(minor) + 1}.0"))
    roster.leave(roster.join(of(f"{major}.{minor}.{int(patch) + 1}")))


def test_whatever_the_directorys_disk_does_tokens_are_read_and_silence_is_told_from_a_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gateway_module, "TIDY_EVERY_S", 0.0)
    monkeypatch.setattr(gateway_module, "BEATS_EVERY_S", 0.0)
    done: Counter[str] = Counter()

    def failing(what: str) -> Callable[[], None]:
        def fail() -> None:
            done[what] += 1
            raise ClipError("the plate's disk has not answered for 10 seconds")

        return fail

    async def work() -> None:
        gateway = Gateway(GatewaySettings(ServerSettings(address="127.0.0.1:0")))
        monkeypatch.setattr(gateway.directory, "tidy", failing("tidied"))
        monkeypatch.setattr(gateway.directory, "beat", failing("beaten"))
        monkeypatch.setattr(gateway._door, "refresh", lambda: done.update(["read"]))
        await gateway.start()
        async with asyncio.timeout(30):
            while min(done["tidied"], done["read"] - 2, done["beaten"] - 2) < 1:
                await asyncio.sleep(0.01)
        await gateway.stop()

    asyncio.run(work())


def test_a_report_that_comes_to_nothing_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    roster = RemoteRoster(Endpoint("127.0.0.1:1", plaintext=True))
    waited_s: list[float] = []

    def call(*_: object, timeout_s: float, **__: object) -> cluster_pb2.ReportWorkerResponse:
        waited_s.append(timeout_s)
        return cluster_pb2.ReportWorkerResponse()

    monkeypatch.setattr(roster._channel, "call", call)
    for lease_s in (LEASE_S, 60.0):
        roster.report(Membership("gpu0", 1, lease_s), Load(1, 1))
        # The one before it began a reporting period earlier, and that is when it was heard last.
        assert REPORT_EVERY_S + waited_s[-1] < lease_s
    roster.close()


def test_a_call_that_is_sent_in_a_circle_ends(guarded: Guarded) -> None:
    roster = guarded.roster()
    circling = roster.join(offer("circling", endpoint="127.0.0.1:11"))
    known = guarded.gateway.directory._known["circling"]
    # As if its name in the network led back here.
    known.offer = dataclasses.replace(known.offer, endpoint=guarded.gateway.address)
    roster.report(circling, Load(1, 1))
    roster.claim(circling, "34" * 16, SessionFacts("ann"))
    with (
        masklet.connect(guarded.gateway.address, token=guarded.tokens["ann"]) as client,
        pytest.raises(ServerUnreachableError, match="has given a server the address of a front door"),
    ):
        client.resume("34" * 16)
    roster.leave(circling)


def test_a_token_is_never_sent_in_the_clear_to_another_machine(guarded: Guarded) -> None:
    roster = guarded.roster()
    far = roster.join(offer("far", endpoint="render7.example:7700"))
    roster.report(far, Load(1, 1))
    roster.claim(far, "12" * 16, SessionFacts("ann"))
    with (
        masklet.connect(guarded.gateway.address, token=guarded.tokens["ann"]) as client,
        pytest.raises(ServerUnreachableError, match=r"render7\.example:7700, which is another machine"),
    ):
        client.resume("12" * 16)
    roster.leave(far)
