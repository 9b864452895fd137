"""Settings of a profile in a folder, landing all of it, and copying it."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestration.loop.landed import Landed
from orchestration.loop.landing import land
from orchestration.settings import Settings, read_settings

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def settings_in(home: Path, suppliers: dict[str, str], **more: str) -> Settings:
    return read_settings({"ADEMRUIMTE_HOME": str(home), "ADEMRUIMTE_AS_OF": "2026-11-23", **suppliers, **more})


def land_everything(settings: Settings, now: datetime = NOW) -> list[Landed]:
    return [landed for contract in settings.contracts().values() for landed in land(settings, contract, now)]


def copy_profile(home: Path, copy: Path) -> Path:
    """A copy that a test may change."""
    # what SQLite keeps beside its file comes and goes with the other worker's reading
    beside = shutil.ignore_patterns("*-wal", "*-shm")
    return Path(shutil.copytree(home, copy, symlinks=True, ignore=beside))
