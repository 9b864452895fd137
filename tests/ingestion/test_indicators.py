"""The file that any department can fill."""

import io
from collections.abc import Callable
from datetime import date

import openpyxl
import pytest

from contracts.cities.profile import City
from contracts.gate import split
from contracts.sources.indicators import OBSERVATIONS
from ingestion.delivery import Context, DroppedFile
from ingestion.errors import UnreadableFileError
from ingestion.sources.indicators import read, reread

_HEADER = "kpi_id;area;ref_date;value;unit;source;published_at;uncertainty"
_LINE = "trees_planted;34022;31/12/2025;1234,5;bomen;Groendienst;15/01/2026;"

_Drop = Callable[[str, bytes | str], DroppedFile]


def test_a_filled_template_lands_its_values(kortrijk: City, drop: _Drop) -> None:
    delivery = read(drop("groen.csv", f"{_HEADER}\n{_LINE}\n"), Context(kortrijk))
    found = split(delivery.tables["observations"], OBSERVATIONS, kortrijk)
    observation = found.accepted.row(0, named=True)
    assert (observation["kpi_id"], observation["value"]) == ("trees_planted", 1234.5)
    assert (observation["ref_date"], observation["published_date"]) == (date(2025, 12, 31), date(2026, 1, 15))


def test_a_workbook_lands_the_same_values(kortrijk: City, drop: _Drop) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    sheet.append(_HEADER.split(";"))
    sheet.append(
        ["trees_planted", "34022", date(2025, 12, 31), 1234.5, "bomen", "Groendienst", date(2026, 1, 15), None]
    )
    packed = io.BytesIO()
    workbook.save(packed)
    from_workbook = read(drop("groen.xlsx", packed.getvalue()), Context(kortrijk)).tables["observations"]
    from_csv = read(drop("groen.csv", f"{_HEADER}\n{_LINE}\n"), Context(kortrijk)).tables["observations"]
    assert split(from_workbook, OBSERVATIONS, kortrijk).accepted.equals(
        split(from_csv, OBSERVATIONS, kortrijk).accepted
    )


def test_a_file_speaks_until_it_was_supplied_and_keeps_its_bytes(kortrijk: City, drop: _Drop) -> None:
    file = drop("groen.csv", f"{_HEADER}\n{_LINE}\n")
    delivery = read(file, Context(kortrijk))
    assert delivery.supplied_at == delivery.complete_until == file.supplied_at
    assert delivery.original is not None
    assert reread(delivery.original, "groen.csv", Context(kortrijk))["observations"].equals(
        delivery.tables["observations"]
    )


def test_a_milestone_is_a_row_like_any_other(kortrijk: City, drop: _Drop) -> None:
    delivery = read(
        drop("mijlpalen.csv", f"{_HEADER}\nclimate_plan_approved;34022;2026-06-30;1;0/1;;;\n"), Context(kortrijk)
    )
    assert split(delivery.tables["observations"], OBSERVATIONS, kortrijk).accepted["value"].to_list() == [1.0]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("1234,5", "veel", "value: cannot be read"),
        ("31/12/2025", "31/13/2025", "ref_date: cannot be read"),
        ("15/01/2026", "15/01/2025", "published_at: lies before ref_date"),
        ("trees_planted", "Trees planted", "kpi_id: does not look like ^[a-z][a-z0-9_]{2,79}$"),
    ],
)
def test_a_bad_row_is_refused_with_its_reason_and_the_others_stay(
    kortrijk: City, drop: _Drop, old: str, new: str, reason: str
) -> None:
    delivery = read(drop("groen.csv", f"{_HEADER}\n{_LINE}\n{_LINE.replace(old, new)}\n"), Context(kortrijk))
    found = split(delivery.tables["observations"], OBSERVATIONS, kortrijk)
    assert found.accepted.height == 1
    assert found.quarantined["reasons"].to_list() == [[reason]]


def test_a_file_without_values_is_refused_by_name(kortrijk: City, drop: _Drop) -> None:
    with pytest.raises(UnreadableFileError, match=r"leeg\.csv: no row holds the column 'value'"):
        read(drop("leeg.csv", "kpi_id;area;ref_date;unit\n"), Context(kortrijk))
