"""The background-geolocation plug-in of Transistor Software, as it posts unless told otherwise.

https://transistorsoft.github.io/react-native-background-geolocation/latest/interfaces/Location.html
"""

from __future__ import annotations

from typing import Any

from backend.api.formats.reading import Entry, Latitude, Longitude, Measured, Moment, Reading, fix, read
from backend.api.formats.sent import JSON, Format, Sent
from backend.api.problems import FieldError, InvalidFields
from stores.model import Fix


class BackgroundCoords(Entry):
    """Degrees, metres, and metres per second, which are -1 when unknown."""

    latitude: Latitude
    longitude: Longitude
    accuracy: Measured = None
    speed: Measured = None


class BackgroundLocation(Entry):
    """A location as it is posted by default; `mock` is there only for faked ones."""

    timestamp: Moment
    coords: BackgroundCoords
    mock: bool = False

    def to_fix(self) -> Fix:
        """As the use cases want it."""
        coords = self.coords
        place = (coords.latitude, coords.longitude)
        return fix(place, self.timestamp, coords.accuracy, coords.speed, self.mock)


class BackgroundBody(Entry):
    """One location, or several with `batchSync`, under the default root property."""

    location: BackgroundLocation | list[BackgroundLocation]


def read_locations(content: Any) -> Reading:
    """Read what is under `location`, or the locations themselves when the root property is set to "."."""
    found = content
    if isinstance(content, dict) and "coords" not in content:
        found = content.get("location")
    if found is None:
        raise InvalidFields([FieldError("location", "Field required")])
    return read(BackgroundLocation, found if isinstance(found, list) else [found])


FORMAT = Format(
    name="transistorsoft",
    key=Sent.bearer,
    read=lambda sent: read_locations(sent.content),
    content={JSON: BackgroundBody | BackgroundLocation | list[BackgroundLocation]},
    security={"type": "http", "scheme": "bearer", "description": "A device key"},
)
