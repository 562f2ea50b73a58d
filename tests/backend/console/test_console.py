"""The console: a page for everyone, a picture for keys."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from backend.console import create_console
from backend.service.live import Picture
from tests.backend.api.world import STORE, Lull, stamp

FRESH_S = 1.0


@dataclass(repr=False)
class WithConsole(Lull):
    """The API and the console in one application."""

    city: Path | None = None

    def build(self) -> Flask:
        """The application under test."""
        app = super().build()
        app.register_blueprint(create_console(self.services, self.city))
        return app


@pytest.fixture
def lull() -> Lull:
    return WithConsole()


def live(lull: Lull) -> TestResponse:
    """The picture, made anew."""
    lull.clock.real_moved += FRESH_S
    return lull.get("/console/live.json?after=0", lull.marketer)


def test_the_page_is_served_with_a_strict_policy(lull: Lull) -> None:
    page = lull.get("/console", None)
    assert (page.status_code, page.mimetype) == (200, "text/html")
    policy = page.headers["Content-Security-Policy"]
    for rule in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert rule in policy
    assert "unsafe-eval" not in policy
    assert page.headers["Referrer-Policy"] == "no-referrer"


def test_what_the_page_asks_for_is_there(lull: Lull) -> None:
    page = lull.get("/console", None).text
    for name in ("console.css", "console.js", "icon.svg"):
        assert f"/console/static/{name}" in page
        assert lull.get(f"/console/static/{name}", None).status_code == 200
    assert "javascript" in (lull.get("/console/static/vendor/maplibre-gl.mjs", None).mimetype or "")


def test_the_picture_wants_a_key_of_the_chain(lull: Lull) -> None:
    assert lull.get("/console/live.json", None).status_code == 401
    assert lull.get("/console/live.json", "lk_unknown").status_code == 401
    assert lull.get("/console/live.json", lull.till).status_code == 403
    assert lull.get("/console/live.json", lull.key("marketer", {"kamppi"})).status_code == 403
    for credential in (lull.marketer, lull.analyst, lull.admin):
        assert lull.get("/console/live.json", credential).status_code == 200


def test_an_empty_chain_has_an_empty_picture(lull: Lull) -> None:
    picture = live(lull).get_json()
    assert (picture["now"], picture["started_at"], picture["seq"]) == (stamp(), stamp(), 0)
    assert picture["stores"] == picture["coupons"] == []
    assert picture["totals"]["issued"] == 0


def test_the_picture_shows_stores_coupons_and_totals(lull: Lull) -> None:
    coupon = lull.issue()
    picture = live(lull).get_json()
    (store,) = picture["stores"]
    assert store.pop("utilisation") < 0.3
    assert store == {
        "id": "kamppi",
        "name": "Lull Kamppi",
        "lat": STORE["lat"],
        "lng": STORE["lng"],
        "radius_m": 150.0,
        "open": True,
        "paused": False,
        "target": 0.7,
        "queue_length": 0,
        "outstanding": 1,
        "staff": 2,
    }
    (shown,) = picture["coupons"]
    assert shown["seq"] == picture["seq"] < 2**53
    assert {"code", "member_id"}.isdisjoint(shown)
    assert (shown["id"], shown["state"], shown["expires_at"]) == (coupon["id"], "issued", coupon["expires_at"])
    totals = picture["totals"]
    assert totals["decisions"] == {"offered": 1}
    assert (totals["issued"], totals["outstanding"], totals["redeemed"]) == (1, 1, 0)
    assert (totals["budget_reserved_minor"], totals["budget_spent_minor"], totals["currency"]) == (100, 0, "EUR")


def test_a_pause_of_everything_shows_at_every_store(lull: Lull) -> None:
    lull.open_chain()
    lull.post("/v1/pause", {}, lull.marketer)
    picture = live(lull).get_json()
    assert picture["paused"] is True
    assert [store["paused"] for store in picture["stores"]] == [True]


def test_many_onlookers_share_one_picture(lull: Lull, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[None] = []
    made = lull.services.live.picture()

    def look(_: object) -> Picture:
        looks.append(None)
        return made

    monkeypatch.setattr(type(lull.services.live), "picture", look)
    real = lull.clock.real()
    monkeypatch.setattr(lull.clock, "real", lambda: real)
    for _ in range(5):
        lull.get("/console/live.json", lull.marketer)
    assert len(looks) == 1


def test_a_city_is_served_when_there_is_one(lull: Lull, tmp_path: Path) -> None:
    assert lull.get("/console/city.json", lull.marketer).status_code == 404
    city = tmp_path / "city.geojson"
    city.write_text(json.dumps({"type": "FeatureCollection", "features": []}))
    other = WithConsole(city=city)
    assert other.get("/console/city.json", other.marketer).get_json()["type"] == "FeatureCollection"
    assert other.get("/console/city.json", None).status_code == 401
