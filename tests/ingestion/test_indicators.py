"""The file that any department can fill."""

import io
from collections.abc import Callable
from datetime import UTC, date, datetime

import openpyxl
import polars as pl
import pytest
from pydantic import SecretStr

from contracts.cities.profile import City
from contracts.gate import Split, split
from contracts.sources.indicators import CONTRACT, OBSERVATIONS
from ingestion.delivery import REGISTRY, Context, DroppedFile
from ingestion.door import KeyRing, admit
from ingestion.errors import UnreadableFileError
from ingestion.protocols.spreadsheet import workbook_bytes
from ingestion.sources.indicators import SOURCE
from tests.ingestion import thousand_rows

_HEADER = "kpi_id;area;ref_date;value;unit;source;published_at;uncertainty"
_LINE = "trees_planted;34022;31/12/2025;1234,5;bomen;Groendienst;15/01/2026;"

_Drop = Callable[[str, bytes | str], DroppedFile]


def test_a_filled_template_lands_its_values(kortrijk: City, drop: _Drop) -> None:
    delivery = SOURCE.read(drop("groen.csv", f"{_HEADER}\n{_LINE}\n"), Context(kortrijk))
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
    from_workbook = SOURCE.read(drop("groen.xlsx", packed.getvalue()), Context(kortrijk)).tables["observations"]
    from_csv = SOURCE.read(drop("groen.csv", f"{_HEADER}\n{_LINE}\n"), Context(kortrijk)).tables["observations"]
    assert split(from_workbook, OBSERVATIONS, kortrijk).accepted.equals(
        split(from_csv, OBSERVATIONS, kortrijk).accepted
    )


def test_a_sheet_for_each_year_is_refused_and_never_half_read(kortrijk: City, drop: _Drop) -> None:
    year = [_HEADER.split(";"), _LINE.split(";")]
    with pytest.raises(UnreadableFileError, match=r"sheets 1 \(2024\) and 2 \(2025\) both hold rows"):
        SOURCE.read(drop("groen.xlsx", workbook_bytes({"2024": year, "2025": year})), Context(kortrijk))


def test_a_sheet_beside_the_table_is_told(kortrijk: City, drop: _Drop) -> None:
    sheets = {"Blad1": [_HEADER.split(";"), _LINE.split(";")], "Blad2": [["Toelichting"]]}
    delivery = SOURCE.read(drop("groen.xlsx", workbook_bytes(sheets)), Context(kortrijk))
    assert delivery.tables["observations"].height == 1
    assert delivery.withheld == {"blad 2 (Blad2) heeft niet de kolommen van het sjabloon": 1}


def test_a_file_speaks_until_it_was_supplied_and_keeps_its_bytes(kortrijk: City, drop: _Drop) -> None:
    file = drop("groen.csv", f"{_HEADER}\n{_LINE}\n")
    delivery = SOURCE.read(file, Context(kortrijk))
    assert delivery.supplied_at == delivery.complete_until == file.supplied_at
    assert delivery.original is not None
    assert SOURCE.reread(delivery.original, "groen.csv", Context(kortrijk))["observations"].equals(
        delivery.tables["observations"]
    )


