"""The commands about places: stores, and places in which nobody is followed."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from backend.command_reports import (
    SHOWN,
    DryRun,
    File,
    Json,
    Map,
    MapStores,
    Stores,
    counted,
    list_problems,
    mapping_of,
    naming,
    run_import,
    say,
)
from backend.service.imports import Imported
from backend.service.ports import Clock, Ports
from backend.service.staff import COMMAND_LINE, Actor
from backend.settings import read_settings
from backend.telling import Progress, interruptible
from backend.unfinished import keep_inputs
from stores.importing import (
    ImportResult,
    RowProblem,
    TraceImport,
    category_of,
    classes,
    read_sensitive,
    read_stores,
    read_trace,
)
from stores.importing.sensitive_file import MARGIN_M
from stores.importing.store_file import DEFAULT_RADIUS_M
from stores.importing.trace import DEFAULT_ACCURACY_M
from stores.sensitive import CATEGORIES, Category, SensitiveIndex

Margin = Annotated[
    float | None,
    typer.Option(min=0, max=1000, help="Metres added to polygons; else 50 to OpenStreetMap's, 0 to others."),
]


def stores_import(
    file: File,
    mapping: Map = None,
    radius: Annotated[
        float, typer.Option(min=10, max=5000, help="Fence of a point without a radius_m, in metres.")
    ] = DEFAULT_RADIUS_M,
    margin: Margin = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Import stores from CSV, GeoJSON or Overpass JSON; importing the same file again changes nothing.

    Rows that cannot be used are listed and the others imported; exit code 2 when none can, and nothing was imported.
    What is wrong is counted by field and reason, and so is what was imported otherwise than it stands.

    Example: lull stores import simulator/chain/stores.geojson --dry-run
    """
    read = read_stores(file.read_bytes(), _kind(file), mapping_of(mapping), default_radius_m=radius, margin_m=margin)
    told = _account(read.rows, len(read.stores), read.problems, read.notes)
    if read.zones_from_position:
        typer.echo(f"zone from position: {read.zones_from_position}", err=True)
    told["zones_from_position"] = read.zones_from_position
    run_import(
        "store",
        dry_run,
        as_json,
        len(read.stores),
        read.problems,
        lambda ports, clock: _stores(ports, clock, read.stores),
        told,
    )


def stores_match(
    points: File,
    stores: Stores,
    output: Annotated[Path, typer.Option(help="Where hits go: CSV or Parquet.")],
    mapping: Map = None,
    map_stores: MapStores = None,
    as_json: Json = False,
) -> None:
    """Find for every point of a file (CSV, GeoJSON or Parquet) the stores whose fence it is in.

    Writes one row for each hit: point (its row from 0), store_id, distance_m to the store. A store's fence is its
    polygon or a circle of its radius_m, 150 m unless the file says so. Rows that cannot be used are counted and
    listed; exit code 2 when none can, and nothing was written.

    Example: lull stores match points.csv --stores stores.csv --output hits.parquet
    """
    from backend.matching import match_files
    from stores.index import StoreIndex

    keep_inputs(output, stores=stores)
    read = stores_of(stores, map_stores)
    index = StoreIndex(read.stores)
    with interruptible():
        done = match_files(index, points, output, Progress(), mapping_of(mapping))
    for problem in done.problems[:SHOWN]:
        typer.echo(f"point {problem.row}: {problem.reason}", err=True)
    if done.unusable > SHOWN:
        typer.echo(f"... and {done.unusable - SHOWN} more", err=True)
    report = {"stores": len(read.stores), "store_problems": [asdict(each) for each in read.problems]} | asdict(done)
    sentence = f"{counted(done.points, 'point')}, {done.unusable} of them unusable; {done.matched} in a fence"
    say(as_json, report, f"{sentence}; {counted(done.hits, 'hit')} among {counted(len(read.stores), 'store')}")


def replay(
    trace: File,
    stores: Stores,
    output: Annotated[Path, typer.Option(help="Where events and decisions go: JSON Lines (.jsonl) or CSV.")],
    accuracy: Annotated[
        float, typer.Option(min=0.1, max=100_000, help="68 % radius in metres of fixes that tell none.")
    ] = DEFAULT_ACCURACY_M,
    mapping: Map = None,
    map_stores: MapStores = None,
    as_json: Json = False,
) -> None:
    """Run a recorded trace through matching, presence and decision, and write what happens. Nothing is sent.

    TRACE is CSV or GeoJSON, also with .gz: lat, lng, recorded_at, and if it has them accuracy_m, speed_mps, device_id.
    Every device is taken for that of a member who agreed to location offers. What the files do not tell, such as a
    store's traffic, stays unknown, and decisions give that as their reason.

    Example: lull replay trace.csv --stores stores.csv --output events.jsonl
    """
    from backend.replay import Replay

    if output.suffix.lower() not in (".jsonl", ".csv"):
        raise ValueError("--output: the name must end in .jsonl or .csv")
    keep_inputs(output, trace=trace, stores=stores)
    read = _trace_of(trace, mapping, accuracy)
    run = Replay(stores_of(stores, map_stores).stores)
    with interruptible():
        run.write(read.fixes, output, Progress())
    report = run.report.as_json() | {"problems": [asdict(problem) for problem in read.problems]}
    events = ", ".join(f"{number} {kind}" for kind, number in sorted(run.report.events.items())) or "none"
    refused, decisions = run.report.fixes - run.report.accepted, run.report.decisions.total()
    sentence = f"{run.report.fixes} fixes replayed, {refused} of them refused; events: {events}"
    say(as_json, report, f"{sentence}; {counted(decisions, 'decision')}")


