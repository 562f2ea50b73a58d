"""What marketers do: stores, offers, campaigns, and the switch that stops everything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from backend.decision import messages
from backend.service.budgets import Booked
from backend.service.catalogue import Catalogue
from backend.service.chain_model import Campaign, ImportCount, Offer
from backend.service.errors import Conflict, Invalid, NotFound
from backend.service.ports import Chain
from backend.service.staff import Actor
from stores.model import Store

EVERYTHING = "*"
LARGEST_MESSAGE = 2_000
"""Bytes of title and body; FCM takes 4,096 for the whole message, and the fields are still to be filled in."""
_MOVES = {
    "draft": {"draft", "active", "ended"},
    "active": {"active", "paused", "ended"},
    "paused": {"paused", "active", "ended"},
    "ended": {"ended"},
}


class Marketing:
    """The chain's own people at work; each change is seen by the next decision."""

    def __init__(self, chain: Chain, catalogue: Catalogue) -> None:
        self._chain = chain
        self._catalogue = catalogue

    def stores(self) -> tuple[Store, ...]:
        """All stores, by id."""
        return self._chain.stores()

    def store(self, store_id: str) -> Store:
        """One store. Raises NotFound."""
        store = self._catalogue.view().index.get(store_id)
        if store is None:
            raise NotFound("store_unknown", "there is no such store")
        return store

    def put_stores(self, stores: tuple[Store, ...], by: Actor) -> ImportCount:
        """Add or replace stores, all or none."""
        count = self._chain.put_stores(stores, by)
        self._catalogue.refresh()
        return count

    def change_store(self, store_id: str, change: Callable[[Store], Store], by: Actor) -> Store:
        """Replace a store by what `change` makes of it. Raises NotFound, and what `change` raises."""
        changed = self._chain.change_store(store_id, change, by)
        self._catalogue.refresh()
        return changed

    def offers(self) -> tuple[Offer, ...]:
        """All offers, by id."""
        return self._chain.offers()

    def put_offer(self, offer: Offer, by: Actor) -> bool:
        """Add or replace an offer; whether it is new. Raises Invalid for a message field or discount that cannot be."""
        for name, template in (("title", offer.title), ("body", offer.body)):
            try:
                messages.check(template)
            except ValueError as error:
                raise Invalid("message_field", f"{name}: {error}") from error
        if len((offer.title + offer.body).encode()) > LARGEST_MESSAGE:
            raise Invalid("message_size", f"body: with the title it has more than {LARGEST_MESSAGE} bytes, as UTF-8")
        if offer.discount_kind == "percent" and offer.discount_value > 100:
            raise Invalid("discount", "discount.value: a percentage lies between 1 and 100")
        is_new = self._chain.put_offer(offer, by)
        self._catalogue.refresh()
        return is_new

    def campaigns(self) -> tuple[Campaign, ...]:
        """All campaigns, by id, with what is reserved and spent."""
        return self._chain.campaigns()

    def booked(self, campaign_id: str) -> Mapping[str, Booked]:
        """What is reserved and spent of a campaign, by store and by day. Raises NotFound."""
        if all(campaign.id != campaign_id for campaign in self._chain.campaigns()):
            raise NotFound("campaign_unknown", "there is no such campaign")
        return self._chain.booked(campaign_id)

    def add_campaign(self, campaign: Campaign, by: Actor) -> Campaign:
        """Add a campaign. Raises Conflict when its id is taken, Invalid when an offer is unknown."""
        _check(campaign, self._offer_ids())
        self._chain.add_campaign(campaign, by)
        self._catalogue.refresh()
        return campaign

    def change_campaign(self, campaign_id: str, changes: Mapping[str, object], by: Actor) -> Campaign:
        """Change what is named of a campaign; one that ended never runs again."""
        known = self._offer_ids()

        def change(old: Campaign) -> Campaign:
            new = replace(old, **changes)  # type: ignore[arg-type]
            if new.status not in _MOVES[old.status]:
                raise Conflict("campaign_status", f"a campaign that is {old.status} cannot become {new.status}")
            if new.budget_minor < new.reserved_minor + new.spent_minor:
                raise Conflict("budget_too_small", "budget_minor: more than this is reserved and spent already")
            if new.budget_count is not None and new.budget_count < new.reserved_count + new.spent_count:
                raise Conflict("budget_too_small", "budget_count: more than this are reserved and spent already")
            _check(new, known)
            return new

        changed = self._chain.change_campaign(campaign_id, change, by)
        self._catalogue.refresh()
        return changed

    def _offer_ids(self) -> frozenset[str]:
        return frozenset(offer.id for offer in self._chain.offers())

    def pause(self, store_id: str | None, by: Actor) -> None:
        """Stop offers and pushes at once: those of one store, or all."""
        scope = self.store(store_id).id if store_id else EVERYTHING
        self._chain.pause(scope, by)
        self._catalogue.refresh()

    def resume(self, store_id: str | None, by: Actor) -> None:
        """Undo a pause; one of everything does not undo those of single stores."""
        self._chain.resume(self.store(store_id).id if store_id else EVERYTHING, by)
        self._catalogue.refresh()


def _check(campaign: Campaign, offer_ids: frozenset[str]) -> None:
    if not offer_ids.issuperset(campaign.offer_ids):
        raise Invalid("offer_unknown", "offer_ids: at least one of these offers does not exist: add it first")
    if campaign.starts_at and campaign.ends_at and campaign.ends_at <= campaign.starts_at:
        raise Invalid("campaign_dates", "ends_at: a campaign ends after it starts")
