"""Every change by staff is in the audit log, with who, what, before, after and when; and there it stays."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from backend.decision.snapshot import Snapshot
from backend.service.errors import NotFound
from backend.service.loyalty_model import LoyaltyRules, TierGrant
from backend.service.model import Member
from backend.service.ports import Ports
from backend.service.retention import Retention
from backend.service.staff import AuditEntry, NewKey
from backend.service.tidying import tidy
from tests.contracts.examples import (
    BY,
    CAPPUCCINO,
    CONSENT,
    KAMPPI,
    OFFER,
    PASILA,
    SPRING,
    at_once,
    give,
    once,
    open_shop,
    purchase,
)
from tests.contracts.test_chain_contract import CLINIC, SCHOOL

LONG = 100
EERO, INES = Member("eero", "uid-eero", "green"), Member("ines", "uid-ines", "green")


def make_key(ports: Ports) -> str:
    """The id of a new key."""
    return ports.identity.create_key(NewKey("till"), BY)[0].id


def first_key(ports: Ports) -> str:
    """The id of the only key."""
    return ports.identity.api_keys()[0].id


def anybody(_: object) -> bool:
    """Every key may be touched."""
    return True


Do = Callable[[Ports], object]
CHANGES: dict[str, tuple[Do, Do]] = {
    "chain.put_stores": (open_shop, lambda ports: ports.chain.put_stores([replace(KAMPPI, staff=9)], BY)),
    "chain.change_store": (
        open_shop,
        lambda ports: ports.chain.change_store("kamppi", lambda old: replace(old, staff=9), BY),
    ),
    "chain.put_sensitive_places": (open_shop, lambda ports: ports.chain.put_sensitive_places([SCHOOL], BY)),
    "chain.drop_sensitive_places": (
        lambda ports: ports.chain.put_sensitive_places([SCHOOL], BY),
        lambda ports: ports.chain.drop_sensitive_places("school", BY),
    ),
    "chain.put_menu": (open_shop, lambda ports: ports.chain.put_menu({"kamppi": [CAPPUCCINO]}, BY)),
    "chain.put_offer": (open_shop, lambda ports: ports.chain.put_offer(replace(OFFER, title="New"), BY)),
    "chain.add_campaign": (open_shop, lambda ports: ports.chain.add_campaign(replace(SPRING, id="autumn"), BY)),
    "chain.change_campaign": (
        open_shop,
        lambda ports: ports.chain.change_campaign("spring", lambda old: replace(old, status="paused"), BY),
    ),
    "chain.pause": (open_shop, lambda ports: ports.chain.pause("kamppi", BY)),
    "chain.resume": (lambda ports: ports.chain.pause("*", BY), lambda ports: ports.chain.resume("*", BY)),
    "chain.set_baselines": (open_shop, lambda ports: ports.chain.set_baselines({"kamppi": {41: 12.5}}, BY)),
    "chain.publish": (open_shop, lambda ports: ports.chain.publish(Snapshot(2), BY)),
    "ledger.revoke": (open_shop, lambda ports: ports.ledger.revoke(give(ports).id, "Out of milk", BY, anybody)),
    "ledger.adjust_stars": (
        open_shop,
        lambda ports: ports.ledger.adjust_stars(once("lost card"), "aino", 300, "lost card", BY),
    ),
    "ledger.add_purchases": (open_shop, lambda ports: ports.ledger.add_purchases([purchase("p", "aino")], BY)),
    "members.add": (open_shop, lambda ports: ports.members.add([(EERO, ())], BY)),
    "members.set_tastes": (open_shop, lambda ports: ports.members.set_tastes({"aino": {"bun": 1.0}}, BY)),
    "members.set_loyalty_rules": (
        open_shop,
        lambda ports: ports.members.set_loyalty_rules(LoyaltyRules(), BY.at, BY),
    ),
    "members.grant_tier": (
        open_shop,
        lambda ports: ports.members.grant_tier("aino", TierGrant("gold", None, BY.id, "", BY.at)),
    ),
    "identity.create_key": (open_shop, make_key),
    "identity.rotate_key": (
        make_key,
        lambda ports: ports.identity.rotate_key(first_key(ports), anybody, timedelta(), BY),
    ),
    "identity.revoke_key": (make_key, lambda ports: ports.identity.revoke_key(first_key(ports), anybody, BY)),
}
"""What staff can change: how to get there, and a change."""
OTHERS = {
    "chain.version", "chain.stores", "chain.sensitive_places", "chain.menu", "chain.offers", "chain.campaigns",
    "chain.booked", "chain.check", "chain.paused", "chain.snapshot", "chain.traffic",
    "chain.observe",
    "identity.uid", "identity.key", "identity.api_keys", "identity.audit", "identity.note_use",
    "identity.wrong_codes", "identity.clear_wrong_codes", "identity.forget_wrong_codes",
    "identity.create_device_key", "identity.device_keys", "identity.device_key", "identity.revoke_device_key",
}  # fmt: skip
"""What reads, what tills measure, and what members do with their own keys."""


def log(ports: Ports) -> tuple[AuditEntry, ...]:
    """The newest entries."""
    return ports.identity.audit(None, LONG)


def cut(ports: Ports, before: datetime) -> int:
    """Let retention take out the entries from before this moment; how many it took."""
    return tidy(ports.ledger, before + Retention().audit)


def methods(field: str) -> dict[str, Callable[..., object]]:
    """What a port can do."""
    found = inspect.getmembers(_protocol(field), inspect.isfunction)
    return {f"{field}.{name}": method for name, method in found if not name.startswith("_")}


def test_every_method_of_chain_and_identity_says_whether_staff_change_something_by_it() -> None:
    found = methods("chain") | methods("identity")
    assert set(found) == {name for name in CHANGES if name.startswith(("chain.", "identity."))} | OTHERS


def test_whatever_is_done_by_somebody_is_tried_here() -> None:
    everything = methods("chain") | methods("identity") | methods("members") | methods("ledger")
    by = {name for name, method in everything.items() if "by" in inspect.signature(method).parameters}
    assert by == CHANGES.keys() - {"members.grant_tier"}  # whose grant tells who gives it


def _protocol(field: str) -> type:
    kinds = inspect.get_annotations(Ports, eval_str=True)
    kind: type = kinds[field]
    return kind


@pytest.mark.parametrize("change", list(CHANGES))
def test_a_change_is_logged_once_with_who_and_when(ports: Ports, change: str) -> None:
    before, do = CHANGES[change]
    before(ports)
    known = len(log(ports))
    do(ports)
    entries = log(ports)
    assert len(entries) == known + 1
    assert (entries[0].by, entries[0].at) == (BY.id, BY.at)
    assert entries[0].before != entries[0].after


def test_a_change_is_logged_with_what_stood_there_before(ports: Ports) -> None:
    open_shop(ports)
    ports.chain.change_store("kamppi", lambda old: replace(old, staff=9), replace(BY, at=BY.at + timedelta(hours=1)))
    entry = log(ports)[0]
    assert (entry.what, entry.object_id, entry.by, entry.at) == ("store", "kamppi", BY.id, BY.at + timedelta(hours=1))
    assert entry.before is not None
    assert entry.after is not None
    assert (entry.before["staff"], entry.after["staff"]) == (2, 9)
    assert entry.before | {"staff": 9} == entry.after


def test_what_is_new_was_nothing_before_and_what_is_gone_is_nothing_after(ports: Ports) -> None:
    ports.chain.put_sensitive_places([SCHOOL, CLINIC], BY)
    ports.chain.drop_sensitive_places("school", BY)
    gone, *added = log(ports)
    assert (gone.object_id, gone.before is None, gone.after) == (SCHOOL.id, False, None)
    assert [(each.before, each.after is None) for each in added] == [(None, False)] * 2


def test_an_import_is_logged_thing_by_thing_and_what_stays_is_not(ports: Ports) -> None:
    ports.chain.put_stores([KAMPPI], BY)
    ports.chain.put_stores([KAMPPI, PASILA], BY)
    ports.chain.put_menu({"": [CAPPUCCINO], "kamppi": [CAPPUCCINO]}, BY)
    named = [(each.what, each.object_id) for each in reversed(log(ports))]
    assert named[:2] == [("store", "kamppi"), ("store", "pasila")]
    assert sorted(named[2:]) == [("menu item", "*/cappuccino"), ("menu item", "kamppi/cappuccino")]


def test_what_is_done_to_members_is_one_entry_that_says_how_many_and_names_nobody(ports: Ports) -> None:
    open_shop(ports)
    known = len(log(ports))
    ports.members.add([(EERO, (CONSENT, replace(CONSENT, purpose="personalisation"))), (INES, ())], BY)
    ports.ledger.add_purchases([purchase("p", "eero"), purchase("q", "eero")], BY)
    ports.chain.set_baselines({"kamppi": {41: 12.5}}, BY)
    ports.members.set_tastes({"eero": {"bun": 1.0}, "ines": {"bun": 1.0}}, BY)
    entries = [(each.what, each.object_id, each.before, each.after) for each in reversed(log(ports)[:-known])]
    assert entries == [
        ("members", "import", None, {"changed": 2}),
        ("purchases", "import", None, {"added": 2}),
        ("baselines", "learn", None, {"stores": 1}),
        ("tastes", "learn", None, {"members": 1}),
    ]


def test_what_changes_nothing_is_not_logged(ports: Ports) -> None:
    open_shop(ports)
    ports.chain.pause("kamppi", BY)
    known = log(ports)
    ports.chain.put_stores([KAMPPI], BY)
    ports.chain.put_offer(OFFER, BY)
    ports.chain.put_menu({"": [CAPPUCCINO]}, BY)
    ports.chain.change_campaign("spring", lambda old: old, BY)
    ports.chain.pause("kamppi", BY)
    ports.chain.resume("pasila", BY)
    ports.members.add([(Member("aino", "uid-aino", "green"), (CONSENT,))], BY)
    ports.ledger.add_purchases([], BY)
    ports.members.set_tastes({}, BY)
    assert log(ports) == known


def test_a_refused_change_leaves_no_entry(ports: Ports) -> None:
    open_shop(ports)
    known = log(ports)
    with pytest.raises(NotFound):
        ports.chain.change_store("none", lambda old: old, BY)
    with pytest.raises(NotFound):
        ports.identity.revoke_key("none", anybody, BY)
    assert log(ports) == known


def test_the_log_of_keys_tells_no_secret(ports: Ports) -> None:
    key, first = ports.identity.create_key(NewKey("till", frozenset({"kamppi"}), label="Bar"), BY)
    _, second = ports.identity.rotate_key(key.id, anybody, timedelta(hours=1), BY)
    told = repr(log(ports))
    assert "Bar" in told
    assert first not in told
    assert second not in told
    assert "hash" not in told


def test_the_log_is_read_page_by_page_newest_first(ports: Ports) -> None:
    for number in range(5):
        ports.chain.put_stores([replace(KAMPPI, staff=number)], BY)
    everything = log(ports)
    first = ports.identity.audit(None, 2)
    assert first + ports.identity.audit(first[-1].id, LONG) == everything
    assert ports.identity.audit(10**18 - 1, LONG) == everything
    staff = [each.after["staff"] for each in everything if each.after]
    assert staff == [4, 3, 2, 1, 0]


def test_changes_made_at_once_are_all_logged(ports: Ports) -> None:
    ports.chain.put_stores([KAMPPI], BY)
    at_once(8, lambda n: ports.chain.change_store("kamppi", lambda old: replace(old, staff=(old.staff or 0) + 1), BY))
    entries = log(ports)[:8]
    chain = [(each.before["staff"], each.after["staff"]) for each in entries if each.before and each.after]
    assert sorted(chain) == [(number, number + 1) for number in range(2, 10)]


def test_retention_cuts_the_oldest_entries(ports: Ports) -> None:
    for hour in range(4):
        by = replace(BY, at=BY.at + timedelta(hours=hour))
        ports.chain.put_stores([replace(KAMPPI, staff=hour)], by)
    kept = log(ports)[:2]
    assert cut(ports, BY.at + timedelta(hours=2)) == 2
    assert log(ports) == kept
    assert cut(ports, BY.at + timedelta(hours=2)) == 0
    assert cut(ports, BY.at + timedelta(hours=9)) == 2
    ports.chain.put_stores([KAMPPI], BY)
    assert len(log(ports)) == 1


def test_an_entry_that_is_to_stay_keeps_those_after_it(ports: Ports) -> None:
    """As after a clock was set back."""
    for hours in (0, 5, 1):
        ports.chain.pause(f"{hours}", replace(BY, at=BY.at + timedelta(hours=hours)))
    assert cut(ports, BY.at + timedelta(hours=2)) == 1
    assert [entry.object_id for entry in log(ports)] == ["1", "5"]
