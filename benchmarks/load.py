"""Clients in a process of their own: bare sockets kept open, each with one request under way at a time."""

from __future__ import annotations

import multiprocessing as mp
import re
import selectors
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from time import perf_counter_ns, process_time

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_TIME_OUT_S = 30.0


@dataclass(slots=True)
class Result:
    """One slice: nanoseconds of each right answer, wrong answers, seconds it took, CPU seconds of the clients."""

    took_ns: list[int] = field(default_factory=list)
    wrong: list[bytes] = field(default_factory=list)
    seconds: float = 0.0
    cpu_s: float = 0.0


@dataclass(slots=True)
class _Client:
    socket: socket.socket
    sent_at: int = 0
    got: bytes = b""


class Clients:
    """The clients' process, seen from outside."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def run(self, requests: Sequence[bytes], expect: bytes, seconds: float) -> Result:
        """Send requests for so long, or until all are answered."""
        self._pipe.send((list(requests), expect, seconds))
        result: Result = self._pipe.recv()
        return result


@contextmanager
def open_clients(port: int, count: int) -> Iterator[Clients]:
    """Connect `count` clients to the server, in another process."""
    context = mp.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, port, count), daemon=True)
    process.start()
    there.close()
    try:
        yield Clients(here)
    finally:
        here.close()
        process.join(5.0)


def _serve(pipe: Connection, port: int, count: int) -> None:
    clients = [_Client(socket.create_connection(("127.0.0.1", port), _TIME_OUT_S)) for _ in range(count)]
    for client in clients:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while True:
        try:
            requests, expect, seconds = pipe.recv()
        except EOFError:
            return
        pipe.send(_run(clients, requests, expect, seconds))


def _run(clients: Sequence[_Client], requests: Sequence[bytes], expect: bytes, seconds: float) -> Result:
    result, waiting = Result(), iter(requests)
    cpu, began = process_time(), perf_counter_ns()
    end = began + int(seconds * 1e9)
    with selectors.DefaultSelector() as selector:
        for client in clients:
            if _send(client, waiting):
                selector.register(client.socket, selectors.EVENT_READ, client)
        while selector.get_map():
            ready = selector.select(_TIME_OUT_S)
            if not ready:
                raise TimeoutError(f"the server did not answer within {_TIME_OUT_S:.0f} s")
            for key, _ in ready:
                client = key.data
                if not _receive(client, expect, result):
                    continue
                if perf_counter_ns() >= end or not _send(client, waiting):
                    selector.unregister(client.socket)
    result.seconds, result.cpu_s = (perf_counter_ns() - began) / 1e9, process_time() - cpu
    return result


def _send(client: _Client, waiting: Iterator[bytes]) -> bool:
    request = next(waiting, None)
    if request is None:
        return False
    client.sent_at = perf_counter_ns()
    client.socket.sendall(request)
    return True


def _receive(client: _Client, expect: bytes, result: Result) -> bool:
    """Take what came; True once the answer is whole."""
    fresh = client.socket.recv(1 << 18)
    if not fresh:
        raise ConnectionError("the server closed a connection: see its output")
    client.got += fresh
    head, found, body = client.got.partition(b"\r\n\r\n")
    length = _LENGTH.search(head) if found else None
    if length is None or len(body) < int(length[1]):
        return False
    took = perf_counter_ns() - client.sent_at
    client.got = b""
    if head.startswith(b"HTTP/1.1 200") and expect in body:
        result.took_ns.append(took)
    else:
        result.wrong.append(head.split(b"\r\n", 1)[0] + b" " + body[:300])
    return True
