"""The routes of marketers and analysts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from backend.api.routing import Call, Reply, Route, Who
from backend.api.schemas.base import Listing, Page
from backend.api.schemas.marketing import (
    CampaignAnswer,
    CampaignBody,
    CampaignChangesBody,
    OfferAnswer,
    OfferBody,
    PausedAnswer,
    RecordAnswer,
    ScopeBody,
)
from backend.api.schemas.stores import StoreAnswer, StoreBody, StoreChangesBody
from backend.service.chain_model import Campaign, Offer
from backend.service.errors import NotFound
from backend.service.marketing import EVERYTHING
from stores.model import Store

MARKETER: frozenset[Who] = frozenset({"marketer"})
READER: frozenset[Who] = frozenset({"marketer", "analyst"})

Named = TypeVar("Named", Store, Offer, Campaign)
Shown = TypeVar("Shown")


def _page(everything: Sequence[Named], page: Page, show: Callable[[Named], Shown]) -> Listing[Shown]:
    """The part of a list, sorted by id, that comes after the cursor."""
    rest = [each for each in everything if each.id > page.cursor]
    rest.sort(key=lambda each: each.id)
    found = rest[: page.limit]
    return Listing(tuple(map(show, found)), found[-1].id if len(rest) > len(found) else None)


def get_stores(call: Call) -> Listing[StoreAnswer]:
    """All stores, by id."""
    return _page(call.services.marketing.stores(), call.query, StoreAnswer.of)


def get_store(call: Call) -> StoreAnswer:
    """One store."""
    return StoreAnswer.of(call.services.marketing.store(call.path["store_id"]))


def post_store(call: Call) -> Reply:
    """Add or replace a store."""
    body: StoreBody = call.body
    call.of_store(body.id)
    store = body.to_store()
    count = call.services.marketing.put_stores((store,), call.by)
    return Reply(StoreAnswer.of(store), 201 if count.added else 200)


def patch_store(call: Call) -> StoreAnswer:
    """Change a store."""
    body: StoreChangesBody = call.body
    call.of_store(call.path["store_id"])
    return StoreAnswer.of(call.services.marketing.change_store(call.path["store_id"], body.apply, call.by))


def get_offers(call: Call) -> Listing[OfferAnswer]:
    """All offers, by id."""
    return _page(call.services.marketing.offers(), call.query, OfferAnswer.of)


def get_offer(call: Call) -> OfferAnswer:
    """One offer."""
    wanted = call.path["offer_id"]
    offer = next((each for each in call.services.marketing.offers() if each.id == wanted), None)
    if offer is None:
        raise NotFound("offer_unknown", "there is no such offer")
    return OfferAnswer.of(offer)


def post_offer(call: Call) -> Reply:
    """Add or replace an offer."""
    call.of_chain()
    body: OfferBody = call.body
    offer = body.to_offer()
    is_new = call.services.marketing.put_offer(offer, call.by)
    return Reply(OfferAnswer.of(offer), 201 if is_new else 200)


def get_campaigns(call: Call) -> Listing[CampaignAnswer]:
    """All campaigns, by id."""
    return _page(call.services.marketing.campaigns(), call.query, CampaignAnswer.of)


def get_campaign(call: Call) -> CampaignAnswer:
    """One campaign."""
    wanted = call.path["campaign_id"]
    campaign = next((each for each in call.services.marketing.campaigns() if each.id == wanted), None)
    if campaign is None:
        raise NotFound("campaign_unknown", "there is no such campaign")
    return CampaignAnswer.of(campaign)


def post_campaign(call: Call) -> CampaignAnswer:
    """Add a campaign."""
    call.of_chain()
    body: CampaignBody = call.body
    return CampaignAnswer.of(call.services.marketing.add_campaign(body.to_campaign(), call.by))


def patch_campaign(call: Call) -> CampaignAnswer:
    """Change a campaign."""
    call.of_chain()
    body: CampaignChangesBody = call.body
    changed = call.services.marketing.change_campaign(call.path["campaign_id"], body.to_changes(), call.by)
    return CampaignAnswer.of(changed)


def post_pause(call: Call) -> PausedAnswer:
    """Stop offers and pushes."""
    call.services.marketing.pause(_scope(call), call.by)
    return _paused(call)


def post_resume(call: Call) -> PausedAnswer:
    """Undo a pause."""
    call.services.marketing.resume(_scope(call), call.by)
    return _paused(call)


def _scope(call: Call) -> str | None:
    body: ScopeBody = call.body
    if body.store_id is None:
        call.of_chain()
    else:
        call.of_store(body.store_id)
    return body.store_id


def _paused(call: Call) -> PausedAnswer:
    scopes = call.services.catalogue.view().paused
    return PausedAnswer(EVERYTHING in scopes, tuple(sorted(scopes - {EVERYTHING})))


def get_decisions(call: Call) -> Listing[RecordAnswer]:
    """Decisions, newest first."""
    call.of_chain()
    page: Page = call.query
    records = call.services.live.decisions(page.cursor or None, page.limit + 1)
    items = tuple(RecordAnswer.of(record) for record in records[: page.limit])
    return Listing(items, items[-1].id if len(records) > page.limit else None)


ROUTES = (
    Route("GET", "/v1/stores", get_stores, "All stores", Listing[StoreAnswer], READER, query=Page),
    Route("GET", "/v1/stores/{store_id}", get_store, "One store", StoreAnswer, READER, errors=(404,)),
    Route(
        "POST", "/v1/stores", post_store, "Add or replace a store", StoreAnswer, MARKETER,
        body=StoreBody, statuses=(201, 200),
    ),
    Route(
        "PATCH", "/v1/stores/{store_id}", patch_store, "Change a store", StoreAnswer, MARKETER,
        body=StoreChangesBody, errors=(404,),
    ),
    Route("GET", "/v1/offers", get_offers, "All offers", Listing[OfferAnswer], READER, query=Page),
    Route("GET", "/v1/offers/{offer_id}", get_offer, "One offer", OfferAnswer, READER, errors=(404,)),
    Route(
        "POST", "/v1/offers", post_offer, "Add or replace an offer", OfferAnswer, MARKETER,
        body=OfferBody, statuses=(201, 200),
    ),
    Route("GET", "/v1/campaigns", get_campaigns, "All campaigns", Listing[CampaignAnswer], READER, query=Page),
    Route("GET", "/v1/campaigns/{campaign_id}", get_campaign, "One campaign", CampaignAnswer, READER, errors=(404,)),
    Route(
        "POST", "/v1/campaigns", post_campaign, "Add a campaign", CampaignAnswer, MARKETER,
        body=CampaignBody, statuses=(201,), errors=(409,),
    ),
    Route(
        "PATCH", "/v1/campaigns/{campaign_id}", patch_campaign, "Change a campaign", CampaignAnswer, MARKETER,
        body=CampaignChangesBody, errors=(404, 409),
    ),
    Route(
        "POST", "/v1/pause", post_pause, "Stop offers and pushes, of one store or of all", PausedAnswer, MARKETER,
        body=ScopeBody, errors=(404,),
    ),
    Route(
        "POST", "/v1/resume", post_resume, "Undo a pause", PausedAnswer, MARKETER, body=ScopeBody, errors=(404,)
    ),
    Route("GET", "/v1/decisions", get_decisions, "Why and why not", Listing[RecordAnswer], READER, query=Page),
)  # fmt: skip
