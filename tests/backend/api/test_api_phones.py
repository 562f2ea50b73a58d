"""Phones that speak other apps' formats, with device keys."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from stores.model import Fix
from tests.backend.api.phones import (
    AT,
    background,
    osmand,
    owntracks,
    post_background,
    post_osmand,
    post_owntracks,
    post_traccar,
)
from tests.backend.api.world import LAT, LNG, NOW, Lull, fix, stamp

PATHS = ("/v1/me/fixes/owntracks", "/v1/me/fixes/osmand", "/v1/me/fixes/transistorsoft")
PROBLEM = "application/problem+json"


@pytest.fixture
def lull() -> Lull:
    lull = Lull()
    lull.open_chain()
    lull.willing_member()
    return lull


@pytest.fixture
def key(lull: Lull) -> str:
    """A key of Aino's, who has been seen at the door once: one more fix, and she is in."""
    lull.post("/v1/me/fixes", {"fixes": [fix(recorded_at=stamp(-20))]}, lull.member)
    return lull.device_key()


@pytest.fixture
def taken(lull: Lull, monkeypatch: pytest.MonkeyPatch) -> list[Fix]:
    """The fixes that reach the use cases."""
    fixes: list[Fix] = []
    report = lull.services.fixes.report
    monkeypatch.setattr(lull.services.fixes, "report", lambda who, new: (fixes.extend(new), report(who, new))[1])
    return fixes


def issued(lull: Lull) -> int:
    """How many coupons there are."""
    return len(lull.ports.ledger.newest_coupons(9))


def test_owntracks_is_answered_with_a_list(lull: Lull, key: str) -> None:
    answer = post_owntracks(lull, key, owntracks())
    assert (answer.status_code, answer.content_type, answer.get_json()) == (200, "application/json", [])
    assert issued(lull) == 1


def test_traccar_client_is_answered_with_nothing(lull: Lull, key: str) -> None:
    answer = post_osmand(lull, key, osmand())
    assert (answer.status_code, answer.data) == (200, b"")
    assert issued(lull) == 1


def test_traccar_client_from_version_9_on_posts_json(lull: Lull, key: str) -> None:
    answer = post_traccar(lull, key, background(extras={}, _=f"&id={key}&lat={LAT}&lon={LNG}&"))
    assert (answer.status_code, answer.data) == (200, b"")
    assert issued(lull) == 1


def test_parameters_may_come_as_a_form(lull: Lull, key: str) -> None:
    answer = lull.client.post("/v1/me/fixes/osmand", data={"deviceid": key, **osmand()})
    assert (answer.status_code, issued(lull)) == (200, 1)


def test_the_plug_in_is_told_what_was_readable_and_nothing_else(lull: Lull, key: str) -> None:
    answer = post_background(lull, key, {"location": background(), "user_id": 7})
    assert (answer.status_code, answer.get_json()) == (200, {"received": 1, "unreadable": []})
    assert issued(lull) == 1


@pytest.mark.parametrize(
    "body",
    [[background()] * 2, {"location": [background()] * 2}, {"location": [background()] * 2, "device": {"model": "x"}}],
)
def test_the_plug_in_may_send_many(lull: Lull, key: str, body: Any) -> None:
    assert post_background(lull, key, body).get_json()["received"] == 2


def test_the_root_property_may_be_left_out(lull: Lull, key: str) -> None:
    assert post_background(lull, key, background()).get_json()["received"] == 1


def test_the_answer_to_a_device_key_does_not_depend_on_where_the_member_is(lull: Lull, key: str) -> None:
    """Or whoever found a key could ask with it: is she near here?"""
    far = background({"latitude": 10.0})
    first = post_background(lull, key, {"location": background()})
    jumped = post_background(lull, key, {"location": far | {"timestamp": (AT + 5) * 1000}})
    lull.put("/v1/me/consents/location_offers", {"granted": False, "text_version": "1"}, lull.member)
    unwilling = post_background(lull, key, {"location": background()})
    assert first.data == jumped.data == unwilling.data


@pytest.mark.parametrize("kind", ["lwt", "transition", "waypoint", "status", "encrypted", "card", "a new one"])
def test_other_messages_of_owntracks_are_passed_over(lull: Lull, key: str, taken: list[Fix], kind: str) -> None:
    answer = post_owntracks(lull, key, {"_type": kind, "lat": LAT, "lon": LNG, "tst": AT, "acc": 8})
    assert (answer.status_code, answer.get_json(), taken) == (200, [], [])


