"""Who somebody is, API keys and device keys."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backend.service.errors import Conflict, InvalidIdToken, NotFound
from backend.service.model import DeviceKey
from backend.service.ports import Ports
from backend.service.staff import NewKey
from tests.contracts.examples import BY, KAMPPI, NOW, at_once


def test_an_id_token_tells_whose_it_is(ports: Ports) -> None:
    assert ports.identity.uid("uid:firebase-1") == "firebase-1"


@pytest.mark.parametrize("token", ["", "uid:", "firebase-1", "eyJ.eyJ.x"])
def test_any_other_id_token_is_refused_and_not_repeated(ports: Ports, token: str) -> None:
    with pytest.raises(InvalidIdToken) as raised:
        ports.identity.uid(token)
    assert not token or token == "uid:" or token not in str(raised.value)


def test_a_key_is_known_by_its_secret(ports: Ports) -> None:
    ports.chain.put_stores([KAMPPI], BY)
    bound, till = ports.identity.create_key(NewKey("till", frozenset({"kamppi"})), BY)
    free, marketer = ports.identity.create_key(NewKey("marketer"), BY)
    assert (ports.identity.key(till, NOW), ports.identity.key(marketer, NOW)) == (bound.key, free.key)
    assert (bound.role, bound.store_ids, free.store_ids) == ("till", frozenset({"kamppi"}), None)
    assert bound.key.may_touch("kamppi")
    assert not bound.key.may_touch("pasila")
    assert free.key.may_touch("pasila")


def test_secrets_and_names_of_keys_are_all_different(ports: Ports) -> None:
    made = [ports.identity.create_key(NewKey("till"), BY) for _ in range(5)]
    assert len({secret for _, secret in made}) == len({key.id for key, _ in made}) == 5
    assert all(len(secret) >= 32 for _, secret in made)


@pytest.mark.parametrize("secret", ["", "guess"])
def test_a_secret_nobody_was_told_opens_nothing(ports: Ports, secret: str) -> None:
    ports.identity.create_key(NewKey("admin"), BY)
    assert ports.identity.key(secret, NOW) is None


def test_a_key_bound_to_no_store_touches_none(ports: Ports) -> None:
    _, secret = ports.identity.create_key(NewKey("till", frozenset()), BY)
    known = ports.identity.key(secret, NOW)
    assert known is not None
    assert not known.may_touch("kamppi")


def test_a_key_ends(ports: Ports) -> None:
    key, secret = ports.identity.create_key(NewKey("till", None, NOW + timedelta(hours=1)), BY)
    assert ports.identity.key(secret, NOW) == key.key
    assert ports.identity.key(secret, NOW + timedelta(hours=1)) is None


def test_a_device_key_is_known_by_its_secret(ports: Ports) -> None:
    aino = ports.members.sign_in("aino", NOW)
    key, secret = ports.identity.create_device_key(aino.id, "Old phone", NOW, 10)
    assert (key.member_id, key.label, key.created_at) == (aino.id, "Old phone", NOW)
    assert ports.identity.device_key(secret) == key
    assert ports.identity.device_key(secret[:-1]) is None
    assert ports.identity.key(secret, NOW) is None


def test_device_keys_look_like_no_other_credential(ports: Ports) -> None:
    aino = ports.members.sign_in("aino", NOW)
    made = [ports.identity.create_device_key(aino.id, "", NOW, 10) for _ in range(5)]
    assert len({secret for _, secret in made}) == len({key.id for key, _ in made}) == 5
    assert all(secret.startswith("ld_") and len(secret) == 46 for _, secret in made)


def test_a_member_sees_their_own_device_keys_oldest_first(ports: Ports) -> None:
    aino, eero = (ports.members.sign_in(uid, NOW) for uid in ("aino", "eero"))
    late, _ = ports.identity.create_device_key(aino.id, "late", NOW + timedelta(hours=1), 10)
    early, _ = ports.identity.create_device_key(aino.id, "early", NOW, 10)
    ports.identity.create_device_key(eero.id, "other", NOW, 10)
    assert ports.identity.device_keys(aino.id) == (early, late)
    assert ports.identity.device_keys("nobody") == ()


def test_nobody_else_revokes_a_device_key(ports: Ports) -> None:
    aino, eero = (ports.members.sign_in(uid, NOW) for uid in ("aino", "eero"))
    key, secret = ports.identity.create_device_key(aino.id, "", NOW, 10)
    with pytest.raises(NotFound):
        ports.identity.revoke_device_key(eero.id, key.id)
    assert ports.identity.device_key(secret) == key


def test_a_revoked_device_key_is_gone(ports: Ports) -> None:
    aino = ports.members.sign_in("aino", NOW)
    key, secret = ports.identity.create_device_key(aino.id, "", NOW, 10)
    assert ports.identity.revoke_device_key(aino.id, key.id) == key
    assert ports.identity.device_key(secret) is None
    assert ports.identity.device_keys(aino.id) == ()
    with pytest.raises(NotFound):
        ports.identity.revoke_device_key(aino.id, key.id)


def test_a_device_key_needs_a_member(ports: Ports) -> None:
    with pytest.raises(NotFound):
        ports.identity.create_device_key("nobody", "", NOW, 10)


def test_of_many_device_keys_made_at_once_no_more_than_the_most_are_there(ports: Ports) -> None:
    aino = ports.members.sign_in("aino", NOW)
    made = at_once(8, lambda _: ports.identity.create_device_key(aino.id, "", NOW, 3))
    refused = [each for each in made if isinstance(each, Exception)]
    assert [type(each) for each in refused] == [Conflict] * 5
    kept: list[DeviceKey] = [each[0] for each in made if not isinstance(each, Exception)]
    assert {key.id for key in ports.identity.device_keys(aino.id)} == {key.id for key in kept}
