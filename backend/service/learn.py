"""Fits baselines and tastes from all purchases and puts them to use."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from backend.learning.fit import Fitted, Sold, fit
from backend.service.ports import Ports


def learn(ports: Ports) -> Fitted:
    """Fit and store; stores without a known zone count their hours in UTC. Tastes are used only with consent."""
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
    ports.chain.set_baselines(fitted.baselines)
    ports.members.set_tastes(fitted.tastes)
    return fitted
