"""The table of all routes."""

from __future__ import annotations

from backend.api.routes import health, marketing, members, tills
from backend.api.routing import Route

ROUTES: tuple[Route, ...] = health.ROUTES + members.ROUTES + tills.ROUTES + marketing.ROUTES
