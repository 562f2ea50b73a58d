"""The words of a push: templates with a few named fields, nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping

FIELDS = frozenset({"store", "product", "price", "discount", "until"})
_FIELD = re.compile(r"\{([^{}]*)\}")


def check(template: str) -> None:
    """Raise ValueError, naming the field, when a template asks for something that is not there."""
    for name in _FIELD.findall(template):
        if name not in FIELDS:
            known = ", ".join(sorted(FIELDS))
            raise ValueError(f"the message field {{{name}}} is not known; use {known}")


def fill(template: str, words: Mapping[str, str]) -> str:
    """The template with its fields filled in; unlike str.format it reaches no attribute and no index."""
    return _FIELD.sub(lambda match: words.get(match[1], match[0]), template)
