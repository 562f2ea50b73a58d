"""The one place that knows adapters and settings, and puts everything together."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

import firebase_admin
import sqlalchemy as sa
from flask import Flask, redirect
from werkzeug.middleware.proxy_fix import ProxyFix

from backend.adapters.clocks import DatabaseClock, MachineClock
from backend.adapters.fcm import FcmSender
from backend.adapters.firebase_auth import FirebaseVerifier, firebase_app
from backend.adapters.identity import LullIdentity
from backend.adapters.nowhere import NoSender
from backend.adapters.sql import Database, SqlChain, SqlLedger, SqlMembers, check_newest
from backend.api import create_api
from backend.console import create_console
from backend.service.keyring import keyring
from backend.service.limits import Limiter
from backend.service.ports import Clock, Ports, Presence
from backend.service.pushing import AT_ONCE, Outbox
from backend.service.services import Services, services
from backend.settings import Settings, read_settings
from backend.twins.clock import FastClock
from backend.twins.limits import TwinLimiter, Unlimited
from backend.twins.presence import TwinPresence

SWEEP_EVERY_S = 60.0


def open_clock(settings: Settings, database: Database) -> Clock:
    """The clock that judges validity here."""
    fast = settings.need_clock()
    if fast is not None:
        return FastClock(*fast)
    if database.is_sqlite:
        return MachineClock()

    def server_time() -> datetime:
        with database.read() as connection:
            now: datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
        return now

    return DatabaseClock(server_time)


def check_services(settings: Settings) -> None:
    """Raise ValueError or Unavailable for what would keep the web process from starting, before it starts."""
    keyring(settings.need_secret(), settings.secret_previous, "any")
    settings.need_clock()
    settings.need_map()
    app = firebase_app(settings.need_credentials(), name="lull-check")
    try:
        FirebaseVerifier(app)
    finally:
        firebase_admin.delete_app(app)
    database = Database(settings.database_url)
    try:
        check_newest(database)
    finally:
        database.close()
    if settings.redis_url is not None:
        from backend.adapters.redis_link import RedisLink

        link = RedisLink(settings.redis_url)
        try:
            link.check_volatile(settings.redis_volatile)
        finally:
            link.close()


def _sweep(presence: TwinPresence, clock: Clock) -> None:
    """Forget positions of phones that fell silent, even when nobody reports any more."""
    while True:
        time.sleep(SWEEP_EVERY_S)
        presence.sweep(clock.real())


def _ports(database: Database, verifier: FirebaseVerifier | None) -> Ports:
    return Ports(
        members=SqlMembers(database),
        presence=TwinPresence(),  # volatile by design: the twin is the real thing in one process
        chain=SqlChain(database),
        ledger=SqlLedger(database),
        sender=NoSender(),
        identity=LullIdentity(database, verifier),
    )


@contextmanager
def open_ports(settings: Settings) -> Iterator[tuple[Ports, Clock]]:
    """Database and clock for a command; no members sign in and nothing is sent."""
    database = Database(settings.database_url)
    try:
        yield _ports(database, None), open_clock(settings, database)
    finally:
        database.close()


def open_services(settings: Settings) -> Services:
    """Everything the web process serves. Raises ValueError when a setting is missing."""
    secret = settings.need_secret()
    app = firebase_app(settings.need_credentials(), name="lull-web")
    certificates = f"{settings.emulator_url}/certs" if settings.emulator_url else None
    database = Database(settings.database_url)
    clock = open_clock(settings, database)
    presence, limiter = _volatile(settings, clock)
    ports = replace(_ports(database, FirebaseVerifier(app, certificates)), presence=presence)
    limiter = Unlimited() if settings.limits == "off" else limiter
    return services(ports, clock, secret, limiter, settings.secret_previous)


def _volatile(settings: Settings, clock: Clock) -> tuple[Presence, Limiter]:
    """What is never on a disk: in this process, or in Redis for several. redis-py is imported only where it is used."""
    if settings.redis_url is not None:
        from backend.adapters.redis_limiter import RedisLimiter
        from backend.adapters.redis_link import RedisLink
        from backend.adapters.redis_presence import RedisPresence

        link = RedisLink(settings.redis_url)
        return RedisPresence(link), RedisLimiter(link)
    presence = TwinPresence()
    threading.Thread(target=_sweep, args=(presence, clock), name="sweep", daemon=True).start()
    return presence, TwinLimiter()


@contextmanager
def open_outbox(settings: Settings) -> Iterator[tuple[Outbox, Ports, Clock]]:
    """What the worker works with. Raises ValueError when a setting is missing."""
    app = firebase_app(settings.need_credentials(), name="lull-worker")
    sender = FcmSender(app, threads=AT_ONCE, fcm_url=settings.emulator_url)
    database = Database(settings.database_url)
    ports = replace(_ports(database, None), sender=sender)
    clock = open_clock(settings, database)
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="push")
    try:
        yield Outbox(ports, clock, secrets.SystemRandom().random, pool), ports, clock
    finally:
        pool.shutdown()
        sender.close()
        database.close()


def create_app() -> Flask:
    """The web process, from the settings in the environment."""
    settings = read_settings()
    wired = open_services(settings)
    app = create_api(wired)
    app.register_blueprint(create_console(wired, settings.map))
    app.add_url_rule("/", "root", lambda: redirect("/console"))
    if settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=0)  # type: ignore[method-assign]
    return app
