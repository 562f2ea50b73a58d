"""The loyalty programme as members and staff use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from backend.service.answering import answered
from backend.service.errors import Invalid, NotFound
from backend.service.loyalty import in_force, standing
from backend.service.loyalty_model import Adjustment, LoyaltyRules, Profile, RulesVersion, Standing, Tier, TierGrant
from backend.service.model import Member
from backend.service.ports import Clock, Ledger, Members
from backend.service.staff import Actor
from backend.service.till_model import Once


class Programme:
    """Stars, tiers and what members state of themselves."""

    def __init__(self, members: Members, ledger: Ledger, clock: Clock) -> None:
        self._members = members
        self._ledger = ledger
        self._clock = clock

    def standing(self, member_id: str) -> tuple[Member, Standing]:
        """The member, and where they stand now. Raises NotFound."""
        member = self._members.get(member_id)
        if member is None:
            raise NotFound("member_unknown", "there is no such member")
        now = self._clock.now()
        rules = in_force(self._members.loyalty_rules(), now).rules
        entries = self._members.stars(member_id)
        return member, standing(member.tier_steps, member.tier_at(now), entries, now, rules)

    def change_profile(self, member_id: str, changes: Mapping[str, object]) -> Profile:
        """Replace what the member states by `changes`, keep the rest. Raises NotFound, and Invalid for the unborn."""
        changed: Profile = replace(Profile(), **changes)  # type: ignore[arg-type]
        if changed.birthday is not None and changed.birthday.ahead(self._clock.now()):
            raise Invalid("birthday_ahead", "birthday lies in the future: check the year, or leave it out")
        return self._members.change_profile(member_id, lambda old: replace(old, own=True, **changes))  # type: ignore[arg-type]

    def rules(self) -> tuple[RulesVersion, RulesVersion | None]:
        """The rules in force, and those that come next."""
        now, versions = self._clock.now(), self._members.loyalty_rules()
        ahead = [version.effective_from for version in versions if version.effective_from > now]
        return in_force(versions, now), in_force(versions, min(ahead)) if ahead else None

    def publish(self, rules: LoyaltyRules, effective_from: datetime | None, by: Actor) -> RulesVersion:
        """Let these rules hold from then on, or from now. Raises Invalid when that is past.

        Rules that were published last are not published again.
        """
        versions = self._members.loyalty_rules()
        if versions and versions[-1].rules == rules and effective_from in (None, versions[-1].effective_from):
            return versions[-1]
        if effective_from is not None and effective_from < by.at:
            raise Invalid("effective_in_the_past", "effective_from is past: give a time to come, or leave it out")
        return self._members.set_loyalty_rules(rules, effective_from or by.at, by)

    def grant(
        self, member_id: str, tier: Tier, until: datetime | None, reason: str, by: Actor
    ) -> tuple[Member, Standing]:
        """Let a member have at least this tier. Raises NotFound, and Invalid when the end is past.

        The same grant again changes nothing.
        """
        if until is not None and until <= by.at:
            raise Invalid("until_in_the_past", "until is past: give a time to come, or leave it out for good")
        new = TierGrant(tier, until, by.id, reason, by.at)
        old = self.standing(member_id)[0].tier_grant
        if old is None or replace(old, at=new.at) != new:
            self._members.grant_tier(member_id, new)
        return self.standing(member_id)

    def adjust(self, once: Once, member_id: str, delta: int, reason: str, by: Actor) -> Adjustment:
        """Add stars to a member's, or take some away. Raises NotFound, and Conflict when there are not so many."""
        return answered(
            self._ledger, once, by.at, lambda: self._ledger.adjust_stars(once, member_id, delta, reason, by)
        )
