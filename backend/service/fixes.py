"""A phone reports where it is: presence moves, and the newest fix may lead to offers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.service.catalogue import Catalogue
from backend.service.consent import ConsentCache
from backend.service.model import Coupon
from backend.service.opportunity import Answer, Opportunities, Signal
from backend.service.ports import Clock, Presence
from backend.service.watch import REPORT_INSIDE_S, Advice, Watch
from stores.index import StoreIndex
from stores.presence import Fix, PresenceEvent, PresenceRules, PresenceState, Step, advance

FRESH = timedelta(seconds=120)
"""An older fix moves presence, but leads to no offer."""
OLDEST = timedelta(hours=24)
AHEAD = timedelta(seconds=60)
"""How far a phone's clock may run ahead."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A fix that was not taken: its index in the request, and why."""

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """The answer to a report."""

    accepted: int
    rejected: tuple[Rejected, ...]
    answers: tuple[Answer, ...]
    watch: Advice

    @property
    def coupons(self) -> tuple[Coupon, ...]:
        """The coupons that were issued."""
        return tuple(answer.coupon for answer in self.answers if answer.coupon)


class Fixes:
    """Takes reports of fixes."""

    def __init__(
        self,
        presence: Presence,
        clock: Clock,
        catalogue: Catalogue,
        consent: ConsentCache,
        opportunities: Opportunities,
        rules: PresenceRules,
    ) -> None:
        self._presence = presence
        self._clock = clock
        self._catalogue = catalogue
        self._consent = consent
        self._opportunities = opportunities
        self._rules = rules
        self._watch = Watch()

    def report(self, member_id: str, fixes: Sequence[Fix]) -> Report:
        """Take fixes in the order they were recorded; without consent to location offers none is looked at.

        Raises Unavailable when the books cannot be reached. Nothing is lost then, if the phone reports again.
        """
        if not self._consent.location_offers(member_id):
            return _refused(fixes)
        index, now = self._catalogue.view().index, self._clock.now()
        rejected: list[Rejected] = []
        entered: dict[str, PresenceEvent] = {}
        newest: Fix | None = None
        for number in sorted(range(len(fixes)), key=lambda each: fixes[each].recorded_at):
            reason, step = self._move(member_id, fixes[number], index, now)
            if step is None or reason is not None:
                rejected.append(Rejected(number, reason or "unknown"))
                newest = None
                continue
            newest = fixes[number]
            entered |= {event.store_id: event for event in step.events}
        if not self._consent.location_offers(member_id):  # withdrawn meanwhile, and presence forgotten too early
            self._presence.forget(member_id)
            return _refused(fixes)
        answers = self._answers(member_id, newest, index, entered, now)
        advice = self._watch.advise(index, newest.position) if newest else Advice(report_in_s=REPORT_INSIDE_S)
        ordered = tuple(sorted(rejected, key=lambda each: each.index))
        return Report(len(fixes) - len(rejected), ordered, answers, advice)

    def _answers(
        self, member_id: str, newest: Fix | None, index: StoreIndex, events: dict[str, PresenceEvent], now: datetime
    ) -> tuple[Answer, ...]:
        try:
            return self._offers(member_id, newest, index, events, now)
        except Exception:
            # The phone will report again: with presence unknown its newest fix enters this fence once more.
            self._presence.forget(member_id)
            raise

    def _move(self, member_id: str, fix: Fix, index: StoreIndex, now: datetime) -> tuple[str | None, Step | None]:
        if fix.recorded_at > now + AHEAD:
            return "in_the_future", None
        if fix.recorded_at < now - OLDEST:
            return "stale", None
        hits = index.hits(fix.position)

        def move(state: PresenceState | None) -> Step:
            left = index.measure(fix.position, state.inside) if state and state.inside else ()
            return advance(state, fix, hits, self._rules, left)

        step = self._presence.apply(member_id, self._clock.real(), move)
        return step.rejection, step

    def _offers(
        self, member_id: str, newest: Fix | None, index: StoreIndex, events: dict[str, PresenceEvent], now: datetime
    ) -> tuple[Answer, ...]:
        """Only the newest fix leads to offers, if it was accepted and is fresh, at stores it lies well within."""
        if newest is None or now - newest.recorded_at > FRESH:
            return ()
        margin_m = self._rules.enter_margin * newest.accuracy_m
        answers: list[Answer] = []
        for hit in index.hits(newest.position):
            event = events.get(hit.store.id)
            if event is None or event.kind == "exit" or hit.depth_m < margin_m:
                continue
            signal = Signal(event.kind, hit.store.id, newest.recorded_at, hit.distance_m)
            answer = self._opportunities.answer(member_id, signal)
            if answer is not None:
                answers.append(answer)
        return tuple(answers)


def _refused(fixes: Sequence[Fix]) -> Report:
    return Report(0, tuple(Rejected(index, "no_consent") for index in range(len(fixes))), (), Advice())
