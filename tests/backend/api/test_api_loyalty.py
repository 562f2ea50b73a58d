"""Tiers, stars and profiles over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from backend.service.chain_model import ImportCount
from backend.service.importing import read_members
from backend.service.imports import import_members
from tests.backend.api.world import BASKET, BY, Lull, stamp

DAY = 86_400
PROFILE: dict[str, Any] = {
    "name": "Aino Virtanen",
    "birthday": "02-29",
    "gender": "woman",
    "favourite_products": ["cappuccino"],
    "dietary_wishes": ["no nuts"],
    "languages": ["fi", "sv-FI"],
}
NOTHING = {
    "name": None,
    "birthday": None,
    "gender": None,
    "favourite_products": [],
    "dietary_wishes": [],
    "languages": [],
}


def me(lull: Lull) -> dict[str, Any]:
    answer = lull.get("/v1/me", lull.member)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()
    return found


def buy(lull: Lull, total_minor: int, once: str) -> None:
    body = {
        **BASKET,
        "items": [{"product_id": "cappuccino", "quantity": 1, "unit_price_minor": total_minor}],
        "total_minor": total_minor,
        "member_id": me(lull)["member_id"],
        "at": stamp(lull.clock.moved),
    }
    assert lull.post("/v1/purchases", body, lull.till, once).status_code == 201


def test_a_new_member_is_green_and_sees_what_gold_wants(lull: Lull) -> None:
    found = me(lull)
    assert (found["tier"], found["tier_since"], found["tier_until"]) == ("green", None, None)
    assert (found["stars"], found["next_tier"], found["stars_to_next"]) == (0, "gold", 300)
    assert (found["qualifying_days"], found["profile"]) == (365, NOTHING)


def test_purchases_make_a_tier_and_time_ends_it(lull: Lull) -> None:
    lull.open_chain()
    buy(lull, 29_999, "a")
    assert (me(lull)["tier"], me(lull)["stars"], me(lull)["stars_to_next"]) == ("green", 299, 1)
    lull.clock.moved = 60
    buy(lull, 100, "b")
    found = me(lull)
    assert (found["tier"], found["stars"], found["next_tier"]) == ("gold", 300, "reserve")
    assert (found["tier_since"], found["tier_until"]) == (stamp(60), stamp(395 * DAY))
    lull.clock.moved = 395 * DAY - 1
    assert me(lull)["tier"] == "gold"
    lull.clock.moved = 395 * DAY
    assert (me(lull)["tier"], me(lull)["tier_since"], me(lull)["stars"]) == ("green", stamp(395 * DAY), 0)


def test_a_redemption_earns_what_was_paid_and_its_roll_back_takes_it_away(lull: Lull) -> None:
    coupon = lull.issue()
    body = BASKET | {"code": coupon["code"]}
    done = lull.post("/v1/redemptions", body, lull.till, "r").get_json()
    assert (done["to_pay_minor"], me(lull)["stars"]) == (300, 3)
    undo = lull.post(f"/v1/redemptions/{done['id']}/rollback", {"reason": "wrong"}, lull.till, "u")
    assert (undo.status_code, me(lull)["stars"]) == (201, 0)


def test_a_member_states_and_clears_what_they_like(lull: Lull) -> None:
    assert lull.patch("/v1/me/profile", PROFILE, lull.member).get_json() == PROFILE
    assert me(lull)["profile"] == PROFILE
    changed = lull.patch("/v1/me/profile", {"name": None, "languages": []}, lull.member).get_json()
    assert changed == PROFILE | {"name": None, "languages": []}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"tier": "reserve"}, "tier"),
        ({"stars": 900}, "stars"),
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"languages": ["not a language"]}, "languages.0"),
        ({"favourite_products": ["p"] * 51}, "favourite_products"),
    ],
)
def test_what_cannot_be_stated_is_refused_and_changes_nothing(lull: Lull, body: dict[str, Any], field: str) -> None:
    """Neither a tier nor stars are the phone's to set; and no answer repeats what was sent."""
    lull.patch("/v1/me/profile", PROFILE, lull.member)
    answer = lull.patch("/v1/me/profile", body, lull.member)
    assert (answer.status_code, answer.get_json()["errors"][0]["field"]) == (422, field)
    assert "xxx" not in answer.text
    assert (me(lull)["profile"], me(lull)["tier"], me(lull)["stars"]) == (PROFILE, "green", 0)


