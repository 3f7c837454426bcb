from __future__ import annotations

from pathlib import Path

import pytest

from masklet.errors import ClipError, HelperError, ServerUnreachableError
from masklet.hosting.plate_files import PlateSource, fingerprint_of
from masklet.hosting.work.connection import Connection, ConnectionSettings, connect
from masklet_blender.repairs import BLENDER


def test_missing_pictures_are_found_with_blenders_own_menu(tmp_path: Path) -> None:
    gone = PlateSource("shot", str(tmp_path / "shot.%04d.png"), 64, 36, words=BLENDER)

    with pytest.raises(ClipError, match=r"the pictures of shot are no longer at .*Find Missing Files"):
        fingerprint_of(gone)


def test_another_machine_is_allowed_in_blenders_own_preferences() -> None:
    settings = ConnectionSettings("gpu.studio:50051", may_go_online=False, words=BLENDER)

    with pytest.raises(ServerUnreachableError, match=r"^Blender may not .* Allow Online Access in Pref"):
        Connection().server(settings)


def test_a_helper_that_cannot_be_started_names_blenders_preference(tmp_path: Path) -> None:
    settings = ConnectionSettings(helper_python=str(tmp_path / "python"), words=BLENDER)

    with pytest.raises(HelperError, match="Helper's Python in Preferences, Add-ons, masklet"):
        connect(settings)
