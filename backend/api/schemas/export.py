"""Everything known of a member, as one archive with its JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter

from backend.api.schemas.base import JsonSchemas
from backend.api.schemas.loyalty import ProfileAnswer
from backend.api.schemas.members import DeviceKeyAnswer, PreferencesAnswer
from backend.service.holdings import Everything
from backend.service.life import CouponEvent
from backend.service.loyalty_model import StarEntry, Tier, TierGrant, TierStep
from backend.service.member_books import Return
from backend.service.model import Consent, Coupon, Device, Purchase, Purpose, Record, Redemption
from stores.presence import PresenceState

SCHEMA_PATH = "/v1/me/export/schema"


@dataclass(frozen=True, slots=True)
class ExportedMember:
    """Who the member is here."""

    id: str
    uid: str
    tier: Tier
    tier_steps: tuple[TierStep, ...]
    tier_grant: TierGrant | None
    agrees_to: tuple[Purpose, ...]
    time_zone: str | None
    locale: str
    last_given_at: datetime | None


@dataclass(frozen=True, slots=True)
class ExportedCoupon:
    """A coupon, what happened to it, how it was used if it was, and what came back of that sale."""

    coupon: Coupon
    timeline: tuple[CouponEvent, ...]
    redemption: Redemption | None
    returns: tuple[Return, ...]

    @staticmethod
    def of(coupon: Coupon, known: Everything) -> ExportedCoupon:
        """From the use cases."""
        done = known.redemptions.get(coupon.id)
        returns = known.returns.get(done.id, ()) if done else ()
        return ExportedCoupon(coupon, known.timelines[coupon.id], done, returns)


@dataclass(frozen=True, slots=True)
class ExportAnswer:
    """Everything known of a member. `presence` stands in memory only; it is gone 15 minutes after the last report."""

    __pydantic_config__ = ConfigDict(serialize_by_alias=True)

    exported_at: datetime
    member: ExportedMember
    device: Device | None
    device_keys: tuple[DeviceKeyAnswer, ...]
    consents: tuple[Consent, ...]
    preferences: PreferencesAnswer
    profile: ProfileAnswer
    tastes: Mapping[str, float]
    presence: PresenceState | None
    coupons: tuple[ExportedCoupon, ...]
    decisions: tuple[Record, ...]
    purchases: tuple[Purchase, ...]
    stars: tuple[StarEntry, ...]
    schema: Annotated[str, Field(serialization_alias="$schema")] = SCHEMA_PATH

    @staticmethod
    def of(known: Everything) -> ExportAnswer:
        """From the use cases."""
        member = known.member
        return ExportAnswer(
            exported_at=known.exported_at,
            member=ExportedMember(
                id=member.id,
                uid=member.uid,
                tier=member.tier,
                tier_steps=member.tier_steps,
                tier_grant=member.tier_grant,
                agrees_to=tuple(sorted(member.consents)),
                time_zone=member.time_zone,
                locale=member.locale,
                last_given_at=member.last_given_at,
            ),
            device=member.device,
            device_keys=tuple(DeviceKeyAnswer.of(key) for key in known.device_keys),
            consents=known.consents,
            preferences=PreferencesAnswer.of(member.preferences),
            profile=ProfileAnswer.of(member.profile),
            tastes=member.tastes,
            presence=known.presence,
            coupons=tuple(ExportedCoupon.of(each, known) for each in known.coupons),
            decisions=known.decisions,
            purchases=known.purchases,
            stars=known.stars,
        )


@lru_cache(maxsize=1)
def export_schema() -> dict[str, Any]:
    """The archive's JSON Schema (2020-12)."""
    made = TypeAdapter(ExportAnswer).json_schema(mode="serialization", schema_generator=JsonSchemas)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_PATH, **made}
