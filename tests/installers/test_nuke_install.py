"""masklet on Nuke's path: per user and for everybody, several versions, nothing foreign, taken off again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import masklet
from masklet.cli import make_app
from masklet.commands.doctor_nuke import examine_machine
from masklet.errors import BadInputError, OutputError
from masklet.findings import Verdict
from masklet.installing.blender_places import Machine
from masklet.installing.nuke import (
    add_to_init,
    foreign_packages,
    has_panel,
    install_into,
    installed_in,
    names_folder,
    remove_from_init,
    uninstall_from,
)
from masklet.installing.nuke_places import find_nukes, path_folders, user_folder
from masklet.transport.helper_environment import clean_environment

TESTS = Path(__file__).parents[1]
VERSIONS = ("3.9", "3.10", "3.11")
"""What Nuke 14, 15, and 16 and 17 bring."""


def interpreter(version: str) -> str:
    homes = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    if not homes:
        pytest.skip(f"there is no Python {version} here")
    return str(homes[-1])


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nuke") / "masklet"
    install_into(folder)
    return folder


SCRIPT = """
import json, sys, types
from pathlib import Path
folder, tests = sys.argv[1:3]
before = set(sys.modules)

class Stub:
    GUI = True
    def __init__(self): self.called = []
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        return lambda *args, **more: (self.called.append(name), self)[1]

sys.modules["nuke"] = stub = Stub()
for name in ("init.py", "menu.py"):
    file = Path(folder, name)
    text = file.read_text(encoding="utf-8")
    exec(compile(text, str(file), "exec"), {"__file__": str(file), "__name__": name})
started = sorted(set(sys.modules) - before)

