"""Credentials that are none open no route. Who may call what with a good one is in test_api_rights.py.

Routes for device keys are in test_api_phones.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt
import pytest

from backend.api.routes import ROUTES
from backend.api.routing import Route
from backend.service.consent import LIFE_S
from backend.service.errors import Unauthenticated
from backend.service.keyring import keyring, subkey
from backend.service.sessions import SESSION_S
from tests.backend.api.world import SECRET, Lull

KEYS = keyring(SECRET, None, "sessions")

GUARDED = [route for route in ROUTES if route.who and not route.format]


def name(route: Route) -> str:
    """How a route is called in a test's name."""
    return f"{route.method} {route.path}"


def path(route: Route) -> str:
    """The route's path with something in its holes."""
    return route.path.replace("{purpose}", "measurement").replace("{", "").replace("}", "")


@pytest.mark.parametrize("route", GUARDED, ids=name)
def test_without_a_good_credential_nobody_gets_in(lull: Lull, route: Route) -> None:
    for header in (None, "Basic bGs6", "Bearer", "Bearer  ", "Bearer lk_unknown", "Bearer a.b.c", "Bearer é"):
        headers = {"Authorization": header} if header else {}
        answer = lull.call(route.method, path(route), None, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def refused(lull: Lull, credential: str) -> str:
    """With what problem a credential is refused where a member's session belongs."""
    answer = lull.get("/v1/me/coupons", credential)
    assert answer.status_code == 401
    assert credential not in answer.text
    problem: str = answer.get_json()["type"]
    return problem


def test_a_session_ends_after_fifteen_minutes(lull: Lull) -> None:
    assert lull.get("/v1/me/coupons", lull.member).status_code == 200
    lull.clock.real_moved = SESSION_S - 2.0
    assert lull.get("/v1/me/coupons", lull.member).status_code == 200
    lull.clock.real_moved = SESSION_S + 1.0
    assert refused(lull, lull.member) == "/problems/invalid_session"


def forged(
    lull: Lull, key: bytes | str = KEYS.key, algorithm: str = "HS256", kid: str = KEYS.name, **claims: Any
) -> str:
    """A session of Aino's as somebody else would make it; with the right key and without changes a good one."""
    now = int(lull.clock.real())
    member = next(iter(lull.world.members))
    real = {"sub": member, "iat": now, "exp": now + SESSION_S, "aud": "lull", "gen": 0} | claims
    kept = {name: value for name, value in real.items() if value is not None}
    return jwt.encode(kept, key, algorithm=algorithm, headers={"kid": kid})


def test_the_forger_of_these_tests_knows_the_trade(lull: Lull) -> None:
    assert lull.get("/v1/me/coupons", forged(lull)).status_code == 200


FORGERIES: dict[str, Callable[[Lull], str]] = {
    "no algorithm": lambda lull: forged(lull, "", "none"),
    "another algorithm": lambda lull: forged(lull, KEYS.key, "HS512"),
    "another key": lambda lull: forged(lull, b"x" * 32),
    "the key of draws": lambda lull: forged(lull, subkey(SECRET, "draws")),
    "a secret unknown": lambda lull: forged(lull, kid="none"),
    "ended": lambda lull: forged(lull, exp=int(lull.clock.real()) - 1),
    "endless": lambda lull: forged(lull, exp=None),
    "for tills": lambda lull: forged(lull, aud="till"),
    "for nobody": lambda lull: forged(lull, aud=None),
    "of nobody": lambda lull: forged(lull, sub=None),
    "of somebody unknown": lambda lull: forged(lull, sub="m_unknown"),
    "of a generation to come": lambda lull: forged(lull, gen=1),
    "another signature": lambda lull: ".".join((*lull.member.split(".")[:2], lull.member.split(".")[2][::-1])),
    "no signature": lambda lull: lull.member.rpartition(".")[0] + ".",
    "another payload": lambda lull: ".".join(
        (lull.member.split(".")[0], forged(lull, b"x" * 32, exp=2**33).split(".")[1], lull.member.split(".")[2])
    ),
}


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("forgery", list(FORGERIES))
def test_a_forged_session_is_refused(lull: Lull, forgery: str) -> None:
    problem = "member_gone" if forgery == "of somebody unknown" else "invalid_session"
    assert refused(lull, FORGERIES[forgery](lull)) == f"/problems/{problem}"


def test_a_session_that_was_good_is_refused_once_its_member_is_gone(lull: Lull) -> None:
    assert lull.get("/v1/me/coupons", lull.member).status_code == 200
    lull.world.members.clear()
    lull.clock.real_moved = LIFE_S
    assert refused(lull, lull.member) == "/problems/member_gone"


def test_signing_out_everywhere_ends_all_sessions_at_once_and_no_later_one(lull: Lull) -> None:
    other = lull.post("/v1/sessions", {"id_token": "uid:aino"}, None).get_json()["token"]
    eero = lull.post("/v1/sessions", {"id_token": "uid:eero"}, None).get_json()["token"]
    assert lull.get("/v1/me/coupons", other).status_code == 200
    ended = lull.call("DELETE", "/v1/me/sessions", lull.member)
    assert (ended.status_code, ended.data) == (204, b"")
    assert refused(lull, lull.member) == refused(lull, other) == "/problems/invalid_session"
    again = lull.post("/v1/sessions", {"id_token": "uid:aino"}, None).get_json()["token"]
    for token in (again, eero):
        assert lull.get("/v1/me/coupons", token).status_code == 200


def test_another_process_learns_within_seconds_of_who_signed_out(lull: Lull) -> None:
    other = Lull(world=lull.world, clock=lull.clock)
    assert other.get("/v1/me/coupons", other.member).status_code == 200
    lull.call("DELETE", "/v1/me/sessions", lull.member)
    lull.clock.real_moved = LIFE_S
    assert refused(other, other.member) == "/problems/invalid_session"


def test_a_device_key_that_was_altered_is_refused(lull: Lull) -> None:
    secret = lull.device_key()
    altered = [secret[:-1], secret + "A", secret.swapcase(), "ld_" + "A" * 43, lull.till, lull.member, "ld_", ""]
    for credential in altered:
        assert lull.post("/v1/me/fixes/transistorsoft", {"location": []}, credential).status_code == 401, credential
    assert lull.post("/v1/me/fixes/transistorsoft", {"location": []}, secret).status_code != 401


@pytest.mark.parametrize("uid", ["ai\x00no", "ai\nno", "\x7f", "a" * 129, "\ud800"])
def test_a_uid_that_firebase_never_gives_opens_no_session(lull: Lull, uid: str) -> None:
    with pytest.raises(Unauthenticated, match="sign in again"):
        lull.services.sessions.open(f"uid:{uid}")
