"""A `Backend` over HTTP: the phones' and tills' side of the API that `lull serve` offers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from datetime import UTC, datetime
from typing import Any

from simulator.http import Http
from simulator.people import Person
from simulator.port import BackendError, CouponNotice, FixAnswer, FixReport, Observed, Till

REFUSED = frozenset({409, 410})
"""A till's redemption may be answered so: the coupon ended or was used between the look and the scan."""
SESSION_S = 15 * 60.0
"""Life of a session token in real seconds."""
REFRESH_BEFORE_S = 60.0
"""A session is renewed when fewer real seconds than this remain of it."""
PAGE = 500
"""Pushes asked for at once."""


def rfc3339(epoch_s: float) -> str:
    """A moment as the API writes it, in milliseconds."""
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def epoch(text: str) -> float:
    """Seconds since 1970 of an RFC 3339 time."""
    return datetime.fromisoformat(text).timestamp()


class HttpBackend:
    """Speaks for all phones and tills. `api` reaches the backend, `issuer` the emulator that signs ID tokens."""

    def __init__(self, api: Http, issuer: Http, people: Mapping[str, Person], till_key: str) -> None:
        self._api = api
        self._issuer = issuer
        self._people = people
        self._till_key = till_key
        self._sessions: dict[str, tuple[str, float]] = {}

    def sign_in_all(self, pool: Executor, signed_in: Callable[[int], None]) -> None:
        """Sign every member in and register their phones; `signed_in(n)` tells how many are done.

        Raises BackendError at the first that fails.
        """
        for count, _ in enumerate(pool.map(self._arrive, self._people.values()), start=1):
            signed_in(count)

    def post_fixes(self, member_id: str, fixes: Sequence[FixReport]) -> FixAnswer:
        """As `Backend`."""
        sent = [
            {
                "lat": fix.lat,
                "lng": fix.lng,
                "accuracy_m": fix.accuracy_m,
                "recorded_at": rfc3339(fix.recorded_at),
                "speed_mps": fix.speed_mps,
            }
            for fix in fixes
        ]
        answer = self._member(member_id, "POST", "/v1/me/fixes", {"fixes": sent}, what="post fixes", timed=True)
        return FixAnswer(
            accepted=answer["accepted"],
            rejected=tuple(one["reason"] for one in answer["rejected"]),
            reasons=tuple(one["reason"] for one in answer["decisions"]),
            coupons=tuple(_notice(one) for one in answer["coupons"]),
            report_in_s=float(answer["watch"]["report_in_s"]),
        )

    def coupon_event(self, member_id: str, coupon_id: str, event: str, at: float) -> None:
        """As `Backend`."""
        path = f"/v1/me/coupons/{coupon_id}/events"
        self._member(member_id, "POST", path, {"event": event, "at": rfc3339(at)}, what="coupon event")

    def present(self, member_id: str, coupon_id: str) -> str:
        """As `Backend`."""
        path = f"/v1/me/coupons/{coupon_id}/presentations"
        return str(self._member(member_id, "POST", path, {}, what="present coupon")["token"])

    def observe(self, store_id: str, observations: Sequence[Observed]) -> int:
        """As `Backend`."""
        items = [_observation(one) for one in observations]
        path = f"/v1/stores/{store_id}/observations"
        _, answer = self._api.call("POST", path, {"observations": items}, what="observe", bearer=self._till_key)
        return int(answer["accepted"])

    def redeem(self, till: Till) -> bool:
        """As `Backend`."""
        item = {"product_id": till.product_id, "quantity": 1, "unit_price_minor": till.unit_price_minor}
        body: dict[str, object] = {
            "store_id": till.store_id,
            "items": [item],
            "total_minor": till.unit_price_minor,
            "currency": till.currency,
        }
        shown = {"presentation": till.presentation} if till.presentation is not None else {"code": till.code}
        status, _ = self._api.call(
            "POST",
            "/v1/redemptions",
            body | shown,
            what="redeem",
            bearer=self._till_key,
            headers={"Idempotency-Key": till.key},
            expected=REFUSED,
        )
        return status not in REFUSED

    def _arrive(self, person: Person) -> None:
        device = {
            "registration": {"kind": "fid", "value": person.registration},
            "platform": person.platform,
            "locale": person.locale,
            "time_zone": person.time_zone,
        }
        self._member(person.member_id, "PUT", "/v1/me/device", device, what="register device")

    def _member(self, member_id: str, method: str, path: str, body: object, *, what: str, timed: bool = False) -> Any:
        token, ends = self._sessions.get(member_id, ("", 0.0))
        if ends - time.time() < REFRESH_BEFORE_S:
            token = self._sign_in(member_id)
        return self._api.call(method, path, body, what=what, bearer=token, timed=timed)[1]

    def _sign_in(self, member_id: str) -> str:
        uid = self._people[member_id].uid
        _, issued = self._issuer.call("POST", "/id-tokens", {"uid": uid}, what="get ID token")
        _, session = self._api.call("POST", "/v1/sessions", {"id_token": issued["id_token"]}, what="sign in")
        if session["member_id"] != member_id:
            raise BackendError("A member was signed in as somebody else: the members' import is not as expected.")
        # The end is on the real clock; counted from here, the two machines' clocks need not agree.
        self._sessions[member_id] = (session["token"], time.time() + SESSION_S)
        return str(session["token"])


def _notice(coupon: Mapping[str, Any]) -> CouponNotice:
    return CouponNotice(
        id=coupon["id"],
        code=coupon["code"],
        store_id=coupon["store_id"],
        product_id=coupon["product_id"],
        discount_minor=coupon["discount_minor"],
        currency=coupon["currency"],
        issued_at=epoch(coupon["issued_at"]),
        expires_at=epoch(coupon["expires_at"]),
    )


def _observation(one: Observed) -> dict[str, object]:
    item: dict[str, object] = {"kind": one.kind, "at": rfc3339(one.at), "value": one.value}
    return item if one.window_s is None else {**item, "window_s": round(one.window_s, 3)}


def follow_pushes(emulator: Http, delivered: Callable[[str, str], None], stopped: Callable[[], bool]) -> None:
    """Until `stopped()`, tell every push the emulator accepted as `delivered(registration, coupon_id)`."""
    seq = 0
    while not stopped():
        try:
            _, page = emulator.call("GET", f"/log?after={seq}&wait_ms=500&limit={PAGE}", what="follow pushes")
        except BackendError:
            time.sleep(0.2)
            continue
        for entry in page["items"]:
            seq = entry["seq"]
            if entry["message_id"] is not None and "coupon_id" in entry["data"]:
                delivered(entry["registration"], entry["data"]["coupon_id"])
