"""Checks the body of `messages:send` the way FCM does. Pure: no clock, no I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backend.emulator.schema import REQUEST, FieldType, ListOf, OneOf

TARGETS = ("fid", "token", "topic", "condition")
MAX_PAYLOAD_BYTES = 4096
MAX_TOPIC_PAYLOAD_BYTES = 2048
MAX_TTL_S = 4 * 7 * 24 * 3600
"""FCM keeps a message for four weeks at most."""

_CAMEL = re.compile(r"(?<=[a-z0-9])([A-Z])")
_DURATION = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,9})?s")
_TOPIC = re.compile(r"[a-zA-Z0-9\-_.~%]+")
_RESERVED_KEYS = frozenset({"from", "gcm", "message_type"})
_RESERVED_PREFIXES = ("google", "gcm.")
_JSON_TYPES = {"string": str, "bool": bool, "struct": dict, "strings": dict}


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong with a request: the field's path (`message.android.ttl`) and a sentence."""

    field: str
    description: str


class InvalidMessage(ValueError):
    """The request is not a message FCM would take; `violations` says why, in the order found."""

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        super().__init__(violations[0].description)
        self.violations = violations


@dataclass(frozen=True, slots=True)
class CheckedMessage:
    """A message that passed: `kind` is fid, token, topic or condition, `registration` its value, `ttl_s` seconds."""

    kind: str
    registration: str
    data: Mapping[str, str]
    notification: Mapping[str, str] | None
    ttl_s: float | None
    validate_only: bool


def check(raw: bytes) -> CheckedMessage:
    """Reads and checks one request body. Raises InvalidMessage with all violations found."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise InvalidMessage((Violation("", "Invalid JSON payload received. The body is not JSON."),)) from None
    violations: list[Violation] = []
    request = _object(body, "", REQUEST, violations)
    message = request.get("message")
    if not violations:
        if not isinstance(message, dict):
            violations.append(Violation("message", "Request contains no message."))
        else:
            violations.extend(_rules(message))
    if violations:
        raise InvalidMessage(tuple(violations))
    assert isinstance(message, dict)
    return _checked(message, bool(request.get("validate_only", False)))


def _checked(message: dict[str, Any], validate_only: bool) -> CheckedMessage:
    kind = next(name for name in TARGETS if message.get(name))
    ttl = message.get("android", {}).get("ttl")
    return CheckedMessage(
        kind=kind,
        registration=message[kind],
        data=message.get("data", {}),
        notification=message.get("notification"),
        ttl_s=None if ttl is None else float(ttl[:-1]),
        validate_only=validate_only,
    )


def _object(value: object, path: str, fields: Mapping[str, FieldType], found: list[Violation]) -> dict[str, Any]:
    """The object with its fields under their snake_case names; what is wrong goes to `found`."""
    if not isinstance(value, dict):
        found.append(_wrong(path, "object"))
        return {}
    result: dict[str, Any] = {}
    for name, content in value.items():
        known = name if name in fields else _CAMEL.sub(lambda letter: "_" + letter[1].lower(), name)
        if known not in fields:
            place = f" at '{path}'" if path else ""
            description = f'Invalid JSON payload received. Unknown name "{name}"{place}: Cannot find field.'
            found.append(Violation(path, description))
        elif content is not None:
            result[known] = _value(content, f"{path}.{known}" if path else known, fields[known], found)
    return result


def _value(value: object, path: str, kind: FieldType, found: list[Violation]) -> object:
    if isinstance(kind, Mapping):
        return _object(value, path, kind, found)
    if isinstance(kind, ListOf):
        if not isinstance(value, list):
            found.append(_wrong(path, "list"))
            return []
        return [_value(element, f"{path}[{index}]", kind.element, found) for index, element in enumerate(value)]
    if isinstance(kind, OneOf):
        if not isinstance(value, str) or value.upper() not in kind.values:
            found.append(_wrong(path, "one of " + ", ".join(sorted(kind.values))))
        return value
    found.extend(_scalar(value, path, kind))
    return value


def _scalar(value: object, path: str, kind: str) -> Iterator[Violation]:
    if kind == "number":
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield _wrong(path, "number")
    elif kind == "duration":
        if not isinstance(value, str) or not _DURATION.fullmatch(value):
            yield Violation(path, f"Invalid value at '{path}' (a duration): write seconds such as \"3.5s\".")
    elif not isinstance(value, _JSON_TYPES[kind]):
        yield _wrong(path, kind)
    elif kind == "strings":
        assert isinstance(value, dict)
        for index, content in enumerate(value.values()):
            if not isinstance(content, str):
                yield _wrong(f"{path}[{index}].value", "string")


def _wrong(path: str, kind: str) -> Violation:
    return Violation(path, f"Invalid value at '{path}' (expected {kind}).")


def _rules(message: dict[str, Any]) -> Iterator[Violation]:
    """What FCM asks of a message beyond the types of its fields."""
    targets = [name for name in TARGETS if name in message]
    if len(targets) > 1:
        yield Violation(f"message.{targets[1]}", "Exactly one of fid, token, topic or condition may be set.")
    elif not targets or not message[targets[0]]:
        yield Violation("message", "Recipient of the message is not set.")
    topic = message.get("topic")
    if topic and not _TOPIC.fullmatch(topic):
        yield Violation("message.topic", "Malformed topic name.")
    yield from _data_keys(message.get("data", {}), "message.data")
    android = message.get("android", {})
    yield from _data_keys(android.get("data", {}), "message.android.data")
    ttl = android.get("ttl")
    if ttl is not None and not 0 <= float(ttl[:-1]) <= MAX_TTL_S:
        yield Violation("message.android.ttl", "The ttl must be between 0s and 2419200s (four weeks).")
    yield from _apns_headers(message.get("apns", {}).get("headers", {}))
    yield from _size(message)


def _data_keys(data: Mapping[str, str], path: str) -> Iterator[Violation]:
    for key in data:
        if not key or key in _RESERVED_KEYS or key.startswith(_RESERVED_PREFIXES):
            yield Violation(path, f"Invalid data payload key: {key}")


def _apns_headers(headers: Mapping[str, str]) -> Iterator[Violation]:
    lower = {name.lower(): value for name, value in headers.items()}
    expiration = lower.get("apns-expiration")
    if expiration is not None and not (expiration.isascii() and expiration.isdigit()):
        yield Violation("message.apns.headers", "apns-expiration must be whole seconds since 1970 in UTC.")
    priority = lower.get("apns-priority")
    if priority is not None and priority not in {"1", "5", "10"}:
        yield Violation("message.apns.headers", "apns-priority must be 1, 5 or 10.")
    if len(lower.get("apns-collapse-id", "").encode()) > 64:
        yield Violation("message.apns.headers", "apns-collapse-id must not exceed 64 bytes.")


def _size(message: dict[str, Any]) -> Iterator[Violation]:
    parts: dict[str, str] = {**message.get("notification", {}), **message.get("data", {})}
    # errors="surrogatepass": a lone surrogate is legal in JSON and must not break the count.
    size = sum(len((key + value).encode(errors="surrogatepass")) for key, value in parts.items())
    limit = MAX_TOPIC_PAYLOAD_BYTES if message.get("topic") else MAX_PAYLOAD_BYTES
    if size > limit:
        yield Violation("message", f"Message is too big: {size} bytes of payload, at most {limit} are taken.")
