"""A stand-in for OpenCue's server, on its own protocol (``opencue_proto``): it takes jobs, and runs none.

It refuses what the real server refuses, as ``JobSpec.java`` of OpenCue has it: jobs of root, names that are
too short or hold other signs than letters, digits, dots and underscores, layers of one name, too many layers,
and layers that wait for others that are not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from xml.etree import ElementTree

import grpc
from opencue_proto import cue_pb2, cue_pb2_grpc, job_pb2, job_pb2_grpc

_NAME = re.compile(r"[\w.]{3,}")
_MOST_LAYERS = 1000


@dataclass(frozen=True)
class CueLayer:
    """A layer as the server has it.

    Attributes:
        name: Small letters.
        command: For a shell; ``#IFRAME#`` is the frame's number.
        frames: Its range.
        after: The layers that it waits for.
        gpu_memory: In KiB, as it was written; empty for none.
    """

    name: str
    command: str
    frames: str
    after: tuple[str, ...]
    gpu_memory: str


@dataclass
class Cuebot(cue_pb2_grpc.CueInterfaceServicer, job_pb2_grpc.JobInterfaceServicer):
    """The server.

    Attributes:
        jobs: What was taken: layers by the name of the job.
    """

    jobs: dict[str, tuple[CueLayer, ...]] = field(default_factory=dict)

    def GetSystemStats(
        self, request: cue_pb2.CueGetSystemStatsRequest, context: grpc.ServicerContext
    ) -> cue_pb2.CueGetSystemStatsResponse:
        return cue_pb2.CueGetSystemStatsResponse()

    def LaunchSpecAndWait(
        self, request: job_pb2.JobLaunchSpecAndWaitRequest, context: grpc.ServicerContext
    ) -> job_pb2.JobLaunchSpecAndWaitResponse:
        try:
            name, layers = _parsed(request.spec)
        except ValueError as error:
            context.abort(grpc.StatusCode.INTERNAL, f"Failed to launch job: {error}")
        self.jobs[name] = layers
        return job_pb2.JobLaunchSpecAndWaitResponse(
            jobs=job_pb2.JobSeq(jobs=[job_pb2.Job(id="1", name=name, state=job_pb2.PENDING)])
        )


@contextmanager
def running() -> Iterator[tuple[Cuebot, str]]:
    """The server and its address, for the length of a ``with``."""
    bot = Cuebot()
    server = grpc.server(ThreadPoolExecutor(2))
    cue_pb2_grpc.add_CueInterfaceServicer_to_server(bot, server)
    job_pb2_grpc.add_JobInterfaceServicer_to_server(bot, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield bot, f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


def _parsed(spec: str) -> tuple[str, tuple[CueLayer, ...]]:
    root = ElementTree.fromstring(spec)
    user, uid = root.findtext("user", ""), root.findtext("uid", "")
    if user == "root" or uid == "0":
        raise ValueError("Cannot launch jobs as root.")
    show, shot = root.findtext("show", ""), root.findtext("shot", "")
    job = root.find("job")
    if job is None:
        raise ValueError("the spec has no job")
    name = _conform(job.get("name", "").lower().replace("-", "_"))
    depends = [
        (_conform(each.findtext("deplayer", "")), _conform(each.findtext("onlayer", "")))
        for each in root.iter("depend")
    ]
    layers: list[CueLayer] = []
    for layer in job.iter("layer"):
        own = _conform(layer.get("name", ""))
        if own in [each.name for each in layers]:
            raise ValueError(f"error, the layer {own} was already defined in job {name}")
        after = tuple(on for waiting, on in depends if waiting == own)
        layers.append(
            CueLayer(
                own,
                layer.findtext("cmd", ""),
                layer.findtext("range", ""),
                after,
                layer.findtext("gpu_memory", ""),
            )
        )
    if not 1 <= len(layers) <= _MOST_LAYERS:
        raise ValueError(f"The job {name} has {len(layers)} layers")
    unknown = {on for each in layers for on in each.after} - {each.name for each in layers}
    if unknown:
        raise ValueError(f"a layer depends on {', '.join(unknown)}, which is not there")
    return f"{show}-{shot}-{user}_{name}".lower(), tuple(layers)


def _conform(name: str) -> str:
    plain = name.replace("-", "_").lower()
    if _NAME.fullmatch(plain) is None:
        raise ValueError(f"The name: {name} is not in the proper format.")
    return plain
