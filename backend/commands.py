"""The backend's commands."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from flask import Flask

from backend.emulator.cli import fcm_emulator
from backend.listening import hold_port
from backend.service.importing import read_members, read_purchases
from backend.service.imports import Imported, import_members, import_menu, import_purchases
from backend.service.learn import learn as fit_and_store
from backend.service.model import Role
from backend.service.ports import Clock, Ports
from backend.settings import read_settings
from stores.importing import RowProblem, classes, read_menu, read_stores
from stores.importing.store_file import DEFAULT_RADIUS_M

Json = Annotated[bool, typer.Option("--json", help="Report as JSON on standard output.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Read and report only; change nothing.")]
Map = Annotated[
    list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help="Which column holds a field; repeat for more.")
]
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The file to read.")]
Margin = Annotated[
    float | None,
    typer.Option(min=0, max=1000, help="Metres added to polygons; else 50 to OpenStreetMap's, 0 to others."),
]
SHOWN = 20
THREADS = min(8, 2 * (os.cpu_count() or 1) + 1)
"""More than that only take turns, and granian warns of it."""


def register(app: typer.Typer) -> None:
    """Add the backend's commands."""
    app.command("serve")(serve)
    app.command("worker")(worker)
    app.command("fcm-emulator")(fcm_emulator)
    app.command("learn")(learn)
    groups: tuple[tuple[str, str, dict[str, Callable[..., None]]], ...] = (
        ("database", "The database.", {"upgrade": upgrade}),
        ("stores", "Stores.", {"import": stores_import, "match": stores_match}),
        ("menu", "Menus.", {"import": menu_import}),
        ("members", "Members.", {"import": members_import}),
        ("purchases", "Past purchases.", {"import": purchases_import}),
        ("keys", "API keys.", {"create": keys_create}),
    )
    for name, about, commands in groups:
        group = typer.Typer(help=about, no_args_is_help=True)
        for command, function in commands.items():
            group.command(command)(function)
        app.add_typer(group, name=name)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    threads: Annotated[int, typer.Option(min=1, max=256, help="Requests served at once.")] = THREADS,
) -> None:
    """Serve the API and the console. A port in use ends it with exit code 1.

    Example: LULL_SECRET=... LULL_CREDENTIALS=service-account.json lull serve --port 8000
    """
    from backend.serving import serve_app
    from backend.wiring import check_services

    check_services(read_settings())
    with hold_port(host, port) as held:
        serve_app(_make, held, threads=threads)


def _make() -> Flask:
    from backend.wiring import create_app

    return create_app()


def worker() -> None:
    """Send what the outbox holds, and close coupons whose time is over.

    Example: LULL_CREDENTIALS=service-account.json lull worker
    """
    from backend.worker import run_worker

    run_worker(read_settings())


def upgrade() -> None:
    """Make the database's tables, or bring them up to date; what is there stays.

    Example: LULL_DATABASE_URL=sqlite:///lull.db lull database upgrade
    """
    from backend.adapters.sql import upgrade as upgrade_database

    upgrade_database(read_settings().database_url)
    typer.echo("the database is up to date", err=True)


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
    read = read_stores(file.read_bytes(), _kind(file), _mapping(mapping), default_radius_m=radius, margin_m=margin)
    told = _account(read.rows, len(read.stores), read.problems, read.notes)
    if read.zones_from_position:
        typer.echo(f"zone from position: {read.zones_from_position}", err=True)
    told["zones_from_position"] = read.zones_from_position
    _import(
        "store", dry_run, as_json, len(read.stores), read.problems, lambda ports, _: _stores(ports, read.stores), told
    )


