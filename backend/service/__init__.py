"""The use cases, over six ports."""
