"""What the doctor says of the doors of a server that runs, and of calls that it makes."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.service import running
from masklet.findings import Finding, Verdict
from masklet_server.doctor.listeners import closed_finding, examine_listeners, examine_sockets
from masklet_server.doctor.processes import is_filtered, sockets_of, who_listens
from masklet_server.service.network import OpenSocket
from masklet_server.service.settings import ServerSettings

linux = pytest.mark.skipif(sys.platform != "linux", reason="sockets of a process are told by Linux alone")
SETTINGS = ServerSettings(address="127.0.0.1:7700", metrics_port=9464)


@contextmanager
def listening(family: int, host: str) -> Iterator[int]:
    with socket.socket(family, socket.SOCK_STREAM) as door:
        door.bind((host, 0))
        door.listen()
        yield int(door.getsockname()[1])


@linux
@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_process_is_found_by_its_door(family: int, host: str) -> None:
    try:
        with listening(family, host) as port:
            assert who_listens(port) == os.getpid()
            mine = [each for each in sockets_of(os.getpid()) if each.local.endswith(f":{port}")]
            assert [each.remote for each in mine] == [""]
    except OSError:
        pytest.skip("this machine has no IPv6")


def door(place: str) -> OpenSocket:
    return OpenSocket("tcp", place, "")


def call(port: int, remote: str) -> OpenSocket:
    return OpenSocket("tcp", f"10.0.0.1:{port}", remote)


def said(*sockets: OpenSocket, settings: ServerSettings = SETTINGS) -> list[Finding]:
    return [each for each in examine_sockets(sockets, settings) if each.verdict is not Verdict.GOOD]


def test_doors_that_the_settings_name_are_no_news() -> None:
    doors = (door("127.0.0.1:7700"), door("127.0.0.1:9464"), door("127.0.0.1:7780"))
    settings = replace(SETTINGS, status_address="127.0.0.1:7780")

    assert said(*doors, call(7700, "10.0.0.9:50000"), settings=settings) == []


def test_a_free_port_of_this_machine_may_be_any_and_one_for_others_may_not() -> None:
    settings = replace(SETTINGS, metrics_port=0)

    assert said(door("127.0.0.1:7700"), door("127.0.0.1:40001"), settings=settings) == []
    assert said(door("127.0.0.1:7700"), door("0.0.0.0:40001"), settings=settings)[0].verdict is Verdict.BAD


def test_a_door_that_no_setting_names_is_bad() -> None:
    (finding,) = said(door("127.0.0.1:7700"), door("0.0.0.0:4444"))

    assert finding.verdict is Verdict.BAD
    assert "0.0.0.0:4444" in finding.cause


def test_a_door_for_this_machine_alone_that_is_open_to_all_is_bad() -> None:
    (finding,) = said(door("0.0.0.0:7700"))
    (page,) = said(door("127.0.0.1:7700"), door("[::]:9464"))

    assert (finding.verdict, page.verdict) == (Verdict.BAD, Verdict.BAD)
    assert said(door("0.0.0.0:7700"), settings=replace(SETTINGS, address="0.0.0.0:7700")) == []
    assert said(door("10.0.0.1:7700"), settings=replace(SETTINGS, address="gpu1:7700")) == []


@pytest.mark.parametrize("has_tried", [True, False])
@pytest.mark.parametrize("is_filtered", [True, False])
def test_ways_out_count_as_closed_when_server_and_system_say_so(has_tried: bool, is_filtered: bool) -> None:
    finding = closed_finding(has_tried=has_tried, is_filtered=is_filtered)

    assert (finding.verdict is Verdict.GOOD) == (has_tried and is_filtered)


@linux
def test_a_server_that_was_started_without_the_wall_that_its_settings_want_is_bad(tmp_path: Path) -> None:
    async def run() -> list[Finding]:
        async with running(tmp_path) as server:
            settings = replace(SETTINGS, address=server.address, metrics_port=None, no_egress=True)
            return await asyncio.to_thread(lambda: list(examine_listeners(settings)))

    (finding,) = [each for each in asyncio.run(run()) if "no-egress" in each.cause]
    assert finding.verdict is Verdict.BAD


@linux
def test_a_process_with_a_filter_is_told_from_one_without() -> None:
    code = (
        "from masklet_server.sandbox.no_egress import close_ways_out\n"
        "close_ways_out()\n"
        "print(flush=True)\n"
        "input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as closed:
        assert closed.stdin is not None
        assert closed.stdout is not None
        closed.stdout.readline()
        assert is_filtered(closed.pid) is True
        closed.stdin.close()
    # One that has ended tells nothing.
    assert is_filtered(closed.pid) is False


def test_a_call_to_somebody_is_noticed() -> None:
    (finding,) = said(door("127.0.0.1:7700"), call(50000, "203.0.113.9:443"))

    assert finding.subject == "outgoing"
    assert "203.0.113.9:443" in finding.cause
    assert said(door("127.0.0.1:7700"), call(50000, "127.0.0.1:4318")) == []


def test_ways_out_of_the_settings_are_told() -> None:
    def outgoing(settings: ServerSettings) -> list[Finding]:
        return [each for each in examine_listeners(settings) if each.subject == "outgoing"]

    silent = replace(SETTINGS, address="127.0.0.1:1")
    assert [each.verdict for each in outgoing(silent)] == [Verdict.GOOD]
    telling = outgoing(replace(silent, traces="http://10.0.0.2:4318"))[-1]
    assert telling.verdict is Verdict.NOTE
    assert "http://10.0.0.2:4318" in telling.cause
    assert "closed" in outgoing(replace(silent, no_egress=True))[0].cause


@linux
def test_a_server_that_runs_is_asked(tmp_path: Path) -> None:
    async def run() -> list[Finding]:
        async with running(tmp_path) as server:
            settings = replace(SETTINGS, address=server.address, metrics_port=None)
            return await asyncio.to_thread(lambda: list(examine_listeners(settings)))

    found = asyncio.run(run())

    assert any("takes work" in finding.cause for finding in found)
    assert any("its processes listen on" in finding.cause for finding in found)


def test_a_port_that_something_else_has_is_bad() -> None:
    with listening(socket.AF_INET, "127.0.0.1") as port:
        # It listens and says nothing.
        settings = replace(SETTINGS, address=f"127.0.0.1:{port}")
        found = list(examine_listeners(settings))

    assert any(finding.verdict is Verdict.BAD and "taken" in finding.cause for finding in found)


def test_a_free_port_without_a_server_is_worth_a_note() -> None:
    with listening(socket.AF_INET, "127.0.0.1") as port:
        pass

    found = list(examine_listeners(replace(SETTINGS, address=f"127.0.0.1:{port}")))

    assert found[-1].verdict is Verdict.NOTE
    assert "the port is free" in found[-1].cause
