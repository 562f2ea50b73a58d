"""The requests that are measured, as the bytes that go over the wire."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from benchmarks.app import EMPTY
from benchmarks.world import World
from stores.model import Position

BATCH = 100
FIXES = "/v1/me/fixes"
_STEP = timedelta(microseconds=100)
_CONFIRMED = timedelta(seconds=15)
"""A second fix so much later confirms the first, and the member has entered."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is measured: its name, and a text that every right answer has in its body."""

    name: str
    expect: bytes


EMPTY_ROUTE = Case("empty route", b'"ok":true')
OUTSIDE = Case("one fix outside all fences", b'"accepted":1,"rejected":[],"decisions":[],"coupons":[]')
COUPON = Case("two fixes that issue a coupon", b'"outcome":"issued"')
HUNDRED = Case("100 fixes outside all fences", b'"accepted":100,"rejected":[],"decisions":[]')
CASES = (EMPTY_ROUTE, OUTSIDE, COUPON, HUNDRED)


class Requests:
    """Makes requests for every case; each is sent once, and a member's fixes are in order of time."""

    def __init__(self, world: World, entering: Sequence[str]) -> None:
        self._world = world
        self._number = 0
        self._entering = iter(entering)
        # A minute ago: every fix is fresh, and a member's next one is never older than the one before.
        self._from = world.domain_now() - timedelta(seconds=60)

    def take(self, case: Case, count: int) -> Sequence[bytes]:
        """The next `count` requests; fewer when no more members are left to enter a fence."""
        if case is EMPTY_ROUTE:
            return [_request("GET", EMPTY, None, b"")] * count
        if case is COUPON:
            return list(self._enter(count))
        return [self._outside(BATCH if case is HUNDRED else 1) for _ in range(count)]

    def _outside(self, fixes: int) -> bytes:
        self._number += 1
        token = self._world.reporting[self._number % len(self._world.reporting)]
        # A member's turn comes after 400 others, 40 ms later by these times; a batch spans 10 ms.
        first = self._from + self._number * _STEP
        moments = [first + number * _STEP for number in range(fixes)]
        return report(token, [fix(self._world.outside, at) for at in moments])

    def _enter(self, count: int) -> Iterator[bytes]:
        at = self._world.domain_now()
        for token in islice(self._entering, count):
            self._number += 1
            here = self._world.inside[self._number % len(self._world.inside)]
            yield report(token, [fix(here, at - _CONFIRMED), fix(here, at)])


def fix(position: Position, at: datetime) -> dict[str, object]:
    """One fix as phones send it."""
    recorded = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    place = {"lat": round(position.lat, 6), "lng": round(position.lng, 6)}
    return {**place, "accuracy_m": 12.5, "recorded_at": recorded, "speed_mps": 1.2}


def report(token: str, fixes: Sequence[dict[str, object]]) -> bytes:
    """A whole request that reports fixes."""
    return _request("POST", FIXES, token, json.dumps({"fixes": fixes}, separators=(",", ":")).encode())


def _request(method: str, path: str, token: str | None, body: bytes) -> bytes:
    head = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
    if token is not None:
        head += [f"Authorization: Bearer {token}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    return ("\r\n".join(head) + "\r\n\r\n").encode() + body
