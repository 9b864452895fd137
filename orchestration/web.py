"""`ademruimte web`: the process that takes what departments answer, on loopback behind the city's proxy."""

import socket
from ipaddress import ip_address

import uvicorn

from orchestration.alerts.links import keys_of
from orchestration.alerts.pages import Pages
from orchestration.settings import Settings

_MOST_AT_ONCE = 200
_KEEP_ALIVE_SECONDS = 5


def listen(host: str, port: int) -> socket.socket:
    """Takes a port of this machine, so that whoever starts it knows at once that it is free.

    Raises:
        ValueError: others could reach the host without the proxy, which encrypts.
        OSError: another process holds the port.
    """
    if not ip_address(host).is_loopback:
        raise ValueError(f"{host} is no address of this machine alone: use 127.0.0.1 or ::1 behind your proxy")
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)


def serve(settings: Settings, listening: socket.socket) -> None:
    """Takes answers until it is stopped.

    Raises:
        OSError: the keys of the links cannot be read.
    """
    settings.layout.create()
    keys_of(settings)
    config = uvicorn.Config(
        Pages(settings).app(),
        lifespan="off",
        ws="none",
        log_level="warning",
        # a link is a secret, and a log is not
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MOST_AT_ONCE,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listening])
