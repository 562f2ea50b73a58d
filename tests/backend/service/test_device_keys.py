"""Device keys: recognised without asking twice, and gone at once when they are revoked."""

from __future__ import annotations

import pytest

from backend.service.device_keys import REMEMBER_S, DeviceKeys
from backend.service.errors import Unauthenticated
from backend.service.model import DeviceKey, Member
from backend.twins import TwinIdentity, World
from tests.backend.api.world import FakeClock


class Counting(TwinIdentity):
    """Counts how often it is asked for a key."""

    asked = 0

    def device_key(self, secret: str) -> DeviceKey | None:
        self.asked += 1
        return super().device_key(secret)


@pytest.fixture
def world() -> World:
    return World(members={"aino": Member("aino", "uid-aino", "green")})


@pytest.fixture
def identity(world: World) -> Counting:
    return Counting(world)


def test_a_key_is_looked_up_once_in_a_while(identity: Counting) -> None:
    clock = FakeClock()
    keys = DeviceKeys(identity, clock)
    _, secret = keys.create("aino", "phone")
    assert [keys.member(secret) for _ in range(3)] == ["aino"] * 3
    assert identity.asked == 1
    clock.real_moved = REMEMBER_S
    assert keys.member(secret) == "aino"
    assert identity.asked == 2


def test_a_revoked_key_is_refused_at_once(identity: Counting) -> None:
    keys = DeviceKeys(identity, FakeClock())
    key, secret = keys.create("aino", "phone")
    assert keys.member(secret) == "aino"
    assert keys.revoke("aino", key.id) == key
    with pytest.raises(Unauthenticated):
        keys.member(secret)


def test_a_look_up_under_way_brings_no_revoked_key_back(identity: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = DeviceKeys(identity, FakeClock())
    key, secret = keys.create("aino", "phone")

    def slowly(_: str) -> DeviceKey:
        keys.revoke("aino", key.id)  # after the row was read, and before the answer came
        return key

    with monkeypatch.context() as slow:
        slow.setattr(identity, "device_key", slowly)
        with pytest.raises(Unauthenticated):
            keys.member(secret)
    with pytest.raises(Unauthenticated):
        keys.member(secret)


def test_another_process_refuses_a_revoked_key_within_half_a_minute(identity: Counting) -> None:
    clock = FakeClock()
    here, there = DeviceKeys(identity, clock), DeviceKeys(identity, clock)
    key, secret = here.create("aino", "phone")
    assert there.member(secret) == "aino"
    here.revoke("aino", key.id)
    clock.real_moved = REMEMBER_S
    with pytest.raises(Unauthenticated):
        there.member(secret)


def test_the_keys_of_a_member_who_is_gone_open_nothing(world: World, identity: Counting) -> None:
    keys = DeviceKeys(identity, FakeClock())
    _, secret = keys.create("aino", "phone")
    del world.members["aino"]
    with pytest.raises(Unauthenticated):
        keys.member(secret)


@pytest.mark.parametrize(
    "secret", ["", "lk_" + "a" * 43, "ld_", "ld_" + "a" * 42, "ld_" + "é" * 43, "ld_" + "a" * 9000]
)
def test_what_cannot_be_a_key_is_not_looked_up(identity: Counting, secret: str) -> None:
    with pytest.raises(Unauthenticated) as raised:
        DeviceKeys(identity, FakeClock()).member(secret)
    assert identity.asked == 0
    assert not secret or secret not in str(raised.value)
