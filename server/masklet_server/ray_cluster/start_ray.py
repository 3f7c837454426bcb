"""``python -m masklet_server.ray_cluster.start_ray …``: ``ray start`` with less around it.

Ray puts this machine's other address in the place of 127.0.0.1, where a head that was told to stay on the
loopback address does not listen: here nothing is put in its place. Of a dashboard that is off it starts a
process all the same, and a server for remote drivers that cannot be turned off: here neither.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    from ray._private import node, services
    from ray.scripts.scripts import main

    services.resolve_ip_for_localhost = lambda host: host
    node.Node.start_api_server = lambda self, **_: setattr(self, "_webui_url", None)
    node.Node.start_ray_client_server = lambda self: None
    sys.argv[0] = "ray"
    main()
