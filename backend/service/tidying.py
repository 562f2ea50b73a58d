"""Takes out what is older than it is kept."""

from __future__ import annotations

from datetime import datetime

from backend.service.ports import Ledger
from backend.service.retention import Retention

BATCH = 1_000
"""Rows of each kind in one short transaction."""
DEFAULT = Retention()


def tidy(ledger: Ledger, now: datetime, kept: Retention = DEFAULT) -> int:
    """Take out all that is older than it is kept, batch by batch; how many rows these were. Raises Unavailable."""
    total = 0
    while done := ledger.tidy(kept, now, BATCH):
        total += done
    return total
