"""Who may call what; the table of routes says it, and every route keeps to it.

Routes for device keys are in test_api_phones.py.
"""

from __future__ import annotations

import pytest

from backend.api.routes import ROUTES
from backend.api.routing import Route
from backend.service.errors import Unauthenticated
from tests.backend.api.world import Lull

STAFF = ("till", "marketer", "analyst")
GUARDED = [route for route in ROUTES if route.who and not route.format]


def name(route: Route) -> str:
    """How a route is called in a test's name."""
    return f"{route.method} {route.path}"


def path(route: Route) -> str:
    """The route's path with something in its holes."""
    return route.path.replace("{purpose}", "measurement").replace("{", "").replace("}", "")


@pytest.mark.parametrize("route", GUARDED, ids=name)
def test_without_a_good_credential_nobody_gets_in(lull: Lull, route: Route) -> None:
    for header in (None, "Basic bGs6", "Bearer", "Bearer  ", "Bearer lk_unknown", "Bearer a.b.c", "Bearer é"):
        headers = {"Authorization": header} if header else {}
        answer = lull.call(route.method, path(route), None, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("route", GUARDED, ids=name)
def test_every_role_but_those_named_is_forbidden(lull: Lull, route: Route) -> None:
    credentials = {"member": lull.member, "till": lull.till, "marketer": lull.marketer, "analyst": lull.analyst}
    for role, credential in credentials.items():
        answer = lull.call(route.method, path(route), credential)
        assert (answer.status_code == 403) == (role not in route.who), role
    admin = lull.call(route.method, path(route), lull.admin)
    assert (admin.status_code == 403) == (route.who == {"member"})


def test_a_session_ends_after_fifteen_minutes(lull: Lull) -> None:
    token = lull.member
    assert lull.get("/v1/me/coupons", token).status_code == 200
    lull.clock.real_moved = 901.0
    remembered = lull.services.sessions._sessions
    assert remembered.get(token, lull.clock.real()) is None


def test_a_forged_session_is_refused(lull: Lull) -> None:
    head, claims, signature = lull.member.split(".")
    forged = ".".join((head, claims, signature[::-1]))
    answer = lull.get("/v1/me/coupons", forged)
    assert (answer.status_code, answer.get_json()["type"]) == (401, "/problems/invalid_session")


@pytest.mark.parametrize("uid", ["ai\x00no", "ai\nno", "\x7f", "a" * 129, "\ud800"])
def test_a_uid_that_firebase_never_gives_opens_no_session(lull: Lull, uid: str) -> None:
    with pytest.raises(Unauthenticated, match="sign in again"):
        lull.services.sessions.open(f"uid:{uid}")