# What an artist does, on the stand-in for Nuke.
sys.path.append(tests)
from fakes.nuke import FakeNuke, rotopaint
from masklet_nuke import runtime, documents, prompting
from masklet_nuke.masklet_node import make_node
from masklet_nuke.selftest import check_all
nuke = FakeNuke(gui=False)
checks = check_all(nuke, rotopaint, Path(sys.argv[3]))
print(json.dumps({
    "called": stub.called,
    "started": started,
    "modules": sorted({name.split(".")[0] for name in sys.modules}),
    "path": sys.path,
    "checks": [[check.what, check.verdict] for check in checks],
}))
"""


@pytest.mark.parametrize("version", VERSIONS)
def test_each_nukes_python_starts_masklet_and_brings_results_home_with_the_standard_library_alone(
    version: str, installed: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [interpreter(version), "-I", "-c", SCRIPT, str(installed), str(TESTS), str(tmp_path)],
        capture_output=True,
        text=True,
        env=clean_environment(),
        check=False,
    )

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert {"addKnobChanged", "addBeforeFrameRender", "addCommand"} <= set(told["called"])
    assert not {"grpc", "google", "numpy", "torch", "PySide2", "PySide6"} & set(told["modules"])
    # Nuke starts without what only work needs.
    assert not any(name.startswith("masklet.client") for name in told["started"])
    assert [what for what, verdict in told["checks"] if verdict == "wrong"] == []
    assert len(told["checks"]) >= 8


def test_nothing_of_protobuf_or_grpc_lies_on_nukes_path(installed: Path) -> None:
    (version,) = (installed / "versions").iterdir()
    packages = {path.name for path in version.iterdir()}

    assert {"masklet", "masklet_nuke"} <= packages <= {"masklet", "masklet_nuke", "masklet_panel", "Qt.py"}
    assert not list(version.rglob("*_pb2*"))
    assert not any("import grpc" in file.read_text("utf-8") for file in version.rglob("masklet_nuke/**/*.py"))
    assert foreign_packages(installed) == []


def test_the_panel_comes_with_what_it_finds_qt_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shims = tmp_path / "site"
    shims.mkdir()
    (shims / "Qt.py").write_text("raise AssertionError('looked up, never imported')\n")
    monkeypatch.syspath_prepend(str(shims))

    install_into(tmp_path / "with")

    assert (tmp_path / "with/versions" / masklet.__version__ / "Qt.py").is_file()
    assert has_panel(tmp_path / "with")


def test_the_helper_sees_nothing_of_what_nuke_sets_for_itself() -> None:
    nukes = {
        "NUKE_PATH": "/studio/nuke",
        "NUKE_INTERACTIVE": "1",
        "PYTHONHOME": "/usr/local/Nuke15.1v2",
        "PYTHONPATH": "/studio/python",
        "LD_LIBRARY_PATH": "/usr/local/Nuke15.1v2",
        "QT_PLUGIN_PATH": "/usr/local/Nuke15.1v2/qtplugins",
    }

    assert clean_environment({**nukes, "HOME": "/home/artist"}) == {"HOME": "/home/artist"}


@pytest.mark.parametrize("damage", ["no version", "syntax error", "no current"])
def test_whatever_is_wrong_nuke_starts_with_one_sentence(damage: str, tmp_path: Path) -> None:
    install_into(tmp_path)
    package = tmp_path / "versions" / masklet.__version__ / "masklet_nuke"
    if damage == "no version":
        (tmp_path / "current").write_text("9.9.9")
    elif damage == "syntax error":
        (package / "registration.py").write_text("def broken(:\n")
    else:
        (tmp_path / "current").unlink()
    code = (
        "import runpy, sys, types; sys.modules['nuke'] = types.ModuleType('nuke');"
        "[runpy.run_path(name) for name in sys.argv[1:]]; print('Nuke goes on')"
    )

    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(tmp_path / "init.py"), str(tmp_path / "menu.py")],
        capture_output=True,
        text=True,
        check=False,
    )

    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert lines[-1] == "Nuke goes on"
    assert all(line.startswith("masklet ") and "masklet doctor nuke" in line for line in lines[:-1])
    assert 1 <= len(lines) - 1 <= 2


def test_a_users_init_keeps_what_stands_in_it(tmp_path: Path) -> None:
    init = tmp_path / "init.py"
    init.write_text("import nuke\nnuke.pluginAddPath('./gizmos')")

    add_to_init(tmp_path)
    once = init.read_text()
    add_to_init(tmp_path)

    assert init.read_text() == once
    assert once.count("masklet: begin") == 1
    assert names_folder(tmp_path)
    assert remove_from_init(tmp_path)
    assert init.read_text() == "import nuke\nnuke.pluginAddPath('./gizmos')\n"
    assert not remove_from_init(tmp_path)


def test_an_init_that_was_masklets_alone_goes(tmp_path: Path) -> None:
    add_to_init(tmp_path / "new")
    assert remove_from_init(tmp_path / "new")
    assert not (tmp_path / "new" / "init.py").exists()


def test_versions_lie_side_by_side_and_the_newest_installed_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_into(tmp_path)
    monkeypatch.setattr(masklet, "__version__", "9.0.0")
    done = install_into(tmp_path)

    assert done.current == "9.0.0"
    assert len(done.versions) == 2
    found = installed_in(tmp_path)
    assert found == done


def test_a_share_may_be_read_only_and_says_which_python_helps(tmp_path: Path) -> None:
    share = tmp_path / "share"
    install_into(share, helper=Path(sys.executable))
    for path in [share, *share.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    code = (
        "import os, runpy, sys, types; nuke = types.ModuleType('nuke'); nuke.GUI = False;"
        "nuke.addBeforeFrameRender = lambda call: print('registered'); sys.modules['nuke'] = nuke;"
        "runpy.run_path(sys.argv[1]); print(os.environ['MASKLET_PYTHON'])"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", code, str(share / "init.py")],
            capture_output=True,
            text=True,
            env={name: value for name, value in os.environ.items() if name != "MASKLET_PYTHON"},
            check=False,
        )
        if not is_kept_out_by_nothing():
            with pytest.raises(OutputError, match="cannot be written"):
                install_into(share)
    finally:
        for path in [share, *share.rglob("*")]:
            path.chmod(0o755)

    assert done.stdout.splitlines() == ["registered", os.path.abspath(sys.executable)], done.stderr


def is_kept_out_by_nothing() -> bool:
    """Root and Windows are kept out by no mode."""
    return not hasattr(os, "geteuid") or os.geteuid() == 0


def test_what_is_not_masklets_is_never_removed(tmp_path: Path) -> None:
    install_into(tmp_path)
    (tmp_path / "gizmos").mkdir()

    with pytest.raises(BadInputError, match="gizmos"):
        uninstall_from(tmp_path)

    (tmp_path / "gizmos").rmdir()
    assert uninstall_from(tmp_path)
    assert not uninstall_from(tmp_path)


def machine(tmp_path: Path, system: str = "Linux", **variables: str) -> Machine:
    return Machine(system, tmp_path / "home", variables, tmp_path)


def test_nukes_are_found_where_foundrys_installers_put_them(tmp_path: Path) -> None:
    for name in ("Nuke13.2v9", "Nuke15.1v2", "Nuke16.0v10", "Nuke16.0v4", "NukeX"):
        (tmp_path / "usr/local" / name).mkdir(parents=True)

    found = find_nukes(machine(tmp_path))

    assert [(nuke.version, nuke.takes_masklet) for nuke in found] == [
        ("16.0v10", True),
        ("16.0v4", True),
        ("15.1v2", True),
        ("13.2v9", False),
    ]


def test_nuke_path_is_read_as_the_system_writes_it(tmp_path: Path) -> None:
    assert path_folders(machine(tmp_path, NUKE_PATH="/a:/b")) == [Path("/a"), Path("/b")]
    assert path_folders(machine(tmp_path, "Windows", NUKE_PATH="a;b")) == [Path("a"), Path("b")]


def test_the_doctor_finds_what_is_missing_old_foreign_or_there_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = machine(tmp_path)
    (tmp_path / "opt/Nuke13.2v9").mkdir(parents=True)
    bad = [finding for finding in examine_machine(here) if finding.verdict is Verdict.BAD]
    assert [finding.repair for finding in bad] == ["masklet install nuke"]

    own = user_folder(here)
    install_into(own / "masklet")
    told = {finding.cause: finding for finding in examine_machine(here)}
    assert any("does not name masklet" in cause for cause in told)
    assert any("too old" in cause for cause in told)
    add_to_init(own)
    assert not [finding for finding in examine_machine(here) if finding.verdict is Verdict.BAD]

    (own / "masklet/versions" / masklet.__version__ / "google").mkdir()
    share = tmp_path / "share"
    install_into(share)
    both = machine(tmp_path, NUKE_PATH=str(share), PYTHONPATH="/studio/lib/site-packages")
    causes = " ".join(finding.cause for finding in examine_machine(both))
    assert "google must not be on Nuke's path" in causes
    assert "found twice" in causes
    assert "whole site-packages" in causes


def test_the_commands_install_look_and_uninstall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("NUKE_PATH", raising=False)
    runner = CliRunner()

    done = runner.invoke(make_app(), ["install", "nuke"])
    assert done.exit_code == 0, done.output
    assert "Masklet is in the Draw menu" in done.output
    assert (tmp_path / ".nuke/masklet/init.py").is_file()
    looked = runner.invoke(make_app(), ["doctor", "nuke", "--no-start"])
    assert looked.exit_code == 0, looked.output

    gone = runner.invoke(make_app(), ["uninstall", "nuke"])
    assert gone.exit_code == 0, gone.output
    assert not (tmp_path / ".nuke/masklet").exists()
    site = runner.invoke(make_app(), ["install", "nuke", "--site", str(tmp_path / "share")])
    assert "NUKE_PATH" in site.output
    assert runner.invoke(make_app(), ["uninstall", "nuke", "--site", str(tmp_path / "share")]).exit_code == 0
