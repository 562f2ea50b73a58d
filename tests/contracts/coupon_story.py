"""One story of coupons, made of rules that hypothesis puts in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from backend.decision.facts import OfferFacts
from backend.service.life import DISMISSED, CouponEvent, Dismissed
from backend.service.model import LIVE_STATES, BasketItem, Coupon, CouponState, Member, Purchase, Sale
from backend.service.ports import Ports
from backend.service.push_model import Accepted, Claimed, Retry
from backend.service.redemption import purchase_name
from backend.service.staff import Actor
from backend.service.terms import Terms
from backend.service.till_model import Once, Ticket, Till
from tests.contracts.books import EVERYTHING, check_books, redemptions
from tests.contracts.coupon_scene import (
    BASKET,
    BUN,
    GATES,
    IN_STORE,
    OFFERS,
    READS,
    STACKABLE,
    STORES,
    Request,
    campaigns,
    decided,
    every_terms,
    fates,
    kept,
    keys,
    members,
    open_stores,
    rarely,
    real,
    receipts,
    returns,
    staff,
    stores,
    wallet,
)
from tests.contracts.examples import BY, CONSENT, NOW, anywhere, code_hash, coupon_of
from tests.contracts.mortal import ANSWERED, Ends, Fate


class CouponLife(RuleBasedStateMachine):
    """One story."""

    coupons = Bundle("coupons")
    requests = Bundle("requests")
    claims = Bundle("claims")

    def __init__(self, ends: Ends) -> None:
        super().__init__()
        self.ends, self.now = ends, NOW
        self.inside: set[tuple[str, str]] = set()
        self.redeemed: set[str] = set()
        self.till = Till(anywhere, lambda member, store: (member, store) in self.inside)
        self.compared = True
        ends.tell(open_stores, ANSWERED)
        self.begun = self._begin()

    def _tell(self, request: Request, fate: Fate) -> Request:
        self._told(request, fate)
        return request

    def _told(self, request: Request, fate: Fate) -> Any:
        now, self.compared = self.now, False
        return self.ends.tell(lambda ports: request(ports, now), fate)

    def _begin(self) -> tuple[list[Coupon | None], Any]:
        """No story without coupons, and one sale that the first of them, which was scanned, is on."""
        given = (
            ("aino", "kamppi", "spring", STACKABLE),
            ("eero", "kamppi", "summer", STACKABLE),
            ("ines", "kamppi", "summer", IN_STORE),
        )
        made = [self._enter(who, store, OFFERS[name], its, None, ANSWERED) for who, store, name, its in given]
        assert made[0] is not None
        return made, self._scan(made[0], "k0", "kamppi", 0, "s1", ANSWERED, ANSWERED)

    @initialize(target=coupons)
    def coupons_are_out(self) -> Any:
        """Two of them can join one sale."""
        return multiple(*self.begun[0])

    @initialize(target=requests)
    def a_sale_was_made(self) -> Any:
        """It may be told again."""
        return self.begun[1]

    @rule(seconds=st.sampled_from((1, 1, 59, 61, 600, 1799, 1800, 8 * 3600, 24 * 3600)))
    def the_clock_moves(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

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
        record = decided(member, store, given, last, self.now)
        coupon = coupon_of(record.facts, record.decision, terms) if record.decision.issues else None
        self._tell(
            lambda ports, _: ports.ledger.record(record, coupon, code_hash(record.decision.opportunity_id)), fate
        )
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
        store = _store(coupon, elsewhere)
        items = (BasketItem(coupon.product_id, 1, 60), BUN) if cheap else BASKET
        sale = Sale(store, items, sum(item.unit_price_minor for item in items), "EUR", receipt)
        once = Once("till", key, f"redeem {coupon.id} {sale} {typed}")
        ticket = Ticket(code_hashes=(code_hash(coupon.id), "another")) if typed else Ticket(coupon.id)
        return self._tell(kept(once, lambda ports, now: ports.ledger.redeem(once, ticket, sale, self.till, now)), fate)

    @rule(member=members, store=stores)
    def a_member_comes_in_or_goes(self, member: str, store: str) -> None:
        """What coupons that are good in the store only ask of presence."""
        self.inside ^= {(member, store)}

    @rule(target=requests, coupon=coupons, key=keys, elsewhere=rarely, wait_s=st.sampled_from((0, 0, 59, 60)),
          receipt=receipts, shown=fates, fate=fates)  # fmt: skip
    def a_till_scans_what_a_phone_presents(
        self, coupon: Coupon, key: str, elsewhere: bool, wait_s: int, receipt: str | None, shown: Fate, fate: Fate
    ) -> Any:
        """Some wait until the presentation has ended."""
        return self._scan(coupon, key, _store(coupon, elsewhere), wait_s, receipt, shown, fate)

    def _scan(
        self, coupon: Coupon, key: str, store: str, wait_s: int, receipt: str | None, shown: Fate, fate: Fate
    ) -> Any:
        owner = coupon.member_id or ""
        presented = self._told(lambda ports, now: wallet(ports, now).present(owner, coupon.id), shown)
        if not isinstance(presented, tuple) or shown.answer_lost:
            return multiple()
        self.now += timedelta(seconds=wait_s)
        token, sale = presented[0], Sale(store, BASKET, 1_000, "EUR", receipt)
        once = Once("till", key, f"scan {token} {sale}")

        def redeem(ports: Ports, now: datetime) -> Any:
            return ports.ledger.redeem(once, Ticket(wallet(ports, now).presented(token)), sale, self.till, now)

        return self._tell(kept(once, redeem), fate)

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
            kept(once, lambda ports, now: ports.ledger.roll_back(once, name, returned, "cold", may, now)), fate
        )

    @rule(target=requests, member=st.one_of(st.none(), members), receipt=receipts, key=keys, fate=fates)
    def a_till_books_a_sale(self, member: str | None, receipt: str | None, key: str, fate: Fate) -> Request:
        sale = Sale("kamppi", BASKET, 1_000, "EUR", receipt)
        once = Once("till", key, f"buy {sale} {member}")
        bought = Purchase(purchase_name(sale, once.name("p_")), sale, self.now, member)
        return self._tell(kept(once, lambda ports, now: ports.ledger.buy(once, bought, now)), fate)

    @rule(target=requests, member=members, delta=st.sampled_from((-5, 3, 7)), key=keys, fate=fates)
    def an_admin_adjusts_stars(self, member: str, delta: int, key: str, fate: Fate) -> Request:
        once = Once("admin", key, f"adjust {member} {delta}")
        return self._tell(
            kept(once, lambda ports, now: ports.ledger.adjust_stars(once, member, delta, "gift", staff(now))), fate
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

    @rule(request=requests, wait_s=st.sampled_from((0, 60)), fate=fates)
    def the_same_request_comes_again(self, request: Request, wait_s: int, fate: Fate) -> None:
        """At once, or when what was presented has ended."""
        self.now += timedelta(seconds=wait_s)
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
        return multiple(*self.ends.tell(lambda ports: ports.ledger.claim(limit, real(self.now), 30.0), ANSWERED))

    @rule(claim=claims, result=st.sampled_from(("accepted", "retry", "coupon_expired")), fate=fates)
    def a_push_is_sent(self, claim: Claimed, result: str, fate: Fate) -> None:
        self.ends.ask(lambda ports: ports.ledger.queued(claim))
        end: Any = {"accepted": Accepted("m"), "retry": Retry(real(self.now) + 10)}.get(result, result)
        self._tell(lambda ports, _: ports.ledger.settle(claim, end), fate)

    @rule(change=st.sampled_from(GATES))
    def a_gate_moves(self, change: Request) -> None:
        self._tell(change, ANSWERED)

    @invariant()
    def all_ends_show_the_same_books_and_the_counters_are_what_the_coupons_say(self) -> None:
        if self.compared:
            return
        now, self.compared = self.now, True
        for read in READS:
            self.ends.ask(lambda ports, read=read: read(ports, now))  # type: ignore[misc]
        check_books(self.ends.twin)
        taken_off = Counter[str]()
        for made in redemptions(self.ends.twin):
            taken_off[made.purchase_id] += made.standing_minor
            if made.id not in self.redeemed:
                self._check_presence(made.coupon_id)
                self.redeemed.add(made.id)
        assert +taken_off == +Counter({sold.id: sold.discount_minor for sold in self.ends.twin.ledger.purchases()})

    def _check_presence(self, coupon_id: str) -> None:
        """Of a coupon that was redeemed in this step."""
        coupon = self.ends.twin.ledger.coupon(coupon_id)
        assert coupon is not None
        assert not coupon.terms.only_present or (coupon.member_id, coupon.store_id) in self.inside

    def teardown(self) -> None:
        """Timelines are compared at the end, since they only grow."""
        for coupon in self.ends.twin.ledger.newest_coupons(EVERYTHING):
            self.ends.ask(lambda ports, name=coupon.id: ports.ledger.timeline(name))  # type: ignore[misc]


def _store(coupon: Coupon, elsewhere: bool) -> str:
    return next(each for each in STORES if (each != coupon.store_id) == elsewhere)
