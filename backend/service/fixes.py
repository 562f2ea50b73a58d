"""A phone reports where it is: presence moves, and the newest fix may lead to offers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from backend.service.catalogue import Catalogue, View
from backend.service.consent import ConsentCache
from backend.service.errors import NotFound
from backend.service.model import Coupon
from backend.service.opportunity import Answer, Opportunities, Signal
from backend.service.ports import Clock, Presence
from backend.service.watch import FENCES, FEWEST, REPORT_INSIDE_S, REPORT_S, Advice, Watch
from stores.index import StoreIndex
from stores.model import Fix
from stores.presence import PresenceRules, PresenceState, Step, advance

FRESH = timedelta(seconds=120)
"""An older fix moves presence, but leads to no offer."""
OLDEST = timedelta(hours=24)
KEPT_S = 900.0
"""Real seconds after which presence forgets an accepted fix."""
AHEAD = timedelta(seconds=60)
"""How far a phone's clock may run ahead."""
_UNKNOWN = Advice(report_in_s=REPORT_INSIDE_S)
"""To a phone of which nothing is known but that its newest fix was refused."""


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
    too_small: tuple[str, ...] = ()
    """Stores whose fence the newest fix may lie in, but is too inaccurate for."""

    @property
    def coupons(self) -> tuple[Coupon, ...]:
        """The coupons that were issued."""
        return tuple(answer.coupon for answer in self.answers if answer.coupon)


@dataclass(frozen=True, slots=True)
class _Taken:
    """What became of one fix: why it was refused if it was, and the step."""

    index: int
    fix: Fix
    refused: str | None = None
    step: Step = Step(None)  # noqa: RUF009 - a frozen value
    first: bool = False
    """Whether nothing was known of the member before."""


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

        A fix that may lie in a sensitive place leaves no trace, and is answered like one far from every store.
        Raises NotFound after an erasure, and Unavailable when the books cannot be reached. Nothing is lost then, if the
        phone reports again.
        """
        if not self._consent.location_offers(member_id):
            return _refused(fixes)
        view, now = self._catalogue.view(), self._clock.now()
        order = sorted(range(len(fixes)), key=lambda each: fixes[each].recorded_at)
        taken = [self._take(member_id, number, fixes[number], view, now) for number in order]
        if any(each.first for each in taken):
            # Nothing was known: another process may just have forgotten it, and knows better who agrees.
            agrees = self._consent.location_offers_now(member_id)
        else:
            agrees = self._consent.location_offers(member_id)
        if not agrees:  # withdrawn meanwhile, and presence forgotten too early
            self._presence.forget(member_id)
            if not self._consent.is_member(member_id):
                raise NotFound("member_unknown", "there is no such member")
            return _refused(fixes)
        answers = self._answers(member_id, taken, now)
        rejected = [Rejected(each.index, each.refused) for each in taken if each.refused is not None]
        newest = taken[-1]
        return Report(
            accepted=len(fixes) - len(rejected),
            rejected=tuple(sorted(rejected, key=lambda each: each.index)),
            answers=answers,
            watch=self._advice(member_id, newest, view.index),
            too_small=newest.step.too_small,
        )

    def _take(self, member_id: str, number: int, fix: Fix, view: View, now: datetime) -> _Taken:
        if view.sensitive.touches(fix.position, fix.accuracy_m):
            return _Taken(number, fix)  # dropped before anything looks at it
        if fix.recorded_at > now + AHEAD:
            return _Taken(number, fix, "in_the_future")
        if fix.recorded_at < now - OLDEST:
            return _Taken(number, fix, "stale")

        first = False

        def move(state: PresenceState | None) -> Step:
            nonlocal first
            first = state is None
            return advance(state, fix, view.index, self._rules)

        step = self._presence.apply(member_id, self._clock.real(), move)
        return _Taken(number, fix, step.rejection, step, first)

    def _advice(self, member_id: str, newest: _Taken, index: StoreIndex) -> Advice:
        if newest.refused is not None:
            return _UNKNOWN
        if newest.step.state is None:
            return Advice()
        platform = self._consent.platform(member_id)
        advice = self._watch.advise(index, newest.fix.position, FENCES[platform] if platform else FEWEST)
        # What was seen once wants a second look before it counts.
        return replace(advice, report_in_s=REPORT_S[0]) if newest.step.state.crossing else advice

    def _answers(self, member_id: str, taken: Sequence[_Taken], now: datetime) -> tuple[Answer, ...]:
        try:
            return self._offers(member_id, taken, now)
        except Exception:
            # The phone will report again. With presence unknown it enters once more, so the offer is not lost.
            self._presence.forget(member_id)
            raise

    def _offers(self, member_id: str, taken: Sequence[_Taken], now: datetime) -> tuple[Answer, ...]:
        """Only the newest fix leads to offers, if it was accepted and is fresh, at stores it is surely in."""
        newest = taken[-1]
        if now - newest.fix.recorded_at > FRESH:
            return ()
        triggers = {store_id: trigger for each in taken for store_id, trigger in each.step.signals.items()}
        answers: list[Answer] = []
        for hit in newest.step.sure:
            trigger = triggers.get(hit.store.id)
            if trigger is None:
                continue
            signal = Signal(trigger, hit.store.id, newest.fix.recorded_at, hit.distance_m)
            answer = self._opportunities.answer(member_id, signal)
            if answer is not None:
                answers.append(answer)
        return tuple(answers)


def _refused(fixes: Sequence[Fix]) -> Report:
    return Report(0, tuple(Rejected(index, "no_consent") for index in range(len(fixes))), (), Advice())
