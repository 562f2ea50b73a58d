"""Faults asked for in advance: what goes wrong, for whom, and how many times."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from backend.emulator.answers import ERROR_CODES


class Fault(BaseModel):
    """The next `count` sends (of `registration`, when given) are late, refused or cut off.

    With `delay_ms` alone the message is accepted after the delay. `count` null lasts until the faults are cleared.
    A 401 makes firebase-admin fetch a new access token and try twice more: it takes three to reach the caller.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    status: Literal[400, 401, 403, 404, 429, 500, 503] | None = None
    error_code: Annotated[str, Field(pattern=r"^[A-Z_]{1,60}$")] | None = None
    count: Annotated[int, Field(ge=1)] | None = 1
    registration: str | None = None
    retry_after_s: Annotated[int, Field(ge=0)] | None = None
    delay_ms: Annotated[int, Field(ge=0, le=600_000)] = 0
    drop_connection: bool = False

    @model_validator(mode="after")
    def _does_something(self) -> Fault:
        if self.status is None and not self.delay_ms and not self.drop_connection:
            raise ValueError("a fault needs a status, a delay_ms or drop_connection")
        return self

    @property
    def code(self) -> str | None:
        """The FcmError code to answer with."""
        return self.error_code or (None if self.status is None else ERROR_CODES[self.status])


@dataclass(slots=True)
class _Armed:
    fault: Fault
    left: int | None


class FaultPlan:
    """The faults still to come, in the order they were asked for. Safe between threads."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []
        self._lock = Lock()

    def add(self, fault: Fault) -> None:
        """Arms a fault behind those already armed."""
        with self._lock:
            self._armed.append(_Armed(fault, fault.count))

    def clear(self) -> None:
        """Forgets all faults."""
        with self._lock:
            self._armed.clear()

    def take(self, registration: str) -> Fault | None:
        """The first fault that applies to a send to `registration`; it is used up by one."""
        with self._lock:
            for armed in self._armed:
                if armed.fault.registration in (None, registration):
                    if armed.left is not None:
                        armed.left -= 1
                        if not armed.left:
                            self._armed.remove(armed)
                    return armed.fault
            return None

    def pending(self) -> list[dict[str, object]]:
        """The faults still armed, each with how many sends it has left."""
        with self._lock:
            return [{**armed.fault.model_dump(), "count": armed.left} for armed in self._armed]
