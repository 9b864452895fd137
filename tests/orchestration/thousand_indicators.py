"""A thousand values of one indicator in a file as a department makes it, 37 of them wrong in four ways."""

from collections.abc import Mapping
from datetime import date, timedelta

from orchestration.loop.context import context_of
from orchestration.settings import Settings
from warehouse.lake import Lake

ROWS = 1000
BAD = 37
COLUMNS = ("kpi_id", "area", "ref_date", "value", "unit", "source", "published_at", "uncertainty")
_EVERY = ROWS // BAD
_FAULTS: tuple[Mapping[str, str], ...] = (
    {"ref_date": "morgen"},
    {"value": "1.234,5"},
    {"area": "Kortrijk"},
    {"value": ""},
)


def bad_lines() -> list[int]:
    """The lines of the wrong rows; the header is line 1."""
    return [2 + number * _EVERY for number in range(BAD)]


def good_rows(settings: Settings, rows: int = ROWS) -> list[dict[str, str]]:
    """Values for a day each, of an indicator that the city's registry knows and that one person may fill in."""
    registry = context_of(settings, Lake(settings.layout.lake)).registry()
    known = registry.filter(~registry["needs_check"]).row(0, named=True)
    return [_row(known["kpi_id"], known["unit"], number) for number in range(rows)]


def _row(kpi_id: str, unit: str, number: int) -> dict[str, str]:
    day = date(2023, 1, 1) + timedelta(days=number % ROWS)
    # more than a thousand are for as many sectors
    area = "34022" if number < ROWS else f"34022A{number // ROWS:02}-"
    value = f"{number % 100},5"
    cells = (kpi_id, area, day.isoformat(), value, unit, "dienst groen", (day + timedelta(days=5)).isoformat(), "")
    return dict(zip(COLUMNS, cells, strict=True))


def with_faults(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The rows with 37 of them spoiled."""
    spoiled = [dict(row) for row in rows]
    for place, line in enumerate(bad_lines()):
        spoiled[line - 2].update(_FAULTS[place % len(_FAULTS)])
    return spoiled


def as_csv(rows: list[dict[str, str]]) -> str:
    """The file, as a Dutch spreadsheet writes it."""
    lines = [COLUMNS, *(tuple(row[name] for name in COLUMNS) for row in rows)]
    return "\n".join(";".join(cells) for cells in lines) + "\n"
