"""Taking a port before a server starts: what is refused, and that our own server may still listen there."""

from __future__ import annotations

import socket
from contextlib import suppress

import pytest

from backend.listening import PortInUse, hold_port


def _has_ipv6() -> bool:
    with suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False


LOOPBACKS = [
    (socket.AF_INET, "127.0.0.1"),
    pytest.param(socket.AF_INET6, "::1", marks=pytest.mark.skipif(not _has_ipv6(), reason="no IPv6 here")),
]


@pytest.mark.parametrize(("family", "host"), LOOPBACKS)
def test_a_port_somebody_listens_on_is_told(family: socket.AddressFamily, host: str) -> None:
    with socket.socket(family) as other:
        # As granian does it, which is why another server would not notice.
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind((host, 0))
        other.listen()
        with pytest.raises(PortInUse, match="in use: end what listens there"):
            hold_port(host, other.getsockname()[1])


@pytest.mark.parametrize(("family", "host"), LOOPBACKS)
def test_a_port_is_held_by_one_and_open_to_its_own_server(family: socket.AddressFamily, host: str) -> None:
    with hold_port(host, 0) as held, socket.socket(family) as ours:
        port = held.getsockname()[1]
        with pytest.raises(PortInUse):
            hold_port(host, port)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        ours.bind((host, port))
        ours.listen()
        with socket.create_connection((host, port), timeout=5) as client, ours.accept()[0] as served:
            client.sendall(b"x")
            assert served.recv(1) == b"x"


def test_a_port_is_free_again_while_old_connections_fade() -> None:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            # The side that closes first keeps the connection in TIME_WAIT.
            server.accept()[0].close()
            assert client.recv(1) == b""
    hold_port("127.0.0.1", port).close()


@pytest.mark.parametrize(
    "host", ["", " ", "no.such.host.invalid", "203.0.113.1", "127.0.0.1 x", "x" * 300, "2001:db8::1"]
)
def test_a_host_that_is_none_of_this_machine_is_told(host: str) -> None:
    with pytest.raises(ValueError, match="--host: "):
        hold_port(host, 0)


def test_a_name_means_its_first_address() -> None:
    with hold_port("localhost", 0) as held:
        assert held.getsockname()[0] == "127.0.0.1"
