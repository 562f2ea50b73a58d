"""Takes what was read from files into the books: all of a file's good rows, or nothing."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from hashlib import blake2b

from backend.decision.facts import QuietHours
from backend.service.chain_model import ImportCount
from backend.service.importing import MemberRow, PurchaseRow
from backend.service.loyalty_model import Birthday, TierGrant
from backend.service.model import Consent, Member, Preferences, Purchase, Sale
from backend.service.own_word import IMPORTED
from backend.service.ports import Ports
from backend.service.staff import Actor
from backend.service.tills import AHEAD
from stores.importing import MenuRow, RowProblem
from stores.model import Product


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, and the rows it could not use."""

    count: ImportCount
    problems: tuple[RowProblem, ...] = ()


def import_menu(ports: Ports, rows: Sequence[MenuRow], by: Actor) -> Imported:
    """Add or replace products; rows for a store that is not there are reported."""
    known = {store.id for store in ports.chain.stores()}
    menu: dict[str, list[Product]] = defaultdict(list)
    problems: list[RowProblem] = []
    for row in rows:
        if row.store_id is not None and row.store_id not in known:
            problems.append(RowProblem(row.row, "store_id", _NO_STORE))
            continue
        menu[row.store_id or ""].append(row.product)
    return Imported(ports.chain.put_menu(menu, by), tuple(problems))


_NO_STORE = "there is no store with this id: import the stores first"


def import_members(ports: Ports, rows: Sequence[MemberRow], by: Actor) -> Imported:
    """Add members or change what the file says of them; columns it lacks stay as they are. The unborn are reported.

    What members themselves said since, and set, stands: consents, preferences, profile.
    """
    good = [row for row in rows if not _unborn(row, by.at)]
    problems = tuple(RowProblem(row.row, "birthday", _UNBORN) for row in rows if _unborn(row, by.at))
    added = 0
    members: list[tuple[Member, tuple[Consent, ...]]] = []
    for row in good:
        old = ports.members.get(row.member_id)
        added += old is None
        members.append((_member(row, old, by.at), _consents(row, by.at)))
    done = ports.members.add(members, by)
    return Imported(ImportCount(added, done - added, len(good) - done), problems)


_UNBORN = "lies in the future: check the year, or leave it out"


def _unborn(row: MemberRow, now: datetime) -> bool:
    birthday = row.stated.get("birthday")
    return isinstance(birthday, Birthday) and birthday.ahead(now)


def _member(row: MemberRow, old: Member | None, now: datetime) -> Member:
    member = old or Member(row.member_id, row.uid or row.member_id, "green")
    return replace(
        member,
        uid=row.uid or member.uid,
        tier_grant=_grant(row, member.tier_grant, now),
        time_zone=row.time_zone or member.time_zone,
        locale=row.locale or member.locale,
        preferences=_preferences(row, member.preferences),
        profile=replace(member.profile, **row.stated),  # type: ignore[arg-type]  # read as the profile has them
    )


def _grant(row: MemberRow, old: TierGrant | None, now: datetime) -> TierGrant | None:
    """The tier that the file states; one that was granted alike already stays as it is."""
    if row.tier is None:
        return old
    new = TierGrant(row.tier, row.tier_until, IMPORTED, IMPORTED, now)
    same = old is not None and replace(new, at=old.at) == old
    return old if same else new


def _preferences(row: MemberRow, old: Preferences) -> Preferences:
    return Preferences(
        quiet_hours=QuietHours(*row.quiet_hours) if row.quiet_hours else old.quiet_hours,
        weekly_maximum=old.weekly_maximum if row.weekly_maximum is None else row.weekly_maximum,
        muted_products=old.muted_products if row.muted_products is None else row.muted_products,
    )


def _consents(row: MemberRow, now: datetime) -> tuple[Consent, ...]:
    version = row.text_version or ""
    return tuple(Consent(purpose, granted, version, IMPORTED, now) for purpose, granted in sorted(row.consents.items()))


def import_purchases(ports: Ports, rows: Sequence[PurchaseRow], by: Actor) -> Imported:
    """Add past purchases; one that is there already (same store, ticket or contents) changes nothing."""
    known = {store.id for store in ports.chain.stores()}
    good = [row for row in rows if row.store_id in known and row.at <= by.at + AHEAD]
    problems = [RowProblem(row.row, "store_id", _NO_STORE) for row in rows if row.store_id not in known]
    problems += [RowProblem(row.row, "at", _AHEAD) for row in rows if row.at > by.at + AHEAD]
    added = ports.ledger.add_purchases(purchases(good), by)
    return Imported(ImportCount(added, 0, len(good) - added), tuple(problems))


_AHEAD = "lies in the future: check the time and its offset"


def purchases(rows: Iterable[PurchaseRow]) -> Iterable[Purchase]:
    """Purchases with ids that the same file gives again; rows alike to the letter count as so many purchases."""
    seen: Counter[str] = Counter()
    for row in rows:
        lines = [astuple(line) for line in row.lines]
        content = json.dumps([row.store_id, row.ticket_id, row.member_id, row.at.isoformat(), row.currency, lines])
        seen[content] += 1
        name = blake2b(f"{seen[content]} {content}".encode(), digest_size=16).hexdigest()
        yield Purchase("i_" + name, Sale(row.store_id, row.lines, row.total_minor, row.currency), row.at, row.member_id)
