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

_c, _p = wrong_codes.c, sa.bindparam
_LOOK = Prepared(wrong_codes.select().where(_c.name.in_([_p("terminal"), _p("key")])))


def _one_more() -> sa.Executable:
    """What `Tally.one_more` says, as one statement; one code alone never locks."""
    at, before, until = (_p(name, type_=_c.since.type) for name in ("at", "before", "until"))
    served = sa.and_(_c.locked_until.is_not(None), _c.locked_until <= at)
    anew = sa.or_(served, _c.since <= before)
    codes = sa.case((anew, 1), else_=_c.codes + 1)
    changed = {
        "codes": codes,
        "since": sa.case((anew, at), else_=_c.since),
        "locked_until": sa.case((codes >= _p("most", type_=sa.Integer), until), else_=sa.null()),
    }
    # Both databases say it alike.
    first = postgresql.insert(wrong_codes).values(name=_p("who"), codes=1, since=at)
    return first.on_conflict_do_update(index_elements=["name"], set_=changed)


_ONE_MORE = Prepared(_one_more())


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
    """Count a wrong code for each name, in the order given: a terminal before its key.

    A refusal that is counted should take no longer to tell than one that is not.
    """
    times = {"at": now, "before": now - WRONG_CODES_WITHIN, "until": now + LOCKED_FOR}
    for name, limit in most.items():
        _ONE_MORE.run(connection, {**times, "who": name, "most": limit})
