"""The emulator over HTTP: grants, sends, faults, log, and who may ask."""

from __future__ import annotations

import threading
import time
from typing import Any

import jwt
import pytest
import requests

from backend.emulator.keys import Keys, service_account_email
from backend.emulator.running import RunningEmulator
from backend.emulator.tokens import GRANT_TYPE

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"


def assertion(emulator: RunningEmulator, key: str | None = None, algorithm: str = "RS256", **claims: Any) -> str:
    now = int(time.time())
    payload = {
        "iss": service_account_email("lull-demo"),
        "aud": f"{emulator.address}/token",
        "scope": SCOPE,
        "iat": now,
        "exp": now + 3600,
        **claims,
    }
    return jwt.encode(payload, key or emulator.keys.service_account_pem, algorithm)


def grant(http: requests.Session, emulator: RunningEmulator, signed: str, kind: str = GRANT_TYPE) -> requests.Response:
    return http.post(f"{emulator.address}/token", data={"grant_type": kind, "assertion": signed}, timeout=5)


@pytest.fixture
def bearer(http: requests.Session, emulator: RunningEmulator) -> dict[str, str]:
    token = grant(http, emulator, assertion(emulator)).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


def send(
    http: requests.Session,
    emulator: RunningEmulator,
    headers: dict[str, str],
    body: Any = None,
    project: str = "lull-demo",
) -> requests.Response:
    url = f"{emulator.address}/v1/projects/{project}/messages:send"
    return http.post(url, json=body or {"message": {"fid": "f1"}}, headers=headers, timeout=5)


def log(http: requests.Session, emulator: RunningEmulator, **query: int) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = http.get(f"{emulator.address}/log", params=query, timeout=5).json()["items"]
    return items


def test_a_good_assertion_buys_an_hour(http: requests.Session, emulator: RunningEmulator) -> None:
    body = grant(http, emulator, assertion(emulator)).json()
    assert (body["expires_in"], body["token_type"]) == (3600, "Bearer")


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({"iss": "somebody@else.example"}, "invalid_grant"),
        ({"aud": "https://elsewhere.example/token"}, "invalid_grant"),
        ({"iat": 1_000_000, "exp": 1_003_600}, "invalid_grant"),
        ({"exp": int(time.time()) + 90_000}, "invalid_grant"),
        ({"iat": "now"}, "invalid_grant"),
        ({"iat": int(time.time()) + 3000}, "invalid_grant"),
        ({"scope": "https://www.googleapis.com/auth/drive"}, "invalid_scope"),
    ],
)
def test_a_bad_assertion_is_refused(
    http: requests.Session, emulator: RunningEmulator, claims: dict[str, Any], error: str
) -> None:
    response = grant(http, emulator, assertion(emulator, **claims))
    assert (response.status_code, response.json()["error"]) == (400, error)


def test_an_assertion_signed_by_another_key_is_refused(
    http: requests.Session, emulator: RunningEmulator, keys: Keys
) -> None:
    assert grant(http, emulator, assertion(emulator, keys.id_token_pem)).json()["error"] == "invalid_grant"


def test_an_assertion_signed_with_a_shared_secret_is_refused(http: requests.Session, emulator: RunningEmulator) -> None:
    signed = assertion(emulator, "a shared secret of enough bytes for HS256", "HS256")
    assert grant(http, emulator, signed).json()["error"] == "invalid_grant"


def test_another_grant_type_is_refused(http: requests.Session, emulator: RunningEmulator) -> None:
    response = grant(http, emulator, assertion(emulator), kind="password")
    assert response.json()["error"] == "unsupported_grant_type"


def test_a_send_is_answered_with_a_name_and_logged(
    http: requests.Session, emulator: RunningEmulator, bearer: dict[str, str]
) -> None:
    message = {"fid": "f1", "data": {"a": "b"}, "notification": {"title": "T"}, "android": {"ttl": "60s"}}
    name = send(http, emulator, bearer, {"message": message}).json()["name"]
    (entry,) = log(http, emulator)
    assert name == f"projects/lull-demo/messages/{entry['message_id']}"
    assert {key: entry[key] for key in ("seq", "registration", "kind", "status", "data", "notification", "ttl_s")} == {
        "seq": 1,
        "registration": "f1",
        "kind": "fid",
        "status": 200,
        "data": {"a": "b"},
        "notification": {"title": "T"},
        "ttl_s": 60.0,
    }


def test_a_send_without_a_token_it_issued_is_unauthenticated(http: requests.Session, emulator: RunningEmulator) -> None:
    response = send(http, emulator, {"Authorization": "Bearer made-up"})
    assert (response.status_code, response.json()["error"]["status"]) == (401, "UNAUTHENTICATED")


def test_a_send_to_another_project_is_refused(
    http: requests.Session, emulator: RunningEmulator, bearer: dict[str, str]
) -> None:
    assert send(http, emulator, bearer, project="another").status_code == 403