@pytest.mark.parametrize("birthday", ["06-02", "1990-06-02", "02-29", None])
def test_a_birthday_is_told_as_it_was_written(lull: Lull, birthday: str | None) -> None:
    told = lull.patch("/v1/me/profile", {"birthday": birthday}, lull.member).get_json()
    exported = lull.get("/v1/me/export", lull.member).get_json()
    assert told["birthday"] == me(lull)["profile"]["birthday"] == exported["profile"]["birthday"] == birthday


@pytest.mark.parametrize(
    "birthday", ["6-2", "30.2.", "02-30", "2026-02-29", "1066-10-14", "--06-02", {"month": 6, "day": 2}]
)
def test_a_birthday_is_written_in_one_way(lull: Lull, birthday: object) -> None:
    answer = lull.patch("/v1/me/profile", {"birthday": birthday}, lull.member)
    assert (answer.status_code, answer.get_json()["errors"][0]["field"]) == (422, "birthday")


def test_nobody_is_born_tomorrow(lull: Lull) -> None:
    answer = lull.patch("/v1/me/profile", {"birthday": "2026-06-03"}, lull.member)
    assert (answer.status_code, answer.get_json()["type"]) == (422, "/problems/birthday_ahead")


def test_a_patch_that_names_nothing_is_refused(lull: Lull) -> None:
    assert lull.patch("/v1/me/profile", {}, lull.member).status_code == 422


def test_until_rules_are_published_the_defaults_hold(lull: Lull) -> None:
    found = lull.get("/v1/loyalty", lull.marketer).get_json()
    assert (found["current"]["version"], found["upcoming"]) == (0, None)
    assert (found["current"]["rules"]["minor_per_star"], found["current"]["rules"]["imports_earn"]) == (100, False)


def test_rules_hold_from_when_they_say(lull: Lull) -> None:
    later = stamp(DAY)
    published = lull.put("/v1/loyalty", {"gold_at": 5, "reserve_at": 9, "effective_from": later}, lull.marketer)
    assert (published.status_code, published.get_json()["version"]) == (200, 1)
    found = lull.get("/v1/loyalty", lull.marketer).get_json()
    assert (found["current"]["version"], found["upcoming"]["effective_from"]) == (0, later)
    lull.clock.moved = DAY
    found = lull.get("/v1/loyalty", lull.marketer).get_json()
    assert (found["current"]["rules"]["gold_at"], found["upcoming"]) == (5, None)
    assert me(lull)["stars_to_next"] == 5


def test_the_same_rules_again_are_no_new_ones(lull: Lull) -> None:
    body = {"gold_at": 5, "tier_percent": {"gold": 150}, "product_percent": {"cappuccino": 200}}
    published = [lull.put("/v1/loyalty", body, lull.marketer).get_json() for _ in range(2)]
    assert published[0] == published[1]


@pytest.mark.parametrize(
    "body",
    [
        {"gold_at": 10, "reserve_at": 9},
        {"minor_per_star": 0},
        {"minor_per_star_in": {"euro": 100}},
        {"tier_percent": {"bronze": 100}},
        {"grace_days": -1},
        {"effective_from": stamp(-1)},
    ],
)
def test_rules_that_make_no_sense_are_refused(lull: Lull, body: dict[str, Any]) -> None:
    assert lull.put("/v1/loyalty", body, lull.marketer).status_code == 422
    assert lull.get("/v1/loyalty", lull.marketer).get_json()["current"]["version"] == 0


def test_a_key_of_single_stores_publishes_no_rules_and_grants_nothing(lull: Lull) -> None:
    """Not even an admin's; and it learns nothing of who is a member."""
    assert lull.put("/v1/loyalty", {}, lull.key("marketer", {"kamppi"})).status_code == 403
    bound = lull.key("admin", {"kamppi"})
    told = [lull.post(f"/v1/members/{who}/tier", {"tier": "gold", "reason": "."}, bound).text for who in ("x", "y")]
    assert told[0] == told[1]
    assert "stores_not_yours" in told[0]


def test_an_admin_grants_a_tier_until_a_moment(lull: Lull) -> None:
    path = f"/v1/members/{me(lull)['member_id']}/tier"
    body = {"tier": "gold", "until": stamp(DAY), "reason": "She waited an hour"}
    answers = [lull.post(path, body, lull.admin) for _ in range(2)]
    assert answers[0].status_code == 200
    assert answers[0].get_json() == answers[1].get_json()
    assert answers[0].get_json().items() >= {"tier": "gold", "tier_since": stamp(), "tier_until": stamp(DAY)}.items()
    assert len([entry for entry in lull.world.audit if entry.what == "tier"]) == 1
    lull.clock.moved = DAY
    assert me(lull)["tier"] == "green"


