"""A reserved port is for the server that is started later, and for nobody else."""

import socket

import pytest

from remediator.sandbox.ports import reserved_port


def test_nobody_else_has_it_before_its_server_is_there() -> None:
    """No connection is given a near end that is bound, and who binds it without saying that he shares is told so."""
    with reserved_port() as port:
        with socket.socket() as somebody, pytest.raises(OSError, match="Address already in use"):
            somebody.bind(("127.0.0.1", port))
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        for _ in range(2):  # a server may be started again
            with socket.create_server(("127.0.0.1", port)) as server:
                socket.create_connection(server.getsockname()).close()
