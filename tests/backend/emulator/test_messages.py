"""What the emulator takes for a message, and what it refuses, as FCM does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from firebase_admin import messaging
from hypothesis import given
from hypothesis import strategies as st

from backend.emulator.messages import InvalidMessage, check


def raw(message: Any, **others: Any) -> bytes:
    return json.dumps({"message": message, **others}).encode()


def first_field(body: bytes) -> str:
    with pytest.raises(InvalidMessage) as refused:
        check(body)
    return refused.value.violations[0].field


@pytest.mark.parametrize("kind", ["fid", "token", "topic", "condition"])
def test_each_kind_of_target_is_taken(kind: str) -> None:
    message = check(raw({kind: "somebody"}))
    assert (message.kind, message.registration) == (kind, "somebody")


def test_what_the_real_encoder_writes_for_a_fid_is_taken() -> None:
    encoded = messaging._MessagingService.encode_message(
        messaging.Message(
            fid="f1",
            data={"coupon_id": "c1"},
            notification=messaging.Notification(title="Quiet now", body="Espresso, 20 % off"),
            android=messaging.AndroidConfig(ttl=3.5, priority="high"),
            apns=messaging.APNSConfig(
                headers={"apns-expiration": "1800000000"},
                payload=messaging.APNSPayload(messaging.Aps(badge=1, sound="default")),
            ),
        )
    )
    message = check(raw(encoded))
    assert (message.kind, message.registration, message.ttl_s) == ("fid", "f1", 3.5)
    assert message.data == {"coupon_id": "c1"}
    assert message.notification == {"title": "Quiet now", "body": "Espresso, 20 % off"}


def test_lower_camel_case_names_are_read_as_well() -> None:
    assert check(raw({"token": "t", "android": {"collapseKey": "k"}}, validateOnly=True)).validate_only


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({}, "message"),
        ({"token": ""}, "message"),
        ({"token": "t", "fid": "f"}, "message.token"),
        ({"token": "t", "topic": "x"}, "message.topic"),
        ({"topic": "with space"}, "message.topic"),
        ({"token": 5}, "message.token"),
        ({"token": "t", "colour": "red"}, "message"),
        ({"token": "t", "android": {"tll": "1s"}}, "message.android"),
        ({"token": "t", "data": {"n": 12}}, "message.data[0].value"),
        ({"token": "t", "data": ["a"]}, "message.data"),
        ({"token": "t", "data": {"from": "me"}}, "message.data"),
        ({"token": "t", "data": {"google.x": "1"}}, "message.data"),
        ({"token": "t", "android": {"ttl": "123"}}, "message.android.ttl"),
        ({"token": "t", "android": {"ttl": 123}}, "message.android.ttl"),
        ({"token": "t", "android": {"ttl": "-1s"}}, "message.android.ttl"),
        ({"token": "t", "android": {"ttl": "2419201s"}}, "message.android.ttl"),
        ({"token": "t", "android": {"priority": "urgent"}}, "message.android.priority"),
        ({"token": "t", "apns": {"headers": {"apns-expiration": "soon"}}}, "message.apns.headers"),
        ({"token": "t", "apns": {"headers": {"apns-priority": "7"}}}, "message.apns.headers"),
        ({"token": "t", "notification": "hello"}, "message.notification"),
        ("hello", "message"),
        (None, "message"),
    ],
)
def test_what_fcm_refuses_is_refused_and_the_field_named(message: Any, field: str) -> None:
    assert first_field(raw(message)) == field


@pytest.mark.parametrize("ttl", ["0s", "123s", "3.5s", "2419200s"])
def test_a_ttl_from_nothing_to_four_weeks_is_taken(ttl: str) -> None:
    assert check(raw({"token": "t", "android": {"ttl": ttl}})).ttl_s == float(ttl[:-1])


def test_4096_bytes_of_payload_are_taken_and_one_more_is_not() -> None:
    check(raw({"token": "t", "data": {"key": "x" * 4093}}))
    assert first_field(raw({"token": "t", "data": {"key": "x" * 4094}})) == "message"


def test_bytes_count_not_letters() -> None:
    assert first_field(raw({"token": "t", "notification": {"body": "€" * 1400}})) == "message"


def test_all_violations_are_reported_at_once() -> None:
    with pytest.raises(InvalidMessage) as refused:
        check(raw({"token": "t", "colour": 1, "data": {"n": 1}}))
    assert len(refused.value.violations) == 2


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["message", "token", "data"]), inner),
    max_leaves=20,
)


@given(json_values | st.fixed_dictionaries({"message": json_values}))
def test_any_json_is_either_taken_or_refused_as_invalid(body: Any) -> None:
    try:
        violations = [check(json.dumps(body).encode())]
    except InvalidMessage as error:
        violations = list(error.violations)
    assert violations


@given(st.binary())
def test_any_bytes_are_either_taken_or_refused_as_invalid(body: bytes) -> None:
    with pytest.raises(InvalidMessage):
        check(body)
