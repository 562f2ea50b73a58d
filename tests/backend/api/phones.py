"""Fixes as other apps write and send them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from werkzeug.test import TestResponse

from stores.model import Fix
from tests.backend.api.world import LAT, LNG, NOW, Lull

AT = int(NOW.timestamp())


def owntracks(**changes: Any) -> dict[str, Any]:
    """A location at Kamppi's door."""
    made = {"_type": "location", "lat": LAT, "lon": LNG, "tst": AT, "acc": 8, "vel": 4, "tid": "ai", "batt": 80}
    return made | changes


def osmand(**changes: Any) -> dict[str, Any]:
    """The same as parameters; speed in knots."""
    made = {"lat": LAT, "lon": LNG, "timestamp": AT, "accuracy": 8.0, "speed": 2.2, "bearing": 0.0, "batt": 80.0}
    return made | changes


def background(coords: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """The same as the transistorsoft plug-in writes it."""
    place = {"latitude": LAT, "longitude": LNG, "accuracy": 8.0, "speed": 1.2, "heading": -1, "altitude": 12.5}
    made = {
        "timestamp": "2026-06-02T14:00:00.000Z",
        "coords": place | dict(coords or {}),
        "uuid": "u",
        "is_moving": True,
    }
    return made | changes


def post_owntracks(lull: Lull, key: str, body: Any) -> TestResponse:
    """As OwnTracks does."""
    return lull.client.post("/v1/me/fixes/owntracks", json=body, auth=("aino", key))


def post_osmand(lull: Lull, key: str, values: Mapping[str, Any]) -> TestResponse:
    """As Traccar Client does before version 9."""
    return lull.client.post("/v1/me/fixes/osmand", query_string={"id": key, **values})


def post_traccar(lull: Lull, key: str, location: Any) -> TestResponse:
    """As Traccar Client does from version 9 on."""
    return lull.client.post("/v1/me/fixes/osmand", json={"location": location, "device_id": key})


def post_background(lull: Lull, key: str, body: Any) -> TestResponse:
    """As the plug-in does."""
    return lull.client.post("/v1/me/fixes/transistorsoft", json=body, headers={"Authorization": f"Bearer {key}"})


def seconds(fix: Fix) -> int:
    """Whole seconds since 1970."""
    return int(fix.recorded_at.timestamp())


def in_owntracks(fix: Fix) -> dict[str, Any]:
    """A fix in this format."""
    place = {"lat": fix.position.lat, "lon": fix.position.lng, "tst": seconds(fix), "acc": fix.accuracy_m}
    return owntracks(**place, vel=-1 if fix.speed_mps is None else fix.speed_mps * 3.6)


def in_osmand(fix: Fix) -> dict[str, Any]:
    """A fix in this format, all of it text."""
    speed = -1 if fix.speed_mps is None else fix.speed_mps * 3600 / 1852
    place = {"lat": fix.position.lat, "lon": fix.position.lng, "timestamp": seconds(fix) * 1000}
    values = osmand(**place, accuracy=fix.accuracy_m, speed=speed, **({"mock": "true"} if fix.mocked else {}))
    return {name: str(value) for name, value in values.items()}


def in_background(fix: Fix) -> dict[str, Any]:
    """A fix in this format."""
    place = {"latitude": fix.position.lat, "longitude": fix.position.lng, "accuracy": fix.accuracy_m}
    stamp = fix.recorded_at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    speed = -1 if fix.speed_mps is None else fix.speed_mps
    return background(place | {"speed": speed}, timestamp=stamp, **({"mock": True} if fix.mocked else {}))


Send = Callable[[Lull, str, Sequence[Fix]], None]
