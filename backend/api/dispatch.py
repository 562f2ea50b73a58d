"""Turns a route into a Flask view: authenticate, read, validate, call, write."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from time import perf_counter
from typing import Any

from flask import Request, Response, request
from pydantic import BaseModel, TypeAdapter, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from backend.api import problems
from backend.api.authentication import caller, of_caller
from backend.api.formats.sent import Format, Sent
from backend.api.limiting import counted
from backend.api.metrics import Metrics
from backend.api.problems import BadRequest, FieldError, InvalidFields, invalid
from backend.api.routing import Call, Reply, Route, request_digest
from backend.api.schemas.base import PATHS, IdempotencyKey
from backend.service.errors import LullError, Unauthenticated
from backend.service.model import Key
from backend.service.services import Services
from backend.service.till_model import Once

_NO_STORE = (("Cache-Control", "no-store"),)
"""Only answers to GET want it: others are not kept anyway (RFC 9111, 3), and on the hot path a header costs time."""
_JSON = "application/json"
_PLAIN = "text/plain; charset=utf-8"
_IDEMPOTENCY_KEY: TypeAdapter[str] = TypeAdapter(IdempotencyKey)


def flask_view(route: Route, services: Services, metrics: Metrics) -> Callable[..., Response]:
    """What Flask calls for this route. Errors are answered here, so that Flask's own ways are not walked."""
    call = _device_caller(route.format, services) if route.format else _caller(route, services)
    challenge = route.format.challenge if route.format else "Bearer"
    dump, kind = _writer(route.answer)
    note = metrics.watch(route.method, route.path)
    headers = _NO_STORE if route.method == "GET" else None

    def view(**path: str) -> Response:
        began = perf_counter()
        try:
            value, status = route.view(call(path)), route.statuses[0]
            if isinstance(value, Reply):
                value, status = value.value, value.status
            response = Response(dump(value), status, headers, content_type=kind)
        except Exception as error:
            told = counted(of_caller(error, route.who), services.limits, request.remote_addr)
            response = problems.response(told, route.method, route.path, challenge)
        note(response.status_code, perf_counter() - began)
        return response

    return view


def _writer(answer: Any) -> tuple[Callable[[Any], bytes], str]:
    if answer is None:
        return lambda _: b"", _PLAIN
    return _adapter(answer).dump_json, _JSON


@cache
def _adapter(answer: Any) -> TypeAdapter[Any]:
    """Made once, however many routes and applications answer with it: that takes milliseconds."""
    return TypeAdapter(answer)


def _device_caller(form: Format, services: Services) -> Callable[[dict[str, str]], Call]:
    """A caller with a device key, and fixes as their app wrote them."""

    def call(_: dict[str, str]) -> Call:
        now = request._get_current_object()  # type: ignore[attr-defined]
        sent = Sent(now.headers.get("Authorization"), now.args.to_dict(), now.mimetype, _data(now))
        secret = form.key(sent)
        if not secret:
            raise Unauthenticated(
                "no_device_key", "send a device key (POST /v1/me/device-keys makes one) as this app can"
            )
        member_id = services.device_keys.member(secret)
        services.limits.device(member_id)
        return Call(services, member_id, form.read(sent))

    return call


def _caller(route: Route, services: Services) -> Callable[[dict[str, str]], Call]:
    names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    types: dict[str, TypeAdapter[str]] = {name: TypeAdapter(PATHS[name]) for name in names}
    who, body, query, once = route.who, route.body, route.query, route.once

    def call(path: dict[str, str]) -> Call:
        now = request._get_current_object()  # type: ignore[attr-defined]  # the proxy costs more than all else here
        known = caller(services, now.headers.get("Authorization"), who) if who else None
        made = Call(services, known, path=path, address=now.remote_addr)
        if path:
            _check_path(types, path)
        if query is not None or now.query_string:
            made.query = _query(now, query)
        if body is not None:
            made.body = _body(now, body)
        if once:
            made.once = _once(now, made.key)
        return made

    return call


def _check_path(types: dict[str, TypeAdapter[str]], path: dict[str, str]) -> None:
    for name, value in path.items():
        try:
            types[name].validate_python(value)
        except ValidationError as error:
            raise InvalidFields([FieldError(name, str(error.errors(include_input=False)[0]["msg"]))]) from None


def _body(now: Request, model: type[BaseModel]) -> BaseModel:
    if now.mimetype != _JSON:
        raise UnsupportedMediaType
    data = _data(now)
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise invalid(error) from None


def _data(now: Request) -> bytes:
    data = now.get_data()
    if now.content_length is None and len(data) >= (now.max_content_length or 0):
        raise RequestEntityTooLarge  # a body of unknown length is cut at the limit without a word
    return data


def _query(now: Request, model: type[BaseModel] | None) -> BaseModel | None:
    values: dict[str, str] = {}
    for name, value in now.args.items(multi=True):
        if name in values:
            raise InvalidFields([FieldError("", "A query parameter is given twice")])
        values[name] = value
    try:
        return (model or _Nothing).model_validate_strings(values)
    except ValidationError as error:
        raise invalid(error) from None


class _Nothing(BaseModel, extra="forbid"):
    """No query parameters."""


def _once(now: Request, key: Key) -> Once:
    given = now.headers.get("Idempotency-Key")
    if given is None:
        raise _key_problem("idempotency_key_missing", "send an Idempotency-Key: a new one for each new request")
    try:
        name = _IDEMPOTENCY_KEY.validate_python(given)
    except ValidationError:
        raise _key_problem("idempotency_key_invalid", "an Idempotency-Key has 1 to 255 printable characters") from None
    return Once(key.id, name, request_digest(now.method, now.path, now.get_data()))


def _key_problem(reason: str, detail: str) -> LullError:
    return BadRequest(reason, detail)
