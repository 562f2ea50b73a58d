"""Who somebody is, API keys and device keys."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backend.service.errors import Conflict, InvalidIdToken, NotFound
from backend.service.model import DeviceKey, Key
from backend.service.ports import Ports
from backend.service.staff import Actor, NewKey
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


def anybody(_: Key) -> bool:
    """Every key may be touched."""
    return True


def later(minutes: float) -> Actor:
    """The same somebody, so many minutes later."""
    return Actor(BY.id, NOW + timedelta(minutes=minutes))


def test_keys_are_listed_as_they_were_made_by_id(ports: Ports) -> None:
    wanted = NewKey("till", frozenset({"kamppi"}), NOW + timedelta(days=1), "Bar")
    made = [ports.identity.create_key(each, BY)[0] for each in (wanted, NewKey("admin"))]
    assert ports.identity.api_keys() == tuple(sorted(made, key=lambda entry: entry.id))
    assert (made[0].label, made[0].created_at, made[0].expires_at) == ("Bar", NOW, NOW + timedelta(days=1))


def test_a_rotated_key_has_two_good_secrets_until_the_overlap_is_over(ports: Ports) -> None:
    made, old = ports.identity.create_key(NewKey("till"), BY)
    turned, new = ports.identity.rotate_key(made.id, anybody, timedelta(minutes=10), BY)
    assert (turned.key, turned.previous_until) == (made.key, NOW + timedelta(minutes=10))
    assert ports.identity.key(old, NOW + timedelta(minutes=9)) == ports.identity.key(new, NOW) == made.key
    assert ports.identity.key(old, NOW + timedelta(minutes=10)) is None
    assert ports.identity.key(new, NOW + timedelta(days=400)) == made.key


def test_of_three_secrets_the_first_is_good_no_more(ports: Ports) -> None:
    made, first = ports.identity.create_key(NewKey("till"), BY)
    second, third = (ports.identity.rotate_key(made.id, anybody, timedelta(hours=1), BY)[1] for _ in range(2))
    assert [ports.identity.key(secret, NOW) for secret in (first, second, third)] == [None, made.key, made.key]


def test_a_revoked_key_is_good_no_more_with_either_secret(ports: Ports) -> None:
    made, old = ports.identity.create_key(NewKey("till"), BY)
    _, new = ports.identity.rotate_key(made.id, anybody, timedelta(hours=1), BY)
    assert ports.identity.revoke_key(made.id, anybody, later(1)).revoked_at == later(1).at
    assert ports.identity.key(old, NOW) is ports.identity.key(new, NOW) is None
    assert ports.identity.revoke_key(made.id, anybody, later(2)).revoked_at == later(1).at


def test_a_key_that_ended_is_not_rotated(ports: Ports) -> None:
    ended, _ = ports.identity.create_key(NewKey("till", expires_at=NOW + timedelta(minutes=1)), BY)
    revoked, secret = ports.identity.create_key(NewKey("till"), BY)
    ports.identity.revoke_key(revoked.id, anybody, BY)
    for key in (ended, revoked):
        with pytest.raises(Conflict):
            ports.identity.rotate_key(key.id, anybody, timedelta(), later(1))
    assert ports.identity.key(secret, NOW) is None


def test_a_key_of_somebody_else_is_as_unknown_as_none(ports: Ports) -> None:
    made, secret = ports.identity.create_key(NewKey("till"), BY)
    for key_id, allowed in ((made.id, lambda _: False), ("none", anybody)):
        with pytest.raises(NotFound, match="no such API key"):
            ports.identity.rotate_key(key_id, allowed, timedelta(), BY)
        with pytest.raises(NotFound, match="no such API key"):
            ports.identity.revoke_key(key_id, allowed, BY)
    assert ports.identity.key(secret, NOW) == made.key


def test_the_last_use_is_noted_once_a_minute(ports: Ports) -> None:
    made, _ = ports.identity.create_key(NewKey("till"), BY)
    seen = []
    for seconds in (0, 59, 60, 61):
        ports.identity.note_use(made.id, NOW + timedelta(seconds=seconds))
        seen.append(ports.identity.api_keys()[0].last_used_at)
    assert seen == [NOW, NOW, NOW + timedelta(minutes=1), NOW + timedelta(minutes=1)]
    ports.identity.note_use("none", NOW)


def test_of_rotations_at_once_each_secret_but_the_last_two_is_void(ports: Ports) -> None:
    made, _ = ports.identity.create_key(NewKey("till"), BY)
    turned = at_once(6, lambda _: ports.identity.rotate_key(made.id, anybody, timedelta(hours=1), BY)[1])
    assert all(isinstance(secret, str) for secret in turned)
    good = [secret for secret in turned if isinstance(secret, str) and ports.identity.key(secret, NOW)]
    assert len(good) == 2


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
