"""Stars and tiers, pure: what a purchase earns and keeps, and which tier that makes, now and later."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from backend.service.errors import Conflict
from backend.service.loyalty_model import (
    TIERS,
    LoyaltyRules,
    RulesVersion,
    Standing,
    StarEntry,
    Tier,
    TierGrant,
    TierStep,
)
from backend.service.model import Sale

UNPUBLISHED = RulesVersion(0, datetime(1970, 1, 1, tzinfo=UTC), LoyaltyRules())
"""The rules of a chain that has published none."""
_ALWAYS = 100
Span = tuple[datetime, datetime | None]
"""From, and until when; None is for ever."""


def stars_for(sale: Sale, paid_minor: int, tier: Tier, rules: LoyaltyRules) -> int:
    """The stars a sale earns of which `paid_minor` were paid, after discount; parts of a star are dropped.

    Each line weighs what it costs: with a product at 200 % that is half of the basket, the whole earns 150 %.
    """
    costs = [(item.product_id, item.quantity * item.unit_price_minor) for item in sale.items]
    whole = sum(cost for _, cost in costs)
    weighted = sum(cost * rules.product_percent.get(product_id, _ALWAYS) for product_id, cost in costs)
    if whole == 0:
        whole, weighted = 1, _ALWAYS
    per_star = rules.minor_per_star_in.get(sale.currency, rules.minor_per_star)
    return paid_minor * weighted * rules.tier_percent.get(tier, _ALWAYS) // (whole * per_star * 100 * 100)


def kept_stars(earned: int, paid_minor: int, left_minor: int) -> int:
    """What is kept of the stars a purchase earned, of which now only so much is paid: in proportion, rounded down.

    It rests on what is left alone, so that it does not matter in how many parts the rest was taken back.
    """
    return earned if left_minor >= paid_minor else earned * left_minor // paid_minor


def entry_id(purchase_id: str, entries: Sequence[StarEntry]) -> str:
    """The id of the next entry of a purchase that has these, in order; ids sort as the entries follow each other."""
    first = f"s_{purchase_id}"
    if not entries:
        return first
    number = int(entries[-1].id.removeprefix(first).removeprefix(".") or 0) + 1
    return f"{first}.{number:04}"


def since_booked(entries: Sequence[StarEntry]) -> Sequence[StarEntry]:
    """Of a purchase's entries those since it was booked last: a receipt that was taken back may be rung up again."""
    last = max(place for place, entry in enumerate(entries) if entry.cause == "purchase")
    return entries[last:]


def parted(entry: StarEntry, name: str) -> StarEntry:
    """The entry under another name, without its purchase and what would find that again: the moment, and what was paid.

    It keeps the day (UTC), so it counts for a tier as before, to the day.
    """
    days = {at: getattr(entry, at).replace(hour=0, minute=0, second=0, microsecond=0) for at in ("earned_at", "at")}
    return replace(entry, id=name, purchase_id=None, paid_minor=0, **days)


def in_force(versions: Iterable[RulesVersion], at: datetime) -> RulesVersion:
    """The rules that hold at a moment; the default ones, as version 0, when none were published for it."""
    begun = [version for version in versions if version.effective_from <= at]
    return max(begun, key=lambda version: (version.effective_from, version.version), default=UNPUBLISHED)


def stars_in_period(entries: Iterable[StarEntry], now: datetime, rules: LoyaltyRules) -> int:
    """The stars that count now."""
    return sum(entry.delta for entry in entries if entry.earned_at <= now < entry.earned_at + rules.period)


def check_adjustment(entries: Iterable[StarEntry], delta: int, now: datetime, rules: LoyaltyRules) -> None:
    """Raise Conflict when more stars would be taken away than count now.

    Who came first may have been a moment later by the clock: what they took away counts.
    """
    known = tuple(entries)
    ahead = sum(min(0, entry.delta) for entry in known if entry.earned_at > now)
    if delta < 0 and stars_in_period(known, now, rules) + ahead + delta < 0:
        raise Conflict("stars_missing", "the member has not so many stars: take away no more than count now")


