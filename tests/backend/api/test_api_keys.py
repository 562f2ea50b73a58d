"""API keys as admins manage them: told once, bound to stores, rotated with an overlap, revoked at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from backend.service.api_keys import REMEMBER_S
from backend.service.errors import Unavailable
from tests.backend.api.world import STORE, Lull, stamp

OTHER_STORE = STORE | {"id": "kallio", "name": "Lull Kallio"}


@pytest.fixture
def chain(lull: Lull) -> Lull:
    """Two stores."""
    for store in (STORE, OTHER_STORE):
        assert lull.post("/v1/stores", store, lull.admin).status_code == 201
    return lull


def make(lull: Lull, admin: str | None = None, **body: Any) -> dict[str, Any]:
    """A new key, a till's unless told otherwise, with its secret."""
    made = lull.post("/v1/keys", {"role": "till"} | body, admin or lull.admin)
    assert made.status_code == 201, made.text
    said: dict[str, Any] = made.get_json()
    return said


def works(lull: Lull, secret: str) -> bool:
    """Whether a till gets in with this secret: past the credential, that is."""
    return lull.post("/v1/stores/kamppi/observations", {}, secret).status_code != 401


def test_a_key_is_told_once_and_listed_without_its_secret(chain: Lull) -> None:
    said = make(chain, store_ids=["kamppi"], label="Bar", expires_at=stamp(3600))
    secret = said.pop("key")
    assert said == {
        "id": said["id"],
        "role": "till",
        "store_ids": ["kamppi"],
        "label": "Bar",
        "created_at": stamp(),
        "expires_at": stamp(3600),
        "last_used_at": None,
        "revoked_at": None,
        "previous_until": None,
    }
    listed = chain.get("/v1/keys?limit=1000", chain.admin)
    assert said in listed.get_json()["items"]
    assert secret not in listed.text
    assert works(chain, secret)


def test_keys_are_listed_page_by_page(chain: Lull) -> None:
    everything = chain.get("/v1/keys", chain.admin).get_json()
    first = chain.get("/v1/keys?limit=3", chain.admin).get_json()
    rest = chain.get(f"/v1/keys?cursor={first['next_cursor']}", chain.admin).get_json()
    ids = [each["id"] for each in first["items"] + rest["items"]]
    assert ids == [each["id"] for each in everything["items"]]
    assert (len(first["items"]), rest["next_cursor"]) == (3, None)


def test_a_key_ends_when_it_was_told_to(chain: Lull) -> None:
    secret = make(chain, expires_at=stamp(60))["key"]
    assert works(chain, secret)
    chain.clock.moved, chain.clock.real_moved = 60.0, REMEMBER_S
    assert not works(chain, secret)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"role": "king"}, "invalid_fields"),
        ({"role": "till", "store_ids": []}, "invalid_fields"),
        ({"role": "till", "store_ids": ["nowhere"]}, "store_unknown"),
        ({"role": "till", "expires_at": stamp()}, "in_the_past"),
        ({"role": "till", "label": "a\nb"}, "invalid_fields"),
    ],
)
def test_a_key_that_cannot_be_is_refused(chain: Lull, body: dict[str, Any], problem: str) -> None:
    known = chain.world.keys.copy()
    answer = chain.post("/v1/keys", body, chain.admin)
    assert (answer.status_code, answer.get_json()["type"]) == (422, f"/problems/{problem}")
    assert chain.world.keys.keys() == known.keys()


def test_an_admin_of_some_stores_makes_keys_for_these_only(chain: Lull) -> None:
    bound = chain.key("admin", {"kallio"})
    assert make(chain, bound, store_ids=["kallio"])["store_ids"] == ["kallio"]
    for stores in (None, ["kamppi"], ["kallio", "kamppi"]):
        refused = chain.post("/v1/keys", {"role": "admin", "store_ids": stores}, bound)
        assert (refused.status_code, refused.get_json()["type"]) == (403, "/problems/stores_not_yours")


def test_keys_beyond_an_admins_stores_do_not_exist_for_them(chain: Lull) -> None:
    bound = chain.key("admin", {"kallio"})
    mine, other = make(chain, store_ids=["kallio"])["id"], make(chain, store_ids=["kamppi"])["id"]
    whole = make(chain)["id"]
    seen = {each["id"] for each in chain.get("/v1/keys", bound).get_json()["items"]}
    assert mine in seen
    assert not seen & {other, whole}
    for key_id in (other, whole, "none"):
        for method, path, body in (("POST", f"/v1/keys/{key_id}/rotate", {}), ("DELETE", f"/v1/keys/{key_id}", None)):
            answer = chain.call(method, path, bound, json=body)
            assert (answer.status_code, answer.get_json()["type"]) == (404, "/problems/key_unknown")


