"""Pushes sent by the real firebase-admin to the emulator over HTTP, and what each answer means for the outbox."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import firebase_admin
import pytest
import requests
from firebase_admin import exceptions, messaging

from backend.adapters.fcm import FcmSender, build_message, classify
from backend.adapters.firebase_auth import firebase_app
from backend.emulator.faults import Fault
from backend.emulator.keys import Keys, generate_keys
from backend.emulator.running import RunningEmulator, running_emulator
from backend.service.errors import Unavailable
from backend.service.push_model import Accepted, Push, Refused

NOW = 1_780_408_800.0


@pytest.fixture(scope="module")
def keys() -> Keys:
    return generate_keys(datetime.now(UTC))


@pytest.fixture
def emulator(keys: Keys, tmp_path: Path) -> Iterator[RunningEmulator]:
    with running_emulator(tmp_path / "credentials.json", keys=keys) as running:
        yield running


@pytest.fixture
def app(emulator: RunningEmulator) -> Iterator[firebase_admin.App]:
    app = firebase_app(emulator.credentials, name="fcm-test")
    yield app
    firebase_admin.delete_app(app)


@pytest.fixture
def sender(app: firebase_admin.App, emulator: RunningEmulator) -> Iterator[FcmSender]:
    sender = FcmSender(app, threads=32, fcm_url=emulator.address)
    sender.prepare()
    yield sender
    sender.close()


def push(registration: str = "f1") -> Push:
    return Push("p1", "fid", registration, "Quiet now", "Espresso, 20 % off", {"coupon_id": "c1"}, 900, "coupon")


def test_a_push_arrives_with_what_it_says(sender: FcmSender, emulator: RunningEmulator) -> None:
    result = sender.send(push())
    (entry,) = emulator.state.log.after(0, 10)
    assert result == Accepted(f"projects/lull-demo/messages/{entry['message_id']}")
    assert (entry["kind"], entry["registration"], entry["ttl_s"]) == ("fid", "f1", 900.0)
    assert entry["data"] == {"coupon_id": "c1"}
    assert entry["notification"] == {"title": "Quiet now", "body": "Espresso, 20 % off"}


@pytest.mark.filterwarnings("error")
def test_a_registration_that_is_a_token_is_sent_as_one_without_a_warning(
    sender: FcmSender, emulator: RunningEmulator
) -> None:
    assert isinstance(sender.send(replace(push(), registration_kind="token")), Accepted)
    assert emulator.state.log.after(0, 10)[0]["kind"] == "token"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(status=400), Refused("INVALID_ARGUMENT", retry=False)),
        (Fault(status=401), Refused("THIRD_PARTY_AUTH_ERROR", retry=False)),
        (Fault(status=403), Refused("SENDER_ID_MISMATCH", retry=False)),
        (Fault(status=404), Refused("UNREGISTERED", retry=False, unregistered=True)),
        (Fault(status=404, error_code="OTHER"), Refused("OTHER", retry=False, unregistered=True)),
        (Fault(status=429), Refused("QUOTA_EXCEEDED", retry=True, retry_after_s=60.0)),
        (Fault(status=429, retry_after_s=7), Refused("QUOTA_EXCEEDED", retry=True, retry_after_s=7.0)),
        (Fault(status=500), Refused("INTERNAL", retry=True)),
        (Fault(status=503), Refused("UNAVAILABLE", retry=True)),
        (Fault(drop_connection=True), Refused("UNKNOWN", retry=True)),
    ],
)
def test_each_answer_says_whether_to_try_again(
    sender: FcmSender, emulator: RunningEmulator, fault: Fault, expected: Refused
) -> None:
    emulator.state.faults.add(fault)
    assert sender.send(push()) == expected


@pytest.mark.parametrize("status", [429, 500, 503])
def test_the_sender_itself_never_tries_again(sender: FcmSender, emulator: RunningEmulator, status: int) -> None:
    emulator.state.faults.add(Fault.model_validate({"status": status}))
    sender.send(push())
    assert emulator.state.log.summary()["total"] == 1


def test_an_unregistered_device_is_told(sender: FcmSender, emulator: RunningEmulator) -> None:
    emulator.state.unregister("f1")
    assert sender.send(push()) == Refused("UNREGISTERED", retry=False, unregistered=True)


def test_an_access_token_that_fcm_refuses_is_replaced_before_the_next_try(
    sender: FcmSender, emulator: RunningEmulator
) -> None:
    emulator.state.access_tokens._expiries.clear()
    assert sender.send(push()) == Refused("UNAUTHENTICATED", retry=True)
    sender.prepare()
    assert isinstance(sender.send(push()), Accepted)


def test_no_send_stops_to_fetch_a_token(sender: FcmSender, emulator: RunningEmulator) -> None:
    sender._credential.expiry = datetime(2026, 1, 1)  # noqa: DTZ001 - google-auth keeps naive times in UTC
    tokens = len(emulator.state.access_tokens._expiries)
    assert isinstance(sender.send(push()), Accepted)
    assert len(emulator.state.access_tokens._expiries) == tokens
    sender.prepare()
    assert len(emulator.state.access_tokens._expiries) == tokens + 1


def test_threads_that_get_ready_at_once_fetch_one_token(app: firebase_admin.App, emulator: RunningEmulator) -> None:
    sender = FcmSender(app, threads=1, fcm_url=emulator.address)
    assert sender.send(push()) == Refused("NO_ACCESS_TOKEN", retry=True)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: sender.prepare(), range(8)))
    assert len(emulator.state.access_tokens._expiries) == 1
    sender.close()


def test_an_answer_that_takes_too_long_may_be_tried_again(
    app: firebase_admin.App, emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.adapters.fcm.HTTP_TIMEOUT_S", 0.2)
    sender = FcmSender(app, threads=1, fcm_url=emulator.address)
    sender.prepare()
    emulator.state.faults.add(Fault(delay_ms=600))
    assert sender.send(push()) == Refused("DEADLINE_EXCEEDED", retry=True)
    sender.close()


def test_an_fcm_that_is_away_may_be_tried_again(app: firebase_admin.App, keys: Keys, tmp_path: Path) -> None:
    with running_emulator(tmp_path / "gone.json", keys=keys) as gone:
        address = gone.address
    sender = FcmSender(app, threads=1, fcm_url=address)
    sender.prepare()
    assert sender.send(push()) == Refused("UNAVAILABLE", retry=True)
    sender.close()


def test_a_refused_service_account_costs_no_message(emulator: RunningEmulator, tmp_path: Path) -> None:
    with running_emulator(tmp_path / "other.json") as other:
        document = other.credentials.read_text().replace(other.address, emulator.address)
    other.credentials.write_text(document)
    app = firebase_app(other.credentials, name="stranger")
    sender = FcmSender(app, threads=2, fcm_url=emulator.address)
    with pytest.raises(Unavailable):
        sender.prepare()
    assert sender.send(push()) == Refused("NO_ACCESS_TOKEN", retry=True)
    assert emulator.state.log.summary()["total"] == 0
    sender.close()
    firebase_admin.delete_app(app)


def test_one_slow_message_does_not_hold_the_others(sender: FcmSender, emulator: RunningEmulator) -> None:
    emulator.state.faults.add(Fault(registration="slow", delay_ms=1000))
    start = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(sender.send, [push("slow"), *(push(f"f{number}") for number in range(30))]))
    assert all(isinstance(result, Accepted) for result in results)
    arrived = {entry["registration"]: number for number, entry in enumerate(emulator.state.log.after(0, 100))}
    assert arrived["slow"] == 30
    assert time.monotonic() - start < 2.0


def test_a_push_past_its_end_is_never_sent(sender: FcmSender, emulator: RunningEmulator) -> None:
    assert sender.send(replace(push(), ttl_s=-1)) == Refused("INVALID_ARGUMENT", retry=False)
    assert emulator.state.log.summary()["total"] == 0


def test_a_push_ends_at_the_same_moment_on_both_platforms() -> None:
    message = build_message(push(), NOW)
    assert message.android.ttl == 900
    assert message.apns.headers["apns-expiration"] == str(int(NOW) + 900)


def test_a_push_is_never_urgent() -> None:
    message = build_message(push(), NOW)
    assert (message.android.priority, message.apns.headers["apns-priority"]) == ("normal", "5")


def test_a_push_for_now_or_never_says_so_to_apns() -> None:
    assert build_message(replace(push(), ttl_s=0), NOW).apns.headers["apns-expiration"] == "0"


def answer(status: int, body: bytes = b"", **headers: str) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response._content = body
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return response


def test_a_proxys_404_page_unregisters_nobody() -> None:
    error = exceptions.NotFoundError("Not found", http_response=answer(404, b"<html>Not found</html>"))
    assert classify(error, NOW) == Refused("NOT_FOUND", retry=False, unregistered=False)


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("120", 120.0),
        ("Tue, 02 Jun 2026 14:00:30 GMT", 30.0),
        ("Tue, 02 Jun 2026 13:00:00 GMT", 0.0),
        ("soon", 60.0),
        ("-5", 60.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(retry_after: str, seconds: float) -> None:
    error = messaging.QuotaExceededError("Slow down", http_response=answer(429, Retry_After=retry_after))
    assert classify(error, NOW).retry_after_s == seconds


def test_against_a_local_fcm_nobody_else_is_asked(sender: FcmSender, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        "google.auth.credentials.CredentialsWithRegionalAccessBoundary._lookup_regional_access_boundary",
        lambda *arguments, **options: asked.append("Google"),
    )
    sender.send(push())
    time.sleep(0.05)
    assert asked == []


def test_nothing_personal_is_logged(
    sender: FcmSender, emulator: RunningEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    emulator.state.faults.add(Fault(status=400))
    sender.send(push("registration-of-somebody"))
    assert "registration-of-somebody" not in caplog.text
    assert "Espresso" not in caplog.text
