"""OAuth access tokens for the service account (RFC 7523), and Firebase ID tokens for members."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.utils import base64url_encode

from backend.emulator.keys import Keys, service_account_email

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
GOOGLE_TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
"""google-auth writes this into the assertion's `aud` wherever token_uri points."""
SCOPES = frozenset(
    f"https://www.googleapis.com/auth/{name}" for name in ("cloud-platform", "firebase", "firebase.messaging")
)
"""Any one of them lets a service account send messages."""
LIFETIME_S = 3600
SKEW_S = 60

TokenFault = Literal[
    "wrong_aud",
    "wrong_iss",
    "expired",
    "future",
    "no_kid",
    "unknown_kid",
    "wrong_key",
    "alg_none",
    "alg_hs256",
    "no_sub",
    "empty_sub",
]


class GrantRefused(Exception):
    """The token endpoint refuses; `error` is the code of RFC 6749, 5.2."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error


class AccessTokens:
    """Trades signed assertions for access tokens and knows which of them are good. Safe between threads."""

    def __init__(self, keys: Keys, project_id: str, token_uri: str, clock: Callable[[], float]) -> None:
        self._public_key = _private_key(keys.service_account_pem).public_key()
        self._email = service_account_email(project_id)
        self._audiences = [token_uri, GOOGLE_TOKEN_URI]
        self._clock = clock
        self._expiries: dict[str, float] = {}
        self._lock = Lock()

    def grant(self, form: Mapping[str, str]) -> dict[str, Any]:
        """The token response to a form post. Raises GrantRefused."""
        if form.get("grant_type") != GRANT_TYPE:
            raise GrantRefused("unsupported_grant_type", f"grant_type must be {GRANT_TYPE}.")
        self._check(form.get("assertion", ""))
        token, now = secrets.token_urlsafe(32), self._clock()
        with self._lock:
            self._expiries = {known: end for known, end in self._expiries.items() if end > now}
            self._expiries[token] = now + LIFETIME_S
        return {"access_token": token, "expires_in": LIFETIME_S, "token_type": "Bearer"}

    def valid(self, authorization: str | None) -> bool:
        """Whether this Authorization header carries a token issued here that has not expired."""
        scheme, _, token = (authorization or "").partition(" ")
        with self._lock:
            expiry = self._expiries.get(token)
        return scheme.lower() == "bearer" and expiry is not None and expiry > self._clock()

    def _check(self, assertion: str) -> None:
        # Times are judged by the clock passed in, which PyJWT cannot be given.
        options: Any = {"require": ["iss", "aud", "exp", "iat"], "verify_exp": False, "verify_iat": False}
        try:
            claims = jwt.decode(
                assertion,
                self._public_key,
                algorithms=["RS256"],
                audience=self._audiences,
                issuer=self._email,
                options=options,
            )
        except (jwt.InvalidTokenError, TypeError, ValueError) as error:
            raise GrantRefused("invalid_grant", f"Invalid JWT: {type(error).__name__}.") from None
        self._check_times(claims)
        scopes = claims.get("scope")
        if not isinstance(scopes, str) or not SCOPES & set(scopes.split()):
            raise GrantRefused("invalid_scope", "The assertion asks for no scope that can send messages.")

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        issued, expires, now = claims["iat"], claims["exp"], self._clock()
        if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in (issued, expires)):
            raise GrantRefused("invalid_grant", "Invalid JWT: iat and exp must be numbers.")
        if expires <= now - SKEW_S or issued > now + SKEW_S or not 0 < expires - issued <= LIFETIME_S:
            raise GrantRefused("invalid_grant", "Invalid JWT: it must be short-lived (60 minutes) and current.")


class IdTokenIssuer:
    """Signs ID tokens shaped as Firebase's, for the real `verify_id_token` to check."""

    def __init__(self, keys: Keys, project_id: str, clock: Callable[[], float]) -> None:
        self._key = _private_key(keys.id_token_pem)
        self._wrong_key = _private_key(keys.service_account_pem)
        self._key_id = keys.key_id
        self._certificate = keys.id_token_certificate
        self._project_id = project_id
        self._clock = clock

    def certificates(self) -> dict[str, str]:
        """Certificates by key id, as Google serves them."""
        return {self._key_id: self._certificate}

    def issue(
        self, uid: str, claims: Mapping[str, Any] | None = None, lifetime_s: int = 3600, fault: TokenFault | None = None
    ) -> str:
        """A signed ID token for `uid`, or one with exactly one fault. `claims` never replace the standard ones."""
        now = int(self._clock())
        payload: dict[str, Any] = {
            **(claims or {}),
            "iss": f"https://securetoken.google.com/{self._project_id}",
            "aud": self._project_id,
            "auth_time": now,
            "user_id": uid,
            "sub": uid,
            "iat": now,
            "exp": now + lifetime_s,
            "firebase": {"identities": {}, "sign_in_provider": "custom"},
        }
        payload.update(self._faulty_claims(fault, now))
        if fault == "no_sub":
            del payload["sub"]
        headers = {"kid": "unknown" if fault == "unknown_kid" else self._key_id}
        if fault == "no_kid":
            headers = {}
        if fault == "alg_none":
            return jwt.encode(payload, "", algorithm="none", headers=headers)
        if fault == "alg_hs256":
            return self._signed_with_what_everybody_knows(payload, headers)
        return jwt.encode(payload, self._wrong_key if fault == "wrong_key" else self._key, "RS256", headers=headers)

    def _faulty_claims(self, fault: TokenFault | None, now: int) -> dict[str, Any]:
        if fault == "wrong_aud":
            return {"aud": "another-project"}
        if fault == "wrong_iss":
            return {"iss": "https://securetoken.google.com/another-project"}
        if fault == "expired":
            return {"iat": now - 7200, "auth_time": now - 7200, "exp": now - 3600}
        if fault == "future":
            return {"iat": now + 3600, "auth_time": now + 3600, "exp": now + 7200}
        if fault == "empty_sub":
            return {"sub": ""}
        return {}

    def _signed_with_what_everybody_knows(self, payload: Mapping[str, Any], headers: Mapping[str, str]) -> str:
        """HS256 with the public key as its secret, which a verifier that lets tokens choose would take.

        PyJWT refuses to make such a token.
        """
        header = {"alg": "HS256", "typ": "JWT", **headers}
        text = b".".join(base64url_encode(json.dumps(part).encode()) for part in (header, payload))
        mac = hmac.digest(self._certificate.encode(), text, "sha256")
        return b".".join((text, base64url_encode(mac))).decode()


def _private_key(pem: str) -> rsa.RSAPrivateKey:
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("the emulator's keys must be RSA keys")
    return key
