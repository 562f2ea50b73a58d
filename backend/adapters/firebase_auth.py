"""Verifies members' Firebase ID tokens with firebase-admin, and opens the Firebase app it needs."""

from __future__ import annotations

import json
import os
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import firebase_admin
import requests
from firebase_admin import auth, credentials

from backend.service.errors import InvalidIdToken, Unavailable

HTTP_TIMEOUT_S = 10
CLOCK_SKEW_S = 5
"""Issuer and server may differ by this much before a fresh token counts as issued in the future."""
_NEEDED = ("project_id", "client_email", "token_uri", "private_key")
_DOWNLOAD = "give the file that the Firebase console makes for a service account"
MAX_TOKEN_BYTES = 8192
"""Firebase's own tokens stay below 2 KiB; claims may add 1,000 bytes."""


def firebase_app(
    credentials_path: str | Path, project_id: str | None = None, *, name: str = "lull"
) -> firebase_admin.App:
    """Opens a Firebase app of this name from a service-account file, with HTTP time-outs of 10 s.

    `project_id` overrides the one in the file. Close it with `firebase_admin.delete_app`. Raises ValueError when the
    file is missing or no service account, when an app of this name is open already, or when
    FIREBASE_AUTH_EMULATOR_HOST is set, because firebase-admin then accepts unsigned tokens.
    """
    _refuse_unsigned()
    certificate = _certificate(Path(credentials_path))
    options: dict[str, Any] = {"httpTimeout": HTTP_TIMEOUT_S}
    if project_id is not None:
        options["projectId"] = project_id
    return firebase_admin.initialize_app(certificate, options, name=name)


def _certificate(path: Path) -> credentials.Certificate:
    """The service account's key. No error repeats what is in the file: it holds a secret."""
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise ValueError(f"The service account {path} cannot be read ({error.strerror}): check the path.") from error
    except (ValueError, RecursionError):
        raise ValueError(f"The service account {path} is not JSON: {_DOWNLOAD}.") from None
    if not isinstance(document, dict) or document.get("type") != "service_account":
        raise ValueError(f"{path} is JSON, but not a service account: {_DOWNLOAD}.")
    wrong = [name for name in _NEEDED if not (isinstance(document.get(name), str) and document[name])]
    if wrong:
        raise ValueError(f"The service account {path} has no {wrong[0]}: {_DOWNLOAD}.")
    try:
        return credentials.Certificate(document)
    except ValueError:
        raise ValueError(f"The private_key in the service account {path} cannot be used: {_DOWNLOAD}.") from None


class FirebaseVerifier:
    """Says whose an ID token is. Signatures are always checked; Google's certificates are cached by their max-age.

    `cert_url` replaces the address of the certificates (an emulator's `/certs`). Raises ValueError when
    FIREBASE_AUTH_EMULATOR_HOST is set, also when that happens later.
    """

    def __init__(self, app: firebase_admin.App, cert_url: str | None = None) -> None:
        _refuse_unsigned()
        self._app = app
        if cert_url is not None:
            # The SDK has no public option for it; this is the one place where it is set, for this app alone.
            verifier = auth._get_client(app)._token_verifier
            verifier.id_token_verifier.cert_url = cert_url
            keep_local(cert_url, verifier.request.session)

    def verify(self, id_token: str) -> str:
        """The uid the token was issued to. Raises InvalidIdToken, without repeating the token, when it is not a
        current token of this project, and Unavailable when the certificates cannot be had."""
        _refuse_unsigned()
        if not isinstance(id_token, str) or not 0 < len(id_token) <= MAX_TOKEN_BYTES:
            raise InvalidIdToken("The ID token is empty or too long: send the token Firebase issued.")
        try:
            claims = auth.verify_id_token(id_token, app=self._app, clock_skew_seconds=CLOCK_SKEW_S)
        except auth.CertificateFetchError:
            raise _no_certificates() from None
        except auth.ExpiredIdTokenError:
            raise InvalidIdToken("The ID token has expired: ask Firebase for a fresh one.") from None
        except auth.InvalidIdTokenError as error:
            # A proxy's page in place of the certificates says nothing about the token.
            if isinstance(error.cause, json.JSONDecodeError):
                raise _no_certificates() from None
            raise InvalidIdToken("The ID token is not valid for this project.") from None
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
            # What the SDK lets escape when header or claims have unexpected types.
            raise InvalidIdToken("The ID token is malformed.") from None
        return str(claims["uid"])


def keep_local(url: str, *sessions: requests.Session) -> bool:
    """Whether `url` is on this machine; if so, these sessions no longer take proxies from the environment."""
    host = urlsplit(url).hostname or ""
    try:
        local = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        local = False
    if local:
        for session in sessions:
            session.trust_env = False
    return local


def _no_certificates() -> Unavailable:
    return Unavailable(
        "certificates_unavailable", "The certificates that sign ID tokens cannot be fetched: try again later."
    )


def _refuse_unsigned() -> None:
    if os.environ.get("FIREBASE_AUTH_EMULATOR_HOST"):
        raise ValueError(
            "FIREBASE_AUTH_EMULATOR_HOST makes firebase-admin accept unsigned ID tokens: unset it. "
            "Lull's own emulator signs its tokens and needs no such variable."
        )
