"""What a campaign's decisions came to, as reports want it."""

from __future__ import annotations

from backend.service.model import BasketItem, Chance
from backend.service.ports import Ports
from tests.contracts.examples import NOW, answer, ghost, give, minutes, open_shop, put_down, redeem, roll_back, seen


def test_chances_tell_what_became_of_each_offer_of_a_campaign(ports: Ports) -> None:
    open_shop(ports, members=("aino", "eero"))
    redeem(ports, give(ports))
    put_down(ports, ghost("eero", at=1))
    put_down(ports, answer(seen("eero", at=2, paused=True), at=2))
    found = sorted(ports.ledger.chances("spring", NOW, NOW + minutes(9)), key=lambda each: each.member_id)
    assert found == [
        Chance("aino", "kamppi", found[0].tier, "issued", frozenset({"issued", "redeemed"}), 100),
        Chance("eero", "kamppi", found[1].tier, "ghost"),
    ]
    assert ports.ledger.chances("other", NOW, NOW + minutes(9)) == ()
    assert len(ports.ledger.chances("spring", NOW, NOW + minutes(1))) == 1


def test_a_chance_cost_what_its_coupon_still_takes_off(ports: Ports) -> None:
    open_shop(ports, members=("aino", "eero"))
    dear, cheap = BasketItem("cappuccino", 1, 400), BasketItem("cappuccino", 1, 60)
    part = redeem(ports, give(ports), items=(dear, cheap), total_minor=460)
    whole = redeem(ports, give(ports, "eero"), "k2")
    roll_back(ports, part.id, dear)
    roll_back(ports, whole.id, key="back 2")
    found = {each.member_id: each for each in ports.ledger.chances("spring", NOW, NOW + minutes(9))}
    assert (part.discount_minor, found["aino"].spent_minor, found["eero"].spent_minor) == (100, 60, 0)
    assert ["rolled_back" in found[each].events for each in ("aino", "eero")] == [False, True]
