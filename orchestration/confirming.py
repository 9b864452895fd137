"""A person releases a figure that looked wrong: the same figure, delivered again, with who looked at it, when and why.

It goes in by the door every figure goes in by, so it is kept in the lake, can be corrected later, and needs no store of
its own.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from orchestration.loop.landing import land
from orchestration.report import published_frame
from orchestration.settings import Settings
from warehouse.batch import Manifest

_SOURCE = "indicators"
# whoever typed it in first is another than whoever confirms it
_ENTERED_BY = "eerste invoer"


@dataclass(frozen=True, slots=True)
class Release:
    """That a figure is right although it looked wrong.

    Attributes:
        kpi_id: the indicator, as the registry names it.
        ref_date: the day the figure is of.
        role: the function of whoever looked at it; no name.
        reason: why it is right.
    """

    kpi_id: str
    ref_date: date
    role: str
    reason: str


def confirm(settings: Settings, release: Release, now: datetime) -> Manifest:
    """Delivers the figure of a day again as one that a second person looked at; the next build counts it.

    Returns:
        The batch that holds it.

    Raises:
        LookupError: the published build holds no such figure, or it could not land; the message says what to do.
    """
    cells = _cells(_figure(settings, release), release, settings.as_of(now))
    name = f"bevestigd_{release.kpi_id}_{release.ref_date}_{now:%Y%m%dT%H%M%S}.csv"
    file = settings.layout.drop(_SOURCE) / name
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, list(cells), delimiter=";")
        writer.writeheader()
        writer.writerow(cells)
    file.with_name(f"{name}.ready").touch()
    # whatever else waits is landed when somebody asks for that
    landed = land(settings, settings.contracts()[_SOURCE], now, only=file)
    if not landed or landed[0].manifest is None:
        why = landed[0].message if landed else "it was not read"
        raise LookupError(f"{release.kpi_id} of {release.ref_date} was not confirmed: {why}")
    return landed[0].manifest


def _cells(figure: Mapping[str, Any], release: Release, today: date) -> dict[str, str]:
    return {
        "kpi_id": release.kpi_id,
        "area": figure["area_id"],
        "ref_date": release.ref_date.isoformat(),
        "value": repr(figure["value"]),
        "unit": figure["unit"],
        "source": f"bevestigd door {release.role} op {today:%d/%m/%Y}: {release.reason}",
        "published_at": today.isoformat(),
        "entered_by_role": _ENTERED_BY,
        "checked_by_role": release.role,
    }


def _figure(settings: Settings, release: Release) -> dict[str, Any]:
    kpi_id, ref_date = release.kpi_id, release.ref_date
    values = published_frame(settings, "marts.fct_indicator_values")
    found = values.filter(
        pl.col("kpi_id") == kpi_id,
        pl.col("ref_date") == ref_date,
        pl.col("area_id") == settings.city.area_id,
        pl.col("is_current"),
    )
    if found.is_empty():
        days = values.filter(pl.col("kpi_id") == kpi_id)["ref_date"].unique().sort().to_list()
        known = ", ".join(map(str, days)) or "no day at all"
        raise LookupError(f"nobody delivered {kpi_id} of {ref_date}; there are figures of {known}")
    return found.row(0, named=True)
