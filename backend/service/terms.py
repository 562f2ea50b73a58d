"""The terms of a coupon, as they were when it was issued: what is taken off, and on which sales it is good."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Terms:
    """What a till asks before it takes something off. Money in minor units of the coupon's currency.

    With `percent` that much of the product's price at the till is taken off, else the amount that was reserved; never
    more than was reserved. `minimum_spend_minor` is asked of the basket before any coupon. A coupon that is not
    `stackable` joins no other on one sale. One that is good `only_present` wants the member's phone inside the fence.
    """

    percent: int | None = None
    minimum_spend_minor: int = 0
    stackable: bool = False
    only_present: bool = False
