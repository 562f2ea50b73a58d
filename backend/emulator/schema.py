"""The fields of an FCM HTTP v1 message and the JSON types they take.

Source of the names: the REST reference of `projects.messages` and the encoder of firebase-admin 7.7. Like every
protobuf-JSON service, FCM reads a field by its snake_case and by its lowerCamelCase name, and takes null as absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ListOf:
    """A JSON array whose elements all have one type."""

    element: FieldType


@dataclass(frozen=True, slots=True)
class OneOf:
    """An enumeration, written in any case."""

    values: frozenset[str]


FieldType = str | ListOf | OneOf | Mapping[str, "FieldType"]
"""`string`, `bool`, `number`, `duration`, `strings` (a map of strings), `struct` (any object), a list, an
enumeration, or a nested object with its own fields."""

_ANALYTICS: Mapping[str, FieldType] = {"analytics_label": "string"}

_COLOR: Mapping[str, FieldType] = {"red": "number", "green": "number", "blue": "number", "alpha": "number"}

_ANDROID_NOTIFICATION: Mapping[str, FieldType] = {
    "title": "string",
    "body": "string",
    "icon": "string",
    "color": "string",
    "sound": "string",
    "tag": "string",
    "click_action": "string",
    "body_loc_key": "string",
    "body_loc_args": ListOf("string"),
    "title_loc_key": "string",
    "title_loc_args": ListOf("string"),
    "channel_id": "string",
    "ticker": "string",
    "sticky": "bool",
    "event_time": "string",
    "local_only": "bool",
    "notification_priority": OneOf(
        frozenset(f"PRIORITY_{level}" for level in ("UNSPECIFIED", "MIN", "LOW", "DEFAULT", "HIGH", "MAX"))
    ),
    "default_sound": "bool",
    "default_vibrate_timings": "bool",
    "default_light_settings": "bool",
    "vibrate_timings": ListOf("duration"),
    "visibility": OneOf(frozenset({"VISIBILITY_UNSPECIFIED", "PRIVATE", "PUBLIC", "SECRET"})),
    "notification_count": "number",
    "light_settings": {"color": _COLOR, "light_on_duration": "duration", "light_off_duration": "duration"},
    "image": "string",
    "proxy": OneOf(frozenset({"PROXY_UNSPECIFIED", "ALLOW", "DENY", "IF_PRIORITY_LOWERED"})),
    "bypass_proxy_notification": "bool",
}

_ANDROID: Mapping[str, FieldType] = {
    "collapse_key": "string",
    "priority": OneOf(frozenset({"NORMAL", "HIGH"})),
    "ttl": "duration",
    "restricted_package_name": "string",
    "data": "strings",
    "notification": _ANDROID_NOTIFICATION,
    "fcm_options": _ANALYTICS,
    "direct_boot_ok": "bool",
    "bandwidth_constrained_ok": "bool",
    "restricted_satellite_ok": "bool",
}

_WEBPUSH: Mapping[str, FieldType] = {
    "headers": "strings",
    "data": "strings",
    "notification": "struct",
    "fcm_options": {"link": "string", "analytics_label": "string"},
}

_APNS: Mapping[str, FieldType] = {
    "headers": "strings",
    "payload": "struct",
    "fcm_options": {"analytics_label": "string", "image": "string"},
    "live_activity_token": "string",
}

MESSAGE: Mapping[str, FieldType] = {
    "name": "string",
    "data": "strings",
    "notification": {"title": "string", "body": "string", "image": "string"},
    "android": _ANDROID,
    "webpush": _WEBPUSH,
    "apns": _APNS,
    "fcm_options": _ANALYTICS,
    "fid": "string",
    "token": "string",
    "topic": "string",
    "condition": "string",
}

REQUEST: Mapping[str, FieldType] = {"validate_only": "bool", "message": MESSAGE}
