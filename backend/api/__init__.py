"""The HTTP API: authenticates, validates, and calls the use cases of `backend.service`."""

from __future__ import annotations

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
    app.extensions["lull.routes"] = ROUTES
    return app
