"""Blender's properties, with labels that are translated as masklet's own words."""

from __future__ import annotations

from functools import partial
from typing import Any

import bpy

from .words import CONTEXT

HAVE_CONTEXT = bpy.app.version >= (4, 0, 0)
"""Older Blenders look for the labels of all properties in the general context."""
_context: dict[str, Any] = {"translation_context": CONTEXT} if HAVE_CONTEXT else {}

BoolProperty = partial(bpy.props.BoolProperty, **_context)
BoolVectorProperty = partial(bpy.props.BoolVectorProperty, **_context)
CollectionProperty = partial(bpy.props.CollectionProperty, **_context)
EnumProperty = partial(bpy.props.EnumProperty, **_context)
FloatProperty = partial(bpy.props.FloatProperty, **_context)
FloatVectorProperty = partial(bpy.props.FloatVectorProperty, **_context)
IntProperty = partial(bpy.props.IntProperty, **_context)
IntVectorProperty = partial(bpy.props.IntVectorProperty, **_context)
StringProperty = partial(bpy.props.StringProperty, **_context)
