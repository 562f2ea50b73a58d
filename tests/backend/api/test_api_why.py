"""Why a coupon came, in sentences."""

from __future__ import annotations

from dataclasses import replace

from backend.service.model import Record
from backend.service.why import sentences
from tests.backend.decision.builders import decided, facts


def test_an_offer_tells_what_it_rested_on() -> None:
    about = facts(member={"tastes": {"cappuccino": 0.38}, "given_this_week": 1}, presence={"trigger": "dwell"})
    told = sentences(Record(about, decided(about), 0.5, "issued"))
    assert told == (
        "You stayed within 200 m of Kamppi.",
        "The store expected 10 % of its capacity to be in use, where it wants at most 70 %, and had room for 6 more visits.",  # noqa: E501
        "You like Cappuccino: it is 38 % of your past purchases.",
        "You had been given one coupon in the seven days before.",
        "So you were given this coupon.",
    )


def test_room_counts_without_what_is_outstanding() -> None:
    about = facts()
    decision = decided(about)
    assert decision.forecast
    nearly = replace(about, store=replace(about.store, outstanding=decision.forecast.room - 1))
    assert sentences(Record(nearly, decision, 0.5, "issued"))[1].endswith("had room for 1 more visit.")


def test_without_known_taste_nothing_is_claimed() -> None:
    told = sentences(Record(facts(), decided(facts()), 0.5, "issued"))
    assert told[2] == "Your past purchases say nothing of Cappuccino."


def test_a_favourite_is_told_as_what_the_member_said() -> None:
    about = facts(member={"tastes": {"cappuccino": 0.38}, "favourites": ("cappuccino",)})
    assert sentences(Record(about, decided(about), 0.5, "issued"))[2] == "You named Cappuccino as a favourite."
