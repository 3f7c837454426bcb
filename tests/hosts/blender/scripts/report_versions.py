"""Says which Blender runs and that the client's light part imports in its Python."""

import json
import sys

import bpy

import masklet.session


foreign = sorted({"grpc", "google.protobuf", "torch"} & set(sys.modules))
print(json.dumps({"blender": bpy.app.version_string, "foreign": foreign, "words": sys.argv[1:]}))
