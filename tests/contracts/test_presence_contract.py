"""Presence is volatile: kept apart by member, for 15 real minutes, and bounded."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from threading import Thread

import pytest

from backend.adapters.redis_link import RedisLink
from backend.adapters.redis_presence import RedisPresence
from backend.service.ports import Presence
from backend.twins.presence import TwinPresence
from stores.model import Fix, Position
from stores.presence import PresenceState, Step, Visit
from stores.tracking import begin
from tests.contracts.examples import NOW, at_once

REAL = 1_800_000_000.0


def state(seconds: float = 0.0) -> PresenceState:
    fix = Fix(Position(60.0, 24.0), 10.0, NOW + timedelta(seconds=seconds))
    return PresenceState(fix, begin(fix))


@pytest.fixture(params=["twin", "redis"])
def presence(request: pytest.FixtureRequest) -> Presence:
    return TwinPresence() if request.param == "twin" else RedisPresence(*request.getfixturevalue("redis"))


def put(presence: Presence, member_id: str, at: float, value: PresenceState | None) -> PresenceState | None:
    """Set the state; what was known before."""
    known: list[PresenceState | None] = []

    def move(before: PresenceState | None) -> Step:
        known.append(before)
        return Step(value)

    assert presence.apply(member_id, REAL + at, move) == Step(value)
    return known[0]


def test_the_next_step_starts_from_the_last(presence: Presence) -> None:
    assert put(presence, "aino", 0, state(0)) is None
    assert put(presence, "aino", 5, state(5)) == state(0)
    assert put(presence, "eero", 5, state(6)) is None
    assert put(presence, "aino", 9, state(9)) == state(5)


def test_a_forgotten_member_starts_anew(presence: Presence) -> None:
    put(presence, "aino", 0, state())
    presence.forget("aino")
    presence.forget("nobody")
    assert put(presence, "aino", 1, state()) is None


def test_a_step_that_keeps_nothing_leaves_nothing(presence: Presence) -> None:
    put(presence, "aino", 0, state())
    put(presence, "aino", 1, None)
    assert put(presence, "aino", 2, state()) is None


@pytest.mark.parametrize(("later", "known"), [(900, True), (901, False)])
def test_after_fifteen_real_minutes_nothing_is_known(presence: Presence, later: float, known: bool) -> None:
    put(presence, "aino", 0, state())
    assert (put(presence, "aino", later, state(1)) is not None) is known


def test_a_refused_fix_does_not_prolong_the_life_of_an_accepted_one(presence: Presence) -> None:
    put(presence, "aino", 0, state())
    jumped = replace(state(), candidate=state(600).last, agreeing=1)
    put(presence, "aino", 600, jumped)
    assert put(presence, "aino", 890, jumped) == jumped
    assert put(presence, "aino", 901, state(901)) is None


def test_in_memory_who_is_not_heard_of_any_more_is_swept_whoever_reports() -> None:
    presence = TwinPresence()
    put(presence, "aino", 0, state())
    put(presence, "eero", 600, state())
    put(presence, "sisu", 1000, state())
    assert len(presence) == 2
    presence.sweep(REAL + 3000)
    assert len(presence) == 0


def test_a_clock_set_back_keeps_nobody_longer(presence: Presence) -> None:
    put(presence, "aino", 0, state())
    assert put(presence, "aino", -7200, state()) is None


def test_in_memory_only_so_many_devices_are_held() -> None:
    small = TwinPresence(capacity=3)
    for n, name in enumerate("abcad"):
        put(small, name, n, state(n))
    assert len(small) == 3
    assert put(small, "a", 9, state(9)) == state(3)


def test_whoever_is_forgotten_amid_a_step_is_not_remembered_by_it(presence: Presence) -> None:
    """A withdrawal or erasure holds, whether the step then starts anew or came before."""
    put(presence, "aino", 0, state())
    known: list[PresenceState | None] = []

    def move(before: PresenceState | None) -> Step:
        known.append(before)
        if len(known) == 1:
            forgetting.start()
            forgetting.join(0.2)
        return Step(None if before is None else replace(before, surprised=True))

    forgetting = Thread(target=presence.forget, args=("aino",))
    presence.apply("aino", REAL, move)
    forgetting.join()
    assert put(presence, "aino", 1, state()) is None


def test_a_step_that_fails_changes_nothing(presence: Presence) -> None:
    def fail(before: PresenceState | None) -> Step:
        raise RuntimeError("the step failed")

    put(presence, "aino", 0, state())
    with pytest.raises(RuntimeError):
        presence.apply("aino", REAL, fail)
    assert put(presence, "aino", 1, state(1)) == state()


def test_steps_of_one_member_follow_each_other(presence: Presence) -> None:
    def count(before: PresenceState | None) -> Step:
        visits = {} if before is None else dict(before.inside)
        visits[str(len(visits))] = Visit(NOW, NOW)
        return Step(replace(state(), inside=visits))

    at_once(16, lambda _: [presence.apply("aino", REAL, count) for _ in range(50)])
    final = presence.apply("aino", REAL, count).state
    assert final is not None
    assert len(final.inside) == 801


def test_a_member_is_inside_a_fence_as_long_as_it_is_known_beyond_doubt(presence: Presence) -> None:
    visits = {"kamppi": Visit(NOW, NOW, sure=True), "pasila": Visit(NOW, NOW)}
    put(presence, "aino", 0, replace(state(), inside=visits))
    found = {name: presence.inside("aino", name, REAL + 900) for name in ("kamppi", "pasila", "kallio")}
    assert found == {"kamppi": True, "pasila": False, "kallio": False}
    assert not presence.inside("eero", "kamppi", REAL)
    assert not presence.inside("aino", "kamppi", REAL + 901)


def test_steps_of_two_processes_follow_each_other(redis: tuple[RedisLink, str]) -> None:
    """Each process has a link and locks of its own."""
    two = (RedisPresence(*redis), RedisPresence(*redis))

    def count(before: PresenceState | None) -> Step:
        return Step(replace(state(), agreeing=1 if before is None else before.agreeing + 1))

    at_once(8, lambda number: [two[number % 2].apply("aino", REAL, count) for _ in range(25)])
    final = two[0].apply("aino", REAL, count).state
    assert final is not None
    assert final.agreeing == 201
