"""Members in the database."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from datetime import datetime

import sqlalchemy as sa

from backend.adapters.sql import audit, rows
from backend.adapters.sql import rows_loyalty as loyalty
from backend.adapters.sql import tables as t
from backend.adapters.sql.database import Database
from backend.adapters.sql.loyalty import SqlLoyalty, hold, must_exist, settle
from backend.adapters.sql.prepared import Prepared
from backend.service.errors import Conflict
from backend.service.loyalty_model import TIERS
from backend.service.model import PURPOSES, Consent, Device, Member, Preferences
from backend.service.own_word import is_news, settings_kept
from backend.service.staff import Actor

_BY_ID = Prepared(rows.MEMBER.where(t.members.c.id == sa.bindparam("key"), t.members.c.leaving_since.is_(None)))
_BY_UID = Prepared(rows.MEMBER.where(t.members.c.uid == sa.bindparam("key")))


class SqlMembers(SqlLoyalty):
    """The members port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def sign_in(self, uid: str, now: datetime) -> Member:
        """The member with this identity, made when there is none."""
        with self._database.read() as connection:
            row = _BY_UID.first(connection, {"key": uid})
        if row is not None:
            return rows.member(row)
        new = Member(id="m_" + secrets.token_hex(12), uid=uid, tier="green")
        with self._database.write() as connection:
            insert = self._database.insert(t.members).values(rows.member_row(new))
            connection.execute(insert.on_conflict_do_nothing(index_elements=["uid"]))
            return rows.member(_BY_UID.first(connection, {"key": uid}))

    def get(self, member_id: str) -> Member | None:
        """The member, or None."""
        with self._database.read() as connection:
            row = _BY_ID.first(connection, {"key": member_id})
        return rows.member(row) if row else None

    def end_sessions(self, member_id: str) -> None:
        """Sign the member out everywhere."""
        update = t.members.update().where(t.members.c.id == member_id).values(sessions=t.members.c.sessions + 1)
        with self._database.write() as connection:
            must_exist(connection, member_id)
            connection.execute(update)

    def set_device(self, member_id: str, device: Device) -> None:
        """Register the phone; a registration is taken from whoever had it."""
        values = {
            "kind": device.registration.kind,
            "registration": device.registration.value,
            "platform": device.platform,
            "locale": device.locale,
            "time_zone": device.time_zone,
        }
        with self._database.write() as connection:
            must_exist(connection, member_id)
            # The member's row is locked, so it is the registration that others may claim at the same moment.
            connection.execute(t.devices.delete().where(t.devices.c.member_id == member_id))
            whole = {"member_id": member_id, **values}
            insert = self._database.insert(t.devices).values(whole)
            connection.execute(insert.on_conflict_do_update(index_elements=["registration"], set_=whole))

    def drop_device(self, registration: str) -> None:
        """Forget a registration."""
        with self._database.write() as connection:
            connection.execute(t.devices.delete().where(t.devices.c.registration == registration))

    def record_consent(self, member_id: str, consent: Consent) -> None:
        """Append to the log and let it hold, in one transaction."""
        with self._database.write() as connection:
            must_exist(connection, member_id)
            _append(connection, member_id, consent)

    def consents(self, member_id: str) -> tuple[Consent, ...]:
        """The log, oldest first."""
        query = t.consents.select().where(t.consents.c.member_id == member_id).order_by(t.consents.c.id)
        with self._database.read() as connection:
            return tuple(rows.consent(row) for row in connection.execute(query))

    def change_preferences(self, member_id: str, change: Callable[[Preferences], Preferences]) -> Preferences:
        """Replace preferences by what `change` makes of them."""
        mine = t.members.c.id == member_id
        with self._database.write() as connection:
            must_exist(connection, member_id)
            old = connection.execute(sa.select(t.members.c.preferences).where(mine)).scalar_one()
            changed = change(rows.PREFERENCES.validate_json(old))
            body = rows.PREFERENCES.dump_json(changed).decode()
            connection.execute(t.members.update().where(mine).values(preferences=body))
            return changed

    def add(self, members: Iterable[tuple[Member, tuple[Consent, ...]]], by: Actor) -> int:
        """Import members and their consents in one transaction."""
        changed = 0
        with self._database.write_many() as connection:
            for member, consents in members:
                changed += self._add_one(connection, member, consents)
            if changed:
                audit.note(connection, by, "members", [("import", None, {"changed": changed})])
        return changed

    def _add_one(self, connection: sa.Connection, member: Member, consents: tuple[Consent, ...]) -> bool:
        hold(connection, member.id)  # or an erasure might begin between reading and writing
        row = _BY_ID.first(connection, {"key": member.id})
        owner = _BY_UID.first(connection, {"key": member.uid})
        if owner is not None and owner.id != member.id:
            raise Conflict("uid_taken", "the uid of a member in the file belongs to another member already")
        if row is None:
            new = replace(member, tier=TIERS[0], tier_steps=())
            insert = self._database.insert(t.members).values(rows.member_row(new))
            if connection.execute(insert.on_conflict_do_nothing(index_elements=["id"])).rowcount != 1:
                raise Conflict("member_leaving", "a member in the file is being erased: import again in a minute")
            if member.tier_grant is not None:
                settle(connection, member.id, member.tier_grant.at)
            for consent in consents:
                _append(connection, member.id, consent)
            return True
        member = settings_kept(member, rows.member(row))
        values = {
            "uid": member.uid,
            "tier_grant": loyalty.grant_text(member.tier_grant),
            "time_zone": member.time_zone,
            "locale": member.locale,
            "preferences": rows.PREFERENCES.dump_json(member.preferences).decode(),
            "profile": loyalty.profile_text(member.profile),
        }
        same = all(getattr(row, name) == value for name, value in values.items())
        if not same:
            connection.execute(t.members.update().where(t.members.c.id == member.id).values(values))
        if member.tier_grant is not None and row.tier_grant != values["tier_grant"]:
            settle(connection, member.id, member.tier_grant.at)
        fresh = [consent for consent in consents if _append_news(connection, member.id, consent)]
        return not same or bool(fresh)

    def leave(self, member_id: str, now: datetime) -> bool:
        """Note that the member is going; the identity is free at once."""
        mine = (t.members.c.id == member_id, t.members.c.leaving_since.is_(None))
        gone = {"uid": f"leaving {secrets.token_hex(16)}", "leaving_since": now}
        gone |= dict.fromkeys(("preferences", "tastes", "profile"), "{}") | dict.fromkeys(PURPOSES, False)
        gone |= {"tier_grant": None, "tier_due_at": None}
        with self._database.write() as connection:
            return connection.execute(t.members.update().where(*mine).values(gone)).rowcount == 1

    def leaving(self) -> tuple[str, ...]:
        """Who is going and not yet gone."""
        query = sa.select(t.members.c.id).where(t.members.c.leaving_since.is_not(None))
        with self._database.read() as connection:
            return tuple(connection.execute(query.order_by(t.members.c.leaving_since)).scalars())

    def set_tastes(self, tastes: Mapping[str, Mapping[str, float]], by: Actor) -> int:
        """Set tastes by member id, of those who agreed to personalisation."""
        mine = (t.members.c.id == sa.bindparam("key"), t.members.c.personalisation)
        update = t.members.update().where(*mine).values(tastes=sa.bindparam("body"))
        values = [{"key": key, "body": rows.TASTES.dump_json(dict(body)).decode()} for key, body in tastes.items()]
        if not values:
            return 0
        with self._database.write_many() as connection:
            known = int(connection.execute(update, values).rowcount)
            audit.note(connection, by, "tastes", [("learn", None, {"members": known})])
        return known


def _append(connection: sa.Connection, member_id: str, consent: Consent) -> None:
    connection.execute(t.consents.insert().values(member_id=member_id, **asdict(consent)))
    values: dict[str, object] = {consent.purpose: consent.granted}
    if consent.purpose == "personalisation" and not consent.granted:
        values["tastes"] = "{}"
    connection.execute(t.members.update().where(t.members.c.id == member_id).values(values))


def _append_news(connection: sa.Connection, member_id: str, consent: Consent) -> bool:
    """Append unless the log says so already, or has the member's own word against it."""
    mine = (t.consents.c.member_id == member_id, t.consents.c.purpose == consent.purpose)
    said = connection.execute(t.consents.select().where(*mine).order_by(t.consents.c.at, t.consents.c.id))
    if not is_news([rows.consent(row) for row in said], consent):
        return False
    _append(connection, member_id, consent)
    return True
