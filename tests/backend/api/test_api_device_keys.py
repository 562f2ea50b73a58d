"""Keys that members make for their phones."""

from __future__ import annotations

import pytest

from backend.service.device_keys import MOST
from tests.backend.api.world import Lull, fix, stamp


def test_a_key_is_told_once_and_listed_without_its_secret(lull: Lull) -> None:
    made = lull.post("/v1/me/device-keys", {"label": "Old phone"}, lull.member)
    assert made.status_code == 201
    said = made.get_json()
    secret = said.pop("key")
    assert said == {"id": said["id"], "label": "Old phone", "created_at": stamp()}
    listed = lull.get("/v1/me/device-keys", lull.member)
    assert listed.get_json() == {"items": [said], "next_cursor": None}
    assert secret not in listed.text


def test_a_key_is_taken_back(lull: Lull) -> None:
    key_id = lull.post("/v1/me/device-keys", {"label": "Old phone"}, lull.member).get_json()["id"]
    taken = lull.call("DELETE", f"/v1/me/device-keys/{key_id}", lull.member)
    assert (taken.status_code, taken.get_json()["id"]) == (200, key_id)
    assert lull.get("/v1/me/device-keys", lull.member).get_json()["items"] == []
    again = lull.call("DELETE", f"/v1/me/device-keys/{key_id}", lull.member)
    assert (again.status_code, again.get_json()["type"]) == (404, "/problems/device_key_unknown")


def test_other_members_neither_see_nor_take_back_a_key(lull: Lull) -> None:
    key_id = lull.post("/v1/me/device-keys", {"label": "Old phone"}, lull.member).get_json()["id"]
    eero = lull.post("/v1/sessions", {"id_token": "uid:eero"}, None).get_json()["token"]
    assert lull.get("/v1/me/device-keys", eero).get_json()["items"] == []
    assert lull.call("DELETE", f"/v1/me/device-keys/{key_id}", eero).status_code == 404


def test_a_member_has_ten_keys_at_most(lull: Lull) -> None:
    answers = [lull.post("/v1/me/device-keys", {"label": "Phone"}, lull.member) for _ in range(MOST + 1)]
    assert [answer.status_code for answer in answers] == [201] * MOST + [409]
    assert answers[-1].get_json()["type"] == "/problems/too_many_device_keys"


@pytest.mark.parametrize("label", ["", "a" * 201, "a\nb", 7, None])
def test_a_label_is_a_short_line(lull: Lull, label: object) -> None:
    assert lull.post("/v1/me/device-keys", {"label": label}, lull.member).status_code == 422


def test_a_device_key_is_no_session_and_no_api_key(lull: Lull) -> None:
    secret = lull.post("/v1/me/device-keys", {"label": "Old phone"}, lull.member).get_json()["key"]
    assert lull.post("/v1/me/fixes", {"fixes": [fix()]}, secret).status_code == 401
    for path in ("/v1/me/coupons", "/v1/me/device-keys", "/v1/me/preferences", "/v1/stores", "/v1/decisions"):
        assert lull.get(path, secret).status_code == 401
