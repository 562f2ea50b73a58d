"""Which member asks: ID tokens traded for short sessions, which are remembered once they were checked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from unicodedata import category

import jwt
from jwt.types import Options

from backend.service.codes import secret_hash
from backend.service.consent import ConsentCache
from backend.service.errors import InvalidIdToken, Unauthenticated
from backend.service.keyring import Keyring
from backend.service.ports import Clock, Identity, Members
from backend.service.remembered import Remembered

SESSION_S = 900
REMEMBER_S = 300.0
REMEMBERED = 100_000
LONGEST_UID = 128
ALGORITHM = "HS256"


@dataclass(frozen=True, slots=True)
class Session:
    """A session token, whose it is, and when it ends (real time)."""

    token: str
    member_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Opened:
    member_id: str
    generation: int


def decode(token: str, keys: Keyring, audience: str, real_now: float) -> dict[str, Any]:
    """The claims of a token we signed. Raises jwt.InvalidTokenError; its end is judged by the clock that issued it."""
    key = keys.keys.get(str(jwt.get_unverified_header(token).get("kid")))
    if key is None:
        raise jwt.InvalidSignatureError("the token names no secret of ours")
    options: Options = {"require": ["sub", "exp", "aud"], "verify_exp": False, "verify_iat": False}
    claims: dict[str, Any] = jwt.decode(token, key, [ALGORITHM], audience=audience, options=options)
    if real_now >= claims["exp"]:
        raise jwt.ExpiredSignatureError("the token has ended")
    return claims


def _is_uid(uid: str) -> bool:
    """Whether Firebase may have given this: 1 to 128 characters, and text that every database holds."""
    return 0 < len(uid) <= LONGEST_UID and not any(category(letter) in ("Cc", "Cs") for letter in uid)


def _not_good() -> Unauthenticated:
    return Unauthenticated("invalid_id_token", "the ID token is not good: sign in again for a fresh one")


def _ended() -> Unauthenticated:
    return Unauthenticated("invalid_session", "the session is not good or has ended: open a new one")


class Sessions:
    """Signs members in and recognises them. Token lives run on the real clock.

    That a token is genuine is remembered for minutes; that its member is there and did not sign out, for seconds only.
    """

    def __init__(
        self, identity: Identity, members: Members, consent: ConsentCache, clock: Clock, keys: Keyring
    ) -> None:
        self._identity = identity
        self._members = members
        self._consent = consent
        self._clock = clock
        self._keys = keys
        self._sessions: Remembered[str, _Opened] = Remembered(REMEMBERED)

    def open(self, id_token: str) -> Session:
        """Trade an ID token for a session. Raises Unauthenticated when the ID token is not good."""
        try:
            uid = self._identity.uid(id_token)
        except InvalidIdToken as error:
            raise _not_good() from error
        if not _is_uid(uid):
            raise _not_good()
        member = self._members.sign_in(uid, self._clock.now())
        issued = int(self._clock.real())
        claims = {"sub": member.id, "iat": issued, "exp": issued + SESSION_S, "aud": "lull", "gen": member.sessions}
        token = jwt.encode(claims, self._keys.key, algorithm=ALGORITHM, headers={"kid": self._keys.name})
        return Session(token, member.id, datetime.fromtimestamp(issued + SESSION_S, UTC))

    def member(self, token: str) -> str:
        """The id of the member whose session this is. Raises Unauthenticated.

        A member who was erased since may ask for that again, so `Membership.recognised` refuses all else.
        """
        now = self._clock.real()
        digest = secret_hash(token)
        known = self._sessions.get(digest, now)
        if known is None:
            claims = self._claims(token, now)
            known = _Opened(claims["sub"], claims.get("gen", 0))
            self._sessions.put(digest, min(float(claims["exp"]), now + REMEMBER_S), known)
        good = self._consent.sessions(known.member_id)
        if good is not None and good != known.generation:
            raise _ended()
        return known.member_id

    def end_all(self, member_id: str) -> None:
        """Sign the member out everywhere: here at once, in other processes within seconds. Raises NotFound."""
        self._members.end_sessions(member_id)
        self._consent.forget(member_id)

    def _claims(self, token: str, now: float) -> dict[str, Any]:
        try:
            return decode(token, self._keys, "lull", now)
        except jwt.InvalidTokenError as error:
            raise _ended() from error
