"""Where one device stands with every fence: a pure state machine from fixes to enter, dwell and exit.

The caller keeps the state (in volatile memory only, for at most 15 minutes), looks up the hits and drops stale fixes;
nothing here reads a clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from stores.geometry import distance_m
from stores.index import Hit
from stores.model import Position

Rejection = Literal["mocked", "too_inaccurate", "out_of_order", "impossible_jump"]


@dataclass(frozen=True, slots=True)
class Fix:
    """One location report. `accuracy_m` is the radius in which the device is with 68 % confidence."""

    position: Position
    accuracy_m: float
    recorded_at: datetime
    speed_mps: float | None = None
    mocked: bool = False


@dataclass(frozen=True, slots=True)
class PresenceRules:
    """The thresholds. Speeds in metres per second, `dwell_s` in seconds."""

    max_accuracy_m: float = 200.0
    enter_margin: float = 3.0
    """To count as inside, a fix must lie this many times its accuracy within the edge. Accuracy is a 68 % radius, or
    1.51 standard deviations; 3 of them are 4.5, so even at the margin's own edge 3 in a million are truly outside."""
    max_enter_speed_mps: float = 7.0
    max_speed_mps: float = 100.0
    jumps_before_new_anchor: int = 3
    dwell_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Visit:
    """A stay in one fence: when it began, and the last time an event told of it."""

    since: datetime
    last_event_at: datetime


@dataclass(frozen=True, slots=True)
class PresenceState:
    """What is remembered of one device: its last accepted fix, the fences it is in, a candidate for a new anchor."""

    last: Fix
    inside: Mapping[str, Visit] = field(default_factory=dict)
    candidate: Fix | None = None
    agreeing: int = 0
    """How many refused fixes in a row agree with `candidate`, itself counted."""


@dataclass(frozen=True, slots=True)
class PresenceEvent:
    """Something that happened at a fence. `distance_m`: metres to the store's position, None once it is gone."""

    kind: Literal["enter", "dwell", "exit"]
    store_id: str
    at: datetime
    distance_m: float | None


@dataclass(frozen=True, slots=True)
class Step:
    """The answer to one fix: the state to keep, why the fix was refused if it was, and what happened."""

    state: PresenceState | None
    rejection: Rejection | None = None
    events: tuple[PresenceEvent, ...] = ()


def advance(
    state: PresenceState | None, fix: Fix, hits: Sequence[Hit], rules: PresenceRules, left: Sequence[Hit] = ()
) -> Step:
    """Take one fix into account.

    `hits` are the fences that contain it (`StoreIndex.hits`). `left` measures the fences in `state.inside`
    (`StoreIndex.measure`), so that a member leaves one only when the fix lies further outside than its accuracy; a
    fence that is neither in `hits` nor in `left` is left at once.
    """
    if fix.mocked:
        return Step(state, "mocked")
    if not 0.0 <= fix.accuracy_m <= rules.max_accuracy_m:
        return Step(state, "too_inaccurate")
    if state is None:
        return _accept(PresenceState(fix), fix, hits, rules, left, 0.0)
    if fix.recorded_at <= state.last.recorded_at:
        return Step(state, "out_of_order")
    speed = implied_speed_mps(state.last, fix)
    if speed <= rules.max_speed_mps:
        return _accept(state, fix, hits, rules, left, speed)
    return _jumped(state, fix, hits, rules, left)


def implied_speed_mps(earlier: Fix, later: Fix) -> float:
    """The least speed that explains both fixes: their distance less both accuracies, over the time between them."""
    seconds = (later.recorded_at - earlier.recorded_at).total_seconds()
    gap_m = distance_m(earlier.position, later.position) - earlier.accuracy_m - later.accuracy_m
    return max(0.0, gap_m) / seconds


def _jumped(state: PresenceState, fix: Fix, hits: Sequence[Hit], rules: PresenceRules, left: Sequence[Hit]) -> Step:
    """Refuse the jump, unless enough refused fixes already agree on the new place; then start anew from there."""
    candidate = state.candidate
    if candidate is None:
        return Step(replace(state, candidate=fix, agreeing=1), "impossible_jump")
    if fix.recorded_at <= candidate.recorded_at:
        return Step(state, "out_of_order")
    speed = implied_speed_mps(candidate, fix)
    if speed > rules.max_speed_mps:
        return Step(replace(state, candidate=fix, agreeing=1), "impossible_jump")
    if state.agreeing < rules.jumps_before_new_anchor:
        return Step(replace(state, candidate=fix, agreeing=state.agreeing + 1), "impossible_jump")
    return _accept(state, fix, hits, rules, left, speed)


def _accept(
    state: PresenceState, fix: Fix, hits: Sequence[Hit], rules: PresenceRules, left: Sequence[Hit], implied_mps: float
) -> Step:
    # The faster of both: a phone on a bus may report no speed of its own.
    speed = max(implied_mps, fix.speed_mps or 0.0)
    at, inside, events = fix.recorded_at, dict(state.inside), list[PresenceEvent]()
    for hit in hits:
        visit = inside.get(hit.store.id)
        if hit.depth_m < rules.enter_margin * fix.accuracy_m:
            continue
        if visit is None:
            if speed <= rules.max_enter_speed_mps:
                inside[hit.store.id] = Visit(at, at)
                events.append(PresenceEvent("enter", hit.store.id, at, hit.distance_m))
        elif at - visit.last_event_at >= timedelta(seconds=rules.dwell_s):
            inside[hit.store.id] = Visit(visit.since, at)
            events.append(PresenceEvent("dwell", hit.store.id, at, hit.distance_m))
    seen, measured = {hit.store.id for hit in hits}, {hit.store.id: hit for hit in left}
    for store_id in [store_id for store_id in inside if store_id not in seen]:
        view = measured.get(store_id)
        if view is None or view.outside_m > fix.accuracy_m:
            del inside[store_id]
            events.append(PresenceEvent("exit", store_id, at, None if view is None else view.distance_m))
    return Step(PresenceState(fix, inside), None, tuple(events))
