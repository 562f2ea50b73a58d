"""What a campaign's decisions in memory came to."""

from __future__ import annotations

from datetime import datetime

from backend.service.model import Chance, Record
from backend.twins.world import World


class TwinChances:
    """The reports' part of the ledger port."""

    _world: World

    def chances(self, campaign_id: str, since: datetime, until: datetime) -> tuple[Chance, ...]:
        """The decisions of a time that gave something of the campaign, or would have."""
        with self._world.lock:
            return tuple(
                self._chance(record)
                for record in self._world.records.values()
                if record.decision.given is not None
                and record.decision.given.campaign_id == campaign_id
                and since <= record.decision.at < until
            )

    def _chance(self, record: Record) -> Chance:
        name = record.decision.opportunity_id
        events = frozenset(str(each.event) for each in self._world.events.get(name, ()))
        used = [each for each in self._world.redemptions.values() if each.coupon_id == name]
        spent = sum(each.discount_minor - each.taken_back_minor for each in used)
        member = record.facts.member
        return Chance(member.id, record.facts.store.id, member.tier, record.outcome, events, spent)
