"""Recorded traces through matching, presence and decision."""

from __future__ import annotations

import csv
import gzip
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from backend.cli import create_cli
from backend.replay import COLUMNS, Replay
from stores.importing import Recorded
from stores.model import Circle, Fix, Position, Store

NOON = datetime(2026, 6, 2, 12, tzinfo=UTC)
HERE = Position(60.17, 24.94)
STORE = Store("corner", "Corner", HERE, Circle(150.0), "Mo-Su 07:00-22:00", "Europe/Helsinki")


def trace(device_id: str = "aino", seconds: int = 900, row: int = 1) -> list[Recorded]:
    """A walk past the middle of the store, from 600 m south to 600 m north, with a fix every quarter of a minute."""
    return [
        Recorded(row + number, device_id, Fix(_north(-600 + 20 * number), 8.0, NOON + timedelta(seconds=15 * number)))
        for number in range(min(61, seconds // 15 + 1))
    ]


def _north(metres: float) -> Position:
    return Position(HERE.lat + metres / 111_195.0, HERE.lng)


def rows(replay: Replay, fixes: Sequence[Recorded]) -> list[Any]:
    return list(replay.run(fixes, lambda _: None))


def test_a_walk_through_a_fence_enters_asks_and_exits() -> None:
    told = rows(Replay([STORE]), trace())
    assert [row["kind"] for row in told] == ["enter", "decision", "exit"]
    assert told[1]["reason"] == "traffic_unknown"
    assert (told[1]["device_id"], told[1]["store_id"], told[1]["propensity"]) == ("aino", "corner", 1.0)
    assert {tuple(row) for row in told} == {COLUMNS}


def test_a_store_without_hours_gives_that_as_the_reason() -> None:
    told = rows(Replay([replace(STORE, hours=None)]), trace())
    assert [row["reason"] for row in told if row["kind"] == "decision"] == ["hours_unknown"]


@pytest.mark.parametrize("later", [timedelta(), timedelta(days=1)])
def test_devices_are_followed_apart_in_whatever_order_they_come(later: timedelta) -> None:
    one = trace("aino")
    other = [
        replace(each, device_id="eero", fix=replace(each.fix, recorded_at=each.fix.recorded_at + later)) for each in one
    ]
    mixed = [recorded for pair in zip(one, other, strict=True) for recorded in pair]
    apart = rows(Replay([STORE]), one) + rows(Replay([STORE]), other)
    for order in (mixed, one + other):
        told = rows(Replay([STORE]), order)
        assert sorted(map(str, told)) == sorted(map(str, apart))


def test_refused_fixes_are_counted_by_reason() -> None:
    fixes = trace()
    replay = Replay([STORE])
    rows(replay, [*fixes, fixes[5], fixes[-1]])
    assert (replay.report.fixes, replay.report.accepted) == (63, 61)
    assert replay.report.rejected == {"out_of_order": 1, "repeated": 1}


def write_files(folder: Path, name: str = "trace.csv") -> list[str]:
    fixes = trace()
    lines = ["device,lat,lng,time"] + [
        f"aino,{each.fix.position.lat},{each.fix.position.lng},{each.fix.recorded_at.isoformat()}" for each in fixes
    ]
    text = "\n".join(lines).encode()
    (folder / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    (folder / "stores.csv").write_text(f"id,lat,lng,hours\ncorner,{HERE.lat},{HERE.lng},Mo-Su 07:00-22:00\n")
    return ["replay", str(folder / name), "--stores", str(folder / "stores.csv")]


@pytest.mark.parametrize("name", ["trace.csv", "trace.csv.gz"])
def test_the_command_writes_a_line_for_each_event_and_decision(tmp_path: Path, name: str) -> None:
    output = tmp_path / "events.jsonl"
    done = CliRunner().invoke(create_cli(), [*write_files(tmp_path, name), "--output", str(output), "--json"])
    assert done.exit_code == 0, done.output
    told = [json.loads(line) for line in output.read_text().splitlines()]
    assert [row["kind"] for row in told] == ["enter", "decision", "exit"]
    report = json.loads(done.stdout)
    assert (report["fixes"], report["accepted"], report["events"]) == (61, 61, {"enter": 1, "exit": 1})
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([name, "stores.csv", "events.jsonl"])


def test_the_command_writes_csv_as_well(tmp_path: Path) -> None:
    output = tmp_path / "events.csv"
    assert CliRunner().invoke(create_cli(), [*write_files(tmp_path), "--output", str(output)]).exit_code == 0
    with output.open() as file:
        assert [row["kind"] for row in csv.DictReader(file)] == ["enter", "decision", "exit"]


@pytest.mark.parametrize("output", ["events.parquet", "events"])
def test_an_output_of_another_kind_is_refused(tmp_path: Path, output: str) -> None:
    done = CliRunner().invoke(create_cli(), [*write_files(tmp_path), "--output", str(tmp_path / output)])
    assert isinstance(done.exception, ValueError)
    assert "--output" in str(done.exception)
    assert not (tmp_path / output).exists()


@pytest.mark.parametrize("output", ["trace.csv", "stores.csv"])
def test_the_output_never_replaces_what_is_read(tmp_path: Path, output: str) -> None:
    command = write_files(tmp_path)
    before = (tmp_path / output).read_bytes()
    done = CliRunner().invoke(create_cli(), [*command, "--output", str(tmp_path / output)])
    assert isinstance(done.exception, ValueError)
    assert f"would replace the {output.removesuffix('.csv')}" in str(done.exception)
    assert (tmp_path / output).read_bytes() == before


@pytest.mark.parametrize(
    ("file", "says"),
    [("trace.csv", "the trace: no column for lat"), ("stores.csv", "the store file: no column for id")],
)
def test_an_unreadable_file_is_named(tmp_path: Path, file: str, says: str) -> None:
    command = write_files(tmp_path)
    (tmp_path / file).write_text("foo,bar\n1,2\n")
    done = CliRunner().invoke(create_cli(), [*command, "--output", str(tmp_path / "events.csv")])
    assert isinstance(done.exception, ValueError)
    assert says in str(done.exception)


@pytest.mark.parametrize("option", ["--map", "--map-stores"])
def test_a_broken_option_is_named(tmp_path: Path, option: str) -> None:
    command = [*write_files(tmp_path), "--output", str(tmp_path / "events.csv"), option, "lat"]
    done = CliRunner().invoke(create_cli(), command)
    assert str(done.exception).startswith(f"{option}: ")


def test_an_output_that_is_no_file_is_left_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "events.csv")
    done = CliRunner().invoke(create_cli(), [*write_files(tmp_path), "--output", str(tmp_path / "events.csv")])
    assert "must be a file" in str(done.exception)
    assert (tmp_path / "events.csv").is_fifo()
