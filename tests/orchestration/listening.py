"""A server that only counts who comes."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Listener:
    """Where it listens, and how many came."""

    port: int
    connections: int = 0


@contextmanager
def listening() -> Iterator[Listener]:
    """Counts every connection to a port of its own, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        counted = Listener(server.getsockname()[1])

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                counted.connections += 1
                connection.close()

        threading.Thread(target=accept, daemon=True).start()
        yield counted
        server.shutdown(socket.SHUT_RDWR)
