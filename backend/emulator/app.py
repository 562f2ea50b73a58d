"""The emulator's HTTP interface: a Flask application over the log, the faults and the tokens."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import ip_address
from threading import Lock
from typing import Annotated, Any, TextIO
from urllib.parse import urlsplit

from flask import Flask, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backend.emulator.answers import bad_request, error_body, fcm_error
from backend.emulator.faults import Fault, FaultPlan
from backend.emulator.keys import DEFAULT_PROJECT, Keys
from backend.emulator.log import Attempt, SendLog
from backend.emulator.messages import CheckedMessage, InvalidMessage, check
from backend.emulator.tokens import AccessTokens, GrantRefused, IdTokenIssuer, TokenFault

MAX_BODY_BYTES = 1_000_000
MAX_WAIT_S = 30.0
MAX_ENTRIES = 10_000
CERTIFICATES_MAX_AGE_S = 3600

Answer = Response | tuple[Response, int]


class IdTokenRequest(BaseModel):
    """What `POST /id-tokens` takes: for whom, further claims, how many seconds, and what to spoil."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    uid: Annotated[str, Field(min_length=1, max_length=128)]
    claims: dict[str, Any] = {}
    lifetime_s: Annotated[int, Field(ge=1, le=86_400)] = 3600
    faults: TokenFault | None = None


class _Dropped(Exception):
    """Raised into the server to cut a connection off in the middle of an answer."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What to answer to a send: HTTP status (0: cut the connection), body, and Retry-After in seconds."""

    status: int
    body: dict[str, Any]
    error_code: str | None = None
    message_id: str | None = None
    retry_after_s: int | None = None


