"""`lull fcm-emulator`: what it refuses, and that it really serves."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
import typer
from typer.testing import CliRunner

from backend.emulator.cli import fcm_emulator
from backend.listening import PortInUse
from tests.processes import alive, descendants, until

COMMAND = "import typer; from backend.emulator.cli import fcm_emulator; typer.run(fcm_emulator)"


def refused(*arguments: str) -> Exception:
    """Why the command refuses to run; `lull` tells it in a sentence."""
    with pytest.raises((ValueError, PortInUse)) as caught:
        CliRunner().invoke(command(), arguments, catch_exceptions=False)
    return caught.value


def command() -> typer.Typer:
    app = typer.Typer()
    app.command()(fcm_emulator)
    return app


def test_a_host_that_others_can_reach_is_refused() -> None:
    assert "loopback" in str(refused("--host", "0.0.0.0"))


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    assert "cannot be written" in str(refused("--port", "0", "--credentials", str(tmp_path / "none" / "c.json")))


def test_what_is_no_ordinary_file_is_not_replaced(tmp_path: Path) -> None:
    # A named pipe stands for all that a rename would replace, devices among them.
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "no ordinary file" in str(refused("--port", "0", "--credentials", str(pipe)))
    assert pipe.is_fifo()


def test_a_project_without_a_name_is_refused(tmp_path: Path) -> None:
    assert "no name" in str(refused("--port", "0", "--project", " ", "--credentials", str(tmp_path / "c.json")))
    assert not (tmp_path / "c.json").exists()


def test_help_shows_an_example() -> None:
    assert "Example: lull fcm-emulator" in CliRunner().invoke(command(), ["--help"], catch_exceptions=False).output


def test_it_serves_in_one_process_and_stops_when_asked(tmp_path: Path) -> None:
    credentials, log_file = tmp_path / "c.json", tmp_path / "log.jsonl"
    arguments = ["--port", "0", "--credentials", str(credentials), "--log-file", str(log_file)]
    with subprocess.Popen([sys.executable, "-c", COMMAND, *arguments], stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            address = process.stderr.readline().split(",")[0].removeprefix("FCM emulator at ")
            assert json.loads(credentials.read_text())["token_uri"] == f"{address}/token"
            with requests.Session() as http:
                http.trust_env = False
                assert wait_for(http, f"{address}/healthz") == {"status": "ok", "project_id": "lull-demo"}
                refused = http.post(f"{address}/v1/projects/lull-demo/messages:send", json={}, timeout=5)
                assert refused.status_code == 401
            assert json.loads(log_file.read_text())["status"] == 401
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=15)


def test_nothing_serves_on_when_the_emulator_is_killed(tmp_path: Path) -> None:
    arguments = ["--port", "0", "--credentials", str(tmp_path / "c.json")]
    with subprocess.Popen([sys.executable, "-c", COMMAND, *arguments], stderr=subprocess.DEVNULL) as process:
        until(lambda: bool(descendants(process.pid)), 15.0)
        started = descendants(process.pid)
        process.kill()
        process.wait()
        until(lambda: not alive(started), 20.0)


def wait_for(http: requests.Session, url: str) -> object:
    for _ in range(100):
        try:
            return http.get(url, timeout=5).json()
        except requests.ConnectionError:
            time.sleep(0.1)
    raise AssertionError("the emulator did not start")


def test_a_port_in_use_is_told_before_anything_is_written(tmp_path: Path) -> None:
    credentials = tmp_path / "c.json"
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert "is in use" in str(refused("--port", port, "--credentials", str(credentials)))
    assert not credentials.exists()
