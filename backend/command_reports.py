"""What the commands that read files share: their options, how they import, and how they report."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from backend.service.imports import Imported
from backend.service.ports import Clock, Ports
from backend.settings import read_settings
from stores.importing import RowProblem

Json = Annotated[bool, typer.Option("--json", help="Report as JSON on standard output.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Read and report only; change nothing.")]
Map = Annotated[
    list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help="Which column holds a field; repeat for more.")
]
MapStores = Annotated[
    list[str] | None, typer.Option(metavar="FIELD=COLUMN", help="Which column of the store file holds a field.")
]
Stores = Annotated[Path, typer.Option(exists=True, dir_okay=False, readable=True, help="Stores: CSV or GeoJSON.")]
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The file to read.")]
SHOWN = 20


def run_import(
    what: str,
    dry_run: bool,
    as_json: bool,
    good: int,
    problems: Sequence[RowProblem],
    store: Callable[[Ports, Clock], Imported],
    told: dict[str, Any] | None = None,
) -> None:
    """Store what was read, unless it is a dry run, and report; `told` is what else the report holds.

    Raises ValueError when nothing could be used.
    """
    report: dict[str, Any] = {"read": good, "dry_run": dry_run, **(told or {})}
    sentence, used, found = f"{counted(good, what)} can be imported, nothing was changed", good, tuple(problems)
    if not dry_run:
        from backend.wiring import open_ports

        with open_ports(read_settings()) as (ports, clock):
            done = store(ports, clock)
        found += done.problems
        count = asdict(done.count)
        report |= (told or {}) | count
        used = sum(count.values())
        sentence = f"{counted(good, what)} read: " + ", ".join(f"{number} {name}" for name, number in count.items())
    list_problems(found)
    report["problems"] = [asdict(problem) for problem in found]
    say(as_json, report, f"{sentence}; {counted(len(found), 'problem')}")
    if not used:
        why = "no row of the file can be used" if found else "the file has no rows"
        raise ValueError(f"{why}, nothing was imported" + (": mend what is listed above" if found else ""))


def list_problems(problems: Sequence[RowProblem], where: str = "") -> None:
    """Say the first of them; `where` goes before each."""
    for problem in problems[:SHOWN]:
        typer.echo(f"{where}row {problem.row}: {problem.field}: {problem.reason}", err=True)
    if len(problems) > SHOWN:
        typer.echo(f"... and {len(problems) - SHOWN} more (--json lists all)", err=True)


def counted(number: int, what: str) -> str:
    """Such as `1 store` and `2 stores`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def mapping_of(pairs: list[str] | None, option: str = "--map") -> dict[str, str]:
    """Columns by field, from `field=column` each. Raises ValueError, naming the option, for anything else."""
    mapping = {}
    for pair in pairs or ():
        field, equals, column = pair.partition("=")
        if not (field and equals and column):
            raise ValueError(f"{option}: {pair!r} is not of the form field=column")
        mapping[field.strip()] = column.strip()
    return mapping


@contextmanager
def naming(what: str) -> Iterator[None]:
    """Say in the errors of reading a file which one it is, where a command reads more than one."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None


def say(as_json: bool, report: dict[str, Any], sentence: str) -> None:
    """Print the report as JSON, or a sentence."""
    typer.echo(json.dumps(report) if as_json else sentence)
