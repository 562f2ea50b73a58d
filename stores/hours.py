"""Opening hours: is a store certainly open at a moment, and until when.

Expressions are OpenStreetMap's opening_hours syntax, read in the store's time zone. What is doubtful counts as closed:
the state `unknown`, and an opening with a comment (`"by appointment"`, `Su "call us"`), since nobody here can read it.

Public holidays (`PH`) and the sun (`sunrise`) need a position: the country's calendar and the sun's times follow from
it. Without a position rules with `PH` are ignored, so a store with `Mo-Fr 08:00-18:00; PH off` counts as open on
Christmas Day; `for_store` therefore always gives the position when the expression needs it. School holidays (`SH`) are
not known for any country, and their rules never apply.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import opening_hours as osm

from stores.model import Position, Store

_NEEDS_POSITION = ("PH", "sun", "dawn", "dusk")
LOOK_AHEAD = timedelta(days=2)
_NO_SUCH_DAY = re.compile(r"\b(Feb\s+(\d+-)?3[01]|(Apr|Jun|Sep|Nov)\s+(\d+-)?31)\b", re.IGNORECASE)
"""Days that no year has, which the library takes for any day."""


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """When a store is open. Make it with `OpeningHours.parse` or `for_store`."""

    expression: str
    time_zone: ZoneInfo
    _rules: osm.OpeningHours = field(repr=False, compare=False)

    @classmethod
    def parse(cls, expression: str, time_zone: str, position: Position | None = None) -> OpeningHours:
        """Read an expression in an IANA time zone; `position` is needed for holidays and sun times only.

        Raises ValueError, in a sentence that repeats neither input, when the expression cannot be read or the zone is
        unknown. Results are remembered.
        """
        return _parse(expression.strip().rstrip("; "), time_zone, position)

    def is_open(self, at: datetime) -> bool:
        """Whether the store is certainly open at the aware moment `at`. Raises ValueError when `at` is naive."""
        return _certain(*self._rules.state(self._local(at)))

    def closes_at(self, at: datetime) -> datetime | None:
        """The moment (UTC) at which the opening around `at` ends.

        None when the store is not open at `at`, and when it is still open two days later: whoever asks wants to be
        served today, and to look for an end that never comes takes seconds. In the hour that daylight saving repeats
        the earlier of the two moments is given.
        """
        moment = self._local(at)
        for number, (begins, _, state, comment) in enumerate(self._rules.intervals(moment, moment + LOOK_AHEAD)):
            if not _certain(state, comment):
                return _earlier(begins, at) if number else None
        return None

    def _local(self, at: datetime) -> datetime:
        if at.tzinfo is None:
            raise ValueError("opening hours need a moment with a time zone, and this one has none")
        return at.astimezone(self.time_zone)


def for_store(store: Store) -> OpeningHours | None:
    """The store's opening hours, or None when its hours or its time zone are unknown. Errors as in `parse`."""
    if store.hours is None or store.time_zone is None:
        return None
    needs_position = any(word in store.hours for word in _NEEDS_POSITION)
    return OpeningHours.parse(store.hours, store.time_zone, store.position if needs_position else None)


def hour_of_week(at: datetime, where: ZoneInfo) -> int:
    """0 for Monday 00:00 to 00:59 in that zone, 167 for Sunday's last hour."""
    local = at.astimezone(where)
    return local.weekday() * 24 + local.hour


def zone(name: str) -> ZoneInfo:
    """The IANA time zone of this name. Raises ValueError when there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("the time zone is unknown: give an IANA name such as Europe/Helsinki") from None


@lru_cache(maxsize=65_536)
def _parse(expression: str, time_zone: str, position: Position | None) -> OpeningHours:
    where = zone(time_zone)
    if _NO_SUCH_DAY.search(expression):
        raise ValueError("the opening hours name a day that no year has, such as Feb 30: mend it")
    coords = None if position is None else (position.lat, position.lng)
    try:
        rules = osm.OpeningHours(expression, timezone=where, coords=coords, auto_timezone=False)
    except TypeError:
        raise ValueError(
            "the opening hours cannot be read in this time zone: give one such as Europe/Helsinki"
        ) from None
    except osm.ParserError as error:  # type: ignore[attr-defined]  # the library leaves it out of its stub
        raise ValueError(f"the opening hours cannot be read{_place(str(error))}: {_HINT}") from None
    return OpeningHours(expression, where, rules)


_HINT = "give an OpenStreetMap opening_hours expression such as Mo-Fr 08:00-18:00; Sa 10:00-16:00"


def _place(message: str) -> str:
    """The parser's message repeats the expression; only the place of the error is taken from it."""
    found = re.search(r"--> \d+:(\d+)", message)
    return f" from character {found[1]} on" if found else ""


def _certain(state: osm.State, comment: str) -> bool:
    return state == osm.State.OPEN and not comment


def _earlier(change: datetime, at: datetime) -> datetime:
    first = change.replace(fold=0).astimezone(UTC)
    return first if first > at else change.astimezone(UTC)
