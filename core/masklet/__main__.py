"""The command ``masklet``, and ``python -m masklet``: the command line, or what it lacks in one sentence."""

from __future__ import annotations

import sys

from masklet.extras import client_sentence


def main() -> None:
    """Run the command line and exit."""
    lacking = client_sentence()
    if lacking is not None:
        sys.exit(f"masklet: {lacking}")
    from masklet.cli import main as run

    run()


if __name__ == "__main__":
    main()
