from __future__ import annotations

import threading
from pathlib import Path

import pytest

from fakes.prompted_server import PromptedServer
from masklet.client import Server
from masklet.errors import (
    AccessDeniedError,
    BadInputError,
    CancelledError,
    HelperError,
    MaskletError,
    ServerUnreachableError,
)
from masklet.hosting.repair_words import RepairWords
from masklet.hosting.work.connection import (
    Connection,
    ConnectionSettings,
    connect,
    describe,
    naming_setting,
)
from masklet.phrases import phrase
from masklet.types import ServerInfo

WORDS = RepairWords(
    host="Roto",
    find_pictures=phrase("find them with Media, Relink"),
    go_online=phrase("turn on Network in Settings"),
    token_file=phrase("the token's file is in Settings, masklet"),
    helper_python=phrase("the helper is in Settings, masklet"),
    server=phrase("the server is in Settings, masklet"),
)


class Connector:
    """Counts the servers it made."""

    def __init__(self) -> None:
        self.transports: list[PromptedServer] = []

    def __call__(self, settings: ConnectionSettings) -> Server:
        self.transports.append(PromptedServer())
        return Server(self.transports[-1])


@pytest.mark.parametrize("address", ["gpu.studio:50051", "10.0.0.7:50051"])
def test_another_machine_is_refused_while_the_host_may_not_go_online(address: str) -> None:
    connector = Connector()
    with pytest.raises(
        ServerUnreachableError, match=r"Roto may not go online.*: turn on Network in Settings"
    ):
        Connection(connector).server(ConnectionSettings(address, may_go_online=False, words=WORDS))
    assert connector.transports == []


@pytest.mark.parametrize("address", ["", "localhost:50051", "127.0.0.1:50051", "[::1]:50051"])
def test_this_machine_is_reached_without_going_online(address: str) -> None:
    connector = Connector()
    Connection(connector).server(ConnectionSettings(address, may_go_online=False))
    assert len(connector.transports) == 1


def test_the_same_settings_keep_the_same_server_and_others_take_its_place() -> None:
    connector = Connector()
    connection = Connection(connector)
    first = connection.server(ConnectionSettings("localhost:1"))
    assert connection.server(ConnectionSettings("localhost:1")) is first
    second = connection.server(ConnectionSettings("localhost:2"))
    assert second is not first
    assert [transport.closed for transport in connector.transports] == [True, False]


def test_a_server_that_broke_is_let_go_once() -> None:
    connector = Connector()
    connection = Connection(connector)
    first = connection.server(ConnectionSettings())
    connection.drop(first)
    second = connection.server(ConnectionSettings())
    connection.drop(first)
    assert connection.server(ConnectionSettings()) is second
    connection.close()
    connection.close()
    assert not connection.is_open
    assert [transport.closed for transport in connector.transports] == [True, True]


def test_a_server_that_answers_is_described_in_a_sentence() -> None:
    sentence = describe(Server(PromptedServer()), WORDS)
    assert sentence == "The server answers: masklet 0.1.0, fake on cpu."


def test_closing_does_not_wait_for_a_server_that_starts_and_lets_it_go_when_it_is_there() -> None:
    connector, starting, may_start = Connector(), threading.Event(), threading.Event()
    errors: list[CancelledError] = []

    def start(settings: ConnectionSettings) -> Server:
        starting.set()
        assert may_start.wait(10.0)
        return connector(settings)

    def reach() -> None:
        try:
            connection.server(ConnectionSettings())
        except CancelledError as error:
            errors.append(error)

    connection = Connection(start)
    reaching = threading.Thread(target=reach)
    reaching.start()
    assert starting.wait(10.0)
    closing = threading.Thread(target=connection.close)
    closing.start()
    closing.join(5.0)
    was_closed_first = not closing.is_alive()
    may_start.set()
    reaching.join(10.0)
    closing.join(10.0)

    assert was_closed_first
    assert not connection.is_open
    assert len(errors) == 1
    assert [transport.closed for transport in connector.transports] == [True]
    assert connection.server(ConnectionSettings()) is connection.server(ConnectionSettings())


def test_reconnecting_leaves_a_server_alone_that_answers_and_replaces_one_that_does_not() -> None:
    connector = Connector()
    connection = Connection(connector)
    first = connection.server(ConnectionSettings())
    assert connection.healthy_server(ConnectionSettings()) is first
    assert [transport.closed for transport in connector.transports] == [False]

    def is_gone() -> ServerInfo:
        raise ServerUnreachableError("no server answers: start it")

    connector.transports[0].server_info = is_gone  # type: ignore[method-assign]
    assert connection.healthy_server(ConnectionSettings()) is not first
    assert [transport.closed for transport in connector.transports] == [True, False]


def test_leave_to_go_online_does_not_replace_a_server_on_this_machine() -> None:
    connector = Connector()
    connection = Connection(connector)
    first = connection.server(ConnectionSettings(may_go_online=True))
    assert connection.server(ConnectionSettings(may_go_online=False)) is first


@pytest.mark.parametrize(
    ("error", "repair"),
    [
        (
            AccessDeniedError("the server does not know this token: ask its keeper for a new one"),
            "the token's file is in Settings, masklet",
        ),
        (
            HelperError("the Python at /nowhere has no masklet: install it there"),
            "the helper is in Settings, masklet",
        ),
        (
            BadInputError("the token file /nowhere cannot be read: check the path"),
            "the server is in Settings, masklet",
        ),
    ],
)
def test_what_a_setting_helps_against_names_it_in_the_hosts_words(error: MaskletError, repair: str) -> None:
    named = naming_setting(error, WORDS)

    assert type(named) is type(error)
    assert str(named) == f"{error} ({repair})"


def test_a_helper_that_cannot_be_started_names_the_setting(tmp_path: Path) -> None:
    settings = ConnectionSettings(helper_python=str(tmp_path / "python"), words=WORDS)

    with pytest.raises(HelperError, match="the helper is in Settings, masklet"):
        connect(settings)
