"""Energy and the register of buildings, through dbt: what counts, what never shows, and what is said of it."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.dbt import landed_rows
from tests.dbt.warehouses import Built, Dbt, insert, make_again
from warehouse.engine import connect
from warehouse.load import write_status

STRANGER = "541448890000000919"
SWAPPED = "541448890000000216"
FIRST, LATER = datetime(2026, 11, 10, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC)
SELECTED = (
    "--select",
    "+fct_energy_daily",
    "+fct_energy_monthly",
    "+dim_site",
    "+dim_area",
    "+dim_department",
    "+dim_meter",
    "int_energy_meters__downgrades_daily",
    "+kpi_own_energy",
    "no_measured_reading_was_downgraded",
    "quarters_fit_the_day_total",
    # what only touches these models belongs to another test
    "--indirect-selection",
    "cautious",
)


@dataclass(frozen=True)
class Energy:
    dbt: Dbt
    warehouse: Path

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with connect(self.warehouse) as con:
            return con.execute(query, list(values)).fetchall()


def _reading(ean: str, day: date, value: float | None, **more: object) -> Mapping[str, object]:
    start_at = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=1)
    return {
        "ean": ean,
        "meter_id": "m",
        "sub_ean": "",
        "carrier": "electricity",
        "direction": "offtake",
        "register": "total",
        "unit": "kWh",
        "granularity": "P1D",
        "start_at": start_at,
        "value": value,
        "quality": "read" if value is not None else "missing",
        "quality_rank": 3 if value is not None else 0,
        "source": "fluvius_csv",
        "reading_date": day,
        "has_check_digit": True,
        "batch_id": "b2",
        "line": 1,
        "supplied_at": FIRST,
        "content_sha256": "b",
        "known_at": FIRST,
        **more,
    }


def _hours_beside(day: date, total: float) -> list[Mapping[str, object]]:
    """Twenty-four hours of 1 kWh, and the total that was delivered beside them."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=1)
    hours = [
        _reading(STRANGER, day, 1.0, granularity="PT1H", start_at=midnight + timedelta(hours=hour))
        for hour in range(24)
    ]
    return [*hours, _reading(STRANGER, day, total)]


_DAY = date(2026, 11, 3)
_AGAIN = {"batch_id": "b3", "supplied_at": LATER, "known_at": LATER, "content_sha256": "c", "source": "fluvius_api"}
_READINGS = [
    _reading(SWAPPED, _DAY, 5.0, meter_id="old", quality="validated", quality_rank=4),
    # an estimate after a validated value: taken over, and told
    _reading(SWAPPED, _DAY, 4.0, meter_id="old", quality="estimated", quality_rank=2, **_AGAIN),
    _reading(SWAPPED, _DAY + timedelta(1), 6.0, meter_id="new"),
    # the same by another way: nothing new is known
    _reading(SWAPPED, _DAY + timedelta(1), 6.0, meter_id="new", **_AGAIN),
    _reading(SWAPPED, _DAY + timedelta(2), 7.0, meter_id="new"),
    _reading(SWAPPED, _DAY + timedelta(2), None, meter_id="new", **_AGAIN),
    _reading(STRANGER, _DAY, 1.0),
    *_hours_beside(_DAY + timedelta(1), 24.04),
    *_hours_beside(_DAY + timedelta(2), 24.2),
    _reading(landed_rows.DWELLING, date(2026, 11, 1), 300.0, granularity="P1M"),
]


@pytest.fixture(scope="module")
def energy(dbt: Callable[..., Dbt], landing: Callable[..., Path]) -> Energy:
    warehouse = landing()
    register = landed_rows.ROWS["buildings", "connections"]
    pool = {**register[0], "site_id": "zwembad", "ean": SWAPPED}
    with connect(warehouse) as con:
        landed_rows.land_readings(con)
        insert(con, "energy_meters", "readings", _READINGS)
        insert(con, "buildings", "connections", [*register, pool])
        write_status(con, [("energy_meters", landed_rows.COMPLETE_UNTIL, None)])
    return Energy(dbt(warehouse, *SELECTED), warehouse)


def test_the_energy_models_and_their_unit_tests_run_without_a_fault(energy: Energy) -> None:
    assert energy.dbt.failed() == []
    assert {
        "a_day_is_whole_with_92_96_or_100_quarters_by_the_length_of_the_local_day",
        "what_comes_in_two_ways_counts_once_in_the_way_delivered_last",
        "submeters_months_and_reactive_energy_are_never_added_to_a_day",
        "a_day_takes_the_finest_granularity_that_is_whole_and_gas_one_unit",
        "only_the_newest_register_holds",
        "gas_is_normalised_above_its_summer_use_and_a_missing_factor_is_no_zero",
        "of_two_factors_for_a_month_the_later_start_holds_and_then_the_later_version",
        "a_dwelling_is_no_site_and_a_building_without_a_sector_lies_in_the_municipality",
    } <= energy.dbt.statuses.keys()


