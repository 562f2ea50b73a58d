"""Runs recorded fixes through matching, presence and decision, in memory, and sends nothing."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backend.service.fixes import Report
from backend.service.model import Consent, Device, Member, Preferences, Registration
from backend.service.services import Services, services
from backend.service.staff import COMMAND_LINE, Actor
from backend.twins import TwinPresence, Unlimited, twin_ports
from backend.unfinished import unfinished
from stores.importing.trace import Recorded
from stores.model import Store
from stores.presence import PresenceEvent, PresenceState, Step

COLUMNS = ("kind", "device_id", "at", "store_id", "distance_m", "reason", "outcome", "propensity")
Row = Mapping[str, str | float | None]
"""One line of the output: an event (enter, dwell, exit) or a decision. What does not apply is None."""

TOLD_EVERY = 10_000
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class ReplayReport:
    """How many fixes there were, those accepted, refused ones by reason; events by kind, decisions by reason."""

    fixes: int = 0
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """All counts by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def told(self, seconds: float) -> str:
        """How far it is after so many seconds."""
        return f"{self.fixes:,} fixes, {self.events.total():,} events, {self.fixes / seconds:,.0f} fixes a second"


class _RecordedClock:
    """Shows the time of the fix that is replayed; as on a server it never runs back while one device reports."""

    def __init__(self) -> None:
        self.at = BEGINNING

    def now(self) -> datetime:
        return self.at

    def real(self) -> float:
        return self.at.timestamp()

    def trusted(self) -> bool:
        return True


class _WatchedPresence:
    """Presence that remembers the events of the last step.

    Each device has its own: the clock of another, hours away, would have its state swept.
    """

    def __init__(self) -> None:
        self.events: tuple[PresenceEvent, ...] = ()
        self._devices: defaultdict[str, TwinPresence] = defaultdict(TwinPresence)

    def apply(self, member_id: str, real_now: float, move: Callable[[PresenceState | None], Step]) -> Step:
        step = self._devices[member_id].apply(member_id, real_now, move)
        self.events = step.events
        return step

    def inside(self, member_id: str, store_id: str, real_now: float) -> bool:
        return self._devices[member_id].inside(member_id, store_id, real_now)

    def forget(self, member_id: str) -> None:
        self._devices[member_id].forget(member_id)

    def forget_events(self) -> None:
        """So that a fix which presence never sees has none."""
        self.events = ()


class Replay:
    """A chain in memory with these stores, in which every device is that of a member who agreed to location offers.

    What a trace does not tell stays unknown, so decisions name the first gate that is shut: a store's hours if the file
    has none, and its traffic otherwise.
    """

    def __init__(self, stores: Sequence[Store]) -> None:
        self._clock, self._presence = _RecordedClock(), _WatchedPresence()
        ports = replace(twin_ports(), presence=self._presence)
        ports.chain.put_stores(stores, Actor(COMMAND_LINE, self._clock.now()))
        self._services: Services = services(ports, self._clock, "replay", Unlimited())
        self._devices: dict[str, datetime] = {}
        self.report = ReplayReport()

    def write(self, trace: Iterable[Recorded], output: Path, progress: Callable[[ReplayReport], None]) -> None:
        """Replay to a file: JSON Lines, or CSV when its name ends so. After an error nothing is left of it."""
        with unfinished(output) as beside, beside.open("w", encoding="utf-8", newline="") as file:
            if output.suffix.lower() == ".csv":
                table = csv.DictWriter(file, COLUMNS)
                table.writeheader()
                table.writerows(self.run(trace, progress))
            else:
                for row in self.run(trace, progress):
                    file.write(json.dumps({name: value for name, value in row.items() if value is not None}) + "\n")

    def run(self, trace: Iterable[Recorded], progress: Callable[[ReplayReport], None]) -> Iterator[Row]:
        """Replay fix after fix, and tell what comes of each; `progress` is told every now and then."""
        for recorded in trace:
            yield from self._rows(recorded)
            if self.report.fixes % TOLD_EVERY == 0:
                progress(self.report)

    def _rows(self, recorded: Recorded) -> Iterator[Row]:
        device_id, fix = recorded.device_id, recorded.fix
        latest = self._devices.get(device_id)
        if latest is None:
            self._join(device_id)
        self._clock.at = self._devices[device_id] = max(latest or fix.recorded_at, fix.recorded_at)
        self._presence.forget_events()
        answer = self._services.fixes.report(device_id, [fix])
        self._count(answer)
        for event in self._presence.events:
            yield _row(event.kind, device_id, event.at, event.store_id, {"distance_m": event.distance_m})
        for each in answer.answers:
            decision = each.decision
            told: Row = {"reason": str(decision.reason), "outcome": each.outcome, "propensity": decision.propensity}
            yield _row("decision", device_id, decision.at, each.store_id, told)

    def _join(self, device_id: str) -> None:
        member = Member(device_id, device_id, "green", preferences=Preferences(quiet_hours=None))
        agreed = Consent("location_offers", True, "replay", "replay", BEGINNING)
        members = self._services.ports.members
        members.add([(member, (agreed,))], Actor(COMMAND_LINE, BEGINNING))
        members.set_device(device_id, Device(Registration("fid", device_id), "android", "en", "UTC"))

    def _count(self, answer: Report) -> None:
        report = self.report
        report.fixes += 1
        report.accepted += answer.accepted
        report.rejected.update(each.reason for each in answer.rejected)
        report.events.update(event.kind for event in self._presence.events)
        report.decisions.update(str(each.decision.reason) for each in answer.answers)


def _row(kind: str, device_id: str, at: datetime, store_id: str, more: Row) -> Row:
    moment = at.isoformat().replace("+00:00", "Z")
    known = {"kind": kind, "device_id": device_id, "at": moment, "store_id": store_id, **more}
    return {column: known.get(column) for column in COLUMNS}
