"""What the add-on says in a Blender whose language is German. The checkout's add-on is enabled."""

import json

import bpy

view = bpy.context.preferences.view
view.language = "de_DE"
view.use_translate_interface = view.use_translate_tooltips = True
bpy.ops.preferences.addon_enable(module="masklet_blender")

from masklet.hosting.sentences import progress_text  # noqa: E402
from masklet.hosting.work.jobs import Job  # noqa: E402
from masklet.phrases import phrase  # noqa: E402
from masklet_blender.words import CONTEXT, shown  # noqa: E402

translate = bpy.app.translations
tooltip = bpy.ops.masklet.click.get_rna_type().description
job = Job(phrase("Tracking"), lambda job: iter(()), on_event=lambda event: None)
job.count(3, 8)
try:
    bpy.ops.masklet.object_add()
    refusal = ""
except RuntimeError as error:
    refusal = str(error)
answer = {
    "label": translate.pgettext_iface(bpy.ops.masklet.track.get_rna_type().name, CONTEXT),
    "button": translate.pgettext_iface("Lock", CONTEXT),
    "tooltip": translate.pgettext_tip(tooltip),
    "property": translate.pgettext_iface("Feather", CONTEXT),
    "sentence": shown(
        phrase("frame {frame} is locked for {name}: unlock it first, then correct it", frame=7, name="Ente")
    ),
    "nested": shown(progress_text(job)),
    "foreign": shown("what the server says"),
    "refusal": refusal,
}
bpy.ops.preferences.addon_disable(module="masklet_blender")
answer["after"] = translate.pgettext_iface("Track Objects", CONTEXT)
print(json.dumps(answer))