class Emulator:
    """The state behind the routes; `clock` gives epoch seconds, `sleep` carries out delays."""

    def __init__(
        self,
        keys: Keys,
        project_id: str,
        token_uri: str,
        log: SendLog,
        clock: Callable[[], float],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.project_id = project_id
        self.log = log
        self.faults = FaultPlan()
        self.access_tokens = AccessTokens(keys, project_id, token_uri, clock)
        self.id_tokens = IdTokenIssuer(keys, project_id, clock)
        self._clock = clock
        self._sleep = sleep
        self._unregistered: set[str] = set()
        self._sent = 0
        self._lock = Lock()

    def unregister(self, registration: str) -> None:
        """From now on sends to this registration answer 404 UNREGISTERED."""
        with self._lock:
            self._unregistered.add(registration)

    def send(self, project_id: str, authorization: str | None, raw: bytes) -> _Verdict:
        """Judges one send as FCM would, carries out the fault that applies, and logs the attempt."""
        message: CheckedMessage | None = None
        if not self.access_tokens.valid(authorization):
            verdict = _Verdict(401, error_body(401, "Request had invalid authentication credentials."))
        elif project_id != self.project_id:
            verdict = _Verdict(403, fcm_error(403, "SENDER_ID_MISMATCH"), "SENDER_ID_MISMATCH")
        else:
            try:
                message = check(raw)
            except InvalidMessage as error:
                verdict = _Verdict(400, bad_request(error.violations), "INVALID_ARGUMENT")
            else:
                verdict = self._deliver(message)
        self._record(message, verdict)
        return verdict

    def _deliver(self, message: CheckedMessage) -> _Verdict:
        fault = self.faults.take(message.registration)
        if fault is not None and fault.delay_ms:
            self._sleep(fault.delay_ms / 1000)
        if fault is not None and fault.drop_connection:
            return _Verdict(0, {}, "DROPPED")
        if fault is not None and fault.status is not None:
            code = fault.code
            return _Verdict(fault.status, fcm_error(fault.status, str(code)), code, None, fault.retry_after_s)
        with self._lock:
            if message.registration in self._unregistered:
                return _Verdict(404, fcm_error(404, "UNREGISTERED"), "UNREGISTERED")
            self._sent += 1
            message_id = f"0:{int(self._clock() * 1e6)}%{self._sent:08x}"
        if message.validate_only:
            return _Verdict(200, {"name": f"projects/{self.project_id}/messages/fake_message_id"})
        return _Verdict(200, {"name": f"projects/{self.project_id}/messages/{message_id}"}, None, message_id)

    def _record(self, message: CheckedMessage | None, verdict: _Verdict) -> None:
        attempt = Attempt(
            self._clock(), None, None, verdict.status, verdict.error_code, verdict.message_id, {}, None, None
        )
        if message is not None:
            attempt = replace(
                attempt,
                registration=message.registration,
                kind=message.kind,
                data=message.data,
                notification=message.notification,
                ttl_s=message.ttl_s,
                validate_only=message.validate_only,
            )
        self.log.append(attempt)


def create_emulator(
    keys: Keys,
    *,
    token_uri: str,
    clock: Callable[[], float],
    project_id: str = DEFAULT_PROJECT,
    log_capacity: int = 1_000_000,
    log_file: TextIO | None = None,
) -> Flask:
    """The emulator as a WSGI application. `token_uri` is its own token endpoint as written in the service account;
    `clock` gives real epoch seconds. The state is at `app.extensions["emulator"]` and lives in this process."""
    app = Flask("lull-emulator")
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    emulator = Emulator(keys, project_id, token_uri, SendLog(log_capacity, log_file), clock)
    app.extensions["emulator"] = emulator
    app.before_request(_only_here)
    app.register_error_handler(ValidationError, _invalid)
    _add_google_routes(app, emulator)
    _add_own_routes(app, emulator)
    return app


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine alone."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _only_here() -> Answer | None:
    # A page in a browser may reach loopback under a name of its own; whoever names another host is refused.
    if not is_loopback(urlsplit(f"//{request.host}").hostname or ""):
        return jsonify(error_body(403, "The emulator answers on loopback only.")), 403
    return None


def _invalid(error: ValidationError) -> Answer:
    fields = [{"field": ".".join(map(str, item["loc"])), "message": item["msg"]} for item in error.errors()]
    return jsonify({"error": {"code": 400, "message": "The request is not valid.", "errors": fields}}), 400


def _add_google_routes(app: Flask, emulator: Emulator) -> None:
    @app.post("/v1/projects/<project_id>/messages:send")
    def send(project_id: str) -> Response:
        return _answer(emulator.send(project_id, request.headers.get("Authorization"), request.get_data()))

    @app.post("/token")
    def token() -> Answer:
        try:
            return jsonify(emulator.access_tokens.grant(request.form))
        except GrantRefused as error:
            return jsonify({"error": error.error, "error_description": str(error)}), 400

    @app.get("/certs")
    def certs() -> Response:
        response = jsonify(emulator.id_tokens.certificates())
        response.headers["Cache-Control"] = f"public, max-age={CERTIFICATES_MAX_AGE_S}, must-revalidate, no-transform"
        return response


def _add_own_routes(app: Flask, emulator: Emulator) -> None:
    @app.post("/id-tokens")
    def id_tokens() -> Answer:
        asked = IdTokenRequest.model_validate_json(request.get_data())
        return jsonify(
            {"id_token": emulator.id_tokens.issue(asked.uid, asked.claims, asked.lifetime_s, asked.faults)}
        ), 201

    @app.route("/faults", methods=["GET", "POST", "DELETE"])
    def faults() -> Answer:
        if request.method == "POST":
            emulator.faults.add(Fault.model_validate_json(request.get_data()))
            return Response(status=204)
        if request.method == "DELETE":
            emulator.faults.clear()
            return Response(status=204)
        return jsonify({"items": emulator.faults.pending()})

    @app.delete("/registrations/<path:registration>")
    def unregister(registration: str) -> Response:
        emulator.unregister(registration)
        return Response(status=204)

    @app.get("/log")
    def log() -> Response:
        after = max(0, request.args.get("after", 0, type=int))
        limit = min(max(1, request.args.get("limit", 1000, type=int)), MAX_ENTRIES)
        wait_s = min(max(0.0, request.args.get("wait_ms", 0, type=int) / 1000), MAX_WAIT_S)
        return jsonify({"items": emulator.log.after(after, limit, wait_s)})

    @app.get("/log/summary")
    def summary() -> Response:
        return jsonify(emulator.log.summary())

    @app.get("/healthz")
    def healthz() -> Response:
        return jsonify({"status": "ok", "project_id": emulator.project_id})


def _answer(verdict: _Verdict) -> Response:
    if verdict.status == 0:
        return _cut_off()
    response = jsonify(verdict.body)
    response.status_code = verdict.status
    if verdict.retry_after_s is not None:
        response.headers["Retry-After"] = str(verdict.retry_after_s)
    return response


def _cut_off() -> Response:
    """An answer that promises more bytes than come, then breaks: WSGI knows no other way to drop a connection."""

    def broken() -> Any:
        yield b"{"
        raise _Dropped

    response = Response(broken(), mimetype="application/json")
    response.headers["Content-Length"] = "1000"
    return response
