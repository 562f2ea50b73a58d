"""Measures issues and redemptions beside the same SQL by the bare driver: `python benchmarks/ledger.py --rounds 3`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from threading import Barrier
from time import perf_counter
from typing import Any, TypeVar
from uuid import uuid4

if __name__ == "__main__":
    # A script's own folder is looked in first, and there `http` would hide the standard library's.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import psycopg
import sqlalchemy as sa
from psycopg import sql
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from sqlalchemy.engine import make_url

from backend.adapters.sql import Database, SqlLedger, upgrade
from backend.adapters.sql.prepared import Prepared
from backend.service.errors import Unavailable
from benchmarks import ledger_work as work
from benchmarks.bare import COMMIT, Bare, Trace, noting, stage
from benchmarks.ledger_work import SCENARIOS, Scenario, Work
from benchmarks.stopwatch import Stopwatch, typical

T = TypeVar("T")

EXAMPLE = "python benchmarks/ledger.py --clients 1 16 64 --coupons 500 --rounds 5"
AT_HAND = "postgresql://root@127.0.0.1:5432/postgres"
KINDS = ("issue", "redeem")
REST = "Python of Lull, and the pool"


@dataclass(slots=True)
class Ends:
    """Lull on a database of its own, and the bare driver on another with the same rows."""

    database: Database
    bare: Bare
    written: Database
    """The database that the bare driver writes to."""

    @property
    def ledger(self) -> SqlLedger:
        """Lull's."""
        return SqlLedger(self.database)


@dataclass(slots=True)
class Rates:
    """A second, by round."""

    lull: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)


def main() -> None:
    """Measure, and print a table of rates and one of stages for each database."""
    options = _options()
    out = Console(width=None if sys.stdout.isatty() else 118, highlight=False)
    for name, databases in (("SQLite", _sqlite), ("PostgreSQL", _postgresql)):
        if name.lower() in options.databases:
            with databases(options) as urls:
                _measure(out, name, urls, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Measure issuing and redeeming of coupons through the ledger port, in threads of one process,"
        " beside the same SQL by the bare driver. Fills databases of its own and drops them.",
        epilog=f"Example: {EXAMPLE}",
    )
    known = ["sqlite", "postgresql"]
    parser.add_argument("--databases", nargs="+", choices=known, default=known, help="which (default: both)")
    parser.add_argument("--clients", nargs="+", type=int, default=[1, 16, 64], help="threads (default 1 16 64)")
    parser.add_argument("--coupons", type=int, default=500, help="coupons of one round of one case (default 500)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, of which the median counts (default 5)")
    parser.add_argument(
        "--postgresql",
        default=os.environ.get("LULL_TEST_POSTGRESQL", AT_HAND),
        help=f"URL of a server whose user may create databases (default: LULL_TEST_POSTGRESQL, or {AT_HAND})",
    )
    return parser.parse_args()


@contextmanager
def _sqlite(_: argparse.Namespace) -> Iterator[Sequence[str]]:
    with tempfile.TemporaryDirectory(prefix="lull-benchmark-") as folder:
        yield [f"sqlite:///{Path(folder) / name}.db" for name in ("lull", "bare", "noted")]


@contextmanager
def _postgresql(options: argparse.Namespace) -> Iterator[Sequence[str]]:
    names = [f"lull_benchmark_{uuid4().hex[:12]}" for _ in range(3)]
    base = make_url(options.postgresql)
    with psycopg.connect(options.postgresql, autocommit=True) as connection, ExitStack() as stack:
        for name in names:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            stack.callback(connection.execute, drop)
        yield [base.set(database=name).render_as_string(hide_password=False) for name in names]


def _measure(out: Console, name: str, urls: Sequence[str], options: argparse.Namespace) -> None:
    cases = [(scenario, clients) for scenario in SCENARIOS for clients in options.clients]
    batches = len(cases) * (options.rounds + 1) + 2
    members = [f"m{number:06d}" for number in range(batches * options.coupons)]
    out.print(f"{name}: making {len(members)} members in three databases ...")
    share = iter(members[first : first + options.coupons] for first in range(0, len(members), options.coupons))
    with _open(urls, members) as (ends, note):
        found = {case: _case(ends, note, *case, options.rounds, share) for case in cases}
        stages = [_stages(ends, note(SCENARIOS[0], next(share))) for _ in range(2)][1]
        for database in (ends.database, ends.written):
            work.check(database, len(members))
    _print_rates(out, name, found, options)
    _print_stages(out, name, stages)


Note = Callable[[Scenario, Sequence[str]], list[tuple[Work, dict[str, Trace]]]]


@contextmanager
def _open(urls: Sequence[str], members: Sequence[str]) -> Iterator[tuple[Ends, Note]]:
    for url in urls:
        upgrade(url)
    databases = [Database(url) for url in urls]
    notes = noting(databases[2])
    for database in databases:
        work.fill(database, members)
    noted, bare = SqlLedger(databases[2]), Bare(make_url(urls[1]))

    def note(scenario: Scenario, some: Sequence[str]) -> list[tuple[Work, dict[str, Trace]]]:
        """The works, and what Lull sends for each of them."""
        made = []
        for each in work.works(scenario, some):
            traces = dict[str, Trace]()
            for kind, do in zip(KINDS, (work.issue, work.redeem), strict=True):
                with notes.taken() as traces[kind]:
                    do(noted, each)
            made.append((each, traces))
        return made

    try:
        yield Ends(databases[0], bare, databases[1]), note
    finally:
        bare.close()
        for database in databases:
            database.close()


