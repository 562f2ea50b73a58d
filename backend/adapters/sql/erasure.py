"""Taking a member out of the books: what is theirs goes, accounting stays without a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

import sqlalchemy as sa

from backend.adapters.sql import rows
from backend.adapters.sql import tables as t
from backend.adapters.sql import tables_life as tl
from backend.adapters.sql import tables_till as tt
from backend.adapters.sql.database import Database
from backend.adapters.sql.holdings import coupons_of
from backend.adapters.sql.issue import close
from backend.service.life import CouponEvent
from backend.service.model import LIVE_STATES, CouponState

_k, _q, _e = t.coupons.c, t.outbox.c, t.erasures.c


class SqlErasure:
    """The erasure's part of the ledger port."""

    _database: Database

    def sending(self, member_id: str, real_now: float) -> bool:
        """Whether a push to the member may be under way."""
        mine = sa.select(_q.coupon_id).join(t.coupons, _k.id == _q.coupon_id).where(_k.member_id == member_id)
        query = mine.where(_q.status == "pending", _q.leased_until > real_now).limit(1)
        with self._database.read() as connection:
            return connection.execute(query).first() is not None

    def erase(self, member_id: str, now: datetime) -> None:
        """Take out a member who is leaving."""
        with self._database.write() as connection:
            if _is_leaving(connection, member_id):
                _end_coupons(connection, member_id, now)
                proof = self._database.insert(t.erasures).values(id=proof_of(member_id), at=now, wiped=False)
                connection.execute(proof.on_conflict_do_nothing())
                connection.execute(t.members.delete().where(t.members.c.id == member_id))

    def wipe(self) -> bool:
        """Take what erasures left in SQLite's log out of it; only those that were done before count as wiped then."""
        with self._database.read() as connection:
            left = connection.execute(sa.select(_e.id).where(_e.wiped.is_(sa.false()))).scalars().all()
        if left:
            if not self._database.wipe():
                return False
            with self._database.write() as connection:
                connection.execute(t.erasures.update().where(_e.id.in_(left)).values(wiped=True))
        return True


def proof_of(member_id: str) -> str:
    """What is kept of an erasure: a digest of the member's random id, which tells who knows the id, and nobody else."""
    return sha256(f"erased {member_id}".encode()).hexdigest()


def _is_leaving(connection: sa.Connection, member_id: str) -> bool:
    mine = (t.members.c.id == member_id, t.members.c.leaving_since.is_not(None))
    return connection.execute(sa.select(t.members.c.id).where(*mine).with_for_update()).first() is not None


def _end_coupons(connection: sa.Connection, member_id: str, now: datetime) -> None:
    """Revoke the live ones and part all from the member; their pushes go, and the words of staff.

    The rows that the database would part itself are taken here in the order in which tills take them, after the member
    and sales before coupons, so that nobody waits in a ring.
    """
    theirs = [row.id for row in connection.execute(coupons_of(member_id))]
    bought = tt.purchases.c.member_id == member_id
    connection.execute(tt.purchases.update().where(bought).values(member_id=None))
    mine = _k.member_id == member_id
    locked = t.coupons.select().where(mine).order_by(_k.id).with_for_update()
    coupons = [rows.coupon(row) for row in connection.execute(locked)]
    event = CouponEvent(CouponState.REVOKED, now, "erasure")
    close(connection, [(coupon, event) for coupon in coupons if coupon.state in LIVE_STATES])
    connection.execute(t.outbox.delete().where(_q.coupon_id.in_(sa.select(_k.id).where(mine))))
    connection.execute(t.coupons.update().where(mine).values(member_id=None))
    _clear_words(connection, theirs)


def _clear_words(connection: sa.Connection, coupon_ids: Sequence[str]) -> None:
    """Clear why staff revoked the coupons or rolled their sales back: it may name the member."""
    events, redemptions = tl.coupon_events, tt.redemptions.c
    revoked = (events.c.coupon_id.in_(coupon_ids), events.c.reason.is_not(None))
    connection.execute(events.update().where(*revoked).values(reason=None))
    used = sa.select(redemptions.id).where(redemptions.coupon_id.in_(coupon_ids))
    connection.execute(tt.rollbacks.update().where(tt.rollbacks.c.redemption_id.in_(used)).values(reason=""))
