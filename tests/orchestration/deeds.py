"""One deed of the loop in a process of its own, for whoever shoots it; it says when it begins.

Each is what the command of that name does, at a moment that is given, so that two profiles can be told the same.
"""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from orchestration.loop import messages
from orchestration.loop.build import build as build_all
from orchestration.loop.erasing import erase as erase_batches
from orchestration.loop.landing import land as land_source
from orchestration.loop.replay import replay as replay_batch
from orchestration.loop.rotation import finish_rotation
from orchestration.loop.rotation import rotate as rotate_key
from orchestration.settings import Settings, read_settings
from warehouse.backup import Backup
from warehouse.lake import Lake


def land(settings: Settings, now: datetime, *sources: str) -> None:
    for source in sources:
        land_source(settings, settings.contracts()[source], now)


def build(settings: Settings, now: datetime) -> None:
    build_all(settings, now)


def send(settings: Settings, now: datetime) -> None:
    messages.send(settings, now)


def rotate(settings: Settings, now: datetime, keys: str) -> None:
    """Until the ring has so many keys and every batch is of the newest: done again, it adds none."""
    if len(settings.pseudonym_keys().keys) < int(keys):
        list(rotate_key(settings, now))
    finish_rotation(settings, now)


def replay(settings: Settings, now: datetime, source: str) -> None:
    for batch in Lake(settings.layout.lake).live(source):
        replay_batch(settings, batch.batch_id, now)


def erase(settings: Settings, now: datetime) -> None:
    lake = Lake(settings.layout.lake)
    live = {batch.batch_id for batch in lake.live()}
    replaced = [batch.batch_id for batch in lake.manifests() if batch.batch_id not in live]
    list(erase_batches(settings, replaced, now))


def backup(settings: Settings, now: datetime, folder: str) -> None:
    Backup(Path(folder)).take(settings.layout, settings.city.name, now)


def restore(settings: Settings, now: datetime, folder: str) -> None:
    """Into the profile, unless all of it is back already: that is what who restores looks at first."""
    backups = Backup(Path(folder))
    newest = backups.newest()
    assert newest is not None
    if not settings.layout.state.exists():
        backups.restore(newest, settings.layout, now)


DEEDS: dict[str, Callable[..., None]] = {
    each.__name__: each for each in (land, build, send, rotate, replay, erase, backup, restore)
}


def main() -> None:
    deed, now, *rest = sys.argv[1:]
    settings = read_settings()
    if deed == "build":
        # what only has to be read first is no part of the deed
        import dbt.cli.main  # noqa: F401, PLC0415
        import great_expectations  # noqa: F401, PLC0415
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    DEEDS[deed](settings, datetime.fromisoformat(now), *rest)


if __name__ == "__main__":
    main()
