"""Whether the server runs, and whether it can work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from backend.api.routing import Call, Route


@dataclass(frozen=True, slots=True)
class HealthAnswer:
    """All is well."""

    status: Literal["ok"] = "ok"


def healthz(call: Call) -> HealthAnswer:
    """The process answers."""
    return HealthAnswer()


def readyz(call: Call) -> HealthAnswer:
    """The database answers, and takes writes as far as is known; Unavailable otherwise."""
    call.services.ports.chain.check()
    return HealthAnswer()


ROUTES = (
    Route("GET", "/healthz", healthz, "The server runs", HealthAnswer),
    Route("GET", "/readyz", readyz, "The server can read and write its database", HealthAnswer),
)
