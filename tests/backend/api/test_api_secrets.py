"""The installation's secret is replaced without a member or a till taking notice."""

from __future__ import annotations

import pytest

from backend.service.services import services
from tests.backend.api.world import BASKET, SECRET, Lull

NEXT = "the next secret for tests, long enough"


def restart(lull: Lull, secret: str, previous: str | None) -> None:
    """The same chain behind an application with other secrets."""
    lull.services = services(lull.ports, lull.clock, secret, lull.limiter, previous)
    lull.app = lull.build()
    lull.client = lull.app.test_client()


@pytest.mark.parametrize("previous", [SECRET, None])
def test_sessions_codes_and_presentations_outlive_their_secret_while_it_is_named(
    lull: Lull, previous: str | None
) -> None:
    coupon = lull.issue()
    token = lull.post(f"/v1/me/coupons/{coupon['id']}/presentations", {}, lull.member).get_json()["token"]
    restart(lull, NEXT, previous)
    good = previous is not None
    assert lull.get("/v1/me/coupons", lull.member).status_code == (200 if good else 401)
    scanned = lull.post("/v1/redemptions", BASKET | {"presentation": token}, lull.till, once="sale-1")
    assert scanned.status_code == (201 if good else 409)
    typed = lull.post("/v1/redemptions", BASKET | {"code": coupon["code"]}, lull.till, once="sale-2")
    assert (typed.status_code, typed.get_json()["type"]) == (
        (409, "/problems/coupon_used") if good else (404, "/problems/coupon_unknown")
    )


def test_a_coupon_shows_the_code_that_was_issued(lull: Lull) -> None:
    coupon = lull.issue()
    restart(lull, NEXT, SECRET)
    shown = lull.get(f"/v1/me/coupons/{coupon['id']}", lull.member).get_json()
    assert shown == coupon
    assert lull.post("/v1/redemptions", BASKET | {"code": shown["code"]}, lull.till, once="sale-1").status_code == 201
