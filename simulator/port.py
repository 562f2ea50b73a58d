"""What the city says to a backend and hears from it, whichever backend it is: HTTP processes or twins in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import simpy

T = TypeVar("T")


class BackendError(Exception):
    """A request failed in a way the scenario does not expect. The one who sent it carries on without an answer."""


@dataclass(frozen=True, slots=True)
class FixReport:
    """One fix as a phone posts it; `recorded_at` in seconds since 1970 on the domain clock."""

    lat: float
    lng: float
    accuracy_m: float
    recorded_at: float
    speed_mps: float


@dataclass(frozen=True, slots=True)
class CouponNotice:
    """A coupon as the member's app sees it; times in seconds since 1970 on the domain clock, money in minor units."""

    id: str
    code: str
    store_id: str
    product_id: str
    discount_minor: int
    currency: str
    issued_at: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class FixAnswer:
    """The backend's answer to fixes: reasons of rejections and decisions, coupons, and when to report again."""

    accepted: int
    rejected: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    coupons: tuple[CouponNotice, ...] = ()
    report_in_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Observed:
    """One observation of a till: kind, time in seconds since 1970, value, and for arrivals the seconds they span."""

    kind: str
    at: float
    value: int
    window_s: float | None = None


@dataclass(frozen=True, slots=True)
class Till:
    """One sale with a coupon at a till: either `code` or the phone's `presentation` token names the coupon."""

    store_id: str
    product_id: str
    unit_price_minor: int
    currency: str
    key: str
    code: str | None = None
    presentation: str | None = None


class Backend(Protocol):
    """What a city needs of a backend. Every method may block and raise `BackendError`."""

    def post_fixes(self, member_id: str, fixes: Sequence[FixReport]) -> FixAnswer:
        """A phone reports where it is."""
        ...

    def coupon_event(self, member_id: str, coupon_id: str, event: str, at: float) -> None:
        """A phone tells that a coupon was delivered, opened or dismissed."""
        ...

    def present(self, member_id: str, coupon_id: str) -> str:
        """A phone asks for the token that the till's scanner reads."""
        ...

    def observe(self, store_id: str, observations: Sequence[Observed]) -> int:
        """A till reports; the number of observations taken."""
        ...

    def redeem(self, till: Till) -> bool:
        """A till redeems; False when the coupon is refused (expired, used, revoked)."""
        ...


class Courier(Protocol):
    """Carries a call to the backend and brings the answer back into the simulation."""

    def send(self, call: Callable[[], T]) -> simpy.Event:
        """An event whose value is the call's result, or None after a `BackendError`."""
        ...


class DirectCourier:
    """Makes every call at once, in the simulation's own thread; the simulation stays deterministic."""

    def __init__(self, env: simpy.Environment) -> None:
        self._env = env
        self.faults = 0

    def send(self, call: Callable[[], T]) -> simpy.Event:
        """An event that already has the call's result."""
        event = self._env.event()
        try:
            event.succeed(call())
        except BackendError:
            self.faults += 1
            event.succeed(None)
        return event
