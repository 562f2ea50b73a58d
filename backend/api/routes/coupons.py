"""The routes of staff to single coupons, and to what campaigns have booked by store and day."""

from __future__ import annotations

from backend.api.routes.marketing import MARKETER, READER
from backend.api.routing import Call, Route
from backend.api.schemas.base import Listing, Page
from backend.api.schemas.coupons import RevocationBody, StaffCouponAnswer
from backend.api.schemas.marketing import BookedAnswer


def get_coupon(call: Call) -> StaffCouponAnswer:
    """One coupon."""
    return StaffCouponAnswer.of(call.services.coupons.coupon(call.key, call.path["coupon_id"]))


def post_revoke(call: Call) -> StaffCouponAnswer:
    """Take it back."""
    body: RevocationBody = call.body
    return StaffCouponAnswer.of(call.services.coupons.revoke(call.key, call.path["coupon_id"], body.reason, call.by))


def get_budgets(call: Call) -> Listing[BookedAnswer]:
    """What a campaign has booked, by store and by day."""
    call.of_chain()
    page: Page = call.query
    booked = call.services.marketing.booked(call.path["campaign_id"])
    rest = sorted(scope for scope in booked if scope > page.cursor)
    found = rest[: page.limit]
    items = tuple(BookedAnswer.of(scope, booked[scope]) for scope in found)
    return Listing(items, found[-1] if len(rest) > len(found) else None)


ROUTES = (
    Route("GET", "/v1/coupons/{coupon_id}", get_coupon, "One coupon", StaffCouponAnswer, READER, errors=(404,)),
    Route(
        "POST", "/v1/coupons/{coupon_id}/revoke", post_revoke, "Take a live coupon back", StaffCouponAnswer, MARKETER,
        body=RevocationBody, errors=(404, 409),
    ),
    Route(
        "GET", "/v1/campaigns/{campaign_id}/budgets", get_budgets, "What a campaign has booked, by store and by day",
        Listing[BookedAnswer], READER, query=Page, errors=(404,),
    ),
)  # fmt: skip
