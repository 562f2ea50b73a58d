"""The audit log: what staff changed, written in the transaction of the change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from backend.adapters.sql.tables_staff import audit
from backend.service.staff import Actor, AuditEntry, described


def note(connection: sa.Connection, by: Actor, what: str, changes: Iterable[tuple[str, Any, Any]]) -> None:
    """Append what became of each thing of one kind: its id, and what it was before and is after (None: not there)."""
    about = {"at": by.at, "actor": by.id, "what": what}
    entries = [
        about | {"object_id": object_id, "before": described(before), "after": described(after)}
        for object_id, before, after in changes
    ]
    if entries:
        connection.execute(audit.insert(), entries)


def newest(connection: sa.Connection, before: int | None, limit: int) -> tuple[AuditEntry, ...]:
    """The log from before an entry, newest first."""
    query = audit.select().order_by(audit.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.id < sa.literal(before, sa.BigInteger))
    return tuple(
        AuditEntry(row.id, row.at, row.actor, row.what, row.object_id, row.before, row.after)
        for row in connection.execute(query)
    )
