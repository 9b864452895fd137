"""`dev`: Dagster's code server, daemon and web server on this machine only, under one roof.

These are the commands that `dagster dev` and `dg dev` start as well. The first is superseded by the second, and that
brings the clients of Dagster's cloud and of GitHub with it.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests
import yaml

_Start = Callable[[Sequence[str]], "subprocess.Popen[bytes]"]
_log = logging.getLogger("ademruimte.dev")
_HOST = "127.0.0.1"
_MODULE = "orchestration.definitions"
_LOOK_SECONDS = 0.5
_ENDING_SECONDS = 10
# the first process of the group that holds the others: when our end of its input closes, however we died, all end
_KEEPER = f"trap '' TERM; read -r _; kill -TERM 0; sleep {_ENDING_SECONDS}; kill -KILL 0"
_LOAD = """{ workspaceOrError { __typename
  ... on PythonError { message }
  ... on Workspace { locationEntries { loadStatus locationOrLoadError { __typename
    ... on PythonError { message causes { message } } } } } } }"""


def serve(port: int, folder: Path | None = None) -> int:
    """Serves the profile that was prepared until it is stopped, or until a part of it ends.

    Args:
        port: on loopback.
        folder: where the processes work; None for the working folder. Dagster puts the `.env` of that folder above
            the environment, so a profile that must not obey a real city's works elsewhere.

    Returns:
        0 when it was stopped, 1 when the code location does not load or a process ended by itself.
    """
    # whoever ends us with a signal gets the same orderly end as who types Ctrl-C
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with TemporaryDirectory(prefix="ademruimte-") as sockets, _kept_together(folder) as start:
        try:
            return _watch(dict(_started(start, Path(sockets), port)), f"http://{_HOST}:{port}")
        except KeyboardInterrupt:
            _log.info("stopping")
            return 0


def _started(start: _Start, folder: Path, port: int) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """One code server, on a socket that only this account can open; then the two that ask it for the definitions."""
    code, workspace = folder / "code", folder / "workspace.yaml"
    workspace.write_text(yaml.dump({"load_from": [{"grpc_server": {"socket": str(code), "location_name": _MODULE}}]}))
    server = start(["dagster", "code-server", "start", "--module-name", _MODULE, "--socket", str(code)])
    yield "code server", server
    while server.poll() is None and not _answers(code):
        time.sleep(_LOOK_SECONDS)
    where = ("--workspace", str(workspace))
    yield "daemon", start(["dagster._daemon", "run", *where])
    yield "web server", start(["dagster_webserver", "--host", _HOST, "--port", str(port), *where])


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as door, suppress(OSError):
        door.connect(str(path))
        return True
    return False


@contextmanager
def _kept_together(folder: Path | None) -> Iterator[_Start]:
    """Starts processes in a folder and in a group of their own; the group ends with us, also when we are killed."""
    keeper = subprocess.Popen(["/bin/sh", "-c", _KEEPER], stdin=subprocess.PIPE, process_group=0)  # noqa: S603 - a constant
    started: list[subprocess.Popen[bytes]] = []

    def start(command: Sequence[str]) -> subprocess.Popen[bytes]:
        whole = [sys.executable, "-m", *command]
        # our own interpreter and constants
        process = subprocess.Popen(whole, stdin=subprocess.DEVNULL, process_group=keeper.pid, cwd=folder)  # noqa: S603
        started.append(process)
        return process

    try:
        yield start
    finally:
        # a second signal would leave behind what the first has to end
        for asked in (signal.SIGINT, signal.SIGTERM):
            signal.signal(asked, signal.SIG_IGN)
        if keeper.stdin is not None:
            keeper.stdin.close()
        for process in started:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_ENDING_SECONDS)
        os.killpg(keeper.pid, signal.SIGKILL)
        keeper.wait()


def _watch(services: dict[str, subprocess.Popen[bytes]], address: str) -> int:
    """Says when the definitions are loaded, or why not; then waits."""
    is_loaded = False
    while True:
        for name, process in services.items():
            if process.poll() is not None:
                _log.error("the %s ended by itself (code %s): see what it said above", name, process.returncode)
                return 1
        if not is_loaded and (loaded := _loaded(address)) is not None:
            if loaded:
                _log.error("the code location does not load: %s", loaded)
                _log.error("nothing lands or is built. Correct what it names, then start `ademruimte dev` again")
                return 1
            is_loaded = True
            _log.info("every job, asset and sensor is loaded: open %s", address)
        time.sleep(_LOOK_SECONDS)


def _loaded(address: str) -> str | None:
    """Why the code location does not load, empty when it does, None while nobody knows."""
    with suppress(requests.ConnectionError, requests.Timeout):
        answer = requests.post(f"{address}/graphql", json={"query": _LOAD}, timeout=30)
        workspace = answer.json()["data"]["workspaceOrError"]
        if workspace["__typename"] == "PythonError":
            return str(workspace["message"])
        for entry in workspace["locationEntries"]:
            found = entry["locationOrLoadError"]
            if entry["loadStatus"] == "LOADED" and found:
                return "" if found["__typename"] == "RepositoryLocation" else _innermost(found)
    return None


def _innermost(error: Mapping[str, Any]) -> str:
    return str([error, *error["causes"]][-1]["message"]).strip()
