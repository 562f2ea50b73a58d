"""Counting requests whose credential is not good."""

from __future__ import annotations

from backend.service.errors import LullError, Unauthenticated
from backend.service.limits import Limits


def counted(error: Exception, limits: Limits, address: str | None) -> Exception:
    """The error to answer with: another one when an address sends too many bad credentials, or nobody can count them.

    Only what was refused counts, so that somebody's guesses do not keep out those who share their address.
    """
    if isinstance(error, Unauthenticated):
        try:
            limits.refused(address)
        except LullError as instead:
            return instead
    return error
