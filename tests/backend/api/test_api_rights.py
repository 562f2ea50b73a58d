"""Every route, every role, and somebody else's object: who gets what, from a table that must know every route."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any

import pytest
from werkzeug.test import TestResponse

from backend.api.routes import ROUTES
from backend.api.routing import Route
from tests.backend.api.rights import CALLERS, TABLE, Row, Scene
from tests.backend.api.world import BASKET

KEPT = ("members", "consents", "stores", "offers", "campaigns", "paused", "observations", "coupons", "outbox")
MONEY_AND_KEYS = ("redemptions", "purchases", "stars", "loyalty_rules", "device_keys", "secrets", "audit")
OBJECTS = {"id", "store_id", "coupon_id", "redemption_id", "campaign_id", "key_id", "member_id", "code"}
"""Fields of bodies that name something which may be somebody else's."""
VARY = {"Date"}


def called(route: Route) -> str:
    """How the table names a route."""
    return f"{route.method} {route.path}"


KNOWN = [route for route in ROUTES if called(route) in TABLE]
GUARDED = [route for route in KNOWN if TABLE[called(route)].may]
FOREIGN = [(route, caller) for route in KNOWN for caller in TABLE[called(route)].foreign]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def ask(scene: Scene, route: Route, caller: str, *, unknown: bool = False) -> TestResponse:
    """The request of the table's row, by this caller; with ids that nothing has, when `unknown`."""
    row, credential = TABLE[called(route)], scene.credentials[caller]
    values = scene.values | (dict.fromkeys(scene.values.keys() - {"purpose", "code"}, "nowhere") if unknown else {})
    body = scene.filled(row.body)
    if unknown and isinstance(body, dict):
        body |= {name: "nowhere" for name in OBJECTS - {"code"} if name in body}
    more: dict[str, Any] = {} if body is None else {"json": body}
    headers = {"Idempotency-Key": f"{caller} {unknown} {called(route)}"} if row.once else {}
    query = dict(row.query)
    if credential and route.format and route.format.name == "osmand":
        query, credential = query | {"id": credential}, None
    elif credential and route.format and route.format.name == "owntracks":
        headers["Authorization"] = "Basic " + b64encode(f"aino:{credential}".encode()).decode()
        credential = None
    path = route.path.format(**values)
    return scene.call(route.method, path, credential, headers=headers, query_string=query, **more)


def told(answer: TestResponse) -> tuple[int, dict[str, str], bytes]:
    """All that a caller can tell answers apart by."""
    return answer.status_code, {name: value for name, value in answer.headers if name not in VARY}, answer.data


def books(scene: Scene) -> dict[str, str]:
    """What no refused request may change."""
    return {name: repr(getattr(scene.world, name)) for name in (*KEPT, *MONEY_AND_KEYS)}


def test_every_route_has_its_row() -> None:
    """A route without a row has rights that nobody wrote down."""
    routes = {called(route) for route in ROUTES}
    missing = sorted(routes - TABLE.keys())
    assert not missing, (
        f"no row in TABLE of tests/backend/api/rights.py for: {', '.join(missing)}. Add one: which roles may call it, "
        "a body with which they succeed, and for whom its objects are somebody else's (`foreign`)"
    )
    assert TABLE.keys() <= routes, f"rows of routes that are no more: {sorted(TABLE.keys() - routes)}"


@pytest.mark.parametrize("route", KNOWN, ids=called)
def test_a_route_with_objects_says_whose_they_are(route: Route) -> None:
    """A row has a case with somebody else's object, or says why there is none."""
    row: Row = TABLE[called(route)]
    holes = set(re.findall(r"\{(\w+)\}", route.path))
    fields = OBJECTS & set(route.body.model_fields if route.body else ())
    if row.may and (holes or fields):
        assert row.foreign or row.shared, (
            f"{called(route)} takes {', '.join(sorted(holes | fields))}: add to its row in "
            "tests/backend/api/rights.py who gets 403 or 404 for somebody else's (`foreign`), or why all may (`shared`)"
        )
    assert set(row.foreign.values()) <= {403, 404}
    assert {CALLERS[caller] for caller in row.foreign} <= row.may


@pytest.mark.parametrize("route", GUARDED, ids=called)
def test_whoever_may_not_is_refused_and_changes_nothing(scene: Scene, route: Route) -> None:
    """No credential, or one that is none here: 401. A good one of another role: 403."""
    row = TABLE[called(route)]
    before = books(scene)
    for caller, credential in scene.credentials.items():
        role = CALLERS.get(caller)
        if role in row.may:
            continue
        no_credential_here = credential is None or role == "device" or row.may == {"device"}
        answer = ask(scene, route, caller)
        assert answer.status_code == (401 if no_credential_here else 403), caller
        assert ("WWW-Authenticate" in answer.headers) == no_credential_here
        assert credential is None or credential not in answer.text
    assert books(scene) == before


@pytest.mark.parametrize("route", KNOWN, ids=called)
def test_whoever_may_succeeds(route: Route) -> None:
    """The same requests are good ones: refusals are for who asks, not for what is asked."""
    row = TABLE[called(route)]
    allowed = {role: caller for caller, role in reversed(CALLERS.items()) if role in row.may} or {"": "nobody"}
    for caller in allowed.values():
        assert ask(Scene(), route, caller).status_code in route.statuses, caller


@pytest.mark.parametrize(("route", "caller"), FOREIGN, ids=[f"{called(route)} {caller}" for route, caller in FOREIGN])
def test_somebody_elses_object_is_as_good_as_none(scene: Scene, route: Route, caller: str) -> None:
    """It is refused, nothing changes, and the answer is to the byte that for an object which does not exist."""
    before = books(scene)
    answer = ask(scene, route, caller)
    assert answer.status_code == TABLE[called(route)].foreign[caller]
    assert books(scene) == before
    assert told(answer) == told(ask(scene, route, caller, unknown=True))


def test_a_till_elsewhere_cannot_tell_codes_apart(scene: Scene) -> None:
    """A coupon that is good elsewhere, one used there and none at all: the same answer to the byte."""
    sale = BASKET | {"store_id": "kallio"}
    codes = (scene.values["code"], scene.used_code, "0000-0000-0000-0", "hello")
    answers = [
        scene.post("/v1/redemptions", sale | {"code": code}, scene.credentials["till_elsewhere"], once=code)
        for code in codes
    ]
    assert answers[0].status_code == 404
    assert all(told(answer) == told(answers[0]) for answer in answers)
