"""Which of the offers that may be given is given, and until when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.decision.facts import Facts, MemberFacts, OfferFacts
from backend.decision.gates import known_zone
from backend.decision.messages import fill
from backend.decision.result import Given, Reason
from backend.decision.snapshot import Rules
from stores.money import money

_STAGES = (Reason.TIER, Reason.MUTED, Reason.NOT_ON_MENU, Reason.BUDGET_SPENT, Reason.TOO_FAR)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An offer that passed every gate of its own, with its cost and its end."""

    offer: OfferFacts
    discount_minor: int
    expires_at: datetime


def discount(offer: OfferFacts) -> int:
    """What the offer takes off the price, in minor units: never more than the price, percentages rounded down."""
    price = offer.price_minor or 0
    if offer.discount_kind == "percent":
        return price * min(offer.discount_value, 100) // 100
    return min(offer.discount_value, price)


def expiry(facts: Facts, offer: OfferFacts, rules: Rules, now: datetime) -> datetime | None:
    """When a coupon given now would end, in whole seconds; None when the member could not be there in time on foot."""
    ends = [now + timedelta(seconds=rules.coupon_life_s)]
    if facts.store.closes_at is not None:
        ends.append(facts.store.closes_at - timedelta(seconds=rules.closing_margin_s))
    if offer.ends_at is not None:
        ends.append(offer.ends_at)
    end = min(ends).replace(microsecond=0)
    walk_s = facts.presence.distance_m * rules.detour / rules.walking_mps
    return end if end >= now + timedelta(seconds=walk_s + rules.minimum_slack_s) else None


def _examine(facts: Facts, offer: OfferFacts, rules: Rules, now: datetime) -> Candidate | Reason:
    if facts.member.tier not in offer.tiers:
        return Reason.TIER
    if offer.product_id in facts.member.muted:
        return Reason.MUTED
    cost = discount(offer)
    if offer.price_minor is None or cost < 1:
        return Reason.NOT_ON_MENU
    if offer.budget_left_minor < cost:
        return Reason.BUDGET_SPENT
    end = expiry(facts, offer, rules, now)
    return Reason.TOO_FAR if end is None else Candidate(offer, cost, end)


def choose(facts: Facts, rules: Rules, now: datetime) -> Candidate | Reason:
    """The offer this member likes best; where none may be given, the reason of the one that came furthest."""
    examined = [_examine(facts, offer, rules, now) for offer in facts.offers]
    candidates = [found for found in examined if isinstance(found, Candidate)]
    if candidates:
        return min(candidates, key=lambda found: _rank(found, facts.member))
    return _furthest(found for found in examined if isinstance(found, Reason))


def _rank(candidate: Candidate, member: MemberFacts) -> tuple[bool, float, int, str, str]:
    """What members say of themselves comes before what their purchases say."""
    offer = candidate.offer
    taste = member.tastes.get(offer.product_id, 0.0)
    return offer.product_id not in member.favourites, -taste, -candidate.discount_minor, offer.campaign_id, offer.id


def _furthest(reasons: Iterable[Reason]) -> Reason:
    return max(reasons, key=_STAGES.index, default=Reason.NO_OFFER)


def given(facts: Facts, candidate: Candidate) -> Given:
    """The chosen offer with its message written out; the end is told in the member's own time."""
    offer = candidate.offer
    price = (offer.price_minor or 0) - candidate.discount_minor
    zone = known_zone(facts.member.time_zone) or candidate.expires_at.tzinfo
    words = {
        "store": facts.store.name,
        "product": offer.product_name,
        "price": money(price, offer.currency),
        "discount": money(candidate.discount_minor, offer.currency),
        "until": candidate.expires_at.astimezone(zone).strftime("%H:%M"),
    }
    return Given(
        offer_id=offer.id,
        campaign_id=offer.campaign_id,
        product_id=offer.product_id,
        product_name=offer.product_name,
        discount_minor=candidate.discount_minor,
        currency=offer.currency,
        title=fill(offer.title, words),
        body=fill(offer.body, words),
        expires_at=candidate.expires_at,
    )
