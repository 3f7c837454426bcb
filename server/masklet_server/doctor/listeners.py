"""Who listens on this machine in the server's name, and to whom it speaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from masklet.errors import BadInputError
from masklet.findings import Finding, Verdict
from masklet_server.doctor.processes import is_filtered, sockets_of, who_listens
from masklet_server.service.health_probe import NO_EGRESS, Health, ask_health
from masklet_server.service.listen import Address, check_free
from masklet_server.service.network import OpenSocket, listeners, ways_out
from masklet_server.service.settings import ServerSettings

_ASKS_FOR_S = 4.0


def examine_listeners(settings: ServerSettings) -> Iterator[Finding]:
    """Whether the server answers, what else it listens on, and whom it calls."""
    try:
        doors, address = listeners(settings), Address.parse(settings.address)
    except BadInputError:
        # Said of the access already.
        return
    for door in doors:
        yield Finding(Verdict.GOOD, "listener", f"{door.what}: {door.address}, {door.guarded_by}")
    for way in ways_out(settings):
        state = "closed" if way.is_closed else f"only by {way.when}"
        verdict = Verdict.NOTE if way.by_itself and not way.is_closed else Verdict.GOOD
        yield Finding(verdict, "outgoing", f"{way.what}: {way.address}, {state}")
    answer = ask_health(settings, timeout_s=_ASKS_FOR_S)
    if answer.health is Health.SILENT:
        try:
            check_free(address)
        except BadInputError as error:
            yield Finding(Verdict.BAD, "listener", f"{error} ({answer.reason})")
        else:
            yield Finding(Verdict.NOTE, "listener", f"no server runs on {address}; the port is free")
        return
    if answer.health is Health.SERVING:
        yield Finding(Verdict.GOOD, "listener", f"a server answers on {address} and takes work")
    else:
        yield Finding(
            Verdict.NOTE,
            "listener",
            f"a server answers on {address} and takes no work: it drains, or its device hangs",
            "look at its log; start it again where it does not end by itself",
        )
    process = who_listens(address.port)
    if process is None:
        yield Finding(
            Verdict.NOTE,
            "listener",
            "what else the server listens on cannot be seen from here",
            "run this as the server's user, on Linux",
        )
        return
    yield from examine_sockets(sockets_of(process), settings)
    if settings.no_egress:
        has_tried = ask_health(settings, timeout_s=_ASKS_FOR_S, service=NO_EGRESS).health is Health.SERVING
        yield closed_finding(has_tried=has_tried, is_filtered=is_filtered(process))


def closed_finding(*, has_tried: bool, is_filtered: bool) -> Finding:
    """Whether the system really keeps a server that runs from going out.

    Args:
        has_tried: It says that it tried to, in vain.
        is_filtered: All its threads have a filter of system calls, as the system tells.
    """
    if has_tried and is_filtered:
        return Finding(
            Verdict.GOOD, "outgoing", "the system refuses its processes every connection to elsewhere"
        )
    return Finding(
        Verdict.BAD,
        "outgoing",
        "the settings say no-egress, and the server that runs could make connections",
        "start it again with these settings; where its log says that the system cannot close its ways out, "
        "close them with a firewall",
    )


def examine_sockets(sockets: Sequence[OpenSocket], settings: ServerSettings) -> Iterator[Finding]:
    """Compare what a server listens on, and whom it calls, with what its settings say.

    Args:
        sockets: Of its processes.
        settings: As it was started with.
    """
    open_doors = [each for each in sockets if not each.remote]
    ports = {_port(each.local) for each in open_doors}
    allowed = [Address.parse(door.address) for door in listeners(settings)]
    found = ", ".join(sorted({each.local for each in open_doors})) or "nothing"
    yield Finding(Verdict.GOOD, "listener", f"its processes listen on {found}")
    for door in open_doors:
        if any(_is_meant(Address.parse(door.local), each) for each in allowed):
            continue
        yield Finding(
            Verdict.BAD,
            "listener",
            f"its processes listen on {door.local} ({door.kind}), which no setting names",
            "find out what opened it: masklet does not",
        )
    calls = [each for each in sockets if each.leaves_machine and _port(each.local) not in ports]
    for call in calls:
        yield Finding(
            Verdict.NOTE,
            "outgoing",
            f"its processes have a connection to {call.remote} ({call.kind})",
            "a server calls nobody but the collector that --traces names: find out what this is, or start it "
            "with --no-egress",
        )
    if not calls:
        yield Finding(Verdict.GOOD, "outgoing", "its processes have called nobody")


def _is_meant(door: Address, allowed: Address) -> bool:
    """True for a door that a setting names: one that says this machine alone does not mean all others."""
    if allowed.port == 0:
        # A free one, on this machine alone.
        return door.is_loopback
    return door.port == allowed.port and (door.is_loopback or not allowed.is_loopback)


def _port(place: str) -> int:
    return int(place.rpartition(":")[2])