def test_a_reading_that_falls_in_quality_warns_and_its_new_value_counts(energy: Energy) -> None:
    warned = [name for name, status in energy.dbt.statuses.items() if status == "warn"]
    assert sorted(warned) == ["no_measured_reading_was_downgraded", "quarters_fit_the_day_total"]
    assert energy.rows(
        "select energy_kwh from marts.fct_energy_daily where ean = ? and reading_date = ?", SWAPPED, _DAY
    ) == [(4,)]


def test_hours_that_do_not_fit_their_day_total_are_named_and_rounding_is_not(energy: Energy) -> None:
    found = energy.rows("select reading_date, day_total_kwh from quality_tests.quarters_fit_the_day_total")
    assert found == [(_DAY + timedelta(2), 24.2)]


def test_a_replaced_meter_continues_the_series_of_its_access_point(energy: Energy) -> None:
    days = energy.rows("select energy_kwh from marts.fct_energy_daily where ean = ? order by reading_date", SWAPPED)
    assert days == [(4,), (6,), (7,)]
    meters = energy.rows("select meter_id, first_seen_date from marts.dim_meter where ean = ? order by 2", SWAPPED)
    assert [meter for meter, _ in meters] == ["old", "new"]


def test_a_value_repeated_by_the_other_way_makes_nothing_known_later(energy: Energy) -> None:
    [(known_at,)] = energy.rows(
        "select known_at from marts.fct_energy_daily where ean = ? and reading_date = ?", SWAPPED, _DAY + timedelta(1)
    )
    assert known_at == FIRST


def test_no_mart_holds_a_dwelling_or_a_meter_outside_the_register(energy: Energy) -> None:
    for mart in ("fct_energy_daily", "dim_meter"):
        hidden = energy.rows(f"select * from marts.{mart} where ean in (?, ?)", STRANGER, landed_rows.DWELLING)
        assert hidden == [], mart
    assert {site for (site,) in energy.rows("select site_id from marts.dim_site")} == {"stadhuis", "zwembad"}


def test_a_month_says_where_its_factor_or_its_degree_days_are_missing(energy: Energy) -> None:
    [month] = energy.rows(
        """select energy_kwh, co2_kg, co2_nl, normalisation_nl from marts.fct_energy_monthly
        where carrier = 'electricity' and site_id = 'zwembad'"""
    )
    assert month == (17, None, "emissiefactor ontbreekt", "niet van toepassing")
    [(co2_kg, said)] = energy.rows(
        """select distinct round(co2_kg / energy_kwh, 5), normalisation_nl from marts.fct_energy_monthly
        where carrier = 'gas' and month_start_date = '2019-01-01'"""
    )
    assert (co2_kg, said) == (0.18177, "graaddagen ontbreken")


def test_the_promise_of_the_own_buildings_is_judged_from_the_meters_once_the_city_gives_the_factors(
    built: Built, tmp_path: Path
) -> None:
    warehouse = Path(shutil.copy(built.warehouse, tmp_path / "warehouse.duckdb"))
    rows = """select value_kpi_id, round(value, 3), ref_date::varchar, sentence_nl from verdicts.fct_target_verdicts
    where target_id = 'own_buildings_co2_2030_vs_2019'"""
    [(typed, _, _, said)] = built.rows(rows)
    assert typed == "own_buildings_co2_2030_vs_2019"
    assert "Uit de metingen volgt nog geen cijfer (factor ontbreekt: elektriciteit 2019" in said
    with connect(warehouse) as con:
        con.execute(
            """insert into seeds.city_emission_factors by name
            select 'stad_' || year as factor_id, 'electricity' as carrier, 'geleverd' as basis, 'stad' as method,
                'BE' as region, year, 0.2 as kg_co2_per_kwh, 'proef' as source, '1' as source_version,
                make_date(year, 1, 1) as valid_from_date, make_date(year, 12, 31) as valid_to_date
            from range(2019, 2027) as years (year)"""
        )
        make_again(con, built.judged, first="fct_energy_monthly", last="fct_target_verdicts")
    [(measured, value, ref_date, said)] = Built(warehouse, built.measured, built.judged).rows(rows)
    assert (measured, value, ref_date) == ("own_co2_index_2019_total", -5.0, "2026-10-31")
    assert "factor ontbreekt" not in said