def _case(
    ends: Ends, note: Note, scenario: Scenario, clients: int, rounds: int, share: Iterator[Sequence[str]]
) -> dict[str, Rates]:
    found, send = {kind: Rates() for kind in KINDS}, ends.bare.send
    for number in range(rounds + 1):
        batch = note(scenario, next(share))
        for kind, do in zip(KINDS, (work.issue, work.redeem), strict=True):
            traces = [each[kind] for _, each in batch]
            items = [each for each, _ in batch]
            sides = (partial(_rate, clients, items, partial(do, ends.ledger)), partial(_rate, clients, traces, send))
            order = (0, 1) if number % 2 else (1, 0)
            rates = {side: sides[side]() for side in order}
            if number:  # the first round warms up
                found[kind].lull.append(rates[0])
                found[kind].bare.append(rates[1])
    return found


def _rate(clients: int, items: Sequence[T], do: Callable[[T], object]) -> float:
    """Items a second, done by so many threads that each take the next."""
    left, start = iter(items), Barrier(clients + 1)
    began = 0.0

    def run() -> None:
        start.wait()
        for item in left:  # a list's iterator gives each item once, to whichever thread asks
            while not _done(do, item):
                pass

    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(run) for _ in range(clients)]
        start.wait()
        began = perf_counter()
        for each in running:
            each.result()
        return len(items) / (perf_counter() - began)


def _done(do: Callable[[T], object], item: T) -> bool:
    """Whether it was done; who waited too long for a turn is told to come again, and does."""
    try:
        do(item)
    except Unavailable:
        return False
    return True


def _stages(ends: Ends, batch: list[tuple[Work, dict[str, Trace]]]) -> dict[str, dict[str, tuple[float, float]]]:
    """Microseconds by stage, in Lull and bare, of one client."""
    watch = Stopwatch()
    dialect: Any = ends.database._engine.dialect

    def prepared(statement: Prepared, connection: sa.Connection, *_: Any) -> str:
        text = statement._texts.get(connection.dialect.name)
        return stage(text.sql) if text else REST

    watch.replace(Prepared, "_execute", prepared)
    watch.replace(dialect, "do_execute", lambda _cursor, statement, *_: stage(statement))
    watch.replace(dialect, "do_commit", COMMIT)
    found = {}
    try:
        for kind, do in zip(KINDS, (work.issue, work.redeem), strict=True):
            lull = []
            for each, _ in batch:
                with watch.stage(REST):
                    do(ends.ledger, each)
                lull.append(watch.take())
            bare = typical([ends.bare.timed(traces[kind]) for _, traces in batch])
            ours = typical(lull)
            found[kind] = {name: (ours.get(name, 0.0), bare.get(name, 0.0)) for name in {**ours, **bare}}
    finally:
        watch.restore()
    return found


def _print_rates(
    out: Console, name: str, found: dict[tuple[Scenario, int], dict[str, Rates]], options: argparse.Namespace
) -> None:
    heading = f"{name}: {options.rounds} rounds of {options.coupons} coupons; median, least and most of a round"
    table = Table(title=heading, title_justify="left", box=SIMPLE)
    for column in ("among", "clients", "what"):
        table.add_column(column, no_wrap=True)
    for column in ("Lull /s", "by round", "bare driver /s", "by round", "ratio", "by round"):
        table.add_column(column, justify="right", no_wrap=True)
    for (scenario, clients), rates in found.items():
        for kind, each in rates.items():
            ratios = [ours / theirs for ours, theirs in zip(each.lull, each.bare, strict=True)]
            cells = [cell for values in (each.lull, each.bare) for cell in _typical(values, ",.0f")]
            table.add_row(scenario.name, str(clients), kind, *cells, *_typical(ratios, ".2f"))
    out.print(table)


def _typical(values: Sequence[float], form: str) -> tuple[str, str]:
    return format(median(values), form), f"{format(min(values), form)}-{format(max(values), form)}"


def _print_stages(out: Console, name: str, found: dict[str, dict[str, tuple[float, float]]]) -> None:
    for kind, stages in found.items():
        table = Table(title=f"{name}: microseconds of one {kind}, one client", title_justify="left", box=SIMPLE)
        for column in ("stage", "Lull", "bare driver"):
            table.add_column(column, justify="left" if column == "stage" else "right")
        for stage_name, (ours, bare) in sorted(stages.items(), key=lambda item: -item[1][0]):
            table.add_row(stage_name, f"{ours:.0f}", f"{bare:.0f}" if bare else "-")
        table.add_section()
        totals = (sum(each) for each in zip(*stages.values(), strict=True))
        table.add_row("all of it", *(f"{total:.0f}" for total in totals))
        out.print(table)


if __name__ == "__main__":
    main()
