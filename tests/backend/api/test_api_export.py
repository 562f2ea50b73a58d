"""`GET /v1/me/export`: everything known of a member, and nothing of anybody else."""

from __future__ import annotations

from typing import Any

import pytest

from backend.adapters.sql.tables import metadata
from backend.service.loyalty_model import StarEntry
from tests.backend.api.world import BASKET, BY, DEVICE, LAT, NOW, Lull, stamp

SECTIONS = {
    "devices": "device",
    "device_keys": "device_keys",
    "consents": "consents",
    "decisions": "decisions",
    "coupons": "coupons",
    "purchases": "purchases",
    "stars": "stars",
}
"""Where the rows of a table are in the export."""


STARS = StarEntry("s_1", "", "p_1", 40, 400, NOW, NOW, "purchase")


def names(node: Any) -> set[str]:
    """The names of all fields within."""
    if isinstance(node, list):
        return set().union(*map(names, node))
    return set(node).union(*map(names, node.values())) if isinstance(node, dict) else set()


@pytest.fixture
def export(lull: Lull) -> dict[str, Any]:
    """Of Aino, who redeemed a coupon and bought something without one."""
    coupon = lull.issue()
    lull.device_key()
    done = lull.post("/v1/redemptions", BASKET | {"code": coupon["code"]}, lull.till, once="k1").get_json()
    undone = lull.post(f"/v1/redemptions/{done['id']}/rollback", {"reason": "too hot for Aino"}, lull.till, once="k3")
    assert undone.status_code == 201
    member = lull.ports.members.sign_in("aino", lull.clock.now())
    bought = BASKET | {"at": stamp(), "member_id": member.id}
    assert lull.post("/v1/purchases", bought, lull.till, once="k2").status_code == 201
    assert lull.services.ports.members.set_tastes({member.id: {"cappuccino": 1.0}}, BY) == 0
    lull.world.stars[member.id] = [STARS]
    answer = lull.get("/v1/me/export", lull.member)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()
    return found


def test_every_table_that_names_a_member_is_in_the_export(export: dict[str, Any]) -> None:
    named = {table.name for table in metadata.tables.values() if "member_id" in table.c}
    assert named == SECTIONS.keys()
    for section in SECTIONS.values():
        assert export[section], section


def test_an_export_tells_all_there_is(export: dict[str, Any]) -> None:
    assert (export["member"]["uid"], export["member"]["tier"]) == ("aino", "green")
    assert export["device"]["registration"] == DEVICE["registration"]
    assert [each["label"] for each in export["device_keys"]] == ["Phone"]
    assert [(each["purpose"], each["granted"]) for each in export["consents"]] == [("location_offers", True)]
    assert export["preferences"]["weekly_maximum"] == 3
    assert export["presence"]["last"]["position"]["lat"] == LAT
    (coupon,) = export["coupons"]
    assert coupon["coupon"]["state"] == "rolled_back"
    assert [each["event"] for each in coupon["timeline"]] == ["issued", "redeemed", "rolled_back"]
    assert coupon["redemption"]["store_id"] == "kamppi"
    assert [each["reason"] for each in coupon["returns"]] == ["too hot for Aino"]
    assert [each["facts"]["presence"]["trigger"] for each in export["decisions"]] == ["enter"]
    assert len(export["purchases"]) == 1


def test_an_export_holds_no_secret_and_nobody_else(lull: Lull, export: dict[str, Any]) -> None:
    other = lull.post("/v1/sessions", {"id_token": "uid:eero"}, None).get_json()["token"]
    assert {"hash", "code_hash", "code", "key"}.isdisjoint(names(export))
    theirs = lull.get("/v1/me/export", other).get_json()
    assert theirs["member"]["uid"] == "eero"
    assert not any(theirs[section] for section in SECTIONS.values())


def test_an_export_names_its_schema_which_tells_of_each_of_its_fields(lull: Lull, export: dict[str, Any]) -> None:
    schema = lull.get(export["$schema"], None).get_json()
    assert schema["$id"] == export["$schema"]
    assert schema["properties"].keys() == export.keys()
    assert set(schema["required"]) <= export.keys()


def test_an_export_leaves_everything_as_it_is(lull: Lull, export: dict[str, Any]) -> None:
    again = lull.get("/v1/me/export", lull.member).get_json()
    assert again == export


def test_the_consent_log_is_told_whole(lull: Lull) -> None:
    for granted in (True, False, True):
        lull.put("/v1/me/consents/measurement", {"granted": granted, "text_version": "2"}, lull.member)
    log = lull.get("/v1/me/consents/log", lull.member).get_json()["items"]
    assert [each["granted"] for each in log] == [True, False, True]
    assert {(each["purpose"], each["text_version"], each["source"]) for each in log} == {("measurement", "2", "app")}
