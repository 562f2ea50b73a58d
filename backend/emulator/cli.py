"""`lull fcm-emulator`: runs the emulator on loopback in one process."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, TextIO

import typer
from flask import Flask
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from backend.emulator.app import create_emulator, is_loopback
from backend.emulator.keys import DEFAULT_PROJECT, Keys, generate_keys, service_account, write_credentials
from backend.lifetime import END_S, end_with_parent, endable_from_birth
from backend.listening import PortInUse, hold_port

THREADS = 128
"""Enough for 64 senders and for readers that wait on the log."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the serving process needs to build the application."""

    keys: Keys
    address: str
    project_id: str
    log_file: Path | None
    log_capacity: int


def fcm_emulator(
    host: Annotated[str, typer.Option(help="Loopback address to listen on; any other is refused.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 9099,
    credentials_out: Annotated[
        Path, typer.Option("--credentials", help="Where to write the service account (mode 0600).")
    ] = Path("lull-credentials.json"),
    log_file: Annotated[
        Path | None, typer.Option("--log-file", help="Append every send attempt to this file as a JSON line.")
    ] = None,
    project_id: Annotated[str, typer.Option("--project", help="The Firebase project to play.")] = DEFAULT_PROJECT,
    log_capacity: Annotated[int, typer.Option(min=1, help="How many send attempts to keep in memory.")] = 1_000_000,
) -> None:
    """Run a local FCM, OAuth token endpoint and ID-token issuer. Nothing leaves this machine.

    A service account with a fresh key is written to --credentials; a backend that uses it talks to this emulator.
    Faults are asked for with POST /faults, and every send attempt is at GET /log.

    Example: lull fcm-emulator --port 9099 --credentials /tmp/lull-credentials.json --log-file pushes.jsonl
    """
    if not is_loopback(host):
        typer.echo("The emulator signs tokens for anyone who asks: --host must be a loopback address.", err=True)
        raise typer.Exit(2)
    if not project_id.strip():
        typer.echo("The project has no name: give --project one, or leave it out.", err=True)
        raise typer.Exit(2)
    with _hold(host, port) as held:
        host, port = held.getsockname()[:2]
        address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        keys = generate_keys(datetime.now(UTC))
        try:
            write_credentials(credentials_out, service_account(keys, project_id, address))
            if log_file is not None:
                _open_log(log_file).close()
        except OSError as error:
            typer.echo(f"{error.filename} cannot be written: {error.strerror}.", err=True)
            raise typer.Exit(2) from None
        typer.echo(f"FCM emulator at {address}, service account in {credentials_out}", err=True)
        serve(Settings(keys, address, project_id, log_file, log_capacity), host, port)


def _hold(host: str, port: int) -> socket.socket:
    """The port, before anything is written: the credentials of an emulator that runs must stay as they are."""
    try:
        return hold_port(host, port)
    except (PortInUse, ValueError) as error:
        typer.echo(f"lull: {error}", err=True)
        raise typer.Exit(1 if isinstance(error, PortInUse) else 2) from None


def serve(settings: Settings, host: str, port: int) -> None:
    """Serves until interrupted: one worker process, since log, faults and tokens live in its memory."""
    server = Server(
        "lull-fcm-emulator",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        workers_kill_timeout=END_S,
        log_level=LogLevels.error,
    )
    endable_from_birth()
    server.serve(target_loader=partial(load, settings, os.getpid()), wrap_loader=False)


def load(settings: Settings, parent: int) -> Flask:
    """Builds the application inside the serving process, on the machine's clock; it ends with its parent."""
    end_with_parent(parent)
    return create_emulator(
        settings.keys,
        token_uri=f"{settings.address}/token",
        clock=time.time,
        project_id=settings.project_id,
        log_capacity=settings.log_capacity,
        log_file=None if settings.log_file is None else _open_log(settings.log_file),
    )


def _open_log(path: Path) -> TextIO:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return os.fdopen(descriptor, "a", encoding="utf-8")
