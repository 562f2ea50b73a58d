"""What phones report of where they are, and the answer."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from backend.api.schemas.base import Body, RawMoment
from backend.api.schemas.coupons import CouponAnswer
from backend.decision.result import Reason
from backend.service.fixes import Rejected, Report
from backend.service.model import Outcome
from backend.service.watch import Advice
from stores.model import Fix, Position

MOST_FIXES = 1000


class FixBody(Body):
    """One location report. `accuracy_m` is a 68 % radius; a negative `speed_mps` means unknown, as on iOS."""

    lat: float = Field(ge=-90, le=90)
    lng: float = Field(ge=-180, le=180)
    accuracy_m: float = Field(gt=0, le=100_000)
    recorded_at: RawMoment
    speed_mps: float | None = Field(default=None, ge=-1, le=1000)
    mocked: bool = False

    def to_fix(self) -> Fix:
        """As the use cases want it."""
        speed = self.speed_mps
        return Fix(
            Position(self.lat, self.lng),
            self.accuracy_m,
            self.recorded_at,
            None if speed is None or speed < 0 else speed,
            self.mocked,
        )


class FixesBody(Body):
    """Location reports of one phone, in any order."""

    fixes: list[FixBody] = Field(min_length=1, max_length=MOST_FIXES)


@dataclass(frozen=True, slots=True)
class DecisionAnswer:
    """A decision that the report led to, and what became of it; `coupon_id` only when a coupon was issued."""

    id: str
    store_id: str
    reason: Reason
    outcome: Outcome
    coupon_id: str | None


@dataclass(frozen=True, slots=True)
class ReportAnswer:
    """What became of a report. A fix that may lie in a sensitive place counts as accepted, and is not used.

    `too_inaccurate_for`: stores whose fence the newest fix may lie in, but is too small for its accuracy.
    """

    accepted: int
    rejected: tuple[Rejected, ...]
    decisions: tuple[DecisionAnswer, ...]
    coupons: tuple[CouponAnswer, ...]
    too_inaccurate_for: tuple[str, ...]
    watch: Advice

    @staticmethod
    def of(report: Report, coupons: tuple[CouponAnswer, ...]) -> ReportAnswer:
        """From the use cases."""
        return ReportAnswer(
            accepted=report.accepted,
            rejected=report.rejected,
            decisions=tuple(
                DecisionAnswer(
                    id=each.decision.opportunity_id,
                    store_id=each.store_id,
                    reason=each.decision.reason,
                    outcome=each.outcome,
                    coupon_id=each.coupon.id if each.coupon else None,
                )
                for each in report.answers
            ),
            coupons=coupons,
            too_inaccurate_for=report.too_small,
            watch=report.watch,
        )
