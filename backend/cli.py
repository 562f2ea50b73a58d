"""The command line `lull`: one application to which each package adds its commands through entry points."""

from __future__ import annotations

import errno
import logging
import sys
from importlib.metadata import entry_points, version
from typing import Annotated

import structlog
import typer

from backend.listening import PortInUse
from backend.service.errors import LullError, Unavailable

DONE, FAILED, WRONG = 0, 1, 2
_FULL = (errno.ENOSPC, errno.EDQUOT)
"""Errors of a disk, not of what was asked for: the same command will do once there is room."""


def create_cli() -> typer.Typer:
    """The application with the commands of every package that is installed."""
    app = typer.Typer(
        name="lull",
        help="Fills a chain's quiet hours with coupons people are glad to get.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_common)
    for entry in sorted(entry_points(group="lull.commands"), key=lambda each: each.name):
        entry.load()(app)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lull {version('lull')}")
        raise typer.Exit


def _common(
    _: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Fills a chain's quiet hours with coupons people are glad to get."""


def run() -> None:
    """Run the command that the process was started with, and end the process with its exit code."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        create_cli()()
    except (Unavailable, PortInUse) as error:
        # The command is right and will do once the database or the port is free.
        _end(str(error), FAILED)
    except (LullError, ValueError) as error:
        _end(str(error), WRONG)
    except OSError as error:
        what = error.strerror or str(error)
        _end(f"{error.filename}: {what}" if error.filename else what, FAILED if error.errno in _FULL else WRONG)


def _end(sentence: str, code: int) -> None:
    print(f"lull: {sentence}", file=sys.stderr)  # noqa: T201 - what a command says
    sys.exit(code)
