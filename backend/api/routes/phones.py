"""Reports of phones that speak another app's format, with a device key.

Whoever holds a device key can report, and must learn nothing from it: the answers tell what was readable, never what
Lull made of it. A refusal such as "impossible jump" would tell where the member is.
"""

from __future__ import annotations

from dataclasses import dataclass

from backend.api.formats import osmand, owntracks, transistorsoft
from backend.api.formats.reading import Reading
from backend.api.routing import Call, Route, Who

DEVICE: frozenset[Who] = frozenset({"device"})


@dataclass(frozen=True, slots=True)
class ReceivedAnswer:
    """How many locations were read, and which (from 0) could not be and are lost."""

    received: int
    unreadable: tuple[int, ...]


def post_owntracks(call: Call) -> tuple[()]:
    """OwnTracks wants a list of messages for the app; there are none."""
    _report(call)
    return ()


def post_osmand(call: Call) -> None:
    """Traccar Client looks at the status only."""
    _report(call)


def post_transistorsoft(call: Call) -> ReceivedAnswer:
    """The plug-in hands the answer on to its app."""
    reading = _report(call)
    return ReceivedAnswer(len(reading.fixes), reading.unreadable)


def _report(call: Call) -> Reading:
    reading: Reading = call.body
    if reading.fixes:
        call.services.fixes.report(call.member_id, reading.fixes)
    return reading


ROUTES = (
    Route(
        "POST", "/v1/me/fixes/owntracks", post_owntracks, "Report from OwnTracks in HTTP mode", tuple[()], DEVICE,
        format=owntracks.FORMAT,
    ),
    Route(
        "POST", "/v1/me/fixes/osmand", post_osmand, "Report from Traccar Client (OsmAnd protocol)", None, DEVICE,
        format=osmand.FORMAT,
    ),
    Route(
        "POST", "/v1/me/fixes/transistorsoft", post_transistorsoft,
        "Report from transistorsoft background-geolocation", ReceivedAnswer, DEVICE, format=transistorsoft.FORMAT,
    ),
)  # fmt: skip
