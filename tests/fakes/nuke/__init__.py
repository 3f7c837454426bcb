"""A stand-in for Nuke, written by hand: it refuses what the real one refuses, and draws nothing.

Each rule says where it is from: DOC is Foundry's Python guide and reference (14.0 to 17.1), FIELD a report of
somebody who ran it, KNOWN what scripts in public repositories rely on. Nothing here was compared with Nuke
itself.
"""

from fakes.nuke.application import FakeNuke as FakeNuke
