from __future__ import annotations

import torch

from fakes.replay import RerunRecorder
from fakes.tracking import TINY, Desk, TinyNetwork
from masklet.types import Click, FramePrompts
from masklet_server.engine.accelerate import compile_network, fixed_layout, replay_network
from masklet_server.engine.profile import EDITOR
from masklet_server.engine.tracker import NetworkTracker
from masklet_server.engine.warm_up import warm_up
from masklet_server.model.network import Network

FIRST = 1001


def plain_network() -> Network:
    """Without the count of pictures of the tests' own class, which a compiler takes for a constant."""
    network = Network(TINY)
    network.load_state_dict(TinyNetwork().state_dict())
    return network.eval().requires_grad_(False)


def desk_with_objects(network: Network, count: int) -> Desk:
    desk = Desk(network)
    layout = fixed_layout(network.config)
    desk.tracker = NetworkTracker(network, desk.clip, desk.results, layout=layout)
    for object_id in range(1, count + 1):
        desk.prompt(FramePrompts(object_id, FIRST, clicks=(Click(12.0 * object_id, 27.0),)))
    return desk


def test_after_a_warm_up_objects_come_and_go_without_recording() -> None:
    network, record = plain_network(), RerunRecorder()
    replay_network(network, record)
    warm_up(network, fixed_layout(network.config), EDITOR, objects=5)
    recorded, replayed = record.recorded, record.replayed

    desk = desk_with_objects(network, 5)
    desk.track(range(FIRST + 1, FIRST + 18), 1, 2, 3, 4, 5)
    desk.track(range(FIRST + 18, FIRST + 20), 2)
    desk.track(range(FIRST + 20, FIRST + 24), 1, 3, 4)

    assert record.recorded == recorded > 0
    assert record.replayed > replayed


def test_after_a_warm_up_objects_come_and_go_without_compiling() -> None:
    network, compiled = plain_network(), 0

    def backend(graph: torch.fx.GraphModule, _: list[torch.Tensor]) -> torch.fx.GraphModule:
        nonlocal compiled
        compiled += 1
        return graph

    compile_network(network, backend=backend)
    warm_up(network, fixed_layout(network.config), EDITOR, objects=2)
    ready = compiled

    desk = desk_with_objects(network, 2)
    desk.track(range(FIRST + 1, FIRST + 18), 1, 2)
    desk.track(range(FIRST + 18, FIRST + 20), 2)

    # The encoder once, and three parts for each of the two sizes.
    assert compiled == ready == 7
