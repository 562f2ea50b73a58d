"""The table of all routes."""

from __future__ import annotations

from backend.api.routes import coupons, health, loyalty, marketing, members, phones, privacy, reports, staff, tills
from backend.api.routing import Route

ROUTES: tuple[Route, ...] = (
    health.ROUTES
    + members.ROUTES
    + loyalty.ROUTES
    + privacy.ROUTES
    + reports.ROUTES
    + phones.ROUTES
    + tills.ROUTES
    + marketing.ROUTES
    + coupons.ROUTES
    + staff.ROUTES
)
