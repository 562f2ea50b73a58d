"""Facts of one good opportunity; every example changes what it is about and leaves the rest.

It is Tuesday 2 June 2026, 14:00 UTC, 17:00 in Helsinki. Aino, green, stands 200 m from an open and quiet store.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from backend.decision.assignment import opportunity_id
from backend.decision.decide import decide
from backend.decision.facts import Facts, MemberFacts, OfferFacts, PresenceFacts, QuietHours, StoreFacts
from backend.decision.result import Decision
from backend.decision.snapshot import Rules, Snapshot
from stores.utilisation import Evidence

NOW = datetime(2026, 6, 2, 14, 0, tzinfo=UTC)


def minutes(count: float) -> timedelta:
    """So many minutes."""
    return timedelta(minutes=count)


def evidence(**changes: Any) -> Evidence:
    """Two arrivals in twenty minutes for two people who need two minutes each: quiet, with room for several."""
    base = Evidence(arrivals=2, observed_s=1200.0, baseline_per_hour=6.0, waiting=0, staff=2, service_s=120.0)
    return replace(base, **changes)


def offer(**changes: Any) -> OfferFacts:
    """A cappuccino of 4.00 EUR with 25 % off, for green and gold."""
    base = OfferFacts(
        id="cappuccino-25",
        campaign_id="spring",
        product_id="cappuccino",
        product_name="Cappuccino",
        price_minor=400,
        currency="EUR",
        discount_kind="percent",
        discount_value=25,
        tiers=("green", "gold"),
        title="{product} at {store}",
        body="{discount} off, {price} until {until}",
        budget_left_minor=10_000,
        ends_at=None,
        holdout=0.0,
    )
    return replace(base, **changes)


def facts(
    *,
    presence: dict[str, Any] | None = None,
    member: dict[str, Any] | None = None,
    store: dict[str, Any] | None = None,
    offers: tuple[OfferFacts, ...] | None = None,
    **changes: Any,
) -> Facts:
    """The good opportunity with changes to its parts."""
    who = MemberFacts(
        id="aino",
        tier="green",
        location_offers=True,
        reachable=True,
        time_zone="Europe/Helsinki",
        quiet_hours=QuietHours(time(22), time(7)),
        weekly_maximum=3,
        muted=(),
        tastes={},
        given_this_week=0,
        last_given_at=None,
    )
    where = StoreFacts(
        id="kamppi",
        name="Kamppi",
        paused=False,
        open=True,
        closes_at=NOW + timedelta(hours=4),
        target_utilisation=0.7,
        evidence=evidence(),
        outstanding=0,
    )
    who, where = replace(who, **(member or {})), replace(where, **(store or {}))
    base = Facts(
        opportunity_id=opportunity_id(b"", who.id, where.id, NOW),
        clock_trusted=True,
        paused=False,
        presence=replace(PresenceFacts("enter", True, 200), **(presence or {})),
        member=who,
        store=where,
        offers=(offer(),) if offers is None else offers,
    )
    return replace(base, **changes)


def decided(about: Facts, draw: float = 0.5, snapshot: Snapshot | None = None, now: datetime = NOW) -> Decision:
    """What is decided about these facts, under the default policy unless another is given."""
    return decide(about, snapshot or Snapshot(), now, draw)


def rules(**changes: Any) -> Snapshot:
    """A policy with other rules."""
    return Snapshot(rules=Rules(**changes))
