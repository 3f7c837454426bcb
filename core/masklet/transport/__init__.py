"""Ways to reach a server; all of them look like :class:`masklet.transport.interface.Transport`."""
