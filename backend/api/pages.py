"""What is not JSON of a route: the OpenAPI document and its pages, and the metrics."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response, send_from_directory

from backend.api.metrics import Metrics

_SWAGGER = Path(__file__).parent / "static" / "swagger"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def add_pages(app: Flask, document: bytes, metrics: Metrics) -> None:
    """Serve `/openapi.json`, `/docs` (offline) and `/metrics`."""

    def openapi() -> Response:
        return Response(document, content_type="application/json")

    def docs(name: str = "index.html") -> Response:
        page = send_from_directory(_SWAGGER, name)
        page.headers["Content-Security-Policy"] = _POLICY
        page.headers["X-Content-Type-Options"] = "nosniff"
        return page

    def numbers() -> Response:
        return Response(metrics.text(), content_type=_METRICS_TYPE)

    app.add_url_rule("/openapi.json", "openapi", openapi)
    app.add_url_rule("/docs", "docs", docs)
    app.add_url_rule("/docs/static/<name>", "docs_files", docs)
    app.add_url_rule("/metrics", "metrics", numbers)
