"""Every block of the documentation is run by a test, or checked word by word, or says why not."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys

import pytest
import tomllib

from command_words import check_command, group
from documentation import GUIDES, ROOT, Block, blocks, command_lines
from masklet.cli import make_app
from masklet_server.cli import app as server_app

RUN_ELSEWHERE = {
    "README.md": "tests/integration/test_documentation.py",
    "docs/client.md": "tests/integration/test_documentation.py",
    "docs/exchange.md": "tests/integration/test_documentation.py",
    "docs/package.md": "tests/integration/test_documentation.py",
    "docs/shapes.md": "tests/integration/test_documentation.py",
    "docs/blender.md": "tests/hosts/blender/test_documentation.py",
}
"""Who runs a guide's Python."""
NOT_OURS = {
    "source": "the shell's own",
    "cat": "joins two logs",
    "tail": "shows a log",
    "pip": "installs; the extra is looked up",
    "pipx": "installs",
    "uv": "installs",
    "git": "fetches",
    "openssl": "makes a certificate",
    "blender": "Blender's own commands for extension repositories",
}
"""Programs of others: run by nobody here, for this reason."""

ALL = list(blocks())
COMMANDS = [
    (block, words)
    for block in ALL
    if block.language in ("", "sh", "console")
    for words in command_lines(block)
]


def test_there_are_blocks_to_check() -> None:
    assert len(ALL) > 25
    assert len(COMMANDS) > 25
    assert all(file.is_file() for file in GUIDES)


@pytest.mark.parametrize("block", [block for block in ALL if block.language == "python"], ids=str)
def test_python_is_run_by_a_test(block: Block) -> None:
    runner = ROOT / RUN_ELSEWHERE[block.guide]

    assert block.guide.rpartition("/")[2] in runner.read_text(encoding="utf-8")
    compile(block.text, str(block), "exec")


def test_no_block_is_in_a_language_that_nobody_checks() -> None:
    # "text" is an outline, such as that of the exchange file: nothing of it can be run.
    assert {block.language for block in ALL} <= {"", "python", "text", "sh", "console"}


@pytest.mark.parametrize(("block", "words"), COMMANDS, ids=lambda value: str(value)[:70])
def test_a_command_line_is_one_that_is_taken(block: Block, words: list[str]) -> None:
    while "=" in words[0]:
        words = words[1:]
    if words[0] == "taskset":
        words = words[3:]
    program, rest = words[0].rpartition("/")[2], words[1:]
    if program == "masklet":
        check_command(group(make_app()), rest)
    elif program == "masklet-server":
        check_command(group(server_app), rest)
    elif program == "torchrun":
        module = rest[rest.index("-m") + 1]
        assert importlib.util.find_spec(f"{module}.__main__") is not None
        check_command(group(server_app), rest[rest.index("-m") + 2 :])
    elif program == "pytest":
        assert all((ROOT / word).exists() for word in rest if "/" in word)
    elif program.startswith("python"):
        check_script(rest)
    elif program == "pip":
        check_extras(rest)
    else:
        assert program in NOT_OURS, f"{program} in {block} is checked by nobody"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("roto plate.mov --klick 1:2,3", "--klick"),
        ("rotor plate.mov", "rotor"),
        ("dataset chek show/", "chek"),
        ("serve --max-sessions many", "valid integer"),
    ],
)
def test_a_command_line_that_is_not_taken_is_found_out(line: str, words: str) -> None:
    with pytest.raises((Exception, AssertionError), match=words):
        check_command(group(make_app()), line.split())


def check_script(words: list[str]) -> None:
    file = ROOT / words[0]
    assert file.is_file(), f"there is no {words[0]}"
    text = file.read_text(encoding="utf-8")
    for word in words[1:]:
        if word.startswith("--"):
            assert f'"{word.partition("=")[0]}"' in text, f"{words[0]} has no option {word}"
    if words[0] == "start.py":
        assert re.search(rf'"{words[1]}": \w+', text), f"start.py has no command {words[1]}"


def check_extras(words: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for word in words:
        for extra in re.findall(r"^(?:masklet|\.|.*clone)\[(\w+)\]$", word):
            assert extra in project["optional-dependencies"], f"there is no masklet[{extra}]"
        if word.endswith((".txt", ".toml")):
            assert (ROOT / word).is_file()


def test_every_file_that_the_guides_link_to_is_there() -> None:
    missing = []
    for file in (*GUIDES, *sorted((ROOT / "docs/decisions").glob("*.md"))):
        for target in re.findall(r"\]\(([^)#\s]+)", file.read_text(encoding="utf-8")):
            if "://" not in target and not (file.parent / target).exists():
                missing.append(f"{file.relative_to(ROOT)} -> {target}")

    assert missing == []


def test_every_module_that_a_guide_names_is_there() -> None:
    homes = [ROOT / name for name in ("", "core", "server", "core/masklet", "server/masklet_server")]
    missing = []
    for file in GUIDES:
        for name in re.findall(r"`([\w./-]+/[\w-]+\.(?:py|toml|md))`", file.read_text(encoding="utf-8")):
            if not any((home / name).is_file() for home in homes):
                missing.append(f"{file.relative_to(ROOT)}: {name}")

    assert missing == []


def test_the_page_for_an_index_needs_nothing_beside_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / project["readme"]).read_text(encoding="utf-8")

    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    assert [target for target in targets if not target.startswith("https://")] == []


def test_the_protocols_services_are_all_in_the_servers_guide() -> None:
    services = set()
    for file in (ROOT / "protos/masklet/v1").glob("*.proto"):
        services |= set(re.findall(r"^service (\w+)", file.read_text(encoding="utf-8"), re.MULTILINE))
    guide = (ROOT / "docs/server.md").read_text(encoding="utf-8")
    names = {1: "one", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten", 12: "twelve"}

    assert set(re.findall(r"^\| `(\w+Service)` \|", guide, re.MULTILINE)) == services
    assert f"{names[len(services)]} services" in guide


def test_a_command_of_ours_in_the_documentation_starts() -> None:
    # What is parsed above is the command line that people get.
    for module in ("masklet", "masklet_server"):
        done = subprocess.run([sys.executable, "-m", module, "--help"], capture_output=True, check=False)
        assert done.returncode == 0


def sentences() -> list[str]:
    """Every text in the sources, the parts that are put in later as ``…``."""
    found = []
    for file in (*(ROOT / "core").rglob("*.py"), *(ROOT / "server").rglob("*.py"), ROOT / "start.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
                found.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return found


def test_every_message_of_the_troubleshooting_page_is_one_that_is_said() -> None:
    page = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    quoted = [
        message
        for cell in re.findall(r"^\| ([^|]*) \|", page, re.MULTILINE)
        for message in re.findall(r"`([^`]+)`", cell)
    ]
    said = sentences()

    missing = [
        message
        for message in quoted
        if message != "masklet: command not found"  # the shell's
        and not any(all(part.strip() in text for part in message.split("…")) for text in said)
    ]
    assert len(quoted) > 12
    assert missing == []
