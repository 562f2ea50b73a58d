"""Commands as people run them: what they print, and the exit codes of wrong input."""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import structlog
from typer.testing import CliRunner

from backend import cli
from backend.adapters.sql import upgrade
from backend.service.errors import Conflict

CHAIN = Path(__file__).parents[2] / "simulator" / "chain"


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def lull(tmp_path: Path) -> Lull:
    """The command line with a database of its own."""
    return Lull(tmp_path)


class Lull:
    """Runs `lull` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {key: value for key, value in os.environ.items() if not key.startswith("LULL_")}
        self.env["LULL_DATABASE_URL"] = f"sqlite:///{folder / 'lull.db'}"

    def run(self, *arguments: str, **env: str) -> Done:
        """The finished command, in this process: starting another takes a second, and is tested in test_serving.py."""
        said, told, code = io.StringIO(), io.StringIO(), 0
        with (
            patch.dict(os.environ, self.env | env, clear=True),
            patch.object(sys, "argv", ["lull", *arguments]),
            chdir(self.folder),
            redirect_stdout(said),
            redirect_stderr(told),
        ):
            try:
                cli.run()
            except SystemExit as ended:
                code = int(ended.code or 0)
            finally:
                structlog.reset_defaults()  # what `run` configured would outlive this test
        return Done(code, said.getvalue(), told.getvalue())

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The command, under way and telling on stderr what it loads."""
        command = [sys.executable, "-X", "importtime", "-m", "backend", *arguments]
        return subprocess.Popen(command, env=self.env, cwd=self.folder, stderr=subprocess.PIPE, text=True)

    def json(self, *arguments: str) -> dict[str, object]:
        """What a command that succeeds reports."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        report: dict[str, object] = json.loads(done.stdout)
        return report


def test_the_bundled_chain_is_imported_once(lull: Lull) -> None:
    assert lull.run("database", "upgrade").returncode == 0
    first = lull.json("stores", "import", str(CHAIN / "stores.geojson"))
    again = lull.json("stores", "import", str(CHAIN / "stores.geojson"))
    assert (first["added"], first["problems"]) == (66, [])
    assert (again["added"], again["unchanged"]) == (0, 66)
    assert lull.json("menu", "import", str(CHAIN / "menu.csv"))["problems"] == []


def test_a_dry_run_needs_no_database_and_makes_none(lull: Lull) -> None:
    report = lull.json("stores", "import", str(CHAIN / "stores.geojson"), "--dry-run")
    assert (report["read"], report["dry_run"]) == (66, True)
    assert list(lull.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "env", "code", "says"),
    [
        (("stores", "import", "missing.csv"), {}, 2, "does not exist"),
        (("learn",), {"LULL_DATABASE_URL": "mysql://here/x"}, 2, "sqlite and postgresql"),
        (("learn",), {"LULL_DATABASE_URL": "nonsense"}, 2, "cannot be read"),
        (("learn",), {"LULL_DATABASE_URL": "sqlite+foo:///x.db"}, 1, "lull database upgrade"),
        (("learn",), {"LULL_DATABASE_URL": "postgresql://h:notaport/db"}, 2, "cannot be read"),
        (("learn",), {}, 1, "lull database upgrade"),
        (("learn",), {"LULL_DATABASE_URL": "postgresql://127.0.0.1:1/x"}, 1, "cannot be reached"),
        (("learn",), {"LULL_DATABASE_URL": "postgresql://127.0.0.1:1/x?colour=red"}, 2, "'colour'"),
        (("database", "upgrade"), {"LULL_DATABASE_URL": "sqlite:////nowhere/at/all/x.db"}, 2, "there is no folder"),
        (("worker",), {"LULL_EMULATOR_URL": "https://127.0.0.1:9099"}, 2, "must begin with http://"),
        (("keys", "create", "--role", "king"), {}, 2, "--role: give one of till"),
        (("keys", "create", "--role", "till", "--expires-at", "2027-01-01"), {}, 2, "with its offset"),
        (("serve",), {}, 2, "LULL_SECRET is not set"),
        (("serve",), {"LULL_SECRET": "short"}, 2, "LULL_SECRET"),
        (("serve",), {"LULL_SECRET": "s" * 32}, 2, "LULL_CREDENTIALS is not set"),
        (("worker",), {}, 2, "LULL_CREDENTIALS is not set"),
        (("worker",), {"LULL_CREDENTIALS": "missing.json"}, 2, "cannot be read"),
        (("worker",), {"LULL_EMULATOR_URL": "http://10.0.0.1:9099"}, 2, "loopback"),
        (("serve",), {"LULL_SECRET": "s" * 32, "LULL_CREDENTIALS": "x", "LULL_CLOCK": "1,2,3"}, 2, "demo only"),
        (("nothing",), {}, 2, "No such command"),
        (("sensitive", "clear", "casino"), {}, 2, "the category must be one of health"),
        (("demo", "--summary", "."), {}, 2, "is a folder"),
        (("worker",), {"LULL_EMULATOR_URL": "http://127.0.0.1:9", "LULL_CLOCK": "0,-inf,1"}, 2, "LULL_C"),
    ],
)
def test_wrong_input_is_told_in_a_sentence(
    lull: Lull, arguments: tuple[str, ...], env: dict[str, str], code: int, says: str
) -> None:
    done = lull.run(*arguments, **env)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("more", [(), ("--dry-run",), ("--json",)])
def test_a_file_of_which_no_row_can_be_used_is_wrong_input(lull: Lull, more: tuple[str, ...]) -> None:
    (lull.folder / "members.csv").write_text("member_id,tier\n1,bronze\n")
    assert lull.run("database", "upgrade").returncode == 0
    done = lull.run("members", "import", "members.csv", *more)
    assert (done.returncode, "nothing was imported" in done.stderr) == (2, True), done.stderr
    assert "row 1: tier" in done.stderr
    if more == ("--json",):
        assert json.loads(done.stdout)["added"] == 0


def test_a_file_without_rows_is_wrong_input(lull: Lull) -> None:
    (lull.folder / "clinics.csv").write_text("id,lat,lng,category\n")
    assert lull.run("database", "upgrade").returncode == 0
    done = lull.run("sensitive", "import", "clinics.csv")
    assert (done.returncode, "the file has no rows, nothing was imported" in done.stderr) == (2, True), done.stderr


def test_purchases_of_unknown_stores_alone_are_wrong_input(lull: Lull) -> None:
    header, row = "store_id,at,product_id,quantity,price,currency", "x,2026-06-02T14:00:00Z,bun,1,2,EUR"
    (lull.folder / "sales.csv").write_text(f"{header}\n{row}\n")
    assert lull.run("database", "upgrade").returncode == 0
    done = lull.run("purchases", "import", "sales.csv")
    assert (done.returncode, "nothing was imported" in done.stderr) == (2, True), done.stderr


def test_every_row_of_a_store_file_is_accounted_for(lull: Lull) -> None:
    rows = ("a,60.17,24.94,24/7", "b,60.2,24.9,whenever", "c,0,0,24/7", "a,60.17,24.94,24/7")
    (lull.folder / "stores.csv").write_text("\n".join(("id,lat,lng,hours", *rows)) + "\n")
    report = lull.json("stores", "import", "stores.csv", "--dry-run")
    assert (report["rows"], report["read"], report["refused"], report["zones_from_position"]) == (4, 2, 2, 2)
    assert [note["row"] for note in report["notes"]] == [2]  # type: ignore[attr-defined]
    told = lull.run("stores", "import", "stores.csv", "--dry-run").stderr
    assert "4 rows: 2 to import (1 with a note), 2 refused" in told
    assert "refused: 1 x position" in told
    assert "zone from position: 2" in told


def test_sensitive_places_are_imported_and_taken_out(lull: Lull) -> None:
    (lull.folder / "stores.csv").write_text("id,lat,lng\nkiosk,60.17,24.94\n")
    (lull.folder / "places.csv").write_text("id,lat,lng,category\nx,60.17,24.94,\ny,60.2,24.9,school\n")
    assert lull.run("database", "upgrade").returncode == 0
    assert lull.run("stores", "import", "stores.csv").returncode == 0
    first = lull.json("sensitive", "import", "places.csv", "--category", "health")
    assert (first["rows"], first["added"], first["silent_stores"]) == (2, 2, ["kiosk"])
    assert lull.run("sensitive", "clear", "school").stdout == "1 place taken out\n"


def test_a_file_that_can_be_used_in_part_is_imported(lull: Lull) -> None:
    (lull.folder / "members.csv").write_text("member_id,tier\n1,bronze\n2,gold\n")
    assert lull.run("database", "upgrade").returncode == 0
    report = lull.json("members", "import", "members.csv")
    assert (report["added"], len(report["problems"])) == (1, 1)  # type: ignore[arg-type]


def test_a_bad_mapping_is_told(lull: Lull) -> None:
    done = lull.run("stores", "import", str(CHAIN / "stores.geojson"), "--dry-run", "--map", "nonsense")
    assert (done.returncode, "field=column" in done.stderr) == (2, True)


def test_a_key_is_made_listed_rotated_and_revoked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LULL_DATABASE_URL", f"sqlite:///{tmp_path / 'lull.db'}")
    upgrade(f"sqlite:///{tmp_path / 'lull.db'}")

    def keys(*arguments: str) -> Any:
        done = CliRunner().invoke(cli.create_cli(), ["keys", *arguments, "--json"], catch_exceptions=False)
        return json.loads(done.stdout)

    made = keys("create", "--role", "till", "--label", "Bar", "--expires-at", "2099-01-01T00:00:00Z")
    assert (made["role"], made["label"], made["expires_at"]) == ("till", "Bar", "2099-01-01T00:00:00Z")
    turned = keys("rotate", made["id"], "--overlap-hours", "1")
    assert (turned["id"], turned["key"] != made["key"], turned["previous_until"] is None) == (made["id"], True, False)
    ended = keys("revoke", made["id"])
    assert ended["revoked_at"] is not None
    assert keys("list") == {"items": [ended]}
    with pytest.raises(Conflict, match="has ended or was revoked"):
        keys("rotate", made["id"])
    told = CliRunner().invoke(cli.create_cli(), ["keys", "list"]).stdout
    assert told.startswith(f"{made['id']}  till  the whole chain  revoked")


def test_each_command_shows_an_example(lull: Lull) -> None:
    for command in (
        ("serve",),
        ("worker",),
        ("learn",),
        ("demo",),
        ("fcm-emulator",),
        ("database", "upgrade"),
        ("stores", "import"),
        ("stores", "match"),
        ("replay",),
        ("sensitive", "import"),
        ("sensitive", "clear"),
        ("menu", "import"),
        ("members", "import"),
        ("purchases", "import"),
        ("keys", "create"),
        ("keys", "list"),
        ("keys", "rotate"),
        ("keys", "revoke"),
    ):
        assert "Example" in lull.run(*command, "--help").stdout, command


@pytest.mark.parametrize(
    ("command", "module"),
    [
        (("demo",), "structlog"),
        (("demo",), "numpy"),
        (("learn",), "sqlalchemy"),
        (("stores", "import", str(CHAIN / "stores.geojson")), "typer"),
    ],
)
def test_ctrl_c_while_a_command_loads_is_told_in_a_sentence(lull: Lull, command: tuple[str, ...], module: str) -> None:
    with lull.start(*command) as process:
        assert process.stderr is not None
        # Python tells of every module it has loaded.
        loaded = iter(process.stderr.readline, "")
        assert any(line.rpartition("|")[2].strip() == module for line in loaded)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=10)[1]
    assert process.returncode == 130
    assert said.endswith("lull: interrupted; what was not finished is not kept\n")
    assert "Traceback" not in said


def test_a_full_disk_is_no_wrong_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("structlog.configure", lambda **_: None)  # it would outlive this test
    monkeypatch.setattr(cli, "create_cli", lambda: full)
    with pytest.raises(SystemExit) as ended:
        cli.run()
    assert ended.value.code == cli.FAILED
    assert capsys.readouterr().err == "lull: No space left on device\n"
