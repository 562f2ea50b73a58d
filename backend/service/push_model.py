"""Pushes: what is sent, what came of it, and the rows of the outbox on their way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from backend.service.chain_model import Campaign
from backend.service.model import Coupon, Member
from stores.model import Store


@dataclass(frozen=True, slots=True)
class Push:
    """One message for one phone; `ttl_s` seconds from now FCM gives up."""

    id: str
    registration_kind: Literal["fid", "token"]
    registration: str
    title: str
    body: str
    data: Mapping[str, str]
    ttl_s: int
    collapse_key: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """FCM took the message and gave it this name."""

    name: str


@dataclass(frozen=True, slots=True)
class Refused:
    """FCM did not take the message."""

    reason: str
    retry: bool
    retry_after_s: float | None = None
    unregistered: bool = False


SendResult = Accepted | Refused


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row of the outbox that is ours for a while, for its `attempts`-th try; `first_tried_at` is real time."""

    coupon_id: str
    attempts: int
    first_tried_at: float


@dataclass(frozen=True, slots=True)
class Queued:
    """All that must be asked about a push right before it is sent, as it stands at one moment."""

    coupon: Coupon
    member: Member | None
    store: Store | None
    campaign: Campaign | None
    paused: bool


@dataclass(frozen=True, slots=True)
class Retry:
    """Try a push again, `at` that time of the real clock."""

    at: float
