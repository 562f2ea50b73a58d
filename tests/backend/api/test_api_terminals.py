"""A terminal that tries too many wrong codes is locked for a while."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from backend.service.errors import Unavailable
from tests.backend.api.world import BASKET, Lull

WRONG = "0000-0000-0000-0"


def redeem(lull: Lull, once: str, key: str | None = None, **changes: Any) -> TestResponse:
    """Try a code, a wrong one unless another is given."""
    shown = changes if "presentation" in changes else {"code": WRONG} | changes
    return lull.post("/v1/redemptions", BASKET | shown, key or lull.till, once=once)


def guess(lull: Lull, times: int, **changes: Any) -> set[int]:
    """Try wrong codes; the answers' statuses."""
    return {redeem(lull, f"guess-{number}-{changes}", **changes).status_code for number in range(times)}


def test_the_twentieth_wrong_code_locks_and_is_answered_as_the_others(lull: Lull) -> None:
    coupon = lull.issue()
    assert guess(lull, 20) == {404}
    locked = redeem(lull, "right", code=coupon["code"])
    assert (locked.status_code, locked.get_json()["type"]) == (429, "/problems/terminal_locked")
    assert locked.headers["Retry-After"] == "900"
    lull.clock.moved = 899.5
    assert redeem(lull, "right", code=coupon["code"]).headers["Retry-After"] == "1"
    lull.clock.moved = 900.0
    assert redeem(lull, "right", code=coupon["code"]).status_code == 201


@pytest.mark.parametrize("shown", [{"code": "hello"}, {"code": WRONG}, {"presentation": "a.b.c"}])
def test_whatever_is_no_coupon_counts(lull: Lull, shown: dict[str, str]) -> None:
    lull.open_chain()
    assert guess(lull, 20, **shown) <= {404, 409}
    assert guess(lull, 1, **shown) == {429}


def test_a_right_code_clears_its_terminal(lull: Lull) -> None:
    coupon = lull.issue()
    assert guess(lull, 19) == {404}
    assert redeem(lull, "right", code=coupon["code"]).status_code == 201
    assert guess(lull, 20, terminal=None) == {404}


def test_the_answer_to_a_repeated_request_clears_no_terminal(lull: Lull) -> None:
    coupon = lull.issue()
    assert redeem(lull, "right", code=coupon["code"]).status_code == 201
    lull.clock.moved = 1.0
    assert guess(lull, 19) == {404}
    assert redeem(lull, "right", code=coupon["code"]).status_code == 201
    assert redeem(lull, "the twentieth").status_code == 404
    assert redeem(lull, "one more").status_code == 429


def test_a_used_coupon_is_no_guess(lull: Lull) -> None:
    coupon = lull.issue()
    assert redeem(lull, "right", code=coupon["code"]).status_code == 201
    assert {redeem(lull, f"again-{number}", code=coupon["code"]).status_code for number in range(25)} == {409}


def test_a_wrong_code_that_is_sent_again_is_no_new_guess(lull: Lull) -> None:
    lull.open_chain()
    assert {redeem(lull, "the same").status_code for _ in range(25)} == {404}


def test_a_presentation_shown_too_late_is_no_guess(lull: Lull) -> None:
    coupon = lull.issue()
    token = lull.post(f"/v1/me/coupons/{coupon['id']}/presentations", {}, lull.member).get_json()["token"]
    lull.clock.real_moved = 61.0
    assert {redeem(lull, f"late-{number}", presentation=token).status_code for number in range(25)} == {409}


def test_terminals_of_one_key_are_locked_apart(lull: Lull) -> None:
    lull.open_chain()
    assert guess(lull, 20, terminal="bar") == {404}
    assert guess(lull, 1, terminal="bar") == {429}
    assert guess(lull, 1, terminal="door") == guess(lull, 1) == {404}


def test_a_key_that_names_ever_new_terminals_is_locked_as_a_whole(lull: Lull) -> None:
    lull.open_chain()
    other = lull.key("till", {"kamppi"})
    for number in range(100):
        assert redeem(lull, f"guess-{number}", terminal=f"t{number}").status_code == 404
    assert redeem(lull, "more", terminal="new").status_code == 429
    assert redeem(lull, "other", key=other, terminal="new").status_code == 404


def test_a_code_that_cannot_be_counted_is_not_judged(lull: Lull, monkeypatch: pytest.MonkeyPatch) -> None:
    lull.open_chain()

    def away(*_: object) -> None:
        raise Unavailable("database_away", "the database cannot be reached; try again later")

    monkeypatch.setattr(type(lull.ports.ledger), "refuse", away)
    assert guess(lull, 1) == {503}


def test_every_process_counts_and_locks_alike(lull: Lull) -> None:
    lull.open_chain()
    other = Lull(world=lull.world, clock=lull.clock)
    for number in range(20):
        process = other if number % 2 else lull
        assert redeem(process, f"guess-{number}", key=lull.till).status_code == 404
    assert redeem(lull, "more", key=lull.till).status_code == 429
    assert redeem(other, "more", key=lull.till).status_code == 429
