"""The whole way in the Pythons of Nuke: a real server, a real helper, and a Nuke that is a stand-in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO as oiio
import pytest

import masklet
import masklet_nuke
from fakes.exchange_scenes import draw_paths, iou
from masklet.publish.checks import validate
from masklet.publish.collected import collect
from masklet.publish.integrating import TemplateIntegrator
from masklet.publish.publishing import publish
from masklet.transport.local_server import LocalServer
from masklet_server.demo.clip_writer import DemoClip

CORE = Path(masklet.__file__).parent.parent
ADAPTER = Path(masklet_nuke.__file__).parent.parent
TESTS = Path(__file__).parents[1]
VERSIONS = ("3.9", "3.11")

SCRIPT = """
import json, sys, time
sys.path[:0] = [{core!r}, {adapter!r}, {tests!r}]
from pathlib import Path
from fakes.nuke import FakeNuke, rotopaint
from fakes.nuke.nodes import FakeFormat
from masklet_nuke import documents, node_knobs, prompting
from masklet_nuke.masklet_node import make_node
from masklet_nuke.runtime import Runtime, set_runtime

nuke = FakeNuke(major=14)
nuke.root()["name"].setValue({script!r})
read = nuke.nodes.Read(file={clip!r}, first=1001, last=1004, colorspace="sRGB")
read["frame_mode"].setValue("start at")
read["frame"].setValue("1")
read.picture = FakeFormat(854, 480)
node = make_node(nuke)
node.setInput(0, read)
for name, value in (
    (node_knobs.SERVER, {address!r}), (node_knobs.TOKEN_FILE, {token_file!r}), (node_knobs.HELPER, {python!r})
):
    node[name].setValue(value)
loop = Runtime(nuke, rotopaint=rotopaint)
set_runtime(loop)

def run():
    until = time.monotonic() + 100
    loop.host.keep_ticking()
    while loop._ticking._thread is not None:
        assert time.monotonic() < until
        nuke.pump()
        time.sleep(0.005)

nuke.frame(1)
nuke.answers.append("duck")
nuke.press(node, "masklet_add_object")
prompting.add_click(loop, node, {x_px!r}, {y_px!r}, positive=True)
for button in ("track", "get_mattes", "make_roto", "make_anchor", "make_cryptomatte"):
    nuke.press(node, "masklet_" + button)
    run()
told = [node[node_knobs.NOTICE].value(), *nuke.messages]

(roto,) = [each for each in nuke.allNodes("Roto") if each.name().endswith("roto")]
paths = {{}}
for frame in range(1, 5):
    paths[frame] = []
    for each in nuke.allNodes("Roto"):
        for shape in each["curves"].rootLayer:
            values = shape.attributes.values
            if values["ltn"] <= frame <= values["ltm"]:
                sides = ("center", "leftTangent", "rightTangent")
                points = [[getattr(p, side).getPosition(frame) for side in sides] for p in shape]
                path = [(c.x, 480 - c.y, a.x, -a.y, b.x, -b.y) for c, a, b in points]
                paths[frame].append(["holes" in each.name(), path])
inside = {{each.name(): each["file"].value() for each in node.nodes() if each.Class() == "Read"}}
(transform,) = [each for each in nuke.allNodes("Transform")]
loop.close()
print(json.dumps({{
    "told": told,
    "modules": sorted(sys.modules),
    "paths": paths,
    "mattes": inside["mattes_duck"],
    "state": [node["masklet_state_1"].getValueAt(frame) for frame in (0, 1, 4, 5)],
    "kinds": sorted(each.Class() for each in nuke.allNodes() if each.knob("masklet_result")),
    "moves": [transform["translate"].getValueAt(frame, 0) for frame in range(1, 5)],
    "undo": [name for name, _ in nuke.Undo.steps][-6:],
}}))
"""


def interpreter(version: str) -> str | None:
    homes = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    return str(homes[-1]) if homes else None


@pytest.mark.parametrize("version", VERSIONS)
def test_from_the_first_click_to_native_nodes_with_the_standard_library_alone(
    version: str, process: LocalServer, clip: DemoClip, tmp_path: Path
) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version} here")
    token_file = tmp_path / "token"
    token_file.write_text(process.token)
    _, x_px, y_px = clip.clicks[0]
    script = SCRIPT.format(
        core=str(CORE),
        adapter=str(ADAPTER),
        tests=str(TESTS),
        script=str(tmp_path / "shot.nk"),
        address=process.address,
        token_file=str(token_file),
        python=sys.executable,
        clip=str(clip.pattern),
        x_px=x_px,
        y_px=y_px,
    )

    done = subprocess.run(
        [python, "-I", "-S", "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
        env={name: value for name, value in os.environ.items() if not name.startswith("MASKLET")},
    )

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert not {"grpc", "google", "numpy", "torch"} & {name.split(".")[0] for name in found["modules"]}
    # The script counts from 1, the plate from 1001.
    assert found["state"] == [0.0, 1.0, 1.0, 0.0]
    wanted = {"BackdropNode", "CornerPin2D", "Cryptomatte", "Read", "Roto", "Tracker4", "Transform"}
    assert wanted <= set(found["kinds"])
    assert {"masklet: mattes", "masklet: roto", "masklet: anchor"} <= set(found["undo"])
    for frame in range(1, 5):
        picture = oiio.ImageBuf(found["mattes"] % (frame + 1000)).get_pixels(oiio.FLOAT)
        drawn = draw_paths(found["paths"][str(frame)], width_px=854, height_px=480)
        assert iou(drawn, picture[..., 3] > 0.5) > 0.97
    # Both folders that the buttons filled can be published as they are.
    folders = [file.parent for file in tmp_path.rglob("*.shot.json")]
    assert len(folders) == 2
    for folder in folders:
        collected = collect(folder)
        assert validate(collected) == ()
        published, _ = publish(collected, TemplateIntegrator())
        assert len(list(published.folder.rglob("*.exr"))) == 4
    if keep := os.environ.get("MASKLET_NUKE_PICTURE"):
        _write_picture(Path(keep), clip, found)


def _write_picture(file: Path, clip: DemoClip, found: dict[str, object]) -> None:
    """Plate, matte and the Roto as Nuke's curve draws it, side by side: for a pair of eyes."""
    rows = []
    for frame in (1, 3):
        plate = cv2.imread(str(clip.pattern) % (frame + 1000))
        matte = oiio.ImageBuf(str(found["mattes"]) % (frame + 1000)).get_pixels(oiio.FLOAT)[..., 3]
        paths = found["paths"][str(frame)]  # type: ignore[index]
        drawn = draw_paths(paths, width_px=854, height_px=480)
        shown = plate.copy()
        for _, path in paths:
            from fakes.exchange_scenes import sampled

            cv2.polylines(
                shown, [np.round(sampled(path)).astype(np.int32)], True, (80, 255, 80), 2, cv2.LINE_AA
            )
            for vertex in path:
                cv2.circle(shown, (round(vertex[0]), round(vertex[1])), 4, (0, 200, 255), -1, cv2.LINE_AA)
        apart = np.stack([matte, drawn * 1.0, matte], -1)
        rows.append(np.hstack([shown, np.repeat(matte[..., None] * 255, 3, -1), apart * 255]))
    cv2.imwrite(str(file), np.vstack(rows)[:, :, :])
