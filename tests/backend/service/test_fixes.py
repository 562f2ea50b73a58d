"""Reports of many fixes, old fixes, and members who said no."""

from __future__ import annotations

from typing import Any

import pytest

from backend.service.errors import Unavailable
from backend.service.model import Coupon, Record
from tests.backend.api.world import Lull, arrival, fix, stamp


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


@pytest.mark.parametrize("newest", [{"mocked": True}, {"accuracy_m": 1600.0}, {"lat": 10.0}])
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


@pytest.mark.parametrize("written", [False, True])
def test_a_report_that_met_a_database_away_can_be_sent_again(
    lull: Lull, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    record = lull.ports.ledger.record

    def away(made: Record, coupon: Coupon | None, code_hash: str) -> Record:
        if written:  # and only the answer was lost on its way
            record(made, coupon, code_hash)
        raise Unavailable("database_unavailable", "the database cannot be reached now")

    report(lull, fix(recorded_at=stamp(-15)))
    with monkeypatch.context() as broken:
        broken.setattr(lull.ports.ledger, "record", away)
        assert lull.post("/v1/me/fixes", {"fixes": [fix()]}, lull.member).status_code == 503
    answer = report(lull, fix())
    assert (answer["accepted"], reasons(answer)) == (1, ["offered"])
    assert [each["id"] for each in answer["coupons"]] == [answer["decisions"][0]["coupon_id"]]
    assert len(lull.ports.ledger.newest_coupons(9)) == 1