@pytest.mark.parametrize("who", ["marketer", "analyst", "till", "member"])
def test_only_an_admin_grants_tiers_and_stars(lull: Lull, who: str) -> None:
    member_id = me(lull)["member_id"]
    credential = getattr(lull, who)
    assert lull.post(f"/v1/members/{member_id}/tier", {"tier": "gold", "reason": "."}, credential).status_code == 403
    assert lull.post(f"/v1/members/{member_id}/stars", {"delta": 1, "reason": "."}, credential, "k").status_code == 403
    assert (me(lull)["tier"], me(lull)["stars"]) == ("green", 0)


def test_an_end_that_is_past_and_a_member_who_is_not_there_are_refused(lull: Lull) -> None:
    path = f"/v1/members/{me(lull)['member_id']}/tier"
    past = lull.post(path, {"tier": "gold", "until": stamp(), "reason": "."}, lull.admin)
    assert (past.status_code, past.get_json()["type"]) == (422, "/problems/until_in_the_past")
    nobody = lull.post("/v1/members/nobody/tier", {"tier": "gold", "reason": "."}, lull.admin)
    assert (nobody.status_code, nobody.get_json()["type"]) == (404, "/problems/member_unknown")


def test_an_adjustment_is_booked_once(lull: Lull) -> None:
    path = f"/v1/members/{me(lull)['member_id']}/stars"
    answers = [lull.post(path, {"delta": 300, "reason": "Lost card"}, lull.admin, "k") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].get_json() == answers[1].get_json()
    assert (me(lull)["stars"], me(lull)["tier"]) == (300, "gold")


def test_no_more_stars_are_taken_than_count(lull: Lull) -> None:
    path = f"/v1/members/{me(lull)['member_id']}/stars"
    lull.post(path, {"delta": 10, "reason": "Lost card"}, lull.admin, "k")
    answer = lull.post(path, {"delta": -11, "reason": "Wrong"}, lull.admin, "l")
    assert (answer.status_code, answer.get_json()["type"]) == (409, "/problems/stars_missing")
    assert lull.post(path, {"delta": -10, "reason": "Wrong"}, lull.admin, "m").status_code == 201
    assert me(lull)["stars"] == 0


def test_an_unknown_members_stars_cannot_be_adjusted(lull: Lull) -> None:
    answer = lull.post("/v1/members/nobody/stars", {"delta": 1, "reason": "."}, lull.admin, "k")
    assert (answer.status_code, answer.get_json()["type"]) == (404, "/problems/member_unknown")


@pytest.mark.parametrize("agreed", [True, False])
def test_favourites_choose_only_with_consent_to_personalisation(lull: Lull, agreed: bool) -> None:
    """Withdrawn, they are still the member's to see, and no decision has them."""
    lull.patch("/v1/me/profile", {"favourite_products": ["cappuccino"]}, lull.member)
    consent = {"granted": agreed, "text_version": "2026-01"}
    assert lull.put("/v1/me/consents/personalisation", consent, lull.member).status_code == 200
    coupon = lull.issue()
    record = lull.ports.ledger.decision(coupon["id"])
    assert record is not None
    assert record.facts.member.favourites == (("cappuccino",) if agreed else ())
    assert me(lull)["profile"]["favourite_products"] == ["cappuccino"]


def test_a_member_whose_id_has_slashes_is_granted_a_tier(lull: Lull) -> None:
    import_members(lull.ports, read_members(b"member_id\nnorth/7//a\n").members, BY)
    answer = lull.post("/v1/members/north%2F7%2F%2Fa/tier", {"tier": "gold", "reason": "."}, lull.admin)
    assert (answer.status_code, answer.get_json()["member_id"]) == (200, "north/7//a")


def test_no_file_takes_back_what_a_member_set_in_the_app(lull: Lull) -> None:
    member_id = me(lull)["member_id"]
    lull.patch("/v1/me/profile", {"name": None}, lull.member)
    lull.patch("/v1/me/preferences", {"weekly_maximum": 1}, lull.member)
    lull.put("/v1/me/consents/location_offers", {"granted": False, "text_version": "1"}, lull.member)
    file = f"member_id,name,weekly_maximum,location_offers,text_version\n{member_id},Aino,7,true,1\n"
    assert import_members(lull.ports, read_members(file.encode()).members, BY).count == ImportCount(unchanged=1)
    assert me(lull)["profile"]["name"] is None
    assert lull.get("/v1/me/preferences", lull.member).get_json()["weekly_maximum"] == 1
    agreed = {each["purpose"]: each["granted"] for each in lull.get("/v1/me/consents", lull.member).get_json()["items"]}
    assert not agreed["location_offers"]
