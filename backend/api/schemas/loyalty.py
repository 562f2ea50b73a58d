"""What members state of themselves and see of their stars, and what staff send and get of the loyalty programme."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic.config import JsonDict

from backend.api.schemas.base import Body, Currency, ImportedId, Moment, Text, changes
from backend.api.schemas.members import Locale
from backend.service.loyalty_model import (
    BIRTHDAY_PATTERN,
    Adjustment,
    Birthday,
    LoyaltyRules,
    Profile,
    RulesVersion,
    Standing,
    Tier,
)
from backend.service.model import Member

_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
PersonName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_PRINTABLE)]
BirthdayText = Annotated[
    str,
    StringConstraints(pattern=BIRTHDAY_PATTERN),
    AfterValidator(lambda text: str(Birthday.parse(text))),
    Field(description="Month and day, and the year before them if it is told", examples=["06-02", "1990-06-02"]),
]
Word = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=_PRINTABLE)]
Percent = Annotated[int, Field(ge=0, le=1_000)]
PerStar = Annotated[int, Field(ge=1, le=10**9)]
MOST_STARS = 10**9
_NO_OTHERS: JsonDict = {"additionalProperties": False}
"""pydantic refuses keys of another pattern, and leaves that out of the schema."""


class ProfileBody(Body):
    """What a member states of themselves. What is not named stays; null, or an empty list, clears.

    It is shown to the member. Favourite products are used for choosing offers only while they agree to
    personalisation; the rest is kept and not used by Lull.
    """

    name: PersonName | None = None
    birthday: BirthdayText | None = None
    gender: Word | None = None
    favourite_products: list[ImportedId] = Field(default_factory=list, max_length=50)
    dietary_wishes: list[Word] = Field(default_factory=list, max_length=20)
    languages: list[Locale] = Field(default_factory=list, max_length=10)

    def to_changes(self) -> dict[str, object]:
        """As the use cases want it. Raises Invalid when nothing is named."""
        found: dict[str, object] = changes(self)
        if self.birthday is not None:
            found["birthday"] = Birthday.parse(self.birthday)
        for name in found.keys() & {"favourite_products", "dietary_wishes", "languages"}:
            found[name] = tuple(dict.fromkeys(getattr(self, name)))
        return found


@dataclass(frozen=True, slots=True)
class ProfileAnswer:
    """What the member states of themselves; the birthday as 06-02, or 1990-06-02 when they told the year."""

    name: str | None
    birthday: str | None
    gender: str | None
    favourite_products: tuple[str, ...]
    dietary_wishes: tuple[str, ...]
    languages: tuple[str, ...]

    @staticmethod
    def of(profile: Profile) -> ProfileAnswer:
        """From the use cases."""
        stated = {name: getattr(profile, name) for name in ProfileAnswer.__slots__}
        return ProfileAnswer(**stated | {"birthday": str(profile.birthday) if profile.birthday else None})


@dataclass(frozen=True, slots=True)
class TierAnswer:
    """A member's tier, since and until when if that is known, and the stars that count now.

    `tier_until` is null while nothing ends the tier; `next_tier` and `stars_to_next` are null at the highest.
    """

    member_id: str
    tier: Tier
    tier_since: datetime | None
    tier_until: datetime | None
    stars: int
    qualifying_days: int
    next_tier: Tier | None
    stars_to_next: int | None

    @staticmethod
    def of(member: Member, standing: Standing) -> TierAnswer:
        """From the use cases."""
        return TierAnswer(member.id, *_told(standing))


@dataclass(frozen=True, slots=True)
class MeAnswer(TierAnswer):
    """Who the member is to the loyalty programme: as in a tier's answer, and what they state of themselves."""

    profile: ProfileAnswer

    @staticmethod
    def of(member: Member, standing: Standing) -> MeAnswer:
        """From the use cases."""
        return MeAnswer(member.id, *_told(standing), ProfileAnswer.of(member.profile))


def _told(found: Standing) -> tuple[Tier, datetime | None, datetime | None, int, int, Tier | None, int | None]:
    ahead = (found.next_tier, found.stars_to_next)
    return found.tier, found.since, found.until, found.stars, found.qualifying_days, *ahead


class RulesBody(Body):
    """How purchases earn stars and what tiers want; what is left out has its default.

    A star for every `minor_per_star` minor units paid after discount, or what `minor_per_star_in` says for a currency;
    percentages multiply that, by tier and by product. A tier wants so many stars within `qualifying_days`, and is kept
    for `grace_days` by who has them no longer. Past purchases earn on import only if `imports_earn`.
    """

    effective_from: Moment | None = None
    minor_per_star: PerStar = 100
    minor_per_star_in: dict[Currency, PerStar] = Field(
        default_factory=dict, max_length=200, json_schema_extra=_NO_OTHERS
    )
    tier_percent: dict[Tier, Percent] = Field(default_factory=dict)
    product_percent: dict[ImportedId, Percent] = Field(
        default_factory=dict, max_length=500, json_schema_extra=_NO_OTHERS
    )
    gold_at: int = Field(default=300, ge=1, le=MOST_STARS)
    reserve_at: int = Field(default=1_000, ge=1, le=MOST_STARS)
    qualifying_days: int = Field(default=365, ge=1, le=3_650)
    grace_days: int = Field(default=30, ge=0, le=3_650)
    imports_earn: bool = False

    @model_validator(mode="after")
    def _tiers_rise(self) -> Self:
        if self.reserve_at < self.gold_at:
            raise ValueError("reserve_at is below gold_at: the higher tier wants at least as many stars")
        return self

    def to_rules(self) -> LoyaltyRules:
        """As the use cases want it."""
        return LoyaltyRules(**{name: getattr(self, name) for name in LoyaltyRules.__dataclass_fields__})


@dataclass(frozen=True, slots=True)
class RulesAnswer:
    """Rules with their number and when they begin to hold; number 0 has the defaults, which hold until others do."""

    version: int
    effective_from: datetime
    rules: LoyaltyRules


@dataclass(frozen=True, slots=True)
class LoyaltyAnswer:
    """The rules in force, and those that come next; null when none are planned."""

    current: RulesAnswer
    upcoming: RulesAnswer | None

    @staticmethod
    def of(current: RulesVersion, upcoming: RulesVersion | None) -> LoyaltyAnswer:
        """From the use cases."""
        return LoyaltyAnswer(rules(current), rules(upcoming) if upcoming else None)


def rules(version: RulesVersion) -> RulesAnswer:
    """From the use cases."""
    return RulesAnswer(version.version, version.effective_from, version.rules)


class GrantBody(Body):
    """The tier that a member is to have at least, until when (null: for good), and why."""

    tier: Tier
    until: Moment | None = None
    reason: Text


class AdjustmentBody(Body):
    """Stars to add, or with a minus to take away, and why."""

    delta: int = Field(ge=-1_000_000, le=1_000_000, json_schema_extra={"not": {"const": 0}})
    reason: Text

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.delta == 0:
            raise ValueError("delta is nought: give the stars to add or to take away")
        return self


@dataclass(frozen=True, slots=True)
class AdjustmentAnswer:
    """An adjustment as booked."""

    id: str
    member_id: str
    delta: int
    at: datetime

    @staticmethod
    def of(done: Adjustment, member_id: str) -> AdjustmentAnswer:
        """From the use cases."""
        return AdjustmentAnswer(done.id, member_id, done.delta, done.at)
