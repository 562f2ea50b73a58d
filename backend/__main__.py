"""Where the command `lull` (or `python -m backend`) starts: ctrl-C is looked after before anything else is loaded."""

from __future__ import annotations

import os
import signal
from typing import NoReturn

INTERRUPTED = 130
TERMINATED = 143


def main() -> None:
    """Run a command. Exit codes: 0 done, 1 failed, 2 wrong usage or input, 130 ended by ctrl-C.

    What runs for long (the servers, the worker, the demo) ends on ctrl-C in its own way once it is up.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _interrupted)
    if os.getpid() == 1:  # in a container the system ends nobody who does not ask for it
        signal.signal(signal.SIGTERM, lambda *_: os._exit(TERMINATED))
    from backend.cli import run

    run()


def _interrupted(_number: int, _frame: object) -> NoReturn:
    """End at once: an exception may be swallowed or reported by whatever is being loaded just then.

    Nothing needs to be tidied: files are put in place, and changes of the database committed, whole or not at all.
    """
    os.write(2, b"lull: interrupted; what was not finished is not kept\n")
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
