"""Settings of a profile in a folder, and landing all of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestration.loop.landing import Landed, land
from orchestration.settings import Settings, read_settings

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def settings_in(home: Path, suppliers: dict[str, str], **more: str) -> Settings:
    return read_settings({"ADEMRUIMTE_HOME": str(home), "ADEMRUIMTE_AS_OF": "2026-11-23", **suppliers, **more})


def land_everything(settings: Settings, now: datetime = NOW) -> list[Landed]:
    return [landed for contract in settings.contracts().values() for landed in land(settings, contract, now)]
