"""Stores from a CSV table, a GeoJSON FeatureCollection or an answer of Overpass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from re import fullmatch

from stores.hours import OpeningHours, zone
from stores.importing.places import PLACE_FIELDS, PlaceRow, Seen, read_places
from stores.importing.table import Aliases, RowProblem, RowReader
from stores.importing.whereabouts import keeps_zone, offsets, zone_at
from stores.model import Circle, Position, Store

DEFAULT_RADIUS_M = 150.0

FIELDS: Aliases = {
    "id": ("store id", "store number", "store no", "store code", "id", "@id", "ref", "number"),
    "name": ("store name", "name", "title"),
    "brand": ("brand",),
    "branch": ("branch", "branch name"),
    "street": ("addr:street address", "street address", "addr:street", "street"),
    "house_number": ("addr:housenumber", "house number"),
    "country": ("addr:country", "country code", "country"),
    "hours": ("opening hours", "hours"),
    "time_zone": ("time zone", "tz", "timezone name"),
    "staff": ("staff", "staff on duty"),
    "service_s": ("service s", "service seconds", "service time s"),
    "target_utilisation": ("target utilisation", "target utilization", "target"),
    **PLACE_FIELDS,
}


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The stores that can be used, in the file's order, and what is to be said of the other rows.

    `notes` are about rows that are used, but not as they stand. `rows` counts all rows of the file, and
    `zones_from_position` the stores whose time zone the file leaves out and their position tells.
    """

    stores: tuple[Store, ...]
    problems: tuple[RowProblem, ...]
    notes: tuple[RowProblem, ...] = ()
    rows: int = 0
    zones_from_position: int = 0


def read_stores(
    data: bytes,
    format: str,  # noqa: A002 - the word people know it by
    mapping: Mapping[str, str] | None = None,
    *,
    default_radius_m: float = DEFAULT_RADIUS_M,
    margin_m: float | None = None,
) -> ImportResult:
    """Read stores from a `csv` or `geojson` file; `mapping` says which column (property) a field is in, by its name.

    A point gets a circle of `radius_m`, or of `default_radius_m` when the file has none; a polygon becomes an area,
    `margin_m` wider than it is (see `PlaceRow.fence`), with its centroid as position (a point inside when the centroid
    is not). A zone is taken from the position where the file has none, or one that cannot be right; then it is noted.
    Hours that cannot be read, and zones that nothing tells, are left unknown and noted; staff and service time that the
    file lacks stay None. Raises `UnreadableFile` when the file as a whole cannot be used and ValueError for a wrong
    format, mapping, default radius or margin.
    """
    Circle(default_radius_m)
    if margin_m is not None and not 0.0 <= margin_m <= 1000.0:
        raise ValueError("the margin must lie between 0 and 1000 metres")
    rows, problems = read_places(data, format, FIELDS, mapping)
    count = len(rows) + len(problems)
    stores: list[Store] = []
    notes: list[RowProblem] = []
    zones, seen = 0, Seen()
    for row in rows:
        store = _store(row, default_radius_m, margin_m)
        seen.check(row, store.name if store else "")
        problems += row.reader.problems
        if store is not None and not row.reader.problems:
            notes += row.reader.notes
            stores.append(store)
            zones += store.time_zone is not None and "time_zone" not in row.reader.values
    return ImportResult(tuple(stores), _sorted(problems), _sorted(notes), count, zones)


def _sorted(problems: list[RowProblem]) -> tuple[RowProblem, ...]:
    return tuple(sorted(problems, key=lambda problem: problem.row))


def _store(row: PlaceRow, default_radius_m: float, margin_m: float | None) -> Store | None:
    reader, position = row.reader, row.position
    store_id = reader.text("id")
    staff = reader.whole("staff", 1, 1000)
    service_s = reader.number("service_s", 1.0, 7200.0)
    target = reader.number("target_utilisation", 0.05, 1.0)
    fence = row.fence(default_radius_m, margin_m)
    if position is None or fence is None:
        return None
    time_zone = _time_zone(reader, position)
    hours, name = _hours(reader, time_zone), _name(reader.values, store_id)
    return Store(store_id, name, position, fence, hours, time_zone, staff, service_s, 0.7 if target is None else target)


def _name(values: Mapping[str, str], store_id: str) -> str:
    """What people call the store: a name that is only the brand's is told apart by branch or street."""
    brand = values.get("brand", "")
    name, branch, street = values.get("name", brand), values.get("branch", ""), values.get("street", "")
    if not name:
        return branch or store_id
    if branch:
        return name if branch.casefold() in name.casefold() else f"{name} {branch}"
    if street and name.casefold() == brand.casefold():
        return f"{name}, {street} {values.get('house_number', '')}".rstrip()
    return name


def _hours(reader: RowReader, time_zone: str | None) -> str | None:
    text = " ".join(reader.values.get("hours", "").split())
    if not text:
        return None
    try:
        # Hours are read in any zone to find out whether they can be read at all.
        OpeningHours.parse(text, time_zone or "UTC")
    except ValueError as error:
        reader.note("hours", f"{error}; the store is without hours, and so without offers, until they are mended")
        return None
    return text


def _time_zone(reader: RowReader, position: Position) -> str | None:
    """The zone that the row names, as in `Europe/Andorra` or `GMT+1:00 Europe/Andorra`, else that of the position.

    Where the two keep different clocks the position is believed: whoever types a zone errs more often than the map.
    """
    text, here = reader.values.get("time_zone"), zone_at(position)
    if text is None:
        if here is None:
            reader.note("time_zone", f"is missing, and the position does not tell it; {_NO_ZONE}")
        return here
    name = text.split()[-1]
    try:
        zone(name)
    except ValueError as error:
        # Letters and slashes cannot be a coordinate, so such a name may be repeated.
        told = f"{name}: {error}" if fullmatch(r"[A-Za-z_/]{1,40}", name) else str(error)
        found = here if here is not None and _vouched(text, name, here) else None
    else:
        if keeps_zone(position, name):
            return name
        told, found = "keeps another time than the zone of the position", here
    reader.note("time_zone", f"{told}; {_NO_ZONE if found is None else 'the zone of the position is taken instead'}")
    return found


_NO_ZONE = "the store is without a zone, and so without offers, until it is mended"


def _vouched(text: str, name: str, here: str) -> bool:
    """Whether what the file says fits the position's zone: its distance from UTC, else at least the continent."""
    stated = fullmatch(r"(?:GMT|UTC)([+-])(\d{1,2}):(\d{2})", text.split()[0])
    if stated is None:
        return "/" in name and name.partition("/")[0] == here.partition("/")[0]
    minutes = int(stated[2]) * 60 + int(stated[3])
    return timedelta(minutes=-minutes if stated[1] == "-" else minutes) in offsets(here)
