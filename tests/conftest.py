"""How thorough laws are: pytest --hypothesis-profile=faults tries what takes minutes."""

from hypothesis import settings

settings.register_profile("faults", max_examples=2_000, deadline=None)
