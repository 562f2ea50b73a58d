"""Why a coupon came, told to its member in sentences. Pure."""

from __future__ import annotations

from backend.service.model import Record

_END = "So you were given this coupon."


def sentences(record: Record) -> tuple[str, ...]:
    """What the decision rested on; no sentence tells more than the facts that were written down."""
    told = (_presence(record), _traffic(record), _taste(record), _count(record), _END)
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
    if given.product_id in record.facts.member.favourites:
        return f"You named {given.product_name} as a favourite."
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
