"""The simulated city: queues, tills, people and their phones in one SimPy environment, talking to any `Backend`.

Simulated time is seconds since 1970 on the domain clock, so what the city stamps needs no translation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import simpy

from simulator.people import Person, Streams
from simulator.places import Place, Town
from simulator.port import Backend, CouponNotice, Courier, FixAnswer, Observed, Till
from simulator.queueing import SimProcess, StoreQueue
from simulator.scenario import Scenario
from simulator.truth import Issue
from simulator.walkers import Known, Walker

REMEMBERED_S = 600.0
"""Observations a till makes before it may talk are kept for this long and posted at once when it may."""
LEAST_WINDOW_S = 1.0
"""Arrivals of a shorter time are refused."""


@dataclass(slots=True)
class Tally:
    """What the city itself counted."""

    fixes_posted: int = 0
    fixes_accepted: int = 0
    rejections: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    coupons_received: int = 0
    pushes_received: int = 0
    taken_up: int = 0
    redeemed: int = 0
    refused: int = 0
    came_too_late: int = 0


class Turns:
    """Lets at most `per_s` calls pass in a simulated second, evenly spaced, in the order they ask."""

    def __init__(self, per_s: float) -> None:
        self._gap_s = 1.0 / per_s
        self._next = 0.0

    def wait_s(self, now: float) -> float:
        """Seconds until the caller's turn; taking a turn moves the next one back."""
        turn = max(now, self._next)
        self._next = turn + self._gap_s
        return turn - now


def environment(scenario: Scenario, start: float) -> simpy.Environment:
    """The SimPy environment of a city that begins to talk at `start`: its time begins with the warm-up."""
    return simpy.Environment(initial_time=start - scenario.warm_up_min * 60.0)