def test_after_a_rotation_both_secrets_are_good_until_the_overlap_is_over(chain: Lull) -> None:
    made = make(chain)
    turned = chain.post(f"/v1/keys/{made['id']}/rotate", {"overlap_s": 600}, chain.admin).get_json()
    assert (turned["id"], turned["previous_until"]) == (made["id"], stamp(600))
    assert turned["key"] != made["key"]
    assert works(chain, made["key"])
    assert works(chain, turned["key"])
    chain.clock.moved, chain.clock.real_moved = 600.0, REMEMBER_S
    assert not works(chain, made["key"])
    assert works(chain, turned["key"])


def test_a_rotation_without_overlap_ends_the_secret_before_at_once(chain: Lull) -> None:
    made = make(chain)
    assert works(chain, made["key"])
    turned = chain.post(f"/v1/keys/{made['id']}/rotate", {"overlap_s": 0}, chain.admin).get_json()
    assert not works(chain, made["key"])
    assert works(chain, turned["key"])


def test_a_second_rotation_ends_the_secret_before_the_present_one(chain: Lull) -> None:
    made = make(chain)
    path = f"/v1/keys/{made['id']}/rotate"
    second = chain.post(path, {"overlap_s": 600}, chain.admin).get_json()
    third = chain.post(path, {"overlap_s": 600}, chain.admin).get_json()
    assert [works(chain, each["key"]) for each in (made, second, third)] == [False, True, True]


def test_a_revoked_key_is_good_for_nothing_at_once_and_stays_listed(chain: Lull) -> None:
    made = make(chain)
    assert works(chain, made["key"])
    path = f"/v1/keys/{made['id']}"
    assert chain.call("DELETE", path, chain.admin).get_json()["revoked_at"] == stamp()
    assert not works(chain, made["key"])
    chain.clock.moved = 60.0
    assert chain.call("DELETE", path, chain.admin).get_json()["revoked_at"] == stamp()
    refused = chain.post(path + "/rotate", {}, chain.admin)
    assert (refused.status_code, refused.get_json()["type"]) == (409, "/problems/key_ended")


def test_another_process_takes_notice_within_seconds(chain: Lull) -> None:
    made = make(chain)
    other = Lull(world=chain.world, clock=chain.clock)
    assert works(other, made["key"])
    chain.call("DELETE", f"/v1/keys/{made['id']}", chain.admin)
    chain.clock.real_moved = REMEMBER_S
    assert not works(other, made["key"])


def test_the_last_use_is_noted_once_a_minute(chain: Lull) -> None:
    made = make(chain)

    def used() -> Any:
        return chain.world.keys[made["id"]].last_used_at

    start = chain.clock.now()
    assert used() is None
    for seconds in (0.0, 59.0):
        chain.clock.moved = chain.clock.real_moved = seconds
        assert works(chain, made["key"])
        assert used() == start
    chain.clock.moved = chain.clock.real_moved = 66.0
    assert works(chain, made["key"])
    assert used() == start + timedelta(seconds=66)


def test_no_request_fails_because_its_use_cannot_be_noted(chain: Lull, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise Unavailable("database_away", "the database cannot be reached; try again later")

    secret = make(chain)["key"]
    monkeypatch.setattr(type(chain.ports.identity), "note_use", away)
    assert works(chain, secret)


def test_what_staff_did_is_in_the_audit_log_newest_first(chain: Lull) -> None:
    admin = next(entry.id for entry in chain.ports.identity.api_keys() if entry.role == "admin")
    made = make(chain, label="Bar")
    chain.patch("/v1/stores/kamppi", {"staff": 5}, chain.admin)
    changed, created = chain.get("/v1/audit?limit=2", chain.admin).get_json()["items"]
    assert (created["by"], created["what"], created["object_id"], created["at"]) == (admin, "key", made["id"], stamp())
    assert (created["before"], created["after"]["label"]) == (None, "Bar")
    assert (changed["what"], changed["before"]["staff"], changed["after"]["staff"]) == ("store", 2, 5)


def test_the_audit_log_is_read_page_by_page_and_tells_no_secret(chain: Lull) -> None:
    secret = make(chain)["key"]
    everything = chain.get("/v1/audit", chain.admin)
    assert secret not in everything.text
    page = chain.get("/v1/audit?limit=1", chain.admin).get_json()
    rest = chain.get(f"/v1/audit?cursor={page['next_cursor']}", chain.admin).get_json()
    assert page["items"] + rest["items"] == everything.get_json()["items"]
    assert everything.get_json()["next_cursor"] is None


@pytest.mark.parametrize("cursor", ["a", "-1", "0", "1.5", "9" * 19])
def test_a_cursor_that_was_never_given_is_refused(chain: Lull, cursor: str) -> None:
    assert chain.get(f"/v1/audit?cursor={cursor}", chain.admin).status_code == 422
