"""One table of keys."""

from __future__ import annotations

from collections import Counter

from masklet.hosting.shortcuts import Action, as_markdown, keys_of, shortcuts, tooltip


def test_no_key_does_two_things_and_everything_has_a_key() -> None:
    keys = Counter(key for shortcut in shortcuts() for key in shortcut.keys)

    assert [key for key, count in keys.items() if count > 1] == []
    assert Counter(shortcut.action for shortcut in shortcuts()) == Counter(Action)


def test_the_keys_that_editors_have_do_what_editors_do() -> None:
    asked = set("JKLIOF19+-,.") | {"Left", "Right", "Home", "End", "Space"}

    assert asked <= {key for shortcut in shortcuts() for key in shortcut.keys}
    assert keys_of(Action.SHORTCUTS)[0] == "?"


def test_the_guide_names_every_key() -> None:
    text = as_markdown()

    for shortcut in shortcuts():
        assert str(shortcut.words) in text
        assert f"`{shortcut.keys[0]}" in text
    assert tooltip("Track", Action.TRACK_BOTH) == "Track (T)"
