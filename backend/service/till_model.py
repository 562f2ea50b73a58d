"""What happens at a till, beside the values in `model`: what was answered to whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from backend.service.errors import Conflict, Invalid, LullError, NotFound
from backend.service.model import Redemption

ANSWERS_KEPT = timedelta(hours=24)
"""So long the same request with the same Idempotency-Key gets the same answer; then the key is free again."""


@dataclass(frozen=True, slots=True)
class Bought:
    """A purchase in the books."""

    id: str


Done = Redemption | Bought
"""What can be done once."""

KEPT_REFUSALS: tuple[type[LullError], ...] = (NotFound, Conflict, Invalid)
"""Refusals that are an answer, and stay it; others may pass (503) or say that the request was none (400)."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal as it is kept."""

    status: int
    reason: str
    detail: str

    @staticmethod
    def of(error: LullError) -> Refusal:
        """From what a use case raised."""
        return Refusal(error.status, error.reason, error.detail)

    def error(self) -> LullError:
        """What to raise again."""
        kinds = {kind.status: kind for kind in KEPT_REFUSALS}
        return kinds[self.status](self.reason, self.detail)


def key_reused() -> Invalid:
    """What to raise for an Idempotency-Key that came with another request before."""
    detail = "this Idempotency-Key came with another request before: use a new key for each request"
    return Invalid("idempotency_key_reused", detail)
