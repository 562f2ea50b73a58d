"""Files taken into the books; the same file again changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from backend.service.chain_model import ImportCount
from backend.service.importing import read_members, read_purchases
from backend.service.imports import import_members, import_menu, import_purchases
from backend.service.learn import Learnt, learn
from backend.service.ports import Ports
from backend.service.staff import COMMAND_LINE, Actor
from backend.twins import twin_ports
from stores.importing import read_menu
from stores.model import Circle, Position, Store
from tests.backend.api.world import BY, NOW

MEMBERS = (
    b"member_id,uid,tier,weekly_maximum,location_offers,personalisation,text_version\n"
    b"aino,u-aino,gold,2,true,true,v1\n"
    b"eero,,,,false,,v1\n"
)
PURCHASES = (
    b"store_id,member_id,at,product_id,quantity,unit_price,currency,ticket\n"
    b"kamppi,aino,2026-05-26T11:05:00Z,espresso,2,2.90,EUR,t1\n"
    b"kamppi,aino,2026-05-26T11:05:00Z,tea,1,3.00,EUR,t1\n"
    b"kamppi,,2026-05-26T11:35:00Z,tea,1,3.00,EUR,t2\n"
    b"nowhere,,2026-05-26T11:35:00Z,tea,1,3.00,EUR,t3\n"
)


def chain() -> Ports:
    """One store in Helsinki."""
    ports = twin_ports()
    ports.chain.put_stores(
        [Store("kamppi", "Kamppi", Position(60.17, 24.93), Circle(150), time_zone="Europe/Helsinki")], BY
    )
    return ports


def test_members_come_with_what_the_file_says() -> None:
    ports = chain()
    done = import_members(ports, read_members(MEMBERS).members, BY)
    assert done.count == ImportCount(added=2)
    aino = ports.members.get("aino")
    assert aino is not None
    assert (aino.uid, aino.tier, aino.preferences.weekly_maximum) == ("u-aino", "gold", 2)
    assert aino.consents == {"location_offers", "personalisation"}


def test_the_same_members_again_change_nothing() -> None:
    ports = chain()
    rows = read_members(MEMBERS).members
    import_members(ports, rows, BY)
    assert import_members(ports, rows, BY).count == ImportCount(unchanged=2)


def test_what_the_file_does_not_say_stays() -> None:
    ports = chain()
    import_members(ports, read_members(MEMBERS).members, BY)
    import_members(ports, read_members(b"member_id,tier\naino,reserve\n").members, BY)
    aino = ports.members.get("aino")
    assert aino is not None
    assert (aino.uid, aino.tier, aino.consents) == ("u-aino", "reserve", {"location_offers", "personalisation"})


def test_purchases_of_unknown_stores_are_reported_and_the_others_taken() -> None:
    ports = chain()
    done = import_purchases(ports, read_purchases(PURCHASES).purchases, BY)
    assert done.count == ImportCount(added=2)
    assert [(problem.row, problem.field) for problem in done.problems] == [(4, "store_id")]
    assert import_purchases(ports, read_purchases(PURCHASES).purchases, BY).count == ImportCount(unchanged=2)


def test_learning_counts_arrivals_in_the_stores_own_hours() -> None:
    ports = chain()
    import_members(ports, read_members(MEMBERS).members, BY)
    import_purchases(ports, read_purchases(PURCHASES).purchases, BY)
    assert learn(ports, BY) == Learnt(stores=1, members=1)
    tuesday_14 = 24 + 14
    usual = [ports.chain.traffic("kamppi", NOW, NOW, hour) for hour in (tuesday_14, tuesday_14 + 1)]
    assert [each.baseline_per_hour if each else "gone" for each in usual] == [2.0, None]
    aino = ports.members.get("aino")
    assert aino is not None
    assert aino.tastes == {"espresso": 2 / 3, "tea": 1 / 3}


def test_a_menu_row_of_an_unknown_store_is_reported_by_its_row() -> None:
    menu = read_menu(b"store_id,product_id,name,price,currency\n,tea,Tea,3.00,EUR\nnowhere,tea,Tea,2.00,EUR\n")
    done = import_menu(chain(), menu.items, BY)
    assert (done.count, [problem.row for problem in done.problems]) == (ImportCount(added=1), [2])


def test_a_file_grants_tiers_until_they_end_and_states_profiles() -> None:
    ports = twin_ports()
    first = b"member_id,tier,tier_until,name,languages\naino,gold,2026-12-31T22:00:00Z,Aino,fi\n"
    import_members(ports, read_members(first).members, BY)
    import_members(ports, read_members(b"member_id,name\naino,Aino V\n").members, BY)
    aino = ports.members.get("aino")
    assert aino is not None
    assert (aino.profile.name, aino.profile.languages) == ("Aino V", ("fi",))
    end = datetime(2026, 12, 31, 22, tzinfo=UTC)
    assert [aino.tier_at(NOW), aino.tier_at(end)] == ["gold", "green"]


def test_the_same_tier_again_is_no_new_grant() -> None:
    """A nightly import of the same file changes nothing; one that states another tier has the last word."""
    ports = twin_ports()
    rows = read_members(b"member_id,tier\naino,gold\n").members
    assert import_members(ports, rows, BY).count.added == 1
    assert import_members(ports, rows, Actor(COMMAND_LINE, NOW + timedelta(days=1))).count.unchanged == 1
    import_members(ports, read_members(b"member_id,tier\naino,green\n").members, BY)
    aino = ports.members.get("aino")
    assert aino is not None
    assert aino.tier == "green"


def test_a_purchase_of_tomorrow_is_reported_by_its_row() -> None:
    header = b"store_id,at,product_id,quantity,unit_price,currency\n"
    rows = b"".join(b"kamppi,%s,tea,1,2.00,EUR\n" % at for at in (b"2099-06-02T03:00:00Z", b"2020-06-02T03:00:00Z"))
    done = import_purchases(chain(), read_purchases(header + rows).purchases, BY)
    assert (done.count.added, [(problem.row, problem.field) for problem in done.problems]) == (1, [(1, "at")])


def test_a_member_who_is_not_born_yet_is_reported_by_their_row() -> None:
    ports = twin_ports()
    rows = read_members(b"member_id,birthday\naino,2098-06-02\nbirk,1990-06-02\n").members
    done = import_members(ports, rows, BY)
    assert (done.count.added, [(problem.row, problem.field) for problem in done.problems]) == (1, [(1, "birthday")])
    assert ports.members.get("aino") is None