def stores_match(
    points: File,
    stores: Annotated[Path, typer.Option(exists=True, dir_okay=False, readable=True, help="Stores: CSV or GeoJSON.")],
    output: Annotated[Path, typer.Option(help="Where hits go: CSV or Parquet.")],
    mapping: Map = None,
    map_points: Annotated[
        list[str] | None, typer.Option(metavar="FIELD=COLUMN", help="Which column of POINTS holds lat, or lng.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Find for every point of a file (CSV, GeoJSON or Parquet) the stores whose fence it is in.

    Writes one row for each hit: point (its row from 0), store_id, distance_m to the store. A store's fence is its
    polygon or a circle of its radius_m, 150 m unless the file says so. Rows that cannot be used are counted and
    listed; exit code 2 when none can, and nothing was written.

    Example: lull stores match points.csv --stores stores.csv --output hits.parquet
    """
    from backend.matching import Progress, interruptible, match_files
    from stores.index import StoreIndex

    kind = "csv" if stores.suffix.lower() == ".csv" else "geojson"
    read = read_stores(stores.read_bytes(), kind, _mapping(mapping))
    _list(read.problems, "store file, ")
    if not read.stores:
        raise ValueError("--stores: no store of the file can be used")
    index = StoreIndex(read.stores)
    with interruptible():
        done = match_files(index, points, output, Progress(), _mapping(map_points))
    for problem in done.problems[:SHOWN]:
        typer.echo(f"point {problem.row}: {problem.reason}", err=True)
    if done.unusable > SHOWN:
        typer.echo(f"... and {done.unusable - SHOWN} more", err=True)
    report = {"stores": len(read.stores), "store_problems": [asdict(each) for each in read.problems]} | asdict(done)
    sentence = f"{_count(done.points, 'point')}, {done.unusable} of them unusable; {done.matched} in a fence"
    _say(as_json, report, f"{sentence}; {_count(done.hits, 'hit')} among {_count(len(read.stores), 'store')}")


def menu_import(file: File, mapping: Map = None, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Import menus from CSV: store_id (empty for all stores), product_id, name, price, currency.

    Rows that cannot be used are listed and the others imported; exit code 2 when none can, and nothing was imported.

    Example: lull menu import simulator/chain/menu.csv
    """
    read = read_menu(file.read_bytes(), _mapping(mapping))
    _import(
        "product", dry_run, as_json, len(read.items), read.problems, lambda ports, _: import_menu(ports, read.items)
    )


def members_import(file: File, mapping: Map = None, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Import members from CSV: member_id, uid, tier, time_zone, locale, preferences, consents.

    Rows that cannot be used are listed and the others imported; exit code 2 when none can, and nothing was imported.

    Example: lull members import members.csv --dry-run
    """
    read = read_members(file.read_bytes(), _mapping(mapping))

    def store(ports: Ports, clock: Clock) -> Imported:
        return import_members(ports, read.members, clock.now())

    _import("member", dry_run, as_json, len(read.members), read.problems, store)


def purchases_import(file: File, mapping: Map = None, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Import past purchases from CSV: store_id, member_id, at, product_id, quantity, unit_price, currency, ticket.

    Rows that cannot be used are listed and the others imported; exit code 2 when none can, and nothing was imported.

    Example: lull purchases import purchases.csv --map at=sold_at
    """
    read = read_purchases(file.read_bytes(), _mapping(mapping))
    rows = read.purchases
    _import("purchase", dry_run, as_json, len(rows), read.problems, lambda ports, _: import_purchases(ports, rows))


def learn(as_json: Json = False) -> None:
    """Learn from all purchases: usual arrivals of stores by hour of the week, and tastes of members who agree.

    Run it every night: who agrees to personalisation today is known from the next time on.

    Example: lull learn --json
    """
    from backend.wiring import open_ports

    with open_ports(read_settings()) as (ports, _):
        learnt = fit_and_store(ports)
    found = f"usual traffic of {_count(learnt.stores, 'store')}, tastes of {_count(learnt.members, 'member')}"
    _say(as_json, asdict(learnt), found)


def keys_create(
    role: Annotated[str, typer.Option(help="till, marketer, analyst or admin.")],
    store: Annotated[list[str] | None, typer.Option(help="A store the key is bound to; repeat for more.")] = None,
    as_json: Json = False,
) -> None:
    """Make an API key and show it, this once.

    Example: lull keys create --role till --store hel-kamppi
    """
    from backend.wiring import open_ports

    roles: dict[str, Role] = {"till": "till", "marketer": "marketer", "analyst": "analyst", "admin": "admin"}
    if role not in roles:
        raise ValueError(f"--role: {role!r} is none of till, marketer, analyst, admin")
    with open_ports(read_settings()) as (ports, _):
        unknown = sorted(set(store or ()) - {each.id for each in ports.chain.stores()})
        if unknown:
            raise ValueError(f"--store: there is no store {unknown[0]!r}: import it first")
        key, secret = ports.identity.create_key(roles[role], frozenset(store) if store else None, None)
    _say(as_json, {"id": key.id, "role": role, "key": secret}, secret)


def _stores(ports: Ports, stores: Sequence[Any]) -> Imported:
    return Imported(ports.chain.put_stores(stores))


def _import(
    what: str,
    dry_run: bool,
    as_json: bool,
    good: int,
    problems: Sequence[RowProblem],
    store: Callable[[Ports, Clock], Imported],
    told: dict[str, Any] | None = None,
) -> None:
    report: dict[str, Any] = {"read": good, "dry_run": dry_run, **(told or {})}
    sentence, used, found = f"{_count(good, what)} can be imported, nothing was changed", good, tuple(problems)
    if not dry_run:
        from backend.wiring import open_ports

        with open_ports(read_settings()) as (ports, clock):
            done = store(ports, clock)
        found += done.problems
        count = asdict(done.count)
        report |= count
        used = sum(count.values())
        sentence = f"{_count(good, what)} read: " + ", ".join(f"{number} {name}" for name, number in count.items())
    _list(found)
    report["problems"] = [asdict(problem) for problem in found]
    _say(as_json, report, f"{sentence}; {_count(len(found), 'problem')}")
    if found and not used:
        raise ValueError("no row of the file can be used, nothing was imported: mend what is listed above")


def _list(problems: Sequence[RowProblem], where: str = "") -> None:
    for problem in problems[:SHOWN]:
        typer.echo(f"{where}row {problem.row}: {problem.field}: {problem.reason}", err=True)
    if len(problems) > SHOWN:
        typer.echo(f"... and {len(problems) - SHOWN} more (--json lists all)", err=True)


def _account(rows: int, good: int, problems: Sequence[RowProblem], notes: Sequence[RowProblem]) -> dict[str, Any]:
    """Say what became of each row of a file with places, and count it by field and reason."""
    refused, noted = len({problem.row for problem in problems}), len({note.row for note in notes})
    typer.echo(f"{_count(rows, 'row')}: {good} to import ({noted} with a note), {refused} refused", err=True)
    for what, found in (("refused", problems), ("noted", notes)):
        for each in classes(found):
            typer.echo(f"{what}: {each.rows} x {each.field}: {each.reason} (first: row {each.first_row})", err=True)
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


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _mapping(pairs: list[str] | None) -> dict[str, str]:
    mapping = {}
    for pair in pairs or ():
        field, equals, column = pair.partition("=")
        if not (field and equals and column):
            raise ValueError(f"--map: {pair!r} is not of the form field=column")
        mapping[field.strip()] = column.strip()
    return mapping


def _say(as_json: bool, report: dict[str, Any], sentence: str) -> None:
    typer.echo(json.dumps(report) if as_json else sentence)
