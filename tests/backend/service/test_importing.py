"""Members and purchases from CSV files."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from backend.service.importing import read_members, read_purchases
from backend.service.loyalty_model import Birthday
from backend.service.model import BasketItem

MEMBER_HEADER = (
    "member_id,uid,tier,time_zone,locale,quiet_start,quiet_end,weekly_maximum,muted_products,"
    "location_offers,personalisation,measurement,text_version"
)
PURCHASE_HEADER = "ticket,store_id,member_id,timestamp,product_id,quantity,unit_price,currency"


def csv_file(*lines: str) -> bytes:
    return "\n".join(lines).encode()


def test_a_full_row_becomes_a_member() -> None:
    row = "m1,u1,Gold,Europe/Helsinki,fi,22:00,07:00,2,espresso; mocha,true,false,,2026-01"
    (member,) = read_members(csv_file(MEMBER_HEADER, row)).members
    assert (member.member_id, member.uid, member.tier, member.locale) == ("m1", "u1", "gold", "fi")
    assert member.quiet_hours == (time(22), time(7))
    assert (member.weekly_maximum, member.muted_products) == (2, ("espresso", "mocha"))
    assert member.consents == {"location_offers": True, "personalisation": False}


def test_a_consent_that_is_not_stated_is_not_given() -> None:
    (member,) = read_members(csv_file("member_id", "m1")).members
    assert (member.consents, member.quiet_hours, member.tier, member.weekly_maximum) == ({}, None, None, None)


@pytest.mark.parametrize(
    ("header", "row", "field"),
    [
        ("member_id,tier", "b,bronze", "tier"),
        ("member_id,time_zone", "b,Mars/Olympus", "time_zone"),
        ("member_id,quiet_start,quiet_end", "b,22:00,", "quiet_end"),
        ("member_id,quiet_start,quiet_end", "b,22:00,7", "quiet_end"),
        ("member_id,weekly_maximum", "b,-1", "weekly_maximum"),
        ("member_id,measurement,text_version", "b,maybe,1", "measurement"),
        ("member_id,measurement", "b,true", "text_version"),
        ("member_id", "a", "member_id"),
        ("member_id", "/b", "member_id"),
        ("member_id,uid", "b,u\tb", "uid"),
    ],
)
def test_a_bad_member_is_reported(header: str, row: str, field: str) -> None:
    result = read_members(csv_file(header, "a" + "," * header.count(","), row))
    assert [member.member_id for member in result.members] == ["a"]
    assert [(problem.row, problem.field) for problem in result.problems] == [(2, field)]


def test_a_row_may_state_a_profile_and_when_the_tier_ends() -> None:
    header = "member_id,tier,tier_until,name,birthday,gender,favourite_products,dietary_wishes,languages"
    row = "m1,gold,2026-12-31T22:00:00Z,Aino,02-29,woman,bun; tea;bun,vegan,fi;sv"
    (member,) = read_members(csv_file(header, row)).members
    assert member.tier_until == datetime(2026, 12, 31, 22, tzinfo=UTC)
    assert member.stated == {
        "name": "Aino",
        "birthday": Birthday(2, 29),
        "gender": "woman",
        "favourite_products": ("bun", "tea"),
        "dietary_wishes": ("vegan",),
        "languages": ("fi", "sv"),
    }


def test_a_birthday_may_tell_the_year() -> None:
    (member,) = read_members(csv_file("member_id,birthday", "m1,1990-06-02")).members
    assert member.stated == {"birthday": Birthday(6, 2, 1990)}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("birthday", "30.2."),
        ("birthday", "6-2"),
        ("birthday", "--06-02"),
        ("birthday", "1990-02-30"),
        ("birthday", "1066-10-14"),
        ("name", "x" * 101),
        ("languages", ";".join(f"l{number}" for number in range(11))),
        ("tier_until", "tomorrow"),
    ],
)
def test_what_cannot_be_stated_is_reported_without_repeating_it(field: str, value: str) -> None:
    result = read_members(csv_file(f"member_id,tier,{field}", f"a,gold,{value}"))
    assert (result.members, [problem.field for problem in result.problems]) == ((), [field])
    assert value not in result.problems[0].reason


def test_an_end_without_a_tier_is_reported() -> None:
    result = read_members(csv_file("member_id,tier,tier_until", "a,,2026-12-31T22:00:00Z"))
    assert [problem.field for problem in result.problems] == ["tier"]


def test_rows_with_one_ticket_are_one_purchase() -> None:
    result = read_purchases(
        csv_file(
            PURCHASE_HEADER,
            "t1,s1,m1,2026-06-02T14:00:00Z,espresso,2,3.40,EUR",
            ",s1,,2026-06-02T17:30:00+03:00,mocha,1,4.50,EUR",
            "t1,s1,m1,2026-06-02T14:00:00Z,bun,1,2,EUR",
            "t1,s2,,2026-06-02T14:00:00Z,bun,1,2,EUR",
        )
    )
    assert result.problems == ()
    first, second, third = result.purchases
    assert first.lines == (BasketItem("espresso", 2, 340), BasketItem("bun", 1, 200))
    assert (first.total_minor, first.member_id, first.ticket_id) == (880, "m1", "t1")
    assert (second.at, second.member_id) == (datetime(2026, 6, 2, 14, 30, tzinfo=UTC), None)
    assert third.store_id == "s2"


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (",,,2026-06-02T14:00:00Z,mocha,1,4.50,EUR", "store_id"),
        (",s1,,2026-06-02T14:00:00,mocha,1,4.50,EUR", "at"),
        (",s1,,yesterday,mocha,1,4.50,EUR", "at"),
        (",s1,,2026-06-02T14:00:00Z,,1,4.50,EUR", "product_id"),
        (",s1,,2026-06-02T14:00:00Z,mocha,0,4.50,EUR", "quantity"),
        (",s1,,2026-06-02T14:00:00Z,mocha,1,4.505,EUR", "price"),
        (",s1,,2026-06-02T14:00:00Z,mocha,1,4.50,", "currency"),
    ],
)
def test_a_bad_purchase_is_reported(row: str, field: str) -> None:
    result = read_purchases(csv_file(PURCHASE_HEADER, ",s1,,2026-06-02T14:00:00Z,bun,1,2,EUR", row))
    assert len(result.purchases) == 1
    assert [(problem.row, problem.field) for problem in result.problems] == [(2, field)]


def test_a_ticket_with_a_wrong_row_is_not_imported_in_part() -> None:
    good, bad = ("t1,s1,m1,2026-06-02T14:00:00Z,bun,1,2,EUR", "t1,s1,m2,2026-06-02T14:00:00Z,bun,1,2,EUR")
    result = read_purchases(csv_file(PURCHASE_HEADER, good, bad))
    assert result.purchases == ()
    assert [(problem.row, problem.field) for problem in result.problems] == [(1, "ticket_id"), (2, "member_id")]
