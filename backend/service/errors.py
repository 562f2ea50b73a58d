"""What may go wrong in a use case; each names a stable problem type and says what to do."""

from __future__ import annotations

from math import ceil


class LullError(Exception):
    """A refusal with a reason that machines can read (`reason`) and a sentence for people."""

    status = 400

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Invalid(LullError):
    """The input cannot be right."""

    status = 422


class Unauthenticated(LullError):
    """No credential, or one that is not (or no longer) good."""

    status = 401


class Forbidden(LullError):
    """A good credential, but not for this."""

    status = 403


class NotFound(LullError):
    """It is not there, or not for the one who asks."""

    status = 404


class Conflict(LullError):
    """It was there, but its state does not allow this."""

    status = 409


class TooMany(LullError):
    """More of this than one credential, address or terminal may do; after `retry_after_s` seconds it may go on.

    Fractions of a second are rounded up, so that who waits as told waits long enough.
    """

    status = 429

    def __init__(self, reason: str, detail: str, retry_after_s: float) -> None:
        super().__init__(reason, detail)
        self.retry_after_s = max(1, ceil(retry_after_s))


class InFlight(LullError):
    """The same request is being worked on at this moment; ask again in `retry_after_s` seconds."""

    status = 409
    retry_after_s = 1


class Unavailable(LullError):
    """Something Lull leans on is away; try again later."""

    status = 503


class InvalidIdToken(ValueError):
    """An ID token that is forged, expired or for another project."""
