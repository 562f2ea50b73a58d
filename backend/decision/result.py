"""What a decision says: the reason, the offer if any, and with which probability it was taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Reason(StrEnum):
    """Why a decision is what it is; the first that applies, in the order the gates stand."""

    OFFERED = "offered"
    HELD_OUT = "held_out"
    CLOCK_DOUBTFUL = "clock_doubtful"
    PAUSED = "paused"
    TRIGGER_OFF = "trigger_off"
    OUTSIDE_FENCE = "outside_fence"
    NO_CONSENT = "no_consent"
    UNREACHABLE_DEVICE = "unreachable_device"
    QUIET_HOURS = "quiet_hours"
    WEEKLY_MAXIMUM = "weekly_maximum"
    COOLDOWN = "cooldown"
    HOURS_UNKNOWN = "hours_unknown"
    CLOSED = "closed"
    TRAFFIC_UNKNOWN = "traffic_unknown"
    NOT_QUIET = "not_quiet"
    NO_CAPACITY = "no_capacity"
    NO_OFFER = "no_offer"
    TIER = "tier"
    MUTED = "muted"
    NOT_ON_MENU = "not_on_menu"
    BUDGET_SPENT = "budget_spent"
    TOO_FAR = "too_far"


@dataclass(frozen=True, slots=True)
class Given:
    """What is offered: money in minor units of `currency`, valid until `expires_at`."""

    offer_id: str
    campaign_id: str
    product_id: str
    product_name: str
    discount_minor: int
    currency: str
    title: str
    body: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Forecast:
    """The store's state a decision rested on: `room` is how many coupons may be outstanding at most."""

    utilisation: float
    probability_quiet: float
    room: int


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one opportunity. With reason `held_out`, `given` is the ghost: what would have been offered."""

    opportunity_id: str
    at: datetime
    reason: Reason
    propensity: float
    snapshot_hash: str
    given: Given | None = None
    forecast: Forecast | None = None

    @property
    def issues(self) -> bool:
        """Whether a coupon is to be issued."""
        return self.reason is Reason.OFFERED
