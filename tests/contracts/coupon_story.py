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
    tokens = Bundle("tokens")

    def __init__(self, ends: Ends) -> None:
        super().__init__()
        self.ends, self.now = ends, NOW
        self.inside: set[tuple[str, str]] = set()
        self.redeemed: set[str] = set()
        self.till = Till(anywhere, lambda member, store: (member, store) in self.inside)
        self.compared = True
        ends.tell(open_stores, ANSWERED)

    def _tell(self, request: Request, fate: Fate) -> Request:
        self._told(request, fate)
        return request

    def _told(self, request: Request, fate: Fate) -> Any:
        now, self.compared = self.now, False
        return self.ends.tell(lambda ports: request(ports, now), fate)

    @initialize(target=coupons)
    def coupons_are_out(self) -> Any:
        """No story without coupons, two of which can join one sale."""
        given = (
            ("aino", "kamppi", "spring", STACKABLE),
            ("eero", "kamppi", "summer", STACKABLE),
            ("ines", "kamppi", "summer", IN_STORE),
        )
        made = [self._enter(who, store, OFFERS[name], its, None, ANSWERED) for who, store, name, its in given]
        first = made[0]
        assert first is not None
        once, sale = Once("till", "first", "first"), Sale("kamppi", BASKET, 1_000, "EUR", "s1")
        self._tell(lambda ports, now: ports.ledger.redeem(once, Ticket(first.id), sale, self.till, now), ANSWERED)
        return multiple(*made)

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
        store = next(each for each in STORES if (each != coupon.store_id) == elsewhere)
        items = (BasketItem(coupon.product_id, 1, 60), BUN) if cheap else BASKET
        sale = Sale(store, items, sum(item.unit_price_minor for item in items), "EUR", receipt)
        once = Once("till", key, f"redeem {coupon.id} {sale} {typed}")
        ticket = Ticket(code_hashes=(code_hash(coupon.id), "another")) if typed else Ticket(coupon.id)
        return self._tell(kept(once, lambda ports, now: ports.ledger.redeem(once, ticket, sale, self.till, now)), fate)

    @rule(member=members, store=stores)
    def a_member_comes_in_or_goes(self, member: str, store: str) -> None:
        """What coupons that are good in the store only ask of presence."""
        self.inside ^= {(member, store)}

    @rule(target=tokens, coupon=coupons, fate=fates)
    def the_phone_presents_it(self, coupon: Coupon, fate: Fate) -> Any:
        shown = self._told(lambda ports, now: wallet(ports, now).present(coupon.member_id or "", coupon.id), fate)
        return shown[0] if isinstance(shown, tuple) and not fate.answer_lost else multiple()

    @rule(target=requests, token=tokens, key=keys, store=stores, fate=fates)
    def a_till_scans(self, token: str, key: str, store: str, fate: Fate) -> Request:
        once, sale = Once("till", key, f"scan {token} {store}"), Sale(store, BASKET, 1_000, "EUR")

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
