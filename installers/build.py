"""Builds what host applications install: ``python installers/build.py blender``.

Writes ``dist/masklet-blender-<version>.zip``; the same sources give the same bytes. Needs no package but
masklet itself, from this checkout.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(description="Build what host applications install.")
    parser.add_argument("host", choices=["blender"])
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="Folder for the archive.")
    arguments = parser.parse_args()
    # The checkout's own sources, whatever else is installed.
    sys.path.insert(0, str(ROOT / "core"))
    from masklet.errors import MaskletError
    from masklet.installing.blender_extension import extension_name, make_extension

    try:
        content = make_extension(ROOT / "hosts/blender/masklet_blender")
    except MaskletError as error:
        print(f"build: {error}", file=sys.stderr)
        return 1
    file = arguments.out / extension_name()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    print(file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
