"""The values of the loyalty programme: tiers, stars, its rules, and what members state of themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

Tier = Literal["green", "gold", "reserve"]
TIERS: tuple[Tier, ...] = ("green", "gold", "reserve")
"""From the lowest to the highest."""
BIRTHDAY_PATTERN = r"^((19|20)[0-9]{2}-)?(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
"""How a birthday is written, everywhere: 06-02, or 1990-06-02 with the year."""
_LEAP_YEAR = 2000


@dataclass(frozen=True, slots=True)
class TierStep:
    """From this moment on the member has this tier, until the next step."""

    at: datetime
    tier: Tier


@dataclass(frozen=True, slots=True)
class TierGrant:
    """A tier that an import or an admin (`by`) gave: the member has at least this one until then (None: for good)."""

    tier: Tier
    until: datetime | None
    by: str
    reason: str
    at: datetime

    def without_person(self) -> dict[str, object]:
        """What the audit log keeps: the reason may name somebody."""
        return {"tier": self.tier, "until": self.until}


@dataclass(frozen=True, slots=True)
class Birthday:
    """A day of the year, and the year if the member told it; written as in BIRTHDAY_PATTERN."""

    month: int
    day: int
    year: int | None = None

    @staticmethod
    def parse(text: str) -> Birthday:
        """Read a birthday as it is written in files and requests. Raises ValueError, which does not repeat it."""
        full = text if len(text) > len("06-02") else f"{_LEAP_YEAR}-{text}"
        try:
            day = date.fromisoformat(full) if re.fullmatch(BIRTHDAY_PATTERN, text) else None
        except ValueError:
            day = None
        if day is None:
            raise ValueError("there is no such day: write 06-02, or 1990-06-02 with a year from 1900 to 2099")
        return Birthday(day.month, day.day, day.year if full == text else None)

    def __str__(self) -> str:
        day = f"{self.month:02d}-{self.day:02d}"
        return day if self.year is None else f"{self.year}-{day}"

    @property
    def born(self) -> date | None:
        """The day the member was born; None when they told no year."""
        return None if self.year is None else date(self.year, self.month, self.day)

    def ahead(self, now: datetime) -> bool:
        """Whether the member would be born after today, by UTC."""
        return self.born is not None and self.born > now.date()


@dataclass(frozen=True, slots=True)
class Profile:
    """What a member states of themselves, all of it optional. Used only with consent to personalisation.

    `own` once the member changed it themselves; then no file does.
    """

    name: str | None = None
    birthday: Birthday | None = None
    gender: str | None = None
    favourite_products: tuple[str, ...] = ()
    dietary_wishes: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    own: bool = False


@dataclass(frozen=True, slots=True)
class StarEntry:
    """One line of a member's stars, never changed. The entries of a purchase add up to what it earned and kept.

    `earned_at` is when the stars count from: for all entries of a purchase the time of the purchase. `paid_minor` is
    what was paid of the purchase when the entry was written (0 for an adjustment, which has no purchase).
    """

    id: str
    member_id: str
    purchase_id: str | None
    delta: int
    paid_minor: int
    earned_at: datetime
    at: datetime
    cause: str


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What is answered to staff who adjusted somebody's stars: it is kept a while and names no member."""

    id: str
    delta: int
    at: datetime


@dataclass(frozen=True, slots=True)
class LoyaltyRules:
    """How purchases earn stars, and what tiers want.

    A star for every `minor_per_star` minor units paid, or what `minor_per_star_in` says for a currency. The percentages
    multiply that: by the member's tier, and by product (what a file or a map does not name has 100). A tier wants so
    many stars within `qualifying_days`; who has them no longer keeps it for `grace_days`. Past purchases earn when they
    are imported only if `imports_earn`.
    """

    minor_per_star: int = 100
    minor_per_star_in: Mapping[str, int] = field(default_factory=dict)
    tier_percent: Mapping[Tier, int] = field(default_factory=dict)
    product_percent: Mapping[str, int] = field(default_factory=dict)
    gold_at: int = 300
    reserve_at: int = 1_000
    qualifying_days: int = 365
    grace_days: int = 30
    imports_earn: bool = False

    @property
    def period(self) -> timedelta:
        """How long a star counts for a tier."""
        return timedelta(days=self.qualifying_days)

    @property
    def grace(self) -> timedelta:
        """How long a tier is kept that is earned no longer."""
        return timedelta(days=self.grace_days)

    def threshold(self, tier: Tier) -> int:
        """Stars that the tier wants within the period."""
        return {"green": 0, "gold": self.gold_at, "reserve": self.reserve_at}[tier]


@dataclass(frozen=True, slots=True)
class RulesVersion:
    """Rules as published; they hold from `effective_from` until those of a later one do."""

    version: int
    effective_from: datetime
    rules: LoyaltyRules


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a member stands: the tier, since and until when (None: unknown, and for good), and stars in the period.

    `stars_to_next` are those missing for `next_tier`; both are None at the highest.
    """

    tier: Tier
    since: datetime | None
    until: datetime | None
    stars: int
    qualifying_days: int
    next_tier: Tier | None
    stars_to_next: int | None
