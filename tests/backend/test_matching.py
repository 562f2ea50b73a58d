"""`lull stores match`: files in, files out, and every row accounted for."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from backend import telling
from backend.matching import match_files, points
from backend.matching.run import MatchReport
from backend.matching.shallow import DEEPEST, ShallowJson
from stores.importing.table import UnreadableFile
from stores.index import StoreIndex
from stores.model import Circle, Position, Store

STORES = "id,name,lat,lng,radius_m\na,A,60.17,24.94,200\nb,B,60.17,24.941,20\nc,C,10.0,10.0,\n"
ROWS = [(60.17, 24.941), (0.0, 0.0), (60.1705, 24.94), (10.001, 10.0)]
HITS = [(0, "b"), (0, "a"), (2, "a"), (3, "c")]


def index() -> StoreIndex:
    return StoreIndex(
        Store(name, name, Position(lat, lng), Circle(radius))
        for name, lat, lng, radius in (("a", 60.17, 24.94, 200), ("b", 60.17, 24.941, 20), ("c", 10.0, 10.0, 150))
    )


def quiet(_: MatchReport) -> None:
    """Progress that nobody looks at."""


def match(path: Path, name: str = "hits.csv", **mapping: str) -> MatchReport:
    return match_files(index(), path, path.parent / name, quiet, mapping)


def read_hits(path: Path) -> list[tuple[int, str, float]]:
    if path.suffix == ".parquet":
        return [tuple(row.values()) for row in parquet.read_table(path).to_pylist()]
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["point", "store_id", "distance_m"]
    return [(int(row), store_id, float(metres)) for row, store_id, metres in rows]


def write_csv(path: Path, header: str = "lat,lng") -> None:
    path.write_text("\n".join([header, *(f"{lat},{lng}" for lat, lng in ROWS)]))


def write_geojson(path: Path) -> None:
    features = [
        {"type": "Feature", "properties": {"n": 1}, "geometry": {"type": "Point", "coordinates": [lng, lat]}}
        for lat, lng in ROWS
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def write_parquet(path: Path) -> None:
    lats, lngs = zip(*ROWS, strict=True)
    parquet.write_table(pyarrow.table({"Latitude": lats, "other": ["x"] * 4, "Longitude": lngs}), path)


@pytest.mark.parametrize("output", ["hits.csv", "hits.parquet"])
@pytest.mark.parametrize(
    ("name", "write"), [("p.csv", write_csv), ("p.geojson", write_geojson), ("p.parquet", write_parquet)]
)
def test_each_kind_of_file_gives_the_same_hits(
    tmp_path: Path, name: str, write: Callable[[Path], None], output: str
) -> None:
    write(tmp_path / name)
    report = match(tmp_path / name, output)
    hits = read_hits(tmp_path / output)
    assert [(row, store_id) for row, store_id, _ in hits] == HITS
    found = index().hits(Position(60.17, 24.941))
    assert [metres for _, _, metres in hits[:2]] == [hit.distance_m for hit in found]
    assert (report.points, report.unusable, report.matched, report.hits) == (4, 0, 3, 4)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, output])


def test_chunks_make_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(points, "CHUNK", 1)
    write_csv(tmp_path / "p.csv", "y;x".replace(";", ","))
    match(tmp_path / "p.csv")
    assert [hit[:2] for hit in read_hits(tmp_path / "hits.csv")] == HITS


def test_rows_that_cannot_be_used_are_told_and_keep_their_number(tmp_path: Path) -> None:
    rows = ["60.17,24.94", ",24.94", "sixty,24.94", "60.17", "", "91.5,24.94", "60.17,nan", "1,2,3", " 60.17 ,24.94"]
    rows.append("1_0,24.94")
    (tmp_path / "p.csv").write_text("\n".join(["lat,lng", *rows]))
    report = match(tmp_path / "p.csv")
    assert [(each.row, each.reason) for each in report.problems] == [
        (1, "lat is missing"),
        (2, "lat is not a number"),
        (3, "lng is missing"),
        (4, "lat must lie between -90 and 90"),
        (5, "lng is not a number"),
        (6, "has 3 cells, but the header has 2"),
        (8, "lat is not a number"),
    ]
    assert [hit[:2] for hit in read_hits(tmp_path / "hits.csv")] == [(0, "a"), (7, "a")]


def test_features_that_are_no_points_are_told(tmp_path: Path) -> None:
    geometries: list[Any] = [
        {"type": "Point", "coordinates": [24.94, 60.17]},
        None,
        {"type": "LineString", "coordinates": [[1, 2], [3, 4]]},
        {"type": "Point", "coordinates": ["24.94", "60.17"]},
        {"type": "Point", "coordinates": [60.17, 124.94]},
    ]
    features = [{"type": "Feature", "geometry": geometry} for geometry in geometries]
    (tmp_path / "p.json").write_text(json.dumps({"type": "FeatureCollection", "features": [*features, 7]}))
    report = match(tmp_path / "p.json")
    assert [each.reason for each in report.problems] == [
        "geometry is missing",
        "geometry must be a Point",
        "geometry is not a pair of numbers, longitude first",
        "lat must lie between -90 and 90",
        "geometry is missing",
    ]


def test_columns_of_text_and_gaps_in_parquet_are_read(tmp_path: Path) -> None:
    table = pyarrow.table({"lat": ["60.17", "x", None], "lng": pyarrow.array([24.94, 24.94, None])})
    parquet.write_table(table, tmp_path / "p.parquet")
    report = match(tmp_path / "p.parquet")
    assert [each.reason for each in report.problems] == ["lat is not a number", "lat is missing"]
    assert report.hits == 1


def test_columns_with_other_names_are_told(tmp_path: Path) -> None:
    write_csv(tmp_path / "p.csv", "north,east")
    assert match(tmp_path / "p.csv", lat="north", lng="east").hits == 4


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("p.csv", b"", "no column for lat, lng"),
        ("p.csv", b"a,b\n1,2\n", "no column for lat, lng"),
        ("p.csv", b"lat,lng\n\xff\xfe,1\n", "not UTF-8"),
        ("p.csv", b'lat,lng\n"1,2\n', "quoting"),
        ("p.csv", b"lat,lng\nx,y\n95,1\n", "no row of the points can be used.* point 0: lat is not a number"),
        ("p.geojson", b"{", "not JSON"),
        ("p.geojson", b"{}", "FeatureCollection"),
        ("p.geojson", b'{"features": [{"type"', "not JSON"),
        ("p.geojson", b'{"features": [{"id": "[[", "x": ' + b"[" * 600 + b"]" * 600 + b"}]}", "nested"),
        ("p.parquet", b"PAR1 no", "no Parquet file"),
        ("p.txt", b"", "must end in one of"),
    ],
)
def test_a_file_that_cannot_be_read_leaves_no_output(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / "hits.csv").write_text("of last time")
    with pytest.raises(ValueError, match=says):
        match(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hits.csv", name]
    assert (tmp_path / "hits.csv").read_text() == "of last time"


def test_a_file_without_rows_gives_an_output_without_rows(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("lat,lng\n")
    (tmp_path / "p.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    assert match(tmp_path / "p.csv").points == 0
    assert match(tmp_path / "p.geojson", "hits.parquet").points == 0
    assert read_hits(tmp_path / "hits.parquet") == []


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("hits.txt", "must end in"),
        ("p.csv", "would replace the points"),
        ("no/folder/hits.csv", "a folder that is there"),
    ],
)
def test_an_output_that_cannot_be_is_refused(tmp_path: Path, output: str, says: str) -> None:
    write_csv(tmp_path / "p.csv")
    with pytest.raises(ValueError, match=says):
        match(tmp_path / "p.csv", output)
    assert [path.name for path in tmp_path.iterdir()] == ["p.csv"]


def test_columns_of_geojson_are_not_named(tmp_path: Path) -> None:
    write_geojson(tmp_path / "p.geojson")
    with pytest.raises(ValueError, match="GeoJSON has none"):
        match(tmp_path / "p.geojson", lat="north")


def test_a_long_match_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    progress = telling.Progress()
    progress(MatchReport(points=1_000))
    monkeypatch.setattr(telling, "EVERY_S", 0.0)
    progress(MatchReport(points=2_000_000, hits=30))
    assert capsys.readouterr().err.startswith("2,000,000 points, 30 hits, ")


def test_columns_that_hold_no_numbers_are_refused(tmp_path: Path) -> None:
    parquet.write_table(pyarrow.table({"lat": [True], "lng": [1.0]}), tmp_path / "p.parquet")
    with pytest.raises(UnreadableFile, match="column for lat holds neither"):
        match(tmp_path / "p.parquet")


def lull(folder: Path, *options: str) -> list[str]:
    command = [sys.executable, "-m", "backend", "stores", "match", str(folder / "p.csv")]
    return [*command, "--stores", str(folder / "stores.csv"), "--output", str(folder / "hits.csv"), *options]


def test_the_command_reports_as_json(tmp_path: Path) -> None:
    stores = STORES + "d,D,north,1,\n"
    (tmp_path / "stores.csv").write_text(stores.replace("name", "called", 1))
    write_csv(tmp_path / "p.csv", "north,east")
    command = lull(tmp_path, "--map", "lat=north", "--map", "lng=east", "--map-stores", "name=called", "--json")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["points"], report["hits"], report["stores"]) == (4, 4, 3)
    assert report["store_problems"][0]["row"] == 4
    assert "store file, row 4: lat: is not a number" in done.stderr


def test_the_hits_never_replace_the_stores(tmp_path: Path) -> None:
    (tmp_path / "stores.csv").write_text(STORES)
    write_csv(tmp_path / "p.csv")
    command = lull(tmp_path, "--output", str(tmp_path / "stores.csv"))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "would replace the stores" in done.stderr
    assert (tmp_path / "stores.csv").read_text() == STORES


def test_the_command_ends_with_2_when_no_point_can_be_used(tmp_path: Path) -> None:
    (tmp_path / "stores.csv").write_text(STORES)
    (tmp_path / "p.csv").write_text("lat,lng\n1234.5,1\n")
    done = subprocess.run(lull(tmp_path), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "nothing was written" in done.stderr
    assert "1234" not in done.stderr


def test_ctrl_c_leaves_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "stores.csv").write_text(STORES)
    # A pipe that never ends: the command is surely still reading when it is interrupted.
    os.mkfifo(tmp_path / "p.csv")
    with (
        subprocess.Popen(lull(tmp_path), stderr=subprocess.PIPE, text=True) as process,
        (tmp_path / "p.csv").open("w") as pipe,
    ):
        pipe.write("lat,lng\n60.17,24.94\n")
        pipe.flush()
        until = monotonic() + 30
        while not list(tmp_path.glob(".hits.csv.*")) and monotonic() < until:
            sleep(0.05)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=30)[1]
    assert process.returncode == 130, said
    assert "interrupted" in said
    assert "Traceback" not in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.csv", "stores.csv"]


def test_points_do_not_pile_up_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(points, "CHUNK", 10)
    rng = np.random.default_rng(1)
    rows = [f"{lat},{lng}" for lat, lng in rng.uniform(-80, 80, (95, 2)).tolist()]
    (tmp_path / "p.csv").write_text("\n".join(["lat,lng", *rows]))
    sizes = [len(chunk.rows) for chunk in points.read_csv_points(tmp_path / "p.csv", {})]
    assert sizes == [10] * 9 + [5]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_only_brackets_outside_of_text_count_as_depth(size: int) -> None:
    text = json.dumps({"a": ["[{" * 400, '\\"[', "\\", {"[": [[]]}, "é\n["]}, ensure_ascii=False).encode()
    deep = ShallowJson(io.BytesIO(b"[" * (DEEPEST - 5) + text + b"]" * (DEEPEST - 5)))
    assert b"".join(iter(lambda: deep.read(size), b"")).endswith(b"]]]")
    deeper = ShallowJson(io.BytesIO(b"[" * (DEEPEST - 4) + text))
    with pytest.raises(UnreadableFile, match="nested"):
        list(iter(lambda: deeper.read(size), b""))
