"""The routes of admins: API keys, and the log of what staff changed."""

from __future__ import annotations

from backend.api.routing import Call, Route, Who
from backend.api.schemas.base import Listing, Page
from backend.api.schemas.staff import (
    AuditAnswer,
    AuditPage,
    KeyAnswer,
    KeyBody,
    NewKeyAnswer,
    RotationBody,
)

ADMIN: frozenset[Who] = frozenset({"admin"})


def post_key(call: Call) -> NewKeyAnswer:
    """Make an API key."""
    body: KeyBody = call.body
    return NewKeyAnswer.told(*call.services.api_keys.create(call.key, body.to_new_key()))


def get_keys(call: Call) -> Listing[KeyAnswer]:
    """All API keys the admin may touch, by id."""
    page: Page = call.query
    rest = [entry for entry in call.services.api_keys.of(call.key) if entry.id > page.cursor]
    found = rest[: page.limit]
    return Listing(tuple(map(KeyAnswer.of, found)), found[-1].id if len(rest) > len(found) else None)


def post_rotation(call: Call) -> NewKeyAnswer:
    """Give a key a new secret."""
    body: RotationBody = call.body
    key_id = call.path["api_key_id"]
    return NewKeyAnswer.told(*call.services.api_keys.rotate(call.key, key_id, body.to_overlap()))


def delete_key(call: Call) -> KeyAnswer:
    """End a key."""
    return KeyAnswer.of(call.services.api_keys.revoke(call.key, call.path["api_key_id"]))


def get_audit(call: Call) -> Listing[AuditAnswer]:
    """Changes by staff, newest first."""
    call.of_chain()
    page: AuditPage = call.query
    entries = call.services.ports.identity.audit(int(page.cursor) if page.cursor else None, page.limit + 1)
    items = tuple(AuditAnswer.of(entry) for entry in entries[: page.limit])
    return Listing(items, str(items[-1].id) if len(entries) > page.limit else None)


ROUTES = (
    Route(
        "POST", "/v1/keys", post_key, "Make an API key; its secret is told this once", NewKeyAnswer, ADMIN,
        body=KeyBody, statuses=(201,),
    ),
    Route("GET", "/v1/keys", get_keys, "All API keys, without secrets", Listing[KeyAnswer], ADMIN, query=Page),
    Route(
        "POST", "/v1/keys/{api_key_id}/rotate", post_rotation, "Give an API key a new secret, told this once",
        NewKeyAnswer, ADMIN, body=RotationBody, errors=(404, 409),
    ),
    Route(
        "DELETE", "/v1/keys/{api_key_id}", delete_key, "End an API key for good", KeyAnswer, ADMIN, errors=(404,),
    ),
    Route("GET", "/v1/audit", get_audit, "What staff changed", Listing[AuditAnswer], ADMIN, query=AuditPage),
)  # fmt: skip
