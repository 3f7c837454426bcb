"""Says which Blender runs and that the client's light part imports in its Python."""

import json
import sys

import bpy

from masklet.session import Session
from masklet.shapes import ObjectShapes

foreign = sorted({"grpc", "google.protobuf", "torch"} & set(sys.modules))
print(
    json.dumps(
        {
            "blender": bpy.app.version_string,
            "client": [Session.__name__, ObjectShapes.__name__],
            "foreign": foreign,
            "words": sys.argv[1:],
        }
    )
)
