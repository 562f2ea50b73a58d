"""Requests with an Idempotency-Key: a refusal is an answer too, and is kept as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

from backend.service.errors import LullError
from backend.service.ports import Ledger
from backend.service.till_model import KEPT_REFUSALS, Done, Once

T = TypeVar("T", bound=Done)
Wrong = Callable[[LullError], Mapping[str, int]]
"""For whom a refusal counts as a wrong code, and how many of them lock."""


def nobody(_: LullError) -> Mapping[str, int]:
    """No wrong code."""
    return {}


def answered(ledger: Ledger, once: Once, now: datetime, do: Callable[[], T], wrong: Wrong = nobody) -> T:
    """What came of `do`, which the ledger does once; a refusal becomes the answer to this request.

    Unless it was answered before, or is meanwhile: then that is the answer. Raises what `do` refuses, or was refused.
    """
    try:
        return do()
    except KEPT_REFUSALS as refusal:
        answer: T = ledger.refuse(once, refusal, wrong(refusal), now)  # type: ignore[assignment]  # see the digest
    return answer
