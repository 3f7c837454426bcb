"""The script in the menu, and what the doctor says of it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from masklet.commands.doctor_resolve import examine_places, examine_pythons
from masklet.findings import Verdict
from masklet.installing.resolve import ScriptPlaces, install_script, python_of, uninstall_script
from masklet_resolve.fusionscript import load, script_api, script_library
from masklet_resolve.menu_script import menu_script


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_the_script_goes_into_the_menus_of_resolve_and_fusion_and_out_again(
    system: str, tmp_path: Path
) -> None:
    places = ScriptPlaces(tmp_path, system)

    files = install_script(places, Path("/opt/py 3/bin/python"))

    assert len(files) == 2
    for file in files:
        assert file.parent.name == "Utility"
        assert python_of(file) == "/opt/py 3/bin/python"
    assert places.installed == files
    assert uninstall_script(places) == files
    assert uninstall_script(places) == ()


def test_the_script_starts_masklet_with_nothing_of_resolves_python(tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("a script is no program there")
    seen = tmp_path / "seen.json"
    program = tmp_path / "python"
    program.write_text(
        f"#!{sys.executable}\nimport json, os, sys\n"
        f"json.dump([sys.argv[1:], sorted(os.environ)], open({str(seen) + '.new'!r}, 'w'))\n"
        f"os.replace({str(seen) + '.new'!r}, {str(seen)!r})\n"
    )
    program.chmod(0o755)
    script = tmp_path / "masklet.py"
    script.write_text(menu_script(str(program)), encoding="utf-8")

    subprocess.run(
        [sys.executable, str(script)],
        check=True,
        env={"PYTHONHOME_": "x", "QT_PLUGIN_PATH": "/opt/resolve", "LD_PRELOAD_": "", "HOME": str(tmp_path)},
    )
    deadline = time.monotonic() + 20
    while not seen.exists() and time.monotonic() < deadline:
        time.sleep(0.02)

    arguments, names = json.loads(seen.read_text())
    assert arguments == ["-I", "-m", "masklet", "resolve"]
    assert not [name for name in names if name.startswith(("PYTHON", "QT_", "LD_"))]


@pytest.mark.parametrize("version", ["3.6", "3.9"])
def test_the_script_is_understood_by_old_pythons(version: str) -> None:
    found = sorted((Path.home() / ".pyenv/versions").glob(f"{version}.*/bin/python"))
    if not found:
        pytest.skip(f"no Python {version} on this machine")
    code = f"compile({menu_script('python')!r}, 'masklet.py', 'exec')"

    assert subprocess.run([str(found[-1]), "-c", code], check=False).returncode == 0


def test_the_doctor_finds_a_script_whose_python_is_gone(tmp_path: Path) -> None:
    places = ScriptPlaces(tmp_path, "linux")
    install_script(places, tmp_path / "gone")

    found = list(
        examine_places(places, (Path("/opt/resolve"),), {"RESOLVE_SCRIPT_LIB": str(tmp_path / "no.so")})
    )

    bad = [finding for finding in found if finding.verdict is Verdict.BAD]
    assert len(bad) == 3
    assert "which is gone" in bad[0].cause
    assert bad[2].subject == "RESOLVE_SCRIPT_LIB"


def test_the_doctor_is_content_with_a_script_that_starts_a_python(tmp_path: Path) -> None:
    places = ScriptPlaces(tmp_path, "linux")
    install_script(places, Path(sys.executable))

    found = list(examine_places(places, (Path("/opt/resolve"),), {}))

    assert {finding.verdict for finding in found} == {Verdict.GOOD}


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_the_doctor_has_a_table_of_pythons_for_every_system(system: str) -> None:
    lines = list(examine_pythons(system))

    assert [line.subject.rpartition("Resolve ")[2] for line in lines] == [
        "19 to 21.0",
        "21.1 Studio",
        "21.1 free",
    ]
    assert "3.14" in lines[1].cause
    assert "FUSION_PYTHON3_HOME" in lines[1].cause


def test_blackmagics_module_is_loaded_from_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "DaVinciResolveScript", raising=False)
    modules = tmp_path / "Modules"
    modules.mkdir()
    # As Blackmagic's does: it puts another module in its own place.
    (modules / "DaVinciResolveScript.py").write_text(
        "import os, sys, types\n"
        "made = types.ModuleType('fusionscript')\n"
        "made.scriptapp = lambda name: (name, os.environ.get('FUSION_PYTHON3_HOME'))\n"
        "sys.modules[__name__] = made\n"
    )
    library = tmp_path / "fusionscript.so"
    library.touch()
    monkeypatch.setenv("RESOLVE_SCRIPT_API", str(tmp_path))
    monkeypatch.setenv("RESOLVE_SCRIPT_LIB", str(library))
    monkeypatch.delenv("FUSION_PYTHON3_HOME", raising=False)

    module = load()

    assert module.scriptapp("Resolve") == ("Resolve", sys.base_prefix)
    monkeypatch.delitem(sys.modules, "DaVinciResolveScript")
    monkeypatch.delenv("FUSION_PYTHON3_HOME", raising=False)


def test_a_machine_without_resolve_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from masklet.errors import BadInputError

    monkeypatch.delitem(sys.modules, "DaVinciResolveScript", raising=False)
    nowhere = {"RESOLVE_SCRIPT_LIB": str(tmp_path / "no.so"), "RESOLVE_SCRIPT_API": str(tmp_path / "no")}
    assert script_api(nowhere) is None
    assert script_library(nowhere) is None
    with pytest.raises(BadInputError, match="RESOLVE_SCRIPT_LIB"):
        load(dict(nowhere))


def test_a_library_of_another_python_is_told_with_the_doctor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from masklet.errors import BadInputError

    monkeypatch.delitem(sys.modules, "DaVinciResolveScript", raising=False)
    library = tmp_path / "fusionscript.so"
    library.write_bytes(b"no library")
    with pytest.raises(BadInputError, match="masklet doctor resolve"):
        load({"RESOLVE_SCRIPT_LIB": str(library), "RESOLVE_SCRIPT_API": str(tmp_path / "no")})
