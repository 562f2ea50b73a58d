"""The server that is measured: the application as `lull serve` runs it, with one empty route beside it."""

from __future__ import annotations

import argparse

from flask import Flask, jsonify
from granian import Granian
from granian.constants import Interfaces
from werkzeug.wrappers import Response

from backend.wiring import create_app

EMPTY = "/empty"


def empty() -> Response:
    """A small JSON answer by plain Flask: what the server and the framework cost alone."""
    return jsonify(ok=True)


def create_measured() -> Flask:
    """The web process with the empty route."""
    app = create_app()
    app.add_url_rule(EMPTY, "empty", empty)
    return app


def main() -> None:
    """Serve with the options of `lull serve`, except for the target."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    options = parser.parse_args()
    Granian(
        "benchmarks.app:create_measured",
        factory=True,
        address="127.0.0.1",
        port=options.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=options.threads,
        log_access=False,
    ).serve()


if __name__ == "__main__":
    main()
