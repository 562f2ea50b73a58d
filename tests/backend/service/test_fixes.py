"""Reports of many fixes, old fixes, and members who said no."""

from __future__ import annotations

from typing import Any

import pytest

from backend.service.errors import Unavailable
from backend.service.model import Coupon, Record
from stores.index import StoreIndex
from stores.model import Circle, Position
from stores.presence import PresenceState, Step
from stores.sensitive import SensitivePlace
from tests.backend.api.world import BY, LAT, LNG, Lull, arrival, fix, stamp


@pytest.fixture
def lull() -> Lull:
    """A quiet Kamppi and a willing Aino."""
    lull = Lull()
    lull.open_chain()
    lull.willing_member()
    return lull


def report(lull: Lull, *fixes: dict[str, Any]) -> dict[str, Any]:
    """The answer to these fixes."""
    answer: dict[str, Any] = lull.post("/v1/me/fixes", {"fixes": list(fixes)}, lull.member).get_json()
    return answer


def reasons(answer: dict[str, Any]) -> list[str]:
    """The reasons of all decisions."""
    return [decision["reason"] for decision in answer["decisions"]]


def test_entering_a_quiet_store_leads_to_a_coupon(lull: Lull) -> None:
    answer = report(lull, *arrival())
    assert reasons(answer) == ["offered"]
    assert answer["coupons"][0]["store_id"] == "kamppi"


def test_a_first_fix_in_a_fence_wants_a_second_soon(lull: Lull) -> None:
    first = report(lull, fix(recorded_at=stamp(-15)))
    assert (reasons(first), first["watch"]["report_in_s"]) == ([], 15)
    second = report(lull, fix())
    assert (reasons(second), second["watch"]["report_in_s"]) == (["offered"], 60)


def test_who_stays_inside_is_asked_about_once(lull: Lull) -> None:
    report(lull, *arrival())
    assert reasons(report(lull, fix(recorded_at=stamp(30)))) == []


def test_a_fix_too_inaccurate_for_a_fence_says_so_and_leads_to_nothing(lull: Lull) -> None:
    answer = report(lull, *arrival(accuracy_m=40.0))
    assert (answer["accepted"], answer["too_inaccurate_for"], reasons(answer)) == (2, ["kamppi"], [])


def test_of_a_batch_only_the_newest_fix_leads_to_an_offer(lull: Lull) -> None:
    batch = [fix(recorded_at=stamp(-seconds)) for seconds in (0, 30, 60, 90)]
    answer = report(lull, *batch)
    assert (answer["accepted"], reasons(answer)) == (4, ["offered"])


def test_a_batch_that_ends_outside_leads_to_nothing(lull: Lull) -> None:
    answer = report(lull, fix(recorded_at=stamp(-600)), fix(lat=60.2, speed_mps=None))
    assert (answer["accepted"], reasons(answer)) == (2, [])


@pytest.mark.parametrize("newest", [{"mocked": True}, {"accuracy_m": 201.0}, {"lat": 10.0}])
def test_a_batch_whose_newest_fix_is_refused_leads_to_nothing(lull: Lull, newest: dict[str, Any]) -> None:
    answer = report(lull, fix(recorded_at=stamp(-25)), fix(recorded_at=stamp(-10)), fix(**newest))
    assert (answer["accepted"], len(answer["rejected"]), reasons(answer)) == (2, 1, [])


def test_a_batch_whose_newest_fix_is_near_the_edge_leads_to_nothing(lull: Lull) -> None:
    before = [fix(recorded_at=stamp(-100)), fix(recorded_at=stamp(-85))]
    answer = report(lull, *before, fix(lat=60.16952 + 0.00128))
    assert (answer["accepted"], reasons(answer)) == (3, [])


def test_a_store_whose_line_nobody_told_of_gets_no_offer(lull: Lull) -> None:
    lull.world.observations.clear()
    arrivals = {"kind": "arrivals", "at": stamp(), "value": 1, "window_s": 1200}
    lull.post("/v1/stores/kamppi/observations", {"observations": [arrivals]}, lull.till)
    assert reasons(report(lull, *arrival())) == ["traffic_unknown"]


def test_an_old_fix_moves_presence_but_leads_to_nothing(lull: Lull) -> None:
    answer = report(lull, fix(recorded_at=stamp(-315)), fix(recorded_at=stamp(-300)))
    assert (answer["accepted"], reasons(answer)) == (2, [])
    assert reasons(report(lull, fix())) == []


def test_fixes_of_another_time_are_refused(lull: Lull) -> None:
    answer = report(lull, fix(recorded_at=stamp(120)), fix(recorded_at=stamp(-90_000)))
    assert answer["rejected"] == [{"index": 0, "reason": "in_the_future"}, {"index": 1, "reason": "stale"}]


def test_without_consent_no_fix_is_looked_at(lull: Lull) -> None:
    lull.put("/v1/me/consents/location_offers", {"granted": False, "text_version": "1"}, lull.member)
    answer = report(lull, fix())
    assert (answer["accepted"], answer["rejected"]) == (0, [{"index": 0, "reason": "no_consent"}])
    assert answer["watch"]["fences"] == []


def test_withdrawal_forgets_where_the_phone_was(lull: Lull) -> None:
    report(lull, *arrival())
    for granted in (False, True):
        lull.put("/v1/me/consents/location_offers", {"granted": granted, "text_version": "1"}, lull.member)
    assert reasons(report(lull, fix(recorded_at=stamp(30)))) == []
    assert reasons(report(lull, fix(recorded_at=stamp(45)))) == ["cooldown"]


