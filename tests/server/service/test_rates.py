"""Who asks too often is told when to ask again, and others do not notice."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from fakes.engine import FakeClock
from fakes.service import new_id, refusal, running
from masklet.v1 import server_pb2, session_pb2
from masklet_server.identity.caller import EVERYBODY, LOCAL_USER, Identity, named
from masklet_server.service.rates import Rates, RateSettings, TooManyCallsError
from masklet_server.service.settings import ServerSettings

ANN, BOB, EVE = Identity("ann"), Identity("bob"), Identity("ann", tenant="acme")


def taken(rates: Rates, identity: Identity, calls: int, *, opens: bool = False) -> int:
    """How many of so many calls are let through."""
    through = 0
    for _ in range(calls):
        try:
            rates.take(identity, opens=opens)
            through += 1
        except TooManyCallsError:
            pass
    return through


def test_a_burst_is_let_through_and_then_so_many_a_second() -> None:
    clock = FakeClock()
    rates = Rates(RateSettings(user_calls_per_s=10), clock_s=clock)

    assert taken(rates, ANN, 100) == 20
    clock.now_s += 1
    assert taken(rates, ANN, 100) == 10
    clock.now_s += 3600
    assert taken(rates, ANN, 100) == 20


def test_users_and_tenants_are_counted_apart() -> None:
    rates = Rates(RateSettings(user_calls_per_s=10, tenant_calls_per_s=15), clock_s=FakeClock())

    assert taken(rates, ANN, 100) == 20
    assert taken(rates, BOB, 100) == 10, "the rest of the tenant's thirty"
    assert taken(rates, EVE, 100) == 20


def test_opening_has_a_rate_of_its_own() -> None:
    clock = FakeClock()
    rates = Rates(RateSettings(user_opens_per_min=6, tenant_opens_per_min=8), clock_s=clock)

    assert taken(rates, ANN, 100, opens=True) == 6
    assert taken(rates, BOB, 100, opens=True) == 2
    assert taken(rates, ANN, 10) == 10
    clock.now_s += 10
    assert taken(rates, ANN, 100, opens=True) == 1


def test_the_refusal_says_what_is_allowed_and_when_and_is_first_once_in_ten_seconds() -> None:
    clock = FakeClock()
    rates = Rates(RateSettings(user_calls_per_s=2), clock_s=clock)
    taken(rates, ANN, 4)

    with pytest.raises(TooManyCallsError, match=r"2 calls a second .* try again in 0.5 seconds") as first:
        rates.take(ANN)
    with pytest.raises(TooManyCallsError) as second:
        rates.take(ANN)
    clock.now_s += 10
    taken(rates, ANN, 4)
    with pytest.raises(TooManyCallsError) as third:
        rates.take(ANN)
    assert [each.value.is_first for each in (first, second, third)] == [True, False, True]


def test_nobody_is_counted_where_nobody_is_asked_and_nothing_where_there_is_no_limit() -> None:
    rates = Rates(RateSettings(1, 1, 1, 1), clock_s=FakeClock())
    for nobody in (EVERYBODY, named(LOCAL_USER)):
        assert taken(rates, nobody, 1000, opens=True) == 1000
    rates.settings = RateSettings(0, 0, 0, 0)
    assert taken(rates, ANN, 1000, opens=True) == 1000


def test_a_hundred_opens_a_second_are_limited_and_others_click_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = "ann-has-a-long-token", "bob-has-a-long-token"
    tokens = tmp_path / "tokens"
    tokens.write_text(f"ann:{ann}\nbob:{bob}\n")
    tokens.chmod(0o600)
    settings = ServerSettings(token_file=tokens, rates=RateSettings(user_opens_per_min=30))

    async def run() -> None:
        async with (
            running(tmp_path, settings=settings) as server,
            server.client(token=ann) as greedy,
            server.client(token=bob) as other,
        ):
            monkeypatch.setattr(server.server._rates, "_clock_s", FakeClock())
            session_id, (hero,) = await other.clicked(server.root / "clip")
            ended: list[str] = []

            async def storm() -> None:
                for _ in range(100):
                    request = session_pb2.OpenSessionRequest(
                        request_id=new_id(), path=str(server.root / "clip")
                    )
                    try:
                        await greedy.sessions.OpenSession(request)
                        ended.append("OK")
                    except grpc.aio.AioRpcError as error:
                        ended.append(error.code().name)

            storming = asyncio.create_task(storm())
            # None of them is refused.
            for frame in range(1, 31):
                await other.click(session_id, hero, frame=1 + frame % 5)
            await storming

            assert ended.count("OK") == 30
            assert ended.count("RESOURCE_EXHAUSTED") == 70

            # As the settings file is read again: at once, without a restart.
            left = server.server.apply(
                replace(server.server._settings, rates=RateSettings(user_calls_per_s=1))
            )
            assert left == ()
            calls = [greedy.server.GetServerInfo(server_pb2.GetServerInfoRequest()) for _ in range(10)]
            refused = [await _status(call) for call in calls]
            assert refused.count("RESOURCE_EXHAUSTED") == 8
            call = greedy.server.GetServerInfo(server_pb2.GetServerInfoRequest())
            assert (await refusal(call))[1] == "busy"

    asyncio.run(run())


async def _status(call: object) -> str:
    try:
        await call  # type: ignore[misc]
    except grpc.aio.AioRpcError as error:
        return str(error.code().name)
    return "OK"
