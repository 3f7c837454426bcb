"""A doctor asks for devices in a process of its own, which a driver may hold for ever."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from masklet import device_survey
from masklet.commands import doctor
from masklet.findings import Finding, Verdict


class Held(subprocess.Popen[str]):
    """A process that does not end when it is killed, as one does that a driver holds."""

    made: list[Held] = []  # noqa: RUF012 - emptied by the fixture

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[call-overload]
        self.made.append(self)

    def kill(self) -> None:
        pass


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(device_survey, "_PROBE", "import time; time.sleep(300)")
    monkeypatch.setattr(device_survey, "STARTS_WITHIN_S", 0.05)
    monkeypatch.setattr(device_survey, "_ENDS_WITHIN_S", 0.05)
    monkeypatch.setattr(subprocess, "Popen", Held)
    yield
    for process in Held.made:
        subprocess.Popen.terminate(process)
        process.communicate()
    Held.made.clear()


@pytest.mark.usefixtures("held")
def test_a_device_that_does_not_answer_is_said_and_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "missing", lambda packages: ())
    (told,) = doctor.examine_devices()
    assert (told.verdict, told.subject, told.cause) == (Verdict.BAD, "GPU", "the device does not answer")
    assert told.repair == "restart this machine, or have the card looked at"


def test_a_probe_that_breaks_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_survey, "_PROBE", "raise SystemExit('no such library')")
    told = device_survey.survey_devices("device")
    assert isinstance(told, Finding)
    assert told.cause == "torch does not start (no such library)"


def test_what_it_finds_is_its_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_survey, "_PROBE", "print('a word of torch'); print('{\"cards\": []}')")
    assert device_survey.survey_devices("device") == {"cards": []}