def test_the_facts_written_down_do_not_tell_where_the_member_stood(lull: Lull) -> None:
    report(lull, *arrival(lat=60.16955))
    (record,) = lull.ports.ledger.decisions(None, 10)
    assert record.facts.presence.distance_m == 150


def fail(lull: Lull, monkeypatch: pytest.MonkeyPatch, written: bool, *fixes: dict[str, Any]) -> None:
    """Send a report while the database is away, or goes away once the decision is written and before the answer."""
    record = lull.ports.ledger.record

    def away(made: Record, coupon: Coupon | None, code_hash: str) -> Record:
        if written:
            record(made, coupon, code_hash)
        raise Unavailable("database_unavailable", "the database cannot be reached now")

    with monkeypatch.context() as broken:
        broken.setattr(lull.ports.ledger, "record", away)
        assert lull.post("/v1/me/fixes", {"fixes": list(fixes)}, lull.member).status_code == 503


@pytest.mark.parametrize("written", [False, True])
def test_a_whole_visit_that_met_a_database_away_can_be_sent_again(
    lull: Lull, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    fail(lull, monkeypatch, written, *arrival())
    answer = report(lull, *arrival())
    assert (answer["accepted"], reasons(answer)) == (2, ["offered"])
    assert [each["id"] for each in answer["coupons"]] == [answer["decisions"][0]["coupon_id"]]
    assert len(lull.ports.ledger.newest_coupons(9)) == 1


@pytest.mark.parametrize(("written", "reason"), [(False, "offered"), (True, "cooldown")])
def test_after_a_report_that_met_a_database_away_the_phone_enters_anew(
    lull: Lull, monkeypatch: pytest.MonkeyPatch, written: bool, reason: str
) -> None:
    report(lull, fix(recorded_at=stamp(-15)))
    fail(lull, monkeypatch, written, fix())
    assert standing(lull) is None
    assert reasons(report(lull, fix())) == []
    assert reasons(report(lull, fix(recorded_at=stamp(15)))) == [reason]
    assert len(lull.ports.ledger.newest_coupons(9)) == 1


FAR = {
    "accepted": 1,
    "rejected": [],
    "decisions": [],
    "coupons": [],
    "too_inaccurate_for": [],
    "watch": {"fences": [], "report_in_s": 900},
}
"""The answer to a fix far from every store."""


def clinic(lull: Lull, north_m: float = 0.0) -> None:
    """A clinic of 100 m, so many metres north of Kamppi's door."""
    place = SensitivePlace("clinic", "health", Position(LAT + north_m / 111_195.0, LNG), Circle(100.0))
    lull.ports.chain.put_sensitive_places([place], BY)
    lull.services.catalogue.refresh()


def standing(lull: Lull) -> PresenceState | None:
    """Where Aino's phone stands, as remembered."""
    seen: list[PresenceState | None] = []

    def look(state: PresenceState | None) -> Step:
        seen.append(state)
        return Step(state)

    (member_id,) = lull.world.members
    lull.ports.presence.apply(member_id, lull.clock.real(), look)
    return seen[0]


def no_look(*_: object) -> None:
    raise AssertionError("the position was looked at")


def test_a_fix_in_a_sensitive_place_is_answered_like_one_far_from_every_store(lull: Lull) -> None:
    clinic(lull)
    assert report(lull, fix()) == FAR == report(lull, fix(lat=10.0, recorded_at=stamp(30)))


def test_a_fix_in_a_sensitive_place_is_seen_by_nothing(lull: Lull, monkeypatch: pytest.MonkeyPatch) -> None:
    clinic(lull)
    for name in ("hits", "nearest", "measure"):
        monkeypatch.setattr(StoreIndex, name, no_look)
    monkeypatch.setattr(lull.ports.presence, "apply", no_look)
    assert report(lull, fix(), fix(recorded_at=stamp(1)))["accepted"] == 2


def test_a_fix_whose_accuracy_reaches_a_sensitive_place_is_dropped_too(lull: Lull) -> None:
    clinic(lull, north_m=130.0)
    assert report(lull, fix(accuracy_m=35.0, recorded_at=stamp(-30))) == FAR
    assert reasons(report(lull, *arrival())) == ["offered"]


@pytest.mark.parametrize("newest_is_sensitive", [False, True])
def test_of_a_batch_the_fixes_in_sensitive_places_are_dropped_and_the_others_taken(
    lull: Lull, newest_is_sensitive: bool
) -> None:
    clinic(lull, north_m=400.0)
    inside = fix(lat=LAT + 400.0 / 111_195.0, recorded_at=stamp(0 if newest_is_sensitive else -200))
    answer = report(lull, fix(recorded_at=stamp(-110)), fix(recorded_at=stamp(-95)), inside)
    assert (answer["accepted"], answer["rejected"]) == (3, [])
    assert reasons(answer) == ([] if newest_is_sensitive else ["offered"])
    assert bool(answer["watch"]["fences"]) != newest_is_sensitive


def test_who_leaves_a_sensitive_place_is_seen_again(lull: Lull) -> None:
    clinic(lull, north_m=400.0)
    report(lull, fix(lat=LAT + 400.0 / 111_195.0, recorded_at=stamp(-200)))
    assert reasons(report(lull, *arrival())) == ["offered"]


def test_a_visit_goes_on_unseen_while_the_phone_is_in_a_sensitive_place(lull: Lull) -> None:
    report(lull, *arrival())
    clinic(lull, north_m=400.0)
    before = standing(lull)
    report(lull, fix(lat=LAT + 400.0 / 111_195.0, recorded_at=stamp(200)))
    assert before is not None
    assert list(before.inside) == ["kamppi"]
    assert standing(lull) == before
