"""Menus from a CSV table: which store sells what, and for how much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from stores.importing.table import Aliases, RowProblem, RowReader, read_csv
from stores.model import Product
from stores.money import exponent

MENU_FIELDS: Aliases = {
    "store_id": ("store id", "store number", "store"),
    "product_id": ("product id", "sku", "item id"),
    "name": ("product name", "name", "product", "item"),
    "price": ("price", "unit price"),
    "price_minor": ("price minor", "unit price minor"),
    "currency": ("currency", "currency code"),
}

_MAX_PRICE_MINOR = 1_000_000_000


@dataclass(frozen=True, slots=True)
class MenuRow:
    """A product as sold in one store, or in all stores when `store_id` is None. `row` is its row in the file."""

    row: int
    store_id: str | None
    product: Product


@dataclass(frozen=True, slots=True)
class MenuImport:
    """The rows that can be used, in the file's order, and what is wrong with the others."""

    items: tuple[MenuRow, ...]
    problems: tuple[RowProblem, ...]


def currency_code(currency: str) -> str:
    """The currency itself. Raises ValueError when it is not three capital letters (ISO 4217)."""
    if len(currency) != 3 or not (currency.isascii() and currency.isalpha() and currency.isupper()):
        raise ValueError("must be a currency code of three capital letters (ISO 4217), such as EUR")
    return currency


def to_minor(price: str, currency: str) -> int:
    """A price such as `3.40` in the currency's minor unit, exactly. Raises ValueError when it does not fit."""
    decimals = exponent(currency_code(currency))
    try:
        scaled = Decimal(price).scaleb(decimals)
    except (ArithmeticError, ValueError):
        hint = ": use a point, not a comma, before the decimals" if "," in price else ""
        raise ValueError(f"is not a number{hint}") from None
    if not (scaled.is_finite() and 0 <= scaled <= _MAX_PRICE_MINOR):
        raise ValueError("must not be negative or absurdly large")
    if scaled != scaled.to_integral_value():
        raise ValueError(f"has more than the {decimals} decimals of {currency}")
    return int(scaled)


def read_menu(data: bytes, mapping: Mapping[str, str] | None = None) -> MenuImport:
    """Read a menu: store_id (empty for all stores), product_id, name, price or price_minor, currency.

    Errors as in `read_stores`.
    """
    table = read_csv(data, MENU_FIELDS, ("product_id", "name", "currency"), mapping)
    items: list[MenuRow] = []
    problems = list(table.problems)
    first_row: dict[tuple[str | None, str], int] = {}
    for row, values in table.rows:
        reader = RowReader(row, values)
        item = _menu_row(reader)
        if item is not None:
            first = first_row.setdefault((item.store_id, item.product.id), row)
            if first != row:
                reader.fail("product_id", f"is given for the same store as in row {first}")
        problems += reader.problems
        if item is not None and not reader.problems:
            items.append(item)
    return MenuImport(tuple(items), tuple(sorted(problems, key=lambda problem: problem.row)))


def read_price(reader: RowReader) -> tuple[int, str] | None:
    """The minor units and currency of a row from its price (or price_minor) and currency; None when reported."""
    currency = reader.text("currency")
    if currency and reader.read("currency", currency_code) is None:
        return None
    if "price_minor" in reader.values:
        minor = reader.whole("price_minor", 0, _MAX_PRICE_MINOR)
    elif reader.text("price") and currency:
        minor = reader.read("price", lambda text: to_minor(text, currency))
    else:
        return None
    return None if minor is None or not currency else (minor, currency)


def _menu_row(reader: RowReader) -> MenuRow | None:
    product_id, name = reader.text("product_id"), reader.text("name")
    price = read_price(reader)
    if reader.problems or price is None:
        return None
    return MenuRow(reader.row, reader.values.get("store_id"), Product(product_id, name, *price))
