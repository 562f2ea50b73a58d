"""The values of the loyalty programme to rows and back."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from backend.service.loyalty_model import LoyaltyRules, Profile, RulesVersion, StarEntry, TierGrant, TierStep

_GRANT: TypeAdapter[TierGrant] = TypeAdapter(TierGrant)
_STEPS: TypeAdapter[tuple[TierStep, ...]] = TypeAdapter(tuple[TierStep, ...])
_PROFILE: TypeAdapter[Profile] = TypeAdapter(Profile)
_RULES: TypeAdapter[LoyaltyRules] = TypeAdapter(LoyaltyRules)
_NOTHING = Profile()


def grant_text(grant: TierGrant | None) -> str | None:
    """A grant as its column has it."""
    return None if grant is None else _GRANT.dump_json(grant).decode()


def grant(text: str | None) -> TierGrant | None:
    """A grant."""
    return None if text is None else _GRANT.validate_json(text)


def steps_text(steps: tuple[TierStep, ...]) -> str:
    """A tier's course as its column has it."""
    return _STEPS.dump_json(steps).decode()


def steps(text: str) -> tuple[TierStep, ...]:
    """A tier's course."""
    return () if text == "[]" else _STEPS.validate_json(text)


def profile_text(profile: Profile) -> str:
    """What a member states, as its column has it."""
    return "{}" if profile == _NOTHING else _PROFILE.dump_json(profile).decode()


def profile(text: str) -> Profile:
    """What a member states."""
    return _NOTHING if text == "{}" else _PROFILE.validate_json(text)


def star_row(entry: StarEntry) -> dict[str, Any]:
    """A star entry's columns."""
    return asdict(entry)


def star(row: Any) -> StarEntry:
    """A star entry."""
    return StarEntry(**{name: getattr(row, name) for name in StarEntry.__dataclass_fields__})


def rules_row(version: RulesVersion) -> dict[str, Any]:
    """A version's columns."""
    return {
        "version": version.version,
        "effective_from": version.effective_from,
        "body": _RULES.dump_json(version.rules).decode(),
    }


def rules_version(row: Any) -> RulesVersion:
    """A version."""
    return _version(row.version, row.effective_from, row.body)


@lru_cache(maxsize=64)
def _version(version: int, effective_from: datetime, body: str) -> RulesVersion:
    return RulesVersion(version, effective_from, _RULES.validate_json(body))
