"""Stars and tiers in the database.

Whoever books stars holds the member's row, so that a member's bookings come one after the other and none is overlooked
when the tier is settled. The member is locked before stores and campaigns, as in issuing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from backend.adapters.sql import rows_loyalty as rows
from backend.adapters.sql import tables as t
from backend.adapters.sql.audit import note
from backend.adapters.sql.database import Database
from backend.adapters.sql.once import SqlOnce
from backend.adapters.sql.prepared import Prepared
from backend.adapters.sql.tables_loyalty import loyalty_rules, stars
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
    tier_at,
)
from backend.service.loyalty_model import Adjustment, LoyaltyRules, Profile, RulesVersion, StarEntry, TierGrant
from backend.service.model import Purchase
from backend.service.staff import Actor
from backend.service.till_model import Once

_p = sa.bindparam
_m, _s, _r = t.members.c, stars.c, loyalty_rules.c
_HOLD = Prepared(
    sa.select(_m.id, _m.tier, _m.tier_grant, _m.tier_steps)
    .where(_m.id == _p("member"), _m.leaving_since.is_(None))
    .with_for_update(key_share=True)
)
_VERSIONS = Prepared(sa.select(_r.version, _r.effective_from, _r.body).order_by(_r.version))
_COUNTING = Prepared(
    sa.select(stars).where(_s.member_id == _p("member"), _s.earned_at > _p("since")).order_by(_s.earned_at)
)
_OF_PURCHASE = Prepared(sa.select(stars).where(_s.purchase_id == _p("purchase")).order_by(_s.id))
_ENTRY = Prepared(stars.insert())
_SETTLE = Prepared(
    t.members.update()
    .where(_m.id == _p("member"))
    .values(tier=_p("now_tier"), tier_steps=_p("steps"), tier_due_at=_p("due"))
)
SETTLE_BATCH = 100


def hold(connection: sa.Connection, member_id: str | None) -> Any:
    """Keep others from changing a member until the transaction ends; None for nobody, and for one who is gone.

    Before sale, coupon, store and campaign are locked, so that nobody waits in a ring.
    """
    return None if member_id is None else _HOLD.first(connection, {"member": member_id})


def must_exist(connection: sa.Connection, member_id: str) -> Any:
    """The same. Raises NotFound for nobody."""
    held = hold(connection, member_id)
    if held is None:
        raise NotFound("member_unknown", "there is no such member")
    return held


def purchase_changed(connection: sa.Connection, before: Purchase | None, after: Purchase | None, now: datetime) -> None:
    """Book the stars of a purchase that was booked (`before` is None), reduced, or removed (`after` is None).

    One that was nobody's earns when a coupon of a member joins it. Called before stores and campaigns are locked, since
    it locks the member.
    """
    if before is not None and (after is None or before.member_id == after.member_id):
        _reduce(connection, before.id, after.paid_minor if after else 0, now)
    elif after is not None and (held := hold(connection, after.member_id)) is not None:
        versions = _versions(connection)
        _earn(connection, held, after, in_force(versions, after.at).rules, now)
        _settle(connection, held, versions, now)


def purchases_imported(connection: sa.Connection, purchases: Iterable[Purchase], now: datetime) -> None:
    """Book the stars of past purchases, by the rules in force now and the tiers that members have now."""
    versions = _versions(connection)
    of_member: dict[str, list[Purchase]] = defaultdict(list)
    for purchase in purchases:
        of_member[purchase.member_id or ""].append(purchase)
    for member_id in sorted(of_member):
        held = hold(connection, member_id)
        if held is not None:
            for purchase in of_member[member_id]:
                _earn(connection, held, purchase, in_force(versions, now).rules, now)
            _settle(connection, held, versions, now)


def imports_earn(connection: sa.Connection, now: datetime) -> bool:
    """Whether past purchases earn stars when they are imported."""
    return in_force(_versions(connection), now).rules.imports_earn


def settle(connection: sa.Connection, member_id: str, now: datetime) -> None:
    """Bring the member's tier up to what stars and grant make it now."""
    _settle(connection, hold(connection, member_id), _versions(connection), now)


def _earn(connection: sa.Connection, held: Any, purchase: Purchase, rules: LoyaltyRules, now: datetime) -> None:
    step = tier_at(rows.steps(held.tier_steps), now)
    earned = stars_for(purchase.sale, purchase.paid_minor, step.tier if step else held.tier, rules)
    if earned:
        # Only a receipt with a number of the till's can have been booked, and taken back, before.
        known = _of_purchase(connection, purchase.id) if purchase.sale.sale_id is not None else ()
        name, paid, at = entry_id(purchase.id, known), purchase.paid_minor, min(purchase.at, now)
        _ENTRY.run(connection, rows.star_row(StarEntry(name, held.id, purchase.id, earned, paid, at, now, "purchase")))


def _reduce(connection: sa.Connection, purchase_id: str, left_minor: int, now: datetime) -> None:
    """Take back the stars of what is not paid any more of a purchase."""
    known = _of_purchase(connection, purchase_id)
    held = hold(connection, known[-1].member_id) if known else None
    if held is None:
        return
    known = _of_purchase(connection, purchase_id)
    entries = since_booked(known)
    taken = kept_stars(entries[0].delta, entries[0].paid_minor, left_minor) - sum(entry.delta for entry in entries)
    if taken < 0:  # else these are of an earlier booking of the receipt, and this one earned nothing
        name, at = entry_id(purchase_id, known), entries[0].earned_at
        _ENTRY.run(
            connection,
            rows.star_row(StarEntry(name, held.id, purchase_id, taken, left_minor, at, now, "reduction")),
        )
        _settle(connection, held, _versions(connection), now)