def test_a_milestone_is_a_row_like_any_other(kortrijk: City, drop: _Drop) -> None:
    delivery = SOURCE.read(
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
    delivery = SOURCE.read(drop("groen.csv", f"{_HEADER}\n{_LINE}\n{_LINE.replace(old, new)}\n"), Context(kortrijk))
    found = split(delivery.tables["observations"], OBSERVATIONS, kortrijk)
    assert found.accepted.height == 1
    assert found.quarantined["reasons"].to_list() == [[reason]]


def test_a_file_without_values_is_refused_by_name(kortrijk: City, drop: _Drop) -> None:
    with pytest.raises(UnreadableFileError, match=r"leeg\.csv: no row holds the column 'value'"):
        SOURCE.read(drop("leeg.csv", "kpi_id;area;ref_date;unit\n"), Context(kortrijk))


_REGISTRY = pl.DataFrame(
    [
        ("trees_planted", "bomen", False, True),
        ("bmx_track", "milestone 0/1", True, True),
        ("pv_roofs_2030", "% of roofs", False, True),
    ],
    schema=REGISTRY,
    orient="row",
)
_LONG_HEADER = f"{_HEADER};uncertainty_low;uncertainty_high;entered_by_role;checked_by_role;embargo_until"


def _registered(city: City) -> Context:
    return Context(city, registry=lambda: _REGISTRY)


def _landed(file: DroppedFile, context: Context) -> Split:
    """What the gate makes of a file after the door."""
    admitted = admit(SOURCE.read(file, context), CONTRACT, KeyRing((SecretStr("key"),)))
    return split(admitted.tables["observations"], OBSERVATIONS, context.city, file.supplied_at)


def _long(drop: _Drop, context: Context, cells: str) -> Split:
    return _landed(drop("lang.csv", f"{_LONG_HEADER}\n{cells}\n"), context)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ("heggen;34022;2025-12-31;1;m;;;;;;;;", "kpi_id: is not in the registry of indicators"),
        ("trees_planted;34022;2025-12-31;1;trees;;;;;;;;", "unit: is not the unit of the registry"),
        ("bmx_track;34022;2025-12-31;1;milestone 0/1;;;;;;;;", "checked_by_role: the registry asks for two people"),
        ("bmx_track;34022;2025-12-31;1;milestone 0/1;;;;;;chef; Chef ;", "checked_by_role: the registry asks for two"),
        ("bmx_track;34022;2025-12-31;1;milestone 0/1;;;;;;chef;;", "checked_by_role: the registry asks for two people"),
        (
            "trees_planted;34022;2025-12-31;1;bomen;;;;2;3;;;",
            "value: lies outside uncertainty_low and uncertainty_high",
        ),
        ("trees_planted;34022;2025-12-31;1;bomen;;;;0;;;;", "uncertainty_low: stands without uncertainty_high"),
    ],
)
def test_what_the_registry_does_not_know_is_refused(kortrijk: City, drop: _Drop, cells: str, reason: str) -> None:
    (said,) = _long(drop, _registered(kortrijk), cells).quarantined["reasons"].to_list()
    assert any(found.startswith(reason) for found in said), said


def test_a_city_without_a_registry_takes_any_indicator(kortrijk: City, drop: _Drop) -> None:
    assert _long(drop, Context(kortrijk), "heggen;34022;2025-12-31;1;m;;;;;;;;").accepted.height == 1


def test_of_two_people_only_that_they_are_two_lands(kortrijk: City, drop: _Drop) -> None:
    cells = "bmx_track;34022;2025-12-31;1;milestone 0/1;;;;;;projectleider;diensthoofd;"
    context = _registered(kortrijk)
    admitted = admit(
        SOURCE.read(drop("lang.csv", f"{_LONG_HEADER}\n{cells}\n"), context), CONTRACT, KeyRing((SecretStr("key"),))
    )
    assert "projectleider" not in admitted.tables["observations"].write_json()
    row = split(admitted.tables["observations"], OBSERVATIONS, kortrijk).accepted.row(0, named=True)
    assert row["is_checked"] is True
    assert not [name for name in row if "entered" in name or "role" in name]


