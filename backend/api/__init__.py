"""The HTTP API: authenticates, validates, and calls the use cases of `backend.service`."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, request

from backend.api import problems
from backend.api.dispatch import flask_view
from backend.api.limiting import counted
from backend.api.metrics import Metrics
from backend.api.openapi import document_json
from backend.api.pages import add_pages
from backend.api.routes import ROUTES
from backend.service.services import Services

LARGEST_BODY = 1 << 20


def create_api(services: Services) -> Flask:
    """The application. Its routes are in `app.extensions["lull.routes"]`, as declared."""
    app = Flask("backend.api", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.url_map.merge_slashes = False  # a redirect would repeat the request's Host, and ids may hold slashes
    metrics = Metrics()
    for route in ROUTES:
        view = flask_view(route, services, metrics)
        app.add_url_rule(route.template, f"{route.method} {route.path}", view, methods=[route.method])
    add_pages(app, document_json(ROUTES), metrics)

    def failed(error: Exception) -> Response:
        told = counted(error, services.limits, request.remote_addr)
        response = problems.response(told, "", "other")
        metrics.other(response.status_code)
        return response

    app.register_error_handler(Exception, failed)
    app.after_request(_closed_if_unread)
    app.extensions["lull.routes"] = ROUTES
    return app


def _closed_if_unread(response: Response) -> Response:
    """Say that the connection ends when a request was refused before its body was read.

    The server drops such a connection, and whoever sends the next request on it would lose that. Reading the body here
    would let strangers keep a thread busy.
    """
    length = request.content_length or 0
    stream: Any = None if length > LARGEST_BODY else request.stream
    if length and (stream is None or stream.tell() < length):
        response.headers["Connection"] = "close"
    return response
