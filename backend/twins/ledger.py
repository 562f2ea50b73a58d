"""The books in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from backend.decision.result import Reason
from backend.service.model import LIVE_STATES, Coupon, CouponState, Outcome, Record, Totals
from backend.twins.outbox import TwinOutbox
from backend.twins.till import TwinTill
from backend.twins.world import OutboxRow, World

_FORWARD = (CouponState.ISSUED, CouponState.DELIVERED, CouponState.OPENED)


class TwinLedger(TwinTill, TwinOutbox):
    """The ledger port."""

    def __init__(self, world: World) -> None:
        self._world = world

    def record(self, record: Record, coupon: Coupon | None, code_hash: str) -> Record:
        """Write a decision down and, if it issues, coupon, budget, capacity and outbox row with it, or none of them.

        Raises ValueError when a decision that issues comes without its coupon.
        """
        with self._world.lock:
            known = self._world.records.get(record.decision.opportunity_id)
            if known is not None:
                return known
            outcome = self._outcome(record)
            if outcome == "issued":
                if coupon is None:
                    raise ValueError("a decision that issues is recorded together with its coupon; none was given")
                self._issue(coupon, code_hash)
            if outcome in ("issued", "ghost"):
                self._give(record)
            made = self._world.records[record.decision.opportunity_id] = replace(record, outcome=outcome)
            return made

    def _outcome(self, record: Record) -> Outcome:
        if record.decision.reason is Reason.HELD_OUT:
            return "ghost"
        if not record.decision.issues:
            return "none"
        return "issued" if self._still_open(record) else "lost"

    def _still_open(self, record: Record) -> bool:
        world, facts, decision = self._world, record.facts, record.decision
        member, given, forecast = world.members.get(facts.member.id), decision.given, decision.forecast
        if member is None or "location_offers" not in member.consents:
            return False
        if member.last_given_at != facts.member.last_given_at or world.is_paused(facts.store.id):
            return False
        if forecast is None or world.outstanding[facts.store.id] >= forecast.room:
            return False
        campaign = None if given is None else world.campaigns.get(given.campaign_id)
        if campaign is None or given is None or campaign.status != "active":
            return False
        return campaign.reserved_minor + campaign.spent_minor + given.discount_minor <= campaign.budget_minor

    def _issue(self, coupon: Coupon, code_hash: str) -> None:
        world = self._world
        world.coupons[coupon.id] = coupon
        world.live.add(coupon.id)
        world.coupons_of[coupon.member_id].append(coupon.id)
        world.coupon_by_code[code_hash] = coupon.id
        world.outbox[coupon.id] = OutboxRow(coupon.id)
        world.book(coupon.campaign_id, reserved=coupon.discount_minor)
        world.outstanding[coupon.store_id] += 1

    def _give(self, record: Record) -> None:
        member_id, at = record.facts.member.id, record.decision.at
        self._world.given[member_id].append(at)
        member = self._world.members.get(member_id)
        if member is not None:
            self._world.members[member_id] = replace(member, last_given_at=at)

    def given_since(self, member_id: str, since: datetime) -> int:
        """How many coupons and ghosts the member was given since then."""
        with self._world.lock:
            return sum(at >= since for at in self._world.given.get(member_id, ()))

    def budgets_left(self) -> Mapping[str, int]:
        """What each campaign can still give away, in minor units."""
        with self._world.lock:
            return {
                campaign.id: campaign.budget_minor - campaign.reserved_minor - campaign.spent_minor
                for campaign in self._world.campaigns.values()
            }

    def coupons(self, member_id: str, limit: int) -> tuple[Coupon, ...]:
        """The member's coupons, newest first."""
        with self._world.lock:
            return _newest([self._world.coupons[key] for key in self._world.coupons_of.get(member_id, ())], limit)

    def newest_coupons(self, limit: int) -> tuple[Coupon, ...]:
        """Coupons of all members, newest first."""
        with self._world.lock:
            return _newest(list(self._world.coupons.values()), limit)

    def coupon(self, coupon_id: str) -> Coupon | None:
        """A coupon."""
        with self._world.lock:
            return self._world.coupons.get(coupon_id)

    def decision(self, opportunity_id: str) -> Record | None:
        """A decision as written down."""
        with self._world.lock:
            return self._world.records.get(opportunity_id)

    def decisions(self, before: str | None, limit: int) -> tuple[Record, ...]:
        """Decisions, newest first, that come after the one with the id `before` in that order."""
        with self._world.lock:
            newest = sorted(self._world.records.values(), key=_place, reverse=True)
            start = None if before is None else self._world.records.get(before)
            if before is not None and start is None:
                return ()
            return tuple(record for record in newest if start is None or _place(record) < _place(start))[:limit]

    def advance(self, coupon_id: str, to: CouponState) -> Coupon | None:
        """Note that a live coupon was delivered or opened; moves that lead back change nothing."""
        with self._world.lock:
            coupon = self._world.coupons.get(coupon_id)
            if coupon is None or coupon.state not in LIVE_STATES or to not in _FORWARD:
                return coupon
            if _FORWARD.index(to) > _FORWARD.index(coupon.state):
                coupon = self._world.coupons[coupon_id] = replace(coupon, state=to)
            return coupon

    def expire(self, now: datetime) -> int:
        """Close coupons past their end; budget and capacity they reserved are free again. How many."""
        with self._world.lock:
            ended = [key for key in self._world.live if self._world.coupons[key].expires_at <= now]
            for coupon_id in ended:
                self._world.close(self._world.coupons[coupon_id], CouponState.EXPIRED)
                self._world.drop(coupon_id, "coupon_expired")
            return len(ended)

    def totals(self) -> Totals:
        """Counts over all of the books."""
        with self._world.lock:
            world, records = self._world, self._world.records.values()
            campaigns = [world.campaigns[key] for key in sorted(world.campaigns)]
            currency = campaigns[0].currency if campaigns else "EUR"
            counted = [campaign for campaign in campaigns if campaign.currency == currency]
            return Totals(
                decisions=Counter(record.decision.reason.value for record in records),
                lost=sum(record.outcome == "lost" for record in records),
                coupons=Counter(coupon.state.value for coupon in world.coupons.values()),
                pushes_pending=len(world.outbox),
                pushes_accepted=len(world.accepted),
                pushes_dropped=dict(world.dropped),
                spent_minor=sum(campaign.spent_minor for campaign in counted),
                reserved_minor=sum(campaign.reserved_minor for campaign in counted),
                currency=currency,
            )


def _newest(coupons: list[Coupon], limit: int) -> tuple[Coupon, ...]:
    return tuple(sorted(coupons, key=lambda coupon: (coupon.issued_at, coupon.id), reverse=True)[:limit])


def _place(record: Record) -> tuple[datetime, str]:
    return record.decision.at, record.decision.opportunity_id
