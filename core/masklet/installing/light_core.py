"""The part of the client that a host application's own Python can run: nothing but the standard library.

Which modules that is follows from their imports, so that a new module is in or out by what it needs and
nobody keeps a list.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import io
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import masklet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Everything in an archive is this old: the same sources give the same bytes.
_TIME = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644 << 16
# The command line and this package work outside hosts; the protocol's messages need protobuf.
# Loaded by pyblish alone, where a host's Python has it.
_PLUGINS = "masklet.publish.pyblish_plugins"
_NOT_FOR_HOSTS = ("masklet.__main__", "masklet.cli", "masklet.commands", "masklet.installing", "masklet.v1")


def light_modules() -> dict[str, Path]:
    """Files of the modules that need nothing but the standard library to be imported, by module name."""
    files = dict(_own_modules(Path(masklet.__file__).parent))
    needs = {name: _imports(name, file, files) for name, file in files.items()}
    heavy = {name for name, wanted in needs.items() if wanted is None}
    while True:
        more = {name for name, wanted in needs.items() if name not in heavy and wanted and wanted & heavy}
        if not more:
            break
        heavy |= more
    return {name: file for name, file in sorted(files.items()) if name not in heavy}


def plugins() -> dict[str, Path]:
    """Files of the plug-ins for pyblish, by module name; they are found in their folder, not imported."""
    files = _own_modules(Path(masklet.__file__).parent)
    return {name: file for name, file in sorted(files) if name.startswith(f"{_PLUGINS}.")}


def make_wheel() -> tuple[str, bytes]:
    """Name and content of a wheel with the light modules, for Python 3.9 and newer.

    The version carries a digest of the content: Blender unpacks a wheel only if it has none of the same
    name and version, and would keep an older build of the same release.
    """
    files = {**light_modules(), **plugins()}
    members = {_path_in_wheel(name, file): file.read_bytes() for name, file in files.items()}
    version = f"{masklet.__version__}+{_digest(members)}"
    folder = f"masklet-{version}.dist-info"
    members[f"{folder}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: masklet\nVersion: {version}\nRequires-Python: >=3.9\n"
        "Summary: The part of masklet's client that runs inside host applications\nLicense: Apache-2.0\n"
    ).encode()
    members[f"{folder}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: masklet\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    record = f"{folder}/RECORD"
    members[record] = "".join(
        [*(_record_line(path, content) for path, content in members.items()), f"{record},,\n"]
    ).encode()
    return f"masklet-{version}-py3-none-any.whl", archive(members)


def archive(members: dict[str, bytes]) -> bytes:
    """A zip file of these members that depends on nothing but them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        for path, content in members.items():
            information = zipfile.ZipInfo(path, _TIME)
            information.external_attr = _MODE
            information.create_system = 3
            information.compress_type = zipfile.ZIP_DEFLATED
            opened.writestr(information, content, compresslevel=9)
    return buffer.getvalue()


def _own_modules(package: Path) -> Iterator[tuple[str, Path]]:
    for file in package.rglob("*.py"):
        parts = file.relative_to(package.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if not _is_kept_out(name):
            yield name, file


def _is_kept_out(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in _NOT_FOR_HOSTS)


def _imports(name: str, file: Path, own: dict[str, Path]) -> set[str] | None:
    """Modules of ours that importing this one imports too; None if it needs anything foreign."""
    found: set[str] = set()
    for module in _imported_when_loaded(ast.parse(file.read_bytes()).body):
        top = module.split(".")[0]
        if top == "masklet":
            # The name may be that of something inside a module: from masklet.types import Click.
            while module not in own and "." in module:
                if _is_kept_out(module):
                    return None
                module = module.rpartition(".")[0]
            found.add(module)
        elif top not in (*sys.stdlib_module_names, "__future__"):
            return None
    return found - {name}


def _imported_when_loaded(statements: Iterable[ast.stmt]) -> Iterator[str]:
    """Names that are imported as soon as the module is, without those that only type checkers see."""
    for statement in statements:
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and statement.module:
            yield from (f"{statement.module}.{alias.name}" for alias in statement.names)
        elif isinstance(statement, ast.If):
            if not (isinstance(statement.test, ast.Name) and statement.test.id == "TYPE_CHECKING"):
                yield from _imported_when_loaded(statement.body)
            yield from _imported_when_loaded(statement.orelse)
        elif isinstance(statement, (ast.Try, ast.With, ast.ClassDef)):
            yield from _imported_when_loaded(statement.body)


def _path_in_wheel(name: str, file: Path) -> str:
    path = name.replace(".", "/")
    return f"{path}/__init__.py" if file.name == "__init__.py" else f"{path}.py"


def _digest(members: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for path, content in members.items():
        digest.update(f"{path} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:12]


def _record_line(path: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(content)}\n"
