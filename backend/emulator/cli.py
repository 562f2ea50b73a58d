"""`lull fcm-emulator`: runs the emulator on loopback in one process."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, TextIO

import typer
from flask import Flask
from granian.log import LogLevels

from backend.emulator.app import create_emulator, is_loopback
from backend.emulator.keys import DEFAULT_PROJECT, Keys, generate_keys, service_account, write_credentials
from backend.listening import hold_port
from backend.serving import serve_app

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
        raise ValueError("--host: the emulator signs tokens for anyone who asks: give a loopback address")
    if not project_id.strip():
        raise ValueError("--project: the project has no name: give it one, or leave the option out")
    # Before anything is written: the credentials of an emulator that runs must stay as they are.
    with hold_port(host, port) as held:
        host, port = held.getsockname()[:2]
        address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        settings = Settings(generate_keys(datetime.now(UTC)), address, project_id, log_file, log_capacity)
        try:
            write_credentials(credentials_out, service_account(settings.keys, project_id, address))
            if log_file is not None:
                _open_log(log_file).close()
        except OSError as error:
            raise ValueError(f"{error.filename} cannot be written: {error.strerror}") from error
        typer.echo(f"FCM emulator at {address}, service account in {credentials_out}", err=True)
        serve_app(partial(_make, settings), held, threads=THREADS, log_level=LogLevels.error)


def _make(settings: Settings) -> Flask:
    """The application, on the machine's clock."""
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
