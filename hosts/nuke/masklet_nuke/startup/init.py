"""Runs in every Nuke that starts with masklet on its path, farm renders too: puts masklet on Python's path.

Several versions may lie beside each other in ``versions``; MASKLET_NUKE_VERSION chooses one, else the file
``current`` does. Whatever goes wrong is one printed sentence, and Nuke starts all the same.
"""


def _start() -> None:
    import json
    import os
    import sys

    here = os.path.dirname(os.path.abspath(__file__))
    version = os.environ.get("MASKLET_NUKE_VERSION", "")
    if not version:
        with open(os.path.join(here, "current"), encoding="utf-8") as opened:
            version = opened.read().strip()
    folder = os.path.join(here, "versions", version)
    if not os.path.isdir(os.path.join(folder, "masklet_nuke")):
        raise RuntimeError(f"there is no version {version} in {here}")
    if sys.version_info < (3, 9):  # noqa: UP036 - Nuke 13 starts this too
        raise RuntimeError("it needs Nuke 14 or newer")
    # Behind everything else: what Nuke and the studio bring goes first, and masklet brings no other package.
    if folder not in sys.path:
        sys.path.append(folder)
    site = os.path.join(here, "helper.json")
    if os.path.isfile(site) and "MASKLET_PYTHON" not in os.environ:
        # An installation of a studio: users have none of their own.
        with open(site, encoding="utf-8") as opened:
            os.environ["MASKLET_PYTHON"] = json.load(opened)["python"]
    from masklet_nuke import registration

    registration.start()


try:
    _start()
except Exception as error:  # noqa: BLE001 - whatever it is, Nuke has to start
    print(f'masklet was not loaded ({type(error).__name__}: {error}): run "masklet doctor nuke"')
