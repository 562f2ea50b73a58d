"""Reading members and purchases from CSV files: parsing and checking only, storing is for the use cases.

What can be used is used; the rest is reported by row and field, never repeating a value (it may say who somebody is).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time

from backend.service.loyalty_model import TIERS, Tier
from backend.service.model import PURPOSES, BasketItem, Purpose
from backend.service.stated import PROFILE_FIELDS, stated
from stores.hours import zone
from stores.importing.menu import read_price
from stores.importing.table import Aliases, RowProblem, RowReader, read_csv

MEMBER_FIELDS: Aliases = {
    "member_id": ("member id", "member", "customer id", "id"),
    "uid": ("uid", "firebase uid"),
    "tier": ("tier", "level"),
    "tier_until": ("tier until", "tier ends"),
    **PROFILE_FIELDS,
    "time_zone": ("time zone", "tz"),
    "locale": ("locale", "language"),
    "quiet_start": ("quiet start", "quiet hours start"),
    "quiet_end": ("quiet end", "quiet hours end"),
    "weekly_maximum": ("weekly maximum", "weekly max"),
    "muted_products": ("muted products", "muted"),
    "location_offers": ("location offers", "consent location offers"),
    "personalisation": ("personalisation", "personalization", "consent personalisation"),
    "measurement": ("measurement", "consent measurement"),
    "text_version": ("text version", "consent text version"),
}

PURCHASE_FIELDS: Aliases = {
    "ticket_id": ("ticket id", "ticket", "transaction id", "receipt id"),
    "store_id": ("store id", "store number", "store"),
    "member_id": ("member id", "member", "customer id"),
    "at": ("at", "timestamp", "purchased at"),
    "product_id": ("product id", "sku", "item id"),
    "quantity": ("quantity", "qty"),
    "price": ("unit price", "price"),
    "price_minor": ("unit price minor", "price minor"),
    "currency": ("currency", "currency code"),
}

_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member as a file gives them; None where the file says nothing. `consents` and `stated` hold what it does."""

    row: int
    member_id: str
    uid: str | None = None
    tier: Tier | None = None
    tier_until: datetime | None = None
    time_zone: str | None = None
    locale: str | None = None
    quiet_hours: tuple[time, time] | None = None
    weekly_maximum: int | None = None
    muted_products: tuple[str, ...] | None = None
    consents: Mapping[Purpose, bool] = field(default_factory=dict)
    text_version: str | None = None
    stated: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PurchaseRow:
    """A purchase: one row of the file, or all rows with the same ticket and store. `row` is its first row."""

    row: int
    store_id: str
    member_id: str | None
    at: datetime
    currency: str
    lines: tuple[BasketItem, ...]
    ticket_id: str | None = None

    @property
    def total_minor(self) -> int:
        """What the lines cost together, in minor units."""
        return sum(line.quantity * line.unit_price_minor for line in self.lines)


@dataclass(frozen=True, slots=True)
class MemberImport:
    """The members that can be used, in the file's order, and what is wrong with the other rows."""

    members: tuple[MemberRow, ...]
    problems: tuple[RowProblem, ...]


@dataclass(frozen=True, slots=True)
class PurchaseImport:
    """The purchases that can be used, in the order of their first rows, and what is wrong with the other rows."""

    purchases: tuple[PurchaseRow, ...]
    problems: tuple[RowProblem, ...]


def read_members(data: bytes, mapping: Mapping[str, str] | None = None) -> MemberImport:
    """Read members; only `member_id` is needed. A consent is stated as true or false and needs a `text_version`.

    Raises `UnreadableFile` when the file as a whole cannot be used, ValueError for a wrong mapping.
    """
    table = read_csv(data, MEMBER_FIELDS, ("member_id",), mapping)
    members: list[MemberRow] = []
    problems = list(table.problems)
    first_row: dict[tuple[str, str], int] = {}
    for row, values in table.rows:
        reader = RowReader(row, values)
        member = _member(reader)
        for name in ("member_id", "uid"):
            if name in values and (first := first_row.setdefault((name, values[name]), row)) != row:
                reader.fail(name, f"is the same as in row {first}")
        problems += reader.problems
        if not reader.problems:
            members.append(member)
    return MemberImport(tuple(members), _sorted(problems))


