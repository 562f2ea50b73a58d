"""Presence is volatile: kept apart by member, for 15 real minutes, and bounded."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from backend.twins.presence import TwinPresence
from stores.model import Fix, Position
from stores.presence import PresenceState, Step, Visit
from stores.tracking import begin
from tests.contracts.examples import NOW, at_once

REAL = 1_800_000_000.0


def state(seconds: float = 0.0) -> PresenceState:
    fix = Fix(Position(60.0, 24.0), 10.0, NOW + timedelta(seconds=seconds))
    return PresenceState(fix, begin(fix))


@pytest.fixture
def presence() -> TwinPresence:
    return TwinPresence()


def put(presence: TwinPresence, member_id: str, at: float, value: PresenceState | None) -> PresenceState | None:
    """Set the state; what was known before."""
    known: list[PresenceState | None] = []

    def move(before: PresenceState | None) -> Step:
        known.append(before)
        return Step(value)

    assert presence.apply(member_id, REAL + at, move) == Step(value)
    return known[0]


def test_the_next_step_starts_from_the_last(presence: TwinPresence) -> None:
    assert put(presence, "aino", 0, state(0)) is None
    assert put(presence, "aino", 5, state(5)) == state(0)
    assert put(presence, "eero", 5, state(6)) is None
    assert put(presence, "aino", 9, state(9)) == state(5)


def test_a_forgotten_member_starts_anew(presence: TwinPresence) -> None:
    put(presence, "aino", 0, state())
    presence.forget("aino")
    presence.forget("nobody")
    assert put(presence, "aino", 1, state()) is None


def test_a_step_that_keeps_nothing_leaves_nothing(presence: TwinPresence) -> None:
    put(presence, "aino", 0, state())
    put(presence, "aino", 1, None)
    assert len(presence) == 0


@pytest.mark.parametrize(("later", "known"), [(900, True), (901, False)])
def test_after_fifteen_real_minutes_nothing_is_known(presence: TwinPresence, later: float, known: bool) -> None:
    put(presence, "aino", 0, state())
    assert (put(presence, "aino", later, state(1)) is not None) is known


def test_a_refused_fix_does_not_prolong_the_life_of_an_accepted_one(presence: TwinPresence) -> None:
    put(presence, "aino", 0, state())
    jumped = replace(state(), candidate=state(600).last, agreeing=1)
    put(presence, "aino", 600, jumped)
    assert put(presence, "aino", 890, jumped) == jumped
    assert put(presence, "aino", 901, state(901)) is None


def test_who_is_not_heard_of_any_more_is_swept_whoever_reports(presence: TwinPresence) -> None:
    put(presence, "aino", 0, state())
    put(presence, "eero", 600, state())
    put(presence, "sisu", 1000, state())
    assert len(presence) == 2
    presence.sweep(REAL + 3000)
    assert len(presence) == 0


def test_a_clock_set_back_keeps_nobody_longer(presence: TwinPresence) -> None:
    put(presence, "aino", 0, state())
    put(presence, "eero", -7200, state())
    assert len(presence) == 1


def test_only_so_many_devices_are_held() -> None:
    small = TwinPresence(capacity=3)
    for n, name in enumerate("abcad"):
        put(small, name, n, state(n))
    assert len(small) == 3
    assert put(small, "a", 9, state(9)) == state(3)


def test_a_step_that_fails_changes_nothing(presence: TwinPresence) -> None:
    def fail(before: PresenceState | None) -> Step:
        raise RuntimeError("the step failed")

    put(presence, "aino", 0, state())
    with pytest.raises(RuntimeError):
        presence.apply("aino", REAL, fail)
    assert put(presence, "aino", 1, state(1)) == state()


def test_steps_of_one_member_follow_each_other(presence: TwinPresence) -> None:
    def count(before: PresenceState | None) -> Step:
        visits = {} if before is None else dict(before.inside)
        visits[str(len(visits))] = Visit(NOW, NOW)
        return Step(replace(state(), inside=visits))

    at_once(16, lambda _: [presence.apply("aino", REAL, count) for _ in range(50)])
    final = presence.apply("aino", REAL, count).state
    assert final is not None
    assert len(final.inside) == 801


def test_a_member_is_inside_a_fence_as_long_as_it_is_known_beyond_doubt(presence: TwinPresence) -> None:
    visits = {"kamppi": Visit(NOW, NOW, sure=True), "pasila": Visit(NOW, NOW)}
    put(presence, "aino", 0, replace(state(), inside=visits))
    found = {name: presence.inside("aino", name, REAL + 900) for name in ("kamppi", "pasila", "kallio")}
    assert found == {"kamppi": True, "pasila": False, "kallio": False}
    assert not presence.inside("eero", "kamppi", REAL)
    assert not presence.inside("aino", "kamppi", REAL + 901)
