"""What the books hold of one member."""

from __future__ import annotations

from dataclasses import dataclass

from backend.service.model import Coupon, Purchase, Record, Redemption
from backend.service.till_model import Rollback


@dataclass(frozen=True, slots=True)
class Return:
    """A return, and the till's words on it, empty once they were cleared."""

    rollback: Rollback
    reason: str


@dataclass(frozen=True, slots=True)
class BooksOfMember:
    """All in the books that names one member, oldest first."""

    decisions: tuple[Record, ...] = ()
    coupons: tuple[Coupon, ...] = ()
    redemptions: tuple[Redemption, ...] = ()
    returns: tuple[Return, ...] = ()
    purchases: tuple[Purchase, ...] = ()
