"""What only the simulation knows: were coupons given where and when they should have been?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simulator.places import Town
from simulator.queueing import StoreQueue

WINDOW_S = 900.0
"""True utilisation is the mean over these simulated seconds, half of them before the issue and half after."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One coupon as issued: where, when (seconds since 1970), and whether the member truly stood in the fence when
    the phone took the fix (the receiver's noise may have told the backend otherwise)."""

    coupon_id: str
    store_id: str
    at: float
    inside: bool


@dataclass(frozen=True, slots=True)
class Checks:
    """How many coupons went where they should not have gone, judged by the simulation's own truth."""

    coupons: int
    to_closed_stores: int
    outside_fence: int
    to_busy_stores: int

    def as_json(self) -> dict[str, object]:
        """Counts with their shares of all coupons (None without any)."""
        counts = {
            "coupons_to_closed_stores": self.to_closed_stores,
            "coupons_outside_fence": self.outside_fence,
            "coupons_to_busy_stores": self.to_busy_stores,
        }
        found: dict[str, object] = {"coupons_checked": self.coupons}
        for name, count in counts.items():
            found[name] = count
            found[f"{name}_share"] = round(count / self.coupons, 4) if self.coupons else None
        return found


def check_issues(
    issues: Sequence[Issue],
    town: Town,
    queues: Mapping[str, StoreQueue],
) -> Checks:
    """Judge every coupon. Busy means that the true mean utilisation over `WINDOW_S` around the issue lay above the
    store's target; the queues must have run that far.
    """
    places = {place.store.id: place for place in town.places}

    def busy(issue: Issue) -> bool:
        window = (issue.at - WINDOW_S / 2.0, issue.at + WINDOW_S / 2.0)
        return queues[issue.store_id].utilisation_between(*window) > places[issue.store_id].store.target_utilisation

    return Checks(
        coupons=len(issues),
        to_closed_stores=sum(not places[issue.store_id].is_open(issue.at) for issue in issues),
        outside_fence=sum(not issue.inside for issue in issues),
        to_busy_stores=sum(busy(issue) for issue in issues),
    )