def _settle(connection: sa.Connection, held: Any, versions: tuple[RulesVersion, ...], now: datetime) -> None:
    rules = in_force(versions, now).rules
    entries = _counting(connection, held.id, now - rules.period - rules.grace)
    new = course(entries, rows.grant(held.tier_grant), now, rules)
    steps = carried_on(rows.steps(held.tier_steps), held.tier, new)
    values = {"now_tier": new[0].tier, "steps": rows.steps_text(steps), "due": due_at(steps, versions, now)}
    _SETTLE.run(connection, {"member": held.id, **values})


def _of_purchase(connection: sa.Connection, purchase_id: str) -> list[StarEntry]:
    return [rows.star(row) for row in _OF_PURCHASE.all(connection, {"purchase": purchase_id})]


def _counting(connection: sa.Connection, member_id: str, since: datetime) -> list[StarEntry]:
    return [rows.star(row) for row in _COUNTING.all(connection, {"member": member_id, "since": since})]


def _versions(connection: sa.Connection) -> tuple[RulesVersion, ...]:
    return tuple(rows.rules_version(row) for row in _VERSIONS.all(connection, {}))


class SqlStars(SqlOnce):
    """The ledger's part about stars."""

    def adjust_stars(self, once: Once, member_id: str, delta: int, reason: str, by: Actor) -> Adjustment:
        """Book stars to a member, or take some away."""

        def do(connection: sa.Connection) -> Adjustment:
            held, versions = must_exist(connection, member_id), _versions(connection)
            rules = in_force(versions, by.at).rules
            check_adjustment(_counting(connection, held.id, by.at - rules.period), delta, by.at, rules)
            entry = StarEntry(once.name("a_"), held.id, None, delta, 0, by.at, by.at, reason)
            insert = self._database.insert(stars).on_conflict_do_nothing()
            if connection.execute(insert, rows.star_row(entry)).rowcount != 1:
                raise adjusted_before()
            note(connection, by, "stars", [("a member", None, {"delta": delta})])
            _settle(connection, held, versions, by.at)
            return Adjustment(entry.id, entry.delta, entry.at)

        return self._once(once, by.at, do)


class SqlLoyalty:
    """The loyalty part of the members port."""

    _database: Database

    def change_profile(self, member_id: str, change: Callable[[Profile], Profile]) -> Profile:
        """Replace what the member states by what `change` makes of it."""
        mine = _m.id == member_id
        with self._database.write() as connection:
            must_exist(connection, member_id)
            old = connection.execute(sa.select(_m.profile).where(mine)).scalar_one()
            changed = change(rows.profile(old))
            connection.execute(t.members.update().where(mine).values(profile=rows.profile_text(changed)))
            return changed

    def grant_tier(self, member_id: str, grant: TierGrant) -> None:
        """Let the member have at least this tier."""
        with self._database.write() as connection:
            before = rows.grant(must_exist(connection, member_id).tier_grant)
            values = {"tier_grant": rows.grant_text(grant)}
            connection.execute(t.members.update().where(_m.id == member_id).values(values))
            told = (before.without_person() if before else None, grant.without_person())
            note(connection, Actor(grant.by, grant.at), "tier", [("a member", *told)])
            settle(connection, member_id, grant.at)

    def stars(self, member_id: str) -> tuple[StarEntry, ...]:
        """All entries, in the order they were written."""
        query = stars.select().where(_s.member_id == member_id).order_by(_s.at, _s.id)
        with self._database.read() as connection:
            return tuple(rows.star(row) for row in connection.execute(query))

    def settle_tiers(self, now: datetime) -> int:
        """Settle the tiers that are due, a batch a transaction; the rows are locked in the order of their ids."""
        due = sa.select(_m.id).where(_m.tier_due_at <= now).order_by(_m.id).limit(SETTLE_BATCH)
        total = 0
        while True:
            with self._database.write() as connection:
                found = connection.execute(due.with_for_update(skip_locked=True)).scalars().all()
                for member_id in found:
                    settle(connection, member_id, now)
            total += len(found)
            if len(found) < SETTLE_BATCH:
                return total

    def loyalty_rules(self) -> tuple[RulesVersion, ...]:
        """All versions, oldest first."""
        with self._database.read() as connection:
            return _versions(connection)

    def set_loyalty_rules(self, rules: LoyaltyRules, effective_from: datetime, by: Actor) -> RulesVersion:
        """Publish rules; every member's tier is due when they begin to hold."""
        with self._database.write_many() as connection:
            versions = _versions(connection)
            version = RulesVersion(len(versions) + 1, effective_from, rules)
            connection.execute(loyalty_rules.insert().values(rows.rules_row(version)))
            before = versions[-1] if versions else None
            note(connection, by, "loyalty rules", [(str(version.version), before, version)])
            later = _m.tier_due_at.is_(None) | (_m.tier_due_at > effective_from)
            connection.execute(t.members.update().where(later).values(tier_due_at=effective_from))
            return version
