"""The routes of tills."""

from __future__ import annotations

from backend.api.routing import Call, Route, Who
from backend.api.schemas.tills import (
    AcceptedAnswer,
    ObservationsBody,
    PurchaseAnswer,
    PurchaseBody,
    RedemptionAnswer,
    RedemptionBody,
    RollbackAnswer,
    RollbackBody,
)

TILL: frozenset[Who] = frozenset({"till"})


def post_observations(call: Call) -> AcceptedAnswer:
    """Keep what was measured."""
    body: ObservationsBody = call.body
    observations = [each.to_observation() for each in body.observations]
    kept = call.services.tills.observe(call.key, call.path["store_id"], observations, body.terminal)
    return AcceptedAnswer(kept)


def post_redemption(call: Call) -> RedemptionAnswer:
    """Use a coupon."""
    body: RedemptionBody = call.body
    call.services.limits.redemption(call.key, body.store_id, body.terminal)
    done = call.services.tills.redeem(call.key, call.only_once, body.to_shown(), body.to_sale(), body.terminal)
    return RedemptionAnswer.of(done)


def post_rollback(call: Call) -> RollbackAnswer:
    """Undo a sale, or a part of it."""
    body: RollbackBody = call.body
    name = call.path["redemption_id"]
    done = call.services.tills.roll_back(call.key, call.only_once, name, body.to_items(), body.reason)
    return RollbackAnswer.of(done)


def post_purchase(call: Call) -> PurchaseAnswer:
    """Book a sale without a coupon."""
    body: PurchaseBody = call.body
    done = call.services.tills.buy(call.key, call.only_once, body.to_sale(), body.at, body.member_id)
    return PurchaseAnswer(done.id)


ROUTES = (
    Route(
        "POST", "/v1/stores/{store_id}/observations", post_observations, "Report what was measured in a store",
        AcceptedAnswer, TILL, body=ObservationsBody, statuses=(202,), errors=(404,),
    ),
    Route(
        "POST", "/v1/redemptions", post_redemption, "Use a coupon", RedemptionAnswer, TILL,
        body=RedemptionBody, statuses=(201,), errors=(404, 409), once=True,
    ),
    Route(
        "POST", "/v1/redemptions/{redemption_id}/rollback", post_rollback, "Undo a redemption, or a part of it",
        RollbackAnswer, TILL, body=RollbackBody, statuses=(201,), errors=(404, 409), once=True,
    ),
    Route(
        "POST", "/v1/purchases", post_purchase, "Book a sale without a coupon", PurchaseAnswer, TILL,
        body=PurchaseBody, statuses=(201,), errors=(404, 409), once=True,
    ),
)  # fmt: skip
