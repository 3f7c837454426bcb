"""A helper process and its host: how they meet, work, die and part."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fakes import helper as helpers
from masklet.errors import (
    BadInputError,
    BusyError,
    HelperError,
    MaskletError,
    ServerFaultError,
    ServerUnreachableError,
    VersionError,
)
from masklet.transport.bridge import BridgeTransport
from masklet.transport.bridge_link import WINDOW
from masklet.transport.endpoint import ServerChoice
from masklet.transport.interface import TrackRequest
from platforms import KILL, STOP

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the fake helpers are executable by their first line")


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """Where the fake server writes what happens to it."""
    return tmp_path / "report"


@pytest.fixture
def transport(tmp_path: Path, report: Path) -> Iterator[BridgeTransport]:
    """A helper with a fake server behind it."""
    python = helpers.write_helper(tmp_path, helpers.WITH_A_FAKE_SERVER)
    made = BridgeTransport(ServerChoice("fake:1", weights=str(report)), python)
    yield made
    made.close()


def with_helper(folder: Path, code: str) -> BridgeTransport:
    return BridgeTransport(ServerChoice("fake:1"), helpers.write_helper(folder, code))


def wait_until(is_so: Callable[[], bool], timeout_s: float = 20.0) -> None:
    end_s = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < end_s, "it did not come about"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has asked for its exit code counts as ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


def running(transport: BridgeTransport) -> int:
    pid = transport.helper_pid
    assert pid is not None
    return pid


def test_bytes_come_back_from_the_helper_as_they_were() -> None:
    transport = BridgeTransport(ServerChoice("127.0.0.1:1"), Path(sys.executable))
    payload = bytes(range(256)) * 10_000
    try:
        assert transport.ping(payload) == payload
        assert transport.ping() == b""
    finally:
        transport.close()


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads the process's own record")
def test_the_helper_sees_neither_the_token_in_its_arguments_nor_what_the_host_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in (
        "PYTHONPATH",
        "PYTHONHOME",
        "LD_PRELOAD_X",
        "QT_PLUGIN_PATH",
        "NUKE_PATH",
        "BLENDER_USER",
        "DYLD_X",
    ):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("MASKLET_KEPT", "yes")
    transport = BridgeTransport(
        ServerChoice("127.0.0.1:1", token="a token of the server"), Path(sys.executable)
    )
    try:
        transport.ping()
        process = Path(f"/proc/{running(transport)}")
        arguments = process.joinpath("cmdline").read_bytes().split(b"\0")
        environment = process.joinpath("environ").read_bytes()
    finally:
        transport.close()

    assert arguments[1:4] == [b"-I", b"-m", b"masklet.transport.bridge_process"]
    assert b"token" not in b"".join(arguments)
    assert b"/nowhere" not in environment
    assert b"a token of the server" not in environment
    assert b"MASKLET_KEPT=yes" in environment


def test_strangers_at_the_door_are_sent_away_and_nobody_comes_after_the_helper(tmp_path: Path) -> None:
    transport = with_helper(tmp_path, helpers.AFTER_STRANGERS)
    try:
        assert transport.ping() == b"refused"
    finally:
        transport.close()


def test_a_helper_of_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VersionError, match=r"9\.0\.0.*update the older one"):
        with_helper(tmp_path, helpers.OF_ANOTHER_VERSION).ping()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise SystemExit(3)", "did not start"),
        ("import no_such_module", "has no masklet"),
        ("import sys; sys.exit('no memory left')", "no memory left"),
    ],
)
def test_a_helper_that_does_not_start_says_why(tmp_path: Path, code: str, words: str) -> None:
    with pytest.raises(HelperError, match=words):
        with_helper(tmp_path, code).ping()


def test_an_interpreter_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(HelperError, match=r"cannot be started with .*nowhere.*MASKLET_PYTHON"):
        BridgeTransport(ServerChoice("fake:1"), tmp_path / "nowhere").ping()


def test_a_helper_that_talks_nonsense_is_left_for_another(tmp_path: Path) -> None:
    transport = with_helper(tmp_path, helpers.TALKING_NONSENSE)
    try:
        with pytest.raises(HelperError, match="stopped"):
            transport.ping()
        with pytest.raises(HelperError, match="stopped"):
            transport.ping()
    finally:
        transport.close()


def test_an_answer_of_an_unknown_kind_is_a_matter_of_versions(tmp_path: Path) -> None:
    transport = with_helper(tmp_path, helpers.ANSWERING_STRANGELY)
    try:
        with pytest.raises(VersionError, match="update the older"):
            transport.ping()
    finally:
        transport.close()


def test_a_server_that_cannot_be_reached_is_asked_again_at_the_next_call(tmp_path: Path) -> None:
    python = helpers.write_helper(tmp_path, helpers.WITH_A_FAKE_SERVER)
    transport = BridgeTransport(ServerChoice("fake:1"), python)
    try:
        for _ in range(2):
            with pytest.raises(ServerUnreachableError, match="no server answers there"):
                transport.server_info()
    finally:
        transport.close()


def test_what_nobody_foresaw_in_the_helper_tells_no_secrets(transport: BridgeTransport) -> None:
    with pytest.raises(ServerFaultError) as caught:
        transport.add_object("s1", "broken")

    assert "secret" not in str(caught.value)
    assert transport.server_info().version == "0.1.0"


def test_what_the_helper_does_not_know_is_refused_in_a_sentence(transport: BridgeTransport) -> None:
    transport.server_info()
    link = transport._link
    assert link is not None

    for ask in (
        lambda: link.call("close"),
        lambda: link.call("__class__"),
        lambda: link.call("track", session_id="s1"),
        lambda: next(link.stream("server_info")),
    ):
        with pytest.raises(BadInputError, match="knows no"):
            ask()
    with pytest.raises(ServerFaultError, match="TypeError"):
        link.call("server_info", unknown=1)
    assert transport.server_info().version == "0.1.0"


def test_calls_of_several_threads_run_at_once(transport: BridgeTransport) -> None:
    transport.server_info()
    before_s = time.monotonic()

    with ThreadPoolExecutor(6) as pool:
        infos = list(pool.map(lambda number: transport.add_object("s1", f"object {number}"), range(6)))

    # Each alone takes 0.3 s at the fake server.
    assert time.monotonic() - before_s < 1.5
    assert {info.name for info in infos} == {f"object {number}" for number in range(6)}


def test_more_calls_than_the_helper_takes_are_told_to_wait(transport: BridgeTransport) -> None:
    transport.server_info()

    def add(number: int) -> str:
        try:
            return transport.add_object("s1", f"object {number}").name
        except BusyError as error:
            return str(error)

    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(add, range(100)))

    taken = [answer for answer in answers if answer.startswith("object")]
    assert len(taken) >= 64
    assert all("too many calls" in answer for answer in answers if answer not in taken)
    assert transport.add_object("s1", "later").name == "later"


def test_a_python_without_grpc_is_told_to_get_it(tmp_path: Path) -> None:
    code = "import sys; sys.modules['grpc'] = None\nfrom masklet.transport.bridge_process import main; main()"
    transport = with_helper(tmp_path, code)
    try:
        with pytest.raises(HelperError, match=r"has no gRPC .*pip install"):
            transport.server_info()
    finally:
        transport.close()


def test_a_slow_reader_holds_the_stream_back(transport: BridgeTransport, report: Path) -> None:
    masks = transport.fetch_masks("s1", TrackRequest())
    first = next(masks)
    time.sleep(0.5)

    made = int(report.read_text())
    following = [next(masks).frame for _ in range(20)]

    assert first.frame == 1
    assert made <= WINDOW + 2
    assert following == list(range(2, 22))
    masks.close()


def test_leaving_a_stream_closes_it_at_the_other_end(transport: BridgeTransport, report: Path) -> None:
    masks = transport.fetch_masks("s1", TrackRequest())
    next(masks)

    masks.close()

    wait_until(lambda: report.read_text().startswith("closed after"))
    assert transport.server_info().version == "0.1.0"


def test_a_helper_that_dies_is_noticed_at_once_and_replaced(transport: BridgeTransport, report: Path) -> None:
    masks = transport.fetch_masks("s1", TrackRequest())
    next(masks)
    first = running(transport)
    failures: list[MaskletError] = []

    def ask() -> None:
        try:
            transport.get_prompts("s1")
        except MaskletError as error:
            failures.append(error)

    waiting = threading.Thread(target=ask)
    waiting.start()
    wait_until(report.with_name("asked").exists)
    os.kill(first, KILL)
    killed_s = time.monotonic()
    waiting.join(10)

    assert time.monotonic() - killed_s < 2
    assert [type(error) for error in failures] == [HelperError]
    assert "signal 9" in str(failures[0])
    with pytest.raises(HelperError, match="a new one starts by itself"):
        list(masks)
    assert transport.server_info().version == "0.1.0"
    assert running(transport) != first


def test_closing_ends_the_helper_and_whoever_waits(transport: BridgeTransport, report: Path) -> None:
    failures: list[MaskletError] = []

    def ask() -> None:
        try:
            transport.get_prompts("s1")
        except MaskletError as error:
            failures.append(error)

    waiting = threading.Thread(target=ask)
    waiting.start()
    wait_until(report.with_name("asked").exists)
    pid = running(transport)
    before_s = time.monotonic()

    transport.close()
    waiting.join(10)

    assert time.monotonic() - before_s < 4
    assert "was closed" in str(failures[0])
    wait_until(lambda: gone(pid))
    assert report.read_text() == "server closed"
    with pytest.raises(HelperError, match="was closed"):
        transport.server_info()


@pytest.mark.parametrize("how", [KILL, signal.SIGTERM])
def test_the_helper_ends_with_its_host_and_stops_the_server(
    tmp_path: Path, report: Path, how: signal.Signals
) -> None:
    python = helpers.write_helper(tmp_path, helpers.WITH_A_FAKE_SERVER)
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from masklet.transport.bridge import BridgeTransport\n"
        "from masklet.transport.endpoint import ServerChoice\n"
        f"choice = ServerChoice('fake:1', weights={str(report)!r})\n"
        f"transport = BridgeTransport(choice, Path({str(python)!r}))\n"
        "transport.server_info()\n"
        "print(transport.helper_pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as host:
        assert host.stdout is not None
        pid = int(host.stdout.readline())
        assert not gone(pid)
        host.send_signal(how)

    wait_until(lambda: gone(pid))
    assert report.read_text() == "server closed"


def test_a_frozen_helper_counts_as_dead_after_a_while(
    transport: BridgeTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert STOP is not None
    monkeypatch.setattr("masklet.transport.bridge_link._ANSWER_LOOK_S", 0.1)
    transport.server_info()
    os.kill(running(transport), STOP)

    with pytest.raises(HelperError, match="stopped"):
        transport.server_info()
    assert transport.server_info().version == "0.1.0"


def test_an_answer_that_takes_long_is_waited_for(
    transport: BridgeTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport.server_info()
    monkeypatch.setattr("masklet.transport.bridge_link._ANSWER_LOOK_S", 0.15)

    assert transport.add_object("s1", "late").name == "late"
