"""One device and its fences, told as a sequence of fixes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from stores.geometry import distance_m
from stores.index import StoreIndex
from stores.model import Circle, Fix, Position, Store
from stores.presence import PresenceEvent, PresenceRules, PresenceState, Step, advance

NOON = datetime(2026, 6, 2, 12, tzinfo=UTC)
INDEX = StoreIndex([Store("cafe", "Cafe", Position(0.0, 10.0), Circle(150))])
RULES = PresenceRules()


def fix(seconds: float, metres: float, accuracy_m: float = 10, speed: float | None = None, mocked: bool = False) -> Fix:
    """A fix so many seconds after noon and metres north of the store."""
    return Fix(Position(metres / 111_195, 10.0), accuracy_m, NOON + timedelta(seconds=seconds), speed, mocked)


@dataclass
class Walk:
    """What became of a sequence of fixes: the last step, and events and signals as (kind, seconds after noon)."""

    state: PresenceState | None = None
    last: Step = field(default_factory=lambda: Step(None))
    events: list[tuple[str, float]] = field(default_factory=list)
    signals: list[tuple[str, float]] = field(default_factory=list)
    rejections: list[str | None] = field(default_factory=list)

    def go(self, *fixes: Fix, index: StoreIndex = INDEX) -> Walk:
        """Take more fixes."""
        for given in fixes:
            self.last = advance(self.state, given, index, RULES)
            self.state = self.last.state
            self.events += [told(event) for event in self.last.events]
            seconds = (given.recorded_at - NOON).total_seconds()
            self.signals += [(trigger, seconds) for trigger in self.last.signals.values()]
            self.rejections.append(self.last.rejection)
        return self


def told(event: PresenceEvent) -> tuple[str, float]:
    assert event.store_id == "cafe"
    return event.kind, (event.at - NOON).total_seconds()


def walk(*fixes: Fix) -> Walk:
    return Walk().go(*fixes)


def inside(until: float, since: float = 0) -> list[Fix]:
    """A phone that lies still 40 metres from the store and reports every quarter of a minute."""
    return [fix(seconds, 40) for seconds in range(int(since), int(until) + 1, 15)]


def test_a_member_enters_dwells_and_exits() -> None:
    away = [fix(1300 + 30 * number, 40 + 42 * number) for number in range(1, 8)]
    assert walk(*inside(1300), *away).events == [("enter", 15), ("dwell", 615), ("dwell", 1215), ("exit", 1420)]


def test_the_first_fix_in_a_fence_enters_only_with_a_second() -> None:
    assert walk(fix(0, 50)).events == []
    assert walk(fix(0, 50), fix(15, 50)).events == [("enter", 15)]


def test_two_fixes_of_one_moment_confirm_nothing() -> None:
    assert walk(fix(0, 50), fix(5, 50), fix(9, 50), fix(10, 50)).events == [("enter", 10)]


def test_phones_that_report_rarely_enter_as_well() -> None:
    assert walk(fix(0, 50), fix(300, 50)).events == [("enter", 300)]


def test_one_bad_fix_does_not_exit() -> None:
    bad = walk(*inside(90), fix(105, 600), *inside(180, since=120))
    assert bad.events == [("enter", 15)]
    assert bad.rejections == [None] * len(bad.rejections)


def test_two_fixes_far_outside_exit_when_a_third_confirms_them() -> None:
    gone = [fix(105, 600), fix(120, 610), fix(135, 620)]
    assert walk(*inside(90), *gone).events == [("enter", 15), ("exit", 135)]


def test_who_drives_past_does_not_enter_until_slow() -> None:
    passing = [fix(15 * number, 140 - 140 * number) for number in range(3)]
    assert walk(*passing).events == []
    said = [fix(seconds, 40, speed=8 if seconds < 45 else 0) for seconds in range(0, 61, 15)]
    assert walk(*said).events == [("enter", 45)]
    arriving = [fix(-30, 600), fix(-15, 320), *inside(60)]
    assert walk(*arriving).events == [("enter", 30)]


def test_a_fence_under_four_times_the_accuracy_is_too_small() -> None:
    coarse = walk(*[fix(seconds, 0, accuracy_m=38) for seconds in range(0, 300, 15)])
    assert (coarse.events, coarse.last.too_small) == ([], ("cafe",))
    fine = walk(*[fix(seconds, 0, accuracy_m=37) for seconds in range(0, 300, 15)])
    assert (fine.events, fine.last.too_small) == ([("enter", 15)], ())


def test_a_phone_that_knows_its_place_to_a_mile_is_never_at_a_store() -> None:
    large = StoreIndex([Store("cafe", "Cafe", Position(0.0, 10.0), Circle(5_000))])
    coarse = Walk().go(*[fix(seconds, 0, accuracy_m=1_600) for seconds in range(0, 300, 15)], index=large)
    assert coarse.events == []
    assert set(coarse.rejections) == {"too_inaccurate"}


def test_near_the_edge_a_member_is_inside_but_not_surely() -> None:
    at_edge = walk(fix(0, 134), fix(15, 134), fix(30, 134))
    assert (at_edge.events, at_edge.signals, at_edge.last.sure) == ([("enter", 15)], [], ())
    deeper = at_edge.go(*[fix(30 + 15 * number, 134 - 20 * number) for number in range(1, 4)])
    assert deeper.events == [("enter", 15)]
    assert deeper.signals == [("enter", 45)]
    assert [hit.store.id for hit in deeper.last.sure] == ["cafe"]


def test_who_stops_at_the_edge_is_not_surely_inside_though_the_estimate_walks_on() -> None:
    coming = [fix(15 * number, 145 + 27 * (8 - number), accuracy_m=8) for number in range(9)]
    stopped = walk(*coming, fix(135, 144, accuracy_m=8))
    assert stopped.state is not None
    assert distance_m(stopped.state.estimate.position, Position(0.0, 10.0)) < 135
    assert (stopped.events, stopped.signals) == ([("enter", 135)], [])


def test_a_dwell_is_told_once_surely_inside() -> None:
    edge = [fix(15 * number, 134) for number in range(42, 46)]
    assert walk(*inside(615), *edge).events == [("enter", 15), ("dwell", 615)]
    late = walk(*inside(600), *edge, *[fix(690 + 15 * number, 134 - 20 * number) for number in range(1, 4)])
    assert late.events == [("enter", 15), ("dwell", 705)]


def test_going_to_and_fro_at_the_edge_is_no_event() -> None:
    edge = [fix(90 + 15 * number, 150 + (6 if number % 2 else -6)) for number in range(1, 60)]
    assert [kind for kind, _ in walk(*inside(90), *edge).events] == ["enter"]


def test_a_store_that_is_gone_is_left_at_once() -> None:
    known = walk(*inside(60))
    known.go(fix(75, 40), index=StoreIndex())
    assert known.events == [("enter", 15), ("exit", 75)]
    assert known.last.events[0].distance_m is None


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (fix(40, 50, mocked=True), "mocked"),
        (fix(40, 50, accuracy_m=201), "too_inaccurate"),
        (fix(40, 50, accuracy_m=float("nan")), "too_inaccurate"),
        (fix(30, 40), "repeated"),
        (fix(29, 50), "out_of_order"),
        (fix(40, 5_000), "impossible_jump"),
    ],
)
def test_a_fix_that_cannot_be_trusted_is_refused_and_moves_nothing(given: Fix, reason: str) -> None:
    before = walk(*inside(30)).state
    answer = advance(before, given, INDEX, RULES)
    assert (answer.rejection, answer.events) == (reason, ())
    assert answer.state is not None
    assert before is not None
    assert (answer.state.last, answer.state.inside) == (before.last, before.inside)


def test_after_three_refused_fixes_that_agree_the_fourth_starts_anew() -> None:
    far = [fix(40 + seconds, 20_000) for seconds in range(4)]
    known = walk(*inside(30), *far)
    assert known.rejections[3:] == ["impossible_jump", "impossible_jump", "impossible_jump", None]
    assert known.events == [("enter", 15), ("exit", 43)]
    assert known.state is not None
    assert (known.state.last, known.state.candidate) == (far[-1], None)


def test_nobody_enters_within_half_a_minute_of_a_new_anchor() -> None:
    teleported = walk(fix(0, 20_000), fix(15, 20_000), *inside(150, since=30))
    assert teleported.rejections[2:6] == ["impossible_jump"] * 3 + [None]
    assert teleported.events == [("enter", 105)]


def test_refused_fixes_that_disagree_never_become_an_anchor() -> None:
    scattered = [fix(40 + number, 20_000 * (1 + number % 2)) for number in range(8)]
    assert walk(*inside(30), *scattered).rejections[3:] == ["impossible_jump"] * 8


def test_a_good_fix_forgets_the_candidate() -> None:
    state = walk(*inside(30), fix(40, 20_000), fix(50, 42)).state
    assert state is not None
    assert (state.candidate, state.agreeing) == (None, 0)


def test_after_a_long_silence_the_way_before_it_counts_for_nothing() -> None:
    silent = walk(*inside(60), fix(400, 400), fix(460, 400))
    assert silent.events == [("enter", 15), ("exit", 460)]
