"""Where stories of coupons play: stores, members, budgets that run out, tills, gates, and what is read of the books."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from backend.decision.decide import decide
from backend.decision.facts import OfferFacts
from backend.decision.snapshot import Rules, Snapshot
from backend.service.answering import answered
from backend.service.chain_model import Campaign
from backend.service.coupon_codes import CouponCodes
from backend.service.keyring import keyring
from backend.service.loyalty_model import LoyaltyRules
from backend.service.model import BasketItem, Member, Record
from backend.service.ports import Ports
from backend.service.staff import Actor
from backend.service.terms import Terms
from backend.service.till_model import ANSWERS_KEPT, Once
from backend.service.wallet import Wallet
from tests.backend.decision.builders import offer
from tests.contracts.books import EVERYTHING, booked, outstanding, redemptions
from tests.contracts.examples import BY, CONSENT, KAMPPI, NOW, PASILA, SPRING, seen
from tests.contracts.mortal import ANSWERED, Fate

UNHURRIED = Snapshot(rules=Rules(cooldown_s=0.0))
MEMBERS = ("aino", "eero", "ines")
STORES = ("kamppi", "pasila")
KEYS = keyring("a secret for tests, long enough", None, "presentations")
REAL_START = 1e9
"""When stories begin by the real clock, which goes as fast as that of the domain."""
SPRING_HERE = replace(SPRING, budget_minor=450, store_budget_count=1, day_budget_minor=250)
SUMMER = Campaign(
    "summer",
    "Summer",
    "active",
    ("tea-60",),
    budget_minor=1_200,
    currency="EUR",
    store_budget_minor=450,
    day_budget_count=4,
)
OFFERS = {
    "spring": offer(),
    "summer": offer(id="tea-60", campaign_id="summer", product_id="tea", price_minor=250, discount_value=60),
}
CAPPUCCINO, TEA, BUN = BasketItem("cappuccino", 1, 400), BasketItem("tea", 1, 250), BasketItem("bun", 1, 350)
BASKET = (CAPPUCCINO, TEA, BUN)
STACKABLE = Terms(stackable=True)
IN_STORE = Terms(only_present=True, stackable=True)

fates = st.one_of(
    st.just(ANSWERED), st.builds(Fate, before=st.integers(0, 14)), st.just(Fate(answer_lost=True)), st.just(ANSWERED)
)
members, stores, campaigns = (st.sampled_from(each) for each in (MEMBERS, STORES, tuple(OFFERS)))
rarely = st.sampled_from((False, False, False, False, True))
returns = st.sampled_from(((), (), (BUN,), (CAPPUCCINO,), (TEA, BUN)))
receipts = st.sampled_from((None, None, "s1", "s2"))
every_terms = st.sampled_from(
    (
        STACKABLE,
        Terms(),
        Terms(percent=20, stackable=True),
        Terms(minimum_spend_minor=900),
        IN_STORE,
    )
)
keys = st.sampled_from([f"k{number}" for number in range(12)])


Request = Callable[[Ports, datetime], Any]
"""Something asked of the ledger at some time, which may be asked again later."""


def kept(once: Once, do: Request) -> Request:
    """As the use case does it: a refusal is kept as the answer to this request."""

    def work(ports: Ports, now: datetime) -> Any:
        return answered(ports.ledger, once, now, lambda: do(ports, now))

    return work


@dataclass(frozen=True, slots=True)
class Moment:
    """A clock that stands."""

    at: datetime

    def now(self) -> datetime:
        """The domain's time."""
        return self.at

    def real(self) -> float:
        """Real seconds."""
        return real(self.at)

    def trusted(self) -> bool:
        """Beyond doubt."""
        return True


def real(now: datetime) -> float:
    """The real time at a moment of the story."""
    return REAL_START + (now - NOW).total_seconds()


def wallet(ports: Ports, now: datetime) -> Wallet:
    """What phones show coupons with, and tills read presentations."""
    return Wallet(ports.ledger, Moment(now), CouponCodes(KEYS, KEYS), KEYS)


def staff(now: datetime) -> Actor:
    return Actor("k_staff", now)


def pause(scope: str) -> Request:
    return lambda ports, now: ports.chain.pause(scope, staff(now))


def resume(scope: str) -> Request:
    return lambda ports, now: ports.chain.resume(scope, staff(now))


def change(name: str, **changes: Any) -> Request:
    return lambda ports, now: ports.chain.change_campaign(name, lambda old: replace(old, **changes), staff(now))


def consents(member: str, granted: bool) -> Request:
    return lambda ports, now: ports.members.record_consent(member, replace(CONSENT, granted=granted, at=now))


GATES: tuple[Request, ...] = (
    pause("kamppi"),
    resume("kamppi"),
    resume("kamppi"),
    pause("*"),
    resume("*"),
    resume("*"),
    change("spring", status="paused"),
    change("spring", status="active"),
    change("spring", status="active"),
    change("summer", budget_minor=900, day_budget_count=None),
    change("summer", budget_minor=300, store_budget_minor=None),
    change("spring", budget_count=3),
    change("spring", store_budget_count=2, day_budget_minor=None),
    change("summer", store_budget_count=1, day_budget_minor=350),
    lambda ports, now: ports.ledger.forget_answers(now - ANSWERS_KEPT),
    lambda ports, now: ports.members.settle_tiers(now),
    lambda ports, now: ports.members.set_loyalty_rules(LoyaltyRules(gold_at=12, reserve_at=30), now, staff(now)),
    consents("aino", False),
    consents("aino", True),
    consents("aino", True),
)
"""What staff and members change, which later coupons must heed and earlier ones need not."""


READS: tuple[Callable[[Ports, datetime], Any], ...] = (
    lambda ports, _: ports.ledger.newest_coupons(EVERYTHING),
    lambda ports, _: sorted(redemptions(ports), key=lambda each: each.id),
    lambda ports, _: booked(ports),
    lambda ports, _: outstanding(ports),
    lambda ports, now: ports.ledger.budgets_left("kamppi", now.date()),
    lambda ports, _: sorted(ports.ledger.purchases(), key=lambda each: each.id),
    lambda ports, now: ports.ledger.totals(now),
    lambda ports, _: [ports.members.get(member) for member in MEMBERS],
    lambda ports, _: [ports.members.stars(member) for member in MEMBERS],
    lambda ports, _: sorted(ports.members.leaving()),
    lambda ports, now: ports.ledger.given_since(MEMBERS[0], now - timedelta(days=7)),
)


def decided(member: str, store: str, given: OfferFacts, last: datetime | None, now: datetime) -> Record:
    passed = (now - NOW) / timedelta(minutes=1)
    who = {"last_given_at": last, "quiet_hours": None}
    about = seen(member, store, passed, member=who, store={"closes_at": now + timedelta(hours=5)}, offers=(given,))
    return Record(about, decide(about, UNHURRIED, now, 0.5), 0.5)


def open_stores(ports: Ports) -> None:
    ports.chain.put_stores([KAMPPI, PASILA], BY)
    for campaign in (SPRING_HERE, SUMMER):
        ports.chain.add_campaign(campaign, BY)
    ports.members.add([(Member(name, f"uid-{name}", "green"), (CONSENT,)) for name in MEMBERS], BY)
