"""The routes of members' phones."""

from __future__ import annotations

from typing import cast

from backend.api.routing import Call, Route, Who
from backend.api.schemas.base import Empty, Listing
from backend.api.schemas.coupons import CouponAnswer, CouponEventBody, PresentationAnswer, TimelineEntry, WhyAnswer
from backend.api.schemas.fixes import FixesBody, ReportAnswer
from backend.api.schemas.members import (
    ConsentAnswer,
    ConsentBody,
    DeviceBody,
    DeviceKeyAnswer,
    DeviceKeyBody,
    NewDeviceKeyAnswer,
    PreferencesAnswer,
    PreferencesBody,
    SessionBody,
    consents,
)
from backend.service.model import Coupon, Device, Purpose
from backend.service.sessions import Session
from backend.service.why import sentences

MEMBER: frozenset[Who] = frozenset({"member"})


def open_session(call: Call) -> Session:
    """Trade an ID token for a session."""
    call.services.limits.session(call.address)
    body: SessionBody = call.body
    return call.services.sessions.open(body.id_token)


def delete_sessions(call: Call) -> None:
    """Sign out everywhere."""
    call.services.sessions.end_all(call.member_id)


def put_device(call: Call) -> Device:
    """Register the phone."""
    body: DeviceBody = call.body
    return call.services.membership.register(call.member_id, body.to_device())


def post_device_key(call: Call) -> NewDeviceKeyAnswer:
    """Make a key for a phone that can only report."""
    body: DeviceKeyBody = call.body
    key, secret = call.services.device_keys.create(call.member_id, body.label)
    return NewDeviceKeyAnswer(key.id, key.label, key.created_at, secret)


def get_device_keys(call: Call) -> Listing[DeviceKeyAnswer]:
    """The member's device keys."""
    return Listing(tuple(DeviceKeyAnswer.of(key) for key in call.services.device_keys.of(call.member_id)))


def delete_device_key(call: Call) -> DeviceKeyAnswer:
    """Take a key back."""
    return DeviceKeyAnswer.of(call.services.device_keys.revoke(call.member_id, call.path["key_id"]))


def get_consents(call: Call) -> Listing[ConsentAnswer]:
    """What the member agrees to."""
    return Listing(consents(call.services.membership.consents(call.member_id)))


def put_consent(call: Call) -> ConsentAnswer:
    """Agree, or withdraw."""
    body: ConsentBody = call.body
    purpose = cast(Purpose, call.path["purpose"])
    return ConsentAnswer.of(call.services.membership.consent(call.member_id, purpose, body.granted, body.text_version))


def get_preferences(call: Call) -> PreferencesAnswer:
    """What the member wants."""
    return PreferencesAnswer.of(call.services.membership.member(call.member_id).preferences)


def patch_preferences(call: Call) -> PreferencesAnswer:
    """Change what is named."""
    body: PreferencesBody = call.body
    return PreferencesAnswer.of(call.services.membership.change_preferences(call.member_id, body.to_changes()))


def post_fixes(call: Call) -> ReportAnswer:
    """Take a report; the hot path."""
    body: FixesBody = call.body
    report = call.services.fixes.report(call.member_id, [fix.to_fix() for fix in body.fixes])
    return ReportAnswer.of(report, tuple([_shown(call, coupon) for coupon in report.coupons]))


def _shown(call: Call, coupon: Coupon) -> CouponAnswer:
    return CouponAnswer.of(coupon, call.services.wallet.code(coupon))


def get_coupons(call: Call) -> Listing[CouponAnswer]:
    """The newest coupons."""
    return Listing(tuple(_shown(call, coupon) for coupon in call.services.wallet.coupons(call.member_id)))


def get_coupon(call: Call) -> CouponAnswer:
    """One coupon."""
    return _shown(call, call.services.wallet.coupon(call.member_id, call.path["coupon_id"]))


def get_why(call: Call) -> WhyAnswer:
    """Why it came."""
    record = call.services.wallet.why(call.member_id, call.path["coupon_id"])
    return WhyAnswer(record.decision.reason, sentences(record))


def get_timeline(call: Call) -> Listing[TimelineEntry]:
    """What happened to it."""
    events = call.services.wallet.timeline(call.member_id, call.path["coupon_id"])
    return Listing(tuple(map(TimelineEntry.of, events)))


def post_event(call: Call) -> CouponAnswer:
    """Note what the phone did with it."""
    body: CouponEventBody = call.body
    return _shown(call, call.services.wallet.note(call.member_id, call.path["coupon_id"], body.event, body.at))


def post_presentation(call: Call) -> PresentationAnswer:
    """A token to scan."""
    token, expires_at = call.services.wallet.present(call.member_id, call.path["coupon_id"])
    return PresentationAnswer(token, expires_at)


_COUPON = "/v1/me/coupons/{coupon_id}"

ROUTES = (
    Route(
        "POST", "/v1/sessions", open_session, "Trade an ID token for a session", Session,
        body=SessionBody, statuses=(201,), errors=(401, 429),
    ),
    Route(
        "DELETE", "/v1/me/sessions", delete_sessions, "Sign out everywhere; this session ends too", None, MEMBER,
        statuses=(204,),
    ),
    Route("PUT", "/v1/me/device", put_device, "Register the phone", Device, MEMBER, body=DeviceBody),
    Route(
        "POST", "/v1/me/device-keys", post_device_key, "Make a key with which a phone can only report fixes",
        NewDeviceKeyAnswer, MEMBER, body=DeviceKeyBody, statuses=(201,), errors=(409,),
    ),
    Route("GET", "/v1/me/device-keys", get_device_keys, "The device keys", Listing[DeviceKeyAnswer], MEMBER),
    Route(
        "DELETE", "/v1/me/device-keys/{key_id}", delete_device_key, "Take a device key back", DeviceKeyAnswer, MEMBER,
        errors=(404,),
    ),
    Route(
        "GET", "/v1/me/consents", get_consents, "What the member agrees to", Listing[ConsentAnswer], MEMBER,
    ),
    Route(
        "PUT", "/v1/me/consents/{purpose}", put_consent, "Agree to a purpose, or withdraw", ConsentAnswer, MEMBER,
        body=ConsentBody,
    ),
    Route("GET", "/v1/me/preferences", get_preferences, "What the member wants", PreferencesAnswer, MEMBER),
    Route(
        "PATCH", "/v1/me/preferences", patch_preferences, "Change preferences", PreferencesAnswer, MEMBER,
        body=PreferencesBody,
    ),
    Route(
        "POST", "/v1/me/fixes", post_fixes, "Report where the phone is", ReportAnswer, MEMBER, body=FixesBody,
    ),
    Route("GET", "/v1/me/coupons", get_coupons, "The newest coupons", Listing[CouponAnswer], MEMBER),
    Route("GET", _COUPON, get_coupon, "One coupon", CouponAnswer, MEMBER, errors=(404,)),
    Route(
        "GET", _COUPON + "/timeline", get_timeline, "What happened to the coupon, in order", Listing[TimelineEntry],
        MEMBER, errors=(404,),
    ),
    Route("GET", _COUPON + "/why", get_why, "Why the coupon came", WhyAnswer, MEMBER, errors=(404,)),
    Route(
        "POST", _COUPON + "/events", post_event, "Note what the phone did with the coupon", CouponAnswer, MEMBER,
        body=CouponEventBody, errors=(404,),
    ),
    Route(
        "POST", _COUPON + "/presentations", post_presentation, "A token for the till's scanner", PresentationAnswer,
        MEMBER, body=Empty, statuses=(201,), errors=(404, 409),
    ),
)  # fmt: skip
