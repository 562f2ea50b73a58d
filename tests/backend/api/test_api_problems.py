"""What goes wrong is told in one shape, and never with what was sent."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from backend.service.errors import TooMany, Unavailable
from tests.backend.api.world import LAT, LNG, Lull, fix

PROBLEM = "application/problem+json"


def fixes(lull: Lull, body: Any) -> Any:
    """Report fixes."""
    return lull.post("/v1/me/fixes", body, lull.member)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"lat": 90.1}, "lat"),
        ({"lat": "60.1"}, "lat"),
        ({"lng": -180.5}, "lng"),
        ({"accuracy_m": 0}, "accuracy_m"),
        ({"accuracy_m": 100_001}, "accuracy_m"),
        ({"recorded_at": "2026-06-02T14:00:00"}, "recorded_at"),
        ({"recorded_at": "1969-12-31T23:59:59Z"}, "recorded_at"),
        ({"recorded_at": "2100-01-01T00:00:00Z"}, "recorded_at"),
        ({"recorded_at": 1780408800}, "recorded_at"),
        ({"speed_mps": -2}, "speed_mps"),
        ({"mocked": 1}, "mocked"),
        ({"altitude": 3}, "altitude"),
    ],
)
def test_a_wrong_fix_is_told_by_its_field(lull: Lull, changes: dict[str, Any], field: str) -> None:
    answer = fixes(lull, {"fixes": [fix(), fix(), fix(**changes)]})
    assert (answer.status_code, answer.content_type) == (422, PROBLEM)
    said = answer.get_json()
    assert (said["type"], said["title"], said["status"]) == (
        "/problems/invalid_fields",
        HTTPStatus(422).phrase,
        422,
    )
    assert [error["field"] for error in said["errors"]] == [f"fixes.2.{field}"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none_are_refused(lull: Lull, number: str) -> None:
    text = json.dumps({"fixes": [fix(lat=12345)]}).replace("12345", number)
    answer = lull.call("POST", "/v1/me/fixes", lull.member, data=text, content_type="application/json")
    assert answer.status_code in (400, 422)


@pytest.mark.parametrize(
    "body",
    [
        {"fixes": [fix(lat=160.16952, lng="24.93354")]},
        {"fixes": [{"60.16952,24.93354": 1}]},
        {"60.16952": "24.93354"},
        {"fixes": ["60.16952 24.93354"]},
        {"fixes": [fix(accuracy_m=-24.93354, recorded_at="60.16952")]},
        [60.16952, 24.93354],
    ],
)
def test_no_coordinate_comes_back_in_an_error(lull: Lull, body: Any) -> None:
    answer = fixes(lull, body)
    assert answer.status_code == 422
    assert "16952" not in answer.text
    assert "93354" not in answer.text


def test_a_body_that_is_not_json_is_unreadable(lull: Lull) -> None:
    for data in (b"", b"{", b'{"fixes": [60.16952', b"\xff\xfe", b'"\\ud800"', b"[" * 5000):
        answer = lull.call("POST", "/v1/me/fixes", lull.member, data=data, content_type="application/json")
        assert (answer.status_code, answer.get_json()["type"]) == (400, "/problems/json_unreadable")
        assert "16952" not in answer.text


def test_another_content_type_is_refused(lull: Lull) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", None):
        answer = lull.call("POST", "/v1/me/fixes", lull.member, data=b"{}", content_type=kind)
        assert (answer.status_code, answer.content_type) == (415, PROBLEM)
    good = "application/json; charset=utf-8"
    assert lull.call("POST", "/v1/me/fixes", lull.member, data=b"{}", content_type=good).status_code == 422


def test_a_thousand_fixes_fit_and_no_more(lull: Lull) -> None:
    lull.open_chain()
    assert fixes(lull, {"fixes": [fix()] * 1000}).status_code == 200
    assert fixes(lull, {"fixes": [fix()] * 1001}).get_json()["errors"][0]["field"] == "fixes"
    assert fixes(lull, {"fixes": []}).status_code == 422


def test_a_body_beyond_a_mebibyte_is_too_large(lull: Lull) -> None:
    data = b'{"fixes": "' + b"x" * (1 << 20) + b'"}'
    answer = lull.call("POST", "/v1/me/fixes", lull.member, data=data, content_type="application/json")
    assert (answer.status_code, answer.get_json()["type"]) == (413, "/problems/too_large")


def test_unknown_query_parameters_are_refused(lull: Lull) -> None:
    assert lull.get("/v1/me/coupons?colour=red", lull.member).get_json()["errors"] == [
        {"field": "colour", "message": "This field is not known"}
    ]
    for query in ("limit=0", "limit=1001", "limit=ten", "limit=1&limit=2", "cursor=", "cursor=%00", "60.16952=1"):
        answer = lull.get(f"/v1/stores?{query}", lull.marketer)
        assert answer.status_code == 422, query
        assert "16952" not in answer.text


def test_unknown_routes_and_methods_are_problems_too(lull: Lull) -> None:
    nowhere = lull.get("/v1/nowhere", None)
    assert (nowhere.status_code, nowhere.content_type) == (404, PROBLEM)
    assert nowhere.get_json()["type"] == "/problems/not_found"
    deleted = lull.call("DELETE", "/v1/stores", lull.marketer)
    assert (deleted.status_code, deleted.get_json()["type"]) == (405, "/problems/method_not_allowed")
    assert "POST" in deleted.headers["Allow"]


def test_a_nul_in_a_path_is_refused(lull: Lull) -> None:
    answer = lull.get("/v1/stores/a%00b", lull.marketer)
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"] == "store_id"


def test_a_port_that_is_away_gives_503_and_when_to_come_back(lull: Lull, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> int:
        raise Unavailable("database_away", "the database cannot be reached; try again later")

    monkeypatch.setattr(type(lull.ports.chain), "check", away)
    answer = lull.get("/readyz", None)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.get_json()["type"] == "/problems/database_away"
    assert lull.get("/healthz", None).get_json() == {"status": "ok"}


@pytest.mark.parametrize(("wait_s", "told"), [(0.0, "1"), (0.2, "1"), (12.0, "12"), (899.001, "900")])
def test_who_does_too_much_is_told_in_whole_seconds_when_to_go_on(
    lull: Lull, monkeypatch: pytest.MonkeyPatch, wait_s: float, told: str
) -> None:
    def enough(*_: object) -> int:
        raise TooMany("rate_limited", "too many requests: wait", wait_s)

    monkeypatch.setattr(type(lull.ports.chain), "check", enough)
    answer = lull.get("/readyz", None)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, told)
    assert answer.get_json()["type"] == "/problems/rate_limited"


def test_what_nobody_foresaw_is_logged_without_words(lull: Lull, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(f"at {LAT} {LNG}")

    monkeypatch.setattr(type(lull.services.fixes), "report", broken)
    with capture_logs() as entries:
        answer = fixes(lull, {"fixes": [fix()]})
    assert (answer.status_code, answer.get_json()) == (
        500,
        {"type": "/problems/internal", "title": "Internal Server Error", "status": 500},
    )
    (entry,) = entries
    assert (entry["route"], entry["error"]) == ("/v1/me/fixes", "RuntimeError")
    assert str(LAT) not in repr(entry)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
_NUMBER = st.floats() | st.integers() | _JSON
_TIME = st.datetimes().map(lambda at: at.isoformat() + "Z") | _JSON
_FIX = st.fixed_dictionaries(
    {"lat": _NUMBER, "lng": _NUMBER, "accuracy_m": _NUMBER, "recorded_at": _TIME},
    optional={"speed_mps": _NUMBER, "mocked": st.booleans() | _JSON, "more": _JSON},
)
_GOOD = st.builds(
    fix,
    lat=st.floats(-90, 90),
    lng=st.floats(-180, 180),
    accuracy_m=st.floats(0.1, 100_000),
    recorded_at=st.sampled_from(["2026-06-02T13:59:00Z", "2026-06-02T14:00:00Z", "1970-01-01T00:00:00Z"]),
)
_BODY = _JSON | st.fixed_dictionaries({"fixes": st.lists(_FIX | _GOOD, max_size=4) | _JSON})


@pytest.fixture(scope="module")
def shared() -> Lull:
    lull = Lull()
    lull.open_chain()
    lull.willing_member()
    return lull


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=_BODY)
def test_no_json_breaks_a_report(shared: Lull, body: Any) -> None:
    data = json.dumps(body).encode()
    answer = shared.call("POST", "/v1/me/fixes", shared.member, data=data, content_type="application/json")
    assert answer.status_code in (200, 400, 422)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
def test_no_bytes_break_a_report(shared: Lull, data: bytes) -> None:
    answer = shared.call("POST", "/v1/me/fixes", shared.member, data=data, content_type="application/json")
    assert answer.status_code in (400, 422)


def test_no_key_of_a_map_comes_back_in_an_error(lull: Lull) -> None:
    """Keys that were sent stand in the place of a name, and are not told."""
    answer = lull.put("/v1/loyalty", {"product_percent": {"Zaphod's \x02": []}}, lull.marketer)
    assert (answer.status_code, "Zaphod" in answer.text) == (422, False)
