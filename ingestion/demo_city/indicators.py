"""Indicator files of the demo's departments: made-up values for real indicators of the registry.

Only the points of `_co2` before 2022 stand in a public document; every other value is invented.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from contracts.cities.kortrijk import CITY
from ingestion.demo_city.areas import SECTORS
from ingestion.demo_city.clock import dice
from ingestion.demo_city.files import Cell, Drop, workbook

_SOURCE = "indicators"
_SYNTHETIC = "Demo (synthetisch)"
_HEADER: tuple[Cell, ...] = (
    "kpi_id",
    "area",
    "ref_date",
    "value",
    "unit",
    "source",
    "published_at",
    "uncertainty",
    "uncertainty_low",
    "uncertainty_high",
    "entered_by_role",
    "checked_by_role",
    "embargo_until",
)


@dataclass(frozen=True, slots=True)
class _Series:
    """The values of one indicator for the whole city.

    Attributes:
        points: reference date (ISO) and value, oldest first.
        uncertainty: half width of the 80 % interval, in `unit`.
        interval: its ends for the last point, where they do not lie equally far.
        roles: who entered and who checked it, where the registry asks for two people.
        embargo_until: until when the last point may not be shown.
    """

    kpi_id: str
    unit: str
    points: tuple[tuple[str, float], ...]
    uncertainty: float | None = None
    interval: tuple[float, float] | None = None
    roles: tuple[str, str] | None = None
    embargo_until: str | None = None


def _at_year_ends(kpi_id: str, unit: str, first_year: int, *values: float, uncertainty: float | None = None) -> _Series:
    points = tuple((f"{first_year + place}-12-31", value) for place, value in enumerate(values))
    return _Series(kpi_id, unit, points, uncertainty)


def _milestone(kpi_id: str, *points: tuple[str, float]) -> _Series:
    return _Series(kpi_id, "milestone 0/1", points)


_CLIMATE = (
    # one figure that bears three promises
    _at_year_ends("co2_territory_2030", "% change vs 2005", 2021, -6.17, -8.1, -8.9, -9.8),
    _at_year_ends("pv_roofs_2030", "% of roofs", 2022, 14.2, 18.9, 22.4, 24.6),
    _at_year_ends("renewable_electricity_share", "% of electricity use", 2021, 17.1, 18.4, 20.2, 21.9),
    _Series("wind_mw_2040", "MW installed", (("2024-12-31", 6), ("2025-12-31", 6), ("2026-09-30", 10.2))),
    _Series(
        "sewer_connections_2027",
        "inhabitants (additional)",
        (("2024-12-31", 420), ("2025-12-31", 1130), ("2026-09-30", 1690)),
    ),
    _at_year_ends("treatment_rate", "% of inhabitants", 2023, 88.0, 88.6, 89.4),
    _Series(
        "rainwater_storage_m3", "m3 (additional)", (("2024-12-31", 5200), ("2025-12-31", 15900), ("2026-09-30", 24100))
    ),
    _Series(
        "unsealing_remaining_m2",
        "m2 (additional)",
        (("2024-12-31", 6900), ("2025-12-31", 17400), ("2026-09-30", 23800)),
    ),
    _milestone("monitoring_board", ("2025-12-31", 0)),
    _milestone("sustainability_strategy", ("2025-12-31", 0)),
)
_HOUSING = (
    _Series("social_housing_extra", "dwellings (additional)", (("2025-12-31", 38), ("2026-09-30", 71))),
    _at_year_ends("social_housing_per_100_households", "dwellings per 100 households", 2024, 9.2, 9.3),
    _at_year_ends("social_housing_flemish_norm", "dwellings per 100 households", 2024, 9.2, 9.3),
    _at_year_ends("extra_dwellings", "dwellings (additional)", 2024, 247, 512),
    _at_year_ends("vacant_neglected_dwellings", "dwellings", 2023, 678, 655, 640),
    _at_year_ends("population_cap", "inhabitants", 2023, 79_200, 79_640, 80_050),
    _Series("housing_cost_arrears_share", "% of respondents", (("2023-12-31", 7),), interval=(5.9, 8.4)),
    _Series(
        "childcare_extra_places_2030",
        "places (additional)",
        (("2024-12-31", 9), ("2025-12-31", 27), ("2026-09-30", 41)),
    ),
    _at_year_ends("childcare_places_per_100_children", "places per 100 children 0-2", 2024, 58.0, 58.7),
    _at_year_ends("carehome_places", "places (additional)", 2024, 0, 24),
)
_MOBILITY = (
    _Series("shared_cars_total", "shared cars", (("2024-12-31", 47), ("2025-12-31", 71), ("2026-09-30", 88))),
    _at_year_ends("shared_cars_per_1000", "cars per 1,000 inhabitants", 2024, 0.59, 0.89),
    _at_year_ends("road_deaths", "deaths per year", 2023, 2.6, 2.4, 2.6),
    _at_year_ends("road_serious_injuries", "per 100,000 inhabitants", 2023, 60, 57, 55),
    _at_year_ends("ev_share", "% of cars", 2023, 3.0, 5.1, 7.8),
    _at_year_ends("car_ownership", "cars per 1,000 inhabitants", 2023, 565, 563, 559),
)
_GREEN_AND_CULTURE = (
    _Series(
        "trees_extra",
        "trees (additional)",
        (("2025-04-30", 4100), ("2025-10-31", 4900), ("2026-04-30", 15200), ("2026-10-31", 17600)),
    ),
    _Series("hedge_remaining_m", "m (additional)", (("2025-04-30", 2600), ("2026-04-30", 6900), ("2026-10-31", 7400))),
    _milestone("ecoc_2030", ("2024-12-31", 0), ("2025-12-31", 0)),
    _milestone("skatepark", ("2024-12-31", 0), ("2026-05-31", 1)),
    _Series(
        "bmx_track",
        "milestone 0/1",
        (("2025-12-31", 0), ("2026-09-30", 0)),
        roles=("projectleider vrije tijd (demo)", "stafdienst vrije tijd (demo)"),
    ),
    _milestone("heritage_municipality_2026", ("2025-12-31", 0), ("2026-09-30", 0)),
    _at_year_ends("overnight_stays", "stays per year", 2022, 262_000, 298_000, 311_000, 329_000),
    _at_year_ends("happy_share", "% of respondents", 2023, 83, uncertainty=2.1),
    _at_year_ends("active_30min_share", "% of respondents", 2023, 29, uncertainty=2.6),
)
# values a department found wrong after it had delivered them
_CORRECTIONS = (
    _at_year_ends("pv_roofs_2030", "% of roofs", 2025, 25.1),
    _at_year_ends("treatment_rate", "% of inhabitants", 2025, 89.1),
    _Series("sewer_connections_2027", "inhabitants (additional)", (("2026-09-30", 1640),)),
    _Series("unsealing_remaining_m2", "m2 (additional)", (("2026-09-30", 25100),), embargo_until="2026-12-01 10:00"),
)


def indicator_drops() -> list[Drop]:
    """Three files of departments, a workbook, and a correction."""
    autumn = date(2026, 11, 9)
    climate = [*_observations(_CLIMATE, autumn), *_roofs_by_sector(autumn)]
    return [
        _csv_drop("indicatoren_klimaat_2026-11.csv", [*climate, *_mess(climate)], autumn),
        _csv_drop("indicatoren_wonen_en_zorg_2026-11.csv", _observations(_HOUSING, autumn), autumn),
        _csv_drop("indicatoren_mobiliteit_2026-11.csv", _observations(_MOBILITY, autumn), autumn),
        _workbook_drop("indicatoren_groen_en_cultuur_2026-11.xlsx", _observations(_GREEN_AND_CULTURE, autumn), autumn),
        _csv_drop(
            "indicatoren_klimaat_correctie_2026-11.csv",
            _observations(_CORRECTIONS, date(2026, 11, 19)),
            date(2026, 11, 19),
        ),
    ]


def _observations(series: Iterable[_Series], published: date) -> list[list[Cell]]:
    return [
        [
            *(one.kpi_id, CITY.area_id, date.fromisoformat(day), value, one.unit, _SYNTHETIC, published),
            *_extras(one, is_last=place == len(one.points)),
        ]
        for one in series
        for place, (day, value) in enumerate(one.points, 1)
    ]


def _extras(one: _Series, *, is_last: bool) -> list[Cell]:
    """Uncertainty, the two people, and the embargo."""
    low, high = one.interval if one.interval and is_last else (None, None)
    return [one.uncertainty, low, high, *(one.roles or (None, None)), one.embargo_until if is_last else None]


def _roofs_by_sector(published: date) -> Iterator[list[Cell]]:
    """The share of roofs with panels in each statistical sector, three years long."""
    chance = dice("roofs by sector")
    for sector in SECTORS:
        start = chance.uniform(8, 26)
        for year, growth in ((2023, 1.0), (2024, 1.16), (2025, 1.29)):
            value = round(start * growth, 1)
            yield ["pv_roofs_2030", sector, date(year, 12, 31), value, "% of roofs", _SYNTHETIC, published, *[None] * 6]


def _mess(rows: Sequence[list[Cell]]) -> list[list[Cell]]:
    """A value in words, an area by its name, a publication before its day; and two lines pasted twice."""
    in_words, by_name, too_early = list(rows[60]), list(rows[80]), list(rows[120])
    in_words[3] = "ongeveer 20"
    by_name[1] = "Heule"
    too_early[6] = date(2020, 1, 1)
    return [in_words, by_name, too_early, list(rows[150]), list(rows[200])]


def _csv_drop(name: str, rows: Iterable[Sequence[Cell]], supplied: date) -> Drop:
    written = io.StringIO()
    lines = csv.writer(written, delimiter=";", lineterminator="\r\n")
    lines.writerows([_HEADER, *([_in_dutch(cell) for cell in row] for row in rows)])
    return Drop(_SOURCE, name, written.getvalue().encode("utf-8-sig"), _moment(supplied))


def _workbook_drop(name: str, rows: Iterable[Sequence[Cell]], supplied: date) -> Drop:
    return Drop(_SOURCE, name, workbook("Indicatoren", [_HEADER, *rows]), _moment(supplied))


def _in_dutch(cell: Cell) -> str:
    """A cell as a Belgian spreadsheet writes it: comma and day-month-year."""
    if cell is None:
        return ""
    if isinstance(cell, date):
        return cell.strftime("%d/%m/%Y")
    return f"{cell:g}".replace(".", ",") if isinstance(cell, (int, float)) else cell


def _moment(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
