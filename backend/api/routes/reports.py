"""Reports of campaigns."""

from __future__ import annotations

from backend.api.routes.marketing import READER
from backend.api.routing import Call, Route
from backend.api.schemas.base import Listing
from backend.service.report import ReportWeek


def get_report(call: Call) -> Listing[ReportWeek]:
    """What a campaign did in the last whole weeks."""
    call.of_chain()
    return Listing(call.services.reports.weeks(call.path["campaign_id"]))


ROUTES = (
    Route(
        "GET", "/v1/campaigns/{campaign_id}/report", get_report,
        "What the campaign did in the last whole weeks; groups under 10 members are not told", Listing[ReportWeek],
        READER, errors=(404,),
    ),
)  # fmt: skip
