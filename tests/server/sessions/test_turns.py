from __future__ import annotations

from collections import Counter

import pytest

from masklet_server.sessions.turns import MAX_IDLE_USERS, Turn, TurnClass, TurnQueue


def play(queue: TurnQueue[str], turns: int, *, cost_s: float = 0.03) -> list[str]:
    """Serve turns of which each user always has the next one ready."""
    served = []
    for _ in range(turns):
        turn = queue.pop()
        queue.charge(turn, cost_s)
        queue.push(Turn(turn.call, turn.user, turn.turn_class))
        served.append(turn.call)
    return served


def test_users_share_the_device_whatever_number_of_sessions_they_have() -> None:
    queue: TurnQueue[str] = TurnQueue()
    queue.push(Turn("ann", "ann"))
    for _ in range(4):
        queue.push(Turn("bob", "bob"))

    served = Counter(play(queue, 100))

    assert abs(served["ann"] - served["bob"]) <= 1


def test_expensive_frames_count_for_what_they_cost() -> None:
    queue: TurnQueue[str] = TurnQueue()
    queue.push(Turn("4k", "ann"))
    queue.push(Turn("hd", "bob"))
    used_s: Counter[str] = Counter()
    for _ in range(200):
        turn = queue.pop()
        cost_s = 0.1 if turn.call == "4k" else 0.02
        queue.charge(turn, cost_s)
        used_s[turn.call] += cost_s
        queue.push(turn)

    assert used_s["4k"] == pytest.approx(used_s["hd"], rel=0.05)


def test_a_prompt_goes_before_all_tracking() -> None:
    queue: TurnQueue[str] = TurnQueue()
    for user in ("ann", "bob", "cat"):
        queue.push(Turn("track", user))
    play(queue, 10)
    queue.push(Turn("prompt", "ann", turn_class=TurnClass.PROMPT))

    assert queue.pop().call == "prompt"


def test_tracking_keeps_a_tenth_however_many_prompts_of_the_same_user_come() -> None:
    queue: TurnQueue[str] = TurnQueue()
    queue.push(Turn("track", "ann"))
    queue.push(Turn("prompt", "ann", turn_class=TurnClass.PROMPT))

    served = Counter(play(queue, 200))

    assert 0.08 <= served["track"] / 200 <= 0.12


def test_waiting_earns_no_credit() -> None:
    queue: TurnQueue[str] = TurnQueue()
    queue.push(Turn("ann", "ann"))
    play(queue, 100)
    queue.push(Turn("bob", "bob"))

    served = Counter(play(queue, 20))

    assert abs(served["ann"] - served["bob"]) <= 2


def test_turns_of_one_user_come_in_their_order() -> None:
    queue: TurnQueue[str] = TurnQueue()
    for call in "abc":
        queue.push(Turn(call, "ann"))

    assert [queue.pop().call for _ in range(3)] == ["a", "b", "c"]
    with pytest.raises(IndexError, match="no turn waits"):
        queue.pop()


def test_a_discarded_turn_never_comes() -> None:
    queue: TurnQueue[str] = TurnQueue()
    turns = [Turn(call, "ann") for call in "abc"]
    for turn in turns:
        queue.push(turn)
    queue.discard(turns[1])
    queue.discard(turns[1])

    assert len(queue) == 2
    assert [queue.pop().call for _ in range(2)] == ["a", "c"]


def test_users_who_left_are_forgotten() -> None:
    queue: TurnQueue[str] = TurnQueue()
    for number in range(1000):
        turn = Turn("once", f"user{number}")
        queue.push(turn)
        queue.charge(queue.pop(), 0.01)

    assert len(queue._used_s) <= MAX_IDLE_USERS + 1


def test_a_users_clicks_from_many_threads_leave_others_their_track() -> None:
    queue: TurnQueue[str] = TurnQueue()
    queue.push(Turn("track", "ann"))
    for number in range(12):
        queue.push(Turn("click", "bob", turn_class=TurnClass.PROMPT, owner=number))

    served = Counter(play(queue, 200))

    assert served["track"] > 90


