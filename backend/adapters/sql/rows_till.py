"""Values of tills to rows and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter

from backend.adapters.sql.rows import Part, Row
from backend.service.member_books import Return
from backend.service.model import BasketItem, Purchase, Redemption, Sale
from backend.service.till_model import Rollback

ITEMS: TypeAdapter[tuple[BasketItem, ...]] = TypeAdapter(tuple[BasketItem, ...])


def redemption(row: Row | Part) -> Redemption:
    """A redemption."""
    return Redemption(**{name: getattr(row, name) for name in Redemption.__dataclass_fields__})


def redemption_row(redemption: Redemption) -> dict[str, Any]:
    """A redemption's columns."""
    return {name: getattr(redemption, name) for name in Redemption.__dataclass_fields__}


def rollback_row(rollback: Rollback, reason: str) -> dict[str, Any]:
    """A return's columns."""
    return {**asdict(rollback), "reason": reason, "items": ITEMS.dump_json(rollback.items).decode()}


def returned(row: Any) -> Return:
    """A return."""
    values = {**row._mapping, "items": ITEMS.validate_json(row.items)}
    reason = values.pop("reason")
    return Return(Rollback(**values), reason)


def purchase_row(purchase: Purchase) -> dict[str, Any]:
    """A purchase's columns."""
    return {
        "id": purchase.id,
        "store_id": purchase.sale.store_id,
        "member_id": purchase.member_id,
        "at": purchase.at,
        "total_minor": purchase.sale.total_minor,
        "currency": purchase.sale.currency,
        "items": ITEMS.dump_json(purchase.sale.items).decode(),
        "sale_id": purchase.sale.sale_id,
        "discount_minor": purchase.discount_minor,
    }


def purchase(row: Row) -> Purchase:
    """A purchase."""
    sale = Sale(row.store_id, ITEMS.validate_json(row.items), row.total_minor, row.currency, row.sale_id)
    return Purchase(row.id, sale, row.at, row.member_id, row.discount_minor)
