"""Installing into a Blender and taking it out again, with a program that stands in for Blender."""

from __future__ import annotations

import io
import os
import stat
import sys
import zipfile
from pathlib import Path

import pytest

from masklet.errors import BadInputError, HelperError
from masklet.installing.blender import check_helper, choose, install, installed_version, uninstall
from masklet.installing.blender_extension import make_extension
from masklet.installing.blender_places import BlenderPlace

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-in for Blender is a script of the shell")

OBEDIENT = """#!/bin/sh
echo "$@" >> {log}
case "$3" in
  install-file) mkdir -p {folder} && cp {manifest} {folder}/blender_manifest.toml ;;
  remove) rm -r {folder} ;;
esac
"""
BROKEN = "#!/bin/sh\nexit 1\n"
IDLE = "#!/bin/sh\nexit 0\n"


@pytest.fixture(scope="module")
def extension() -> bytes:
    return make_extension()


@pytest.fixture
def place(tmp_path: Path) -> BlenderPlace:
    """A Blender of which only the user's folder is known."""
    return BlenderPlace("4.2", tmp_path / "4.2/extensions")


def with_program(
    place: BlenderPlace, text: str, tmp_path: Path, extension: bytes
) -> tuple[BlenderPlace, Path]:
    """The same Blender with a program, and the file in which the program writes its command lines."""
    log, manifest = tmp_path / "commands.txt", tmp_path / "manifest"
    manifest.write_bytes(zipfile.ZipFile(io.BytesIO(extension)).read("blender_manifest.toml"))
    program = tmp_path / "blender"
    program.write_text(text.format(log=log, folder=place.addon_folder("masklet"), manifest=manifest))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return BlenderPlace(place.version, place.extensions, program), log


def test_blender_installs_and_enables_where_it_is_there(
    place: BlenderPlace, extension: bytes, tmp_path: Path
) -> None:
    place, log = with_program(place, OBEDIENT, tmp_path, extension)

    done = install(place, extension, "masklet")

    assert done.by_blender
    assert log.read_text().startswith("--command extension install-file --repo user_default --enable ")


@pytest.mark.parametrize("text", [BROKEN, IDLE])
def test_a_blender_that_does_not_do_it_gets_the_folder_all_the_same(
    text: str, place: BlenderPlace, extension: bytes, tmp_path: Path
) -> None:
    place, _ = with_program(place, text, tmp_path, extension)

    done = install(place, extension, "masklet")

    assert not done.by_blender
    assert installed_version(place, "masklet") is not None


def test_unpacking_gives_what_the_zip_holds_and_replaces_what_was_there(
    place: BlenderPlace, extension: bytes
) -> None:
    old = place.addon_folder("masklet")
    old.mkdir(parents=True)
    (old / "left_over.py").write_text("")

    done = install(place, extension, "masklet")

    held = {path.relative_to(done.folder).as_posix() for path in done.folder.rglob("*") if path.is_file()}
    assert held == set(zipfile.ZipFile(io.BytesIO(extension)).namelist())
    assert [path.name for path in done.folder.parent.iterdir()] == ["masklet"]


def test_taking_out_leaves_the_folder_as_it_was_before(place: BlenderPlace, extension: bytes) -> None:
    other = place.extensions / "user_default/another"
    kept = place.extensions / ".local/lib/python3.11/site-packages/other_package"
    other.mkdir(parents=True)
    kept.mkdir(parents=True)
    before = sorted(place.extensions.rglob("*"))
    install(place, extension, "masklet")
    for name in ("masklet", "masklet-0.1.0+abc.dist-info"):
        (kept.parent / name).mkdir()

    done = uninstall(place, "masklet")

    assert done is not None
    assert sorted(place.extensions.rglob("*")) == before


def test_taking_out_lets_blender_do_it_where_it_is_there(
    place: BlenderPlace, extension: bytes, tmp_path: Path
) -> None:
    place, log = with_program(place, OBEDIENT, tmp_path, extension)
    install(place, extension, "masklet")

    done = uninstall(place, "masklet")

    assert done is not None
    assert done.by_blender
    assert log.read_text().splitlines()[-1] == "--command extension remove user_default.masklet"


def test_taking_out_what_was_never_there_does_nothing(place: BlenderPlace) -> None:
    assert uninstall(place, "masklet") is None


def test_a_version_that_is_not_there_is_named_together_with_those_that_are(place: BlenderPlace) -> None:
    with pytest.raises(BadInputError, match=r"Blender 9\.9 was not found here \(found: 4\.2\)"):
        choose([place], "9.9")


def test_a_blender_without_extensions_is_too_old(tmp_path: Path) -> None:
    old = BlenderPlace("3.6", tmp_path)

    with pytest.raises(BadInputError, match=r"needs Blender 4\.2 or newer"):
        choose([old], "3.6")
    with pytest.raises(BadInputError, match=r"no Blender 4\.2 or newer was found here \(found: 3\.6\)"):
        choose([old], None)


def test_this_python_can_be_the_helper() -> None:
    check_helper(Path(sys.executable))


def test_a_python_that_cannot_start_or_lacks_masklet_is_refused(tmp_path: Path) -> None:
    without = tmp_path / "python"
    without.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    without.chmod(0o755)

    with pytest.raises(HelperError, match="cannot be started"):
        check_helper(tmp_path / "nothing")
    with pytest.raises(HelperError, match=r"No module named 'masklet'.*pip install"):
        check_helper(without)
