"""Who calls: a member by a session token, staff by an API key. What a key starts with tells the two apart."""

from __future__ import annotations

from backend.api.routing import Who
from backend.service.errors import Forbidden, NotFound, Unauthenticated
from backend.service.membership import member_gone
from backend.service.model import Key
from backend.service.services import Services

KEY_PREFIX = "lk_"
LONGEST = 8192


def caller(services: Services, header: str | None, who: frozenset[Who]) -> str | Key:
    """The member's id or the API key behind an Authorization header.

    Raises Unauthenticated without a good credential, TooMany when one is used too often, and Forbidden with one that is
    not for this route.
    """
    scheme, _, credential = (header or "").partition(" ")
    credential = credential.strip()
    if scheme.lower() != "bearer" or not credential or len(credential) > LONGEST:
        raise Unauthenticated("no_credential", "send Authorization: Bearer with a session token or an API key")
    if not credential.startswith(KEY_PREFIX):
        member_id = services.sessions.member(credential)
        services.limits.member(member_id)
        if "member" not in who:
            raise Forbidden("staff_only", "this route takes an API key, not a member's session")
        return member_id
    key = services.api_keys.key(credential)
    services.limits.key(key)
    if key.role in who or (key.role == "admin" and who != {"member"}):
        return key
    raise Forbidden("wrong_role", f"a key of a {key.role} may not do this")


def of_caller(error: Exception, who: frozenset[Who]) -> Exception:
    """The error to answer with: to a member, that they are not there is the end of their credential.

    They were erased through another process, while this one still remembered them (for some seconds).
    """
    theirs = who == {"member"} or who == {"device"}
    return member_gone() if theirs and isinstance(error, NotFound) and error.reason == "member_unknown" else error
