"""The network compiled for a GPU."""

from __future__ import annotations

from masklet_server.model.network import Network


def compile_network(network: Network) -> Network:
    """The same network, its parts compiled on their first use, which takes a minute or two.

    The trunk is compiled for the one picture size it sees; the parts behind it once for every
    number of objects and of memories, and then for any number of both.
    """
    # Compiled code finds tables that are there, and would build any other anew on every frame.
    side = network.config.grid_side
    network.memory_attention.frame_place(side, side, network.device)
    network.image_encoder.trunk.compile(dynamic=False)
    for part in (network.memory_attention, network.sam_mask_decoder, network.memory_encoder):
        part.compile()
    return network
