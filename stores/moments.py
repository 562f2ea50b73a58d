"""Reading a time as phones and files write it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END = datetime(2100, 1, 1, tzinfo=UTC)
_MILLISECONDS = 1e11
"""From here on a number of a time counts milliseconds: as seconds it would be in the year 5138, so it is March 1973."""
_DIGITS = re.compile(r"\d{1,16}(\.\d{1,9})?", re.ASCII)
_ISO = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:?\d\d)?", re.ASCII)
_TIME = "Write the time as seconds or milliseconds since 1970, or as in 2026-06-02T14:00:00Z"


def moment(value: Any) -> datetime:
    """A time in UTC from seconds or milliseconds since 1970, as a number or text, or from ISO 8601 text.

    Text without an offset is taken as UTC. Raises ValueError, and when the time is not between 1970 and 2100.
    """
    if isinstance(value, datetime):
        return value
    text = value.strip() if isinstance(value, str) else value
    try:
        found = _iso(text) if isinstance(text, str) and _ISO.fullmatch(text) else _since_1970(text)
    except (ValueError, OverflowError):
        raise ValueError(_TIME) from None
    if not _EPOCH <= found < _END:
        raise ValueError("The time must be between 1970 and 2100")
    return found


def _iso(text: str) -> datetime:
    found = datetime.fromisoformat(text.upper())
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _since_1970(value: Any) -> datetime:
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError
    return _EPOCH + (timedelta(milliseconds=value) if value >= _MILLISECONDS else timedelta(seconds=value))
