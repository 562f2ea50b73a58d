"""What went wrong, as problem details (RFC 9457). No answer and no log entry repeats what was sent."""

from __future__ import annotations

import re
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import structlog
from flask import Response
from pydantic import TypeAdapter, ValidationError
from werkzeug.exceptions import HTTPException

from backend.service.errors import InFlight, Invalid, LullError, TooMany

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
SHOWN = 100
"""So many wrong fields are told of at most."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_PART = re.compile(r"_?[a-z][a-z0-9_]{0,39}|\[key\]")
_REASONS = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "not_json"}
_DETAILS = {
    404: "there is nothing here; /docs lists the routes",
    405: "this route does not take that method",
    413: "the body is larger than 1 MiB: send less at a time",
    415: "the body must be JSON: send Content-Type: application/json",
}
_log = structlog.get_logger("lull.api")


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: its path, such as `fixes.3.lat`, and what is wrong with it."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Problem details (RFC 9457). `type` is stable: `/problems/` and a reason that machines can read."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: tuple[FieldError, ...] | None = None


PROBLEM: TypeAdapter[Problem] = TypeAdapter(Problem)


class InvalidFields(Invalid):
    """Fields that cannot be right."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("invalid_fields", "some fields are not valid: see errors")
        self.errors = tuple(errors)


class BadRequest(LullError):
    """The request cannot be read as such."""


class UnsupportedMedia(LullError):
    """The body is in a format that this route does not take."""

    status = 415


def invalid(error: ValidationError) -> LullError:
    """What pydantic found wrong, without the values it found."""
    details = error.errors(include_input=False, include_url=False, include_context=False)
    if details[0]["type"] == "json_invalid":
        return BadRequest("json_unreadable", "the body is not JSON, or not in UTF-8")
    return InvalidFields([_field_error(detail, ()) for detail in details[:SHOWN]])


def field_errors(error: ValidationError, within: tuple[int, ...] = ()) -> list[FieldError]:
    """The same as fields, under the place `within`."""
    details = error.errors(include_input=False, include_url=False, include_context=False)
    return [_field_error(detail, within) for detail in details[:SHOWN]]


def _field_error(detail: Any, within: tuple[int, ...]) -> FieldError:
    location, message = [*within, *detail["loc"]], str(detail["msg"])
    if detail["type"] == "extra_forbidden":
        # The name was sent as well, so it is told only when it looks like a name.
        named = _NAME.fullmatch(str(location[-1])) is not None
        location = location if named else location[:-1]
        message = "This field is not known" if named else "There is a field whose name is not known"
    return FieldError(".".join(map(_part, location)), message.removeprefix("Value error, "))


def _part(part: object) -> str:
    """A place or a field's name; "*" for a key that was sent and looks like none."""
    return str(part) if isinstance(part, int) or _PART.fullmatch(str(part)) else "*"


def response(error: Exception, method: str, route: str, challenge: str = "Bearer") -> Response:
    """The response to an error; one that nobody foresaw is logged, with its place but without its words.

    `challenge` says how to authenticate where that was amiss.
    """
    if isinstance(error, HTTPException):
        return _of_werkzeug(error)
    if not isinstance(error, LullError):
        frames = traceback.extract_tb(error.__traceback__)
        where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]]
        _log.error("request failed", method=method, route=route, error=type(error).__name__, where=where)
        return _render(500, "internal", None)
    errors = error.errors if isinstance(error, InvalidFields) else None
    made = _render(error.status, error.reason, error.detail, errors)
    if error.status == 401:
        made.headers["WWW-Authenticate"] = challenge
    if error.status == 503:
        made.headers["Retry-After"] = str(RETRY_AFTER_S)
    if isinstance(error, TooMany | InFlight):
        made.headers["Retry-After"] = str(error.retry_after_s)
    return made


def _of_werkzeug(error: HTTPException) -> Response:
    code = error.code or 500
    if code < 400:
        return Response(status=code, headers=[pair for pair in error.get_headers() if pair[0] == "Location"])
    made = _render(code, _REASONS.get(code, f"http_{code}"), _DETAILS.get(code))
    allow = [pair for pair in error.get_headers() if pair[0] == "Allow"]
    made.headers.extend(allow)
    return made


def _render(status: int, reason: str, detail: str | None, errors: tuple[FieldError, ...] | None = None) -> Response:
    problem = Problem(f"/problems/{reason}", HTTPStatus(status).phrase, status, detail, errors)
    body = PROBLEM.dump_json(problem, exclude_none=True)
    return Response(body, status, {"Cache-Control": "no-store"}, content_type=CONTENT_TYPE)