def test_a_click_now_and_then_still_goes_before_all_tracking() -> None:
    queue: TurnQueue[str] = TurnQueue()
    for user in ("ann", "bob", "cat"):
        queue.push(Turn("track", user))
    for _ in range(20):
        play(queue, 10)
        queue.push(Turn("click", "ann", turn_class=TurnClass.PROMPT))
        turn = queue.pop()
        queue.charge(turn, 0.03)

        assert turn.call == "click"


def test_a_users_sessions_take_turns() -> None:
    queue: TurnQueue[str] = TurnQueue()
    for _ in range(12):
        queue.push(Turn("many", "ann", turn_class=TurnClass.PROMPT, owner="many"))
    for _ in range(3):
        queue.push(Turn("few", "ann", turn_class=TurnClass.PROMPT, owner="few"))

    assert [queue.pop().call for _ in range(6)] == ["many", "few"] * 3


def test_turns_of_an_owner_that_is_held_wait_and_others_do_not() -> None:
    queue: TurnQueue[str] = TurnQueue()
    queue.push(Turn("held", "ann", owner="away"))
    queue.push(Turn("free", "bob", owner="here"))
    queue.hold("away")

    assert queue.pop().call == "free"
    with pytest.raises(IndexError):
        queue.pop()
    queue.release("away")
    assert [turn.call for turn in queue.take_all("away")] == ["held"]
    assert len(queue) == 0


def test_classes_go_in_their_order_and_each_keeps_its_tenth() -> None:
    queue: TurnQueue[TurnClass] = TurnQueue()
    for turn_class in TurnClass:
        queue.push(Turn(turn_class, "ann", turn_class))

    served = Counter(play(queue, 1000))

    assert served[TurnClass.PROMPT] >= 680
    for turn_class in (TurnClass.WATCHED, TurnClass.SHOT, TurnClass.FARM):
        assert 80 <= served[turn_class] <= 120


def test_a_frame_that_is_looked_at_goes_before_the_rest_of_another_shot() -> None:
    queue: TurnQueue[str] = TurnQueue()
    for user in ("ann", "bob"):
        queue.push(Turn("shot", user))
    play(queue, 10)
    queue.push(Turn("looked at", "cat", TurnClass.WATCHED))

    assert queue.pop().call == "looked at"


def test_who_looks_gets_no_more_of_the_device_than_who_does_not() -> None:
    queue: TurnQueue[str] = TurnQueue()
    queue.push(Turn("ann", "ann", TurnClass.WATCHED))
    queue.push(Turn("bob", "bob", TurnClass.SHOT))

    served = Counter(play(queue, 400))

    assert abs(served["ann"] - served["bob"]) <= 10


def test_farm_work_takes_what_is_left_and_a_tenth() -> None:
    queue: TurnQueue[str] = TurnQueue()
    queue.push(Turn("ann", "ann", TurnClass.SHOT))
    for number in range(5):
        queue.push(Turn("farm", f"farm {number}", TurnClass.FARM))

    served = Counter(play(queue, 400))

    assert 0.08 <= served["farm"] / 400 <= 0.12


def test_a_night_of_farm_work_does_not_count_against_the_artists_hand() -> None:
    queue: TurnQueue[str] = TurnQueue()
    queue.push(Turn("ann's farm", "ann", TurnClass.FARM))
    play(queue, 100)
    queue.push(Turn("ann", "ann", TurnClass.SHOT))
    queue.push(Turn("bob", "bob", TurnClass.SHOT))

    served = Counter(play(queue, 200))

    assert abs(served["ann"] - served["bob"]) <= 2


def test_a_user_of_double_weight_gets_double() -> None:
    queue: TurnQueue[str] = TurnQueue(weight_of=lambda user: 2.0 if user == "ann" else 1.0)
    for user in ("ann", "bob", "cat"):
        queue.push(Turn(user, user))

    served = Counter(play(queue, 400))

    assert served["ann"] == pytest.approx(2 * served["bob"], abs=4)
    assert served["bob"] == pytest.approx(served["cat"], abs=2)
