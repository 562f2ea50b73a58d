"""Who agreed, when somebody changes their mind just now."""

from __future__ import annotations

from typing import Any

import pytest

from backend.service.consent import ConsentCache
from backend.service.services import services
from backend.twins import twin_ports
from tests.backend.api.world import FakeClock, Lull, fix, stamp
from tests.contracts.examples import open_shop


def test_a_look_up_that_a_withdrawal_overtook_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = twin_ports()
    open_shop(ports)
    consent = ConsentCache(ports.members, FakeClock())
    get = ports.members.get
    asked: list[str] = []

    def slow(member_id: str) -> Any:
        found = get(member_id)
        if not asked:
            consent.forget(member_id)
        asked.append(member_id)
        return found

    monkeypatch.setattr(ports.members, "get", slow)
    assert [consent.location_offers("aino") for _ in range(3)] == [True] * 3
    assert len(asked) == 2


def test_a_report_that_a_withdrawal_overtook_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    lull = Lull()
    lull.open_chain()
    lull.willing_member()
    apply = lull.ports.presence.apply

    def overtaken(member_id: str, *more: Any) -> Any:
        lull.put("/v1/me/consents/location_offers", {"granted": False, "text_version": "1"}, lull.member)
        return apply(member_id, *more)

    monkeypatch.setattr(lull.ports.presence, "apply", overtaken)
    answer = lull.post("/v1/me/fixes", {"fixes": [fix()]}, lull.member).get_json()
    assert (answer["accepted"], answer["rejected"]) == (0, [{"index": 0, "reason": "no_consent"}])
    assert len(lull.ports.presence) == 0  # type: ignore[arg-type]


def test_a_withdrawal_at_another_process_leaves_no_trace_here() -> None:
    """Both share database and presence; this one still remembers that Aino agreed."""
    here = Lull()
    here.open_chain()
    here.willing_member()
    there = services(here.ports, here.clock, "a secret for tests, long enough", here.limiter)
    assert here.post("/v1/me/fixes", {"fixes": [fix(recorded_at=stamp(-15))]}, here.member).get_json()["accepted"] == 1
    there.membership.consent(here.services.sessions.member(here.member), "location_offers", False, "1")
    answer = here.post("/v1/me/fixes", {"fixes": [fix()]}, here.member).get_json()
    assert (answer["accepted"], answer["rejected"]) == (0, [{"index": 0, "reason": "no_consent"}])
    assert len(here.ports.presence) == 0  # type: ignore[arg-type]
