"""The simulator's commands on the `lull` command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from simulator.scenario import Scenario
from stores.model import Position


def register(app: typer.Typer) -> None:
    """Add the simulator's commands to the application (entry point group `lull.commands`)."""
    app.command("demo")(demo)


def demo(
    minutes: Annotated[float, typer.Option(help="Simulated minutes to play; sixty of them take a real minute.")] = 60.0,
    seed: Annotated[int, typer.Option(help="Root of all randomness of the city.")] = Scenario().seed,
    phones: Annotated[int, typer.Option(help="Members with a phone.")] = 500,
    summary: Annotated[Path | None, typer.Option("--summary", help="Write what happened to this file as JSON.")] = None,
    stores: Annotated[
        Path | None, typer.Option("--stores", help="Play with stores of this CSV or GeoJSON file; needs --near.")
    ] = None,
    near: Annotated[
        str | None, typer.Option("--near", metavar="LAT,LNG", help="Take up to 60 stores within 5 km of this point.")
    ] = None,
    exit_when_done: Annotated[
        bool, typer.Option("--exit-when-done", help="End after the summary, also on a terminal.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON instead of a table.")] = False,
) -> None:
    """Run everything on this machine for an hour of a simulated city.

    Starts the backend, the worker and an FCM emulator, and 500 simulated phones and the tills of 66 stores that talk
    to them over HTTP, with a clock sixty times as fast as the real one. Prints the page to open, and at the end what
    happened. The population is eager: it acts on coupons far more often than real members do. Nothing leaves this
    machine, and nothing stays on it: ctrl-C ends all processes and removes their files.

    Example: lull demo --minutes 60 --seed 1 --summary summary.json --exit-when-done
    """
    # Loaded here, so that other commands need not wait for the simulation's packages.
    from simulator.cast import Options
    from simulator.demo import run_demo
    from simulator.demo_chain import WrongInput

    try:
        options = Options(
            _scenario(seed, minutes, phones), stores, _near(stores, near), summary, exit_when_done, as_json
        )
        code = run_demo(options, Console(), Console(stderr=True))
    except (WrongInput, _WrongOption) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    raise typer.Exit(code)


class _WrongOption(Exception):
    """An option that cannot be meant."""


def _scenario(seed: int, minutes: float, phones: int) -> Scenario:
    scenario = Scenario(seed=seed, minutes=minutes, phones=phones)
    try:
        scenario.check()
    except ValueError as error:
        raise _WrongOption(str(error)) from None
    return scenario


def _near(stores: Path | None, near: str | None) -> Position | None:
    if (stores is None) != (near is None):
        raise _WrongOption("--stores and --near go together: the file, and the point around which to take its stores.")
    if near is None:
        return None
    try:
        lat, lng = (float(part) for part in near.split(","))
        return Position(lat, lng)
    except ValueError:
        raise _WrongOption("--near must be latitude and longitude in degrees, such as 60.17,24.94.") from None
