"""Whatever is sent, the server neither breaks nor repeats it."""

from __future__ import annotations

import copy
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backend.api.world import BASKET, CAMPAIGN, DEVICE, OFFER, STORE, Lull, fix, stamp

EXAMPLES: tuple[tuple[str, str, str, Any], ...] = (
    ("POST", "/v1/sessions", "member", {"id_token": "uid:eero"}),
    ("PUT", "/v1/me/device", "member", DEVICE),
    ("POST", "/v1/me/device-keys", "member", {"label": "Old phone"}),
    ("PUT", "/v1/me/consents/measurement", "member", {"granted": True, "text_version": "1"}),
    (
        "PATCH",
        "/v1/me/preferences",
        "member",
        {"quiet_hours": {"start": "22:00", "end": "07:00"}, "weekly_maximum": 3, "muted_products": ["espresso"]},
    ),
    ("POST", "/v1/me/fixes", "member", {"fixes": [fix(), fix(mocked=True)]}),
    ("POST", "/v1/me/coupons/none/events", "member", {"event": "opened", "at": stamp()}),
    (
        "POST",
        "/v1/stores/kamppi/observations",
        "till",
        {"terminal": "bar", "observations": [{"kind": "arrivals", "at": stamp(), "value": 1, "window_s": 60}]},
    ),
    ("POST", "/v1/redemptions", "till", BASKET | {"code": "0000-0000-0000-0"}),
    ("POST", "/v1/redemptions/none/rollback", "till", {"reason": "why"}),
    ("POST", "/v1/purchases", "till", BASKET | {"at": stamp(), "member_id": "m"}),
    ("POST", "/v1/stores", "marketer", STORE | {"id": "other"}),
    ("PATCH", "/v1/stores/kamppi", "marketer", {"name": "Kamppi", "radius_m": 100, "staff": 2}),
    ("POST", "/v1/offers", "marketer", OFFER | {"id": "other"}),
    ("POST", "/v1/campaigns", "marketer", CAMPAIGN | {"id": "other", "starts_at": stamp(), "ends_at": stamp(60)}),
    ("PATCH", "/v1/campaigns/spring", "marketer", {"name": "Spring", "budget_minor": 10_000, "holdout": 0.1}),
    ("POST", "/v1/pause", "marketer", {"store_id": "kamppi"}),
    ("POST", "/v1/resume", "marketer", {"store_id": "kamppi"}),
)
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
def lull() -> Lull:
    made = Lull()
    made.open_chain()
    made.willing_member()
    return made


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_one_odd_value_breaks_nothing(lull: Lull, data: st.DataObject) -> None:
    method, path, who, body = data.draw(st.sampled_from(EXAMPLES))
    way = data.draw(st.sampled_from(leaves(body)))
    sent = json.dumps(exchanged(body, way, data.draw(ODD))).encode()
    headers = {"Idempotency-Key": data.draw(st.uuids()).hex}
    answer = lull.call(method, path, getattr(lull, who), data=sent, headers=headers, content_type="application/json")
    assert answer.status_code < 500, (path, way)
    assert answer.status_code >= 200


@settings(max_examples=100, deadline=None)
@given(part=st.text(max_size=200), query=st.text(max_size=50))
def test_odd_paths_and_queries_break_nothing(lull: Lull, part: str, query: str) -> None:
    for path in ("/v1/stores/{}", "/v1/offers/{}", "/v1/me/coupons/{}", "/docs/static/{}", "/{}"):
        who = lull.member if "/me/" in path else lull.marketer
        answer = lull.client.get(
            path.format(quote(part, safe="")),
            query_string={"cursor": query},
            headers={"Authorization": f"Bearer {who}"},
        )
        answer.close()
        assert answer.status_code < 500
