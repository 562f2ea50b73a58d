"""What members say of themselves: session, phone, consents, preferences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from backend.api.schemas.base import Body, ImportedId, Name, Secret, ZoneName, changes
from backend.decision.facts import QuietHours
from backend.service.model import (
    PURPOSES,
    Consent,
    Device,
    DeviceKey,
    Platform,
    Preferences,
    Purpose,
    Registration,
)

LocalTime = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Locale = Annotated[
    str, StringConstraints(min_length=2, max_length=35, pattern=r"^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$")
]


class SessionBody(Body):
    """An ID token of the identity provider."""

    id_token: Secret


class RegistrationBody(Body):
    """How pushes reach the phone: a Firebase installation id or a registration token."""

    kind: Literal["fid", "token"]
    value: Annotated[str, StringConstraints(min_length=1, max_length=4096, pattern=r"^[\x21-\x7e]+$")]


class DeviceBody(Body):
    """The member's phone."""

    registration: RegistrationBody
    platform: Platform
    locale: Locale
    time_zone: ZoneName

    def to_device(self) -> Device:
        """As the use cases want it."""
        registration = Registration(self.registration.kind, self.registration.value)
        return Device(registration, self.platform, self.locale, self.time_zone)


class DeviceKeyBody(Body):
    """For which phone a device key is: the member's own word, to tell their keys apart."""

    label: Name


@dataclass(frozen=True, slots=True)
class DeviceKeyAnswer:
    """A device key without its secret."""

    id: str
    label: str
    created_at: datetime

    @staticmethod
    def of(key: DeviceKey) -> DeviceKeyAnswer:
        """From the use cases."""
        return DeviceKeyAnswer(key.id, key.label, key.created_at)


@dataclass(frozen=True, slots=True)
class NewDeviceKeyAnswer:
    """A new device key; `key` is its secret, told this once."""

    id: str
    label: str
    created_at: datetime
    key: str


class ConsentBody(Body):
    """Agreement to a purpose, or its withdrawal, and which text the member saw."""

    granted: bool
    text_version: Name


@dataclass(frozen=True, slots=True)
class ConsentAnswer:
    """Whether the member agrees to a purpose; `at` is null when they were never asked."""

    purpose: Purpose
    granted: bool
    text_version: str | None = None
    at: datetime | None = None

    @staticmethod
    def of(entry: Consent) -> ConsentAnswer:
        """From the consent log."""
        return ConsentAnswer(entry.purpose, entry.granted, entry.text_version, entry.at)


def consents(entries: tuple[Consent, ...]) -> tuple[ConsentAnswer, ...]:
    """Every purpose, those never asked for too."""
    known = {entry.purpose: ConsentAnswer.of(entry) for entry in entries}
    return tuple(known.get(purpose) or ConsentAnswer(purpose, granted=False) for purpose in PURPOSES)


class QuietHoursBody(Body):
    """Between which local times no push may come; may run past midnight."""

    start: LocalTime
    end: LocalTime


class PreferencesBody(Body):
    """The preferences to change; those not named stay."""

    quiet_hours: QuietHoursBody | None = None
    weekly_maximum: int = Field(default_factory=int, ge=0, le=50)
    muted_products: list[ImportedId] = Field(default_factory=list, max_length=500)

    def to_changes(self) -> dict[str, object]:
        """As the use cases want it. Raises Invalid when nothing is named."""
        found: dict[str, object] = changes(self)
        if self.quiet_hours is not None:
            start, end = self.quiet_hours.start, self.quiet_hours.end
            found["quiet_hours"] = QuietHours(time.fromisoformat(start), time.fromisoformat(end))
        if "muted_products" in found:
            found["muted_products"] = tuple(dict.fromkeys(self.muted_products))
        return found


@dataclass(frozen=True, slots=True)
class QuietHoursAnswer:
    """Local times between which no push comes."""

    start: str
    end: str


@dataclass(frozen=True, slots=True)
class PreferencesAnswer:
    """What the member wants."""

    quiet_hours: QuietHoursAnswer | None
    weekly_maximum: int
    muted_products: tuple[str, ...]

    @staticmethod
    def of(preferences: Preferences) -> PreferencesAnswer:
        """From the use cases."""
        quiet = preferences.quiet_hours
        shown = QuietHoursAnswer(f"{quiet.start:%H:%M}", f"{quiet.end:%H:%M}") if quiet else None
        return PreferencesAnswer(shown, preferences.weekly_maximum, preferences.muted_products)
