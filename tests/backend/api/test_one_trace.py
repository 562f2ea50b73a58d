"""One trace, told natively and in every other format, leads to the same events and decisions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from stores.model import Fix, Position
from stores.presence import PresenceEvent
from tests.backend.api.phones import (
    in_background,
    in_osmand,
    in_owntracks,
    post_background,
    post_osmand,
    post_owntracks,
    post_traccar,
)
from tests.backend.api.world import LAT, LNG, NOW, Lull

NORTH_M = 111_195.0
"""Metres in a degree of latitude."""


def at(second: int, north_m: float, accuracy_m: float = 8.0, speed_mps: float | None = 1.5) -> Fix:
    """A fix so far to the north of Kamppi, which has a fence of 150 m."""
    return Fix(Position(LAT + north_m / NORTH_M, LNG), accuracy_m, NOW + timedelta(seconds=second), speed_mps)


def trace() -> list[Fix]:
    """A walk in, a stay with all that goes wrong on phones, and a drive away."""
    walk = [at(30 * step, 600.0 - 45.0 * step) for step in range(13)]
    stay = [at(360 + 30 * step, 60.0, speed_mps=0.0) for step in range(1, 28)]
    troubles = [
        at(1200, 20.0, accuracy_m=0.5, speed_mps=None),
        at(1215, 90_000.0),
        at(1230, 15.0, accuracy_m=2_000.0),
        at(1245, 15.0, speed_mps=20.0),
        at(1100, 15.0),
        at(1260, 15.0),
    ]
    away = [at(1290 + 15 * step, 150.0 * step, speed_mps=10.0) for step in range(8)]
    return walk + stay + troubles + away


@dataclass
class Seen:
    """What the use cases and the books saw."""

    rejections: list[str | None] = field(default_factory=list)
    events: list[PresenceEvent] = field(default_factory=list)
    reports: list[Any] = field(default_factory=list)
    decisions: list[Any] = field(default_factory=list)
    coupons: list[Any] = field(default_factory=list)


def native(lull: Lull, _: str, fixes: Sequence[Fix]) -> None:
    """Lull's own format, with a session."""
    told = [
        {
            "lat": fix.position.lat,
            "lng": fix.position.lng,
            "accuracy_m": fix.accuracy_m,
            "recorded_at": fix.recorded_at.isoformat(),
            "speed_mps": fix.speed_mps,
            "mocked": fix.mocked,
        }
        for fix in fixes
    ]
    assert lull.post("/v1/me/fixes", {"fixes": told}, lull.member).status_code == 200


def by_owntracks(lull: Lull, key: str, fixes: Sequence[Fix]) -> None:
    """One message, or a list."""
    told = [in_owntracks(fix) for fix in fixes]
    assert post_owntracks(lull, key, told if len(told) > 1 else told[0]).status_code == 200


def by_osmand(lull: Lull, key: str, fixes: Sequence[Fix]) -> None:
    """Parameters, which hold one fix."""
    (fix,) = fixes
    assert post_osmand(lull, key, in_osmand(fix)).status_code == 200


def by_traccar(lull: Lull, key: str, fixes: Sequence[Fix]) -> None:
    """The JSON of Traccar Client."""
    told = [in_background(fix) for fix in fixes]
    assert post_traccar(lull, key, told if len(told) > 1 else told[0]).status_code == 200


def by_background(lull: Lull, key: str, fixes: Sequence[Fix]) -> None:
    """The plug-in's own."""
    told = [in_background(fix) for fix in fixes]
    assert post_background(lull, key, {"location": told if len(told) > 1 else told[0]}).status_code == 200


Send = Callable[[Lull, str, Sequence[Fix]], None]


def play(send: Send, fixes: Sequence[Fix], batch: int) -> Seen:
    """Send a trace to a fresh chain, each part when its last fix was taken."""
    lull, seen = Lull(), Seen()
    lull.open_chain()
    lull.willing_member()
    key = lull.device_key()
    apply, report = lull.ports.presence.apply, lull.services.fixes.report

    def watched(*arguments: Any) -> Any:
        step = apply(*arguments)
        seen.rejections.append(step.rejection)
        seen.events.extend(step.events)
        return step

    def noted(*arguments: Any) -> Any:
        seen.reports.append(report(*arguments))
        return seen.reports[-1]

    lull.ports.presence.apply = watched  # type: ignore[method-assign]
    lull.services.fixes.report = noted  # type: ignore[method-assign]
    for first in range(0, len(fixes), batch):
        part = fixes[first : first + batch]
        lull.clock.moved = max(lull.clock.moved, (part[-1].recorded_at - NOW).total_seconds())
        send(lull, key, part)
    seen.decisions = list(lull.ports.ledger.decisions(None, 99))
    seen.coupons = list(lull.ports.ledger.newest_coupons(99))
    return seen


def test_the_trace_has_something_of_everything() -> None:
    seen = play(native, trace(), 1)
    assert {"enter", "dwell", "exit"} == {event.kind for event in seen.events}
    assert {None, "too_inaccurate", "impossible_jump", "out_of_order"} <= set(seen.rejections)
    assert [record.decision.reason for record in seen.decisions][-1] == "offered"
    assert len(seen.coupons) == 1


@pytest.mark.parametrize("send", [by_owntracks, by_osmand, by_traccar, by_background])
def test_every_format_tells_the_same_story_fix_by_fix(send: Send) -> None:
    assert play(send, trace(), 1) == play(native, trace(), 1)


@pytest.mark.parametrize("send", [by_owntracks, by_traccar, by_background])
def test_every_format_that_holds_many_tells_the_same_story_in_batches(send: Send) -> None:
    assert play(send, trace(), 7) == play(native, trace(), 7)


@pytest.mark.parametrize("send", [by_osmand, by_traccar, by_background])
def test_faked_fixes_are_told_where_the_format_has_a_word_for_them(send: Send) -> None:
    fixes = [replace(fix, mocked=number % 5 == 0) for number, fix in enumerate(trace())]
    told = play(send, fixes, 1)
    assert "mocked" in told.rejections
    assert told == play(native, fixes, 1)
