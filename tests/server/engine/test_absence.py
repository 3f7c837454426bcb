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
RULE = AbsenceRule(seen_above=1.25, clear_share=0.4, newest_share=0.3, first_level=7.0)


def test_frames_are_clear_by_what_the_network_lately_was_sure_of() -> None:
    assert RULE.clear_from([None]) == pytest.approx(0.4 * 7.0)
    assert RULE.clear_from([None, *[10.0] * 20]) == pytest.approx(0.4 * 10.0, abs=0.01)
    assert RULE.clear_from([None, 7.0, -3.0, -3.0]) == pytest.approx(0.4 * 7.0)
    assert RULE.clear_from([9.0, 9.0, None]) == RULE.clear_from([]) == pytest.approx(0.4 * 7.0)


@given(st.lists(st.one_of(st.none(), st.floats(-20, 20)), max_size=20))
def test_frames_on_which_it_counted_as_gone_are_never_clear(before: list[float | None]) -> None:
    for rule in (RULE, *ABSENCE_RULES.values()):
        assert rule.seen_above >= 0
        assert rule.clear_from(before) > 0


def test_an_object_below_its_threshold_is_left_as_the_network_leaves_absent_ones() -> None:
    logits, pointer = torch.ones(3, 1, 4, 4), torch.ones(3, 8)
    decoded = Decoded(
        logits,
        torch.ones(3, 1),
        logits,
        torch.ones(3),
        pointer,
        pointer[:, None],
        torch.tensor([[5.0], [2.0], [0.5]]),
    )

    left = emptied(decoded, 3.0, torch.zeros(1, 8))

    assert (left.best_logits[0] == 1).all()
    assert (left.best_logits[1] == ABSENT_LOGIT).all()
    assert (left.logits[1] == ABSENT_LOGIT).all()
    assert (left.pointer[1] == 0).all()
    assert left.presence_logit[:, 0].tolist() == [5.0, -1.0, -2.5]


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
    results = tracked(Scripted("masklet_embedded", [8.0, 8.0, 1.0, -1.0, 1.5, 8.0]))

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
