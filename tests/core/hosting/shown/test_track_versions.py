"""Kept versions of a track."""

from __future__ import annotations

from masklet.hosting.shown.frame_book import Strip
from masklet.hosting.shown.overlay_masks import MaskStore, PackedMask
from masklet.hosting.shown.track_versions import MOST, TrackVersions
from masklet.types import Presence

STRIPS = {"u": (Strip(1, 9, Presence.PRESENT, False, False, False),)}


def mask(number: int = 0, size_bytes: int = 10) -> PackedMask:
    return PackedMask(2, 2, 1.0, 1.0, bytes([number]) * size_bytes, Presence.PRESENT, False)


def test_a_version_shows_what_was_there_whatever_comes_after() -> None:
    store, versions, before, after = MaskStore(), TrackVersions(), mask(1), mask(2)
    store.put("u", 3, before)

    kept = versions.keep(store, STRIPS, ())
    store.put("u", 3, after)

    assert kept is not None
    assert kept.mask("u", 3) is before
    assert kept.mask("u", 4) is None
    assert versions.all == (kept,)


def test_nothing_and_nothing_new_are_no_versions() -> None:
    store, versions = MaskStore(), TrackVersions()
    assert versions.keep(store, STRIPS, ()) is None
    store.put("u", 3, mask())
    assert versions.keep(store, {"u": ()}, ()) is None

    assert versions.keep(store, STRIPS, ()) is not None
    assert versions.keep(store, STRIPS, ()) is None


def test_the_oldest_go_first_and_numbers_are_never_given_twice() -> None:
    store, versions = MaskStore(), TrackVersions()
    for number in range(MOST + 3):
        store.put("u", 3, mask(number))
        versions.keep(store, STRIPS, ())

    assert [version.number for version in versions.all] == list(range(4, MOST + 4))


def test_masks_that_several_versions_share_count_once() -> None:
    store, versions = MaskStore(), TrackVersions(limit_bytes=150)
    store.put("shared", 1, mask(0, 1000))
    for number in range(3):
        store.put("u", 3, mask(number, 60))
        versions.keep(store, STRIPS, ())

    assert [version.number for version in versions.all] == [1, 2, 3]

    store.put("shared", 1, mask(1, 1000))
    store.put("u", 3, mask(3, 60))
    versions.keep(store, STRIPS, ())

    assert [version.number for version in versions.all] == [4]
