"""Error bodies as Google's services write them (google.rpc.Status in JSON)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backend.emulator.messages import Violation

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"

STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
"""The canonical status FCM writes beside each HTTP status."""

ERROR_CODES = {
    400: "INVALID_ARGUMENT",
    401: "THIRD_PARTY_AUTH_ERROR",
    403: "SENDER_ID_MISMATCH",
    404: "UNREGISTERED",
    429: "QUOTA_EXCEEDED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
"""The FcmError code that comes with each HTTP status when nothing else is asked for."""

_MESSAGES = {
    "UNREGISTERED": "Requested entity was not found.",
    "QUOTA_EXCEEDED": "Quota exceeded for this request.",
    "SENDER_ID_MISMATCH": "SenderId mismatch.",
    "THIRD_PARTY_AUTH_ERROR": "Auth error from APNS or Web Push Service.",
    "UNAVAILABLE": "The service is currently unavailable.",
    "INTERNAL": "Internal error encountered.",
}


def error_body(status: int, message: str, details: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """The body of an error answer with this HTTP status."""
    error: dict[str, Any] = {"code": status, "message": message, "status": STATUS_NAMES.get(status, "UNKNOWN")}
    if details:
        error["details"] = list(details)
    return {"error": error}


def fcm_error(status: int, error_code: str) -> dict[str, Any]:
    """An error of FCM itself, with its errorCode among the details."""
    message = _MESSAGES.get(error_code, "The request could not be carried out.")
    return error_body(status, message, [{"@type": FCM_ERROR, "errorCode": error_code}])


def bad_request(violations: Sequence[Violation]) -> dict[str, Any]:
    """400 INVALID_ARGUMENT that names every field that is wrong."""
    fields = [{"field": violation.field, "description": violation.description} for violation in violations]
    details: list[dict[str, Any]] = [
        {"@type": FCM_ERROR, "errorCode": "INVALID_ARGUMENT"},
        {"@type": BAD_REQUEST, "fieldViolations": fields},
    ]
    return error_body(400, violations[0].description, details)
