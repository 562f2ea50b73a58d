"""The routes of the loyalty programme."""

from __future__ import annotations

from backend.api.routes.marketing import MARKETER
from backend.api.routes.members import MEMBER
from backend.api.routes.staff import ADMIN
from backend.api.routing import Call, Route
from backend.api.schemas.loyalty import (
    AdjustmentAnswer,
    AdjustmentBody,
    GrantBody,
    LoyaltyAnswer,
    MeAnswer,
    ProfileAnswer,
    ProfileBody,
    RulesAnswer,
    RulesBody,
    TierAnswer,
    rules,
)


def get_me(call: Call) -> MeAnswer:
    """Where the member stands, and what they state."""
    return MeAnswer.of(*call.services.programme.standing(call.member_id))


def patch_profile(call: Call) -> ProfileAnswer:
    """Change what is named."""
    body: ProfileBody = call.body
    return ProfileAnswer.of(call.services.programme.change_profile(call.member_id, body.to_changes()))


def get_rules(call: Call) -> LoyaltyAnswer:
    """The rules now and next."""
    return LoyaltyAnswer.of(*call.services.programme.rules())


def put_rules(call: Call) -> RulesAnswer:
    """Publish rules."""
    call.of_chain()
    body: RulesBody = call.body
    return rules(call.services.programme.publish(body.to_rules(), body.effective_from, call.by))


def post_tier(call: Call) -> TierAnswer:
    """Grant a tier."""
    call.of_chain()
    body: GrantBody = call.body
    programme = call.services.programme
    return TierAnswer.of(*programme.grant(call.path["member_id"], body.tier, body.until, body.reason, call.by))


def post_stars(call: Call) -> AdjustmentAnswer:
    """Adjust a member's stars."""
    call.of_chain()
    body: AdjustmentBody = call.body
    programme = call.services.programme
    member_id = call.path["member_id"]
    done = programme.adjust(call.only_once, member_id, body.delta, body.reason, call.by)
    return AdjustmentAnswer.of(done, member_id)


ROUTES = (
    Route("GET", "/v1/me", get_me, "Tier, stars, and what the member states", MeAnswer, MEMBER),
    Route(
        "PATCH", "/v1/me/profile", patch_profile, "Change what the member states", ProfileAnswer, MEMBER,
        body=ProfileBody,
    ),
    Route("GET", "/v1/loyalty", get_rules, "How purchases earn stars, and what tiers want", LoyaltyAnswer, MARKETER),
    Route(
        "PUT", "/v1/loyalty", put_rules, "Publish the rules of the loyalty programme", RulesAnswer, MARKETER,
        body=RulesBody,
    ),
    Route(
        "POST", "/v1/members/{member_id}/tier", post_tier, "Let a member have at least a tier", TierAnswer, ADMIN,
        body=GrantBody, errors=(404,),
    ),
    Route(
        "POST", "/v1/members/{member_id}/stars", post_stars, "Add stars to a member's, or take some away",
        AdjustmentAnswer, ADMIN, body=AdjustmentBody, statuses=(201,), errors=(404, 409), once=True,
    ),
)  # fmt: skip
