"""Makes a small profile with the code it is run with, and packs what a backup holds of it: lake, state, keys, marker.

`profile_of_main.tar.gz` is one that the main branch made before a change, and the next version must go on with it. An
issue that changes state, contracts or marts puts a new one there first, made by the main it starts from:

    git archive main | tar -x -C /tmp/main
    PYTHONPATH=/tmp/main python tests/golden/profile_of_this_version.py tests/golden/profile_of_main.tar.gz
"""

import sqlite3
import sys
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from ingestion.demo_city import city as demo_city
from ingestion.demo_city.suppliers import open311_supplier
from orchestration.loop.build import build
from orchestration.loop.landing import land
from orchestration.loop.messages import send
from orchestration.settings import Settings, read_settings

BUILT_AT = datetime(2026, 11, 23, 6, tzinfo=UTC)
KEPT = ("lake", "state.sqlite", "secrets", "SYNTHETIC")
_SOURCES = ("indicators", "tickets_1777")
_QUESTIONS = 150


def main(target: Path) -> None:
    """Lands two sources and a file that is refused, builds, sends, and builds again a week later."""
    requests = demo_city.ticket_requests()[:_QUESTIONS]
    with TemporaryDirectory() as home, open311_supplier(requests, api_key="t", clock=demo_city.CLOCK) as url:
        settings = _settings(Path(home), url)
        settings.layout.create()
        settings.layout.marker.write_text("2026-11-23", encoding="utf-8")
        demo_city.write_drops(settings.layout.root / "drop")
        refused = settings.layout.drop("indicators") / "geen_indicatoren.csv"
        refused.write_text("a;b\n1;2\n", encoding="utf-8")
        refused.with_name(f"{refused.name}.ready").touch()
        for source in _SOURCES:
            land(settings, settings.contracts()[source], BUILT_AT)
        build(settings, BUILT_AT)
        send(settings, BUILT_AT)
        settings.layout.marker.write_text("2026-11-30", encoding="utf-8")
        build(_settings(Path(home), url), BUILT_AT + timedelta(days=7))
        _pack(settings, target)


def _settings(home: Path, url: str) -> Settings:
    since = {"ADEMRUIMTE_TICKETS_1777_SINCE": "2026-05-01", "ADEMRUIMTE_TICKETS_1777_TOKEN": "t"}
    return read_settings({"ADEMRUIMTE_HOME": str(home), "ADEMRUIMTE_TICKETS_1777_URL": url, **since})


def _pack(settings: Settings, target: Path) -> None:
    with sqlite3.connect(settings.layout.state) as con:
        # their charts are most of a profile this small
        con.execute("update outbox set message = substr(message, 1, 1000)")
    con.execute("vacuum")
    con.close()
    with tarfile.open(target, "w:gz") as packed:
        for name in KEPT:
            packed.add(settings.layout.root / name, name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
