from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from simulator.cli import register

STORES = """id,name,lat,lng
a,A,60.17,24.94
b,B,60.18,24.95
"""


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)
    return app


def failure(app: typer.Typer, *arguments: str) -> str:
    result = CliRunner().invoke(app, ["demo", *arguments])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr.strip()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--minutes", "0"), "minutes must be more than 0"),
        (("--phones", "0"), "phones must lie between"),
        (("--seed", "-1"), "seed must not be negative"),
        (("--near", "60.1,24.9"), "--stores and --near go together"),
        (("--stores", "x.csv"), "--stores and --near go together"),
        (("--stores", "x.csv", "--near", "here"), "--near must be latitude and longitude"),
        (("--stores", "x.csv", "--near", "99,24"), "--near must be latitude and longitude"),
        (("--stores", "/nowhere/x.csv", "--near", "60.1,24.9"), "cannot be read"),
        (("--summary", "/nowhere/at/all/s.json"), "its folder does not exist"),
    ],
)
def test_wrong_input_is_told_in_one_sentence(app: typer.Typer, arguments: tuple[str, ...], sentence: str) -> None:
    told = failure(app, *arguments)
    assert sentence in told
    assert len(told.splitlines()) == 1


def test_too_few_stores_near_by_is_told(app: typer.Typer, tmp_path: Path) -> None:
    file = tmp_path / "stores.csv"
    file.write_text(STORES)
    told = failure(app, "--stores", str(file), "--near", "60.17,24.94")
    assert "has 2 stores within 5 km of that point" in told
    assert "60.17" not in told


def test_a_file_without_stores_is_told(app: typer.Typer, tmp_path: Path) -> None:
    file = tmp_path / "stores.csv"
    file.write_text("colour\nred\n")
    assert "no column for id" in failure(app, "--stores", str(file), "--near", "60.17,24.94")


def test_help_gives_an_example(app: typer.Typer) -> None:
    result = CliRunner().invoke(app, ["demo", "--help"])
    assert "Example: lull demo" in result.stdout
    assert "eager" in result.stdout
