"""The calls that are made exist in Blackmagic's interface, as its published stubs have it."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from installed_hosts import ROOT

_CODE = """
import fusionscript as real
from masklet_resolve import api

def resolve(one: real.Resolve) -> api.Resolve: return one
def manager(one: real.ProjectManager) -> api.ProjectManager: return one
def project(one: real.Project) -> api.Project: return one
def pool(one: real.MediaPool) -> api.MediaPool: return one
def storage(one: real.MediaStorage) -> api.MediaStorage: return one
def folder(one: real.Folder) -> api.Folder: return one
def media(one: real.MediaPoolItem) -> api.MediaPoolItem: return one
def mattes(one: real.MediaStorage, item: real.MediaPoolItem) -> bool:
    return one.AddClipMattesToMediaPool(item, ["a.exr"], None)
def timeline(one: real.Timeline) -> None:
    one.GetStartFrame(), one.GetSetting("timelineFrameRate"), one.GetMarkers()
    one.GetTrackCount("video"), one.GetItemListInTrack("video", 1)
    one.Export("t.fcpxml", real.Resolve.EXPORT_FCPXML_1_10, real.Resolve.EXPORT_NONE)
    one.AddMarker(1.0, "Yellow", "name", "note", 2.0, "masklet:"), one.DeleteMarkerAtFrame(1.0)
    item(one.GetCurrentVideoItem())
def item(one: real.TimelineItem) -> None:
    one.GetStart(False), one.GetEnd(False), one.GetSourceStartFrame(), one.GetSourceEndFrame()
    one.GetName(), one.GetMediaPoolItem(), one.GetTrackTypeAndIndex(), one.GetUniqueId()
    one.GetFusionCompCount(), one.GetFusionCompByIndex(1), one.ImportFusionComp("x.comp")
def bins(one: real.MediaPool, media: real.MediaPoolItem) -> None:
    one.ImportMedia([{"FilePath": "m.%04d.exr", "StartIndex": 1, "EndIndex": 2}])
    info: real.MediaPoolClipInfo = {"mediaPoolItem": media, "startFrame": 0, "endFrame": 1, "mediaType": 1,
                                    "trackIndex": 2, "recordFrame": 86400}
    # The first of its overloads is not marked as one, so that a type checker sees that alone.
    print(one.AppendToTimeline, info)
"""


def test_every_method_that_is_called_is_in_the_stubs_with_these_arguments(tmp_path: Path) -> None:
    stubs = find_spec("fusionscript-stubs")
    if stubs is None or not stubs.submodule_search_locations:
        pytest.skip("fusionscript-stubs is not installed: pip install 'masklet[dev]'")
    file = tmp_path / "calls.py"
    file.write_text(_CODE, encoding="utf-8")
    path = [str(ROOT / "core"), str(ROOT / "hosts/resolve"), str(ROOT / "hosts/panel")]
    # Stubs leave optional arguments without their defaults; what is called must be there all the same.
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "", "--follow-imports", "silent", str(file)],
        capture_output=True,
        text=True,
        check=False,
        env={"MYPYPATH": ":".join(path), "PATH": "", "PYTHONPATH": ":".join(sys.path)},
    )

    assert done.returncode == 0, done.stdout + done.stderr