def test_an_empty_message_of_owntracks_is_passed_over(lull: Lull, key: str) -> None:
    answer = lull.client.post("/v1/me/fixes/owntracks", auth=("aino", key))
    assert (answer.status_code, answer.get_json()) == (200, [])


def test_a_ping_of_owntracks_says_nothing_of_now(lull: Lull, key: str, taken: list[Fix]) -> None:
    post_owntracks(lull, key, [owntracks(t="p"), owntracks(t="u", tst=AT - 1)])
    assert [int(each.recorded_at.timestamp()) for each in taken] == [AT - 1]


def test_speeds_come_in_each_apps_own_unit(lull: Lull, key: str, taken: list[Fix]) -> None:
    post_owntracks(lull, key, owntracks(vel=36))
    post_osmand(lull, key, osmand(speed="19.438445", timestamp=AT + 1))
    post_traccar(lull, key, background({"speed": 10}))
    post_background(lull, key, {"location": background({"speed": "10.0"})})
    assert [each.speed_mps for each in taken] == pytest.approx([10.0] * 4, abs=1e-6)


def test_a_speed_that_is_missing_or_negative_is_unknown(lull: Lull, key: str, taken: list[Fix]) -> None:
    post_owntracks(lull, key, [owntracks(vel=-1), owntracks(vel=None)])
    post_osmand(lull, key, osmand(speed="-1"))
    post_background(lull, key, [background({"speed": -1}), background({"speed": None})])
    assert [each.speed_mps for each in taken] == [None] * 5


def test_accuracy_that_is_missing_or_nought_is_unknown_and_opens_no_gate(lull: Lull, key: str) -> None:
    unknown = owntracks()
    del unknown["acc"]
    for body in (unknown, owntracks(acc=0), owntracks(acc=-1), owntracks(acc=None)):
        assert post_owntracks(lull, key, body).status_code == 200
    post_osmand(lull, key, {name: value for name, value in osmand(hdop=1.0).items() if name != "accuracy"})
    post_osmand(lull, key, osmand(valid="false"))
    post_background(lull, key, {"location": background({"accuracy": -1})})
    assert issued(lull) == 0
    assert post_owntracks(lull, key, owntracks()).status_code == 200
    assert issued(lull) == 1


def test_a_mocked_fix_opens_no_gate(lull: Lull, key: str) -> None:
    post_osmand(lull, key, osmand(mock="true"))
    post_background(lull, key, {"location": background(mock=True)})
    assert issued(lull) == 0


def test_lat_and_lon_may_come_as_one_parameter(lull: Lull, key: str, taken: list[Fix]) -> None:
    values = {"location": f"{LAT},{LNG}", "timestamp": AT, "accuracy": 8}
    assert post_osmand(lull, key, values).status_code == 200
    assert (taken[0].position.lat, taken[0].position.lng) == (LAT, LNG)


@pytest.mark.parametrize(
    "moment",
    [
        AT,
        float(AT),
        str(AT),
        AT * 1000,
        f"{AT}000",
        "2026-06-02T14:00:00Z",
        "2026-06-02T14:00:00.000Z",
        "2026-06-02T17:00:00+0300",
        "2026-06-02 14:00:00",
        " 2026-06-02T16:00:00+02:00 ",
    ],
)
def test_every_way_to_write_a_time_is_read(lull: Lull, key: str, taken: list[Fix], moment: object) -> None:
    post_background(lull, key, {"location": background(timestamp=moment)})
    post_owntracks(lull, key, owntracks(tst=moment))
    post_osmand(lull, key, osmand(timestamp=moment))
    assert [each.recorded_at for each in taken] == [NOW] * 3


@pytest.mark.parametrize(
    "moment",
    [
        None,
        True,
        "",
        "soon",
        "2026-06-02",
        "2026-13-02T14:00:00Z",
        "2026-W23-2",
        -1,
        1e300,
        "1e9",
        "nan",
        4_200_000_000,
        [],
    ],
)
def test_a_time_that_is_none_is_refused_and_not_repeated(lull: Lull, key: str, moment: object) -> None:
    answer = post_background(lull, key, {"location": background(timestamp=moment)})
    assert (answer.status_code, answer.content_type) == (422, PROBLEM)
    assert answer.get_json()["errors"][0]["field"] == "timestamp"
    assert str(moment) in ("", "None", "True", "-1", "[]", "nan", "2026-06-02") or str(moment) not in answer.text


