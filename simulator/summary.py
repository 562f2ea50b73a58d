"""What happened in a run: as one JSON value for a file, and as a table for people."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from rich.table import Table

from backend.service.errors import Unavailable
from backend.service.model import CouponState, Totals
from backend.service.ports import Ports
from simulator.city import City
from simulator.http import Http, Meter
from simulator.pacing import Lag
from simulator.port import BackendError
from simulator.truth import check_issues
from stores.money import money

PACKAGES = ("lull", "flask", "granian", "firebase-admin", "simpy", "numpy", "sqlalchemy", "pydantic", "h3", "urllib3")
FAR_BEHIND = 0.05
"""A city of which a larger share than this ran behind its clock says nothing about timing."""


@dataclass(frozen=True, slots=True)
class Books:
    """What the backend's database and the emulator's log say: the totals of the books, and FCM's answers by status."""

    totals: Totals
    fcm_by_status: Mapping[str, int]

    @property
    def issued(self) -> int:
        """How many coupons were issued, whatever became of them."""
        return sum(self.totals.coupons.values())

    @property
    def drained(self) -> bool:
        """Whether every coupon's push was accepted or dropped."""
        return self.totals.pushes_pending == 0


def read_books(ports: Ports, now: datetime, emulator: Http) -> Books | None:
    """Read both as of `now`; None when one of them does not answer."""
    try:
        totals = ports.ledger.totals(now)
        _, log = emulator.call("GET", "/log/summary", what="read push log")
    except (BackendError, Unavailable):
        return None
    return Books(totals, log["by_status"])


def versions() -> dict[str, str]:
    """Versions of Python and of the packages a run rests on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def summarise(city: City, books: Books, meter: Meter, lag: Lag) -> dict[str, Any]:
    """Everything the demo reports, as JSON values. Run the city's queues past its end before."""
    totals, tally = books.totals, city.tally
    loads = sorted(
        city.queues[place.store.id].utilisation_between(city.start, city.end)
        for place in city.town.places
        if place.is_open(city.start)
    ) or [0.0]
    scenario = city.scenario
    return {
        "population": "eager",
        "seed": scenario.seed,
        "minutes": scenario.minutes,
        "phones": scenario.phones,
        "stores": len(city.town.places),
        "fixes_posted": tally.fixes_posted,
        "fixes_accepted": tally.fixes_accepted,
        "fixes_rejected": dict(tally.rejections),
        "decisions": dict(totals.decisions),
        "offers_lost_in_a_race": totals.lost,
        "coupons_issued": books.issued,
        "pushes_accepted": totals.pushes_accepted,
        "pushes_dropped": dict(totals.pushes_dropped),
        "pushes_at_fcm_by_status": dict(books.fcm_by_status),
        "coupons_taken_up": tally.taken_up,
        "coupons_redeemed": totals.coupons.get(CouponState.REDEEMED, 0),
        "coupons_expired": totals.coupons.get(CouponState.EXPIRED, 0),
        "redemptions_refused": tally.refused,
        "came_too_late": tally.came_too_late,
        "budget_spent_minor": totals.spent_minor,
        "currency": totals.currency,
        "checks": check_issues(city.issues, city.town, city.queues).as_json(),
        "true_utilisation": {
            "lowest": round(loads[0], 3),
            "median": round(loads[len(loads) // 2], 3),
            "highest": round(loads[-1], 3),
        },
        "http_errors": meter.http_errors,
        "http_errors_by_kind": dict(meter.errors),
        "http_calls": dict(meter.calls),
        "p50_ms": meter.percentile_ms(0.5),
        "p99_ms": meter.percentile_ms(0.99),
        "clock_lag_most_s": round(lag.most_s, 2),
        "clock_lag_share": round(lag.behind_share, 3),
        "timing_note": timing_note(scenario.rate, lag),
        "scenario": scenario.as_json(),
        "versions": versions(),
    }


def timing_note(rate: float, lag: Lag) -> str | None:
    """What is said of a run on a machine that was too slow for the clock's `rate`; None when it kept up."""
    if lag.behind_share <= FAR_BEHIND:
        return None
    return (
        f"This run proves nothing about timing: at {rate:g} simulated seconds in a real one the machine fell behind "
        f"for {100.0 * lag.behind_share:.0f} % of the time, by up to {lag.most_s:.0f} s."
    )


def as_table(found: Mapping[str, Any]) -> Table:
    """The summary for people."""
    note = found["timing_note"]
    table = Table(title="What happened", show_header=False, title_justify="left", caption=note, caption_justify="left")
    table.add_column("what", style="bold")
    table.add_column("value", justify="right")
    checks = found["checks"]
    rows = (
        ("Fixes posted / accepted", f"{found['fixes_posted']} / {found['fixes_accepted']}"),
        ("Decisions", f"{sum(found['decisions'].values())}"),
        *((f"  {reason}", str(count)) for reason, count in _largest_first(found["decisions"])),
        ("Coupons issued", str(found["coupons_issued"])),
        ("Pushes FCM accepted", str(found["pushes_accepted"])),
        *((f"  dropped: {reason}", str(count)) for reason, count in _largest_first(found["pushes_dropped"])),
        ("Coupons redeemed", str(found["coupons_redeemed"])),
        ("Coupons expired", str(found["coupons_expired"])),
        ("Budget spent", money(found["budget_spent_minor"], found["currency"])),
        ("Coupons to closed stores", _share(checks, "coupons_to_closed_stores")),
        ("Coupons to members truly outside the fence", _share(checks, "coupons_outside_fence")),
        ("Coupons to stores truly above their target", _share(checks, "coupons_to_busy_stores")),
        ("HTTP errors", str(found["http_errors"])),
        ("Answer to a fix, p50 / p99", f"{found['p50_ms']} / {found['p99_ms']} ms"),
        ("Population", "eager: acts on coupons far more often than real members do"),
    )
    for what, value in rows:
        table.add_row(what, value)
    return table


def _share(checks: Mapping[str, Any], name: str) -> str:
    share = checks[f"{name}_share"]
    return f"{checks[name]}" if share is None else f"{checks[name]} ({100 * share:.1f} %)"


def _largest_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
