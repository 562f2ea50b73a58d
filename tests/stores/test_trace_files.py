"""Traces as recorders write them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from stores.importing import Recorded, UnreadableFile, read_trace
from stores.importing.trace import DEFAULT_ACCURACY_M
from stores.model import Fix, Position

NOON = datetime(2026, 6, 2, 12, tzinfo=UTC)


def csv(*lines: str) -> bytes:
    return "\n".join(lines).encode()


def test_a_trace_with_everything() -> None:
    read = read_trace(
        csv("user,lat,lon,time,accuracy,speed_mps", "aino,60.1,24.9,2026-06-02T15:00:00+03:00,8,1.5"), "csv"
    )
    assert read.fixes == (Recorded(1, "aino", Fix(Position(60.1, 24.9), 8.0, NOON, 1.5)),)


@pytest.mark.parametrize("time", ["2026-06-02 12:00:00", "1780401600", "1780401600000", "2026-06-02T12:00:00Z"])
def test_times_come_in_many_forms(time: str) -> None:
    (recorded,) = read_trace(csv("lat,lng,timestamp", f"60.1,24.9,{time}"), "csv").fixes
    assert recorded.fix.recorded_at == NOON


def test_what_a_trace_does_not_tell_is_taken_as_stated() -> None:
    (recorded,) = read_trace(csv("lat,lng,time", "60.1,24.9,1780401600"), "csv").fixes
    assert (recorded.device_id, recorded.fix.accuracy_m, recorded.fix.speed_mps) == ("device", DEFAULT_ACCURACY_M, None)
    (other,) = read_trace(csv("lat,lng,time", "60.1,24.9,1780401600"), "csv", default_accuracy_m=25.0).fixes
    assert other.fix.accuracy_m == 25.0


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("91,24.9,1780401600,8", "lat"),
        ("60.1,,1780401600,8", "lng"),
        ("60.1,24.9,yesterday,8", "recorded_at"),
        ("60.1,24.9,,8", "recorded_at"),
        ("60.1,24.9,1780401600,0", "accuracy_m"),
    ],
)
def test_a_bad_row_is_reported_and_the_others_are_read(row: str, field: str) -> None:
    read = read_trace(csv("lat,lng,time,accuracy", row, "60.1,24.9,1780401600,8"), "csv")
    assert [recorded.row for recorded in read.fixes] == [2]
    assert [(problem.row, problem.field) for problem in read.problems] == [(1, field)]
    assert not any("24.9" in problem.reason for problem in read.problems)


def test_points_of_geojson_are_fixes_and_other_shapes_are_reported() -> None:
    point = {"type": "Point", "coordinates": [24.9, 60.1]}
    ring = [[24, 60], [24.01, 60], [24.01, 60.01], [24, 60]]
    shapes = [point, {"type": "Polygon", "coordinates": [ring]}, None]
    properties = {"time": 1780401600, "accuracy": 8}
    features = [{"type": "Feature", "properties": properties, "geometry": shape} for shape in shapes]
    data = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    read = read_trace(data, "geojson")
    assert [recorded.fix for recorded in read.fixes] == [Fix(Position(60.1, 24.9), 8.0, NOON)]
    assert [(problem.row, problem.field) for problem in read.problems] == [(2, "geometry"), (3, "geometry")]


def test_a_trace_without_times_cannot_be_read() -> None:
    with pytest.raises(UnreadableFile, match="recorded_at"):
        read_trace(csv("lat,lng", "60.1,24.9"), "csv")
