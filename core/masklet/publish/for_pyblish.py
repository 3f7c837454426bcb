"""pyblish and masklet: plug-ins over the rules of this package. pyblish is imported by those who ask for it.

In a host, once::

    from masklet.publish import for_pyblish

    for_pyblish.register()          # AYON does this for a folder of plug-ins by itself
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.errors import BadInputError
from masklet.publish.integrating import DEFAULT_TEMPLATE, TemplateIntegrator
from masklet.publish.shots_of_files import ShotFolder, shots_of_folder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from masklet.publish.integrating import Integrator

PLUGINS = Path(__file__).with_name("pyblish_plugins")
PANEL = "masklet-panel"
"""What the panel calls itself towards pyblish."""
FOLDERS_VARIABLE = "MASKLET_PUBLISH_FOLDERS"
TEMPLATE_VARIABLE = "MASKLET_PUBLISH_TEMPLATE"
FAMILY = "masklet"

_integrator: Integrator | None = None
_folders: tuple[Path, ...] = ()


def register(host: str | None = None) -> None:
    """Have pyblish find masklet's plug-ins.

    Args:
        host: What this program is called, where pyblish does not know it by itself: :data:`PANEL`.

    Raises:
        BadInputError: pyblish is not installed for this Python.
    """
    try:
        import pyblish.api
    except ImportError as error:
        raise BadInputError(
            "pyblish is not installed for this Python: pip install 'masklet[pyblish]', or publish with "
            "masklet publish"
        ) from error
    pyblish.api.register_plugin_path(str(PLUGINS))
    if host is not None:
        pyblish.api.register_host(host)


def use_integrator(integrator: Integrator | None) -> None:
    """Have versions go where the studio's asset system says; None for the template."""
    global _integrator
    _integrator = integrator


def use_folders(folders: Iterable[Path]) -> None:
    """Say which folders of mattes this program has to publish, besides those that the host's script names."""
    global _folders
    _folders = tuple(folders)


def integrator() -> Integrator:
    """Where versions go."""
    return _integrator or TemplateIntegrator(os.environ.get(TEMPLATE_VARIABLE) or DEFAULT_TEMPLATE)


def shots_of_program() -> tuple[ShotFolder, ...]:
    """Shots in the folders that were said, here or in ``MASKLET_PUBLISH_FOLDERS``.

    Raises:
        BadInputError: A folder cannot be read.
    """
    named = os.environ.get(FOLDERS_VARIABLE, "")
    folders = [*_folders, *(Path(one) for one in named.split(os.pathsep) if one)]
    return tuple(dict.fromkeys(shot for folder in folders for shot in shots_of_folder(folder)))
