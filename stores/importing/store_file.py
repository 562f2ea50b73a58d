"""Stores from a CSV table or a GeoJSON FeatureCollection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from re import fullmatch

from stores.hours import OpeningHours, zone
from stores.importing.geojson import Feature, read_features
from stores.importing.table import Aliases, RowProblem, RowReader, match_columns, read_csv
from stores.model import Area, Circle, Fence, Position, Store

DEFAULT_RADIUS_M = 150.0

FIELDS: Aliases = {
    "id": ("store id", "store number", "store no", "store code", "id", "@id", "ref", "number"),
    "name": ("store name", "name", "title", "brand"),
    "lat": ("lat", "latitude", "y"),
    "lng": ("lng", "lon", "long", "longitude", "x"),
    "hours": ("opening hours", "hours"),
    "time_zone": ("time zone", "tz", "timezone name"),
    "radius_m": ("radius m", "radius", "fence radius m"),
    "staff": ("staff", "staff on duty"),
    "service_s": ("service s", "service seconds", "service time s"),
    "target_utilisation": ("target utilisation", "target utilization", "target"),
}


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The stores that can be used, in the file's order, and what is wrong with the other rows."""

    stores: tuple[Store, ...]
    problems: tuple[RowProblem, ...]


def read_stores(
    data: bytes,
    format: str,  # noqa: A002 - the word people know it by
    mapping: Mapping[str, str] | None = None,
    *,
    default_radius_m: float = DEFAULT_RADIUS_M,
) -> ImportResult:
    """Read stores from a `csv` or `geojson` file; `mapping` says which column (property) a field is in, by its name.

    A point gets a circle of `radius_m`, or of `default_radius_m` when the file has none; a polygon becomes an area with
    its centroid as position (a point inside when the centroid is not). A store without a name is called by its id.
    Unknown hours, zone, staff and service time stay None. Raises `UnreadableFile` when the file as a whole cannot be
    used and ValueError for a wrong format, mapping or default radius.
    """
    default = Circle(default_radius_m)
    if format == "csv":
        table = read_csv(data, FIELDS, ("id", "lat", "lng"), mapping)
        problems = list(table.problems)
        return _collect(((RowReader(row, values), None) for row, values in table.rows), problems, default)
    if format == "geojson":
        return _collect(_features(data, mapping), [], default)
    raise ValueError("the format of a store file must be csv or geojson")


def _features(data: bytes, mapping: Mapping[str, str] | None) -> Iterator[tuple[RowReader, Feature | None]]:
    features = read_features(data)
    columns = list(dict.fromkeys(column for feature in features for column in feature.properties))
    aliases = {name: names for name, names in FIELDS.items() if name not in ("lat", "lng")}
    fields = match_columns(columns, aliases, ("id",) if features else (), mapping)
    for feature in features:
        given = ((name, feature.properties.get(column, "")) for name, column in fields.items())
        yield RowReader(feature.row, {name: text for name, text in given if text}), feature


def _collect(
    rows: Iterator[tuple[RowReader, Feature | None]], problems: list[RowProblem], default: Circle
) -> ImportResult:
    stores: list[Store] = []
    first_row: dict[str, int] = {}
    for reader, feature in rows:
        store = _store(reader, feature, default)
        store_id = reader.values.get("id")
        if store_id is not None and first_row.setdefault(store_id, reader.row) != reader.row:
            reader.fail("id", f"is the same as in row {first_row[store_id]}")
        problems += reader.problems
        if store is not None and not reader.problems:
            stores.append(store)
    return ImportResult(tuple(stores), tuple(sorted(problems, key=lambda problem: problem.row)))


def _store(reader: RowReader, feature: Feature | None, default: Circle) -> Store | None:
    store_id = reader.text("id")
    position, area = _position(reader) if feature is None else _place(reader, feature)
    fence: Fence | None = area or _circle(reader, default)
    time_zone = reader.read("time_zone", _zone_name)
    hours = reader.values.get("hours")
    if hours is not None:
        # The zone has its own report; hours are read in any zone to find out whether they can be read at all.
        reader.read("hours", lambda text: OpeningHours.parse(text, time_zone or "UTC"))
    staff = reader.whole("staff", 1, 1000)
    service_s = reader.number("service_s", 1.0, 7200.0)
    target = reader.number("target_utilisation", 0.05, 1.0)
    if position is None or fence is None:
        return None
    name = reader.values.get("name", store_id)
    return Store(store_id, name, position, fence, hours, time_zone, staff, service_s, 0.7 if target is None else target)


def _position(reader: RowReader) -> tuple[Position | None, Area | None]:
    for name in ("lat", "lng"):
        reader.text(name)
    lat, lng = reader.number("lat", -90.0, 90.0), reader.number("lng", -180.0, 180.0)
    if lat is None or lng is None:
        return None, None
    return _somewhere(reader, Position(lat, lng)), None


def _place(reader: RowReader, feature: Feature) -> tuple[Position | None, Area | None]:
    if feature.problem is not None or feature.position is None:
        reader.fail("geometry", feature.problem or "is missing")
        return None, None
    return _somewhere(reader, feature.position), feature.area


def _somewhere(reader: RowReader, position: Position) -> Position | None:
    if position.lat == 0.0 and position.lng == 0.0:
        reader.fail("position", "is the point zero, zero: the store's real position is missing")
        return None
    return position


def _circle(reader: RowReader, default: Circle) -> Circle | None:
    if "radius_m" not in reader.values:
        return default
    radius_m = reader.number("radius_m", 10.0, 5000.0)
    return None if radius_m is None else Circle(radius_m)


def _zone_name(text: str) -> str:
    """The IANA name in a text such as `Europe/Andorra` or `GMT+1:00 Europe/Andorra`."""
    name = text.split()[-1]
    try:
        zone(name)
    except ValueError as error:
        # Letters and slashes cannot be a coordinate, so such a name may be repeated.
        raise ValueError(f"{name}: {error}" if fullmatch(r"[A-Za-z_/]{1,40}", name) else str(error)) from None
    return name
