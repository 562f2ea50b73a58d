"""Sends pushes through firebase-admin, one at a time, and says of every one whether to try again.

`messaging.send_each` starts a thread for every message, retries inside the HTTP client and sleeps through Retry-After,
so that one throttled message holds its whole batch. Here each caller's thread sends one message over a connection that
never retries and never stops to fetch an access token: when to try again, and whether one may, is for the outbox.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import Any

import firebase_admin
import google.auth.exceptions
import requests
from firebase_admin import exceptions, messaging

from backend.adapters.firebase_auth import HTTP_TIMEOUT_S, keep_local
from backend.service.errors import Unavailable
from backend.service.push_model import Accepted, Push, Refused, SendResult

MAX_TTL_S = 4 * 7 * 24 * 3600
"""FCM keeps a message for four weeks at most."""
THROTTLED_S = 60.0
"""How long Firebase asks to wait after a 429 without Retry-After."""
MAX_COLLAPSE_ID_BYTES = 64

_FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_NO_TOKEN = Refused(reason="NO_ACCESS_TOKEN", retry=True, retry_after_s=None, unregistered=False)
_log = logging.getLogger(__name__)


class FcmSender:
    """Sends pushes, from as many as `threads` threads at once; `close` it at the end.

    `fcm_url` is scheme and host of another FCM (`http://127.0.0.1:9099`); None means Google's. `clock` gives real
    epoch seconds, since APNs wants the moment a push expires. The app's messaging service is changed to suit, so one
    app should serve one sender.
    """

    def __init__(
        self,
        app: firebase_admin.App,
        *,
        threads: int = 64,
        fcm_url: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if threads < 1:
            raise ValueError("the sender needs at least one thread")
        self._app = app
        self._clock = clock
        # firebase-admin has no public options for these; they are set here and nowhere else.
        service = messaging._get_messaging_service(app)
        service._client._timeout = HTTP_TIMEOUT_S
        if fcm_url is not None:
            path = messaging._MessagingService.FCM_URL.format(app.project_id).partition("/v1/")[2]
            service._fcm_url = f"{fcm_url.rstrip('/')}/v1/{path}"
        self._session = service._client.session
        self._credential = self._session.credentials
        self._session.credentials = _TokenInHand(self._credential)
        self._session._max_refresh_attempts = 0
        _mount(self._session, threads)
        _mount(self._session._auth_request_session, 1)
        keep_local(service._fcm_url, self._session, self._session._auth_request_session)
        self._authorising = Lock()
        self._refused_token: str | None = None

    def prepare(self) -> None:
        """Fetches the access token, once for all threads, when there is none or it ends within some four minutes.

        Takes up to a minute when Google is slow. Raises Unavailable when the token cannot be had.
        """
        with self._authorising:
            if self._credential.valid and self._credential.token != self._refused_token:
                return
            try:
                self._credential.refresh(self._token_request)
            except google.auth.exceptions.GoogleAuthError as error:
                _log.warning("No access token for FCM (%s): check the service account.", type(error).__name__)
                raise Unavailable("no_access_token", "pushes cannot be sent now; they wait in the outbox") from error

    def send(self, push: Push) -> SendResult:
        """Sends one push with the token that `prepare` fetched; takes at most some 20 s.

        Never raises for a push that could not be sent: its result says why and whether to try again.
        """
        token = self._credential.token
        try:
            message = build_message(push, self._clock())
            return Accepted(name=messaging.send(message, app=self._app))
        except exceptions.FirebaseError as error:
            if _token_refused(error):
                self._refused_token = token
            return classify(error, self._clock())
        except google.auth.exceptions.GoogleAuthError:
            return _NO_TOKEN
        except ValueError:
            return Refused(reason="INVALID_ARGUMENT", retry=False, retry_after_s=None, unregistered=False)
        except Exception as error:
            # Only the kind is logged: the text of an unforeseen error may quote the message.
            _log.error("A push failed in an unforeseen way: %s.", type(error).__name__)
            return Refused(reason="UNKNOWN", retry=True, retry_after_s=None, unregistered=False)

    def close(self) -> None:
        """Closes the connections; nothing may be under way any more."""
        self._session.close()

    def _token_request(self, *args: Any, **kwargs: Any) -> Any:
        return self._session._auth_request(*args, **{"timeout": HTTP_TIMEOUT_S, **kwargs})


class _TokenInHand:
    """Signs requests with the token there is. google-auth would fetch another amid a send, up to 10 s after the push
    was asked about, and each thread its own."""

    def __init__(self, credential: Any) -> None:
        self._credential = credential

    def before_request(self, _request: object, _method: str, _url: str, headers: MutableMapping[str, str]) -> None:
        """Adds the token to the headers."""
        if self._credential.token is None:
            raise google.auth.exceptions.RefreshError("there is no access token yet")  # type: ignore[no-untyped-call]
        self._credential.apply(headers)


def build_message(push: Push, now: float) -> messaging.Message:
    """The FCM message for a push at `now` (epoch seconds): notification and data, gone after `ttl_s`, never urgent.

    Raises ValueError when `ttl_s` is negative. Lives longer than four weeks are cut to what FCM keeps.
    """
    if push.ttl_s < 0:
        raise ValueError("ttl_s must not be negative: a push past its end is not to be sent")
    ttl_s = min(push.ttl_s, MAX_TTL_S)
    # To APNs 0 means "deliver now or never", as a ttl of 0 does to FCM.
    headers = {"apns-expiration": str(int(now) + ttl_s if ttl_s else 0), "apns-priority": "5"}
    if push.collapse_key is not None and len(push.collapse_key.encode()) <= MAX_COLLAPSE_ID_BYTES:
        headers["apns-collapse-id"] = push.collapse_key
    message = messaging.Message(
        data=dict(push.data),
        notification=messaging.Notification(title=push.title, body=push.body),
        # The collapse key joins messages that still wait, the tag replaces a notification already shown.
        android=messaging.AndroidConfig(
            ttl=ttl_s,
            priority="normal",
            collapse_key=push.collapse_key,
            notification=messaging.AndroidNotification(tag=push.collapse_key),
        ),
        apns=messaging.APNSConfig(headers=headers),
    )
    if push.registration_kind == "fid":
        message.fid = push.registration
    else:
        # As an argument it would warn of its deprecation, and warnings cannot be silenced for one thread alone.
        message.token = push.registration
    return message


def classify(error: exceptions.FirebaseError, now: float) -> Refused:
    """What an error of `messaging.send` means for the outbox, after Firebase's advice on FCM error codes.

    Without an answer (time-out, broken connection) and after 5xx: try again. After 429: when Retry-After says, else in
    60 s. After a 401 that is about the access token: try again, with another. Anything else stays refused. A 404
    unregisters the device only if FCM itself wrote it: a 404 page of some proxy must not cost every member their
    registration.
    """
    response = error.http_response
    if response is None or response.status_code < 400:
        return Refused(reason=str(error.code), retry=True, retry_after_s=None, unregistered=False)
    status, reason = response.status_code, _fcm_code(response) or str(error.code)
    if status == 429:
        wait_s = _retry_after_s(response, now)
        return Refused(reason, retry=True, retry_after_s=THROTTLED_S if wait_s is None else wait_s, unregistered=False)
    if status >= 500:
        return Refused(reason, retry=True, retry_after_s=_retry_after_s(response, now), unregistered=False)
    if _token_refused(error):
        return Refused(reason, retry=True, retry_after_s=None, unregistered=False)
    unregistered = isinstance(error, messaging.UnregisteredError) or (status == 404 and _is_googles(response))
    return Refused(reason, retry=False, retry_after_s=None, unregistered=unregistered)


def _token_refused(error: exceptions.FirebaseError) -> bool:
    """Whether our token was not accepted; a 401 with a code of FCM's is about the app's keys."""
    response = error.http_response
    return response is not None and response.status_code == 401 and _fcm_code(response) is None


def _error(response: requests.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _fcm_code(response: requests.Response) -> str | None:
    details = _error(response).get("details")
    for detail in details if isinstance(details, list) else []:
        if isinstance(detail, dict) and detail.get("@type") == _FCM_ERROR and isinstance(detail.get("errorCode"), str):
            return str(detail["errorCode"])
    return None


def _is_googles(response: requests.Response) -> bool:
    return _error(response).get("status") == "NOT_FOUND"


def _retry_after_s(response: requests.Response, now: float) -> float | None:
    """Seconds to wait according to Retry-After, which is a number or an HTTP date (RFC 9110, 10.2.3)."""
    value = (response.headers.get("Retry-After") or "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.fromtimestamp(now, UTC)).total_seconds())


def _mount(session: requests.Session, threads: int) -> None:
    """Replaces every adapter: none retries, and each keeps a connection for every thread."""
    for prefix in list(session.adapters):
        session.mount(prefix, requests.adapters.HTTPAdapter(max_retries=0, pool_maxsize=threads))
