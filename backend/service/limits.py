"""How much of something one credential, address or terminal may do: all rates in one place."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Literal, Protocol

from backend.service.errors import TooMany, Unavailable
from backend.service.model import Key
from backend.service.ports import Clock

TOLERANCE_S = 1e-3
"""Much more than sums of times lose by rounding, and much less than anybody waits."""
_HOUSEHOLD_BITS = 64
"""An IPv6 customer has all addresses that begin with the same so many bits."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`most` in `seconds`: so many at once, then one more whenever its share of the seconds has passed."""

    name: str
    most: int
    seconds: float

    @property
    def step_s(self) -> float:
        """Seconds after which one more may happen."""
        return self.seconds / self.most


ROLES: dict[Literal["member", "device", "till", "marketer", "analyst", "admin"], Rate] = {
    "member": Rate("member", 120, 60.0),
    "device": Rate("device", 600, 60.0),  # these apps send what piled up while they were offline one by one
    "till": Rate("till", 6_000, 60.0),  # one key may serve all tills of a chain
    "marketer": Rate("marketer", 600, 60.0),
    "analyst": Rate("analyst", 600, 60.0),
    "admin": Rate("admin", 600, 60.0),
}
"""Requests of one credential; of a member all sessions together, and all device keys."""
SESSIONS = Rate("sessions", 1_200, 60.0)
"""Sessions opened from one address: many phones may share one, and checking an ID token costs some 2 ms."""
REFUSED = Rate("refused", 120, 60.0)
"""Requests from one address without a good credential."""
TERMINAL = Rate("terminal", 60, 60.0)
"""Redemptions tried at one terminal."""


def take(rate: Rate, empty_at: float, real_now: float) -> tuple[float, float]:
    """Count one: when all that was counted will have been worked off, and 0 or the seconds to wait; then none counts.

    The generic cell rate algorithm in its form as a virtual schedule (ITU-T I.371, annex A): each counted one takes a
    step of time, and at most `rate.seconds` may lie ahead. What lies further ahead comes from a clock set back.
    """
    busy_until = min(max(empty_at, real_now), real_now + rate.seconds)
    wait_s = busy_until + rate.step_s - real_now - rate.seconds
    return (busy_until, wait_s) if wait_s > TOLERANCE_S else (busy_until + rate.step_s, 0.0)


class Limiter(Protocol):
    """Counts, for all processes together where there are several. What it knows is volatile."""

    def take(self, rate: Rate, who: str, real_now: float) -> float:
        """Count one of `who`, atomically, and answer 0; or the seconds to wait, and nothing is counted.

        Raises Unavailable.
        """


class Limits:
    """Refuses what is too much.

    When counts cannot be had, what guards against guessing (sessions, bad credentials, redemptions) refuses, and what
    guards against load lets pass: a chain must be able to stop its offers then.
    """

    def __init__(self, limiter: Limiter, clock: Clock) -> None:
        self._limiter = limiter
        self._clock = clock

    def member(self, member_id: str) -> None:
        """Count a request with a session. Raises TooMany."""
        self._load("member", member_id)

    def device(self, member_id: str) -> None:
        """Count a request with a device key of the member. Raises TooMany."""
        self._load("device", member_id)

    def key(self, key: Key) -> None:
        """Count a request with an API key. Raises TooMany."""
        self._load(key.role, key.id)

    def session(self, address: str | None) -> None:
        """Count a session asked for. Raises TooMany, or Unavailable."""
        self._guard(SESSIONS, _household(address), "too many sessions are opened from this address")

    def refused(self, address: str | None) -> None:
        """Count a request whose credential was not good. Raises TooMany, or Unavailable."""
        self._guard(REFUSED, _household(address), "too many requests without a good credential from this address")

    def redemption(self, key: Key, store_id: str, terminal: str | None) -> None:
        """Count a redemption tried at a terminal. Raises TooMany, or Unavailable."""
        who = "/".join((key.id, store_id, terminal or ""))
        self._guard(TERMINAL, who, "too many redemptions at this terminal")

    def _load(self, role: Literal["member", "device", "till", "marketer", "analyst", "admin"], who: str) -> None:
        try:
            wait_s = self._limiter.take(ROLES[role], who, self._clock.real())
        except Unavailable:
            return
        if wait_s:
            raise _too_many("too many requests with this credential", wait_s)

    def _guard(self, rate: Rate, who: str, what: str) -> None:
        wait_s = self._limiter.take(rate, who, self._clock.real())
        if wait_s:
            raise _too_many(what, wait_s)


def _too_many(what: str, wait_s: float) -> TooMany:
    return TooMany("too_many_requests", f"{what}: wait as long as Retry-After says", wait_s)


def _household(address: str | None) -> str:
    """Who is behind an address, as far as it tells: an IPv6 network, or the address."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return ""  # all who cannot be told apart count together
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or IPv6Address(int(found) >> _HOUSEHOLD_BITS << _HOUSEHOLD_BITS))
    return str(found)