def _trace_of(file: Path, mapping: list[str] | None, accuracy_m: float) -> TraceImport:
    """The fixes of a file; problems are listed. Raises ValueError when there are none."""
    packed = file.suffix.lower() == ".gz"
    data, name = (_unpacked(file), file.with_suffix("")) if packed else (file.read_bytes(), file)
    columns = mapping_of(mapping)
    with naming("the trace"):
        read = read_trace(data, _kind(name), columns, default_accuracy_m=accuracy_m)
    list_problems(read.problems, "trace, ")
    if not read.fixes:
        raise ValueError("no row of the trace can be used, nothing was written")
    return read


def _unpacked(file: Path) -> bytes:
    try:
        return gzip.decompress(file.read_bytes())
    except (OSError, EOFError, zlib.error):
        raise ValueError("the trace's name ends in .gz, but it is not a gzip file") from None


def stores_of(file: Path, map_stores: list[str] | None) -> ImportResult:
    """The stores of a file that a command works with; problems are listed. Raises ValueError when there are none."""
    columns = mapping_of(map_stores, "--map-stores")
    with naming("the store file"):
        read = read_stores(file.read_bytes(), _kind(file), columns)
    list_problems(read.problems, "store file, ")
    if not read.stores:
        raise ValueError("--stores: no store of the file can be used")
    return read


def sensitive_import(
    file: File,
    category: Annotated[
        str | None, typer.Option(help=f"Of rows that tell none: {', '.join(CATEGORIES)}.", show_default=False)
    ] = None,
    margin: Annotated[
        float, typer.Option(min=0, max=1000, help="Metres added to polygons without a margin_m.")
    ] = MARGIN_M,
    mapping: Map = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Import places whose fixes are dropped unseen, from CSV, GeoJSON or Overpass JSON: hospitals, churches, schools.

    The category comes from a column of that name, from OpenStreetMap's tags or from --category. Rows that cannot be
    used are listed and the others imported; exit code 2 when none can, and nothing was imported.

    Example: lull sensitive import hospitals.geojson --category health --dry-run
    """
    usual = None if category is None else _category(category)
    read = read_sensitive(file.read_bytes(), _kind(file), mapping_of(mapping), category=usual, margin_m=margin)
    told = _account(read.rows, len(read.places), read.problems, read.notes)

    def store(ports: Ports, clock: Clock) -> Imported:
        done = ports.chain.put_sensitive_places(read.places, Actor(COMMAND_LINE, clock.now()))
        index = SensitiveIndex(ports.chain.sensitive_places())
        silent = [each.id for each in ports.chain.stores() if index.touches(each.position, 0.0)]
        told["silent_stores"] = silent
        if silent:
            typer.echo(f"{counted(len(silent), 'store')} in sensitive places will hardly give offers", err=True)
        return Imported(done)

    run_import("place", dry_run, as_json, len(read.places), read.problems, store, told)


def sensitive_clear(category: Annotated[str, typer.Argument(help="Its places are taken out.")]) -> None:
    """Take out all sensitive places of a category, for instance to import a newer file.

    Example: lull sensitive clear school
    """
    from backend.wiring import open_ports

    chosen = _category(category)
    with open_ports(read_settings()) as (ports, clock):
        gone = ports.chain.drop_sensitive_places(chosen, Actor(COMMAND_LINE, clock.now()))
    typer.echo(f"{counted(gone, 'place')} taken out")


def _category(name: str) -> Category:
    try:
        return category_of(name)
    except ValueError as error:
        raise ValueError(f"the category {error}") from None


def _stores(ports: Ports, clock: Clock, stores: Sequence[Any]) -> Imported:
    return Imported(ports.chain.put_stores(stores, Actor(COMMAND_LINE, clock.now())))


def _account(rows: int, good: int, problems: Sequence[RowProblem], notes: Sequence[RowProblem]) -> dict[str, Any]:
    """Say what became of each row of a file with places, and count it by field and reason."""
    refused, noted = len({problem.row for problem in problems}), len({note.row for note in notes})
    typer.echo(f"{counted(rows, 'row')}: {good} to import ({noted} with a note), {refused} refused", err=True)
    for what, found in (("refused", problems), ("noted", notes)):
        kinds = classes(found)
        for each in kinds[:SHOWN]:
            typer.echo(f"{what}: {each.rows} x {each.field}: {each.reason} (first: row {each.first_row})", err=True)
        if len(kinds) > SHOWN:
            typer.echo(f"{what}: {len(kinds) - SHOWN} more reasons (--json lists all)", err=True)
    return {
        "rows": rows,
        "refused": refused,
        "notes": [asdict(note) for note in notes],
        "classes": {
            "refused": [asdict(each) for each in classes(problems)],
            "noted": [asdict(each) for each in classes(notes)],
        },
    }


def _kind(file: Path) -> str:
    return "csv" if file.suffix.lower() in (".csv", ".tsv", ".txt") else "geojson"
