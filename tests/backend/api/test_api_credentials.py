"""Credentials that are none open no route. Who may call what with a good one is in test_api_rights.py.

Routes for device keys are in test_api_phones.py.
"""

from __future__ import annotations

import pytest

from backend.api.routes import ROUTES
from backend.api.routing import Route
from backend.service.errors import Unauthenticated
from tests.backend.api.world import Lull

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
