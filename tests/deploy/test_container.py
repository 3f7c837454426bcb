"""The image: its file is one that a linter takes, its steps name what is there, its words are ours."""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from command_words import check_command, group
from masklet_server.cli import app

tomllib = pytest.importorskip("tomllib", reason="reads pyproject.toml with what Python 3.11 has")

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy/container/Containerfile"
IGNORED = FILE.with_name("Containerfile.dockerignore")


def instructions(name: str) -> list[str]:
    text = re.sub(r"\\\n\s*", " ", FILE.read_text(encoding="utf-8"))
    return re.findall(rf"^{name} (.*)$", text, re.MULTILINE)


def linter() -> str:
    beside = Path(sys.executable).with_name("hadolint")
    found = str(beside) if beside.is_file() else shutil.which("hadolint")
    if found is None:
        pytest.skip("hadolint is not installed")
    return found


def test_a_linter_has_nothing_to_say() -> None:
    done = subprocess.run(
        [linter(), "--no-color", str(FILE)], capture_output=True, text=True, check=False, timeout=60
    )

    assert (done.returncode, done.stdout.strip()) == (0, "")


def test_a_mistake_would_be_found(tmp_path: Path) -> None:
    bad = tmp_path / "Containerfile"
    text = FILE.read_text(encoding="utf-8").replace("USER 7700:7700", "USER root")
    bad.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [linter(), "--no-color", str(bad)], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode != 0
    assert "DL3002" in done.stdout


def test_what_is_copied_is_there_and_not_ignored() -> None:
    rules = IGNORED.read_text(encoding="utf-8").splitlines()
    kept = [rule[1:] for rule in rules if rule.startswith("!")]
    copied = [words for line in instructions("COPY") if (words := line.split())[0] != "--from=build"]
    sources = [source for words in copied for source in words[:-1]]

    assert sources
    assert "*" in rules
    for source in sources:
        assert (ROOT / source).exists(), source
        assert any(fnmatch.fnmatch(source, rule) or source.startswith(f"{rule}/") for rule in kept), source


def test_the_package_builds_from_what_is_copied() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    needed = [*wheel, project["project"]["readme"], *project["project"]["license-files"]]
    copied = [source for line in instructions("COPY") for source in line.split()[:-1]]

    for path in needed:
        assert any(path == source or path.startswith(f"{source}/") for source in copied), path


def test_the_lock_holds_what_the_settings_can_ask_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = re.findall(r"^([\w.-]+)==", (ROOT / "installers/server.lock").read_text(encoding="utf-8"), re.M)
    names = {re.sub(r"[-_.]+", "-", name).lower() for name in locked}

    for extra in ("server", "metrics", "status", "traces", "oidc"):
        for wanted in project["optional-dependencies"][extra]:
            name = re.split(r"[\[>=<;]", wanted)[0].strip().lower()
            # What an older Python needs is not in an image of a newer one.
            assert name == "masklet" or "python_version" in wanted or name in names, wanted
    assert "--require-hashes" in FILE.read_text(encoding="utf-8")


def test_what_it_runs_is_taken() -> None:
    (entry,), (command,) = instructions("ENTRYPOINT"), instructions("CMD")
    (health,) = re.findall(r"CMD (\[.*\])$", instructions("HEALTHCHECK")[0])

    assert json.loads(entry) == ["masklet-server"]
    check_command(group(app), json.loads(command))
    assert json.loads(health)[0] == "masklet-server"
    check_command(group(app), json.loads(health)[1:])


def test_it_runs_as_nobody_in_particular() -> None:
    (user,) = instructions("USER")
    uid, _, gid = user.partition(":")

    assert int(uid) >= 1000
    assert uid == gid
    # Nothing is fetched when it runs, and no secret is in a layer.
    text = FILE.read_text(encoding="utf-8")
    assert not re.search(r"(?i)(token|password|secret)=", text)
    assert all(shlex.split(line) for line in instructions("RUN"))
