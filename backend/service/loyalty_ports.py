"""What the use cases ask of the world about the loyalty programme: a part of the members port."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from backend.service.loyalty_model import Adjustment, LoyaltyRules, Profile, RulesVersion, StarEntry, TierGrant
from backend.service.staff import Actor
from backend.service.till_model import Once


class Stars(Protocol):
    """The part of the ledger about stars."""

    def adjust_stars(self, once: Once, member_id: str, delta: int, reason: str, by: Actor) -> Adjustment:
        """Book stars to a member, or with a minus take some away; they count from now on.

        Raises NotFound, and Conflict when more would be taken away than count. The audit log tells how many these
        were, but not whose.
        """


class Loyalty(Protocol):
    """Stars, tiers, their rules, and what members state of themselves.

    Purchases earn stars where the ledger books them, and give them back where it rolls them back, in its transaction;
    the member's tier goes with it.
    """

    def change_profile(self, member_id: str, change: Callable[[Profile], Profile]) -> Profile:
        """Replace what the member states by what `change` makes of it, atomically. Raises NotFound."""

    def grant_tier(self, member_id: str, grant: TierGrant) -> None:
        """Let the member have at least this tier, in the place of any grant before. Raises NotFound.

        The audit log tells what staff granted, but not to whom: it outlives members.
        """

    def stars(self, member_id: str) -> tuple[StarEntry, ...]:
        """All of the member's entries, in the order they were written."""

    def settle_tiers(self, now: datetime) -> int:
        """Write down the tiers that changed by the passing of time or by new rules. How many were looked at.

        May run at any time, and twice at once: what a member has at a moment is told by `Member.tier_at`.
        """

    def loyalty_rules(self) -> tuple[RulesVersion, ...]:
        """The rules as published, oldest first; nothing when none were."""

    def set_loyalty_rules(self, rules: LoyaltyRules, effective_from: datetime, by: Actor) -> RulesVersion:
        """Publish rules that hold from then on; every tier is settled anew by them, soon after."""
