"""What the ledger is measured on: a chain, members, and coupons to issue and redeem, each a request of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import sqlalchemy as sa

from backend.adapters.sql import Database, SqlChain, SqlLedger, SqlMembers
from backend.adapters.sql import tables as t
from backend.adapters.sql.tables_till import redemptions
from backend.decision.assignment import opportunity_id
from backend.decision.decide import decide
from backend.decision.facts import Facts, MemberFacts, OfferFacts, PresenceFacts, StoreFacts
from backend.decision.snapshot import Snapshot
from backend.service.chain_model import Campaign
from backend.service.codes import digest
from backend.service.model import LIVE_STATES, BasketItem, Consent, Coupon, Member, Record, Sale
from backend.service.staff import COMMAND_LINE, Actor
from backend.service.till_model import Once, Ticket, Till
from stores.model import Circle, Position, Store
from stores.utilisation import Evidence

NOW = datetime(2026, 6, 2, 11, 0, tzinfo=UTC)
STORES = 1_000
STAFF = 50_000
"""So many that no store runs out of room."""
BUDGET_MINOR = 10**12
TILL = Till(lambda _: True, lambda _member, _store: True)
LATER = NOW + timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Scenario:
    """Among how many campaigns the coupons are spread."""

    name: str
    campaigns: int


SCENARIOS = (Scenario("one campaign", 1), Scenario("64 campaigns", 64))


@dataclass(frozen=True, slots=True)
class Work:
    """One coupon: to be issued, then to be redeemed."""

    record: Record
    coupon: Coupon
    code: str
    once: Once
    sale: Sale


def fill(database: Database, members: Sequence[str]) -> None:
    """The chain and its members, all of whom agree to offers."""
    by = Actor(COMMAND_LINE, NOW)
    chain = SqlChain(database)
    chain.put_stores([_store(number) for number in range(STORES)], by)
    for number in range(max(each.campaigns for each in SCENARIOS)):
        chain.add_campaign(Campaign(f"c{number}", "Campaign", "active", ("coffee",), BUDGET_MINOR, "EUR"), by)
    consent = Consent("location_offers", True, "2026-01", "app", NOW)
    SqlMembers(database).add([(Member(each, f"uid-{each}", "gold"), (consent,)) for each in members], by)


def works(scenario: Scenario, members: Sequence[str]) -> Iterator[Work]:
    """One coupon for each member, in the stores and campaigns by turns."""
    for number, member in zip(count(), members, strict=False):
        facts = _facts(member, f"s{number % STORES}", f"c{number % scenario.campaigns}")
        record = Record(facts, decide(facts, Snapshot(), NOW, 0.5), 0.5)
        given = record.decision.given
        if given is None:
            raise RuntimeError(f"no coupon is given in the benchmark's own world: {record.decision.reason}")
        coupon = Coupon(
            record.decision.opportunity_id, member, facts.store.id, facts.store.name, given.campaign_id, given.offer_id,
            given.product_id, given.product_name, given.discount_minor, given.currency, given.title, given.body,
            NOW, given.expires_at, NOW.date(),
        )  # fmt: skip
        sale = Sale(facts.store.id, (BasketItem("coffee", 1, 400), BasketItem("bun", 2, 350)), 1_100, "EUR")
        yield Work(
            record, coupon, digest(member.encode()), Once("till", member, digest(f"body {member}".encode())), sale
        )


def issue(ledger: SqlLedger, work: Work) -> None:
    """Issue the coupon. Raises RuntimeError when it is not."""
    outcome = ledger.record(work.record, work.coupon, work.code).outcome
    if outcome != "issued":
        raise RuntimeError(f"a coupon was not issued: {outcome}")


def redeem(ledger: SqlLedger, work: Work) -> None:
    """Redeem the coupon by its code."""
    ledger.redeem(work.once, Ticket(code_hashes=(work.code,)), work.sale, TILL, LATER)


def check(database: Database, coupons: int) -> None:
    """Raise RuntimeError unless every coupon was issued and redeemed, and the counters say so."""
    total, c = sa.func.sum, t.campaigns.c
    live = [state.value for state in LIVE_STATES]
    with database.read() as connection:

        def number(query: sa.Select[Any]) -> int:
            return int(connection.execute(query).scalar_one() or 0)

        found = {
            "coupons": number(sa.select(sa.func.count()).select_from(t.coupons)),
            "redemptions": number(sa.select(sa.func.count()).select_from(redemptions)),
            "spent": number(sa.select(total(c.spent_minor))),
            "reserved": number(sa.select(total(c.reserved_minor))),
            "outstanding": number(sa.select(total(t.stores.c.outstanding))),
            "live": number(sa.select(sa.func.count()).where(t.coupons.c.state.in_(live))),
        }
        discounts = number(sa.select(total(redemptions.c.discount_minor)))
    right = {
        **dict.fromkeys(("coupons", "redemptions"), coupons),
        **dict.fromkeys(("reserved", "outstanding", "live"), 0),
        "spent": discounts,
    }
    if found != right or discounts <= 0:
        raise RuntimeError(f"the books do not agree with what was done: {found} instead of {right}")


def _store(number: int) -> Store:
    position = Position(60.0 + number / STORES, 25.0)
    return Store(f"s{number}", "Store", position, Circle(100.0), staff=STAFF, service_s=120.0)


def _facts(member: str, store: str, campaign: str) -> Facts:
    offer = OfferFacts(
        id="coffee", campaign_id=campaign, product_id="coffee", product_name="Coffee", price_minor=400, currency="EUR",
        discount_kind="percent", discount_value=25, tiers=("gold",), title="{product} at {store}",
        body="{discount} off until {until}", budget_left_minor=BUDGET_MINOR, ends_at=None, holdout=0.0,
    )  # fmt: skip
    evidence = Evidence(arrivals=2, observed_s=1200.0, baseline_per_hour=6.0, waiting=0, staff=STAFF, service_s=120.0)
    return Facts(
        opportunity_id=opportunity_id(b"", member, store, NOW),
        clock_trusted=True,
        paused=False,
        presence=PresenceFacts("enter", True, 100),
        member=MemberFacts(
            id=member, tier="gold", location_offers=True, reachable=True, time_zone="Europe/Helsinki", quiet_hours=None,
            weekly_maximum=3, muted=(), tastes={}, given_this_week=0, last_given_at=None,
        ),
        store=StoreFacts(store, "Store", False, True, NOW + timedelta(hours=5), 0.7, evidence, 0),
        offers=(offer,),
    )  # fmt: skip
