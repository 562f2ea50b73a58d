"""Where one device stands with every fence: a pure state machine from fixes to enter, dwell and exit.

A fix is refused, or it moves the estimate of where the device is (`stores.tracking`). A member enters a fence when the
estimate lies so far within its edge, in the estimate's own deviations, that the crossing is likely, confirmed by a
second fix, and slow enough; the way out is the same, at any speed. A phone that enters is not yet surely inside: when
the estimate lies further within, and the fix as well, the visit counts as `sure`, which is what an offer wants.

The caller keeps the state, in volatile memory only and for at most 15 minutes; nothing here reads a clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from stores.geometry import distance_m
from stores.index import Hit, StoreIndex
from stores.model import Fix
from stores.pace import Pace
from stores.tracking import Estimate, begin, begin_moving, follow

Trigger = Literal["enter", "dwell"]
Rejection = Literal["mocked", "too_inaccurate", "repeated", "out_of_order", "impossible_jump"]


@dataclass(frozen=True, slots=True)
class PresenceRules:
    """The thresholds. Speeds in metres per second, times in seconds, edges in standard deviations of the estimate."""

    max_accuracy_m: float = 200.0
    """A fix that is worse tells too little; phones that give their approximate location only are at 1,600 m or so."""
    fence_accuracies: float = 4.0
    """A fence smaller than so many times a fix's accuracy is too small for that fix."""
    edge_deviations: float = 1.7
    """How far beyond the edge, inwards or outwards, the estimate must lie for a crossing."""
    sure_deviations: float = 3.5
    """How far within the edge a member is surely inside: 2 in 10,000 are not."""
    sure_accuracies: float = 1.5
    """So many times its accuracy the fix itself must lie within the edge too: of a phone that stops at the edge the
    estimate walks on a little."""
    confirm_s: float = 10.0
    """A crossing is seen by two fixes at least this far apart; closer ones share their error."""
    max_enter_speed_mps: float = 2.5
    """Whoever was faster over the last half minute passes by."""
    max_speed_mps: float = 60.0
    """Less than 300 km/h by so much that a jump of that speed is refused in spite of both fixes' errors."""
    jumps_before_new_anchor: int = 3
    dwell_s: float = 600.0
    rest_s: float = 120.0
    """After a longer silence nothing is made of how the phone moved before."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A stay in one fence: when it began, the last time an event told of it, and whether it ever was beyond doubt."""

    since: datetime
    last_event_at: datetime
    sure: bool = False


@dataclass(frozen=True, slots=True)
class PresenceState:
    """What is remembered of one device: its last accepted fix, what was made of it, and a new anchor's candidate."""

    last: Fix
    estimate: Estimate
    pace: Pace = field(default_factory=Pace)
    surprised: bool = False
    """Whether the last fix was one that the estimate does not explain; one such may be an error, a second is a turn."""
    inside: Mapping[str, Visit] = field(default_factory=dict)
    crossing: Mapping[str, datetime] = field(default_factory=dict)
    """Fences whose edge the estimate has crossed without an event yet, in or out, and since when."""
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
    """The answer to one fix: the state to keep, why the fix was refused if it was, and what happened.

    `sure` are the fences the member is in beyond doubt, nearest first; `signals` those of them, by store id, of which
    an offer may come: since this is so for the first time in a visit, or since the member dwells. `too_small` are the
    fences around the device that are too small for the accuracy of its fix.
    """

    state: PresenceState | None
    rejection: Rejection | None = None
    events: tuple[PresenceEvent, ...] = ()
    sure: tuple[Hit, ...] = ()
    signals: Mapping[str, Trigger] = field(default_factory=dict)
    too_small: tuple[str, ...] = ()


def advance(state: PresenceState | None, fix: Fix, index: StoreIndex, rules: PresenceRules) -> Step:
    """Take one fix into account."""
    if fix.mocked:
        return Step(state, "mocked")
    if not 0.0 <= fix.accuracy_m <= rules.max_accuracy_m:
        return Step(state, "too_inaccurate")
    if state is None:
        return _cross(PresenceState(fix, begin(fix)), index, rules)
    if fix.recorded_at <= state.last.recorded_at:
        return Step(state, "repeated" if fix.recorded_at == state.last.recorded_at else "out_of_order")
    if implied_speed_mps(state.last, fix) > rules.max_speed_mps:
        return _jumped(state, fix, index, rules)
    return _accept(state, fix, index, rules)


def implied_speed_mps(earlier: Fix, later: Fix) -> float:
    """The least speed that explains both fixes: their distance less both accuracies, over the time between them."""
    seconds = (later.recorded_at - earlier.recorded_at).total_seconds()
    gap_m = distance_m(earlier.position, later.position) - earlier.accuracy_m - later.accuracy_m
    return max(0.0, gap_m) / seconds


def _jumped(state: PresenceState, fix: Fix, index: StoreIndex, rules: PresenceRules) -> Step:
    """Refuse the jump, unless enough refused fixes already agree on the new place; then start anew from there."""
    candidate = state.candidate
    if candidate is None:
        return Step(replace(state, candidate=fix, agreeing=1), "impossible_jump")
    if fix.recorded_at <= candidate.recorded_at:
        return Step(state, "repeated" if fix.recorded_at == candidate.recorded_at else "out_of_order")
    if implied_speed_mps(candidate, fix) > rules.max_speed_mps:
        return Step(replace(state, candidate=fix, agreeing=1), "impossible_jump")
    if state.agreeing < rules.jumps_before_new_anchor:
        return Step(replace(state, candidate=fix, agreeing=state.agreeing + 1), "impossible_jump")
    # Several fixes speak for the new place: whatever the device was in, it has left.
    at = fix.recorded_at
    exits = tuple(PresenceEvent("exit", seen, at, _distance_m(index, fix, seen)) for seen in state.inside)
    # The jump counts as a step, so that nobody enters within half a minute of one.
    step = _cross(PresenceState(fix, begin_moving(candidate, fix), state.pace.with_step(state.last, fix)), index, rules)
    return replace(step, events=exits + step.events)


