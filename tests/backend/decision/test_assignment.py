"""Names of opportunities, draws, and the holdout they decide."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from scipy.stats import kstest

from backend.decision.assignment import draw, opportunity_id
from backend.decision.result import Reason
from tests.backend.decision.builders import NOW, decided, facts, offer

KEY = b"a key of the chain's own"


def test_an_opportunity_has_one_name_whatever_the_zone_it_is_told_in() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=3)))
    assert opportunity_id(KEY, "aino", "kamppi", NOW) == opportunity_id(KEY, "aino", "kamppi", there)


def test_member_store_and_moment_make_the_name() -> None:
    names = {
        opportunity_id(KEY, "aino", "kamppi", NOW),
        opportunity_id(KEY, "ain", "okamppi", NOW),
        opportunity_id(KEY, "eero", "kamppi", NOW),
        opportunity_id(KEY, "aino", "pasila", NOW),
        opportunity_id(KEY, "aino", "kamppi", NOW + timedelta(microseconds=1)),
    }
    assert len(names) == 5
    assert all(len(name) == 32 and set(name) <= set("0123456789abcdef") for name in names)


def test_without_the_key_nobody_can_tell_the_name() -> None:
    assert opportunity_id(KEY, "aino", "kamppi", NOW) != opportunity_id(b"another", "aino", "kamppi", NOW)


def test_the_names_stay_what_they_are() -> None:
    """A change here would give every past opportunity another draw."""
    name = opportunity_id(KEY, "aino", "kamppi", datetime(2026, 6, 2, 14, tzinfo=UTC))
    assert name == "b1863d0631b3b5cae37010ad6fcb251a"
    assert draw(KEY, name) == 0.14027077920555742


def test_draws_are_the_same_again_and_others_under_another_key() -> None:
    assert draw(KEY, "a") == draw(KEY, "a")
    assert draw(KEY, "a") != draw(b"another", "a")


def test_draws_are_uniform() -> None:
    draws = [draw(KEY, opportunity_id(KEY, f"m{n}", "kamppi", NOW)) for n in range(20_000)]
    assert min(draws) >= 0.0
    assert max(draws) < 1.0
    assert kstest(draws, "uniform").pvalue > 0.001


@pytest.mark.parametrize(
    ("at", "reason", "propensity"),
    [(0.0999, Reason.HELD_OUT, 0.1), (0.1, Reason.OFFERED, 0.9), (0.99, Reason.OFFERED, 0.9)],
)
def test_the_draw_decides_on_holdout(at: float, reason: Reason, propensity: float) -> None:
    answer = decided(facts(offers=(offer(holdout=0.1),)), draw=at)
    assert (answer.reason, answer.propensity) == (reason, propensity)


def test_without_holdout_nobody_is_held_out() -> None:
    answer = decided(facts(), draw=0.0)
    assert (answer.reason, answer.propensity) == (Reason.OFFERED, 1.0)


def test_a_ghost_tells_what_would_have_been_given_and_is_not_issued() -> None:
    shut, open_ = (decided(facts(offers=(offer(holdout=0.5),)), draw=at) for at in (0.1, 0.9))
    assert shut.reason is Reason.HELD_OUT
    assert shut.given == open_.given
    assert shut.forecast == open_.forecast
    assert open_.issues
    assert not shut.issues


def test_holdout_is_the_last_gate() -> None:
    everybody = (offer(holdout=1.0, budget_left_minor=0),)
    assert decided(facts(offers=everybody), draw=0.0).reason is Reason.BUDGET_SPENT


def test_the_holdout_of_the_chosen_offer_counts() -> None:
    both = (offer(id="liked", product_id="tea", holdout=0.0), offer(id="other", holdout=1.0))
    assert decided(facts(offers=both, member={"tastes": {"tea": 1.0}}), draw=0.0).reason is Reason.OFFERED
