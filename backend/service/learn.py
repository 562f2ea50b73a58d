"""Fits baselines and tastes from all purchases and puts them to use."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from backend.learning.fit import Sold, fit
from backend.service.ports import Ports
from backend.service.staff import Actor


@dataclass(frozen=True, slots=True)
class Learnt:
    """Of how many stores the usual arrivals are known now, and of how many members the tastes."""

    stores: int
    members: int


def learn(ports: Ports, by: Actor) -> Learnt:
    """Fit and store; stores without a known zone count their hours in UTC.

    Tastes are kept of members who agree to personalisation now; of those who agree later by the next time.
    """
    zones = {store.id: ZoneInfo(store.time_zone or "UTC") for store in ports.chain.stores()}
    sold = (
        Sold(
            purchase.sale.store_id,
            purchase.at,
            purchase.member_id,
            tuple((item.product_id, item.quantity) for item in purchase.sale.items),
        )
        for purchase in ports.ledger.purchases()
    )
    fitted = fit(sold, lambda store_id: zones.get(store_id, ZoneInfo("UTC")))
    ports.chain.set_baselines(fitted.baselines, by)
    return Learnt(len(fitted.baselines), ports.members.set_tastes(fitted.tastes, by))
