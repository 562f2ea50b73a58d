"""From a file of points to a file of hits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from backend.matching.output import open_output
from backend.matching.points import Chunk, read_csv_points, read_parquet_points
from backend.matching.run import MatchReport, match_chunks
from backend.unfinished import keep_inputs
from stores.importing.table import UnreadableFile
from stores.index import StoreIndex

POINTS = (".csv", ".geojson", ".json", ".parquet")
OUTPUT = (".csv", ".parquet")


def match_files(
    index: StoreIndex,
    points: Path,
    output: Path,
    progress: Callable[[MatchReport], None],
    mapping: Mapping[str, str] | None = None,
) -> MatchReport:
    """Write every hit of the points to `output`; `mapping` says in which columns lat and lng of the points are.

    Raises ValueError for names that end otherwise than `POINTS` and `OUTPUT`, and `UnreadableFile` when the points
    cannot be read or none of them can be used. Then no output is left, and what was there before stays.
    """
    chunks = _chunks(points, mapping or {})
    if output.suffix.lower() not in OUTPUT:
        raise ValueError(f"the name of the output must end in {' or '.join(OUTPUT)}")
    keep_inputs(output, points=points)
    with open_output(output) as sink:
        report = match_chunks(index, chunks, sink, progress)
        if report.points and report.points == report.unusable:
            first = report.problems[0]
            raise UnreadableFile(
                f"no row of the points can be used, nothing was written; point {first.row}: {first.reason}"
            )
    return report


def _chunks(path: Path, mapping: Mapping[str, str]) -> Iterator[Chunk]:
    match path.suffix.lower():
        case ".csv":
            return read_csv_points(path, mapping)
        case ".parquet":
            return read_parquet_points(path, mapping)
        case ".geojson" | ".json":
            from backend.matching.features import read_geojson_points

            if mapping:
                raise ValueError("columns of points are named for CSV and Parquet; GeoJSON has none")
            return read_geojson_points(path)
    raise ValueError(f"the name of the file of points must end in one of {', '.join(POINTS)}")