def test_an_invalid_message_names_the_field(
    http: requests.Session, emulator: RunningEmulator, bearer: dict[str, str]
) -> None:
    error = send(http, emulator, bearer, {"message": {"fid": "f1", "data": {"n": 1}}}).json()["error"]
    assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")
    assert error["details"][1]["fieldViolations"][0]["field"] == "message.data[0].value"


def test_a_dry_run_is_answered_but_delivers_nothing(
    http: requests.Session, emulator: RunningEmulator, bearer: dict[str, str]
) -> None:
    body = {"message": {"fid": "f1"}, "validate_only": True}
    assert send(http, emulator, bearer, body).json()["name"].endswith("/fake_message_id")
    assert log(http, emulator)[0]["message_id"] is None


def test_an_unregistered_device_stays_unregistered(
    http: requests.Session, emulator: RunningEmulator, bearer: dict[str, str]
) -> None:
    http.delete(f"{emulator.address}/registrations/f1", timeout=5)
    for _ in range(2):
        error = send(http, emulator, bearer).json()["error"]
        assert (error["code"], error["details"][0]["errorCode"]) == (404, "UNREGISTERED")


def test_a_fault_lasts_for_its_count_and_for_its_registration(
    http: requests.Session, emulator: RunningEmulator, bearer: dict[str, str]
) -> None:
    fault: dict[str, Any] = {"status": 429, "count": 2, "registration": "f2", "retry_after_s": 7}
    http.post(f"{emulator.address}/faults", json=fault, timeout=5)
    throttled = send(http, emulator, bearer, {"message": {"fid": "f2"}})
    assert (throttled.status_code, throttled.headers["Retry-After"]) == (429, "7")
    statuses = [send(http, emulator, bearer, {"message": {"fid": fid}}).status_code for fid in ("f1", "f2", "f2")]
    assert statuses == [200, 429, 200]


def test_faults_can_be_cleared(http: requests.Session, emulator: RunningEmulator, bearer: dict[str, str]) -> None:
    http.post(f"{emulator.address}/faults", json={"status": 503, "count": None}, timeout=5)
    assert send(http, emulator, bearer).status_code == 503
    http.delete(f"{emulator.address}/faults", timeout=5)
    assert send(http, emulator, bearer).status_code == 200


def test_a_dropped_connection_gives_no_answer(
    http: requests.Session, emulator: RunningEmulator, bearer: dict[str, str]
) -> None:
    http.post(f"{emulator.address}/faults", json={"drop_connection": True}, timeout=5)
    with pytest.raises(requests.RequestException):
        send(http, emulator, bearer)
    assert log(http, emulator)[0]["error_code"] == "DROPPED"


@pytest.mark.parametrize("fault", [{}, {"status": 418}, {"status": 429, "count": 0}, {"state": 429}])
def test_a_fault_that_makes_no_sense_is_refused(
    http: requests.Session, emulator: RunningEmulator, fault: dict[str, Any]
) -> None:
    assert http.post(f"{emulator.address}/faults", json=fault, timeout=5).status_code == 400


def test_a_reader_waits_for_the_next_send(
    http: requests.Session, emulator: RunningEmulator, bearer: dict[str, str]
) -> None:
    send(http, emulator, bearer)
    with requests.Session() as other:
        other.trust_env = False
        timer = threading.Timer(0.1, send, (other, emulator, bearer))
        timer.start()
        entries = log(http, emulator, after=1, wait_ms=4000)
        timer.join()
    assert [entry["seq"] for entry in entries] == [2]


def test_the_summary_counts_by_status_and_error_code(
    http: requests.Session, emulator: RunningEmulator, bearer: dict[str, str]
) -> None:
    http.post(f"{emulator.address}/faults", json={"status": 500}, timeout=5)
    send(http, emulator, bearer)
    send(http, emulator, bearer)
    summary = http.get(f"{emulator.address}/log/summary", timeout=5).json()
    assert (summary["by_status"], summary["by_error_code"]) == ({"200": 1, "500": 1}, {"INTERNAL": 1})


def test_certificates_may_be_cached(http: requests.Session, emulator: RunningEmulator) -> None:
    response = http.get(f"{emulator.address}/certs", timeout=5)
    assert "max-age=3600" in response.headers["Cache-Control"]
    assert list(response.json()) == [emulator.keys.key_id]


def test_a_request_that_names_another_host_is_refused(http: requests.Session, emulator: RunningEmulator) -> None:
    headers = {"Host": "attacker.example"}
    assert http.get(f"{emulator.address}/log", headers=headers, timeout=5).status_code == 403


def test_the_service_account_is_readable_by_its_owner_alone(emulator: RunningEmulator) -> None:
    assert emulator.credentials.stat().st_mode & 0o777 == 0o600
