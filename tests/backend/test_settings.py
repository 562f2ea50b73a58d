"""Settings that cannot work are told in a sentence that names the variable."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.adapters.sql.database import checked_url
from backend.settings import read_settings


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:9099",
        "ftp://127.0.0.1:9099",
        "http://127.0.0.1",
        "http://127.0.0.1:",
        "http://127.0.0.1:0",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:9099/v1",
        "http://127.0.0.1:9099/?a=b",
        "http://me:secret@127.0.0.1:9099",
        "http://10.0.0.1:9099",
        "http://[::1",
        "127.0.0.1:9099",
        "",
    ],
)
def test_an_emulators_address_that_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("LULL_EMULATOR_URL", url)
    with pytest.raises(ValueError, match=r"^LULL_EMULATOR_URL: .*such as http://127\.0\.0\.1:9099$") as refused:
        read_settings()
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9099", "http://localhost:9099/", "http://[::1]:9099"])
def test_an_emulators_address_ends_with_its_port(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("LULL_EMULATOR_URL", url)
    assert read_settings().emulator_url == url.rstrip("/")


@pytest.mark.parametrize("clock", ["", "1,2", "1,2,3,4", "a,b,c", "1,2,0", "1,2,nan", "-1,2,60", "1,1e300,60"])
def test_a_clock_that_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch, clock: str) -> None:
    monkeypatch.setenv("LULL_EMULATOR_URL", "http://127.0.0.1:9099")
    monkeypatch.setenv("LULL_CLOCK", clock)
    with pytest.raises(ValueError, match="LULL_CLOCK"):
        read_settings().need_clock()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite:///file:x?uri=true", "has parameters"),
        ("sqlite:///lull.db?timeout=3", "has parameters"),
        ("sqlite://", "needs a file"),
        ("sqlite://user@host/lull.db", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("sqlite:///{folder}", "is a folder"),
        ("sqlite:///{folder}/none/lull.db", "there is no folder"),
        ("postgresql://u:secret@host", "names no database"),
        ("postgresql://u:secret@host/db?colour=red", "'colour'"),
        ("postgresql://u:secret@host:99999/db", "port"),
        ("mysql://u:secret@host/db", "'mysql'"),
        ("", "cannot be read"),
    ],
)
def test_a_database_url_that_cannot_be_is_refused(tmp_path: Path, url: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as refused:
        checked_url(url.format(folder=tmp_path))
    assert "secret" not in str(refused.value)


def test_a_database_url_may_have_the_parameters_of_libpq() -> None:
    url = checked_url("postgresql://host/db?sslmode=require&host=/run/postgresql")
    assert (url.drivername, url.query["sslmode"]) == ("postgresql+psycopg", "require")


@pytest.mark.parametrize("url", ["127.0.0.1:6379", "http://127.0.0.1:6379", ""])
def test_a_redis_address_that_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("LULL_REDIS_URL", url)
    with pytest.raises(ValueError, match=r"^LULL_REDIS_URL: .*such as redis://"):
        read_settings()


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({}, []),
        ({"LULL_DATABASE_URL": "postgresql://h/d"}, ["run one server only"]),
        ({"LULL_DATABASE_URL": "postgresql://h/d", "LULL_REDIS_URL": "redis://h"}, []),
        ({"LULL_LIMITS": "off"}, ["LULL_LIMITS is off"]),
    ],
)
def test_the_server_tells_at_its_start_what_may_surprise(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], says: list[str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    remarks = read_settings().remarks()
    assert len(remarks) == len(says)
    assert all(part in remark for part, remark in zip(says, remarks, strict=True))
