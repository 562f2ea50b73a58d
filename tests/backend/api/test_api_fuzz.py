"""Whatever is sent, the server neither breaks nor repeats it. tests/fuzz has what the OpenAPI document implies."""

from __future__ import annotations

import copy
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from backend.api.routes import ROUTES
from backend.api.routing import Route
from tests.backend.api.rights import CALLERS, TABLE, Scene

WITH_BODY = [route for route in ROUTES if TABLE[f"{route.method} {route.path}"].body and not route.format]
WITH_HOLES = [route for route in ROUTES if "{" in route.path]
ODD = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**62)
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["", "\x00", "*", "2026-06-02", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "😀" * 200])
    | st.lists(st.integers(), max_size=3)
    | st.dictionaries(st.text(max_size=5), st.integers(), max_size=2)
)
WORD, NUMBER = "Zaphod", 7319_7319
CANARIES = st.sampled_from(
    [
        WORD,
        WORD * 200,
        f"\x00{WORD}",
        f"*{WORD}\n",
        f"2026-06-02T14:00:00{WORD}",
        "2026-06-02T14:00:00.73197319+73:19",
        f"{WORD}/{WORD}",
        f"{{{WORD}}}",
        NUMBER,
        -NUMBER,
        NUMBER * 10**12,
        float(NUMBER) + 0.5,
        [WORD],
        {"name": WORD},
        {"id": NUMBER},
    ]
)


def leaves(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to every value within, and to the whole."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(found for key, value in inner for found in leaves(value, (*path, key)))]


def exchanged(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The body with another value at the end of a way."""
    if not path:
        return value
    changed = copy.deepcopy(body)
    node = changed
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return changed


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene()


def send(scene: Scene, route: Route, **more: Any) -> TestResponse:
    """The request of the table's row but for what is given, by the first who may."""
    row = TABLE[f"{route.method} {route.path}"]
    caller = next((caller for caller, role in CALLERS.items() if role in row.may), "nobody")
    path = more.pop("path", None) or route.path.format(**scene.values)
    more.setdefault("headers", {"Idempotency-Key": str(hash(repr(more)))})
    return scene.call(route.method, path, scene.credentials[caller], **more)


def told(answer: TestResponse) -> str:
    """All that the answer says."""
    return f"{answer.headers}\n{answer.text}"


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_one_odd_value_breaks_nothing(scene: Scene, data: st.DataObject) -> None:
    """Every route's good body with something else in one place."""
    route = data.draw(st.sampled_from(WITH_BODY))
    body = scene.filled(TABLE[f"{route.method} {route.path}"].body)
    way = data.draw(st.sampled_from(leaves(body)))
    answer = send(scene, route, json=exchanged(body, way, data.draw(ODD)))
    assert 200 <= answer.status_code < 500, (route.path, way)


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_no_refusal_repeats_a_value_of_the_body(scene: Scene, data: st.DataObject) -> None:
    """A word or a number that was sent in some field is in no answer that refuses it."""
    route = data.draw(st.sampled_from(WITH_BODY))
    body = scene.filled(TABLE[f"{route.method} {route.path}"].body)
    way = data.draw(st.sampled_from(leaves(body)))
    answer = send(scene, route, json=exchanged(body, way, data.draw(CANARIES)))
    if answer.status_code >= 400:
        assert WORD not in told(answer), way
        assert "7319" not in told(answer), way


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_refusal_repeats_a_path_a_query_or_a_header(scene: Scene, data: st.DataObject) -> None:
    """Nor what was sent beside the body."""
    route = data.draw(st.sampled_from(WITH_HOLES))
    canary = str(data.draw(CANARIES))
    values = dict.fromkeys(scene.values, quote(canary, safe=""))
    body = scene.filled(TABLE[f"{route.method} {route.path}"].body)
    sent = [
        send(scene, route, path=route.path.format(**values), json=body),
        send(scene, route, query_string={"cursor": canary, "limit": canary}, json=body),
        send(scene, route, headers={"Idempotency-Key": quote(canary) * 99}, json=body),
        scene.call(route.method, route.path.format(**scene.values), quote(canary), json=body),
    ]
    for answer in sent:
        if answer.status_code >= 400:
            assert WORD not in told(answer)
            assert "7319" not in told(answer)


@settings(max_examples=100, deadline=None)
@given(part=st.text(max_size=200), query=st.text(max_size=50))
def test_odd_paths_and_queries_break_nothing(scene: Scene, part: str, query: str) -> None:
    """Pages and lists too."""
    for path in ("/v1/stores/{}", "/v1/offers/{}", "/v1/me/coupons/{}", "/docs/static/{}", "/{}"):
        who = scene.member if "/me/" in path else scene.marketer
        answer = scene.client.get(
            path.format(quote(part, safe="")),
            query_string={"cursor": query},
            headers={"Authorization": f"Bearer {who}"},
        )
        answer.close()
        assert answer.status_code < 500
