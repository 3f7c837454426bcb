"""The hosts that tests run in: what of them is installed, and for which Python."""

from __future__ import annotations

from dataclasses import dataclass

_BLENDER_LIBRARIES = (
    "libx11-6",
    "libxrender1",
    "libxfixes3",
    "libxi6",
    "libxkbcommon0",
    "libxxf86vm1",
    "libsm6",
    "libgl1",
    "libegl1",
)
# Qt brings no fonts, and without any it draws no letters.
_QT_LIBRARIES = (
    "libgl1",
    "libegl1",
    "libglib2.0-0",
    "libdbus-1-3",
    "libfontconfig1",
    "libxkbcommon0",
    "fonts-dejavu-core",
)
SCREEN_PACKAGES = ("xvfb", "xauth", "xdotool", "imagemagick", "libgl1-mesa-dri")
BLENDER_GUI_PACKAGES = ("blender", "python3-numpy", *SCREEN_PACKAGES)
QT_GUI_PACKAGES = (
    *_QT_LIBRARIES,
    *SCREEN_PACKAGES,
    "libxcb-cursor0",
    "libxcb-icccm4",
    "libxcb-image0",
    "libxcb-keysyms1",
    "libxcb-randr0",
    "libxcb-render-util0",
    "libxcb-shape0",
    "libxcb-xinerama0",
    "libxkbcommon-x11-0",
)
_QT_PROBE = """
import os
os.environ["QT_QPA_PLATFORM"] = "offscreen"
import pytest, {binding}, Qt
from Qt import QtGui, QtTest, QtWidgets
application = QtWidgets.QApplication([])
database = QtGui.QFontDatabase
families = database.families() if Qt.__binding__ == "PySide6" else database().families()
assert families, "no font was found"
print({binding}.__version__)
"""


@dataclass(frozen=True)
class PythonHost:
    """A host that is packages in an environment of their own.

    Attributes:
        name: As on the command line.
        folder: In the cache.
        title: For people.
        python: Major and minor version of the Python that it needs.
        requirements: For pip, in the versions that the tests are known to pass with.
        probe: Code that prints ``version`` where all of it can be used.
        version: Of the host.
        libraries: Debian's packages without which it does not start.
        size: What is to be fetched, for people.
    """

    name: str
    folder: str
    title: str
    python: str
    requirements: tuple[str, ...]
    probe: str
    version: str
    libraries: tuple[str, ...]
    size: str


def blender_wheel(version: str, python: str) -> PythonHost:
    """Blender as a Python module, which fits one Python only."""
    return PythonHost(
        f"blender-{version.rpartition('.')[0]}",
        f"bpy-{version}",
        f"Blender {version}",
        python,
        (f"bpy=={version}",),
        "import bpy; print(bpy.app.version_string)",
        version,
        _BLENDER_LIBRARIES,
        "about 400 MB to fetch, 1 GB on the disk",
    )


def qt_python(python: str, package: str, version: str) -> PythonHost:
    """A host's Python with the Qt that this host brings, and what the panel's tests need; nothing else."""
    binding = package.partition("-")[0]
    return PythonHost(
        f"qt-{python}",
        f"qt-{python}-{package}-{version}",
        f"Python {python} with {binding} {version}",
        python,
        (f"{package}=={version}", "Qt.py==2.0.7", "pytest==8.4.2"),
        _QT_PROBE.format(binding=binding),
        # PySide2 calls its 5.15.2.1 5.15.2.
        ".".join(version.split(".")[:3]),
        _QT_LIBRARIES,
        "about 100 MB to fetch, 500 MB on the disk",
    )


def pyblish_python(python: str, base: str, lite: str) -> PythonHost:
    """A host's Python with pyblish and its window, and ShotGrid's own stand-in for a site."""
    return PythonHost(
        f"pyblish-{python}",
        f"pyblish-{python}-{base}-lite-{lite}",
        f"Python {python} with pyblish-base {base} and pyblish-lite {lite}",
        python,
        (
            *("PySide2==5.15.2.1", "Qt.py==2.0.7"),
            *(f"pyblish-base=={base}", f"pyblish-lite=={lite}", "shotgun-api3==3.10.3", "pytest==8.4.2"),
        ),
        "import pytest, PySide2.QtWidgets, pyblish, pyblish_lite, shotgun_api3; print(pyblish.__version__)",
        base,
        _QT_LIBRARIES,
        "about 100 MB to fetch, 500 MB on the disk",
    )


BROWSER = "/usr/bin/chromium"
"""Of Debian: Playwright's own is fetched from elsewhere than packages are."""


def browser_python(python: str, playwright: str, axe: str) -> PythonHost:
    """What drives a browser without a window, and what looks for barriers on its pages."""
    return PythonHost(
        "browser",
        f"browser-playwright-{playwright}-axe-{axe}",
        f"Chromium with Playwright {playwright}",
        python,
        (f"playwright=={playwright}", f"axe-playwright-python=={axe}"),
        f"""
from importlib.metadata import version
import axe_playwright_python.sync_playwright
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    playwright.chromium.launch(executable_path={BROWSER!r}, args=["--no-sandbox"]).close()
print(version("playwright"))
""",
        playwright,
        ("chromium", "fonts-dejavu-core"),
        "about 50 MB to fetch, 170 MB on the disk, and Debian's Chromium",
    )


def ray_python(python: str, ray: str) -> PythonHost:
    """Ray, and what the commands of a cluster need besides: no network, and nothing that reads pictures."""
    others = (
        *("psutil==7.2.2", "cryptography==50.0.2", "grpcio==1.85.3", "grpcio-health-checking==1.85.1"),
        *("numpy==2.4.6", "typer==0.29.2", "rich==15.0.0", "platformdirs==4.14.9", "PyJWT==2.15.1"),
    )
    return PythonHost(
        "ray",
        f"ray-{ray}",
        f"Ray {ray}",
        python,
        (f"ray=={ray}", *others),
        "import psutil, cryptography, grpc, typer, ray; print(ray.__version__)",
        ray,
        (),
        "about 110 MB to fetch, 400 MB on the disk",
    )


# Nuke 14 and 15 bring PySide2 5.15 with Python 3.9 and 3.10, Nuke 16 and 17 PySide6 6.5 with 3.11; the last
# is the newest, as the desktop gets it.
PYTHON_HOSTS = (
    blender_wheel("4.2.23", "3.11"),
    blender_wheel("4.5.15", "3.11"),
    blender_wheel("5.2.3", "3.13"),
    qt_python("3.9", "PySide2", "5.15.2.1"),
    qt_python("3.10", "PySide2", "5.15.2.1"),
    qt_python("3.11", "PySide6-Essentials", "6.5.3"),
    qt_python("3.13", "PySide6-Essentials", "6.12.0"),
    pyblish_python("3.10", "1.8.12", "0.8.12"),
    browser_python("3.11", "1.65.2", "0.1.8"),
    ray_python("3.11", "2.60.0"),
)
