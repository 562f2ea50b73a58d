"""Recorded traces of devices from a CSV table or a GeoJSON FeatureCollection of points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stores.importing.geojson import read_features, read_properties
from stores.importing.table import POSITION, Aliases, RowProblem, RowReader, read_csv
from stores.model import Fix, Position
from stores.moments import moment

DEFAULT_ACCURACY_M = 10.0
"""Taken where a trace tells no accuracy. Phones are within 4.9 m under open sky (GPS.gov, Accuracy), and worse between
houses."""

TRACE_FIELDS: Aliases = {
    **POSITION,
    "recorded_at": ("recorded at", "timestamp", "datetime", "time", "at", "date time", "utc time", "tst"),
    "accuracy_m": ("accuracy m", "accuracy", "horizontal accuracy", "acc"),
    "speed_mps": ("speed mps", "speed m s"),
    "device_id": ("device id", "device", "user id", "user", "uid", "member id", "id"),
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """One fix of a device; `row` is its row in the file."""

    row: int
    device_id: str
    fix: Fix


@dataclass(frozen=True, slots=True)
class TraceImport:
    """The fixes that can be used, in the file's order, and what is wrong with the other rows."""

    fixes: tuple[Recorded, ...]
    problems: tuple[RowProblem, ...]


def read_trace(
    data: bytes,
    format: str,  # noqa: A002 - the word people know it by
    mapping: Mapping[str, str] | None = None,
    *,
    default_accuracy_m: float = DEFAULT_ACCURACY_M,
) -> TraceImport:
    """Read a trace: lat, lng, recorded_at, and if it has them accuracy_m, speed_mps and device_id.

    Times are seconds or milliseconds since 1970 or ISO 8601, in UTC unless they have an offset. Without a device_id
    all fixes are of one device. Errors as in `read_stores`.
    """
    problems: list[RowProblem] = []
    rows = _csv(data, mapping, problems) if format == "csv" else _geojson(data, mapping)
    fixes: list[Recorded] = []
    for reader in rows:
        recorded = _recorded(reader, default_accuracy_m)
        problems += reader.problems
        if recorded is not None and not reader.problems:
            fixes.append(recorded)
    return TraceImport(tuple(fixes), tuple(sorted(problems, key=lambda problem: problem.row)))


def _csv(data: bytes, mapping: Mapping[str, str] | None, problems: list[RowProblem]) -> Iterator[RowReader]:
    table = read_csv(data, TRACE_FIELDS, ("lat", "lng", "recorded_at"), mapping)
    problems += table.problems
    return (RowReader(row, values) for row, values in table.rows)


def _geojson(data: bytes, mapping: Mapping[str, str] | None) -> Iterator[RowReader]:
    for feature, reader in read_properties(read_features(data), TRACE_FIELDS, ("recorded_at",), mapping):
        if feature.position is None or feature.area is not None:
            reader.fail("geometry", feature.problem or "must be a Point")
        else:
            place = {"lat": repr(feature.position.lat), "lng": repr(feature.position.lng)}
            reader.values = {**reader.values, **place}
        yield reader


def _recorded(reader: RowReader, default_accuracy_m: float) -> Recorded | None:
    if reader.problems:
        return None
    for name in ("lat", "lng", "recorded_at"):
        reader.text(name)
    lat, lng = reader.number("lat", -90.0, 90.0), reader.number("lng", -180.0, 180.0)
    at = reader.read("recorded_at", moment)
    accuracy_m = reader.number("accuracy_m", 0.001, 100_000.0)
    speed_mps = reader.number("speed_mps", -1.0, 1_000.0)
    if lat is None or lng is None or at is None:
        return None
    fix = Fix(
        Position(lat, lng),
        default_accuracy_m if accuracy_m is None else accuracy_m,
        at,
        None if speed_mps is None or speed_mps < 0.0 else speed_mps,
    )
    return Recorded(reader.row, reader.values.get("device_id", "device"), fix)
