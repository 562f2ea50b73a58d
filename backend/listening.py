"""Taking an address to listen on before a server starts, so that one that cannot be had is told at once."""

from __future__ import annotations

import errno
import socket


class PortInUse(Exception):
    """Another process listens on this port; the message says so in a sentence."""


def hold_port(host: str, port: int) -> socket.socket:
    """Bind the address of `host` at `port` (0: a free one) for this process; its own server may still listen there.

    Keep the socket for as long as the server runs: until it is closed no other `hold_port` gets the same port. A name
    with several addresses means its first, IPv4 before IPv6. Raises PortInUse when somebody listens there, and
    ValueError when the host is none of this machine or the port may not be used.
    """
    family, address = _address(host, port)
    held = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Connections of a server that has just ended must not keep the port from its successor.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(address)
        # granian binds with SO_REUSEPORT, with which two servers would share a port and its requests unnoticed. The
        # socket is bound without it, which fails if anyone is there, and then made to tolerate our own server only.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    except OSError as error:
        held.close()
        raise _refusal(error, port) from None
    return held


def _address(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM) if host.strip() else []
    except (OSError, UnicodeError):
        found = []
    usable = [(family, str(where[0])) for family, _, _, _, where in found if "%" not in str(where[0])]
    if not usable:
        raise ValueError("--host: there is no such host: give an address of this machine, such as 127.0.0.1 or ::1")
    family, address = min(usable, key=lambda each: each[0])
    return family, (address, port)


def _refusal(error: OSError, port: int) -> Exception:
    if error.errno == errno.EADDRINUSE:
        return PortInUse(f"port {port} is in use: end what listens there, or choose another with --port")
    if error.errno in (errno.EACCES, errno.EPERM):
        return ValueError(f"--port: this user may not listen on port {port}: choose one above 1023")
    return ValueError("--host: this machine cannot listen on that address: give one of its own, such as 127.0.0.1")
