"""The sender's twin: pushes in order, refusals as told."""

from __future__ import annotations

import pytest

from backend.service.errors import Unavailable
from backend.service.push_model import Accepted, Push, Refused
from backend.twins import TwinSender


def push(name: str) -> Push:
    return Push(name, "fid", f"phone of {name}", "Quiet now", "Come by", {"coupon_id": name}, 600)


def test_pushes_are_kept_in_order_and_named() -> None:
    sender = TwinSender()
    results = [sender.send(push("a")), sender.send(push("b"))]
    assert all(isinstance(result, Accepted) for result in results)
    assert len({result.name for result in results if isinstance(result, Accepted)}) == 2
    assert sender.sent == [push("a"), push("b")]


def test_it_refuses_what_it_is_told_to() -> None:
    gone = Refused("UNREGISTERED", retry=False, unregistered=True)
    sender = TwinSender(lambda each: gone if each.id == "b" else None)
    assert [sender.send(push(name)) == gone for name in "abc"] == [False, True, False]
    assert [each.id for each in sender.sent] == ["a", "c"]


def test_it_says_when_it_is_not_ready() -> None:
    sender = TwinSender()
    sender.prepare()
    sender.unready = "no_access_token"
    with pytest.raises(Unavailable, match="wait in the outbox"):
        sender.prepare()
