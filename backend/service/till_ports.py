"""What the use cases ask of the books about tills: a part of the ledger port."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Protocol

from backend.service.errors import LullError
from backend.service.model import BasketItem, Purchase, Redemption, Sale
from backend.service.staff import Actor
from backend.service.till_model import Bought, Done, Once, Rollback, Ticket, Till


class Sales(Protocol):
    """Sales, and the coupons used on them."""

    def redeem(self, once: Once, ticket: Ticket, sale: Sale, till: Till, now: datetime) -> Redemption:
        """Use a coupon at a till and book the sale, or count it on the sale that was booked under this `sale_id`.

        Raises Conflict with the reason when the coupon is not good, and NotFound when there is none or the till may
        not act for its store: who has no right to know learns no more than that.
        """

    def roll_back(
        self,
        once: Once,
        redemption_id: str,
        returned: tuple[BasketItem, ...],
        reason: str,
        allowed: Callable[[str], bool],
        now: datetime,
    ) -> Rollback:
        """Undo the sale of a redemption, or the part of it that was `returned`; empty stands for all of it.

        Discounts are worked out anew for what is kept, and what they took too much goes back to the budget. All that
        counts on the sale shares its fate; coupons stay used. Raises NotFound when there is no such redemption of a
        store that is `allowed`, Conflict when it was rolled back, and Invalid when more is returned than was kept.
        """

    def buy(self, once: Once, purchase: Purchase, now: datetime) -> Bought:
        """Book a sale without a coupon. Raises Conflict when its id is booked, NotFound when the member is gone."""

    def refuse(self, once: Once, refusal: LullError, wrong: Mapping[str, int], now: datetime) -> Done:
        """Keep a refusal (404, 409 or 422) as the answer to this request and raise it.

        With it a wrong code is counted for each name in `wrong`, as `Tally.one_more` does with the number given there;
        of those at once none is lost. If the request was answered before, that answer stands and nothing is counted:
        it is returned, or raised where it is a refusal.
        """

    def forget_answers(self, before: datetime) -> int:
        """Drop answers given before then, whose keys are free again. How many."""

    def add_purchases(self, purchases: Iterable[Purchase], by: Actor) -> int:
        """Import past purchases, all or none; those there already (same id) are left out. How many were new.

        So much the audit log tells.

        Purchases of who is no member are kept without a person. They earn stars if the rules in force now say so.
        """

    def purchases(self) -> Iterable[Purchase]:
        """All purchases, for learning."""
