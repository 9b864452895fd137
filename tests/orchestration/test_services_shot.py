"""Daemon, code server and worker are shot, together and apart: what waits in a drop folder moves within a minute."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from orchestration.settings import Settings
from tests.door.conftest import command, environment, free_port, processes_of
from tests.orchestration.test_landing import GOOD_ROW, INDICATORS, drop
from warehouse.lake import Lake

pytestmark = [
    pytest.mark.chaos,  # `ademruimte dev` as processes, started again after each shot
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="only Linux tells which process is whose"),
]

PARTS = {"daemon": (b"dagster._daemon",), "code server": (b"code-server", b"grpc"), "worker": (b"spawn_main",)}
SHOTS = [("daemon",), ("code server",), ("worker",), ("daemon", "code server", "worker")]
A_MINUTE = 60
PATIENCE = 240


@dataclass
class Services:
    """`ademruimte dev`, which whoever keeps a server going starts again when it ended."""

    settings: Settings
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        told = self.folder / "dev.txt"
        with told.open("wb") as output:
            self.process = subprocess.Popen(
                command("dev", "--port", str(free_port())),
                cwd=self.folder,
                env=environment(**self.settings.environment),
                stdout=output,
                stderr=output,
            )
        wait_for("loaded definitions", lambda: b"is loaded" in told.read_bytes())

    def start_again_if_ended(self) -> None:
        assert self.process is not None
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
            self.start()

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(A_MINUTE)

    def of(self, part: str) -> list[int]:
        """The processes of a part."""
        return [int(pid) for pid in processes_of(self.settings) if any(word in _told(pid) for word in PARTS[part])]


def _told(pid: str) -> bytes:
    with suppress(OSError):
        return Path("/proc", pid, "cmdline").read_bytes()
    return b""


def wait_for(what: str, is_there: Callable[[], object], patience: float = PATIENCE) -> float:
    """Waits until something is there; returns after how many seconds."""
    started = time.monotonic()
    while not is_there():
        assert time.monotonic() - started < patience, f"no {what} in {patience} seconds"
        time.sleep(0.1)
    return time.monotonic() - started


def landed(settings: Settings, name: str) -> int:
    """How many batches hold a file of that name."""
    return [each.origin for each in Lake(settings.layout.lake).manifests("indicators")].count(name)


@pytest.fixture
def services(own_demo: Settings, tmp_path: Path) -> Iterator[Services]:
    running = Services(own_demo, tmp_path)
    running.start()
    yield running
    running.stop()


def test_what_waits_moves_within_a_minute_whichever_part_is_shot(
    services: Services, capfd: pytest.CaptureFixture[str]
) -> None:
    # of which every row is refused, so that no build of minutes follows
    content = INDICATORS + GOOD_ROW.replace("17600", "veel")
    lines = []
    for number, parts in enumerate(SHOTS, 1):
        name = f"cijfers_{number}.csv"
        drop(services.settings, "indicators", name, content.replace("10-31", f"10-1{number}"))
        if "worker" in parts:
            wait_for("worker", partial(services.of, "worker"))
        for pid in [pid for part in parts for pid in services.of(part)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        services.start_again_if_ended()
        seconds = wait_for("landed file", partial(landed, services.settings, name), A_MINUTE)
        assert landed(services.settings, name) == 1
        lines.append(f"{' and '.join(parts):>35} shot: landed {seconds:5.1f} s after the services stood again")
    with capfd.disabled():
        sys.stdout.write("\n" + "\n".join(lines) + "\n")
