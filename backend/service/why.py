"""A decision told to the member it was about, in sentences. Pure."""

from __future__ import annotations

from backend.decision.result import Reason
from backend.service.model import Record

_ANSWERS = {
    Reason.OFFERED: "So you were given this coupon.",
    Reason.HELD_OUT: "You were in the group that gets nothing for now, so that Lull can measure what coupons change.",
    Reason.CLOCK_DOUBTFUL: "The time was in doubt, so nothing was given.",
    Reason.PAUSED: "Offers were paused.",
    Reason.NO_CONSENT: "You had not agreed to location offers.",
    Reason.TRIGGER_OFF: "Offers of this kind were switched off.",
    Reason.OUTSIDE_FENCE: "You were not near enough to the store.",
    Reason.UNREACHABLE_DEVICE: "No phone of yours could be reached.",
    Reason.QUIET_HOURS: "It was within your quiet hours.",
    Reason.WEEKLY_MAXIMUM: "You had been given as many coupons in seven days as you may get.",
    Reason.COOLDOWN: "Your last coupon was too short a time ago.",
    Reason.HOURS_UNKNOWN: "The store's opening hours were not known.",
    Reason.CLOSED: "The store was closed.",
    Reason.TRAFFIC_UNKNOWN: "Too little was known of how busy the store was.",
    Reason.NOT_QUIET: "The store was not quiet.",
    Reason.NO_CAPACITY: "The store had no room for one visit more.",
    Reason.NO_OFFER: "No offer was running.",
    Reason.TIER: "No offer was meant for your tier.",
    Reason.MUTED: "You do not want the products on offer.",
    Reason.NOT_ON_MENU: "The store did not have the products on offer.",
    Reason.BUDGET_SPENT: "The budget for offers was spent.",
    Reason.TOO_FAR: "You could not have been there in time on foot.",
}


def sentences(record: Record) -> tuple[str, ...]:
    """What the decision rested on, and what it was; no sentence tells more than the facts that were written down."""
    told = (_presence(record), _traffic(record), _taste(record), _count(record), _answer(record))
    return tuple(sentence for sentence in told if sentence)


def _presence(record: Record) -> str:
    presence, store = record.facts.presence, record.facts.store
    how = "came" if presence.trigger == "enter" else "stayed"
    return f"You {how} within {presence.distance_m} m of {store.name}."


def _traffic(record: Record) -> str | None:
    forecast, store = record.decision.forecast, record.facts.store
    if forecast is None:
        return None
    room = max(0, forecast.room - store.outstanding)
    visits = "1 more visit" if room == 1 else f"{room} more visits"
    used, target = f"{forecast.utilisation:.0%}", f"{store.target_utilisation:.0%}"
    return (
        f"The store expected {_percent(used)} of its capacity to be in use, where it wants at most {_percent(target)}, "
        f"and had room for {visits}."
    )


def _taste(record: Record) -> str | None:
    given = record.decision.given
    if given is None:
        return None
    share = record.facts.member.tastes.get(given.product_id)
    if not share:
        return f"Your past purchases say nothing of {given.product_name}."
    return f"You like {given.product_name}: it is {_percent(f'{share:.0%}')} of your past purchases."


def _percent(text: str) -> str:
    return text.replace("%", " %")


def _count(record: Record) -> str | None:
    if record.decision.given is None:
        return None
    count = record.facts.member.given_this_week
    coupons = {0: "no coupon", 1: "one coupon"}.get(count, f"{count} coupons")
    return f"You had been given {coupons} in the seven days before."


def _answer(record: Record) -> str:
    if record.decision.reason is Reason.OFFERED and record.outcome == "lost":
        return "Something changed at the last moment, so no coupon was issued."
    return _ANSWERS[record.decision.reason]
