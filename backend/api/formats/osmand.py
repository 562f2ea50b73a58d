"""The OsmAnd protocol as Traccar Client speaks it: https://www.traccar.org/osmand/.

Until version 9 the app posts query parameters without a body; from then on JSON as the transistorsoft plug-in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, model_validator

from backend.api.formats.reading import Entry, Latitude, Longitude, Measured, Moment, Reading, fix, read
from backend.api.formats.sent import FORM, JSON, Format, Sent
from backend.api.formats.transistorsoft import BackgroundLocation, read_locations
from stores.model import Fix

_KNOT_IN_MPS = 1852 / 3600


class OsmAndParameters(Entry):
    """Parameters of a query or a form: `accuracy` is in metres, `speed` in knots.

    `hdop` is not read: Traccar takes it for a dilution of precision, but OsmAnd writes metres there.
    """

    lat: Latitude
    lon: Longitude
    timestamp: Moment
    accuracy: Measured = None
    speed: Measured = None
    valid: bool = True
    mock: bool = False

    @model_validator(mode="before")
    @classmethod
    def _split(cls, values: Any) -> Any:
        """`location` may stand for both, as "lat,lon"."""
        if isinstance(values, dict) and "location" in values and "lat" not in values:
            lat, _, lon = str(values["location"]).partition(",")
            return {**values, "lat": lat, "lon": lon}
        return values

    def to_fix(self) -> Fix:
        """As the use cases want it; of a position that the app calls not valid the accuracy is unknown."""
        speed = None if self.speed is None else self.speed * _KNOT_IN_MPS
        return fix((self.lat, self.lon), self.timestamp, self.accuracy if self.valid else None, speed, self.mock)


class OsmAndBody(Entry):
    """What Traccar Client 9 and later post; `device_id` is the device key."""

    location: BackgroundLocation | list[BackgroundLocation]
    device_id: str = Field(max_length=200)


def _key(sent: Sent) -> str | None:
    for where in (sent.query, sent.content):
        for name in ("id", "deviceid", "device_id"):
            if isinstance(where, Mapping) and isinstance(where.get(name), str):
                return str(where[name])
    return None


def _read(sent: Sent) -> Reading:
    if sent.media == JSON and sent.content is not None:
        return read_locations(sent.content)
    return read(OsmAndParameters, [{**(sent.content or {}), **sent.query}])


FORMAT = Format(
    name="osmand",
    key=_key,
    read=_read,
    content={JSON: OsmAndBody, FORM: OsmAndParameters},
    query=OsmAndParameters,
    security={"type": "apiKey", "in": "query", "name": "id", "description": "A device key; or in the body, as told"},
)
