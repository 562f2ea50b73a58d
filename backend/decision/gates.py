"""The gates before an offer is chosen, in their order. Each answers with the reason it is shut for, or None."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from backend.decision.facts import Facts, QuietHours
from backend.decision.result import Forecast, Reason
from backend.decision.snapshot import Rules, Snapshot
from stores.hours import zone
from stores.utilisation import arrival_rate, probability_quiet, spare_capacity, utilisation


@lru_cache(maxsize=1024)
def known_zone(name: str | None) -> ZoneInfo | None:
    """The zone with this IANA name, or None when there is none."""
    try:
        return zone(name) if name else None
    except ValueError:
        return None


def sleeps(quiet: QuietHours | None, time_zone: str | None, now: datetime) -> bool:
    """Whether a member wants no push now; who wants quiet hours but whose zone is unknown may be asleep at any time."""
    if quiet is None:
        return False
    where = known_zone(time_zone)
    return where is None or quiet.cover(now.astimezone(where).time())


def _switches(facts: Facts, snapshot: Snapshot, now: datetime) -> Reason | None:
    if not facts.clock_trusted:
        return Reason.CLOCK_DOUBTFUL
    if facts.paused or facts.store.paused:
        return Reason.PAUSED
    if facts.presence.trigger not in snapshot.triggers:
        return Reason.TRIGGER_OFF
    return None if facts.presence.inside else Reason.OUTSIDE_FENCE


def _member(facts: Facts, snapshot: Snapshot, now: datetime) -> Reason | None:
    member, rules = facts.member, snapshot.rules
    if not member.location_offers:
        return Reason.NO_CONSENT
    if not member.reachable:
        return Reason.UNREACHABLE_DEVICE
    if sleeps(member.quiet_hours, member.time_zone, now):
        return Reason.QUIET_HOURS
    if member.given_this_week >= min(member.weekly_maximum, rules.weekly_maximum):
        return Reason.WEEKLY_MAXIMUM
    if member.last_given_at and now - member.last_given_at < timedelta(seconds=rules.cooldown_s):
        return Reason.COOLDOWN
    return None


def _open(facts: Facts, snapshot: Snapshot, now: datetime) -> Reason | None:
    if facts.store.open is None:
        return Reason.HOURS_UNKNOWN
    return None if facts.store.open else Reason.CLOSED


GATES: tuple[Callable[[Facts, Snapshot, datetime], Reason | None], ...] = (_switches, _member, _open)
"""In the order in which they are asked."""


def first_shut(facts: Facts, snapshot: Snapshot, now: datetime) -> Reason | None:
    """The reason of the first gate that is shut, or None when all are open."""
    return next((reason for gate in GATES if (reason := gate(facts, snapshot, now))), None)


def forecast(facts: Facts, rules: Rules) -> Forecast | None:
    """What the store's traffic looks like; None when too little is known to say."""
    evidence = facts.store.evidence
    if evidence is None or evidence.staff < 1 or evidence.service_s <= 0:
        return None
    rate = arrival_rate(evidence, rules.prior_hours, rules.minimum_observed_s)
    if rate is None:
        return None
    target = facts.store.target_utilisation
    return Forecast(
        utilisation=utilisation(rate, evidence),
        probability_quiet=probability_quiet(rate, evidence, target),
        room=spare_capacity(rate, evidence, target, rules.load_window_s, rules.overload_risk),
    )


def traffic_shut(facts: Facts, outlook: Forecast | None, rules: Rules) -> Reason | None:
    """The gates on the store's traffic: known, quiet, and with room for one visit more."""
    if outlook is None:
        return Reason.TRAFFIC_UNKNOWN
    if outlook.probability_quiet < rules.quiet_confidence:
        return Reason.NOT_QUIET
    return None if facts.store.outstanding < outlook.room else Reason.NO_CAPACITY