def adjusted_before() -> Conflict:
    """What to raise when an adjustment stands in the books under the name that a new one would have."""
    detail = "this adjustment was booked before, more than 24 hours ago: send a new Idempotency-Key for another"
    return Conflict("adjustment_exists", detail)


def tier_for(entries: Iterable[StarEntry], now: datetime, rules: LoyaltyRules) -> Tier:
    """The tier these stars make: the highest they were enough for now or within the grace before."""
    return _at(now, _spans(entries, None, rules))


def course(
    entries: Iterable[StarEntry], grant: TierGrant | None, now: datetime, rules: LoyaltyRules
) -> tuple[TierStep, ...]:
    """The tier now, and how it goes on if nothing more happens: steps in order of time, the first one at `now`."""
    spans = _spans(entries, grant, rules)
    edges = {edge for found in spans.values() for span in found for edge in span if edge is not None and edge > now}
    steps = [TierStep(now, _at(now, spans))]
    for at in sorted(edges):
        tier = _at(at, spans)
        if tier != steps[-1].tier:
            steps.append(TierStep(at, tier))
    return tuple(steps)


def carried_on(before: Sequence[TierStep], tier: Tier, new: Sequence[TierStep]) -> tuple[TierStep, ...]:
    """A new course after the one before: a tier that stays keeps its beginning, which may be unknown."""
    held = tier_at(before, new[0].at)
    if (held.tier if held else tier) != new[0].tier:
        return tuple(new)
    return (replace(new[0], at=held.at), *new[1:]) if held else tuple(new[1:])


def due_at(steps: Sequence[TierStep], versions: Iterable[RulesVersion], now: datetime) -> datetime | None:
    """When a tier must be looked at again, as it changes or may do so under new rules; None: not by itself."""
    moments = [step.at for step in steps] + [version.effective_from for version in versions]
    return min((at for at in moments if at > now), default=None)


def tier_at(steps: Sequence[TierStep], at: datetime) -> TierStep | None:
    """The step that holds at a moment; None before the first."""
    return next((step for step in reversed(steps) if step.at <= at), None)


def standing(
    steps: Sequence[TierStep], tier: Tier, entries: Iterable[StarEntry], now: datetime, rules: LoyaltyRules
) -> Standing:
    """Where a member stands who has this tier now by these steps."""
    held = tier_at(steps, now)
    stars = stars_in_period(entries, now, rules)
    higher = TIERS[TIERS.index(tier) + 1 :]
    next_tier = higher[0] if higher else None
    return Standing(
        tier=tier,
        since=held.at if held else None,
        until=next((step.at for step in steps if step.at > now), None),
        stars=stars,
        qualifying_days=rules.qualifying_days,
        next_tier=next_tier,
        stars_to_next=max(0, rules.threshold(next_tier) - stars) if next_tier else None,
    )


def _spans(entries: Iterable[StarEntry], grant: TierGrant | None, rules: LoyaltyRules) -> dict[Tier, list[Span]]:
    """When each tier above the lowest is held."""
    changes: dict[datetime, int] = defaultdict(int)
    for entry in entries:
        changes[entry.earned_at] += entry.delta
        changes[entry.earned_at + rules.period] -= entry.delta
    spans = {tier: _held(changes, rules.threshold(tier), rules) for tier in TIERS[1:]}
    if grant is not None and grant.tier in spans:
        spans[grant.tier].append((grant.at, grant.until))
    return spans


def _held(changes: dict[datetime, int], threshold: int, rules: LoyaltyRules) -> list[Span]:
    found: list[Span] = []
    began: datetime | None = None
    stars = 0
    for at in sorted(changes):
        stars += changes[at]
        if stars >= threshold and began is None:
            began = at
        elif stars < threshold and began is not None:
            found.append((began, at + rules.grace))
            began = None
    return found


def _at(at: datetime, spans: dict[Tier, list[Span]]) -> Tier:
    for tier in reversed(TIERS[1:]):
        if any(start <= at and (end is None or at < end) for start, end in spans[tier]):
            return tier
    return TIERS[0]
