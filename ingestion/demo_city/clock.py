"""The clock of the demo city, which stands still, and its seeded chance."""

import random
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from contracts.cities.kortrijk import CITY

CLOCK = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
AS_OF = date(2026, 11, 23)
ZONE = ZoneInfo(CITY.time_zone)


def dice(part: str) -> random.Random:
    """Chance that falls the same way in every run, apart for each part of the city."""
    # made-up data needs repeatable chance, not secrecy
    return random.Random(f"ademruimte demo {part}")  # noqa: S311


def local(day: date, hour: int = 0, minute: int = 0) -> datetime:
    """A wall-clock moment in the city, as UTC."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZONE).astimezone(UTC)