@pytest.mark.parametrize(
    ("coords", "field"),
    [
        ({"latitude": 90.5}, "latitude"),
        ({"longitude": "-180.5"}, "longitude"),
        ({"latitude": "sixty"}, "latitude"),
        ({"latitude": True}, "latitude"),
        ({"latitude": None}, "latitude"),
        ({"accuracy": "16.952 m"}, "accuracy"),
        ({"speed": [60.16952]}, "speed"),
    ],
)
def test_a_wrong_field_is_told_by_name_and_never_by_value(
    lull: Lull, key: str, coords: dict[str, Any], field: str
) -> None:
    answer = post_background(lull, key, {"location": background(coords)})
    assert (answer.status_code, answer.content_type) == (422, PROBLEM)
    assert [error["field"] for error in answer.get_json()["errors"]] == [f"coords.{field}"]
    for part in ("90.5", "180.5", "sixty", "16952", "93354", "16.952"):
        assert part not in answer.text


def test_a_bad_location_does_not_hold_up_the_others(lull: Lull, key: str) -> None:
    many = [background({"latitude": 91}), background(), "none", background({"accuracy": "good"})]
    answer = post_background(lull, key, {"location": many})
    assert (answer.status_code, answer.get_json()) == (200, {"received": 1, "unreadable": [0, 2, 3]})
    assert issued(lull) == 1


def test_nothing_but_bad_locations_is_refused_with_their_places(lull: Lull, key: str) -> None:
    answer = post_background(lull, key, {"location": [background({"latitude": 91}), {}]})
    assert answer.status_code == 422
    fields = [error["field"] for error in answer.get_json()["errors"]]
    assert fields == ["0.coords.latitude", "1.timestamp", "1.coords"]


@pytest.mark.parametrize("body", [{}, {"locations": []}, {"user_id": 7}])
def test_a_body_without_locations_is_refused(lull: Lull, key: str, body: Any) -> None:
    answer = post_background(lull, key, body)
    assert (answer.status_code, answer.get_json()["errors"][0]["field"]) == (422, "location")


def test_a_thousand_locations_fit_and_no_more(lull: Lull, key: str) -> None:
    assert post_background(lull, key, [background()] * 1000).get_json()["received"] == 1000
    assert post_background(lull, key, [background()] * 1001).status_code == 422


@pytest.mark.parametrize("path", PATHS)
def test_a_body_that_cannot_be_read_is_refused(lull: Lull, key: str, path: str) -> None:
    headers = {"Authorization": f"Bearer {key}"} if path.endswith("soft") else {}
    auth = ("aino", key) if path.endswith("tracks") else None
    url = f"{path}?id={key}" if path.endswith("osmand") else path
    for data, kind, status in (
        (b"{60.16952", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 5000, "application/json", 400),
        (b"[NaN]", "application/json", 400),
        (b"lat 60.16952", "text/plain", 415),
        (b"x" * (1 << 20) + b"x", "application/json", 413),
    ):
        answer = lull.client.post(url, data=data, content_type=kind, headers=headers, auth=auth)
        assert (answer.status_code, answer.content_type, "16952" in answer.text) == (status, PROBLEM, False)


def basic(password: str) -> str:
    """An Authorization header."""
    return "Basic " + b64encode(f"aino:{password}".encode()).decode()


@pytest.mark.parametrize("path", PATHS)
def test_without_a_device_key_nobody_reports(lull: Lull, key: str, path: str, taken: list[Fix]) -> None:
    wrong = "ld_" + "a" * 43
    for secret in (None, "", wrong, lull.member, lull.till, lull.admin):
        for header in (f"Bearer {secret}", basic(secret or ""), "Basic !", "Basic " + "/" * 12, "Bearer é", None):
            headers = {"Authorization": header} if header else {}
            answer = lull.client.post(path, query_string={"id": secret}, headers=headers)
            assert (answer.status_code, answer.content_type) == (401, PROBLEM)
            assert not secret or secret not in answer.text
    assert answer.headers["WWW-Authenticate"].startswith("Basic" if path.endswith("owntracks") else "Bearer")
    assert taken == []


