"""Taking out of the books in memory what is older than it is to be kept."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime

from backend.service.loyalty import parted
from backend.service.model import LIVE_STATES
from backend.service.retention import Retention
from backend.twins.world import World


class TwinRetention:
    """The retention's part of the ledger port."""

    _world: World

    def tidy(self, kept: Retention, now: datetime, limit: int) -> int:
        """Take out, clear, or part from their member at most `limit` rows of each kind."""
        with self._world.lock:
            return (
                _decisions(self._world, now - kept.decisions, limit)
                + _coupons(self._world, now - kept.coupon_link, limit)
                + _pushes(self._world, now - kept.pushes, limit)
                + _words(self._world, now - kept.words, limit)
                + _purchases(self._world, now - kept.purchase_link, limit)
                + _stars(self._world, now - kept.purchase_link, limit)
                + _observations(self._world, now - kept.observations, limit)
                + _audit(self._world, now - kept.audit, limit)
            )


def _decisions(world: World, before: datetime, limit: int) -> int:
    old = sorted((each.decision.at, key) for key, each in world.records.items() if each.decision.at < before)[:limit]
    for _, key in old:
        del world.records[key]
    return len(old)


def _coupons(world: World, before: datetime, limit: int) -> int:
    ended = [each for each in world.coupons.values() if each.expires_at < before and each.state not in LIVE_STATES]
    named = sorted((each.expires_at, each.id) for each in ended if each.member_id is not None)[:limit]
    for _, key in named:
        coupon = world.coupons[key]
        world.coupons_of[coupon.member_id or ""].remove(key)
        world.coupons[key] = replace(coupon, member_id=None)
    return len(named)


def _pushes(world: World, before: datetime, limit: int) -> int:
    queued_at = {key: world.coupons[key].issued_at for key in world.accepted | world.dropped}
    old = sorted((key for key, at in queued_at.items() if at < before), key=queued_at.__getitem__)[:limit]
    for key in old:
        world.accepted.pop(key, None)
        world.dropped.pop(key, None)
    return len(old)


def _words(world: World, before: datetime, limit: int) -> int:
    given = [(each.at, key, n) for key, events in world.events.items() for n, each in enumerate(events) if each.reason]
    old = sorted(each for each in given if each[0] < before)[:limit]
    for _, key, place in old:
        world.events[key][place] = replace(world.events[key][place], reason=None)
    said = [(made.rolled_back_at, key) for key, (made, reason) in world.rollbacks.items() if reason]
    as_old = sorted(each for each in said if each[0] < before)[:limit]
    for _, key in as_old:
        world.rollbacks[key] = world.rollbacks[key][0], ""
    return len(old) + len(as_old)


def _purchases(world: World, before: datetime, limit: int) -> int:
    named = [each for each in world.purchases.values() if each.member_id is not None and each.at < before]
    for purchase in sorted(named, key=lambda each: each.at)[:limit]:
        world.purchases[purchase.id] = replace(purchase, member_id=None)
    return len(named[:limit])


def _stars(world: World, before: datetime, limit: int) -> int:
    entries = [each for of_member in world.stars.values() for each in of_member]
    old = sorted(
        (each for each in entries if each.purchase_id is not None and each.earned_at < before),
        key=lambda each: (each.earned_at, each.id),
    )[:limit]
    for each in old:
        world.star_owners.pop(each.purchase_id or "", None)
        of_member = world.stars[each.member_id]
        of_member[of_member.index(each)] = parted(each, f"s_{secrets.token_hex(16)}")
    return len(old)


def _observations(world: World, before: datetime, limit: int) -> int:
    old = sorted(moment for series in world.observations.values() for moment in series.moments if moment[0] < before)
    gone = set(old[:limit])
    for series in world.observations.values():
        series.moments = [moment for moment in series.moments if moment not in gone]
        series.values = {moment: value for moment, value in series.values.items() if moment not in gone}
    return len(old[:limit])


def _audit(world: World, before: datetime, limit: int) -> int:
    old = 0
    while old < min(limit, len(world.audit)) and world.audit[old].at < before:
        old += 1
    del world.audit[:old]
    return old
