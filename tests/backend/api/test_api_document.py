"""The OpenAPI document says what the application does; and the pages, health and metrics are served."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from backend.api.routes import ROUTES
from tests.backend.api.world import Lull, fix


@pytest.fixture
def document(lull: Lull) -> dict[str, Any]:
    answer = lull.get("/openapi.json", None)
    assert answer.content_type == "application/json"
    found: dict[str, Any] = answer.get_json()
    return found


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every object within."""
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from nodes(each)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = [node["$ref"] for node in nodes(document) if isinstance(node.get("$ref"), str)]
    assert references
    for reference in references:
        target: Any = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
        assert isinstance(target, dict)


def test_no_schema_is_there_in_vain(document: dict[str, Any]) -> None:
    used = {node["$ref"].rpartition("/")[2] for node in nodes(document) if isinstance(node.get("$ref"), str)}
    assert used == set(document["components"]["schemas"])


def test_every_route_is_described(lull: Lull, document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert described == {(route.method, route.path) for route in lull.app.extensions["lull.routes"]}
    names = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(names) == len(set(names)) == len(ROUTES)


def test_every_operation_tells_its_parameters_answers_and_failures(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        for operation in item.values():
            holes = [each["name"] for each in operation["parameters"] if each["in"] == "path"]
            assert all(f"{{{hole}}}" in path for hole in holes)
            assert len(holes) == path.count("{")
            assert all("type" in each["schema"] or "enum" in each["schema"] for each in operation["parameters"])
            for status, response in operation["responses"].items():
                kind = "application/json" if status < "300" else "application/problem+json"
                assert list(response.get("content", (kind,))) == [kind]
            assert {"422", "500", "503"} <= set(operation["responses"])
            if "requestBody" in operation:
                assert {"400", "413", "415"} <= set(operation["responses"])
            if "security" in operation:
                device = any(name.startswith("device_") for each in operation["security"] for name in each)
                assert {"401", *(() if device else ("403",))} <= set(operation["responses"])


def test_formats_of_other_apps_document_their_bodies_and_where_their_key_goes(document: dict[str, Any]) -> None:
    paths, schemes = document["paths"], document["components"]["securitySchemes"]
    found = {name: paths[f"/v1/me/fixes/{name}"]["post"] for name in ("owntracks", "osmand", "transistorsoft")}
    forms = {name: set(each["requestBody"]["content"]) for name, each in found.items()}
    json, form = "application/json", "application/x-www-form-urlencoded"
    assert forms == {"owntracks": {json}, "osmand": {json, form}, "transistorsoft": {json}}
    assert all(each["security"] == [{f"device_{name}": []}] for name, each in found.items())
    assert schemes["device_osmand"]["in"] == "query"
    assert {"lat", "lon", "timestamp"} <= {each["name"] for each in found["osmand"]["parameters"]}


def test_money_routes_document_their_idempotency_key(document: dict[str, Any]) -> None:
    for path in ("/v1/redemptions", "/v1/redemptions/{redemption_id}/rollback", "/v1/purchases"):
        parameters = {each["name"]: each for each in document["paths"][path]["post"]["parameters"]}
        assert parameters["Idempotency-Key"]["required"] is True
        told = document["paths"][path]["post"]["responses"]["409"]["headers"]
        assert told == {"Retry-After": {"schema": {"type": "string", "const": "1"}}}


def test_the_pages_work_without_a_network(lull: Lull) -> None:
    page = lull.get("/docs", None)
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "init.js", "page.css"):
        assert f"/docs/static/{name}" in page.text
        assert lull.get(f"/docs/static/{name}", None).status_code == 200
    assert "/openapi.json" in lull.get("/docs/static/init.js", None).text
    assert lull.get("/docs/static/..%2f..%2fapi%2f__init__.py", None).status_code == 404


def test_metrics_count_by_route_and_know_nobody(lull: Lull) -> None:
    coupon = lull.issue()
    lull.get(f"/v1/me/coupons/{coupon['id']}", lull.member)
    lull.get("/v1/nowhere/60.16952", None)
    lull.post("/v1/me/fixes", {"fixes": [fix(lat=100)]}, lull.member)
    text = lull.get("/metrics", None).text
    assert 'lull_http_requests_total{method="GET",route="/v1/me/coupons/{coupon_id}",status="200"} 1.0' in text
    assert 'lull_http_requests_total{method="POST",route="/v1/me/fixes",status="422"} 1.0' in text
    assert 'lull_http_requests_total{method="",route="other",status="404"} 1.0' in text
    assert 'lull_http_request_duration_seconds_count{method="POST",route="/v1/me/fixes"} 2.0' in text
    assert coupon["id"] not in text
    assert "16952" not in text


def test_two_applications_count_apart(lull: Lull) -> None:
    lull.get("/healthz", None)
    assert 'route="/healthz",status="200"' not in Lull().get("/metrics", None).text


def test_answers_are_not_kept_by_caches(lull: Lull) -> None:
    assert lull.get("/v1/me/coupons", lull.member).headers["Cache-Control"] == "no-store"


def test_head_and_options_are_answered(lull: Lull) -> None:
    assert lull.call("HEAD", "/healthz", None).status_code == 200
    assert "GET" in lull.call("OPTIONS", "/v1/stores", None).headers["Allow"]
