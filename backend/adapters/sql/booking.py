"""What follows from a purchase, in the transaction that books it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from backend.service.model import Purchase


def purchase_changed(connection: sa.Connection, before: Purchase | None, after: Purchase | None, now: datetime) -> None:
    """A purchase was booked (`before` is None), reduced, or removed (`after` is None).

    Called before stores and campaigns are locked, so what this locks of the member comes first.
    """
