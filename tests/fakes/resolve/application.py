"""A Resolve of our own, which refuses what the real one refuses.

Sources: README of scripting, 24 July 2026; davinci-resolve-mcp (media goes into the current bin, a marker
needs a frame of its own, one colour of sixteen); fusionscript-stubs 21.0.0 for names and arguments.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from fakes.resolve.compositions import FakeComp, imported

COLOURS = frozenset(
    {
        *("Blue", "Cyan", "Green", "Yellow", "Red", "Pink", "Purple", "Fuchsia", "Rose", "Lavender", "Sky"),
        *("Mint", "Lemon", "Sand", "Cocoa", "Cream"),
    }
)


@dataclass(eq=False)
class FakeMedia:
    """A clip of the media pool."""

    name: str
    properties: dict[str, Any]
    mattes: list[str] = field(default_factory=list)

    def GetName(self) -> str:
        return self.name

    def GetUniqueId(self) -> str:
        return str(id(self))

    def GetClipProperty(self, propertyName: str | None = None) -> Any:
        # What is not known is an empty text, never an error.
        return dict(self.properties) if propertyName is None else str(self.properties.get(propertyName, ""))


@dataclass(eq=False)
class FakeFolder:
    """A bin."""

    name: str
    folders: list[FakeFolder] = field(default_factory=list)
    clips: list[FakeMedia] = field(default_factory=list)

    def GetName(self) -> str:
        return self.name

    def GetSubFolderList(self) -> list[FakeFolder]:
        return list(self.folders)


@dataclass(eq=False)
class FakeItem:
    """A clip on a track."""

    name: str
    media: FakeMedia | None
    start: int
    end: int
    source: tuple[int, int] = (0, 0)
    track: int = 1
    comps: list[FakeComp] = field(default_factory=list)
    comp_start: int = 0
    refuses_comps: bool = False
    time_map: tuple[tuple[str, str], ...] = ()
    """Of a retimed clip: time and value of each point, as FCPXML writes them."""

    def GetName(self) -> str:
        return self.name

    def GetUniqueId(self) -> str:
        return str(id(self))

    def GetStart(self, subframe_precision: bool = False) -> int:
        return self.start

    def GetEnd(self, subframe_precision: bool = False) -> int:
        return self.end

    def GetSourceStartFrame(self) -> int:
        return self.source[0]

    def GetSourceEndFrame(self) -> int:
        return self.source[1]

    def GetMediaPoolItem(self) -> FakeMedia | None:
        return self.media

    def GetTrackTypeAndIndex(self) -> tuple[str, int]:
        return "video", self.track

    def GetFusionCompCount(self) -> int:
        return len(self.comps)

    def GetFusionCompByIndex(self, compIndex: int) -> FakeComp | None:
        # Counted from 1.
        return self.comps[compIndex - 1] if 1 <= compIndex <= len(self.comps) else None

    def ImportFusionComp(self, path: str) -> FakeComp | None:
        made = None if self.refuses_comps else imported(path, self.comp_start, self.end - self.start)
        if made is not None:
            self.comps.append(made)
        return made


class FakeTimeline:
    """A timeline that begins an hour in, as Resolve's do."""

    def __init__(
        self, items: list[FakeItem], *, first: int = 86400, rate: str = "24.0", tracks: int = 1
    ) -> None:
        self.items, self.first, self.rate, self.tracks = items, first, rate, tracks
        self.current: FakeItem | None = items[0] if items else None
        self.markers: dict[float, dict[str, Any]] = {}
        self.is_locked = False
        self.exports = True

    def GetName(self) -> str:
        return "Timeline 1"

    def GetStartFrame(self) -> int:
        return self.first

    def GetSetting(self, settingName: str) -> str:
        return {"timelineFrameRate": self.rate}.get(settingName, "")

    def GetCurrentVideoItem(self) -> FakeItem | None:
        return self.current

    def GetTrackCount(self, trackType: str) -> int:
        return self.tracks if trackType == "video" else 0

    def AddTrack(self, trackType: str, newTrackOptions: Any = None) -> bool:
        if trackType != "video" or self.is_locked:
            return False
        self.tracks += 1
        return True

    def GetItemListInTrack(self, trackType: str, index: int) -> list[FakeItem] | None:
        if trackType != "video" or not 1 <= index <= self.tracks:
            return None
        return [item for item in self.items if item.track == index]

    def GetMarkers(self) -> dict[float, dict[str, Any]]:
        return dict(self.markers)

    def AddMarker(
        self, frameId: float, color: str, name: str, note: str, duration: float, customData: str | None = None
    ) -> bool:
        length = max(item.end for item in self.items) - self.first
        if color not in COLOURS or frameId in self.markers or not 0 <= frameId < length or duration < 1:
            return False
        self.markers[frameId] = {
            "color": color,
            "name": name,
            "note": note,
            "duration": duration,
            "customData": customData or "",
        }
        return True

    def Export(self, fileName: str, exportType: Any, exportSubtype: Any) -> bool:
        if (exportType, exportSubtype) != (FakeResolve.EXPORT_FCPXML_1_10, FakeResolve.EXPORT_NONE):
            return False
        if self.exports:
            Path(fileName).write_text(self._fcpxml(), encoding="utf-8")
        return self.exports

    def _fcpxml(self) -> str:
        rate = round(float(self.rate))
        clips = []
        for item in self.items:
            points = "".join(
                f'<timept time="{time}" value="{value}" interp="linear"/>' for time, value in item.time_map
            )
            clips.append(
                f'<asset-clip name={quoteattr(item.name)} offset="{item.start}/{rate}s" start="0/1s" '
                f'duration="{item.end - item.start}/{rate}s" ref="r1">'
                + (f"<timeMap>{points}</timeMap>" if points else "")
                + "</asset-clip>"
            )
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n<fcpxml version="1.10"><library>'
            f"<event><project><sequence><spine>{''.join(clips)}</spine></sequence></project></event></library></fcpxml>"
        )

    def DeleteMarkerAtFrame(self, frameNum: float) -> bool:
        return self.markers.pop(frameNum, None) is not None


