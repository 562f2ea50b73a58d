"""What an installation sets, all of it through environment variables."""

from __future__ import annotations

import json
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_EMULATOR = "give the address that lull fcm-emulator prints, such as http://127.0.0.1:9099"
_YEAR_2100 = 4_102_444_800.0


class Settings(BaseSettings):
    """Read from variables with the prefix LULL_ (LULL_DATABASE_URL and so on)."""

    model_config = SettingsConfigDict(env_prefix="LULL_", extra="ignore", hide_input_in_errors=True)

    database_url: str = "sqlite:///lull.db"
    secret: str | None = Field(default=None, min_length=32)
    """All keys are derived from it: whoever has it can make sessions and coupon codes."""
    secret_previous: str | None = Field(default=None, min_length=32)
    """The secret before this one: what was made with it is still good. Take it away a day after it was replaced."""
    credentials: Path | None = None
    """A Firebase service account's JSON file."""
    emulator_url: str | None = None
    """Push to, and take ID tokens from, the emulator at this loopback address instead of Google."""
    clock: str | None = None
    """Demo only: real seconds, domain seconds and rate, "1764000000,1780398000,60"."""
    limits: Literal["on", "off"] = "on"
    """Rate limits. Off only where nobody but tests and demos can reach the server."""
    proxies: int = Field(default=0, ge=0, le=10)
    """How many proxies stand before the server, each of which adds to X-Forwarded-For whom it got a request from."""
    redis_url: str | None = None
    """A Redis without persistence, for presence and limits of several server processes."""
    redis_volatile: bool = False
    """The operator's word that this Redis writes nothing to a disk, for one that does not tell."""
    map: Path | None = None
    """A file with a GeoJSON FeatureCollection that the console draws behind the stores."""

    @field_validator("emulator_url")
    @classmethod
    def _loopback(cls, value: str | None) -> str | None:
        return value if value is None else _emulator(value)

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("give an address such as redis://127.0.0.1:6379/0, rediss:// for TLS, or unix:///path")
        return value

    def remarks(self) -> tuple[str, ...]:
        """What an operator should know before the server starts."""
        found = []
        if self.redis_url is None and not self.database_url.startswith("sqlite"):
            found.append("LULL_REDIS_URL is not set: presence and limits live in this process, so run one server only")
        if self.limits == "off":
            found.append("LULL_LIMITS is off: nobody is kept from asking too often or guessing")
        return tuple(found)

    def need_secret(self) -> str:
        """The secret. Raises ValueError when it is not set."""
        if self.secret is None:
            raise ValueError("LULL_SECRET is not set: make one with `openssl rand -hex 32`, and keep it")
        return self.secret

    def need_credentials(self) -> Path:
        """The service account's file. Raises ValueError when it is not set."""
        if self.credentials is None:
            raise ValueError("LULL_CREDENTIALS is not set: give the path of a Firebase service account's JSON file")
        return self.credentials

    def need_map(self) -> Path | None:
        """The map's file, or None. Raises ValueError when it is no GeoJSON FeatureCollection."""
        if self.map is None:
            return None
        try:
            document = json.loads(self.map.read_bytes())
        except OSError as error:
            raise ValueError(f"LULL_MAP: {self.map} cannot be read ({error.strerror}): check the path") from error
        except (ValueError, RecursionError):
            raise ValueError(f"LULL_MAP: {self.map} is not JSON: give a GeoJSON FeatureCollection") from None
        if not isinstance(document, dict) or not isinstance(document.get("features"), list):
            raise ValueError(f"LULL_MAP: {self.map} is JSON, but no GeoJSON FeatureCollection: give one")
        return self.map

    def need_clock(self) -> tuple[float, float, float] | None:
        """The demo's clock, or None. Raises ValueError when it cannot be read, or outside the demo."""
        if self.clock is None:
            return None
        if self.emulator_url is None:
            raise ValueError("LULL_CLOCK is for the demo only: it goes with LULL_EMULATOR_URL")
        try:
            real, domain, rate = (float(part) for part in self.clock.split(","))
        except ValueError as error:
            raise ValueError("LULL_CLOCK must be three numbers: real seconds, domain seconds, rate") from error
        if not (0.0 < rate <= 1000.0 and 0.0 <= real < _YEAR_2100 and 0.0 <= domain < _YEAR_2100):
            raise ValueError("LULL_CLOCK: times must lie between 1970 and 2100, and the rate between 0 and 1000")
        return real, domain, rate


def read_settings() -> Settings:
    """The settings of this process. Raises ValueError naming the variable that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        said = first["msg"].removeprefix("Value error, ")
        raise ValueError(f"LULL_{str(first['loc'][0]).upper()}: {said}") from error


def _emulator(url: str) -> str:
    """The address without a slash at its end. Pushes and certificates are asked for below it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(f"cannot be read: {_EMULATOR}") from None
    if not _is_loopback(parts.hostname):
        raise ValueError(f"is no loopback address, and ID tokens from it open sessions: {_EMULATOR}")
    if parts.scheme != "http" or not port:
        raise ValueError(f"must begin with http:// and have a port: {_EMULATOR}")
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(f"must end with its port and name no user: {_EMULATOR}")
    return f"http://{parts.netloc}"


def _is_loopback(host: str | None) -> bool:
    if host is None:
        return False
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
