"""What somebody who means harm, or knows no better, sends."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest

from tests.backend.api.world import CAMPAIGN, OFFER, STORE, Lull, arrival, fix, stamp

LNG, LAT = STORE["lng"], STORE["lat"]


@pytest.fixture
def lull() -> Lull:
    lull = Lull()
    lull.open_chain()
    lull.willing_member()
    return lull


def ring(*steps: tuple[float, float], lng: float = LNG, lat: float = LAT) -> list[list[float]]:
    """A ring around a place, from steps in thousandths of a degree."""
    return [[lng + east / 1000, lat + north / 1000] for east, north in steps]


SQUARE = ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))
BOWTIE = ((-1, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
LINE = ((-1, -1), (1, 1), (-1, -1), (-1, -1))
FINE = tuple((n / 1000, (n * n) / 1_000_000) for n in range(1200))


@pytest.mark.parametrize(
    "rings",
    [
        [ring(*BOWTIE)],
        [ring(*LINE)],
        [ring(*SQUARE), ring(*SQUARE, lng=LNG + 0.1)],
        [ring(*SQUARE, lng=LNG - 90)],
        [ring(*FINE[:600], FINE[0]), ring(*FINE[:600], FINE[0])],
    ],
    ids=["crossing itself", "without an inside", "a hole outside", "on another continent", "too fine"],
)
def test_a_fence_that_makes_no_sense_is_refused(lull: Lull, rings: list[Any]) -> None:
    fence = {"type": "MultiPolygon", "coordinates": [rings]}
    body = {name: value for name, value in STORE.items() if name != "radius_m"} | {"fence": fence}
    answer = lull.post("/v1/stores", body, lull.marketer)
    assert answer.status_code == 422
    assert str(LNG)[:6] not in answer.get_data(as_text=True)


def test_a_store_that_never_closes_gives_coupons_like_others(lull: Lull) -> None:
    endless = {"hours": "Mo-Fr 00:00-24:00; Sa,Su 00:00-24:00"}
    assert lull.patch("/v1/stores/kamppi", endless, lull.marketer).status_code == 200
    answer = lull.post("/v1/me/fixes", {"fixes": arrival()}, lull.member).get_json()
    assert answer["decisions"][0]["reason"] == "offered"


@pytest.mark.parametrize(
    "moment", ["60.123456", "20261231", "2027", "2026-06-03", "2026-06-03T14:00Z", "2026-W23-2T14:00:00Z"]
)
def test_a_time_that_rfc_3339_does_not_know_is_refused(lull: Lull, moment: str) -> None:
    answer = lull.post("/v1/me/fixes", {"fixes": [fix(recorded_at=moment)]}, lull.member)
    assert (answer.status_code, moment in answer.get_data(as_text=True)) == (422, False)
    campaign = CAMPAIGN | {"id": "other", "ends_at": moment}
    assert lull.post("/v1/campaigns", campaign, lull.marketer).status_code == 422


@pytest.mark.parametrize("moment", ["2026-06-02t14:00:00z", "2026-06-02T16:00:00.5+02:00", "2026-06-02 14:00:00Z"])
def test_every_form_of_rfc_3339_is_taken(lull: Lull, moment: str) -> None:
    answer = lull.post("/v1/me/fixes", {"fixes": [fix(recorded_at=moment)]}, lull.member)
    assert (answer.status_code, answer.get_json()["accepted"]) == (200, 1)


def test_an_offer_that_no_push_can_carry_is_refused(lull: Lull) -> None:
    large = OFFER | {"body": "\N{HOT BEVERAGE}" * 900}
    assert lull.post("/v1/offers", large, lull.marketer).get_json()["type"] == "/problems/message_size"


def test_an_unknown_field_of_a_message_is_not_repeated(lull: Lull) -> None:
    answer = lull.post("/v1/offers", OFFER | {"body": "{Zaphod}"}, lull.marketer)
    assert (answer.status_code, "Zaphod" in answer.get_data(as_text=True)) == (422, False)


def test_a_body_of_unknown_length_is_not_cut_without_a_word(lull: Lull) -> None:
    body = b'{"fixes": []}' + b" " * (2 << 20)
    answer = lull.client.post(
        "/v1/me/fixes",
        input_stream=BytesIO(body),
        environ_overrides={"wsgi.input_terminated": True},
        headers={"Authorization": f"Bearer {lull.member}", "Content-Type": "application/json"},
    )
    assert answer.status_code == 413


def test_a_store_may_have_a_slash_in_its_id(lull: Lull) -> None:
    assert lull.post("/v1/stores", STORE | {"id": "node/17"}, lull.marketer).status_code == 201
    for path in ("/v1/stores/node/17", "/v1/stores/node%2F17"):
        assert lull.get(path, lull.marketer).get_json()["id"] == "node/17"
    seen = {"observations": [{"kind": "queue_length", "at": stamp(), "value": 0}]}
    assert lull.post("/v1/stores/node/17/observations", seen, lull.admin).status_code == 202


def test_no_answer_leads_to_another_host(lull: Lull) -> None:
    answer = lull.client.get("/v1//stores", headers={"Host": "evil.example"})
    assert (answer.status_code, "evil" in str(answer.headers)) == (404, False)
