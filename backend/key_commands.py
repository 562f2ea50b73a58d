"""The commands about API keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from backend.command_reports import Json, counted, say
from backend.service.api_keys import OPERATOR, ApiKeys
from backend.service.model import ROLES
from backend.service.staff import KeyEntry, NewKey
from backend.settings import read_settings

KeyId = Annotated[str, typer.Argument(help="The key's id, as lull keys list tells it.")]


def keys_create(
    role: Annotated[str, typer.Option(help="till, marketer, analyst or admin.")],
    store: Annotated[list[str] | None, typer.Option(help="A store the key is bound to; repeat for more.")] = None,
    expires_at: Annotated[
        str | None, typer.Option(help="When it ends, such as 2027-01-01T00:00:00Z; else when it is revoked.")
    ] = None,
    label: Annotated[str, typer.Option(help="What the key is for, to tell keys apart.")] = "",
    as_json: Json = False,
) -> None:
    """Make an API key and show its secret, this once.

    Example: lull keys create --role till --store hel-kamppi --label "Kamppi, bar"
    """
    chosen = next((each for each in ROLES if each == role), None)
    if chosen is None:
        raise ValueError(f"--role: give one of {', '.join(ROLES)}")
    wanted = NewKey(chosen, frozenset(store) if store else None, _moment(expires_at), label)
    with _keys() as keys:
        entry, secret = keys.create(OPERATOR, wanted)
    say(as_json, _report(entry) | {"key": secret}, secret)


def keys_list(as_json: Json = False) -> None:
    """Show all API keys there ever were, without their secrets.

    Example: lull keys list --json
    """
    with _keys() as keys:
        entries = keys.of(OPERATOR)
    lines = [_line(entry) for entry in entries] or ["there are no keys: lull keys create makes one"]
    say(as_json, {"items": [_report(entry) for entry in entries]}, "\n".join(lines))


def keys_rotate(
    key_id: KeyId,
    overlap_hours: Annotated[
        float, typer.Option(min=0, max=720, help="For so long the present secret stays good too.")
    ] = 24,
    as_json: Json = False,
) -> None:
    """Give an API key a new secret and show it, this once; the secret before the present one ends now.

    Example: lull keys rotate k_0123456789abcdef --overlap-hours 48
    """
    with _keys() as keys:
        entry, secret = keys.rotate(OPERATOR, key_id, timedelta(hours=overlap_hours))
    say(as_json, _report(entry) | {"key": secret}, secret)


def keys_revoke(key_id: KeyId, as_json: Json = False) -> None:
    """End an API key for good. Servers that run take notice within 5 seconds.

    Example: lull keys revoke k_0123456789abcdef
    """
    with _keys() as keys:
        entry = keys.revoke(OPERATOR, key_id)
    say(as_json, _report(entry), f"{entry.id} is revoked")


@contextmanager
def _keys() -> Iterator[ApiKeys]:
    from backend.wiring import open_ports

    with open_ports(read_settings()) as (ports, clock):
        yield ApiKeys(ports.identity, ports.chain, clock)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    with suppress(ValueError):
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    raise ValueError("--expires-at: write the time with its offset, such as 2027-01-01T00:00:00Z")


def _report(entry: KeyEntry) -> dict[str, Any]:
    times = ("created_at", "expires_at", "last_used_at", "revoked_at", "previous_until")
    stores = None if entry.store_ids is None else sorted(entry.store_ids)
    about = {"id": entry.id, "role": entry.role, "store_ids": stores, "label": entry.label}
    return about | {name: _written(getattr(entry, name)) for name in times}


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def _line(entry: KeyEntry) -> str:
    bound = "the whole chain" if entry.store_ids is None else counted(len(entry.store_ids), "store")
    parts = [entry.id, entry.role, bound]
    parts += [
        f"{word} {_written(at)}" for word, at in (("revoked", entry.revoked_at), ("ends", entry.expires_at)) if at
    ]
    parts.append(f"last used {_written(entry.last_used_at)}" if entry.last_used_at else "never used")
    return "  ".join([*parts, entry.label]).rstrip()
