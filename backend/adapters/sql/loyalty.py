"""Stars and tiers in the database.

Whoever books stars holds the member's row, so that a member's bookings come one after the other and none is overlooked
when the tier is settled. The member is locked before stores and campaigns, as in issuing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from backend.adapters.sql import rows_loyalty as rows
from backend.adapters.sql import tables as t
from backend.adapters.sql.audit import note
from backend.adapters.sql.database import Database
from backend.adapters.sql.prepared import Prepared
from backend.adapters.sql.tables_loyalty import loyalty_rules, stars
from backend.service.errors import NotFound
from backend.service.loyalty import (
    carried_on,
    course,
    due_at,
    in_force,
    kept_stars,
    stars_for,
    tier_at,
)
from backend.service.loyalty_model import LoyaltyRules, Profile, RulesVersion, StarEntry, TierGrant
from backend.service.model import Purchase
from backend.service.staff import Actor

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
    """Lock a member's row before stores and campaigns are; None for nobody, and for one who is gone."""
    return None if member_id is None else _HOLD.first(connection, {"member": member_id})


def earn(connection: sa.Connection, purchase: Purchase, paid_minor: int, now: datetime) -> None:
    """Book the stars of a new purchase of which so much was paid, after discount, and settle the member's tier."""
    held = hold(connection, purchase.member_id)
    if held is None:
        return
    versions = _versions(connection)
    _earn(connection, held, purchase, paid_minor, in_force(versions, purchase.at).rules, now)
    _settle(connection, held, versions, now)


def take_back(connection: sa.Connection, purchase_id: str, left_minor: int, now: datetime) -> None:
    """Take back the stars of a purchase of which now only `left_minor` is paid, and settle the member's tier."""
    before = _OF_PURCHASE.first(connection, {"purchase": purchase_id})
    held = hold(connection, before.member_id) if before else None
    if held is None:
        return
    entries = [rows.star(row) for row in _OF_PURCHASE.all(connection, {"purchase": purchase_id})]
    taken = kept_stars(entries[0].delta, entries[0].paid_minor, left_minor) - sum(entry.delta for entry in entries)
    if taken:
        name, earned_at = f"s_{purchase_id}.{len(entries):04}", entries[0].earned_at
        entry = StarEntry(name, held.id, purchase_id, taken, left_minor, earned_at, now, "roll_back")
        _ENTRY.run(connection, rows.star_row(entry))
        _settle(connection, held, _versions(connection), now)


def settle(connection: sa.Connection, member_id: str, now: datetime) -> None:
    """Bring the member's tier up to what stars and grant make it now."""
    _settle(connection, hold(connection, member_id), _versions(connection), now)


def _earn(
    connection: sa.Connection, held: Any, purchase: Purchase, paid_minor: int, rules: LoyaltyRules, now: datetime
) -> None:
    step = tier_at(rows.steps(held.tier_steps), now)
    earned = stars_for(purchase.sale, paid_minor, step.tier if step else held.tier, rules)
    if earned:
        earned_at = min(purchase.at, now)
        entry = StarEntry("s_" + purchase.id, held.id, purchase.id, earned, paid_minor, earned_at, now, "purchase")
        _ENTRY.run(connection, rows.star_row(entry))


def _settle(connection: sa.Connection, held: Any, versions: tuple[RulesVersion, ...], now: datetime) -> None:
    rules = in_force(versions, now).rules
    entries = _counting(connection, held.id, now - rules.period - rules.grace)
    new = course(entries, rows.grant(held.tier_grant), now, rules)
    steps = carried_on(rows.steps(held.tier_steps), held.tier, new)
    values = {"now_tier": new[0].tier, "steps": rows.steps_text(steps), "due": due_at(steps, versions, now)}
    _SETTLE.run(connection, {"member": held.id, **values})


def _counting(connection: sa.Connection, member_id: str, since: datetime) -> list[StarEntry]:
    return [rows.star(row) for row in _COUNTING.all(connection, {"member": member_id, "since": since})]


def _versions(connection: sa.Connection) -> tuple[RulesVersion, ...]:
    return tuple(rows.rules_version(row) for row in _VERSIONS.all(connection, {}))


class SqlLoyalty:
    """The loyalty part of the members port."""

    _database: Database

    def change_profile(self, member_id: str, change: Callable[[Profile], Profile]) -> Profile:
        """Replace what the member states by what `change` makes of it."""
        mine = _m.id == member_id
        with self._database.write() as connection:
            _known(connection, member_id)
            old = connection.execute(sa.select(_m.profile).where(mine)).scalar_one()
            changed = change(rows.profile(old))
            connection.execute(t.members.update().where(mine).values(profile=rows.profile_text(changed)))
            return changed

    def grant_tier(self, member_id: str, grant: TierGrant) -> None:
        """Let the member have at least this tier."""
        with self._database.write() as connection:
            before = rows.grant(_known(connection, member_id).tier_grant)
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
        with self._database.write() as connection:
            connection.execute(sa.select(t.versions.c.id).with_for_update())  # one publication after the other
            versions = _versions(connection)
            version = RulesVersion(len(versions) + 1, effective_from, rules)
            connection.execute(loyalty_rules.insert().values(rows.rules_row(version)))
            before = versions[-1] if versions else None
            note(connection, by, "loyalty rules", [(str(version.version), before, version)])
            later = _m.tier_due_at.is_(None) | (_m.tier_due_at > effective_from)
            connection.execute(t.members.update().where(later).values(tier_due_at=effective_from))
            return version


def _known(connection: sa.Connection, member_id: str) -> Any:
    held = hold(connection, member_id)
    if held is None:
        raise NotFound("member_unknown", "there is no such member")
    return held
