"""Whether the books agree with themselves: every counter recomputed from coupons and redemptions."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from backend.adapters.sql import SqlLedger, rows_till
from backend.adapters.sql import tables as t
from backend.adapters.sql import tables_till as tt
from backend.service.budgets import COUNTERS, WHOLE, Booked, reserving, scopes
from backend.service.life import DISMISSED, MOVES
from backend.service.loyalty import since_booked
from backend.service.loyalty_model import StarEntry
from backend.service.model import LIVE_STATES, Coupon, CouponState, Redemption
from backend.service.ports import Ports
from backend.twins import TwinLedger

EVERYTHING = 10**6


def check_books(ports: Ports) -> None:
    """Assert that budgets, rooms and timelines are what coupons and redemptions say, and stars what purchases do."""
    coupons = ports.ledger.newest_coupons(EVERYTHING)
    spent = {done.coupon_id: done for done in redemptions(ports)}
    assert booked(ports) == owed(coupons, spent)
    assert outstanding(ports) == Counter(coupon.store_id for coupon in coupons if coupon.state in LIVE_STATES)
    for coupon in coupons:
        check_timeline(ports, coupon)
        assert (coupon.state in (CouponState.REDEEMED, CouponState.ROLLED_BACK)) == (coupon.id in spent)
    known = {coupon.member_id for coupon in coupons if coupon.member_id is not None}
    check_stars(ports, {each for each in known if ports.members.get(each) is not None})


def check_stars(ports: Ports, member_ids: Iterable[str]) -> None:
    """A purchase has the stars it earned, in proportion to what is paid of it now, and none when it is gone.

    It is gone for its member as well when its receipt was rung up again for somebody else, or for nobody. Members who
    are leaving must not be asked for: their stars stay as they are, and go with them.
    """
    paid = {(purchase.id, purchase.member_id): purchase.paid_minor for purchase in ports.ledger.purchases()}
    of_purchase: defaultdict[str, list[StarEntry]] = defaultdict(list)
    for member_id in member_ids:
        for entry in ports.members.stars(member_id):
            if entry.purchase_id is not None:
                of_purchase[entry.purchase_id].append(entry)
    for purchase_id, entries in of_purchase.items():
        entries.sort(key=lambda entry: entry.id)
        first, *later = since_booked(entries)
        kept = first.delta * paid.get((purchase_id, first.member_id), 0) // first.paid_minor
        assert first.delta + sum(entry.delta for entry in later) == kept
        assert sum(entry.delta for entry in entries) == kept  # nothing is left of what was booked before


def owed(coupons: Iterable[Coupon], spent: Mapping[str, Redemption]) -> dict[tuple[str, str], Booked]:
    """What has to be booked, by campaign and scope, but for scopes on which nothing is."""
    found: defaultdict[tuple[str, str], Booked] = defaultdict(Booked)
    for coupon in coupons:
        for scope in scopes(coupon):
            if coupon.state in LIVE_STATES:
                found[coupon.campaign_id, scope] += reserving(coupon)
            elif coupon.state is CouponState.REDEEMED:
                found[coupon.campaign_id, scope] += Booked(spent_minor=spent[coupon.id].standing_minor, spent_count=1)
    return {key: each for key, each in found.items() if each != Booked()}


def booked(ports: Ports) -> dict[tuple[str, str], Booked]:
    """What is booked, by campaign and scope, but for scopes on which nothing is."""
    found: dict[tuple[str, str], Booked] = {}
    for campaign in ports.chain.campaigns():
        found[campaign.id, WHOLE] = Booked(*(getattr(campaign, name) for name in COUNTERS))
        found |= {(campaign.id, scope): each for scope, each in ports.chain.booked(campaign.id).items()}
    return {key: each for key, each in found.items() if each != Booked()}


def check_timeline(ports: Ports, coupon: Coupon) -> None:
    """A timeline begins with the issue, makes only moves that are allowed, and ends where the coupon stands."""
    events = [each for each in ports.ledger.timeline(coupon.id) if each.event != DISMISSED]
    states = [CouponState(each.event) for each in events]
    assert states[0] is CouponState.ISSUED
    assert all(later in MOVES[earlier] for earlier, later in itertools.pairwise(states))
    assert states[-1] is coupon.state


def redemptions(ports: Ports) -> list[Redemption]:
    """Every redemption in the books, over which no port leads."""
    ledger: Any = ports.ledger
    if isinstance(ledger, TwinLedger):
        return list(ledger._world.redemptions.values())
    assert isinstance(ledger, SqlLedger)
    with ledger._database.read() as connection:
        return [rows_till.redemption(row) for row in connection.execute(tt.redemptions.select())]


def written(ports: Ports) -> str:
    """Every value in the books, as text."""
    ledger: Any = ports.ledger
    if isinstance(ledger, TwinLedger):
        return repr(ledger._world)
    with ledger._database.read() as connection:
        return repr([connection.execute(table.select()).all() for table in t.metadata.sorted_tables])


def outstanding(ports: Ports) -> Counter[str]:
    """Coupons that count as on their way, by store."""
    ledger: Any = ports.ledger
    if isinstance(ledger, TwinLedger):
        return +ledger._world.outstanding
    with ledger._database.read() as connection:
        found = connection.execute(t.stores.select().where(t.stores.c.outstanding > 0))
        return Counter({row.id: row.outstanding for row in found})
