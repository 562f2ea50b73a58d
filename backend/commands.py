"""The backend's commands."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

import typer
from flask import Flask

from backend.command_reports import DryRun, File, Json, Map, counted, mapping_of, run_import, say
from backend.emulator.cli import fcm_emulator
from backend.key_commands import keys_create, keys_list, keys_revoke, keys_rotate
from backend.listening import hold_port
from backend.place_commands import replay, sensitive_clear, sensitive_import, stores_import, stores_match
from backend.service.importing import read_members, read_purchases
from backend.service.imports import Imported, import_members, import_menu, import_purchases
from backend.service.learn import learn as fit_and_store
from backend.service.ports import Clock, Ports
from backend.service.staff import COMMAND_LINE, Actor
from backend.settings import read_settings
from stores.importing import read_menu

THREADS = min(8, 2 * (os.cpu_count() or 1) + 1)
"""More than that only take turns, and granian warns of it."""


def register(app: typer.Typer) -> None:
    """Add the backend's commands."""
    app.command("serve")(serve)
    app.command("worker")(worker)
    app.command("fcm-emulator")(fcm_emulator)
    app.command("learn")(learn)
    app.command("replay")(replay)
    groups: tuple[tuple[str, str, dict[str, Callable[..., None]]], ...] = (
        ("database", "The database.", {"upgrade": upgrade}),
        ("stores", "Stores.", {"import": stores_import, "match": stores_match}),
        ("sensitive", "Places in which nobody is followed.", {"import": sensitive_import, "clear": sensitive_clear}),
        ("menu", "Menus.", {"import": menu_import}),
        ("members", "Members.", {"import": members_import}),
        ("purchases", "Past purchases.", {"import": purchases_import}),
        (
            "keys",
            "API keys.",
            {"create": keys_create, "list": keys_list, "rotate": keys_rotate, "revoke": keys_revoke},
        ),
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

    settings = read_settings()
    check_services(settings)
    for remark in settings.remarks():
        typer.echo(f"lull: {remark}", err=True)
    with hold_port(host, port) as held:
        serve_app(_make, held, threads=threads)


def _make() -> Flask:
    from backend.wiring import create_app

    return create_app()


def worker() -> None:
    """Send what the outbox holds, close coupons whose time is over, finish erasures, and delete what is old.

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


def menu_import(file: File, mapping: Map = None, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Import menus from CSV: store_id (empty for all stores), product_id, name, price, currency.

    Rows that cannot be used are listed and the others imported; exit code 2 when none can, and nothing was imported.

    Example: lull menu import simulator/chain/menu.csv
    """
    read = read_menu(file.read_bytes(), mapping_of(mapping))

    def store(ports: Ports, clock: Clock) -> Imported:
        return import_menu(ports, read.items, Actor(COMMAND_LINE, clock.now()))

    run_import("product", dry_run, as_json, len(read.items), read.problems, store)


def members_import(file: File, mapping: Map = None, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Import members from CSV: member_id, uid, tier, tier_until, time_zone, locale, preferences, consents, profile.

    Only member_id is needed. A member has at least the tier given here, until tier_until if that is given; stars may
    make it a higher one. What members state of themselves may come as name, birthday (06-02 or 1990-06-02), gender,
    favourite_products, dietary_wishes and languages; several words with semicolons between them.

    What members said themselves in the app stands: a file grants no consent that they withdrew, and changes neither
    preferences nor profile once they set them.

    Rows that cannot be used are listed and the others imported; exit code 2 when none can, and nothing was imported.

    Example: lull members import members.csv --dry-run
    """
    read = read_members(file.read_bytes(), mapping_of(mapping))

    def store(ports: Ports, clock: Clock) -> Imported:
        return import_members(ports, read.members, Actor(COMMAND_LINE, clock.now()))

    run_import("member", dry_run, as_json, len(read.members), read.problems, store)


def purchases_import(file: File, mapping: Map = None, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Import past purchases from CSV: store_id, member_id, at, product_id, quantity, unit_price, currency, ticket.

    Rows that cannot be used are listed and the others imported; exit code 2 when none can, and nothing was imported.

    Example: lull purchases import purchases.csv --map at=sold_at
    """
    read = read_purchases(file.read_bytes(), mapping_of(mapping))
    rows = read.purchases
    run_import(
        "purchase",
        dry_run,
        as_json,
        len(rows),
        read.problems,
        lambda ports, clock: import_purchases(ports, rows, Actor(COMMAND_LINE, clock.now())),
    )


def learn(as_json: Json = False) -> None:
    """Learn from all purchases: usual arrivals of stores by hour of the week, and tastes of members who agree.

    Run it every night: who agrees to personalisation today is known from the next time on.

    Example: lull learn --json
    """
    from backend.wiring import open_ports

    with open_ports(read_settings()) as (ports, clock):
        learnt = fit_and_store(ports, Actor(COMMAND_LINE, clock.now()))
    found = f"usual traffic of {counted(learnt.stores, 'store')}, tastes of {counted(learnt.members, 'member')}"
    say(as_json, asdict(learnt), found)
