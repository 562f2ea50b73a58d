"""The worker: empties the outbox and keeps the books tidy."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from datetime import datetime

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from backend.service.erasure import finish_erasures
from backend.service.errors import Unavailable
from backend.service.ports import Clock, Ports
from backend.service.pushing import Outbox
from backend.service.staff import WRONG_CODES_WITHIN
from backend.service.tidying import tidy
from backend.service.till_model import ANSWERS_KEPT
from backend.settings import Settings
from backend.wiring import open_outbox

IDLE_S = 0.2
BREATH_S = 0.05
"""Meanwhile more sends end, and one transaction claims for all of them; answers take longer than that."""
AWAY_S = 2.0
EXPIRE_EVERY_S = 1
TIERS_EVERY_S = 60
ERASE_EVERY_S = 5
TIDY_EVERY_S = 3600

log = structlog.get_logger("lull.worker")


def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; what is being sent is finished and settled first."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Not here: this thread may hold the event's lock, which is not to be taken twice.
        signal.signal(number, lambda *_: threading.Thread(target=stop.set).start())
    # A tick that is skipped while the one before waits for the database says so once a second.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    with open_outbox(settings) as (outbox, ports, clock):
        scheduler = _scheduler(ports, clock)
        scheduler.start()
        log.info("worker started")
        try:
            send_until(outbox, stop)
        finally:
            scheduler.shutdown()
    log.info("worker stopped")


def send_until(outbox: Outbox, stop: threading.Event) -> None:
    """Start sending whatever is due until `stop` is set; a database that is away is waited for."""
    while not stop.is_set():
        outbox.wait_for_room(IDLE_S)
        try:
            pause = BREATH_S if outbox.send_due() else IDLE_S
        except Unavailable as error:
            log.warning("waiting", reason=error.reason)
            pause = AWAY_S
        stop.wait(pause)


def _scheduler(ports: Ports, clock: Clock) -> BackgroundScheduler:
    """Jobs are registered in code; each may run twice at once in two processes without harm."""
    scheduler = BackgroundScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1})

    def every(seconds: int, done: str, do: Callable[[datetime], int]) -> None:
        scheduler.add_job(_tick, "interval", (clock, done, do), seconds=seconds, misfire_grace_time=None)

    every(EXPIRE_EVERY_S, "coupons expired", ports.ledger.expire)
    every(TIERS_EVERY_S, "tiers settled", ports.members.settle_tiers)
    every(TIDY_EVERY_S, "rows tidied away", lambda now: tidy(ports.ledger, now))
    every(TIDY_EVERY_S, "answers forgotten", lambda now: ports.ledger.forget_answers(now - ANSWERS_KEPT))
    every(
        TIDY_EVERY_S,
        "wrong codes forgotten",
        lambda now: ports.identity.forget_wrong_codes(now - WRONG_CODES_WITHIN),
    )
    every(ERASE_EVERY_S, "erasures finished", lambda now: finish_erasures(ports, now, clock.real()))
    return scheduler


def _tick(clock: Clock, done: str, do: Callable[[datetime], int]) -> None:
    if not clock.trusted():
        log.warning("waiting", reason="clock_doubtful")
        return
    try:
        count = do(clock.now())
    except Unavailable as error:
        log.warning("waiting", reason=error.reason)
        return
    if count:
        log.info(done, count=count)
