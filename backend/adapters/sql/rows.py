"""Values to rows and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from backend.adapters.sql import rows_loyalty as loyalty
from backend.adapters.sql import tables as t
from backend.decision.facts import FACTS
from backend.decision.result import Decision
from backend.service.chain_model import Campaign, Offer
from backend.service.model import (
    PURPOSES,
    Consent,
    Coupon,
    CouponState,
    Device,
    Member,
    Preferences,
    Record,
    Registration,
)
from backend.service.terms import Terms
from stores.model import Fence, Position, Product, Store
from stores.sensitive import SensitivePlace

Row = sa.Row[Any]

FENCE: TypeAdapter[Fence] = TypeAdapter(Fence)
DECISION: TypeAdapter[Decision] = TypeAdapter(Decision)
PREFERENCES: TypeAdapter[Preferences] = TypeAdapter(Preferences)
TASTES: TypeAdapter[dict[str, float]] = TypeAdapter(dict[str, float])
TERMS: TypeAdapter[Terms] = TypeAdapter(Terms)

MEMBER = sa.select(
    t.members,
    t.devices.c.kind.label("device_kind"),
    t.devices.c.registration,
    t.devices.c.platform,
    t.devices.c.locale.label("device_locale"),
    t.devices.c.time_zone.label("device_time_zone"),
).select_from(t.members.outerjoin(t.devices, t.devices.c.member_id == t.members.c.id))
"""Members with their devices, as `member` reads them."""


def part(name: str, columns: Iterable[sa.ColumnElement[Any]]) -> list[sa.Label[Any]]:
    """Columns of one table for a statement over several; a `Part` of the row has them under their own names."""
    return [column.label(f"{name}_{column.key}") for column in columns]


class Part:
    """The columns of one table in a row that has those of several."""

    def __init__(self, row: sa.Row[*tuple[Any, ...]], name: str) -> None:
        self._row = row
        self._name = name

    def __getattr__(self, column: str) -> Any:
        return getattr(self._row, f"{self._name}_{column}")


def store_row(store: Store) -> dict[str, Any]:
    """A store's columns but for `outstanding`."""
    return {
        "id": store.id,
        "name": store.name,
        "lat": store.position.lat,
        "lng": store.position.lng,
        "fence": FENCE.dump_json(store.fence).decode(),
        "hours": store.hours,
        "time_zone": store.time_zone,
        "staff": store.staff,
        "service_s": store.service_s,
        "target_utilisation": store.target_utilisation,
    }


def store(row: Row | Part) -> Store:
    """A store."""
    return Store(
        id=row.id,
        name=row.name,
        position=Position(row.lat, row.lng),
        fence=FENCE.validate_json(row.fence),
        hours=row.hours,
        time_zone=row.time_zone,
        staff=row.staff,
        service_s=row.service_s,
        target_utilisation=row.target_utilisation,
    )


def sensitive_row(place: SensitivePlace) -> dict[str, Any]:
    """A sensitive place's columns."""
    return {
        "id": place.id,
        "category": place.category,
        "lat": place.position.lat,
        "lng": place.position.lng,
        "fence": FENCE.dump_json(place.fence).decode(),
    }


def sensitive_place(row: Row) -> SensitivePlace:
    """A sensitive place."""
    return SensitivePlace(row.id, row.category, Position(row.lat, row.lng), FENCE.validate_json(row.fence))


def menu_row(store_id: str, product: Product) -> dict[str, Any]:
    """A menu item's columns; the empty store id stands for all stores."""
    return {
        "store_id": store_id,
        "product_id": product.id,
        "name": product.name,
        "price_minor": product.price_minor,
        "currency": product.currency,
    }


def menu_item(row: Row) -> Product:
    """A product on a menu."""
    return Product(row.product_id, row.name, row.price_minor, row.currency)


def offer_row(offer: Offer) -> dict[str, Any]:
    """An offer's columns."""
    return {**asdict(offer), "tiers": list(offer.tiers)}


def offer(row: Row) -> Offer:
    """An offer."""
    return Offer(**{**row._mapping, "tiers": tuple(row.tiers)})


