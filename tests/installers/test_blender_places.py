"""Finding Blender on fake trees of the three systems."""

from __future__ import annotations

from pathlib import Path

import pytest

from masklet.installing.blender_places import BlenderPlace, Machine, find_blenders


def machine(system: str, tmp_path: Path, **variables: str) -> Machine:
    home = tmp_path / "home/ada"
    home.mkdir(parents=True, exist_ok=True)
    return Machine(system, home, variables, tmp_path)


def application(file: Path, *, version: str) -> Path:
    """A program with the folder of its version where every Blender has it."""
    beside = file.parents[1] / "Resources" if "MacOS" in file.parts else file.parent
    (beside / version / "scripts").mkdir(parents=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"")
    return file


def user_folder(parent: Path, *versions: str) -> None:
    for version in versions:
        (parent / version / "config").mkdir(parents=True)


def test_linux_keeps_each_version_in_the_users_configuration(tmp_path: Path) -> None:
    here = machine("Linux", tmp_path)
    user_folder(here.home / ".config/blender", "4.2", "5.2", "3.6")
    unpacked = application(tmp_path / "opt/blender-5.2.3-linux-x64/blender", version="5.2")

    found = find_blenders(here)

    assert [place.version for place in found] == ["5.2", "4.2", "3.6"]
    assert found[0].application == unpacked
    assert found[1].extensions == here.home / ".config/blender/4.2/extensions"
    assert [place.takes_extensions for place in found] == [True, True, False]


def test_the_configuration_folder_can_be_elsewhere(tmp_path: Path) -> None:
    here = machine("Linux", tmp_path, XDG_CONFIG_HOME=str(tmp_path / "settings"))
    user_folder(tmp_path / "settings/blender", "4.5")

    assert find_blenders(here)[0].extensions == tmp_path / "settings/blender/4.5/extensions"


def test_a_blender_that_was_never_started_gets_the_folder_that_it_will_use(tmp_path: Path) -> None:
    here = machine("Linux", tmp_path)
    unpacked = application(here.home / "blender-4.2.23-linux-x64/blender", version="4.2")

    assert find_blenders(here) == [
        BlenderPlace("4.2", here.home / ".config/blender/4.2/extensions", unpacked)
    ]


def test_windows_keeps_them_in_the_roaming_folder(tmp_path: Path) -> None:
    roaming = tmp_path / "home/ada/AppData/Roaming"
    programs = tmp_path / "Program Files"
    here = machine("Windows", tmp_path, APPDATA=str(roaming), ProgramFiles=str(programs))
    user_folder(roaming / "Blender Foundation/Blender", "4.2", "4.5")
    installed = application(programs / "Blender Foundation/Blender 4.5/blender.exe", version="4.5")

    found = find_blenders(here)

    assert [(place.version, place.application) for place in found] == [("4.5", installed), ("4.2", None)]
    assert found[0].extensions == roaming / "Blender Foundation/Blender/4.5/extensions"


def test_windows_from_the_store_and_from_steam(tmp_path: Path) -> None:
    local = tmp_path / "home/ada/AppData/Local"
    store = local / "Packages/BlenderFoundation.Blender5.2LTS_ppwjx1n5r4v9t/LocalCache/Roaming"
    here = machine("Windows", tmp_path, LOCALAPPDATA=str(local))
    user_folder(store / "Blender Foundation/Blender", "5.2")
    steam = application(
        tmp_path / "Program Files (x86)/Steam/steamapps/common/Blender/blender.exe", version="4.5"
    )

    found = find_blenders(here)

    assert [(place.version, place.application) for place in found] == [("5.2", None), ("4.5", steam)]
    assert found[0].extensions == store / "Blender Foundation/Blender/5.2/extensions"


def test_macos_keeps_them_in_application_support(tmp_path: Path) -> None:
    here = machine("Darwin", tmp_path)
    support = here.home / "Library/Application Support/Blender"
    user_folder(support, "5.2")
    newest = application(tmp_path / "Applications/Blender.app/Contents/MacOS/Blender", version="5.2")
    older = application(tmp_path / "Applications/Blender 4.2.app/Contents/MacOS/Blender", version="4.2")

    found = find_blenders(here)

    assert [(place.version, place.application) for place in found] == [("5.2", newest), ("4.2", older)]
    assert found[1].extensions == support / "4.2/extensions"


@pytest.mark.parametrize(("system", "folder"), [("Linux", "portable"), ("Linux", "4.5/config")])
def test_a_portable_blender_keeps_everything_beside_itself(system: str, folder: str, tmp_path: Path) -> None:
    here = machine(system, tmp_path)
    user_folder(here.home / ".config/blender", "4.5")
    unpacked = application(tmp_path / "opt/blender/blender", version="4.5")
    (unpacked.parent / folder).mkdir(parents=True)

    expected = unpacked.parent / folder.removesuffix("/config")
    assert find_blenders(here) == [BlenderPlace("4.5", expected / "extensions", unpacked)]


def test_flatpak_has_a_configuration_folder_of_its_own(tmp_path: Path) -> None:
    here = machine("Linux", tmp_path)
    config = here.home / ".var/app/org.blender.Blender/config"
    user_folder(config / "blender", "5.2")

    place = find_blenders(here)[0]

    assert place.extensions == config / "blender/5.2/extensions"
    assert place.sandbox_config == config


def test_snap_has_one_too(tmp_path: Path) -> None:
    here = machine("Linux", tmp_path)
    user_folder(here.home / "snap/blender/current/.config/blender", "4.5")

    assert [place.version for place in find_blenders(here)] == ["4.5"]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"BLENDER_USER_RESOURCES": "/studio"}, Path("/studio/extensions")),
        ({"BLENDER_USER_EXTENSIONS": "/studio/ext"}, Path("/studio/ext")),
        ({"BLENDER_USER_RESOURCES": "/a", "BLENDER_USER_EXTENSIONS": "/b"}, Path("/b")),
    ],
)
def test_blenders_own_variables_come_first(variables: dict[str, str], expected: Path, tmp_path: Path) -> None:
    here = machine("Linux", tmp_path, **variables)
    user_folder(here.home / ".config/blender", "4.2")

    assert find_blenders(here)[0].extensions == expected


def test_other_folders_are_no_versions(tmp_path: Path) -> None:
    here = machine("Linux", tmp_path)
    user_folder(here.home / ".config/blender", "backup", "4.2.old")
    (here.home / ".config/blender/4.9").write_bytes(b"")

    assert find_blenders(here) == []
