"""The one function that decides, for the live server, a replay and the simulator alike."""

from __future__ import annotations

from datetime import datetime

from backend.decision.choice import choose, given
from backend.decision.facts import Facts
from backend.decision.gates import first_shut, forecast, traffic_shut
from backend.decision.result import Decision, Forecast, Reason
from backend.decision.snapshot import Snapshot


def decide(facts: Facts, snapshot: Snapshot, now: datetime, draw: float) -> Decision:
    """Answer one opportunity.

    `now` is an aware time of the domain clock, `draw` the number in [0, 1) that belongs to the opportunity. The gates
    are asked in order and the first that is shut gives the reason; such an answer is certain (propensity 1). Holdout
    comes last: with the campaign's holdout share as probability the offer becomes a ghost that nobody gets.
    """

    def no(reason: Reason, outlook: Forecast | None = None) -> Decision:
        return Decision(facts.opportunity_id, now, reason, 1.0, snapshot.hash, forecast=outlook)

    shut = first_shut(facts, snapshot, now)
    if shut:
        return no(shut)
    outlook = forecast(facts, snapshot.rules)
    shut = traffic_shut(facts, outlook, snapshot.rules)
    if shut:
        return no(shut, outlook)
    chosen = choose(facts, snapshot.rules, now)
    if isinstance(chosen, Reason):
        return no(chosen, outlook)
    holdout = chosen.offer.holdout
    held_out = draw < holdout
    return Decision(
        opportunity_id=facts.opportunity_id,
        at=now,
        reason=Reason.HELD_OUT if held_out else Reason.OFFERED,
        propensity=holdout if held_out else 1.0 - holdout,
        snapshot_hash=snapshot.hash,
        given=given(facts, chosen),
        forecast=outlook,
    )
