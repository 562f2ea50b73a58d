"""What marketers do: stores, offers, campaigns, and the switch that stops everything."""

from __future__ import annotations

from dataclasses import replace

from backend.decision import messages
from backend.service.catalogue import Catalogue
from backend.service.errors import Conflict, Invalid, NotFound
from backend.service.model import Campaign, Offer
from backend.service.ports import Chain, Clock, ImportCount
from stores.model import Store

EVERYTHING = "*"
_MOVES = {
    "draft": {"draft", "active", "ended"},
    "active": {"active", "paused", "ended"},
    "paused": {"paused", "active", "ended"},
    "ended": {"ended"},
}


class Marketing:
    """The chain's own people at work; each change is seen by the next decision."""

    def __init__(self, chain: Chain, catalogue: Catalogue, clock: Clock) -> None:
        self._chain = chain
        self._catalogue = catalogue
        self._clock = clock

    def stores(self) -> tuple[Store, ...]:
        """All stores, by id."""
        return self._chain.stores()

    def store(self, store_id: str) -> Store:
        """One store. Raises NotFound."""
        store = self._catalogue.view().index.get(store_id)
        if store is None:
            raise NotFound("store_unknown", f"there is no store {store_id!r}")
        return store

    def put_stores(self, stores: tuple[Store, ...]) -> ImportCount:
        """Add or replace stores, all or none."""
        count = self._chain.put_stores(stores)
        self._catalogue.refresh()
        return count

    def offers(self) -> tuple[Offer, ...]:
        """All offers, by id."""
        return self._chain.offers()

    def put_offer(self, offer: Offer) -> Offer:
        """Add or replace an offer. Raises Invalid for a message field or discount that cannot be."""
        for name, template in (("title", offer.title), ("body", offer.body)):
            try:
                messages.check(template)
            except ValueError as error:
                raise Invalid("message_field", f"{name}: {error}") from error
        if offer.discount_kind == "percent" and offer.discount_value > 100:
            raise Invalid("discount", "discount.value: a percentage lies between 1 and 100")
        self._chain.put_offer(offer)
        self._catalogue.refresh()
        return offer

    def campaigns(self) -> tuple[Campaign, ...]:
        """All campaigns, by id, with what is reserved and spent."""
        return self._chain.campaigns()

    def add_campaign(self, campaign: Campaign) -> Campaign:
        """Add a campaign. Raises Conflict when its id is taken, Invalid when an offer is unknown."""
        if any(other.id == campaign.id for other in self._chain.campaigns()):
            raise Conflict("campaign_exists", f"there is a campaign {campaign.id!r} already")
        return self._put(campaign)

    def change_campaign(self, campaign_id: str, changes: dict[str, object]) -> Campaign:
        """Change a campaign; one that ended never runs again."""
        old = next((each for each in self._chain.campaigns() if each.id == campaign_id), None)
        if old is None:
            raise NotFound("campaign_unknown", f"there is no campaign {campaign_id!r}")
        new = replace(old, **changes)  # type: ignore[arg-type]
        if new.status not in _MOVES[old.status]:
            raise Conflict("campaign_status", f"a campaign that is {old.status} cannot become {new.status}")
        if new.budget_minor < new.reserved_minor + new.spent_minor:
            raise Conflict("budget_too_small", "budget_minor: more than this is reserved and spent already")
        return self._put(new)

    def _put(self, campaign: Campaign) -> Campaign:
        unknown = sorted(set(campaign.offer_ids) - {offer.id for offer in self._chain.offers()})
        if unknown:
            raise Invalid("offer_unknown", f"offer_ids: there is no offer {unknown[0]!r}")
        if campaign.starts_at and campaign.ends_at and campaign.ends_at <= campaign.starts_at:
            raise Invalid("campaign_dates", "ends_at: a campaign ends after it starts")
        self._chain.put_campaign(campaign)
        self._catalogue.refresh()
        return campaign

    def pause(self, store_id: str | None) -> None:
        """Stop offers and pushes at once: those of one store, or all."""
        scope = self.store(store_id).id if store_id else EVERYTHING
        self._chain.pause(scope, self._clock.now())
        self._catalogue.refresh()

    def resume(self, store_id: str | None) -> None:
        """Undo a pause; one of everything does not undo those of single stores."""
        self._chain.resume(self.store(store_id).id if store_id else EVERYTHING)
        self._catalogue.refresh()
