"""OwnTracks in HTTP mode: https://owntracks.org/booklet/tech/http and https://owntracks.org/booklet/tech/json"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from backend.api.formats.reading import Entry, Latitude, Longitude, Measured, Moment, Reading, fix, read
from backend.api.formats.sent import JSON, Format, Sent
from stores.model import Fix

_KMH_IN_MPS = 1 / 3.6


class OwnTracksLocation(Entry):
    """`_type=location`: `tst` is when the fix was taken, `acc` is in metres, `vel` in km/h."""

    kind: Literal["location"] = Field(alias="_type")
    lat: Latitude
    lon: Longitude
    tst: Moment
    acc: Measured = None
    vel: Measured = None

    def to_fix(self) -> Fix:
        """As the use cases want it."""
        speed = None if self.vel is None else self.vel * _KMH_IN_MPS
        return fix((self.lat, self.lon), self.tst, self.acc, speed)


def _read(sent: Sent) -> Reading:
    content = sent.content
    if content is None:  # sent when a friend is deleted in the app
        return Reading()
    entries = content if isinstance(content, list) else [content]
    return read(OwnTracksLocation, [entry for entry in entries if not _passed_over(entry)])


def _passed_over(entry: Any) -> bool:
    """Messages that are no locations, and pings: these repeat the last position under the time of now."""
    if not isinstance(entry, dict):
        return False
    return entry.get("_type", "location") != "location" or entry.get("t") == "p"


FORMAT = Format(
    name="owntracks",
    key=Sent.basic_password,
    read=_read,
    content={JSON: OwnTracksLocation | list[OwnTracksLocation]},
    security={"type": "http", "scheme": "basic", "description": "A device key as password, with any user name"},
    challenge='Basic realm="lull", charset="UTF-8"',
)
