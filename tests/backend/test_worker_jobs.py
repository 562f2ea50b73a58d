"""The worker's jobs, each run once by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from backend.service.loyalty_model import TierGrant
from backend.service.model import Member
from backend.service.ports import Ports
from backend.twins import TwinLedger, twin_ports
from backend.worker import _scheduler
from tests.backend.api.world import BY, NOW
from tests.contracts.examples import guess

END = NOW + timedelta(days=1)


@dataclass
class Clock:
    """Stands still; whether it is trusted is said."""

    is_trusted: bool = True

    def now(self) -> datetime:
        return END

    def real(self) -> float:
        return END.timestamp()

    def trusted(self) -> bool:
        return self.is_trusted


@pytest.fixture
def ports() -> Ports:
    """Aino was gold until now."""
    made = twin_ports()
    made.members.add([(Member("aino", "uid-aino", "green"), ())], BY)
    made.members.grant_tier("aino", TierGrant("gold", END, "k_1", "waited long", NOW))
    return made


def run_all_jobs(ports: Ports, clock: Clock) -> None:
    for job in _scheduler(ports, clock).get_jobs():
        job.func(*job.args)


def tier_after_all_jobs(ports: Ports, clock: Clock) -> str:
    """Aino's tier as it is written down then."""
    run_all_jobs(ports, clock)
    member = ports.members.get("aino")
    assert member is not None
    return member.tier


def test_a_job_writes_down_that_a_tier_ended(ports: Ports) -> None:
    assert tier_after_all_jobs(ports, Clock()) == "green"


def test_nothing_is_settled_by_a_doubtful_clock(ports: Ports) -> None:
    assert tier_after_all_jobs(ports, Clock(is_trusted=False)) == "gold"


def test_wrong_codes_that_count_no_more_are_forgotten(ports: Ports) -> None:
    guess(ports, {"k_1/old": 20}, "a", NOW)
    guess(ports, {"k_1/new": 20}, "b", END)
    run_all_jobs(ports, Clock())
    assert set(ports.identity.wrong_codes("k_1/old", "k_1/new")) == {"k_1/new"}


def test_an_erasure_that_cannot_be_finished_is_told_at_each_try(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TwinLedger, "wipe", lambda _: False)
    with capture_logs() as logs:
        run_all_jobs(ports, Clock())
    told = {"event": "waiting", "log_level": "warning", "reason": "erasure_unfinished"}
    assert told in logs
