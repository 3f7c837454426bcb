"""Installs the extension from a studio's static repository, as an artist does in the preferences.

Arguments: the address of its index.
"""

import json
import sys

import bpy

preferences = bpy.context.preferences
preferences.system.use_online_access = True
repositories = preferences.extensions.repos
for known in [known for known in repositories if known.use_remote_url]:
    repositories.remove(known)
studio = repositories.new(name="Studio", module="studio", remote_url=sys.argv[1])
synchronised = bpy.ops.extensions.repo_sync(repo_directory=studio.directory)
installed = bpy.ops.extensions.package_install(
    repo_directory=studio.directory, pkg_id="masklet", enable_on_install=True
)
print(
    json.dumps(
        {
            "steps": [sorted(synchronised), sorted(installed)],
            "enabled": [addon.module for addon in preferences.addons if "masklet" in addon.module],
        }
    )
)
