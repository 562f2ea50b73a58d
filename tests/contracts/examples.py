"""A small chain to write books for, and short ways to give, redeem and look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any, Literal, TypeVar

from backend.decision.assignment import opportunity_id
from backend.decision.decide import decide
from backend.decision.facts import Facts
from backend.decision.result import Decision
from backend.decision.snapshot import Snapshot
from backend.service import life
from backend.service.chain_model import Campaign, Offer
from backend.service.errors import NotFound
from backend.service.life import CouponEvent
from backend.service.model import (
    BasketItem,
    Consent,
    Coupon,
    CouponState,
    Device,
    Member,
    Outcome,
    Purchase,
    Record,
    Redemption,
    Registration,
    Sale,
)
from backend.service.ports import Ports
from backend.service.redemption import unknown
from backend.service.staff import Actor
from backend.service.terms import Terms
from backend.service.till_model import Once, Rollback, Ticket, Till
from stores.model import Circle, Position, Product, Store
from tests.backend.decision.builders import NOW as NOW
from tests.backend.decision.builders import facts, offer
from tests.backend.decision.builders import minutes as minutes

T = TypeVar("T")

BY = Actor("k_staff", NOW)
"""Somebody of the staff who changes something."""

KAMPPI = Store(
    id="kamppi",
    name="Kamppi",
    position=Position(60.1686, 24.9316),
    fence=Circle(300.0),
    hours="Mo-Su 08:00-21:00",
    time_zone="Europe/Helsinki",
    staff=2,
    service_s=120.0,
)
PASILA = replace(KAMPPI, id="pasila", name="Pasila", position=Position(60.1989, 24.9334))
SPRING = Campaign(
    id="spring",
    name="Spring",
    status="active",
    offer_ids=("cappuccino-25",),
    budget_minor=10_000,
    currency="EUR",
)
OFFER = Offer(
    id="cappuccino-25",
    name="A quarter off",
    product_id="cappuccino",
    discount_kind="percent",
    discount_value=25,
    tiers=("green", "gold"),
    title="{product} at {store}",
    body="until {until}",
)
CAPPUCCINO = Product("cappuccino", "Cappuccino", 400, "EUR")
CONSENT = Consent("location_offers", True, "2026-01", "app", NOW - timedelta(days=30))
PHONE = Device(Registration("fid", "phone-1"), "android", "fi", "Europe/Helsinki")
BUN = BasketItem("bun", 1, 350)
SALE = Sale("kamppi", (BasketItem("cappuccino", 1, 400), BUN), 750, "EUR")


def anywhere(_: str) -> bool:
    """A key of the whole chain."""
    return True


TILL = Till(anywhere, lambda member_id, store_id: False)
"""Of the whole chain, where nobody is known to be present."""


NONE = Terms()
"""No terms: what was reserved is taken off."""


def open_shop(ports: Ports, budget_minor: int = 10_000, members: tuple[str, ...] = ("aino",)) -> None:
    """Two stores, one campaign, and members who allow offers."""
    ports.chain.put_stores([KAMPPI, PASILA], BY)
    ports.chain.put_menu({"": [CAPPUCCINO]}, BY)
    ports.chain.put_offer(OFFER, BY)
    ports.chain.add_campaign(replace(SPRING, budget_minor=budget_minor), BY)
    ports.members.add([(Member(name, f"uid-{name}", "green"), (CONSENT,)) for name in members], BY)


def seen(member_id: str = "aino", store_id: str = "kamppi", at: float = 0.0, **changes: Any) -> Facts:
    """Facts of a good opportunity, `at` minutes after 14:00, with changes as in the builders."""
    member = {"id": member_id, **changes.pop("member", {})}
    store = {"id": store_id, "closes_at": NOW + timedelta(hours=5), **changes.pop("store", {})}
    name = opportunity_id(b"", member_id, store_id, NOW + minutes(at))
    return facts(member=member, store=store, opportunity_id=name, **changes)


def change_campaign(ports: Ports, campaign_id: str = "spring", **changes: Any) -> Campaign:
    """Change what is named of a campaign."""
    return ports.chain.change_campaign(campaign_id, lambda old: replace(old, **changes), BY)


def answer(about: Facts, at: float = 0.0, draw: float = 0.5) -> Record:
    """The record of what is decided about these facts."""
    return Record(about, decide(about, Snapshot(), NOW + minutes(at), draw), draw)


def coupon_of(about: Facts, decision: Decision, terms: Terms = NONE) -> Coupon:
    """The coupon a decision makes."""
    given = decision.given
    assert given is not None
    return life.coupon_of(about, decision, given, terms, budget_day=decision.at.date())


def code_hash(coupon_id: str) -> str:
    """What stands for the hash of a coupon's code."""
    return f"hash of {coupon_id}"


