"""All that is known of one member, for them to read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from backend.service.life import CouponEvent
from backend.service.loyalty_model import StarEntry
from backend.service.member_books import Return
from backend.service.model import Consent, Coupon, DeviceKey, Member, Purchase, Record, Redemption
from backend.service.ports import Clock, Ports
from stores.presence import PresenceState, Step


@dataclass(frozen=True, slots=True)
class Everything:
    """What is known of a member; `timelines` and `redemptions` by coupon, `returns` by redemption.

    Presence stands in memory only.
    """

    exported_at: datetime
    member: Member
    consents: tuple[Consent, ...]
    device_keys: tuple[DeviceKey, ...]
    presence: PresenceState | None
    decisions: tuple[Record, ...]
    coupons: tuple[Coupon, ...]
    timelines: Mapping[str, tuple[CouponEvent, ...]]
    redemptions: Mapping[str, Redemption]
    returns: Mapping[str, tuple[Return, ...]]
    purchases: tuple[Purchase, ...]
    stars: tuple[StarEntry, ...]


class Holdings:
    """Gathers what is known of members."""

    def __init__(self, ports: Ports, clock: Clock) -> None:
        self._ports = ports
        self._clock = clock

    def everything(self, member: Member) -> Everything:
        """All that is known of the member."""
        books = self._ports.ledger.of_member(member.id)
        return Everything(
            exported_at=self._clock.now(),
            member=member,
            consents=self._ports.members.consents(member.id),
            device_keys=self._ports.identity.device_keys(member.id),
            presence=self._presence(member.id),
            decisions=books.decisions,
            coupons=books.coupons,
            timelines={coupon.id: self._ports.ledger.timeline(coupon.id) for coupon in books.coupons},
            redemptions={each.coupon_id: each for each in books.redemptions},
            returns=_by_redemption(books.returns),
            purchases=books.purchases,
            stars=self._ports.members.stars(member.id),
        )

    def _presence(self, member_id: str) -> PresenceState | None:
        # A step that leaves everything as it is tells how it is.
        return self._ports.presence.apply(member_id, self._clock.real(), lambda state: Step(state)).state


def _by_redemption(returns: Iterable[Return]) -> Mapping[str, tuple[Return, ...]]:
    found: dict[str, list[Return]] = defaultdict(list)
    for each in returns:
        found[each.rollback.redemption_id].append(each)
    return {name: tuple(of_it) for name, of_it in found.items()}
