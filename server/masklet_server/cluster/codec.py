"""Wire messages of the cluster to its values and back."""

from __future__ import annotations

from base64 import b64decode, b64encode

from masklet.scopes import Scope
from masklet.sharing_codec import scopes_from_wire, scopes_to_wire
from masklet.v1 import cluster_pb2, server_pb2
from masklet_server.cluster.ports import Load, Membership, Offer, SessionFacts, Worker, WorkerState

_STATES = {
    WorkerState.ALIVE: cluster_pb2.WORKER_STATE_ALIVE,
    WorkerState.DRAINING: cluster_pb2.WORKER_STATE_DRAINING,
    WorkerState.GONE: cluster_pb2.WORKER_STATE_GONE,
}


def offer_to_wire(offer: Offer) -> cluster_pb2.WorkerOffer:
    """The message of an offer."""
    return cluster_pb2.WorkerOffer(
        name=offer.name, endpoint=offer.endpoint, volume=offer.volume, info=info_of(offer)
    )


def offer_from_wire(message: cluster_pb2.WorkerOffer) -> Offer:
    """The offer in a message."""
    return Offer(message.name, message.endpoint, message.volume, packed_info(message.info))


def info_of(offer: Offer) -> server_pb2.GetServerInfoResponse:
    """What a worker tells clients of itself."""
    return server_pb2.GetServerInfoResponse.FromString(b64decode(offer.info))


def packed_info(info: server_pb2.GetServerInfoResponse) -> str:
    """The same as the directory keeps it."""
    return b64encode(info.SerializeToString()).decode("ascii")


def membership_to_wire(membership: Membership) -> cluster_pb2.WorkerMembership:
    """The message of a membership."""
    return cluster_pb2.WorkerMembership(name=membership.name, incarnation=membership.incarnation)


def membership_from_wire(message: cluster_pb2.WorkerMembership) -> Membership:
    """The membership in a message."""
    return Membership(message.name, message.incarnation)


def load_to_wire(load: Load) -> cluster_pb2.WorkerLoad:
    """The message of what is left."""
    return cluster_pb2.WorkerLoad(
        free_bytes=max(0, load.free_bytes),
        free_sessions=max(0, load.free_sessions),
        is_draining=load.is_draining,
    )


def load_from_wire(message: cluster_pb2.WorkerLoad) -> Load:
    """What is left, from a message."""
    return Load(message.free_bytes, message.free_sessions, message.is_draining)


def facts_to_wire(facts: SessionFacts) -> cluster_pb2.SessionFacts:
    """The message of what is told of a session."""
    return cluster_pb2.SessionFacts(
        owner=facts.owner,
        guests=[
            cluster_pb2.SessionGuest(account=account, rights=scopes_to_wire(map(Scope, rights)))
            for account, rights in facts.guests.items()
        ],
        clip_name=facts.clip_name,
        objects=facts.objects,
        size_bytes=facts.size_bytes,
        content=facts.content,
    )


def facts_from_wire(message: cluster_pb2.SessionFacts) -> SessionFacts:
    """What is told of a session, from a message."""
    guests = {
        each.account: tuple(scope.value for scope in scopes_from_wire(each.rights)) for each in message.guests
    }
    return SessionFacts(
        message.owner, guests, message.clip_name, message.objects, message.size_bytes, message.content
    )


def worker_to_wire(worker: Worker) -> cluster_pb2.WorkerStatus:
    """The message of a worker."""
    return cluster_pb2.WorkerStatus(
        offer=offer_to_wire(worker.offer),
        state=_STATES[worker.state],
        load=load_to_wire(worker.load),
        sessions=worker.sessions,
        silent_s=worker.silent_s,
        incarnation=worker.incarnation,
    )


def worker_from_wire(message: cluster_pb2.WorkerStatus) -> Worker:
    """The worker in a message."""
    known = {wire: state for state, wire in _STATES.items()}
    return Worker(
        offer_from_wire(message.offer),
        message.incarnation,
        known.get(message.state, WorkerState.GONE),
        load_from_wire(message.load),
        message.sessions,
        message.silent_s,
    )
