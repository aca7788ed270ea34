"""A port for a server that somebody else starts later, in a process of its own."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port of 127.0.0.1 on which a server may listen within the block, and whoever only connects is given another.

    A port that was merely free a moment ago may have become the near end of somebody's connection since.
    """
    with socket.socket() as held:
        # Servers set it as well, and may then bind beside what never listens.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        yield port
