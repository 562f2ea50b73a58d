"""Walkers whose truth is known: people who wander about one store, and what their phones say of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from stores.geometry import EARTH_RADIUS_M
from stores.index import StoreIndex
from stores.model import Circle, Fix, Position, Store
from stores.presence import PresenceRules, PresenceState, Step, advance
from stores.tracking import ACCURACY_DEVIATIONS

CENTRE = Position(60.17, 24.94)
BEGINNING = datetime(2026, 6, 2, 12, tzinfo=UTC)
EVERY_S = 15
ACCURACY_M = (5.0, 50.0)
SIZES = (1.0, 1.0, 1.5, 2.0, 3.0)
"""Radius of a walker's fence over the least that its accuracy allows, which is four times the accuracy."""
WALKING_MPS = (0.8, 1.7)
TO_STORE = 0.35
PAUSES = 0.5
PAUSE_S = (60, 1_200)
LATE_S = 60
"""An event is false when the edge was not truly crossed, that way, in so many seconds before it."""
VISIT_S = 120
VISIT_DEPTH = 2.0
"""A true visit is a stay that is so many accuracies within the edge for `VISIT_S` seconds without a break."""

Path = npt.NDArray[np.float64]
"""Metres east and north of the store, one row a second."""


@dataclass(frozen=True, slots=True)
class Walker:
    """One person for an hour: where they truly were, and the fixes of their phone."""

    accuracy_m: float
    radius_m: float
    path: Path
    fixes: tuple[Fix, ...]

    @property
    def index(self) -> StoreIndex:
        """The one store."""
        return StoreIndex([Store("store", "Store", CENTRE, Circle(self.radius_m))])


def walkers(number: int, minutes: int, rng: np.random.Generator) -> Iterator[Walker]:
    """People who walk straight from one place to another, one in three times to the store, and often stay a while."""
    for _ in range(number):
        accuracy_m = float(rng.uniform(*ACCURACY_M))
        radius_m = 4.0 * accuracy_m * float(rng.choice(SIZES))
        path = _path(radius_m, 60 * minutes, rng)
        yield Walker(accuracy_m, radius_m, path, _fixes(path, accuracy_m, rng))


def _path(radius_m: float, seconds: int, rng: np.random.Generator) -> Path:
    reach = 3.0 * radius_m + 100.0
    here = rng.uniform(-reach, reach, 2)
    legs, length = [here[None, :]], 1
    while length < seconds:
        there = rng.normal(0.0, 0.25 * radius_m, 2) if rng.random() < TO_STORE else rng.uniform(-reach, reach, 2)
        steps = max(1, int(np.hypot(*(there - here)) / rng.uniform(*WALKING_MPS)))
        pause = int(rng.integers(*PAUSE_S)) if rng.random() < PAUSES else 0
        legs.append(here + (there - here) * np.arange(1, steps + 1)[:, None] / steps)
        legs.append(np.repeat(there[None, :], pause, axis=0))
        length, here = length + steps + pause, there
    return np.concatenate(legs)[:seconds]


def _fixes(path: Path, accuracy_m: float, rng: np.random.Generator) -> tuple[Fix, ...]:
    times = range(int(rng.integers(EVERY_S)), len(path), EVERY_S)
    seen = path[times] + rng.normal(0.0, accuracy_m / ACCURACY_DEVIATIONS, (len(times), 2))
    return tuple(fix(second, place, accuracy_m) for second, place in zip(times, seen, strict=True))


def fix(second: float, place: npt.NDArray[np.float64], accuracy_m: float) -> Fix:
    """A fix at `place`, metres east and north of the store."""
    degree_m = EARTH_RADIUS_M * np.pi / 180.0
    lat = CENTRE.lat + float(place[1]) / degree_m
    lng = CENTRE.lng + float(place[0]) / (degree_m * float(np.cos(np.radians(CENTRE.lat))))
    return Fix(Position(lat, lng), accuracy_m, BEGINNING + timedelta(seconds=second))


def steps(fixes: Sequence[Fix], index: StoreIndex) -> Iterator[Step]:
    """What presence makes of the fixes."""
    state: PresenceState | None = None
    rules = PresenceRules()
    for each in fixes:
        step = advance(state, each, index, rules)
        state = step.state
        yield step


def counted(fixes: Sequence[Fix], index: StoreIndex, accuracies: float, needed: int) -> list[tuple[str, int]]:
    """Enter and exit of a rule that counts: `needed` fixes in a row so many accuracies beyond the edge."""
    events, inside, beyond = list[tuple[str, int]](), False, 0
    for each in fixes:
        (seen,) = index.measure(each.position, ["store"])
        depth_m = seen.size_m - seen.distance_m
        beyond = beyond + 1 if (-depth_m if inside else depth_m) >= accuracies * each.accuracy_m else 0
        if beyond == needed:
            inside, beyond = not inside, 0
            events.append(("enter" if inside else "exit", _second(each.recorded_at)))
    return events


@dataclass(slots=True)
class Score:
    """Counts over walkers: fixes, events and false ones, true visits and detected ones, offers answered outside."""

    fixes: int = 0
    events: int = 0
    false_events: int = 0
    visits: int = 0
    detected: int = 0
    signals: int = 0
    signals_outside: int = 0

    def take(self, walker: Walker) -> None:
        """Count one walker whose phone is followed by presence."""
        taken = list(steps(walker.fixes, walker.index))
        told = [(each.kind, _second(each.at)) for step in taken for each in step.events if each.kind != "dwell"]
        signals = [
            _second(fix.recorded_at) for fix, step in zip(walker.fixes, taken, strict=True) for _ in step.signals
        ]
        self.signals += len(signals)
        self.signals_outside += sum(not _inside(walker)[second] for second in signals)
        self.take_events(walker, told)

    def take_events(self, walker: Walker, events: Sequence[tuple[str, int]]) -> None:
        """Count one walker of whom a rule told these events, as (enter or exit, second)."""
        inside = _inside(walker)
        self.fixes += len(walker.fixes)
        self.events += len(events)
        self.false_events += sum(not _crossed(inside, kind == "enter", second) for kind, second in events)
        deep = _from_store_m(walker) <= walker.radius_m - VISIT_DEPTH * walker.accuracy_m
        for first, last in _stays(inside):
            if any(end - begin >= VISIT_S for begin, end in _stays(deep[first:last])):
                self.visits += 1
                self.detected += any(kind == "enter" and first <= second <= last for kind, second in events)


def _from_store_m(walker: Walker) -> npt.NDArray[np.float64]:
    return np.hypot(walker.path[:, 0], walker.path[:, 1])


def _inside(walker: Walker) -> npt.NDArray[np.bool_]:
    return _from_store_m(walker) <= walker.radius_m


def _second(at: datetime) -> int:
    return int((at - BEGINNING).total_seconds())


def _crossed(inside: npt.NDArray[np.bool_], inwards: bool, second: int) -> bool:
    """Whether the edge was truly crossed that way in the minute before."""
    recent = inside[max(0, second - LATE_S) : second + 1]
    changes = recent[1:] != recent[:-1]
    return bool(np.any(changes & (recent[1:] == inwards)))


def _stays(inside: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First second and the one after the last of every unbroken stay."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inside.astype(np.int8), [0]])))
    return [(int(first), int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True)]
