"""Wrong codes of terminals, counted in the database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from backend.adapters.sql.database import Database
from backend.adapters.sql.prepared import Prepared
from backend.adapters.sql.tables_staff import wrong_codes
from backend.service.staff import LOCKED_FOR, WRONG_CODES_WITHIN, Tally

_c = wrong_codes.c
_LOOK = Prepared(wrong_codes.select().where(_c.name.in_([sa.bindparam("terminal"), sa.bindparam("key")])))


class SqlWrongCodes:
    """The part of the identity port that counts wrong codes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def wrong_codes(self, terminal: str, key: str) -> Mapping[str, Tally]:
        """What is counted of a terminal and of its key; asked at every redemption."""
        with self._database.read() as connection:
            found = _LOOK.all(connection, {"terminal": terminal, "key": key})
        return {row.name: Tally(row.codes, row.since, row.locked_until) for row in found}

    def clear_wrong_codes(self, terminal: str, key: str) -> None:
        """Forget what is counted of a terminal, and take as many from its key."""
        gone = wrong_codes.delete().where(_c.name == terminal).returning(_c.codes)
        with self._database.write() as connection:
            codes = connection.execute(gone).scalar_one_or_none() or 0
            left = sa.case((_c.codes > codes, _c.codes - codes), else_=0)
            connection.execute(wrong_codes.update().where(_c.name == key).values(codes=left))

    def forget_wrong_codes(self, before: datetime) -> int:
        """Delete what was counted since long ago and locks nobody."""
        free = sa.or_(_c.locked_until.is_(None), _c.locked_until <= before)
        with self._database.write() as connection:
            return connection.execute(wrong_codes.delete().where(_c.since < before, free)).rowcount


def count_wrong_code(connection: sa.Connection, most: Mapping[str, int], now: datetime) -> None:
    """Count a wrong code for each name, in the order given: a terminal before its key."""
    for name, limit in most.items():
        connection.execute(_one_more(name, limit, now))


def _one_more(name: str, most: int, now: datetime) -> sa.Executable:
    """What `Tally.one_more` says, as one statement."""
    until = now + LOCKED_FOR
    served = sa.and_(_c.locked_until.is_not(None), _c.locked_until <= now)
    anew = sa.or_(served, _c.since <= now - WRONG_CODES_WITHIN)
    codes = sa.case((anew, 1), else_=_c.codes + 1)
    changed = {
        "codes": codes,
        "since": sa.case((anew, sa.literal(now, _c.since.type)), else_=_c.since),
        "locked_until": sa.case((codes >= most, sa.literal(until, _c.since.type)), else_=sa.null()),
    }
    first = {"name": name, "codes": 1, "since": now, "locked_until": until if most <= 1 else None}
    # Both databases say it alike.
    return postgresql.insert(wrong_codes).values(first).on_conflict_do_update(index_elements=["name"], set_=changed)
