"""`lull serve` as a real process: what keeps it from starting, and how it ends."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import urllib3

from backend.adapters.sql import upgrade
from backend.emulator.keys import generate_keys, service_account, write_credentials
from backend.listening import PortInUse, hold_port
from tests.processes import alive, descendants, until
from tests.redis_server import own_redis


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The settings of a server that would start."""
    folder = tmp_path_factory.mktemp("serving")
    address = "http://127.0.0.1:9"
    write_credentials(folder / "credentials.json", service_account(generate_keys(datetime.now(UTC)), "lull", address))
    url = f"sqlite:///{folder / 'lull.db'}"
    upgrade(url)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LULL_")}
    return kept | {
        "LULL_DATABASE_URL": url,
        "LULL_SECRET": "s" * 32,
        "LULL_EMULATOR_URL": address,
        "LULL_CREDENTIALS": str(folder / "credentials.json"),
    }


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def server(env: dict[str, str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server that answers; ended, whatever became of it."""
    command = [sys.executable, "-m", "backend", "serve", "--port", str(port)]
    with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            until(lambda: answers(port), 30.0)
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def refused(env: dict[str, str], port: int, *arguments: str) -> tuple[int, str]:
    """Exit code and last words of a server that does not start."""
    command = [sys.executable, "-m", "backend", "serve", "--port", str(port), *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=30)
    assert "Traceback" not in done.stderr
    assert "Listening" not in done.stderr
    return done.returncode, done.stderr.splitlines()[-1]


def answers(port: int) -> bool:
    try:
        return urllib3.request("GET", f"http://127.0.0.1:{port}/healthz", retries=False, timeout=5.0).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def is_free(port: int) -> bool:
    try:
        hold_port("127.0.0.1", port).close()
    except PortInUse:
        return False
    return True


def test_a_second_server_on_the_same_port_is_refused(env: dict[str, str], port: int) -> None:
    with server(env, port):
        assert refused(env, port) == (
            1,
            f"lull: port {port} is in use: end what listens there, or choose another with --port",
        )
        assert answers(port)


def test_a_host_of_another_machine_is_refused(env: dict[str, str], port: int) -> None:
    code, said = refused(env, port, "--host", "203.0.113.1")
    assert (code, "this machine cannot listen" in said) == (2, True)


@pytest.mark.parametrize(
    ("variable", "content", "says"),
    [
        ("LULL_MAP", None, "cannot be read"),
        ("LULL_MAP", b"\xff", "is not JSON"),
        ("LULL_MAP", b"[]", "no GeoJSON"),
        ("LULL_CREDENTIALS", b"[]", "not a service account"),
    ],
)
def test_a_setting_that_names_a_wrong_file_is_refused(
    env: dict[str, str], port: int, tmp_path: Path, variable: str, content: bytes | None, says: str
) -> None:
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)
    code, said = refused(env | {variable: str(file)}, port)
    assert (code, says in said, said.startswith("lull: ")) == (2, True, True)


def test_a_redis_that_writes_to_disk_or_is_away_is_refused(env: dict[str, str], port: int) -> None:
    with own_redis("--save", "3600 1") as url:
        code, said = refused(env | {"LULL_REDIS_URL": url}, port)
        assert (code, "this Redis writes to disk" in said) == (2, True)
    code, said = refused(env | {"LULL_REDIS_URL": "redis://127.0.0.1:1"}, port)
    assert (code, "Redis cannot be reached" in said) == (1, True)


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_nothing_starts_while_unsigned_id_tokens_would_be_taken(env: dict[str, str], command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "backend", command],
        env=env | {"FIREBASE_AUTH_EMULATOR_HOST": "127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("lull: FIREBASE_AUTH_EMULATOR_HOST makes firebase-admin accept unsigned ID tokens")
    assert done.stderr.count("\n") == 1


def test_nothing_serves_on_when_the_server_is_killed(env: dict[str, str], port: int) -> None:
    with server(env, port) as process:
        started = descendants(process.pid)
        assert started
        process.kill()
        process.wait()
        until(lambda: not alive(started), 20.0)
    # The first thread of a process may end before those that still hold its sockets.
    until(lambda: is_free(port), 5.0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_that_is_just_starting_ends_when_asked(env: dict[str, str], port: int, number: int) -> None:
    command = [sys.executable, "-m", "backend", "serve", "--port", str(port)]
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            # The process that serves is there and loads the application. Ctrl-C comes to both.
            until(lambda: bool(descendants(process.pid)), 30.0)
            os.killpg(process.pid, number)
            assert "Traceback" not in process.communicate(timeout=8)[1]
            assert process.returncode in (0, 130)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize(("ignored", "ends"), [(False, True), (True, False)])
def test_a_server_ends_with_its_terminal_unless_told_not_to(
    env: dict[str, str], port: int, ignored: bool, ends: bool
) -> None:
    wish = "signal.SIG_IGN" if ignored else "signal.SIG_DFL"
    first = f"import signal; signal.signal(signal.SIGHUP, {wish}); from backend.__main__ import main; main()"
    with subprocess.Popen([sys.executable, "-c", first, "serve", "--port", str(port)], env=env) as process:
        try:
            until(lambda: answers(port), 30.0)
            process.send_signal(signal.SIGHUP)
            if ends:
                assert process.wait(15) == 0
            else:
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(1)
                assert answers(port)
        finally:
            process.terminate()


def test_a_request_refused_unread_says_that_its_connection_ends(env: dict[str, str], port: int) -> None:
    """Or the next one on it would be lost; where the body was read, or there is none, the connection goes on."""
    headers = {"Content-Type": "application/json", "Authorization": "Bearer lk_bad"}
    with server(env, port):
        for _ in range(40):
            with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
                told = []
                for method, path in (("GET", "/v1/me"), ("POST", "/v1/sessions"), ("POST", "/v1/purchases")):
                    body = None if method == "GET" else b"{}"
                    connection.request(method, path, body, headers)
                    answer = connection.getresponse()
                    answer.read()
                    told.append((answer.status, answer.getheader("Connection")))
                assert told == [(401, None), (422, None), (401, "close")]
