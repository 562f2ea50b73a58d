"""The words of a push: templates with a few named fields, nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping

FIELDS = frozenset({"store", "product", "price", "discount", "until"})
_FIELD = re.compile(r"\{([^{}]*)\}")


def check(template: str) -> None:
    """Raise ValueError when a template asks for something that is not there."""
    if not FIELDS.issuperset(_FIELD.findall(template)):
        known = ", ".join(f"{{{name}}}" for name in sorted(FIELDS))
        raise ValueError(f"a field in braces is not known; there are {known}")


def fill(template: str, words: Mapping[str, str]) -> str:
    """The template with its fields filled in; unlike str.format it reaches no attribute and no index."""
    return _FIELD.sub(lambda match: words.get(match[1], match[0]), template)
