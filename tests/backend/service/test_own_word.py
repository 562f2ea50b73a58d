"""A member's own word, and what a file may still say after it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backend.service.model import Consent
from backend.service.own_word import IMPORTED, is_news

NOW = datetime(2026, 6, 2, 3, tzinfo=UTC)
FILE_YES, FILE_NO, APP_YES, APP_NO = (IMPORTED, True), (IMPORTED, False), ("app", True), ("app", False)


@pytest.mark.parametrize(
    ("said", "stated", "news"),
    [
        ([], True, True),
        ([], False, True),
        ([FILE_YES], True, False),
        ([FILE_YES], False, True),
        ([FILE_NO], True, True),
        ([APP_NO], True, False),
        ([FILE_YES, APP_NO], True, False),
        ([FILE_NO, APP_YES, APP_NO], True, False),
        ([APP_YES], False, True),
        ([FILE_YES, APP_YES], False, True),
        ([FILE_NO, APP_YES], False, False),
        ([FILE_YES, APP_NO, FILE_YES], False, True),
    ],
)
def test_a_file_grants_nothing_that_was_withdrawn_and_says_nothing_twice(
    said: list[tuple[str, bool]], stated: bool, news: bool
) -> None:
    log = [
        Consent("location_offers", granted, "1", source, NOW + timedelta(days=day))
        for day, (source, granted) in enumerate(said)
    ]
    tonight = Consent("location_offers", stated, "1", IMPORTED, NOW + timedelta(days=9))
    assert is_news(log, tonight) is news


def test_a_file_does_not_change_what_was_said_after_it() -> None:
    log = [Consent("location_offers", False, "1", IMPORTED, NOW)]
    assert not is_news(log, Consent("location_offers", True, "1", IMPORTED, NOW - timedelta(seconds=1)))
