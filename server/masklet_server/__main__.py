"""The command ``masklet-server``, and ``python -m masklet_server``: the commands, or what they lack."""

from __future__ import annotations

import sys

from masklet.extras import CLIENT_PACKAGES, SERVER_PACKAGES, missing


def main() -> None:
    """Run the command line and exit."""
    lacking = missing({**CLIENT_PACKAGES, **SERVER_PACKAGES})
    if lacking:
        sys.exit(
            f"masklet-server: packages of the server are not installed ({', '.join(lacking)}): "
            "pip install 'masklet[server]'"
        )
    from masklet_server.cli import main as run

    run()


if __name__ == "__main__":
    main()
