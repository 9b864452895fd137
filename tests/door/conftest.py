"""`ademruimte dev` as its user starts it: a process, on a demo profile in a folder of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from orchestration.settings import Settings, read_settings

ROOT = Path(__file__).parents[2]
_PATIENCE = 300


@dataclass
class Door:
    """A running `ademruimte dev` and the profile it serves."""

    process: subprocess.Popen[bytes]
    settings: Settings
    address: str
    output: Path

    def ask(self, query: str, **variables: object) -> Mapping[str, Any]:
        answer = requests.post(
            f"{self.address}/graphql", json={"query": query, "variables": variables}, timeout=60
        ).json()
        assert not answer.get("errors"), answer
        found: Mapping[str, Any] = answer["data"]
        return found

    def wait_for(self, what: str, look: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever is looked for
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            assert self.process.poll() is None, self.output.read_text("utf-8")[-3000:]
            with suppress(requests.ConnectionError):
                if found := look():
                    return found
            time.sleep(0.2)
        raise AssertionError(f"no {what} in {_PATIENCE} seconds: {self.output.read_text('utf-8')[-3000:]}")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder in which the demo was run."""
    made = tmp_path_factory.mktemp("door")
    done = subprocess.run(
        command("demo"), cwd=made, env=environment(), capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    # of another city: Dagster puts it above the environment, and what is shown here is the demo
    (made / ".env").write_text("ADEMRUIMTE_CITY=boston\n")
    return made


MISSPELT = {"ADEMRUIMTE_SMTP_HSOT": "mail.stad.test"}


@pytest.fixture(scope="session")
def door(folder: Path) -> Iterator[Door]:
    """`ademruimte dev`, its definitions loaded; it ends in the process group of whoever runs this."""
    port = free_port()
    output = folder / "dev.txt"
    with output.open("wb") as told:
        process = subprocess.Popen(
            command("dev", "--port", str(port)), cwd=folder, env=environment(**MISSPELT), stdout=told, stderr=told
        )
    settings = read_settings({"ADEMRUIMTE_HOME": str(folder / "var" / "demo")})
    opened = Door(process, settings, f"http://127.0.0.1:{port}", output)
    try:
        opened.wait_for("open door", lambda: "is loaded" in output.read_text("utf-8"))
        yield opened
    finally:
        process.terminate()
        process.wait(60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "orchestration.cli", *arguments]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **more}


def processes_of(profile: Settings) -> list[str]:
    """The processes that were told to work on a profile, whoever started them."""
    return [where for where in _processes() if str(profile.layout.dagster).encode() in _environ(where)]


def _processes() -> list[str]:
    return [path.name for path in Path("/proc").iterdir() if path.name.isdecimal()]


def _environ(process: str) -> bytes:
    with suppress(OSError):
        return Path("/proc", process, "environ").read_bytes()
    return b""
