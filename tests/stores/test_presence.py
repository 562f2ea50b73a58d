"""One device and its fences, told as a sequence of fixes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from stores.index import StoreIndex
from stores.model import Circle, Position, Store
from stores.presence import Fix, PresenceRules, PresenceState, Step, advance

NOON = datetime(2026, 6, 2, 12, tzinfo=UTC)
INDEX = StoreIndex([Store("cafe", "Cafe", Position(0.0, 10.0), Circle(150))])
RULES = PresenceRules()


def fix(seconds: float, metres: float, accuracy_m: float = 10, speed: float | None = None, mocked: bool = False) -> Fix:
    """A fix so many seconds after noon and metres north of the store."""
    return Fix(Position(metres / 111_195, 10.0), accuracy_m, NOON + timedelta(seconds=seconds), speed, mocked)


def step(state: PresenceState | None, given: Fix) -> Step:
    left = INDEX.measure(given.position, state.inside if state else ())
    return advance(state, given, INDEX.hits(given.position), RULES, left)


def walk(*fixes: Fix) -> tuple[PresenceState | None, list[tuple[str, float]], list[str | None]]:
    """The last state, the events as (kind, seconds after noon), and what became of each fix."""
    state: PresenceState | None = None
    events: list[tuple[str, float]] = []
    rejections: list[str | None] = []
    for given in fixes:
        answer = step(state, given)
        state = answer.state
        events += [(event.kind, (event.at - NOON).total_seconds()) for event in answer.events]
        rejections.append(answer.rejection)
    return state, events, rejections


def test_a_member_enters_dwells_and_exits() -> None:
    _, events, _ = walk(
        fix(0, 400), fix(100, 50), fix(400, 40), fix(700, 40), fix(900, 40), fix(1300, 30), fix(1500, 500)
    )
    assert events == [("enter", 100), ("dwell", 700), ("dwell", 1300), ("exit", 1500)]


def test_the_first_fix_in_a_fence_enters_it() -> None:
    state, events, _ = walk(fix(0, 50))
    assert events == [("enter", 0)]
    assert state is not None
    assert set(state.inside) == {"cafe"}


def test_who_drives_past_does_not_enter_until_slow() -> None:
    assert walk(fix(0, 1000), fix(60, 100))[1] == []
    assert walk(fix(0, 1000, speed=15), fix(60, 100, speed=14), fix(90, 90, speed=1))[1] == [("enter", 90)]


def test_a_coarse_fix_does_not_enter_a_small_fence() -> None:
    assert walk(fix(0, 0, accuracy_m=51))[1] == []
    assert walk(fix(0, 0, accuracy_m=51), fix(10, 0, accuracy_m=49))[1] == [("enter", 10)]


def test_a_fix_near_the_edge_does_not_enter() -> None:
    assert walk(fix(0, 125, accuracy_m=10))[1] == []
    assert walk(fix(0, 125, accuracy_m=10), fix(10, 115, accuracy_m=10))[1] == [("enter", 10)]


def test_who_dwells_near_the_edge_is_told_of_only_once_well_inside() -> None:
    assert walk(fix(0, 50), fix(700, 140), fix(710, 50))[1] == [("enter", 0), ("dwell", 710)]


def test_a_fix_just_outside_does_not_exit() -> None:
    _, events, _ = walk(fix(0, 100), fix(30, 165, accuracy_m=20), fix(60, 140), fix(90, 175, accuracy_m=20))
    assert events == [("enter", 0), ("exit", 90)]


def test_a_fence_that_nobody_measured_is_left_at_once() -> None:
    state, _, _ = walk(fix(0, 50))
    (event,) = advance(state, fix(60, 50), (), RULES).events
    assert (event.kind, event.store_id, event.distance_m) == ("exit", "cafe", None)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (fix(10, 50, mocked=True), "mocked"),
        (fix(10, 50, accuracy_m=201), "too_inaccurate"),
        (fix(10, 50, accuracy_m=float("nan")), "too_inaccurate"),
        (fix(0, 50), "out_of_order"),
        (fix(-1, 50), "out_of_order"),
        (fix(10, 5_000), "impossible_jump"),
    ],
)
def test_a_fix_that_cannot_be_trusted_is_refused_and_moves_nothing(given: Fix, reason: str) -> None:
    state, _, _ = walk(fix(0, 50))
    answer = step(state, given)
    assert (answer.rejection, answer.events) == (reason, ())
    assert answer.state is not None
    assert state is not None
    assert (answer.state.last, answer.state.inside) == (state.last, state.inside)


def test_after_three_refused_fixes_that_agree_the_fourth_starts_anew() -> None:
    far = [fix(10 + seconds, 20_000) for seconds in range(4)]
    state, events, rejections = walk(fix(0, 50), *far)
    assert rejections == [None, "impossible_jump", "impossible_jump", "impossible_jump", None]
    assert events == [("enter", 0), ("exit", 13)]
    assert state is not None
    assert state.last == far[-1]
    assert state.candidate is None


def test_refused_fixes_that_disagree_never_become_an_anchor() -> None:
    scattered = [fix(10 + number, 20_000 * (1 + number % 2)) for number in range(8)]
    assert walk(fix(0, 50), *scattered)[2][1:] == ["impossible_jump"] * 8


def test_a_good_fix_forgets_the_candidate() -> None:
    state, _, _ = walk(fix(0, 50), fix(10, 20_000), fix(20, 60))
    assert state is not None
    assert (state.candidate, state.agreeing) == (None, 0)
