"""What the books in memory hold of one member."""

from __future__ import annotations

from backend.service.member_books import BooksOfMember, Return
from backend.twins.world import World


class TwinHoldings:
    """The export's part of the ledger port."""

    _world: World

    def of_member(self, member_id: str) -> BooksOfMember:
        """All that names the member, oldest first."""
        world = self._world
        with world.lock:
            names = coupons_of(world, member_id)
            mine = [world.coupons[key] for key in names]
            decided = [each for each in world.records.values() if each.facts.member.id == member_id]
            used = [each for each in world.redemptions.values() if each.coupon_id in names]
            undone = {each.id for each in used}
            returned = [Return(*each) for each in world.rollbacks.values() if each[0].redemption_id in undone]
            bought = [each for each in world.purchases.values() if each.member_id == member_id]
            return BooksOfMember(
                tuple(sorted(decided, key=lambda each: (each.decision.at, each.decision.opportunity_id))),
                tuple(sorted(mine, key=lambda each: (each.issued_at, each.id))),
                tuple(sorted(used, key=lambda each: each.redeemed_at)),
                tuple(sorted(returned, key=lambda each: (each.rollback.rolled_back_at, each.rollback.id))),
                tuple(sorted(bought, key=lambda each: (each.at, each.id))),
            )


def coupons_of(world: World, member_id: str) -> set[str]:
    """The ids of all coupons that lead to the member: in their name, or used on a sale that is theirs still."""
    sales = {each.id for each in world.purchases.values() if each.member_id == member_id}
    used = {each.coupon_id for each in world.redemptions.values() if each.purchase_id in sales}
    return used | set(world.coupons_of.get(member_id, ()))