class City:
    """A city that talks from `start` to `start + minutes`; run its `env` to let time pass.

    `courier` carries the calls to `backend`; with a `DirectCourier` the run is deterministic.
    """

    def __init__(
        self,
        env: simpy.Environment,
        courier: Courier,
        backend: Backend,
        scenario: Scenario,
        town: Town,
        people: Sequence[tuple[Person, Streams]],
        start: float,
        seeds: np.random.SeedSequence,
    ) -> None:
        self.scenario, self.town, self.start = scenario, town, start
        self.end = start + scenario.minutes * 60.0
        self.env = env
        self._opened = self.env.event()
        self.env.process(self._open())
        self.tally = Tally()
        self.issues: list[Issue] = []
        self._backend = backend
        self._courier = courier
        self._prices = {product.id: product for product in town.products}
        self._turns = Turns(scenario.fixes_per_real_s / scenario.rate)
        self.queues: dict[str, StoreQueue] = {}
        for place, seed in zip(town.places, seeds.spawn(len(town.places)), strict=True):
            self._open_store(place, *seed.spawn(2))
        self.walkers: dict[str, Walker] = {}
        for person, streams in people:
            walker = Walker(self.env, scenario, town, person, streams, self._at_store)
            self.walkers[person.member_id] = walker
            self.env.process(walker.live())
            self.env.process(self._phone(walker))
        self._by_registration = {walker.person.registration: walker for walker in self.walkers.values()}

    @property
    def talking(self) -> bool:
        """Whether phones and tills may talk to the backend now."""
        return self.start <= self.env.now < self.end

    def begin_at(self, at: float) -> None:
        """Move the minutes to begin at `at`; only while they lie ahead. Raises ValueError afterwards."""
        if self.env.now >= self.start or at < self.env.now:
            raise ValueError("the minutes of a city can be moved only before they begin, and not into its past")
        self.start, self.end = at, at + self.scenario.minutes * 60.0

    def _open(self) -> SimProcess:
        while self.env.now < self.start:
            yield self.env.timeout(min(1.0, self.start - self.env.now))
        self._opened.succeed()

    def delivered(self, registration: str, coupon_id: str) -> None:
        """A push with this coupon arrived on the phone with this registration; unknown phones are passed over."""
        walker = self._by_registration.get(registration)
        if walker is None or not self.talking:
            return
        self.tally.pushes_received += 1
        self._tell(walker, coupon_id, "delivered")
        if (known := walker.coupons.get(coupon_id)) is not None:
            self.env.process(self._notice(walker, known))
        else:
            self.env.process(self._notice_later(walker, coupon_id))

    def _open_store(self, place: Place, queue_seed: np.random.SeedSequence, till_seed: np.random.SeedSequence) -> None:
        variation = self.scenario.service_variation
        queue = StoreQueue(self.env, place.staff, place.service_s, np.random.default_rng(queue_seed), variation)
        self.queues[place.store.id] = queue
        self.env.process(queue.background(place.rate_per_s, max(place.per_hour) / 3_600.0))
        self.env.process(self._till(place, queue, np.random.default_rng(till_seed)))

    def _till(self, place: Place, queue: StoreQueue, rng: np.random.Generator) -> SimProcess:
        """Counts customers all the time, posts while the city talks."""
        kept: list[Observed] = []
        last = self.env.now
        yield self.env.timeout(max(LEAST_WINDOW_S, rng.uniform(0.0, self.scenario.observe_every_s[1])))
        while self.env.now < self.end:
            now = self.env.now
            kept = [one for one in kept if now - one.at < REMEMBERED_S]
            kept += [
                Observed("arrivals", now, queue.arrivals_between(last, now), now - last),
                Observed("queue_length", now, queue.queue_length),
                Observed("headcount", now, queue.headcount),
                Observed("staff", now, queue.servers),
            ]
            last = now
            if self.talking and place.is_open(now):
                self._courier.send(partial(self._backend.observe, place.store.id, tuple(kept)))
                kept = []
            pause = rng.uniform(*self.scenario.observe_every_s)
            if now < self.start <= now + pause:
                # The first post falls soon after the start, at a moment of each till's own.
                pause = self.start - now + rng.uniform(0.0, 20.0)
            yield self.env.timeout(max(LEAST_WINDOW_S, pause))

    def _phone(self, walker: Walker) -> SimProcess:
        """Posts a fix, and the next one when the answer asks for it.

        While its member stands still a phone has nothing new to say: it waits until they set out, or for the longest
        pause. Phones do so with their motion sensor, to spare the battery.
        """
        scenario, rng = self.scenario, walker.streams.phone
        yield self._opened
        yield self.env.timeout(rng.uniform(0.0, scenario.longest_report_s / 2.0))
        while self.env.now < self.end:
            yield self.env.timeout(self._turns.wait_s(self.env.now))
            if not self.talking:
                return
            pause = scenario.longest_report_s / 2.0
            inside, still = self._fences_around(walker), walker.stands
            post = partial(self._backend.post_fixes, walker.person.member_id, (walker.fix(self.env.now),))
            self.tally.fixes_posted += 1
            answer: FixAnswer | None = yield self._courier.send(post)
            if answer is not None:
                self._take(walker, answer, inside)
                pause = answer.report_in_s
            pause = min(scenario.longest_report_s, max(scenario.shortest_report_s, pause))
            if still and walker.stands:
                yield self.env.timeout(scenario.shortest_report_s)
                rest_s = (scenario.longest_report_s - scenario.shortest_report_s) * rng.uniform(0.9, 1.0)
                yield self.env.timeout(rest_s) | walker.setting_out
            else:
                yield self.env.timeout(pause * rng.uniform(0.95, 1.05))

    def _fences_around(self, walker: Walker) -> frozenset[str]:
        """Stores in whose fence the person truly stands now."""
        here = walker.leg.at(self.env.now)
        position = self.town.frame.position(here)
        return frozenset(
            place.store.id
            for place in self.town.places
            if abs(place.point[0] - here[0]) < place.extent_m + 50.0
            and abs(place.point[1] - here[1]) < place.extent_m + 50.0
            and place.fence.contains(position.lat, position.lng)
        )

    def _take(self, walker: Walker, answer: FixAnswer, inside: frozenset[str]) -> None:
        self.tally.fixes_accepted += answer.accepted
        self.tally.rejections.update(answer.rejected)
        self.tally.reasons.update(answer.reasons)
        for notice in answer.coupons:
            if notice.id in walker.coupons:
                continue
            self.tally.coupons_received += 1
            self.issues.append(Issue(notice.id, notice.store_id, notice.issued_at, notice.store_id in inside))
            known = walker.coupons[notice.id] = Known(notice)
            self.env.process(self._notice(walker, known, self.scenario.push_patience_s))

    def _notice(self, walker: Walker, known: Known, patience_s: float = 0.0) -> SimProcess:
        """The member looks at the coupon after a while, and goes for it or not. Only the first look counts."""
        pause = walker.streams.response.uniform(*self.scenario.notice_after_s)
        yield self.env.timeout(patience_s + pause)
        if known.noticed or not self.talking or self.env.now >= known.notice.expires_at:
            return
        known.noticed = True
        self._tell(walker, known.notice.id, "opened")
        if walker.wants(known.notice):
            self.tally.taken_up += 1
            walker.go_for(known.notice)

    def _notice_later(self, walker: Walker, coupon_id: str) -> SimProcess:
        """A push can overtake the answer to the fix it came from: look again a little later."""
        yield self.env.timeout(60.0)
        if (known := walker.coupons.get(coupon_id)) is not None:
            yield from self._notice(walker, known)

    def _tell(self, walker: Walker, coupon_id: str, event: str) -> None:
        self._courier.send(partial(self._backend.coupon_event, walker.person.member_id, coupon_id, event, self.env.now))

    def _at_store(self, walker: Walker, notice: CouponNotice, place: Place) -> SimProcess:
        """Join the queue, and show the coupon when the turn comes. Before a shut door people turn round."""
        if not place.is_open(self.env.now):
            return
        queue = self.queues[place.store.id]
        yield from queue.visit(at_till=lambda: self._show(walker, notice), coupon=True)

    def _show(self, walker: Walker, notice: CouponNotice) -> None:
        if not self.talking:
            return
        if self.env.now >= notice.expires_at:
            self.tally.came_too_late += 1
            return
        self.env.process(self._redeem(walker, notice))

    def _redeem(self, walker: Walker, notice: CouponNotice) -> SimProcess:
        """Every other phone is scanned, the rest read their code out."""
        product = self._prices.get(notice.product_id)
        token: str | None = None
        if walker.person.index % 2 == 0:
            token = yield self._courier.send(partial(self._backend.present, walker.person.member_id, notice.id))
        till = Till(
            store_id=notice.store_id,
            product_id=notice.product_id,
            unit_price_minor=product.price_minor if product is not None else notice.discount_minor,
            currency=notice.currency,
            key=f"redeem-{notice.id}",
            code=notice.code if token is None else None,
            presentation=token,
        )
        done: bool | None = yield self._courier.send(partial(self._backend.redeem, till))
        if done:
            self.tally.redeemed += 1
        elif done is not None:
            self.tally.refused += 1
