"""Where a version goes, and who is told: an interface, and a plain template of paths that fills it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any, Protocol

from masklet.errors import BadInputError

if TYPE_CHECKING:
    from masklet.publish.collected import Collected
    from masklet.publish.manifest import Manifest

DEFAULT_TEMPLATE = "{parent}/published/{name}/v{version:03d}"
_FIELD = re.compile(r"[a-z][a-z0-9_]*")
_FORMAT = re.compile(r"(0\d)?d?")
_OWN = ("folder", "parent", "name", "version")


@dataclass(frozen=True)
class Place:
    """Where a version is to go.

    Attributes:
        folder: Of this version; it does not exist yet.
        version: Its number.
    """

    folder: Path
    version: int


@dataclass(frozen=True)
class Published:
    """A version in its place.

    Attributes:
        folder: Where it lies.
        manifest: What is in it.
    """

    folder: Path
    manifest: Manifest


class Integrator(Protocol):
    """What a studio's asset system fills. All methods run in the caller's thread.

    :meth:`register` runs when all files are in their place. What it raises takes the version away again, so
    that neither half is there without the other.
    """

    def next_place(self, collected: Collected) -> Place:
        """Where the next version goes. Asked again where somebody else took that place meanwhile.

        Raises:
            MaskletError: It has no place for this.
        """
        ...

    def register(self, published: Published) -> str:
        """Tell whoever keeps the studio's versions; a sentence for the artist comes back.

        Raises:
            MaskletError: It was not taken.
        """
        ...


@dataclass(frozen=True)
class TemplateIntegrator:
    """Versions in folders that a template names; nobody else is told.

    Attributes:
        template: ``{folder}`` and ``{parent}`` are the mattes' folder and what it lies in, ``{name}`` the
            shot's, ``{version:03d}`` the number, which the last folder's name has to hold. Others come from
            ``values``.
        values: ``show``, ``sequence``, whatever the template asks for.
    """

    template: str = DEFAULT_TEMPLATE
    values: Mapping[str, str] = field(default_factory=dict)

    def next_place(self, collected: Collected) -> Place:
        """One more than the highest version that is there.

        Raises:
            BadInputError: The template asks for what nobody said, or its last folder has no version.
        """
        template = Path(self.template).expanduser().as_posix()
        check_template(template, self.values)
        values: dict[str, Any] = {
            **self.values,
            "folder": collected.folder.as_posix(),
            "parent": collected.folder.parent.as_posix(),
            "name": collected.name,
        }
        parent, _, last = template.rpartition("/")
        above = Path(parent.format(**values) if parent else ".")
        before, after = re.split(r"\{version[^}]*\}", last)
        numbers = re.compile(
            re.escape(before.format(**values)) + r"(\d{1,9})" + re.escape(after.format(**values))
        )
        taken = [int(match[1]) for name in _names(above) if (match := numbers.fullmatch(name))]
        version = max(taken, default=0) + 1
        return Place(above / last.format(**values, version=version), version)

    def register(self, published: Published) -> str:
        """The folder is all there is."""
        return f"version {published.manifest.version} is {published.folder}"


def check_template(template: str, values: Mapping[str, str]) -> None:
    """Refuse what is no plain template: fields are names, and only the version has a format.

    Raises:
        BadInputError: It is none, asks for what nobody said, or its last folder has no version.
    """
    last = template.rpartition("/")[2]
    try:
        fields = [part[1:3] for part in Formatter().parse(template) if part[1] is not None]
        in_last = [part[1] for part in Formatter().parse(last) if part[1] is not None]
    except ValueError as error:
        raise BadInputError(
            f"the template {template!r} cannot be read ({error}): close every brace"
        ) from error
    for name, spec in fields:
        is_plain = _FIELD.fullmatch(name or "") and (not spec or name == "version")
        if not is_plain or not _FORMAT.fullmatch(spec or ""):
            raise BadInputError(
                f"{{{name}}} in the template is no plain field: write {{name}} or {{version:03d}}"
            )
        if name not in _OWN and name not in values:
            raise BadInputError(
                f"the template asks for {{{name}}} and nobody said it: add --set {name}=VALUE"
            )
    for name, value in values.items():
        if "/" in value or "\\" in value or value in ("", ".", ".."):
            raise BadInputError(f"{name} is {value!r}, which is no name of a folder: choose another")
    if in_last.count("version") != 1 or [name for name, _ in fields].count("version") != 1:
        raise BadInputError(
            "the last folder of the template has to hold the version once, and no other: …/v{version:03d}"
        )


def _names(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in folder.iterdir()]
    except OSError:
        return []
