from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from fakes.tracking import TINY, Desk, DiscClip, TinyNetwork
from masklet.types import Click, FramePrompts, Presence
from masklet_server.engine.absence import ABSENCE_RULES, AbsenceRule, emptied
from masklet_server.model.network import ABSENT_LOGIT, Decoded

FIRST = 1001
RULE = AbsenceRule(
    plain_from=0.75,
    falls_to=0.35,
    returns_from=0.45,
    regained_from=0.05,
    newest_share=0.3,
    first_level=7.0,
    clear_share=0.4,
)


def verdicts(logits: Sequence[float], rule: AbsenceRule = RULE) -> list[bool]:
    """Whether the object is seen on each frame behind a prompt."""
    before: list[float | None] = [None]
    for logit in logits:
        below = logit - rule.threshold(before)
        before.append(logit if below > 0 else min(below, logit))
    return [logit is not None and logit > 0 for logit in before[1:]]


def test_an_object_of_which_the_network_slowly_gets_less_sure_stays() -> None:
    assert all(verdicts([8.0, 7.0, 5.0, 3.5, 2.0, 1.0, 0.5, 0.1]))


def test_an_object_whose_score_falls_at_once_is_gone() -> None:
    assert verdicts([8.0, 8.0, 8.0, 2.0]) == [True, True, True, False]


def test_after_a_fall_coming_back_takes_a_higher_score_than_staying() -> None:
    assert verdicts([8.0, 8.0, 8.0, 5.0, 3.0]) == [True, True, True, True, True]
    assert verdicts([8.0, 8.0, 8.0, 0.5, 3.0, 3.0, 4.0]) == [True, True, True, False, False, False, True]


def test_an_object_that_left_slowly_is_back_as_soon_as_the_network_says_so_at_all() -> None:
    assert verdicts([8.0, 4.5, 2.0, -1.0, -2.0, 0.1, 1.5]) == [True, True, True, False, False, False, True]


def test_one_that_the_network_itself_calls_gone_at_once_is_back_when_it_says_so() -> None:
    assert verdicts([8.0, 8.0, -1.0, -2.0, 0.5]) == [True, True, False, False, True]


def test_what_was_sure_once_is_forgotten_with_a_prompt() -> None:
    assert RULE.threshold([9.0, 9.0, 9.0, -1.0, None]) == RULE.threshold([None]) == pytest.approx(2.45)


def test_where_nothing_is_known_of_the_frames_before_the_official_rule_holds() -> None:
    assert RULE.threshold([]) == 0
    assert RULE.threshold([-2.0, -2.0]) == pytest.approx(0.05 * 7.0)


def test_frames_are_clear_by_what_the_network_lately_was_sure_of() -> None:
    assert RULE.clear_from([None]) == pytest.approx(0.4 * 7.0)
    assert RULE.clear_from([None, *[10.0] * 20]) == pytest.approx(0.4 * 10.0, abs=0.01)
    assert RULE.clear_from([None, 7.0, -3.0, -3.0]) == pytest.approx(0.4 * 7.0)


@given(st.lists(st.one_of(st.none(), st.floats(-20, 20)), max_size=20))
def test_nothing_the_network_calls_absent_is_ever_seen(before: list[float | None]) -> None:
    for rule in (RULE, *ABSENCE_RULES.values()):
        assert rule.threshold(before) >= 0


def test_an_object_below_its_threshold_is_left_as_the_network_leaves_absent_ones() -> None:
    logits, pointer = torch.ones(3, 1, 4, 4), torch.ones(3, 8)
    decoded = Decoded(
        logits, torch.ones(3, 1), logits, torch.ones(3), pointer, torch.tensor([[5.0], [2.0], [0.5]])
    )

    left = emptied(decoded, [3.0, 3.0], torch.zeros(1, 8))

    assert (left.best_logits[0] == 1).all()
    assert (left.best_logits[1] == ABSENT_LOGIT).all()
    assert (left.logits[1] == ABSENT_LOGIT).all()
    assert (left.pointer[1] == 0).all()
    assert left.presence_logit[:, 0].tolist() == [5.0, -1.0, 0.5]
    assert (left.best_logits[2] == 1).all(), "rows that pad a batch have no threshold"


class Scripted(TinyNetwork):
    """A small network by hand whose presence logits are given, one for each tracked frame."""

    def __init__(self, name: str, script: Sequence[float]) -> None:
        super().__init__(replace(TINY, name=name))
        self.script = list(script)
        self.maps_read: list[int] = []

    def attend_memory(self, embedding: Tensor, *, maps: Tensor, **others: object) -> Tensor:
        self.maps_read.append(maps.shape[1])
        return super().attend_memory(embedding, maps=maps, **others)  # type: ignore[arg-type]

    def decode(self, *given: object, **others: object) -> Decoded:
        decoded = super().decode(*given, **others)  # type: ignore[arg-type]
        if not self.maps_read:
            return decoded
        return replace(decoded, presence_logit=torch.full_like(decoded.presence_logit, self.script.pop(0)))


def tracked(network: Scripted) -> list[Presence]:
    desk = Desk(network, DiscClip(length_frames=len(network.script) + 1))
    desk.prompt(FramePrompts(1, FIRST, clicks=(Click(20.0, 27.0, True),)))
    frames = range(FIRST + 1, FIRST + 1 + len(network.script))
    return [result.presence for result in desk.track(frames, 1)]


def test_a_tracked_object_goes_and_comes_back_by_the_rule() -> None:
    results = tracked(Scripted("masklet_embedded", [8.0, 8.0, 1.0, 1.5, 6.0, 8.0]))

    assert [one is Presence.ABSENT for one in results] == [False, False, True, True, False, False]


def test_networks_without_a_rule_keep_the_official_one() -> None:
    results = tracked(Scripted("tiny", [8.0, 8.0, 0.1, -0.1, 0.1]))

    assert [one is Presence.ABSENT for one in results] == [False, False, False, True, False]


def test_a_long_absence_reads_where_the_object_was_seen_and_encodes_no_picture_twice() -> None:
    network = Scripted("masklet_embedded", [8.0] * 6 + [0.5] * 7 + [8.0])

    results = tracked(network)

    assert [one is Presence.ABSENT for one in results] == [False] * 6 + [True] * 7 + [False]
    assert network.maps_read[-1] > 1, "the prompted frame is not all that is left"
    assert network.encoded == len(results) + 1
