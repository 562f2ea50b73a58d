"""What members may ask about themselves: to see all that is known, and to be forgotten."""

from __future__ import annotations

from typing import Any

from backend.api.routes.members import MEMBER
from backend.api.routing import Call, Route
from backend.api.schemas.base import Listing
from backend.api.schemas.export import SCHEMA_PATH, ExportAnswer, export_schema
from backend.service.model import Consent


def get_consent_log(call: Call) -> Listing[Consent]:
    """Every word of the member's on consent."""
    return Listing(call.services.membership.consent_log(call.member_id))


def get_export(call: Call) -> ExportAnswer:
    """Everything known of the member."""
    member = call.services.membership.member(call.member_id)
    return ExportAnswer.of(call.services.holdings.everything(member))


def get_export_schema(_: Call) -> dict[str, Any]:
    """What an export looks like."""
    return export_schema()


def delete_me(call: Call) -> None:
    """Forget the member; who was forgotten already stays so."""
    call.services.erasure.erase(call.once_member_id)


ROUTES = (
    Route(
        "GET", "/v1/me/consents/log", get_consent_log, "All that the member agreed to or withdrew, oldest first",
        Listing[Consent], MEMBER,
    ),
    Route(
        "GET", "/v1/me/export", get_export, "Everything known of the member", ExportAnswer, MEMBER,
    ),
    Route("GET", SCHEMA_PATH, get_export_schema, "The JSON Schema of an export", dict[str, Any]),
    Route(
        "DELETE", "/v1/me", delete_me, "Forget the member; accounting stays without a person", None, MEMBER,
        statuses=(204,),
    ),
)  # fmt: skip
