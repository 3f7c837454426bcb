"""``python -m masklet_server.farm``: asked by JSON on standard input, it answers with JSON of measures."""

from __future__ import annotations

import json
import sys

from masklet.errors import MaskletError
from masklet_server.farm.measure_request import request_from_json
from masklet_server.farm.measuring import measure

if __name__ == "__main__":
    try:
        json.dump(measure(request_from_json(json.load(sys.stdin))), sys.stdout)
    except MaskletError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
