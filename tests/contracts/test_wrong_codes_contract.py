"""Wrong codes are counted for a terminal and its key, alike for everybody who looks."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from backend.service.ports import Ports
from backend.service.redemption import unknown
from backend.service.staff import LOCKED_FOR, WRONG_CODES_WITHIN, Tally
from backend.twins import twin_ports
from tests.contracts.examples import NOW, at_once, give, guess, minutes, once, open_shop, redeem

MOST = {"k_1/bar": 3, "k_1": 5}


def wrong(ports: Ports, times: int = 1, now: datetime = NOW) -> dict[str, Tally]:
    """Try wrong codes; what is counted then."""
    for number in range(times):
        guess(ports, MOST, f"{number} {now}", now)
    return dict(ports.identity.wrong_codes("k_1/bar", "k_1"))


def test_who_tried_none_has_no_tally(ports: Ports) -> None:
    wrong(ports)
    assert ports.identity.wrong_codes("k_2/bar", "k_2") == {}
    assert ports.identity.wrong_codes("k_1/other", "k_1") == {"k_1": Tally(1, NOW)}


def test_a_wrong_code_that_is_told_again_counts_once(ports: Ports) -> None:
    for _ in range(2):
        guess(ports, MOST, "k1")
    assert ports.identity.wrong_codes("k_1/bar", "k_1")["k_1/bar"] == Tally(1, NOW)


def test_what_was_done_under_the_key_is_no_wrong_code(ports: Ports) -> None:
    open_shop(ports)
    done = redeem(ports, give(ports), key="k1")
    assert ports.ledger.refuse(once("k1"), unknown(), MOST, NOW) == done
    assert ports.identity.wrong_codes("k_1/bar", "k_1") == {}


def test_the_code_that_makes_the_most_locks(ports: Ports) -> None:
    assert wrong(ports, 2) == {"k_1/bar": Tally(2, NOW), "k_1": Tally(2, NOW)}
    locked = wrong(ports, 1, NOW + minutes(1))
    assert locked == {"k_1/bar": Tally(3, NOW, NOW + minutes(1) + LOCKED_FOR), "k_1": Tally(3, NOW)}


def test_after_a_lock_counting_starts_anew(ports: Ports) -> None:
    wrong(ports, 3)
    later = NOW + LOCKED_FOR
    assert wrong(ports, 1, later)["k_1/bar"] == Tally(1, later)


def test_codes_long_after_the_first_are_counted_anew(ports: Ports) -> None:
    wrong(ports, 2)
    assert wrong(ports, 1, NOW + WRONG_CODES_WITHIN)["k_1/bar"] == Tally(1, NOW + WRONG_CODES_WITHIN)


def test_a_right_code_clears_its_terminal_and_takes_as_many_from_the_key(ports: Ports) -> None:
    wrong(ports, 2)
    guess(ports, {"k_1/other": 3, "k_1": 5}, "other")
    ports.identity.clear_wrong_codes("k_1/bar", "k_1")
    assert ports.identity.wrong_codes("k_1/bar", "k_1") == {"k_1": Tally(1, NOW)}
    ports.identity.clear_wrong_codes("k_1/bar", "k_1")
    assert ports.identity.wrong_codes("k_1/other", "k_1") == {"k_1": Tally(1, NOW), "k_1/other": Tally(1, NOW)}


def test_old_tallies_are_forgotten_unless_they_lock(ports: Ports) -> None:
    wrong(ports, 3)
    assert ports.identity.forget_wrong_codes(NOW) == 0
    assert ports.identity.forget_wrong_codes(NOW + minutes(1)) == 1
    assert list(ports.identity.wrong_codes("k_1/bar", "k_1")) == ["k_1/bar"]
    assert ports.identity.forget_wrong_codes(NOW + LOCKED_FOR) == 1


def test_of_wrong_codes_at_once_none_is_lost(ports: Ports) -> None:
    many = {"k_1/bar": 100, "k_1": 100}
    assert not any(at_once(16, lambda number: guess(ports, many, f"{number}")))
    assert ports.identity.wrong_codes("k_1/bar", "k_1") == {"k_1/bar": Tally(16, NOW), "k_1": Tally(16, NOW)}


@given(st.lists(st.integers(0, 600), max_size=60).map(sorted))
def test_however_codes_are_tried_no_more_than_the_most_pass_between_two_locks(moments: list[int]) -> None:
    """Whoever keeps to the lock tries at most three wrong codes in any time that a lock lasts."""
    ports, tried = twin_ports(), []
    for number, seconds in enumerate(moments):
        now = NOW + timedelta(seconds=seconds)
        if not any(tally.locks(now) for tally in ports.identity.wrong_codes("k_1/bar", "none").values()):
            guess(ports, {"k_1/bar": 3}, f"{number}", now)
            tried.append(now)
    for first in tried:
        assert sum(first <= other < first + LOCKED_FOR for other in tried) <= 3
