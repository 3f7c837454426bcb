"""Every word of the add-on is German where Blender is, by Blender's own system."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from real_blender import ROOT, blender_application, blender_wheel

ADDON = ROOT / "hosts/blender/masklet_blender"
SHARED = tuple(
    ROOT / "core/masklet" / name for name in ("said", "hosting", "better_weights.py", "doubtful_clicks.py")
)
SCRIPTS = Path(__file__).parent / "scripts"
NO_SENTENCES = {
    "Utility - Raw",
    " cut out",
    "masklet matte at the plate's size",
    "numbers do not end",
    "These mattes were made by masklet; this file says for what",
    "What the file browser lists",
    "Width and height of the plate",
}
DRAWN = ("panels.py", "menus.py", "preferences.py")
"""Modules that lay out what is seen."""
APART = {"phrase", "_kept", "PointerProperty"}
SAYING = {"report", "tell", "refuse", "poll_message_set", "status_text_set"}
JOBS = ("Tracking", "Getting mattes", "Making splines", "Making an anchor", "Sending to the server")


def modules() -> Iterator[tuple[Path, ast.Module]]:
    """The add-on's, and those of the core that it uses, whose sentences it shows."""
    for file in used():
        yield file, ast.parse(file.read_text(encoding="utf-8"))


@cache
def used() -> tuple[Path, ...]:
    """Files of the add-on, and of the shared folders those that it imports, on whatever way."""
    found, waiting = set(), sorted(ADDON.rglob("*.py"))
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.add(file)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            for name in names:
                module = ROOT / "core" / f"{name.replace('.', '/')}.py"
                if module.is_file() and any(shared in (module, *module.parents) for shared in SHARED):
                    waiting.append(module)
    return tuple(sorted(found))


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def phrases() -> dict[str, str]:
    """All sentences of the source, and where they are."""
    found = {}
    for file, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and called(node) == "phrase" and node.args:
                pattern = node.args[0]
                assert isinstance(pattern, ast.Constant), f"{file.name}:{node.lineno} builds its pattern"
                found[str(pattern.value)] = f"{file.name}:{node.lineno}"
    return found


def drawn_texts() -> dict[str, str]:
    """What panels, menus and preferences write themselves: every text that begins like one."""
    found = {}
    for file, tree in modules():
        if file.name not in DRAWN:
            continue
        documentation = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) and node not in documentation else None
            if isinstance(text, str) and re.match(r"[A-Z][a-z]", text):
                found[text] = f"{file.name}:{node.lineno}"
    return found


def german() -> dict[str, str]:
    """The add-on's own table; its modules need Blender, their content does not."""
    found: dict[str, str] = {}
    for file in sorted((ADDON / "translations").glob("german_*.py")):
        values: dict[str, Any] = {}
        exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), values)
        for table in (value for name, value in values.items() if name.isupper()):
            assert not set(found) & set(table)
            found.update(table)
    return found


@pytest.fixture(scope="module", params=["4.2", "5.2"], ids=lambda version: f"blender-{version}")
def registered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Labels and tooltips of all registered classes, and where they are."""
    folder = tmp_path_factory.mktemp("user")
    interface = blender_wheel(request.param).run(SCRIPTS / "interface.py", user_folder=folder)
    found = {}
    for owner in interface["owners"]:
        found.update({owner[part]: owner["name"] for part in ("label", "description") if owner[part]})
    for prop in interface["properties"]:
        if not prop["hidden"]:
            texts = [prop["label"], prop["description"], *(text for item in prop["items"] for text in item)]
            found.update(dict.fromkeys(texts, f"{prop['owner']}.{prop['name']}"))
    del found["masklet"]
    return found


def test_there_is_german_for_every_word_and_no_german_for_words_that_are_gone(
    registered: dict[str, str],
) -> None:
    english = {**registered, **drawn_texts(), **phrases()}

    assert {text: where for text, where in english.items() if text not in german()} == {}
    assert [text for text in german() if text not in english] == []


def test_every_longer_text_of_the_source_is_said_in_a_way_that_is_translated() -> None:
    bare = []
    for file, tree in modules():
        if file.parent.name == "translations":
            continue
        apart = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            # Descriptions of what is kept and never shown; patterns were looked at on their own.
            if isinstance(node, ast.Call) and called(node) in APART:
                apart |= {id(part) for part in ast.walk(node)}
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) and id(node) not in apart else None
            if isinstance(text, str) and len(text.split()) > 2 and text not in german():
                bare.append((file.name, text))
    assert [(name, text) for name, text in bare if not is_no_sentence(name, text)] == []


def is_no_sentence(module: str, text: str) -> bool:
    """Names in files and in Blender's data, programs of the graphics card, types, what cannot happen."""
    return text in NO_SENTENCES or module == "__init__.py" or "void main()" in text or "bpy.types." in text


def test_german_sentences_name_what_the_english_ones_name() -> None:
    def names(pattern: str) -> list[str]:
        return sorted(name for _, name, _, _ in string.Formatter().parse(pattern) if name)

    assert {text: to for text, to in german().items() if names(text) != names(to)} == {}


def test_nothing_is_said_that_could_not_be_translated() -> None:
    bare = []
    for file, tree in modules():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = called(node)
            if name in SAYING or (name.endswith("Error") and name != "AssertionError"):
                bare += [
                    f"{file.name}:{node.lineno}"
                    for argument in node.args
                    if isinstance(argument, ast.JoinedStr)
                    or (isinstance(argument, ast.Constant) and isinstance(argument.value, str))
                ]
    assert bare == []


def test_a_german_blender_shows_german(tmp_path: Path) -> None:
    answer = blender_application().run(SCRIPTS / "german.py", user_folder=tmp_path)

    assert answer["label"] == "Objekte verfolgen"
    assert answer["button"] == "Sperren"
    assert answer["tooltip"] == "Auf das Objekt klicken, oder mit Umschalt auf das, was nicht dazugehört"
    assert answer["property"] == "Weiche Kante"
    assert answer["sentence"] == "Bild 7 ist für Ente gesperrt: zuerst entsperren, dann korrigieren"
    assert answer["nested"] == "Verfolgen: 3 von 8.  Esc: anhalten und behalten, was fertig ist"
    assert answer["foreign"] == "what the server says"
    assert "Movie-Clip-Editor öffnen" in answer["refusal"]
    assert answer["after"] == "Track Objects"


def test_progress_fits_a_panel() -> None:
    longest = {
        language: max(
            len(words(job)) + len(words("{job}: {done} of {total}").format(job="", done=1000, total=1000))
            for job in (
                "Tracking",
                "Getting mattes",
                "Making splines",
                "Making an anchor",
                "Sending to the server",
            )
        )
        for language, words in (("English", str), ("German", german().__getitem__))
    }

    # The sidebar is 35 letters wide as Blender opens it.
    assert max(longest.values()) <= 35, longest
