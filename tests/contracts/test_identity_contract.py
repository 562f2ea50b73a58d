"""Who somebody is, and API keys."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backend.service.errors import InvalidIdToken
from backend.service.ports import Ports
from tests.contracts.examples import KAMPPI, NOW


def test_an_id_token_tells_whose_it_is(ports: Ports) -> None:
    assert ports.identity.uid("uid:firebase-1") == "firebase-1"


@pytest.mark.parametrize("token", ["", "uid:", "firebase-1", "eyJ.eyJ.x"])
def test_any_other_id_token_is_refused_and_not_repeated(ports: Ports, token: str) -> None:
    with pytest.raises(InvalidIdToken) as raised:
        ports.identity.uid(token)
    assert not token or token == "uid:" or token not in str(raised.value)


def test_a_key_is_known_by_its_secret(ports: Ports) -> None:
    ports.chain.put_stores([KAMPPI])
    bound, till = ports.identity.create_key("till", frozenset({"kamppi"}), None)
    free, marketer = ports.identity.create_key("marketer", None, None)
    assert (ports.identity.key(till, NOW), ports.identity.key(marketer, NOW)) == (bound, free)
    assert (bound.role, bound.store_ids, free.store_ids) == ("till", frozenset({"kamppi"}), None)
    assert bound.may_touch("kamppi")
    assert not bound.may_touch("pasila")
    assert free.may_touch("pasila")


def test_secrets_and_names_of_keys_are_all_different(ports: Ports) -> None:
    made = [ports.identity.create_key("till", None, None) for _ in range(5)]
    assert len({secret for _, secret in made}) == len({key.id for key, _ in made}) == 5
    assert all(len(secret) >= 32 for _, secret in made)


@pytest.mark.parametrize("secret", ["", "guess"])
def test_a_secret_nobody_was_told_opens_nothing(ports: Ports, secret: str) -> None:
    ports.identity.create_key("admin", None, None)
    assert ports.identity.key(secret, NOW) is None


def test_a_key_bound_to_no_store_touches_none(ports: Ports) -> None:
    _, secret = ports.identity.create_key("till", frozenset(), None)
    known = ports.identity.key(secret, NOW)
    assert known is not None
    assert not known.may_touch("kamppi")


def test_a_key_ends(ports: Ports) -> None:
    key, secret = ports.identity.create_key("till", None, NOW + timedelta(hours=1))
    assert ports.identity.key(secret, NOW) == key
    assert ports.identity.key(secret, NOW + timedelta(hours=1)) is None
