from __future__ import annotations

from pathlib import Path

import pytest
from grpc._cython import cygrpc

from masklet.transport.grpc_channel import OPTIONS as CLIENT
from masklet.transport.grpc_channel import WORKER_OPTIONS
from masklet_server.service.listen import OPTIONS as SERVER

# gRPC takes options of any name and is silent about those that it does not know.
LIBRARY = Path(cygrpc.__file__).read_bytes()


@pytest.mark.parametrize("name", sorted({name for name, _ in (*CLIENT, *WORKER_OPTIONS, *SERVER)}))
def test_every_option_is_one_that_grpc_knows(name: str) -> None:
    assert name.encode() + b"\0" in LIBRARY


def test_a_server_allows_more_pings_than_its_clients_send() -> None:
    pause_ms = min(dict(each)["grpc.keepalive_time_ms"] for each in (CLIENT, WORKER_OPTIONS))

    assert dict(SERVER)["grpc.http2.min_ping_interval_without_data_ms"] < pause_ms