def campaign_row(campaign: Campaign) -> dict[str, Any]:
    """A campaign's columns but for what is reserved and spent."""
    values = {**asdict(campaign), "offer_ids": list(campaign.offer_ids)}
    return {name: value for name, value in values.items() if not name.startswith(("reserved_", "spent_"))}


def campaign(row: Row | Part) -> Campaign:
    """A campaign with its budget as it stands."""
    values = {name: getattr(row, name) for name in Campaign.__dataclass_fields__}
    return Campaign(**{**values, "offer_ids": tuple(row.offer_ids)})


def member_row(member: Member) -> dict[str, Any]:
    """A member's columns, without device, `last_given_at` and `sessions`."""
    return {
        "id": member.id,
        "uid": member.uid,
        "tier": member.tier,
        "time_zone": member.time_zone,
        "locale": member.locale,
        **{purpose: purpose in member.consents for purpose in PURPOSES},
        "preferences": PREFERENCES.dump_json(member.preferences).decode(),
        "tastes": TASTES.dump_json(dict(member.tastes)).decode(),
        "tier_grant": loyalty.grant_text(member.tier_grant),
        "tier_steps": loyalty.steps_text(member.tier_steps),
        "profile": loyalty.profile_text(member.profile),
    }


def member(row: Row | Part) -> Member:
    """A member, from a row of `MEMBER`."""
    device = None
    if row.registration is not None:
        registration = Registration(row.device_kind, row.registration)
        device = Device(registration, row.platform, row.device_locale, row.device_time_zone)
    return Member(
        id=row.id,
        uid=row.uid,
        tier=row.tier,
        device=device,
        consents=frozenset(purpose for purpose in PURPOSES if getattr(row, purpose)),
        preferences=_preferences(row.preferences),
        tastes=TASTES.validate_json(row.tastes),
        time_zone=row.time_zone,
        locale=row.locale,
        last_given_at=row.last_given_at,
        tier_grant=loyalty.grant(row.tier_grant),
        tier_steps=loyalty.steps(row.tier_steps),
        profile=loyalty.profile(row.profile),
        sessions=row.sessions,
    )


@lru_cache(maxsize=4096)
def _preferences(body: str) -> Preferences:
    """Most members want the same, and reading that costs more than to remember it."""
    return PREFERENCES.validate_json(body)


def consent(row: Row) -> Consent:
    """An entry of the consent log."""
    return Consent(row.purpose, row.granted, row.text_version, row.source, row.at)


def record_row(record: Record) -> dict[str, Any]:
    """A decision's columns but for its outcome."""
    return {
        "id": record.decision.opportunity_id,
        "member_id": record.facts.member.id,
        "store_id": record.facts.store.id,
        "at": record.decision.at,
        "reason": record.decision.reason.value,
        "draw": record.draw,
        "weight": record.weight,
        "facts": FACTS.dump_json(record.facts).decode(),
        "decision": DECISION.dump_json(record.decision).decode(),
    }


def record(row: Row) -> Record:
    """A decision as written down."""
    return Record(
        facts=FACTS.validate_json(row.facts),
        decision=DECISION.validate_json(row.decision),
        draw=row.draw,
        outcome=row.outcome,
        weight=row.weight,
    )


_COUPON_FIELDS = tuple(name for name in Coupon.__dataclass_fields__ if name not in ("state", "terms"))


def coupon_row(coupon: Coupon, code_hash: str) -> dict[str, Any]:
    """A coupon's columns."""
    values = {name: getattr(coupon, name) for name in _COUPON_FIELDS}
    return {**values, "state": coupon.state.value, "terms": _terms_text(coupon.terms), "code_hash": code_hash}


def coupon(row: Row | Part) -> Coupon:
    """A coupon, from any row that has all of its columns."""
    values = {name: getattr(row, name) for name in _COUPON_FIELDS}
    return Coupon(**values, state=CouponState(row.state), terms=_terms(row.terms))


@lru_cache(maxsize=4096)
def _terms(body: str) -> Terms:
    """As many as there are offers."""
    return TERMS.validate_json(body)


@lru_cache(maxsize=4096)
def _terms_text(terms: Terms) -> str:
    return TERMS.dump_json(terms).decode()