class FakePool:
    """The media pool."""

    def __init__(self, timeline: FakeTimeline | None) -> None:
        self.root = FakeFolder("Master")
        self.current = self.root
        self._timeline = timeline

    def GetRootFolder(self) -> FakeFolder:
        return self.root

    def GetCurrentFolder(self) -> FakeFolder:
        return self.current

    def SetCurrentFolder(self, folder: FakeFolder) -> bool:
        self.current = folder
        return True

    def AddSubFolder(self, folder: FakeFolder, name: str) -> FakeFolder | None:
        if any(one.name == name for one in folder.folders):
            return None
        made = FakeFolder(name)
        folder.folders.append(made)
        return made

    def ImportMedia(self, clipInfos: list[dict[str, Any]]) -> list[FakeMedia]:
        made = []
        for info in clipInfos:
            path = Path(info["FilePath"])
            frames = range(info["StartIndex"], info["EndIndex"] + 1)
            if not all(path.with_name(path.name % frame).is_file() for frame in frames):
                # Nothing is imported, and nothing is said.
                return []
            media = FakeMedia(path.name, {"File Path": str(path), "Frames": len(frames)})
            self.current.clips.append(media)
            made.append(media)
        return made

    def AppendToTimeline(self, clipInfos: list[dict[str, Any]]) -> list[FakeItem]:
        timeline = self._timeline
        if timeline is None or timeline.is_locked:
            return []
        made = []
        for info in clipInfos:
            media, track = info["mediaPoolItem"], info["trackIndex"]
            length = info["endFrame"] - info["startFrame"] + 1
            known = {"mediaPoolItem", "startFrame", "endFrame", "mediaType", "trackIndex", "recordFrame"}
            inside = 0 <= info["startFrame"] <= info["endFrame"] < int(media.properties["Frames"])
            if set(info) - known or not 1 <= track <= timeline.tracks or not inside:
                return []
            start = info["recordFrame"]
            item = FakeItem(
                media.name, media, start, start + length, (info["startFrame"], info["endFrame"]), track
            )
            timeline.items.append(item)
            made.append(item)
        return made


class FakeStorage:
    """Disks."""

    def AddClipMattesToMediaPool(self, mediaPoolItem: Any, paths: list[str], stereoEye: Any = None) -> bool:
        if not isinstance(mediaPoolItem, FakeMedia) or not isinstance(paths, list):
            return False
        if not all(Path(path).is_file() for path in paths):
            return False
        mediaPoolItem.mattes += paths
        return True


@dataclass(eq=False)
class FakeProject:
    """A project."""

    timeline: FakeTimeline | None
    pool: FakePool

    def GetName(self) -> str:
        return "Project"

    def GetCurrentTimeline(self) -> FakeTimeline | None:
        return self.timeline

    def GetMediaPool(self) -> FakePool:
        return self.pool


@dataclass(eq=False)
class FakeManager:
    """The project manager."""

    project: FakeProject | None

    def GetCurrentProject(self) -> FakeProject | None:
        return self.project


class FakeResolve:
    """Resolve itself.

    Args:
        timeline: That is open.
        product: What it calls itself.
        version: The same.
    """

    EXPORT_FCPXML_1_10 = "FCPXML 1.10"
    EXPORT_NONE = "none"

    def __init__(
        self,
        timeline: FakeTimeline | None,
        *,
        product: str = "DaVinci Resolve Studio",
        version: str = "21.1.0",
        project: bool = True,
    ) -> None:
        self.pool = FakePool(timeline)
        self.product, self.version = product, version
        self.storage = FakeStorage()
        self._manager = FakeManager(FakeProject(timeline, self.pool) if project else None)

    def GetProductName(self) -> str:
        return self.product

    def GetVersionString(self) -> str:
        return self.version

    def _of_studio(self) -> None:
        if "Studio" not in self.product:
            # The real one opens a dialogue that blocks every later call.
            raise AssertionError("the free edition was asked for what Studio has")

    def GetProjectManager(self) -> FakeManager:
        self._of_studio()
        return self._manager

    def GetMediaStorage(self) -> FakeStorage:
        self._of_studio()
        return self.storage

    def Fusion(self) -> None:
        self._of_studio()


class FakeFusion:
    """Fusion Studio."""

    def __init__(self, comp: FakeComp | None, version: str = "20.3.1") -> None:
        self._comp, self._version = comp, version

    def GetCurrentComp(self) -> FakeComp | None:
        return self._comp

    def GetAttrs(self) -> dict[str, Any]:
        return {"FUSIONS_Version": self._version}


@dataclass
class FakeScripts:
    """Blackmagic's module: ``scriptapp`` gives None for what does not run or does not answer."""

    resolve: FakeResolve | None = None
    fusion: FakeFusion | None = None

    def scriptapp(self, name: str) -> Any:
        return {"Resolve": self.resolve, "Fusion": self.fusion}.get(name)
