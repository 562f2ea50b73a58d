"""docs/privacy.md says of every stored column what it is for and how long it is kept."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import backend.adapters.sql
from backend.adapters.sql.tables import metadata

assert backend.adapters.sql.Database  # brings every module of tables along
PAGE = Path(__file__).parents[2] / "docs" / "privacy.md"
HEAD = ("column", "what for", "kept")


def cells(line: str) -> tuple[str, ...]:
    """The cells of a line of a table in Markdown."""
    return tuple(cell.strip() for cell in line.strip("|").split("|"))


def described(page: str) -> dict[str, list[tuple[list[str], str, str]]]:
    """By table of the database: its lines on the page as columns, purpose and retention."""
    chapter = page.partition("\n## Every stored column\n")[2].partition("\n## ")[0]
    found: dict[str, list[tuple[list[str], str, str]]] = {}
    for section in chapter.split("\n### ")[1:]:
        name, _, text = section.partition("\n")
        lines = [cells(line) for line in text.splitlines() if line.startswith("|")]
        assert lines[0] == HEAD, f"the table of {name} needs the columns {', '.join(HEAD)}"
        found[name] = [(re.findall(r"`(\w+)`", line[0]), line[1], line[2]) for line in lines[2:]]
    return found


def gaps(page: str) -> list[str]:
    """What is missing in the page, or is there too often or in vain."""
    told = described(page)
    found = [f"no chapter: {name}" for name in metadata.tables if name not in told]
    found += [f"no such table: {name}" for name in told if name not in metadata.tables]
    for name in told.keys() & metadata.tables.keys():
        named = Counter(column for columns, _, _ in told[name] for column in columns)
        stored = set(metadata.tables[name].columns.keys())
        found += [f"not told: {name}.{column}" for column in stored - named.keys()]
        found += [f"no such column: {name}.{column}" for column in named.keys() - stored]
        found += [f"told twice: {name}.{column}" for column, times in named.items() if times > 1]
        found += [f"nothing said: {name}.{columns}" for columns, what, kept in told[name] if not (what and kept)]
    return sorted(found)