def test_an_uncertainty_is_an_interval_around_the_value(kortrijk: City, drop: _Drop) -> None:
    cells = "trees_planted;34022;2025-12-31;10;bomen;;;1,5;;;;;\ntrees_planted;34022;2024-12-31;10;bomen;;;;8;15;;;"
    found = _long(drop, _registered(kortrijk), cells).accepted
    assert found.select("uncertainty_low", "uncertainty_high").rows() == [(8, 15), (8.5, 11.5)]


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-12-01 10:00", datetime(2026, 12, 1, 9, tzinfo=UTC)),
        ("01/07/2026 10:00", datetime(2026, 7, 1, 8, tzinfo=UTC)),
        ("2026-12-01", datetime(2026, 11, 30, 23, tzinfo=UTC)),
        ("2026-12-01T10:00:00Z", datetime(2026, 12, 1, 10, tzinfo=UTC)),
    ],
)
def test_an_embargo_lands_as_a_moment(kortrijk: City, drop: _Drop, written: str, moment: datetime) -> None:
    cells = f"trees_planted;34022;2025-12-31;10;bomen;;;;;;;;{written}"
    assert _long(drop, _registered(kortrijk), cells).accepted["embargo_until_at"].to_list() == [moment]


def test_a_thousand_and_a_bit_over_one_are_not_guessed_at(kortrijk: City, drop: _Drop) -> None:
    first, second = "trees_planted;34022;2025-12-31;{};bomen;;;", "trees_planted;34022;2024-12-31;{};bomen;;;"
    beside_a_comma = drop("a.csv", f"{_HEADER}\n{first.format('1.234')}\n{second.format('2,5')}\n")
    without_comma = drop("b.csv", f"{_HEADER}\n{first.format('1.234')}\n{second.format('2.5')}\n")
    context = _registered(kortrijk)
    assert _landed(beside_a_comma, context).quarantined["reasons"].to_list() == [["value: cannot be read"]]
    assert _landed(without_comma, context).accepted["value"].to_list() == [2.5, 1.234]


def test_a_later_publication_wins_over_the_earlier_of_the_same_file(kortrijk: City, drop: _Drop) -> None:
    later = _LINE.replace("1234,5", "1300").replace("15/01/2026", "01/03/2026")
    found = _landed(drop("groen.csv", f"{_HEADER}\n{later}\n{_LINE}\n"), _registered(kortrijk))
    assert (found.accepted["value"].to_list(), found.superseded) == ([1300], 1)


def test_codes_of_an_area_are_read_in_capitals(kortrijk: City, drop: _Drop) -> None:
    cells = "trees_planted;34022zzzz;2025-12-31;1;bomen;;;;;;;;"
    assert _long(drop, _registered(kortrijk), cells).accepted["area_id"].to_list() == ["34022ZZZZ"]


def test_of_a_thousand_rows_the_37_bad_are_refused_each_with_its_own_reason_in_dutch(
    kortrijk: City, drop: _Drop
) -> None:
    found = _landed(drop("daken.csv", thousand_rows.bad_file()), _registered(kortrijk))
    assert (found.received, found.accepted.height, found.quarantined.height) == (1_000, 963, 37)
    said = dict(found.quarantined.select("line", "reasons_nl").iter_rows())
    expected = thousand_rows.bad_lines()
    assert said.keys() == expected.keys()
    unexplained = {
        line: said[line] for line, begin in expected.items() if not any(why.startswith(begin) for why in said[line])
    }
    assert unexplained == {}


def test_the_corrected_thousand_rows_hold_the_963_as_they_were_and_37_new_ones(kortrijk: City, drop: _Drop) -> None:
    context = _registered(kortrijk)
    before = _landed(drop("daken.csv", thousand_rows.bad_file()), context).accepted.drop("line")
    after = _landed(drop("daken2.csv", thousand_rows.corrected_file()), context)
    assert (after.accepted.height, after.quarantined.height) == (1_000, 0)
    known = after.accepted.drop("line").join(before, on=before.columns, how="semi", nulls_equal=True)
    assert known.height == 963


def test_every_way_to_spoil_a_row_is_used_at_least_twice() -> None:
    reasons = list(thousand_rows.bad_lines().values())
    assert min(reasons.count(reason) for _, reason in thousand_rows.SPOILED) >= 2
    assert all(rule.reason_nl for rule in OBSERVATIONS.rules)
    assert set(OBSERVATIONS.received.meaning_nl) == set(OBSERVATIONS.received.columns)
