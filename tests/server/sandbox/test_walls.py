"""The walls themselves: right numbers, right filters, and a line in the log where a system has none."""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path

import pytest

from generated_media import scene, write_picture
from masklet.clip_reading import ClipReading
from masklet_server.fence import Fence
from masklet_server.media.limits import Limits
from masklet_server.media.sequence import PictureClip
from masklet_server.sandbox import opener, seccomp
from masklet_server.sandbox.call_numbers import CALLS
from masklet_server.sandbox.decoders import Decoders
from masklet_server.sandbox.seccomp import Rule

HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


@pytest.mark.parametrize("machine", CALLS)
def test_numbers_of_calls_are_the_kernels(machine: str) -> None:
    if not HEADERS[machine].is_file():
        pytest.skip("the kernel's headers are not installed")
    text = HEADERS[machine].read_text()
    told = {name: int(number) for name, number in re.findall(r"#define __NR3?264?_?(\w+) (\d+)", text)}
    told |= {name: int(number) for name, number in re.findall(r"#define __NR_(\w+)\s+(\d+)\b", text)}
    # On machines of 64 bits these go by another name.
    told.setdefault("newfstatat", told.get("fstatat", -1))
    for name, number in CALLS[machine].items():
        assert told[name] == number, name


def outcome(program: seccomp.Program, machine: int, number: int, *arguments: int) -> int:
    """What a filter makes of a call: the kernel's machine for filters, as far as these need it."""
    data = {0: number, 4: machine}
    for place, argument in enumerate(arguments):
        data[16 + 8 * place] = argument & 0xFFFFFFFF
    at = held = 0
    while True:
        code, true, false, value = program[at]
        at += 1
        if code == 0x20:
            held = data.get(value, 0)
        elif code == 0x54:
            held &= value
        elif code == 0x06:
            return value
        else:
            met = {0x15: held == value, 0x35: held >= value, 0x45: bool(held & value)}[code]
            at += true if met else false


ALLOWED, PERMISSION, ABSENT, READ_ONLY = 0x7FFF0000, 0x50001, 0x50026, 0x5000D


@pytest.mark.parametrize("machine", CALLS)
def test_what_is_not_allowed_is_refused_and_new_calls_are_absent(machine: str) -> None:
    kernel, numbers = seccomp.MACHINES[machine], CALLS[machine]
    rules = [Rule("read"), Rule("openat", 13, argument=2, mask=0b11, values=(0, 2)), Rule("clone3", 38)]
    program = seccomp.allowing(rules, machine=machine)

    def made(name: str, *arguments: int) -> int:
        return outcome(program, kernel, numbers[name], *arguments)

    assert made("read") == ALLOWED
    assert made("openat", 0, 0, 0b100) == made("openat", 0, 0, 0b110) == ALLOWED
    assert made("openat", 0, 0, 0b101) == READ_ONLY
    assert made("socket") == made("execve") == PERMISSION
    assert made("clone3") == outcome(program, kernel, 999) == ABSENT
    assert outcome(program, kernel ^ 1, numbers["read"]) == PERMISSION
    if machine == "x86_64":
        assert outcome(program, kernel, numbers["read"] | 0x40000000) == PERMISSION


def test_a_system_without_walls_says_so_in_one_line_and_reads_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_picture(tmp_path / "plate.0001.png", scene())
    monkeypatch.setattr(Decoders, "are_possible", staticmethod(lambda: False))
    with caplog.at_level(logging.INFO):
        plain = opener.opener_for(Limits(), disk_s=30.0)
    assert [record.message for record in caplog.records] == [
        "files of clients are decoded in the server's own process: this system has no sandbox"
    ]

    with plain.path(path, reading=ClipReading(), fence=Fence.around([tmp_path])) as clip:
        assert isinstance(clip, PictureClip)
        assert clip.read(1).shape == (64, 96, 3)
    plain.close()


def test_a_wall_that_is_missing_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    decoders = Decoders()
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            decoders.tell_missing(["Landlock", "seccomp"])
        # A decoder may say what it likes.
        decoders.tell_missing({"no": "list"})
        decoders.tell_missing([7, None])
    assert [record.args for record in caplog.records] == [("Landlock",), ("seccomp",)]


@pytest.mark.skipif(sys.platform != "linux", reason="decoders are forked on Linux")
def test_what_decoders_come_from_has_one_thread_and_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKLET_TOKEN", "words-nobody-says")
    monkeypatch.setenv("STUDIO_PASSWORD", "words-nobody-says")
    write_picture(tmp_path / "plate.0001.png", scene())
    decoders = Decoders()
    try:
        with opener.MediaOpener(Limits(), decoders=decoders).path(
            tmp_path / "plate.0001.png", reading=ClipReading(), fence=Fence.around([tmp_path])
        ):
            assert decoders._nursery is not None
            process = Path(f"/proc/{decoders._nursery.pid}")
            assert len(list((process / "task").iterdir())) == 1
            assert b"words-nobody-says" not in (process / "environ").read_bytes()
    finally:
        decoders.close()
