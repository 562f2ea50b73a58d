"""How long what names a person, or grows without end, is kept; docs/privacy.md says the same to people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Retention:
    """For how long things are kept, each counted from what its comment says."""

    decisions: timedelta = timedelta(days=30)
    """With their facts, which tell in which store's fence a member was: from the decision on; then deleted."""
    coupon_link: timedelta = timedelta(days=90)
    """Whose a coupon was: from its end on. The coupon stays as accounting."""
    purchase_link: timedelta = timedelta(days=730)
    """Whose a purchase was, for tastes and returns: from the purchase on. The purchase stays as accounting."""
    pushes: timedelta = timedelta(days=30)
    """What became of a push: from its coupon's issue on; then deleted."""
    words: timedelta = timedelta(days=90)
    """Why staff revoked a coupon or rolled a sale back, which may name somebody: from then on; then cleared."""
    observations: timedelta = timedelta(days=400)
    """Of stores, more than a year for comparison: from the observation on; then deleted."""
    audit: timedelta = timedelta(days=730)
    """What staff changed: from the change on; then deleted, oldest first."""