def test_a_key_is_taken_only_where_its_app_puts_it(lull: Lull, key: str) -> None:
    assert post_background(lull, "", {"location": background(), "device_id": key}).status_code == 401
    assert lull.post("/v1/me/fixes/owntracks", owntracks(), key).status_code == 401
    assert lull.client.post("/v1/me/fixes/osmand", query_string=osmand(), auth=("id", key)).status_code == 401


def test_a_revoked_key_reports_no_more(lull: Lull, key: str) -> None:
    assert post_osmand(lull, key, osmand(timestamp=AT - 60)).status_code == 200
    (made,) = lull.get("/v1/me/device-keys", lull.member).get_json()["items"]
    lull.call("DELETE", f"/v1/me/device-keys/{made['id']}", lull.member)
    answer = post_osmand(lull, key, osmand())
    assert (answer.status_code, answer.get_json()["type"]) == (401, "/problems/invalid_device_key")


def test_a_key_in_an_address_reaches_no_log_no_metric_and_no_problem(
    lull: Lull, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(f"{key} at {LAT}")

    monkeypatch.setattr(lull.services.fixes, "report", broken)
    with capture_logs() as entries:
        answers: list[TestResponse] = [
            post_osmand(lull, key, osmand()),
            post_osmand(lull, key, osmand(lat="north")),
            post_osmand(lull, key + "x", osmand()),
            lull.client.get("/v1/me/fixes/osmand", query_string={"id": key}),
            lull.client.post("/v1/me/fixes/gpslogger", query_string={"id": key}),
        ]
    assert [answer.status_code for answer in answers] == [500, 422, 401, 405, 404]
    assert [entry["route"] for entry in entries] == ["/v1/me/fixes/osmand"]
    everything = repr(entries) + lull.get("/metrics", None).text + "".join(answer.text for answer in answers)
    assert key not in everything
    assert str(LAT) not in everything


_ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_NAMES = (
    "_type",
    "t",
    "lat",
    "lon",
    "tst",
    "acc",
    "vel",
    "timestamp",
    "accuracy",
    "speed",
    "valid",
    "mock",
    "location",
)
_LOCATION = st.fixed_dictionaries({}, optional={name: _ODD | st.sampled_from([60.1, "60.1", AT]) for name in _NAMES})
_COORDS = st.fixed_dictionaries({"timestamp": _ODD | st.just(AT), "coords": _ODD | st.just(background()["coords"])})
_BODY = _ODD | _LOCATION | _COORDS | st.lists(_COORDS | _LOCATION, max_size=3)


@pytest.fixture(scope="module")
def shared() -> Lull:
    made = Lull()
    made.open_chain()
    made.willing_member()
    return made


@pytest.fixture(scope="module")
def shared_key(shared: Lull) -> str:
    return shared.device_key()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=_BODY, wrap=st.booleans())
def test_no_json_breaks_a_report(shared: Lull, shared_key: str, body: Any, wrap: bool) -> None:
    sent = {"location": body} if wrap else body
    for post in (post_owntracks, post_background):
        assert post(shared, shared_key, sent).status_code in (200, 400, 422)
    assert post_traccar(shared, shared_key, body).status_code in (200, 400, 422)
    huge = json.dumps(sent).replace("60.1", "9" * 400).encode()
    headers = {"Authorization": f"Bearer {shared_key}", "Content-Type": "application/json"}
    assert shared.client.post(PATHS[2], data=huge, headers=headers).status_code in (200, 400, 422)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.dictionaries(st.sampled_from(_NAMES) | st.text(max_size=5), st.text(max_size=20), max_size=6))
def test_no_parameters_break_a_report(shared: Lull, shared_key: str, values: dict[str, str]) -> None:
    values.pop("id", None)
    assert post_osmand(shared, shared_key, values).status_code in (200, 422)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200), kind=st.sampled_from(["application/json", "application/x-www-form-urlencoded"]))
def test_no_bytes_break_a_report(shared: Lull, shared_key: str, data: bytes, kind: str) -> None:
    for path in PATHS:
        answer = shared.client.post(path, data=data, content_type=kind, auth=("a", shared_key))
        assert answer.status_code in (200, 400, 401, 415, 422)
