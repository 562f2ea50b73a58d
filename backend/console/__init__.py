"""The console: one page for people of the chain that shows the live picture."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, request, send_file

from backend.console.live import LiveJson
from backend.service.errors import Forbidden, NotFound, Unauthenticated
from backend.service.services import Services

_HERE = Path(__file__).parent
_PAGE = _HERE / "templates" / "console.html"
_ROLES = frozenset({"marketer", "analyst", "admin"})
_POLICY = (
    "default-src 'self'; worker-src blob: 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)


def create_console(services: Services, city: Path | None = None) -> Blueprint:
    """The console under /console; `city` is a GeoJSON file to draw under the stores.

    The page itself is for everyone, what it shows only for a key. Errors are raised as those of `backend.service`, for
    the application to answer.
    """
    console = Blueprint("console", __name__, url_prefix="/console", static_folder="static", static_url_path="/static")
    live = LiveJson(services)

    def page() -> Response:
        return send_file(_PAGE, mimetype="text/html")

    def live_json() -> Response:
        _authorise(services)
        return Response(live.text(), headers={"Cache-Control": "no-store"}, content_type="application/json")

    def city_json() -> Response:
        _authorise(services)
        if city is None or not city.is_file():
            raise NotFound("no_city", "there is no map of the city here")
        return send_file(city.resolve(), mimetype="application/geo+json", max_age=3600)

    console.add_url_rule("", "page", page)
    console.add_url_rule("/live.json", "live", live_json)
    console.add_url_rule("/city.json", "city", city_json)
    console.after_request(_harden)
    return console


def _authorise(services: Services) -> None:
    """Raise Unauthenticated, TooMany or Forbidden unless the request bears a key that may look at everything."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Unauthenticated("no_credential", "send Authorization: Bearer with an API key")
    key = services.api_keys.key(secret.strip())
    services.limits.key(key)
    if key.role not in _ROLES or key.store_ids is not None:
        raise Forbidden("wrong_role", "the console wants a marketer's or analyst's key for the whole chain")


def _harden(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
