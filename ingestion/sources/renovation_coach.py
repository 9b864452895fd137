"""Renovation coaches: one file per team and ISO week, as our own contract asks."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from contracts.cities.profile import City
from contracts.sources.renovation_coach import DOSSIERS
from ingestion.delivery import Context, Delivery, DroppedFile
from ingestion.errors import UnreadableFileError
from ingestion.protocols.dropped_file import original_bytes
from ingestion.protocols.spreadsheet import read_table

_NAME = re.compile(r"renovatie_(\d{4})-w(\d{2})_[^.]+\.(csv|xlsx)", re.IGNORECASE)


def read(file: DroppedFile, context: Context) -> Delivery:
    """One week of one team, complete up to the end of that week.

    Raises:
        UnreadableFileError: its name tells no week, or it does not follow the template.
    """
    name = file.path.name
    complete_until = _end_of_week(name, context.city)
    original = original_bytes(file)
    return Delivery(
        origin=name,
        tables=reread(original, name, context),
        supplied_at=file.supplied_at,
        complete_until=complete_until,
        original=original,
    )


def reread(original: bytes, name: str, _: Context) -> dict[str, pl.DataFrame]:
    """The tables in the bytes of an earlier delivery."""
    return {DOSSIERS.name: read_table(original, name, DOSSIERS.received)}


def _end_of_week(name: str, city: City) -> datetime:
    """The Monday after the week in the name, 00:00 in the city."""
    found = _NAME.fullmatch(name)
    try:
        monday = date.fromisocalendar(int(found[1]), int(found[2]), 1) if found else None
    except ValueError:
        monday = None
    if monday is None:
        raise UnreadableFileError(
            f"{name}: tells no ISO week; name it renovatie_YYYY-Www_<team>.csv or .xlsx, "
            "for example renovatie_2026-W47_leiedal.csv"
        )
    midnight = datetime.combine(monday + timedelta(weeks=1), time(), ZoneInfo(city.time_zone))
    return midnight.astimezone(UTC)