def read_purchases(data: bytes, mapping: Mapping[str, str] | None = None) -> PurchaseImport:
    """Read purchases; rows of one store with the same ticket id are one purchase. Errors as in `read_members`.

    A purchase is imported whole or not at all: when one row of a ticket is wrong, its other rows are reported too.
    """
    required = ("store_id", "at", "product_id", "quantity", "currency")
    table = read_csv(data, PURCHASE_FIELDS, required, mapping)
    problems = list(table.problems)
    tickets: dict[tuple[str, str], list[tuple[RowReader, PurchaseRow | None]]] = {}
    for row, values in table.rows:
        reader = RowReader(row, values)
        purchase = _purchase(reader)
        # A row without a ticket is a ticket of its own: its row number is unique, and no store's id is empty.
        key = (values.get("store_id", ""), values["ticket_id"]) if "ticket_id" in values else ("", str(row))
        tickets.setdefault(key, []).append((reader, purchase))
    purchases = [joined for rows in tickets.values() if (joined := _joined(rows)) is not None]
    problems += [problem for rows in tickets.values() for reader, _ in rows for problem in reader.problems]
    return PurchaseImport(tuple(purchases), _sorted(problems))


def _member(reader: RowReader) -> MemberRow:
    values = reader.values
    consents: dict[Purpose, bool] = {}
    for purpose in PURPOSES:
        granted = reader.read(purpose, _truth)
        if granted is not None:
            consents[purpose] = granted
    if consents and "text_version" not in values:
        reader.fail("text_version", "is missing: a consent needs the version of the text that was agreed to")
    if "tier_until" in values and "tier" not in values:
        reader.fail("tier", "is missing, but tier_until is given")
    muted = values.get("muted_products")
    return MemberRow(
        row=reader.row,
        member_id=reader.text("member_id"),
        uid=values.get("uid"),
        tier=reader.read("tier", _tier),
        tier_until=reader.read("tier_until", _moment),
        time_zone=reader.read("time_zone", lambda text: zone(text).key),
        locale=values.get("locale"),
        quiet_hours=_quiet_hours(reader),
        weekly_maximum=reader.whole("weekly_maximum", 0, 100),
        muted_products=None if muted is None else tuple(part.strip() for part in muted.split(";") if part.strip()),
        consents=consents,
        text_version=values.get("text_version"),
        stated=stated(reader),
    )


def _quiet_hours(reader: RowReader) -> tuple[time, time] | None:
    start, end = reader.read("quiet_start", _time_of_day), reader.read("quiet_end", _time_of_day)
    for given, other in (("quiet_start", "quiet_end"), ("quiet_end", "quiet_start")):
        if given in reader.values and other not in reader.values:
            reader.fail(other, f"is missing, but {given} is given")
    return None if start is None or end is None else (start, end)


def _purchase(reader: RowReader) -> PurchaseRow | None:
    store_id, product_id = reader.text("store_id"), reader.text("product_id")
    at = reader.read("at", _moment) if reader.text("at") else None
    quantity = reader.whole("quantity", 1, 10_000) if reader.text("quantity") else None
    price = read_price(reader)
    if reader.problems or at is None or quantity is None or price is None:
        return None
    line, values = BasketItem(product_id, quantity, price[0]), reader.values
    return PurchaseRow(reader.row, store_id, values.get("member_id"), at, price[1], (line,), values.get("ticket_id"))


def _joined(rows: list[tuple[RowReader, PurchaseRow | None]]) -> PurchaseRow | None:
    """The rows of one ticket as one purchase; None when one of them cannot be used, which the others then report."""
    first_row = rows[0][0].row
    first = next((purchase for _, purchase in rows if purchase is not None), None)
    for reader, purchase in rows:
        for name in ("at", "member_id", "currency"):
            if purchase and first and getattr(purchase, name) != getattr(first, name):
                reader.fail(name, f"is not the same as in row {first.row} of the same ticket")
    wrong = [reader.row for reader, _ in rows if reader.problems]
    if wrong or first is None:
        for reader, _ in rows:
            if not reader.problems:
                reader.fail("ticket_id", f"belongs to a ticket with a wrong row: {wrong[0]}")
        return None
    lines = tuple(line for _, purchase in rows if purchase for line in purchase.lines)
    return PurchaseRow(first_row, first.store_id, first.member_id, first.at, first.currency, lines, first.ticket_id)


def _truth(text: str) -> bool:
    word = text.casefold()
    if word not in (*_TRUE, *_FALSE):
        raise ValueError("must be true or false")
    return word in _TRUE


def _tier(text: str) -> Tier:
    for tier in TIERS:
        if text.casefold() == tier:
            return tier
    raise ValueError(f"must be one of {', '.join(TIERS)}")


def _time_of_day(text: str) -> time:
    try:
        return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - a time of day has no zone
    except ValueError:
        raise ValueError("must be a time of day such as 22:00") from None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a time in RFC 3339, such as 2026-06-02T14:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError("has no time zone: write Z or an offset, such as 2026-06-02T14:00:00Z")
    if not 1970 <= moment.year <= 2100:
        raise ValueError("must lie between the years 1970 and 2100")
    return moment.astimezone(UTC)


def _sorted(problems: list[RowProblem]) -> tuple[RowProblem, ...]:
    return tuple(sorted(problems, key=lambda problem: problem.row))
