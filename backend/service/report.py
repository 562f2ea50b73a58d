"""What a campaign did, week by week, without telling of any small group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime, time, timedelta

from backend.service.errors import NotFound
from backend.service.model import Chance
from backend.service.ports import Clock, Ports
from backend.service.suppression import TOTAL, suppress

WEEKS = 3
"""Whole ISO weeks in UTC, the same for everybody, so that no two windows differ by a person. Decisions are kept for 30
days, which hold three of them whole on every day."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many members, decisions to offer (held out ones too), and coupons that came so far; and their cost."""

    members: int
    offered: int
    issued: int
    delivered: int
    opened: int
    redeemed: int
    rolled_back: int
    spent_minor: int


@dataclass(frozen=True, slots=True)
class ReportCell:
    """One store (None: all) and tier (None: all); `counts` is None where too few members stand behind it."""

    store_id: str | None
    tier: str | None
    counts: Counts | None


@dataclass(frozen=True, slots=True)
class ReportWeek:
    """One whole week of decisions, from Monday 00:00 UTC on."""

    begins_at: datetime
    ends_at: datetime
    cells: tuple[ReportCell, ...]


class Reports:
    """Makes reports."""

    def __init__(self, ports: Ports, clock: Clock) -> None:
        self._ports = ports
        self._clock = clock

    def weeks(self, campaign_id: str) -> tuple[ReportWeek, ...]:
        """The last whole weeks of a campaign, newest first. Raises NotFound."""
        if all(each.id != campaign_id for each in self._ports.chain.campaigns()):
            raise NotFound("campaign_unknown", "there is no such campaign")
        made = []
        for begins_at in last_mondays(self._clock.now()):
            ends_at = begins_at + timedelta(days=7)
            chances = self._ports.ledger.chances(campaign_id, begins_at, ends_at)
            made.append(ReportWeek(begins_at, ends_at, cells(chances)))
        return tuple(made)


def last_mondays(now: datetime) -> tuple[datetime, ...]:
    """When the last whole weeks began, newest first."""
    monday = datetime.combine(now.date() - timedelta(days=now.weekday()), time(), now.tzinfo)
    return tuple(monday - timedelta(days=7 * n) for n in range(1, WEEKS + 1))


def cells(chances: Iterable[Chance]) -> tuple[ReportCell, ...]:
    """The table by store and tier with its totals, small groups hidden."""
    by_cell: dict[tuple[str, str], list[Chance]] = defaultdict(list)
    for chance in chances:
        for row in (chance.store_id, TOTAL):
            for column in (chance.tier, TOTAL):
                by_cell[row, column].append(chance)
    rows, columns = {row for row, _ in by_cell}, {column for _, column in by_cell}
    counted = {(row, column): _counts(by_cell.get((row, column), [])) for row in rows for column in columns}
    hidden = suppress({cell: counts.members for cell, counts in counted.items()})
    return tuple(
        ReportCell(row or None, column or None, None if (row, column) in hidden else counted[row, column])
        for row, column in sorted(counted)
    )


def _counts(chances: list[Chance]) -> Counts:
    issued = [chance for chance in chances if chance.outcome == "issued"]
    stages = {name: sum(name in each.events for each in issued) for name in _STAGES}
    return Counts(
        members=len({chance.member_id for chance in chances}),
        offered=len(chances),
        issued=len(issued),
        spent_minor=sum(chance.spent_minor for chance in issued),
        **stages,
    )


_STAGES = tuple(each.name for each in fields(Counts))[3:7]
