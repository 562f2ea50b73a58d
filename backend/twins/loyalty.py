"""Stars and tiers in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from backend.service.errors import NotFound
from backend.service.loyalty import (
    adjusted_before,
    carried_on,
    check_adjustment,
    course,
    due_at,
    entry_id,
    in_force,
    kept_stars,
    since_booked,
    stars_for,
)
from backend.service.loyalty_model import Adjustment, LoyaltyRules, Profile, RulesVersion, StarEntry, Tier, TierGrant
from backend.service.model import Member, Purchase
from backend.service.staff import Actor
from backend.service.till_model import Once
from backend.twins.world import World


def purchase_changed(world: World, before: Purchase | None, after: Purchase | None, now: datetime) -> None:
    """Book the stars of a purchase that was booked (`before` is None), reduced, or removed (`after` is None).

    One that was nobody's earns when a coupon of a member joins it.
    """
    if before is not None and (after is None or before.member_id == after.member_id):
        _reduce(world, before.id, after.paid_minor if after else 0, now)
    elif after is not None:
        _earn(world, after, in_force(world.loyalty_rules, after.at).rules, now)


def purchases_imported(world: World, purchases: Iterable[Purchase], now: datetime) -> None:
    """Book the stars of past purchases, by the rules in force now, if these say so."""
    rules = in_force(world.loyalty_rules, now).rules
    if rules.imports_earn:
        tiers = {member_id: member.tier_at(now) for member_id, member in world.members.items()}
        for purchase in purchases:
            _earn(world, purchase, rules, now, tiers.get(purchase.member_id or ""))


def settle(world: World, member_id: str, now: datetime) -> None:
    """Bring the member's tier up to what stars and grant make it now."""
    member = world.members[member_id]
    new = course(world.stars[member_id], member.tier_grant, now, in_force(world.loyalty_rules, now).rules)
    steps = carried_on(member.tier_steps, member.tier, new)
    world.members[member_id] = replace(member, tier=new[0].tier, tier_steps=steps)
    due = due_at(steps, world.loyalty_rules, now)
    if due is None:
        world.tiers_due.pop(member_id, None)
    else:
        world.tiers_due[member_id] = due


def _earn(world: World, purchase: Purchase, rules: LoyaltyRules, now: datetime, tier: Tier | None = None) -> None:
    member = world.members.get(purchase.member_id or "")
    if member is None:
        return
    earned = stars_for(purchase.sale, purchase.paid_minor, tier or member.tier_at(now), rules)
    if earned:
        known = _of_purchase(world, purchase.id) if purchase.sale.sale_id is not None else ()
        name, paid, at = entry_id(purchase.id, known), purchase.paid_minor, min(purchase.at, now)
        world.stars[member.id].append(StarEntry(name, member.id, purchase.id, earned, paid, at, now, "purchase"))
        world.star_owners[purchase.id] = member.id
    settle(world, member.id, now)


def _reduce(world: World, purchase_id: str, left_minor: int, now: datetime) -> None:
    """Take back the stars of what is not paid any more of a purchase."""
    owner = world.star_owners.get(purchase_id, "")
    if owner not in world.members:
        return
    known = [entry for entry in world.stars[owner] if entry.purchase_id == purchase_id]
    entries = since_booked(known)
    first = entries[0]
    taken = kept_stars(first.delta, first.paid_minor, left_minor) - sum(entry.delta for entry in entries)
    if taken < 0:  # else these are of an earlier booking of the receipt, and this one earned nothing
        name = entry_id(purchase_id, known)
        entry = replace(first, id=name, delta=taken, paid_minor=left_minor, at=now, cause="reduction")
        world.stars[owner].append(entry)
        settle(world, owner, now)


def _of_purchase(world: World, purchase_id: str) -> list[StarEntry]:
    found = [entry for entries in world.stars.values() for entry in entries if entry.purchase_id == purchase_id]
    return sorted(found, key=lambda entry: entry.id)


class TwinStars:
    """The ledger's part about stars."""

    _world: World

    def adjust_stars(self, once: Once, member_id: str, delta: int, reason: str, by: Actor) -> Adjustment:
        """Book stars to a member, or take some away. Raises NotFound, and Conflict when there are not so many."""
        with self._world.lock:
            return self._world.once(once, by.at, lambda: self._adjust(once.name("a_"), member_id, delta, reason, by))

    def _adjust(self, name: str, member_id: str, delta: int, reason: str, by: Actor) -> Adjustment:
        world, entries = self._world, self._world.stars[_who(self._world, member_id).id]
        check_adjustment(entries, delta, by.at, in_force(world.loyalty_rules, by.at).rules)
        entry = StarEntry(name, member_id, None, delta, 0, by.at, by.at, reason)
        if any(known.id == name for known in entries):
            raise adjusted_before()
        entries.append(entry)
        world.note(by, "stars", "a member", None, {"delta": delta})
        settle(world, member_id, by.at)
        return Adjustment(entry.id, entry.delta, entry.at)


class TwinLoyalty:
    """The loyalty part of the members port."""

    _world: World

    def change_profile(self, member_id: str, change: Callable[[Profile], Profile]) -> Profile:
        """Replace what the member states by what `change` makes of it. Raises NotFound."""
        with self._world.lock:
            member = _who(self._world, member_id)
            changed = change(member.profile)
            self._world.members[member_id] = replace(member, profile=changed)
            return changed

    def grant_tier(self, member_id: str, grant: TierGrant) -> None:
        """Let the member have at least this tier, in the place of any grant before. Raises NotFound."""
        with self._world.lock:
            before = _who(self._world, member_id)
            told = (before.tier_grant.without_person() if before.tier_grant else None, grant.without_person())
            self._world.note(Actor(grant.by, grant.at), "tier", "a member", *told)
            self._world.members[member_id] = replace(before, tier_grant=grant)
            settle(self._world, member_id, grant.at)

    def stars(self, member_id: str) -> tuple[StarEntry, ...]:
        """All of the member's entries, in the order they were written."""
        with self._world.lock:
            return tuple(sorted(self._world.stars[member_id], key=lambda entry: (entry.at, entry.id)))

    def settle_tiers(self, now: datetime) -> int:
        """Write down the tiers that changed by the passing of time or by new rules. How many were looked at."""
        with self._world.lock:
            due = [member_id for member_id, at in self._world.tiers_due.items() if at <= now]
            for member_id in due:
                settle(self._world, member_id, now)
            return len(due)

    def loyalty_rules(self) -> tuple[RulesVersion, ...]:
        """The rules as published, oldest first; nothing when none were."""
        with self._world.lock:
            return tuple(self._world.loyalty_rules)

    def set_loyalty_rules(self, rules: LoyaltyRules, effective_from: datetime, by: Actor) -> RulesVersion:
        """Publish rules that hold from then on; every tier is settled anew by them, soon after."""
        world = self._world
        with world.lock:
            version = RulesVersion(len(world.loyalty_rules) + 1, effective_from, rules)
            before = world.loyalty_rules[-1] if world.loyalty_rules else None
            world.note(by, "loyalty rules", str(version.version), before, version)
            world.loyalty_rules.append(version)
            for member_id in world.members:
                world.tiers_due[member_id] = min(world.tiers_due.get(member_id, effective_from), effective_from)
            return version


def _who(world: World, member_id: str) -> Member:
    member = world.members.get(member_id)
    if member is None:
        raise NotFound("member_unknown", "there is no such member")
    return member
