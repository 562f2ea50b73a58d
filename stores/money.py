"""Money in minor units: how many decimals a currency has, and how an amount is written."""

from __future__ import annotations

_NO_DECIMALS = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())  # noqa: SIM905
_THREE_DECIMALS = frozenset("BHD IQD JOD KWD LYD OMR TND".split())  # noqa: SIM905


def exponent(currency: str) -> int:
    """Decimals of a currency's minor unit (ISO 4217): 2 for most, 0 and 3 for some."""
    if currency in _NO_DECIMALS:
        return 0
    return 3 if currency in _THREE_DECIMALS else 2


def money(minor: int, currency: str) -> str:
    """An amount as people read it: `340, "EUR"` is "3.40 EUR"."""
    decimals = exponent(currency)
    if decimals == 0:
        return f"{minor} {currency}"
    whole, part = divmod(minor, 10**decimals)
    return f"{whole}.{part:0{decimals}d} {currency}"