def _distance_m(index: StoreIndex, fix: Fix, store_id: str) -> float | None:
    seen = index.measure(fix.position, (store_id,))
    return seen[0].distance_m if seen else None


def _accept(state: PresenceState, fix: Fix, index: StoreIndex, rules: PresenceRules) -> Step:
    rested = (fix.recorded_at - state.last.recorded_at).total_seconds() > rules.rest_s
    estimate = begin(fix) if rested else follow(state.estimate, fix)
    surprised = estimate is None and not state.surprised
    if estimate is None:
        estimate = state.estimate if surprised else begin_moving(state.last, fix)
    pace = state.pace.with_step(state.last, fix)
    # Written out, since every fix that is accepted comes through here, and `replace` is slow.
    moved = PresenceState(fix, estimate, pace, surprised, state.inside, state.crossing)
    return Step(moved) if surprised else _cross(moved, index, rules)


def _cross(state: PresenceState, index: StoreIndex, rules: PresenceRules) -> Step:
    """What the estimate, as it stands now, says of the fences it is in and of those it was in or about to cross."""
    hits = index.hits(state.estimate.position)
    if not hits and not state.inside and not state.crossing:
        return Step(state)
    seen = _Seen(state, index, rules)
    for hit in hits:
        seen.within(hit)
    around = {hit.store.id for hit in hits}
    gone = [store_id for store_id in state.inside if store_id not in around]
    measured = {hit.store.id: hit for hit in index.measure(state.estimate.position, gone)}
    for store_id in gone:
        seen.without(store_id, measured.get(store_id))
    return seen.step()


class _Seen:
    """One look at the fences: gathers what changes."""

    def __init__(self, state: PresenceState, index: StoreIndex, rules: PresenceRules) -> None:
        self._state = state
        self._index = index
        self._rules = rules
        self._at = state.last.recorded_at
        self._deviation_m = state.estimate.deviation_m
        self._inside = dict(state.inside)
        self._crossing: dict[str, datetime] = {}
        self._events: list[PresenceEvent] = []
        self._sure: list[Hit] = []
        self._signals: dict[str, Trigger] = {}
        self._too_small: list[str] = []

    def within(self, hit: Hit) -> None:
        """The estimate lies in this fence."""
        store_id = hit.store.id
        if hit.size_m < self._rules.fence_accuracies * self._state.last.accuracy_m:
            self._too_small.append(store_id)
            return
        visit = self._inside.get(store_id) or self._entered(hit)
        if visit is None:
            return
        if hit.depth_m >= self._rules.sure_deviations * self._deviation_m and self._fix_is_within(store_id):
            visit = self._surely(hit, visit)
        self._inside[store_id] = visit

    def without(self, store_id: str, view: Hit | None) -> None:
        """The estimate lies outside this fence, in which the device was; None when the fence is gone."""
        if view is None or self._crossed(store_id, view.outside_m):
            del self._inside[store_id]
            self._crossing.pop(store_id, None)
            self._events.append(PresenceEvent("exit", store_id, self._at, None if view is None else view.distance_m))

    def step(self) -> Step:
        """What came of the look."""
        state = replace(self._state, inside=self._inside, crossing=self._crossing)
        return Step(state, None, tuple(self._events), tuple(self._sure), self._signals, tuple(self._too_small))

    def _entered(self, hit: Hit) -> Visit | None:
        if not self._crossed(hit.store.id, hit.depth_m) or self._fast():
            return None
        del self._crossing[hit.store.id]
        self._events.append(self._event("enter", hit))
        return Visit(self._at, self._at)

    def _surely(self, hit: Hit, visit: Visit) -> Visit:
        self._sure.append(hit)
        if not visit.sure:
            self._signals[hit.store.id] = "enter"
        elif self._at - visit.last_event_at >= timedelta(seconds=self._rules.dwell_s):
            self._events.append(self._event("dwell", hit))
            self._signals[hit.store.id] = "dwell"
            return replace(visit, last_event_at=self._at)
        return replace(visit, sure=True)

    def _fix_is_within(self, store_id: str) -> bool:
        fix = self._state.last
        depths = (hit.depth_m for hit in self._index.hits(fix.position) if hit.store.id == store_id)
        return any(depth_m >= self._rules.sure_accuracies * fix.accuracy_m for depth_m in depths)

    def _event(self, kind: Trigger, hit: Hit) -> PresenceEvent:
        return PresenceEvent(kind, hit.store.id, self._at, hit.distance_m)

    def _crossed(self, store_id: str, beyond_m: float) -> bool:
        """Whether an edge is crossed for good; the first fix beyond it is only remembered."""
        since = self._crossing[store_id] = self._state.crossing.get(store_id, self._at)
        confirmed = self._at - since >= timedelta(seconds=self._rules.confirm_s)
        return confirmed and beyond_m >= self._rules.edge_deviations * self._deviation_m

    def _fast(self) -> bool:
        return self._state.pace.speed_mps(self._state.last) > self._rules.max_enter_speed_mps