def put_down(ports: Ports, record: Record, terms: Terms = NONE) -> Outcome:
    """Record it, with its coupon when it issues."""
    decision = record.decision
    coupon = coupon_of(record.facts, decision, terms) if decision.issues else None
    return ports.ledger.record(record, coupon, code_hash(decision.opportunity_id)).outcome


def give(
    ports: Ports,
    member_id: str = "aino",
    store_id: str = "kamppi",
    at: float = 0.0,
    terms: Terms = NONE,
    **changes: Any,
) -> Coupon:
    """Issue a coupon, as the member stands in the books; asserts that it was issued."""
    member = ports.members.get(member_id)
    last = None if member is None else member.last_given_at
    about = seen(member_id, store_id, at, member={"last_given_at": last}, **changes)
    unhurried = Snapshot(rules=replace(Snapshot().rules, cooldown_s=0.0))
    record = Record(about, decide(about, unhurried, NOW + minutes(at), 0.5), 0.5)
    assert put_down(ports, record, terms) == "issued"
    coupon = ports.ledger.coupon(record.decision.opportunity_id)
    assert coupon is not None
    return coupon


def ghost(member_id: str = "aino", at: float = 0.0) -> Record:
    """A decision to hold the member out."""
    return answer(seen(member_id, at=at, offers=(offer(holdout=1.0),)), at)


def once(key: str = "k1", digest: str = "d", credential: str = "till") -> Once:
    """Somebody's request."""
    return Once(credential, key, digest)


def guess(ports: Ports, most: Mapping[str, int], key: str, now: datetime = NOW) -> None:
    """Try a code that nobody has, counted for these names."""
    with suppress(NotFound):
        ports.ledger.refuse(once(key), unknown(), most, now)


def redeem(ports: Ports, coupon: Coupon, key: str = "k1", at: float = 5.0, **changes: Any) -> Redemption:
    """Use a coupon at the till of Kamppi."""
    sale = replace(SALE, **changes)
    return ports.ledger.redeem(once(key), Ticket(coupon.id), sale, TILL, NOW + minutes(at))


def roll_back(
    ports: Ports, name: str, *returned: BasketItem, key: str = "back", digest: str = "d", at: float = 6.0
) -> Rollback:
    """Undo a redemption, or the part of it that was returned."""
    return ports.ledger.roll_back(once(key, digest), name, returned, "changed mind", anywhere, NOW + minutes(at))


def move(ports: Ports, coupon_id: str, to: CouponState | Literal["dismissed"], at: float = 1.0) -> Coupon | None:
    """What the member's phone says of a coupon."""
    return ports.ledger.advance(coupon_id, CouponEvent(to, NOW + minutes(at), "app"))


def purchase(name: str, member_id: str | None = None, at: float = 0.0) -> Purchase:
    """A sale without a coupon."""
    return Purchase(name, SALE, NOW + minutes(at), member_id)


def budget(ports: Ports, campaign_id: str = "spring") -> tuple[int, int]:
    """What the campaign has reserved and spent."""
    found = next(campaign for campaign in ports.chain.campaigns() if campaign.id == campaign_id)
    return found.reserved_minor, found.spent_minor


def outstanding(ports: Ports, store_id: str = "kamppi") -> int:
    """The store's coupons on their way."""
    traffic = ports.chain.traffic(store_id, NOW - minutes(20), NOW, 0)
    assert traffic is not None
    return traffic.outstanding


def at_once(count: int, do: Callable[[int], T]) -> list[T | Exception]:
    """`count` threads that all do it at the same moment; their results or what they raised."""
    start = Barrier(count)

    def one(number: int) -> T | Exception:
        start.wait(timeout=30)
        try:
            return do(number)
        except Exception as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))
