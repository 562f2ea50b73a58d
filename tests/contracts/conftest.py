"""See tests/contracts/fixtures.py."""

from tests.contracts.fixtures import ports, postgresql_url, redis, redis_url, sqlite_template

__all__ = ["ports", "postgresql_url", "redis", "redis_url", "sqlite_template"]
