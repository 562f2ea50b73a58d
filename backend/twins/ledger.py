"""The books in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime

from backend.decision.result import Reason
from backend.service.budgets import left_minor, releasing, reserving
from backend.service.errors import NotFound
from backend.service.life import DISMISSED, MOVES, CouponEvent, as_of, check_live, expired, issued, revoked
from backend.service.model import LIVE_STATES, Coupon, Outcome, Record, Totals
from backend.service.staff import Actor
from backend.twins.chances import TwinChances
from backend.twins.erasure import TwinErasure
from backend.twins.holdings import TwinHoldings
from backend.twins.loyalty import TwinStars
from backend.twins.outbox import TwinOutbox
from backend.twins.retention import TwinRetention
from backend.twins.till import TwinTill
from backend.twins.world import OutboxRow, World


class TwinLedger(TwinTill, TwinStars, TwinOutbox, TwinErasure, TwinHoldings, TwinRetention, TwinChances):
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
            if record.decision.issues and coupon is None:
                raise ValueError("a decision that issues is recorded together with its coupon; none was given")
            if record.facts.member.id not in self._world.leaving:  # what is theirs goes with them
                self._world.must_exist(record.facts.member.id)
            outcome = self._outcome(record, coupon)
            if coupon is not None and outcome == "issued":
                self._issue(coupon, code_hash)
            if outcome in ("issued", "ghost"):
                self._give(record)
            made = self._world.records[record.decision.opportunity_id] = replace(record, outcome=outcome)
            return made

    def _outcome(self, record: Record, coupon: Coupon | None) -> Outcome:
        if record.decision.reason is Reason.HELD_OUT:
            return "ghost"
        if coupon is None or not record.decision.issues:
            return "none"
        return "issued" if self._still_open(record, coupon) else "lost"

    def _still_open(self, record: Record, coupon: Coupon) -> bool:
        world, facts, forecast = self._world, record.facts, record.decision.forecast
        member = world.members.get(facts.member.id)
        if member is None or "location_offers" not in member.consents:
            return False
        if member.last_given_at != facts.member.last_given_at or world.is_paused(facts.store.id):
            return False
        if forecast is None or world.outstanding[facts.store.id] >= forecast.room:
            return False
        campaign = world.campaigns.get(coupon.campaign_id)
        if campaign is None or campaign.status != "active":
            return False
        return coupon.discount_minor <= left_minor(world.limits(campaign, coupon.store_id, coupon.budget_day))

    def _issue(self, coupon: Coupon, code_hash: str) -> None:
        world = self._world
        world.coupons[coupon.id] = coupon
        world.live.add(coupon.id)
        world.coupons_of[coupon.member_id or ""].append(coupon.id)
        world.coupon_by_code[code_hash] = coupon.id
        world.outbox[coupon.id] = OutboxRow(coupon.id)
        world.book(coupon, reserving(coupon))
        world.events[coupon.id].append(issued(coupon))
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

    def budgets_left(self, store_id: str, day: date) -> Mapping[str, int]:
        """What each campaign can still give away in a store on a day, in minor units."""
        with self._world.lock:
            return {
                campaign.id: left_minor(self._world.limits(campaign, store_id, day))
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

    def advance(self, coupon_id: str, event: CouponEvent) -> Coupon | None:
        """Note that a coupon was delivered, opened, presented or dismissed; moves that lead back change nothing."""
        with self._world.lock:
            coupon = self._world.coupons.get(coupon_id)
            if coupon is None or as_of(coupon, event.at).state not in LIVE_STATES:
                return coupon
            if event.event == DISMISSED:
                events = self._world.events[coupon_id]
                if all(known.event != DISMISSED for known in events):
                    events.append(event)
                return coupon
            return self._world.move(coupon, event) if event.event in MOVES[coupon.state] else coupon

    def revoke(self, coupon_id: str, reason: str, by: Actor, allowed: Callable[[str], bool]) -> Coupon:
        """Take back a live coupon of a store that is `allowed`."""
        with self._world.lock:
            coupon = self._world.coupons.get(coupon_id)
            if coupon is None or not allowed(coupon.store_id):
                raise NotFound("coupon_unknown", "there is no such coupon")
            check_live(coupon, by.at)
            self._world.drop(coupon_id, "coupon_revoked")
            taken = self._world.close(coupon, revoked(reason, by), releasing(coupon))
            self._world.note(by, "coupon", coupon_id, {"state": coupon.state}, {"state": taken.state})
            return taken

    def timeline(self, coupon_id: str) -> tuple[CouponEvent, ...]:
        """What happened to a coupon, in order."""
        with self._world.lock:
            return tuple(self._world.events.get(coupon_id, ()))

    def expire(self, now: datetime) -> int:
        """Close coupons past their end; budget and capacity they reserved are free again. How many."""
        with self._world.lock:
            ended = [key for key in self._world.live if self._world.coupons[key].expires_at <= now]
            for coupon_id in ended:
                coupon = self._world.coupons[coupon_id]
                self._world.close(coupon, expired(coupon), releasing(coupon))
                self._world.drop(coupon_id, "coupon_expired")
            return len(ended)

    def totals(self, now: datetime) -> Totals:
        """Counts over all of the books."""
        with self._world.lock:
            world, records = self._world, self._world.records.values()
            campaigns = [world.campaigns[key] for key in sorted(world.campaigns)]
            currency = campaigns[0].currency if campaigns else "EUR"
            counted = [campaign for campaign in campaigns if campaign.currency == currency]
            return Totals(
                decisions=Counter(record.decision.reason.value for record in records),
                lost=sum(record.outcome == "lost" for record in records),
                coupons=Counter(as_of(coupon, now).state.value for coupon in world.coupons.values()),
                pushes_pending=len(world.outbox),
                pushes_accepted=len(world.accepted),
                pushes_dropped=Counter(world.dropped.values()),
                spent_minor=sum(campaign.spent_minor for campaign in counted),
                reserved_minor=sum(campaign.reserved_minor for campaign in counted),
                currency=currency,
            )


def _newest(coupons: list[Coupon], limit: int) -> tuple[Coupon, ...]:
    return tuple(sorted(coupons, key=lambda coupon: (coupon.issued_at, coupon.id), reverse=True)[:limit])


def _place(record: Record) -> tuple[datetime, str]:
    return record.decision.at, record.decision.opportunity_id
