"""What members said themselves, in the app, stands against what a file says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from backend.service.model import Consent, Member

IMPORTED = "import"
"""The source of a consent that a file states; all others are the member's own word."""


def is_news(said: Sequence[Consent], stated: Consent) -> bool:
    """Whether a file's word on a consent is taken after all that was `said` of its purpose, oldest first.

    A file grants nothing that the member withdrew. And one that comes every night says the same again: that is no
    news, however often the member changed their mind in between.
    """
    if not said:
        return True
    last = said[-1]
    if last.granted == stated.granted or last.at > stated.at:
        return False
    if last.source == IMPORTED:
        return True
    before = [each.granted for each in said if each.source == IMPORTED][-1:]
    return not stated.granted and before != [False]


def settings_kept(stated: Member, known: Member) -> Member:
    """The member as a file states them, but for preferences and profile which they set themselves."""
    return replace(
        stated,
        preferences=known.preferences if known.preferences.own else stated.preferences,
        profile=known.profile if known.profile.own else stated.profile,
    )
