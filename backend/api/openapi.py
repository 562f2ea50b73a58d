"""The OpenAPI 3.1 document, made from the table of routes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Literal

from pydantic import TypeAdapter

from backend.api.problems import CONTENT_TYPE, RETRY_AFTER_S, Problem
from backend.api.routing import Route
from backend.api.schemas.base import PATHS, IdempotencyKey, JsonSchemas
from backend.service.errors import InFlight

REF = "#/components/schemas/{model}"
Json = dict[str, Any]
_Input = tuple[str, Literal["validation", "serialization"], TypeAdapter[Any]]


@lru_cache(maxsize=4)
def document_json(routes: tuple[Route, ...]) -> bytes:
    """The document of these routes as JSON; it takes a while to make and is always the same."""
    return json.dumps(document(routes)).encode()


def document(routes: Sequence[Route]) -> Json:
    """The document of these routes."""
    refs, schemas = _schemas(routes)
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, refs)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Lull",
            "version": "1",
            "description": "Fills a chain's quiet hours. Times are RFC 3339 in UTC, positions WGS 84 degrees, "
            "distances metres, money minor units of its currency. Errors are problem details (RFC 9457).",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": {"type": "http", "scheme": "bearer", "description": "A session token: POST /v1/sessions"},
                "key": {"type": "http", "scheme": "bearer", "description": "An API key: lull keys create"},
            }
            | {f"device_{each.format.name}": dict(each.format.security) for each in routes if each.format},
        },
    }


def _schemas(routes: Sequence[Route]) -> tuple[dict[tuple[str, str], Json], dict[str, Json]]:
    inputs: list[_Input] = [("problem", "serialization", TypeAdapter(Problem))]
    for route in routes:
        if route.answer is not None:
            inputs.append((_name(route), "serialization", TypeAdapter(route.answer)))
        if route.body:
            inputs.append((_name(route), "validation", TypeAdapter(route.body)))
        for media, kind in route.format.content.items() if route.format else ():
            inputs.append((f"{_name(route)} {media}", "validation", TypeAdapter(kind)))
    refs, definitions = TypeAdapter.json_schemas(inputs, ref_template=REF, schema_generator=JsonSchemas)
    return {(str(key), mode): schema for (key, mode), schema in refs.items()}, definitions["$defs"]


def _name(route: Route) -> str:
    """`POST /v1/me/fixes` is `post_me_fixes`."""
    words = re.findall(r"[a-z]+", route.path.removeprefix("/v1"))
    return "_".join([route.method.lower(), *words])


def _operation(route: Route, refs: dict[tuple[str, str], Json]) -> Json:
    name = _name(route)
    made: Json = {
        "operationId": name,
        "summary": route.summary,
        "tags": [route.path.removeprefix("/v1").split("/")[1]],
        "parameters": _parameters(route),
        "responses": {
            str(status): {"description": HTTPStatus(status).phrase} | _answer(route, refs) for status in route.statuses
        }
        | {str(status): _failure(status, refs, route) for status in route.all_errors()},
    }
    if route.who:
        made["description"], made["security"] = _callers(route)
    if route.body:
        content = {"application/json": {"schema": refs[name, "validation"]}}
        made["requestBody"] = {"required": True, "content": content}
    if route.format:
        content = {media: {"schema": refs[f"{name} {media}", "validation"]} for media in route.format.content}
        made["requestBody"] = {"required": False, "content": content}
    return made


def _answer(route: Route, refs: dict[tuple[str, str], Json]) -> Json:
    if route.answer is None:
        return {}
    return {"content": {"application/json": {"schema": refs[_name(route), "serialization"]}}}


def _callers(route: Route) -> tuple[str, list[Json]]:
    if route.format:
        return "For: a device key.", [{f"device_{route.format.name}": []}]
    if route.who == {"member"}:
        return "For: member.", [{"session": []}]
    return f"For: {', '.join([*sorted(route.who - {'admin'}), 'admin'])}.", [{"key": []}]


def _parameters(route: Route) -> list[Json]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": TypeAdapter(PATHS[name]).json_schema()}
        for name in re.findall(r"\{(\w+)\}", route.path)
    ]
    if route.query:
        schema = route.query.model_json_schema()
        found += [
            {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": kind}
            for name, kind in schema["properties"].items()
        ]
    if route.format and route.format.query:
        # Each may be in the body instead.
        schema = route.format.query.model_json_schema()
        found += [{"name": name, "in": "query", "schema": kind} for name, kind in schema["properties"].items()]
    if route.once:
        schema = TypeAdapter(IdempotencyKey).json_schema()
        found.append({"name": "Idempotency-Key", "in": "header", "required": True, "schema": schema})
    return found


def _failure(status: int, refs: dict[tuple[str, str], Json], route: Route) -> Json:
    made: Json = {
        "description": HTTPStatus(status).phrase,
        "content": {CONTENT_TYPE: {"schema": refs["problem", "serialization"]}},
    }
    challenge = route.format.challenge if route.format else "Bearer"
    headers = {
        401: ("WWW-Authenticate", {"const": challenge}),
        429: ("Retry-After", {"pattern": "^[1-9][0-9]*$"}),
        503: ("Retry-After", {"const": str(RETRY_AFTER_S)}),
    }
    if route.once:
        headers[409] = ("Retry-After", {"const": str(InFlight.retry_after_s)})
    if status in headers:
        header, schema = headers[status]
        made["headers"] = {header: {"schema": {"type": "string"} | schema}}
    return made
