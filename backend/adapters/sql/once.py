"""Requests with an Idempotency-Key: done once, and answered alike for 24 hours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeVar

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects import postgresql

from backend.adapters.sql import tables as t
from backend.adapters.sql.database import Database
from backend.adapters.sql.prepared import Prepared
from backend.adapters.sql.tables_till import idempotency
from backend.adapters.sql.wrong_codes import count_wrong_code
from backend.service.errors import InFlight, LullError
from backend.service.loyalty_model import Adjustment
from backend.service.model import Redemption
from backend.service.till_model import ANSWERS_KEPT, Bought, Done, Once, Refusal, Rollback, key_reused

T = TypeVar("T", bound=Done)

_KINDS: dict[str, TypeAdapter[Any]] = {
    "redemption": TypeAdapter(Redemption),
    "rollback": TypeAdapter(Rollback),
    "purchase": TypeAdapter(Bought),
    "stars": TypeAdapter(Adjustment),
    "refusal": TypeAdapter(Refusal),
}
_NAMES: dict[type, str] = {
    Redemption: "redemption",
    Rollback: "rollback",
    Bought: "purchase",
    Adjustment: "stars",
    Refusal: "refusal",
}
_p, _i = sa.bindparam, idempotency.c
_LOCK = Prepared(sa.select(sa.func.pg_try_advisory_xact_lock(_p("number", type_=sa.BigInteger)).label("ours")))
_FIND = Prepared(
    sa.select(_i.digest, _i.kind, _i.answer).where(
        _i.credential == _p("credential"), _i.key == _p("key"), _i.done_at > _p("since", type_=t.Instant)
    )
)
_insert = postgresql.insert(idempotency)
# Only a row that is too old can be in the way.
_KEEP = Prepared(
    _insert.on_conflict_do_update(
        index_elements=["credential", "key"],
        set_={name: _insert.excluded[name] for name in ("digest", "kind", "answer", "done_at")},
    )
)


class SqlOnce:
    """What the ledger does once."""

    _database: Database

    def _once(self, once: Once, now: datetime, do: Callable[[sa.Connection], T]) -> T:
        """Do it and keep the answer, in one transaction; or answer as before. A `do` that raises leaves no trace."""
        with self._database.write() as connection:
            known = _known(connection, once, now)
            if known is None:
                made = do(connection)
                _keep(connection, once, now, made)
                return made
        if isinstance(known, Refusal):
            raise known.error()
        again: T = known  # type: ignore[assignment]  # the digest tells the route, and so the kind
        return again

    def refuse(self, once: Once, refusal: LullError, wrong: Mapping[str, int], now: datetime) -> Done:
        """Keep a refusal as the answer and count a wrong code, unless there is an answer."""
        with self._database.write() as connection:
            known = _known(connection, once, now)
            if known is None:
                known = Refusal.of(refusal)
                _keep(connection, once, now, known)
                count_wrong_code(connection, wrong, now)
        if isinstance(known, Refusal):
            raise known.error()
        return known

    def forget_answers(self, before: datetime) -> int:
        """Drop old answers."""
        with self._database.write() as connection:
            return int(connection.execute(idempotency.delete().where(_i.done_at < before)).rowcount)


def _known(connection: sa.Connection, once: Once, now: datetime) -> Done | Refusal | None:
    """What was answered under this key, if anything; otherwise it is ours until the transaction ends.

    On SQLite nobody else writes meanwhile.
    """
    if connection.dialect.name == "postgresql" and not _LOCK.first(connection, {"number": _number(once)}).ours:
        raise InFlight("request_in_flight", "this request is being worked on: ask again in a second")
    values = {"credential": once.credential, "key": once.key, "since": now - ANSWERS_KEPT}
    row = _FIND.first(connection, values)
    if row is None:
        return None
    if row.digest != once.digest:
        raise key_reused()
    found: Done | Refusal = _KINDS[row.kind].validate_json(row.answer)
    return found


def _keep(connection: sa.Connection, once: Once, now: datetime, answer: Done | Refusal) -> None:
    kind = _NAMES[type(answer)]
    mine = {"credential": once.credential, "key": once.key, "digest": once.digest}
    _KEEP.run(connection, {**mine, "kind": kind, "answer": _KINDS[kind].dump_json(answer).decode(), "done_at": now})


def _number(once: Once) -> int:
    """The key as a number of 64 bits, for an advisory lock."""
    text = f"lull once\x1f{once.credential}\x1f{once.key}"
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big", signed=True)
