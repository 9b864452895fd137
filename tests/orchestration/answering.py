"""`ademruimte web` as its user starts it: a process on loopback, on a profile of a test's own."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import requests

from orchestration.alerts.answering import answers_of
from orchestration.alerts.links import link_of
from orchestration.settings import Settings
from tests.orchestration.profiles import settings_in
from warehouse.state import Answer

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 23)
WEEK = "2026-W48"
_PATIENCE_SECONDS = 60
_FORM = re.compile(r'action="([^"]+)">(.*?)</form>', re.DOTALL)
_BUTTON = re.compile(r"<button>([^<]+)</button>")


@dataclass(frozen=True)
class Web:
    """A running process and the profile it serves."""

    settings: Settings
    address: str

    def link(self, target: str = "dwellings", department: str = "wonen", period: str = WEEK, on: date = TODAY) -> str:
        found = link_of(self.settings, target, department, period, on)
        assert found is not None
        return found

    def buttons(self, link: str) -> dict[str, str]:
        """The addresses to which the forms of a page go, by what their buttons say."""
        page = requests.get(link, timeout=30)
        assert page.status_code == 200, page.text
        return buttons_in(page)

    @property
    def given(self) -> list[Answer]:
        return answers_of(self.settings)


def buttons_in(page: requests.Response) -> dict[str, str]:
    forms = _FORM.findall(page.text)
    return {unescape(_BUTTON.findall(form)[0]): urljoin(page.url, unescape(action)) for action, form in forms}


def expired(web: Web) -> str:
    return web.link(on=TODAY - timedelta(days=61))


@contextmanager
def serving(home: Path) -> Iterator[Web]:
    """Starts the command as a process and stops it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    settings = settings_in(home, {}, ADEMRUIMTE_WEB_URL=address)
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestration.cli", "web", "--port", str(port)],
        env={**os.environ, **settings.environment, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=home,
    )
    try:
        _wait_for(process, address)
        yield Web(settings, address)
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _wait_for(process: "subprocess.Popen[bytes]", address: str) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        try:
            assert requests.get(address, timeout=5).status_code == 200
        except requests.ConnectionError:
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.1)
        else:
            return
    raise AssertionError("nothing answers")
