"""What tills can do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from backend.service.errors import InFlight
from tests.backend.api.world import BASKET, OFFER, STORE, Lull, arrival, stamp


def test_a_typed_code_is_redeemed_once(lull: Lull) -> None:
    coupon = lull.issue()
    body = BASKET | {"code": coupon["code"].lower().replace("-", " ")}
    first = lull.post("/v1/redemptions", body, lull.till, once="sale-1")
    assert first.status_code == 201
    said = first.get_json()
    assert (said["coupon_id"], said["discount_minor"], said["to_pay_minor"]) == (coupon["id"], 100, 300)
    assert said["print"] == "Cappuccino: 1.00 EUR off, 3.00 EUR to pay"
    assert lull.post("/v1/redemptions", body, lull.till, once="sale-1").get_json() == said
    again = lull.post("/v1/redemptions", body, lull.till, once="sale-2")
    assert (again.status_code, again.get_json()["type"]) == (409, "/problems/coupon_used")


def test_a_scanned_presentation_is_redeemed(lull: Lull) -> None:
    coupon = lull.issue()
    shown = lull.post(f"/v1/me/coupons/{coupon['id']}/presentations", {}, lull.member)
    assert shown.status_code == 201
    body = BASKET | {"presentation": shown.get_json()["token"]}
    assert lull.post("/v1/redemptions", body, lull.till, once="sale-1").status_code == 201
    assert lull.get(f"/v1/me/coupons/{coupon['id']}", lull.member).get_json()["state"] == "redeemed"
    again = lull.post("/v1/redemptions", body, lull.till, once="sale-2")
    assert (again.status_code, again.get_json()["type"]) == (409, "/problems/coupon_used")


@pytest.mark.parametrize("seconds", [59.0, 61.0])
def test_a_presentation_is_good_for_a_minute_of_real_time(lull: Lull, seconds: float) -> None:
    coupon = lull.issue()
    token = lull.post(f"/v1/me/coupons/{coupon['id']}/presentations", {}, lull.member).get_json()["token"]
    lull.clock.real_moved = seconds
    answer = lull.post("/v1/redemptions", BASKET | {"presentation": token}, lull.till, once="sale-1")
    assert answer.status_code == (201 if seconds < 60 else 409)
    if seconds > 60:
        assert answer.get_json()["type"] == "/problems/presentation_expired"


def test_making_a_presentation_is_noted(lull: Lull) -> None:
    coupon = lull.issue()
    lull.post(f"/v1/me/coupons/{coupon['id']}/presentations", {}, lull.member)
    assert lull.get(f"/v1/me/coupons/{coupon['id']}", lull.member).get_json()["state"] == "presented"


def test_a_till_learns_nothing_of_coupons_of_another_store_used_or_not(lull: Lull) -> None:
    coupon = lull.issue()
    assert lull.post("/v1/stores", STORE | {"id": "kallio", "name": "Lull Kallio"}, lull.marketer).status_code == 201
    other, there = lull.key("till", {"kallio"}), BASKET | {"store_id": "kallio"}
    token = lull.post(f"/v1/me/coupons/{coupon['id']}/presentations", {}, lull.member).get_json()["token"]
    shown = [{"code": "0000-0000-0000-0"}, {"code": coupon["code"]}, {"presentation": token}]
    answers = [lull.post("/v1/redemptions", there | each, other, once=f"k{n}") for n, each in enumerate(shown)]
    lull.post("/v1/redemptions", BASKET | {"code": coupon["code"]}, lull.till, once="right")
    answers.append(lull.post("/v1/redemptions", there | {"code": coupon["code"]}, other, once="used"))
    assert {(each.status_code, each.data) for each in answers} == {(404, answers[0].data)}
    both = lull.key("till", {"kallio", "kamppi"})
    answer = lull.post("/v1/redemptions", there | {"code": coupon["code"]}, both, once="both")
    assert answer.get_json()["type"] == "/problems/coupon_used"


def test_a_coupon_for_those_present_wants_the_phone_in_the_store(lull: Lull) -> None:
    lull.open_chain()
    assert lull.post("/v1/offers", OFFER | {"only_present": True}, lull.marketer).status_code == 200
    lull.willing_member()
    coupon = lull.post("/v1/me/fixes", {"fixes": arrival()}, lull.member).get_json()["coupons"][0]
    assert coupon["only_present"] is True
    assert lull.post("/v1/offers", OFFER, lull.marketer).status_code == 200
    body = BASKET | {"code": coupon["code"]}
    lull.ports.presence.forget(next(iter(lull.world.members)))
    away = lull.post("/v1/redemptions", body, lull.till, once="away")
    assert (away.status_code, away.get_json()["type"]) == (409, "/problems/not_present")
    lull.post("/v1/me/fixes", {"fixes": arrival()}, lull.member)
    assert lull.post("/v1/redemptions", body, lull.till, once="here").status_code == 201


def test_a_sale_with_a_number_is_booked_once(lull: Lull) -> None:
    coupon = lull.issue()
    first = lull.post("/v1/redemptions", BASKET | {"code": coupon["code"], "sale_id": "r-1"}, lull.till, once="k1")
    assert first.status_code == 201
    booked = lull.post("/v1/purchases", BASKET | {"at": stamp(), "sale_id": "r-1"}, lull.till, once="k2")
    assert (booked.status_code, booked.get_json()["type"]) == (409, "/problems/purchase_exists")
    assert len(lull.world.purchases) == 1


def test_a_part_of_a_sale_is_returned(lull: Lull) -> None:
    coupon = lull.issue()
    bun = {"product_id": "bun", "quantity": 2, "unit_price_minor": 350}
    body = BASKET | {"code": coupon["code"], "items": [*BASKET["items"], bun], "total_minor": 1100}
    done = lull.post("/v1/redemptions", body, lull.till, once="sale-1").get_json()
    path = f"/v1/redemptions/{done['id']}/rollback"
    part = {"reason": "cold", "items": [bun | {"quantity": 1}]}
    said = lull.post(path, part, lull.till, once="undo-1").get_json()
    assert (said["refund_minor"], said["to_pay_minor"], said["rolled_back"]) == (350, 650, False)
    assert said["print"] == "Returned: 3.50 EUR to refund, 6.50 EUR paid for the rest"
    wrong = lull.post(path, part | {"items": [bun]}, lull.till, once="undo-2")
    assert (wrong.status_code, wrong.get_json()["type"]) == (422, "/problems/not_bought")
    assert lull.post(path, {"reason": "cold", "items": []}, lull.till, once="undo-3").status_code == 422


@pytest.mark.parametrize(
    ("currency", "first", "last"),
    [
        ("EUR", "4.00 EUR to refund, 2.50 EUR paid for the rest", "2.50 EUR to refund, 0.00 EUR paid for the rest"),
        ("JPY", "400 JPY to refund, 250 JPY paid for the rest", "250 JPY to refund, 0 JPY paid for the rest"),
    ],
)
def test_what_a_till_took_off_itself_stays_off_what_is_kept(lull: Lull, currency: str, first: str, last: str) -> None:
    """The example of docs/tills.md: two cappuccinos for 7.50 instead of 8.00, and a coupon that takes 1.00 off."""
    coupon, (one,) = lull.issue(currency), BASKET["items"]
    sold = BASKET | {"items": [one | {"quantity": 2}], "total_minor": 750, "currency": currency}
    done = lull.post("/v1/redemptions", sold | {"code": coupon["code"]}, lull.till, once="sale-1").get_json()
    part, path = {"reason": "cold", "items": [one]}, f"/v1/redemptions/{done['id']}/rollback"
    back = [lull.post(path, part, lull.till, once=f"undo-{number}").get_json() for number in (1, 2)]
    assert (done["discount_minor"], done["to_pay_minor"]) == (100, 650)
    assert [each["refund_minor"] for each in back] == [400, 250]
    assert [each["print"] for each in back] == [f"Returned: {first}", f"Returned: {last}"]


def test_one_idempotency_key_is_good_for_one_request(lull: Lull) -> None:
    coupon = lull.issue()
    lull.post("/v1/redemptions", BASKET | {"code": coupon["code"]}, lull.till, once="sale-1")
    other = BASKET | {"code": coupon["code"], "total_minor": 500}
    answer = lull.post("/v1/redemptions", other, lull.till, once="sale-1")
    assert (answer.status_code, answer.get_json()["type"]) == (422, "/problems/idempotency_key_reused")


def test_one_idempotency_key_is_good_for_one_redemption_to_roll_back(lull: Lull) -> None:
    first, other = (
        lull.post(f"/v1/redemptions/{name}/rollback", {"reason": "cold"}, lull.till, once="undo-1") for name in "ab"
    )
    assert (first.status_code, first.get_json()["type"]) == (404, "/problems/redemption_unknown")
    assert (other.status_code, other.get_json()["type"]) == (422, "/problems/idempotency_key_reused")


def test_a_refusal_is_answered_alike_when_it_is_asked_again(lull: Lull) -> None:
    coupon = lull.issue()
    body = BASKET | {"code": coupon["code"], "items": [BASKET["items"][0] | {"product_id": "tea"}]}
    first = lull.post("/v1/redemptions", body, lull.till, once="sale-1")
    assert (first.status_code, first.get_json()["type"]) == (409, "/problems/product_missing")
    lull.clock.moved = 3600.0
    again = lull.post("/v1/redemptions", body, lull.till, once="sale-1")
    assert (again.status_code, again.data) == (409, first.data)
    assert lull.post("/v1/redemptions", body, lull.till, once="sale-2").get_json()["type"] == "/problems/coupon_expired"


def test_a_scan_that_was_redeemed_is_answered_alike_after_its_token_ended(lull: Lull) -> None:
    coupon = lull.issue()
    token = lull.post(f"/v1/me/coupons/{coupon['id']}/presentations", {}, lull.member).get_json()["token"]
    first = lull.post("/v1/redemptions", BASKET | {"presentation": token}, lull.till, once="sale-1")
    lull.clock.real_moved = 120.0
    again = lull.post("/v1/redemptions", BASKET | {"presentation": token}, lull.till, once="sale-1")
    assert (again.status_code, again.data) == (201, first.data)


def test_a_purchase_is_answered_alike_when_its_time_has_become_too_old(lull: Lull) -> None:
    lull.open_chain()
    body = BASKET | {"at": stamp(-86_000)}
    first = lull.post("/v1/purchases", body, lull.till, once="sale-1")
    lull.clock.moved = 3600.0
    again = lull.post("/v1/purchases", body, lull.till, once="sale-1")
    assert (again.status_code, again.data) == (first.status_code, first.data) == (201, first.data)
    assert lull.post("/v1/purchases", body, lull.till, once="sale-2").get_json()["type"] == "/problems/too_old"


def test_who_asks_while_the_first_request_is_under_way_is_told_to_wait_a_second(
    lull: Lull, monkeypatch: pytest.MonkeyPatch
) -> None:
    def under_way(*_: Any) -> None:
        raise InFlight("request_in_flight", "this request is being worked on: ask again in a second")

    coupon = lull.issue()
    body = BASKET | {"code": coupon["code"]}
    with monkeypatch.context() as patched:
        patched.setattr(type(lull.ports.ledger), "redeem", under_way)
        answer = lull.post("/v1/redemptions", body, lull.till, once="sale-1")
    assert (answer.status_code, answer.get_json()["type"]) == (409, "/problems/request_in_flight")
    assert answer.headers["Retry-After"] == "1"
    assert lull.post("/v1/redemptions", body, lull.till, once="sale-1").status_code == 201


def test_a_redemption_is_rolled_back(lull: Lull) -> None:
    coupon = lull.issue()
    done = lull.post("/v1/redemptions", BASKET | {"code": coupon["code"]}, lull.till, once="sale-1").get_json()
    path = f"/v1/redemptions/{done['id']}/rollback"
    answer = lull.post(path, {"reason": "wrong basket"}, lull.till, once="undo-1")
    assert answer.status_code == 201
    said = answer.get_json()
    assert (said["refund_minor"], said["to_pay_minor"], said["rolled_back"]) == (300, 0, True)
    assert said["print"] == "Returned: 3.00 EUR to refund, 0.00 EUR paid for the rest"
    assert lull.post("/v1/redemptions/none/rollback", {"reason": "x"}, lull.till, once="undo-2").status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/redemptions", BASKET | {"code": "0000-0000-0000-0"}),
        ("/v1/redemptions/r_1/rollback", {"reason": "wrong basket"}),
        ("/v1/purchases", BASKET | {"at": stamp()}),
    ],
)
def test_money_wants_an_idempotency_key(lull: Lull, path: str, body: dict[str, Any]) -> None:
    answer = lull.post(path, body, lull.till)
    assert answer.status_code == 400
    assert answer.get_json()["type"] == "/problems/idempotency_key_missing"
    assert lull.post(path, body, lull.till, once="k" * 256).get_json()["type"] == "/problems/idempotency_key_invalid"


def test_a_code_that_is_none_is_not_found(lull: Lull) -> None:
    lull.open_chain()
    answer = lull.post("/v1/redemptions", BASKET | {"code": "hello"}, lull.till, once="sale-1")
    assert (answer.status_code, answer.get_json()["type"]) == (404, "/problems/coupon_unknown")


@pytest.mark.parametrize("shown", [{}, {"code": "A", "presentation": "B"}])
def test_a_coupon_is_shown_in_one_way(lull: Lull, shown: dict[str, str]) -> None:
    answer = lull.post("/v1/redemptions", BASKET | shown, lull.till, once="sale-1")
    assert answer.status_code == 422
    assert answer.get_json()["errors"] == [{"field": "", "message": "give either code or presentation"}]


def test_a_purchase_is_booked_once(lull: Lull) -> None:
    lull.open_chain()
    body = BASKET | {"at": stamp(), "member_id": next(iter(lull.world.members))}
    first = lull.post("/v1/purchases", body, lull.till, once="sale-1")
    assert first.status_code == 201
    assert lull.post("/v1/purchases", body, lull.till, once="sale-1").get_json() == first.get_json()
    assert lull.post("/v1/purchases", body, lull.till, once="sale-2").get_json() != first.get_json()
    assert len(lull.world.purchases) == 2


def test_a_purchase_of_nobody_known_is_refused(lull: Lull) -> None:
    lull.open_chain()
    answer = lull.post("/v1/purchases", BASKET | {"at": stamp(), "member_id": "nobody"}, lull.till, once="sale-1")
    assert (answer.status_code, answer.get_json()["type"]) == (422, "/problems/member_unknown")


def test_a_till_acts_for_its_own_store_only(lull: Lull) -> None:
    lull.open_chain()
    body = BASKET | {"at": stamp(), "store_id": "kallio"}
    answer = lull.post("/v1/purchases", body, lull.till, once="sale-1")
    assert (answer.status_code, answer.get_json()["type"]) == (403, "/problems/store_not_yours")


def test_every_kind_of_observation_is_kept(lull: Lull) -> None:
    lull.open_chain()
    at = stamp()
    observations = [
        {"kind": "arrivals", "at": at, "value": 7, "window_s": 120},
        {"kind": "queue_length", "at": at, "value": 2},
        {"kind": "headcount", "at": at, "value": 9},
        {"kind": "staff", "at": at, "value": 3},
        {"kind": "sold_out", "at": at, "product_id": "espresso", "value": 1},
    ]
    answer = lull.post("/v1/stores/kamppi/observations", {"observations": observations}, lull.till)
    assert (answer.status_code, answer.get_json()) == (202, {"accepted": 5})


def test_tills_of_one_store_that_report_at_the_same_moment_do_not_undo_each_other(lull: Lull) -> None:
    lull.open_chain()
    lull.world.observations.clear()
    at = stamp()
    observations = [
        {"kind": "arrivals", "at": at, "value": 4, "window_s": 600},
        {"kind": "queue_length", "at": at, "value": 1},
    ]
    tills: list[tuple[str, dict[str, Any]]] = [
        (lull.till, {}),
        (lull.till, {"terminal": "bar"}),
        (lull.till, {"terminal": "bar"}),
        (lull.key("till", {"kamppi"}), {"terminal": "bar"}),
    ]
    for key, more in tills:
        body = {"observations": observations} | more
        assert lull.post("/v1/stores/kamppi/observations", body, key).status_code == 202
    now = lull.clock.now()
    found = lull.ports.chain.traffic("kamppi", now - timedelta(minutes=20), now, 0)
    assert found is not None
    assert (found.arrivals, found.waiting, round(found.observed_s)) == (12, 3, 600)


@pytest.mark.parametrize("terminal", ["", "a/b", "a b", "x" * 65, 7])
def test_a_terminal_has_a_short_plain_name(lull: Lull, terminal: Any) -> None:
    lull.open_chain()
    body = {"terminal": terminal, "observations": [{"kind": "staff", "at": stamp(), "value": 1}]}
    answer = lull.post("/v1/stores/kamppi/observations", body, lull.till)
    assert (answer.status_code, answer.get_json()["errors"][0]["field"]) == (422, "terminal")


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "arrivals", "value": 7},
        {"kind": "staff", "value": 3, "window_s": 60},
        {"kind": "sold_out", "value": 1},
        {"kind": "sold_out", "value": 2, "product_id": "espresso"},
        {"kind": "staff", "value": 1.5},
        {"kind": "staff", "value": -1},
        {"kind": "mood", "value": 1},
    ],
)
def test_an_observation_that_makes_no_sense_is_refused(lull: Lull, wrong: dict[str, Any]) -> None:
    lull.open_chain()
    body = {"observations": [{"at": stamp()} | wrong]}
    answer = lull.post("/v1/stores/kamppi/observations", body, lull.till)
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"].startswith("observations.0")


def test_observations_of_the_future_are_refused(lull: Lull) -> None:
    lull.open_chain()
    body = {"observations": [{"kind": "staff", "at": stamp(3600), "value": 1}]}
    answer = lull.post("/v1/stores/kamppi/observations", body, lull.till)
    assert (answer.status_code, answer.get_json()["type"]) == (422, "/problems/in_the_future")
