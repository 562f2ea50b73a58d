"""The life of coupons as hypothesis tells it, to the twin, SQLite and PostgreSQL in lock step.

Members are given coupons, tills redeem them, requests come twice, processes die amid a transaction or before their
answer is heard, the clock moves on. After every step all ends have answered alike and show the same books, and what is
reserved, outstanding and spent is what the coupons say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from backend.decision.decide import decide
from backend.decision.facts import OfferFacts
from backend.decision.snapshot import Rules, Snapshot
from backend.service.chain_model import Campaign
from backend.service.life import DISMISSED, CouponEvent, Dismissed
from backend.service.loyalty_model import LoyaltyRules
from backend.service.model import LIVE_STATES, BasketItem, Coupon, CouponState, Member, Purchase, Record, Sale
from backend.service.ports import Ports
from backend.service.push_model import Accepted, Claimed, Retry
from backend.service.redemption import purchase_name
from backend.service.staff import Actor
from backend.service.terms import Terms
from backend.service.till_model import ANSWERS_KEPT, KEPT_REFUSALS, Once, Ticket
from backend.twins import twin_ports
from tests.backend.decision.builders import offer
from tests.contracts.adapters import ports_over, rows_as_upgraded
from tests.contracts.books import EVERYTHING, booked, check_books, outstanding, redemptions
from tests.contracts.examples import BY, CONSENT, KAMPPI, NOW, PASILA, SPRING, TILL, code_hash, coupon_of, seen
from tests.contracts.mortal import ANSWERED, Ends, Fate, MortalDatabase, watched_statements

UNHURRIED = Snapshot(rules=Rules(cooldown_s=0.0))
MEMBERS = ("aino", "eero", "ines")
STORES = ("kamppi", "pasila")
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

# The profile "faults" tells many more. No explaining, since it traces every line and takes minutes.
SETTINGS = settings(
    max_examples=settings.default.max_examples // 8,
    stateful_step_count=25,
    deadline=None,
    phases=set(Phase) - {Phase.explain},
    suppress_health_check=[HealthCheck.too_slow],
)

fates = st.one_of(
    st.just(ANSWERED), st.builds(Fate, before=st.integers(0, 14)), st.just(Fate(answer_lost=True)), st.just(ANSWERED)
)
members, stores, campaigns = (st.sampled_from(each) for each in (MEMBERS, STORES, tuple(OFFERS)))
rarely = st.sampled_from((False, False, False, False, True))
returns = st.sampled_from(((), (), (BUN,), (CAPPUCCINO,), (TEA, BUN)))
receipts = st.sampled_from((None, None, "s1", "s2"))
every_terms = st.sampled_from((STACKABLE, Terms(), Terms(percent=20, stackable=True), Terms(minimum_spend_minor=900)))
keys = st.sampled_from([f"k{number}" for number in range(12)])


Request = Callable[[Ports, datetime], Any]
"""Something asked of the ledger at some time, which may be asked again later."""


def _kept(once: Once, do: Request) -> Request:
    """As the use case does it: a refusal is kept as the answer to this request."""

    def work(ports: Ports, now: datetime) -> Any:
        try:
            return do(ports, now)
        except KEPT_REFUSALS as refusal:
            return ports.ledger.refuse(once, refusal, now)

    return work


def _staff(now: datetime) -> Actor:
    return Actor("k_staff", now)


def _pause(scope: str) -> Request:
    return lambda ports, now: ports.chain.pause(scope, _staff(now))


def _resume(scope: str) -> Request:
    return lambda ports, now: ports.chain.resume(scope, _staff(now))


def _campaign(name: str, **changes: Any) -> Request:
    return lambda ports, now: ports.chain.change_campaign(name, lambda old: replace(old, **changes), _staff(now))


def _consent(member: str, granted: bool) -> Request:
    return lambda ports, now: ports.members.record_consent(member, replace(CONSENT, granted=granted, at=now))


GATES: tuple[Request, ...] = (
    _pause("kamppi"),
    _resume("kamppi"),
    _resume("kamppi"),
    _pause("*"),
    _resume("*"),
    _resume("*"),
    _campaign("spring", status="paused"),
    _campaign("spring", status="active"),
    _campaign("spring", status="active"),
    _campaign("summer", budget_minor=900, day_budget_count=None),
    _campaign("summer", budget_minor=300, store_budget_minor=None),
    _campaign("spring", budget_count=3),
    lambda ports, now: ports.ledger.forget_answers(now - ANSWERS_KEPT),
    lambda ports, now: ports.members.settle_tiers(now),
    lambda ports, now: ports.members.set_loyalty_rules(LoyaltyRules(gold_at=12, reserve_at=30), now, _staff(now)),
    _consent("aino", False),
    _consent("aino", True),
    _consent("aino", True),
)
"""What staff and members change, which later coupons must heed and earlier ones need not."""


class CouponLife(RuleBasedStateMachine):
    """One story."""

    coupons = Bundle("coupons")
    requests = Bundle("requests")
    claims = Bundle("claims")

    def __init__(self, ends: Ends) -> None:
        super().__init__()
        self.ends, self.now, self.real_now = ends, NOW, 1e9
        self.compared = True
        ends.tell(_open, ANSWERED)

    def _tell(self, request: Request, fate: Fate) -> Request:
        now, self.compared = self.now, False
        self.ends.tell(lambda ports: request(ports, now), fate)
        return request

    @initialize(target=coupons)
    def coupons_are_out(self) -> Any:
        """No story without coupons, two of which can join one sale."""
        given = (("aino", "kamppi", "spring"), ("eero", "kamppi", "summer"), ("ines", "kamppi", "summer"))
        made = [self._enter(member, store, OFFERS[name], STACKABLE, None, ANSWERED) for member, store, name in given]
        first = made[0]
        assert first is not None
        once, sale = Once("till", "first", "first"), Sale("kamppi", BASKET, 1_000, "EUR", "s1")
        self._tell(lambda ports, now: ports.ledger.redeem(once, Ticket(first.id), sale, TILL, now), ANSWERED)
        return multiple(*made)

    @rule(seconds=st.sampled_from((1, 1, 59, 61, 600, 1799, 1800, 8 * 3600, 24 * 3600)))
    def the_clock_moves(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.real_now += seconds

    @rule(target=coupons, member=members, store=stores, campaign=campaigns, terms=every_terms, late=rarely,
          holdout=rarely, fate=fates)  # fmt: skip
    def a_member_enters(
        self, member: str, store: str, campaign: str, terms: Terms, late: bool, holdout: bool, fate: Fate
    ) -> Any:
        """`late` facts have not seen what the member was given before."""
        known = self.ends.twin.members.get(member)
        last = None if known is None or late else known.last_given_at
        given = replace(OFFERS[campaign], holdout=float(holdout))
        return self._enter(member, store, given, terms, last, fate) or multiple()

    def _enter(
        self, member: str, store: str, given: OfferFacts, terms: Terms, last: datetime | None, fate: Fate
    ) -> Coupon | None:
        record = _decided(member, store, given, last, self.now)
        coupon = coupon_of(record.facts, record.decision, terms) if record.decision.issues else None
        self._tell(lambda ports, _: ports.ledger.record(record, coupon, code_hash(_id(record))), fate)
        return coupon

    @rule(coupon=coupons, event=st.sampled_from((*LIVE_STATES, DISMISSED)), fate=fates)
    def the_phone_tells_of_it(self, coupon: Coupon, event: CouponState | Dismissed, fate: Fate) -> None:
        self._tell(lambda ports, now: ports.ledger.advance(coupon.id, CouponEvent(event, now, "app")), fate)

    @rule(coupon=coupons, foreign=rarely, fate=fates)
    def staff_take_it_back(self, coupon: Coupon, foreign: bool, fate: Fate) -> None:
        def work(ports: Ports, now: datetime) -> Coupon:
            by = Actor("k_staff", now)
            return ports.ledger.revoke(coupon.id, "a wrong price", by, lambda _: not foreign)

        self._tell(work, fate)

    @rule(target=requests, coupon=coupons, key=keys, elsewhere=rarely, typed=st.booleans(), cheap=rarely,
          receipt=receipts, fate=fates)  # fmt: skip
    def a_till_redeems(
        self, coupon: Coupon, key: str, elsewhere: bool, typed: bool, cheap: bool, receipt: str | None, fate: Fate
    ) -> Request:
        store = next(each for each in STORES if (each != coupon.store_id) == elsewhere)
        items = (BasketItem(coupon.product_id, 1, 60), BUN) if cheap else BASKET
        sale = Sale(store, items, sum(item.unit_price_minor for item in items), "EUR", receipt)
        once = Once("till", key, f"redeem {coupon.id} {sale} {typed}")
        ticket = Ticket(code_hashes=(code_hash(coupon.id), "another")) if typed else Ticket(coupon.id)
        return self._tell(_kept(once, lambda ports, now: ports.ledger.redeem(once, ticket, sale, TILL, now)), fate)

    @rule(target=requests, which=st.integers(0, 9), returned=returns,
          key=keys, foreign=rarely, fate=fates)  # fmt: skip
    def a_till_rolls_back(
        self, which: int, returned: tuple[BasketItem, ...], key: str, foreign: bool, fate: Fate
    ) -> Request:
        known = sorted(made.id for made in redemptions(self.ends.twin)) or ["never made"]
        name = known[which % len(known)]
        once = Once("till", key, f"roll back {name} {returned} {foreign}")
        may: Callable[[str], bool] = lambda _: not foreign  # noqa: E731
        return self._tell(
            _kept(once, lambda ports, now: ports.ledger.roll_back(once, name, returned, "cold", may, now)), fate
        )

    @rule(target=requests, member=st.one_of(st.none(), members), receipt=receipts, key=keys, fate=fates)
    def a_till_books_a_sale(self, member: str | None, receipt: str | None, key: str, fate: Fate) -> Request:
        sale = Sale("kamppi", BASKET, 1_000, "EUR", receipt)
        once = Once("till", key, f"buy {sale} {member}")
        bought = Purchase(purchase_name(sale, once.name("p_")), sale, self.now, member)
        return self._tell(_kept(once, lambda ports, now: ports.ledger.buy(once, bought, now)), fate)

    @rule(target=requests, member=members, delta=st.sampled_from((-5, 3, 7)), key=keys, fate=fates)
    def an_admin_adjusts_stars(self, member: str, delta: int, key: str, fate: Fate) -> Request:
        once = Once("admin", key, f"adjust {member} {delta}")
        return self._tell(
            _kept(once, lambda ports, now: ports.ledger.adjust_stars(once, member, delta, "gift", _staff(now))), fate
        )

    @rule(member=members, gone=rarely, fate=fates)
    def a_member_leaves(self, member: str, gone: bool, fate: Fate) -> None:
        if gone:
            self._tell(lambda ports, now: ports.members.leave(member, now), fate)

    @rule(member=members, fate=fates)
    def an_erasure_is_finished(self, member: str, fate: Fate) -> None:
        self._tell(lambda ports, now: ports.ledger.erase(member, now), fate)

    @rule(member=members)
    def who_left_comes_back(self, member: str) -> None:
        if self.ends.twin.members.get(member) is None and member not in self.ends.twin.members.leaving():
            self._tell(
                lambda ports, _: ports.members.add([(Member(member, f"uid-{member}", "green"), (CONSENT,))], BY),
                ANSWERED,
            )

    @rule(request=requests, fate=fates)
    def the_same_request_comes_again(self, request: Request, fate: Fate) -> None:
        self._tell(request, fate)

    @rule(coupon=coupons, fate=fates)
    def the_same_opportunity_is_told_again(self, coupon: Coupon, fate: Fate) -> None:
        known = self.ends.twin.ledger.decision(coupon.id)
        if known is not None:
            self._tell(lambda ports, _: ports.ledger.record(known, coupon, code_hash(coupon.id)), fate)

    @rule(fate=fates)
    def the_worker_closes_what_has_ended(self, fate: Fate) -> None:
        self._tell(lambda ports, now: ports.ledger.expire(now), fate)

    @rule(target=claims, limit=st.integers(1, 3))
    def the_worker_claims_pushes(self, limit: int) -> Any:
        self.compared = False
        return multiple(*self.ends.tell(lambda ports: ports.ledger.claim(limit, self.real_now, 30.0), ANSWERED))

    @rule(claim=claims, result=st.sampled_from(("accepted", "retry", "coupon_expired")), fate=fates)
    def a_push_is_sent(self, claim: Claimed, result: str, fate: Fate) -> None:
        self.ends.ask(lambda ports: ports.ledger.queued(claim))
        end: Any = {"accepted": Accepted("m"), "retry": Retry(self.real_now + 10)}.get(result, result)
        self._tell(lambda ports, _: ports.ledger.settle(claim, end), fate)

    @rule(change=st.sampled_from(GATES))
    def a_gate_moves(self, change: Request) -> None:
        self._tell(change, ANSWERED)

    @invariant()
    def all_ends_show_the_same_books_and_the_counters_are_what_the_coupons_say(self) -> None:
        if self.compared:
            return
        now, self.compared = self.now, True
        for read in _READS:
            self.ends.ask(lambda ports, read=read: read(ports, now))  # type: ignore[misc]
        check_books(self.ends.twin)
        taken_off = Counter[str]()
        for made in redemptions(self.ends.twin):
            taken_off[made.purchase_id] += made.standing_minor
        assert +taken_off == +Counter({sold.id: sold.discount_minor for sold in self.ends.twin.ledger.purchases()})

    def teardown(self) -> None:
        """Timelines are compared at the end, since they only grow."""
        for coupon in self.ends.twin.ledger.newest_coupons(EVERYTHING):
            self.ends.ask(lambda ports, name=coupon.id: ports.ledger.timeline(name))  # type: ignore[misc]


_READS: tuple[Callable[[Ports, datetime], Any], ...] = (
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


def _id(record: Record) -> str:
    return record.decision.opportunity_id


def _decided(member: str, store: str, given: OfferFacts, last: datetime | None, now: datetime) -> Record:
    passed = (now - NOW) / timedelta(minutes=1)
    who = {"last_given_at": last, "quiet_hours": None}
    about = seen(member, store, passed, member=who, store={"closes_at": now + timedelta(hours=5)}, offers=(given,))
    return Record(about, decide(about, UNHURRIED, now, 0.5), 0.5)


def _open(ports: Ports) -> None:
    ports.chain.put_stores([KAMPPI, PASILA], BY)
    for campaign in (replace(SPRING, budget_minor=450), SUMMER):
        ports.chain.add_campaign(campaign, BY)
    ports.members.add([(Member(name, f"uid-{name}", "green"), (CONSENT,)) for name in MEMBERS], BY)


@pytest.fixture
def new_ends(
    sqlite_template: Path, tmp_path: Path, postgresql_url: tuple[str, Callable[[], None]]
) -> Iterator[Callable[[], Ends]]:
    """Empty books at all three ends, as often as they are asked for."""
    file = tmp_path / "lull.db"
    file.write_bytes((sqlite_template / "lull.db").read_bytes())
    empty = {f"sqlite:///{file}": rows_as_upgraded(f"sqlite:///{file}"), postgresql_url[0]: postgresql_url[1]}
    with ExitStack() as stack:
        stack.enter_context(watched_statements())
        databases = {}
        for url in empty:
            database = MortalDatabase(url)
            stack.callback(database.close)
            databases[url.partition(":")[0]] = (database, ports_over(database))

        def make() -> Ends:
            for restore in empty.values():
                restore()
            return Ends(twin_ports(), databases)

        yield make


@pytest.mark.timeout(3600)
def test_every_story_of_coupons_is_the_same_in_the_twin_and_in_both_databases(new_ends: Callable[[], Ends]) -> None:
    """A story is some tens of steps, any of which may die within or go unheard."""
    run_state_machine_as_test(lambda: CouponLife(new_ends()), settings=SETTINGS)
