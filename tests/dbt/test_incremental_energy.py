"""A day's build reads the days that a delivery touched, and makes what a build of everything would make."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.dbt import landed_rows
from tests.dbt.scanning import rows_scanned
from tests.dbt.warehouses import Dbt, insert
from warehouse.engine import connect

MODEL = "+fct_energy_daily"
DAYS = (
    "select reading_date::varchar, energy_kwh from marts.fct_energy_daily where ean = ? and reading_date > '2026-11-18'"
)
READINGS = "landing.energy_meters__readings"
MADE_OF_READINGS = (
    "int_energy_meters__readings_daily",
    "int_energy_meters__gas_daily",
    "int_energy_meters__downgrades_daily",
    "int_energy_meters__meters_daily",
)
JUDGED_OF_READINGS = ("no_measured_reading_was_downgraded", "gas_in_kwh_fits_gas_in_m3")
# DuckDB keeps the smallest and largest value of so many rows, and skips them together
ROW_GROUP = 122_880


def _days(warehouse: Path) -> dict[str, float]:
    with connect(warehouse) as con:
        return dict(con.execute(f"{DAYS} order by 1", [landed_rows.ELECTRICITY]).fetchall())


def test_a_correction_and_a_withdrawn_day_reach_the_mart_through_the_affected_dates(
    dbt: Callable[..., Dbt], landing: Callable[..., Path]
) -> None:
    warehouse = landing()
    with connect(warehouse) as con:
        landed_rows.land_readings(con)
        insert(con, "buildings", "connections", landed_rows.ROWS["buildings", "connections"])
    dbt(warehouse, "--select", MODEL, "--resource-type", "seed", "--resource-type", "model")
    before = _days(warehouse)
    with connect(warehouse) as con:
        for value, day in ((7, "2026-11-21"), (9, "2026-11-19")):
            con.execute("update landing.energy_meters__readings set value = ? where reading_date = ?", [value, day])
        con.execute("delete from landing.energy_meters__readings where reading_date = '2026-11-20'")
        for day in ("2026-11-20", "2026-11-21"):
            con.execute("insert into landing.affected values ('energy_meters', 'readings', ?)", [day])
    rebuilt = dbt(warehouse, "--select", MODEL, "--resource-type", "seed", "--resource-type", "model")
    assert rebuilt.failed() == []
    assert before.keys() == {"2026-11-19", "2026-11-20", "2026-11-21"}
    # 19 November was not named as affected: the history is not read again
    assert _days(warehouse) == {"2026-11-19": 95, "2026-11-21": 7}


def _deliver(con: duckdb.DuckDBPyConnection, batch: str, delivered: str, readings: str) -> None:
    """Lands readings by their start, granularity, unit, direction, value and quality, and the dates they touch."""
    con.execute(
        f"""
        create or replace temp table delivery as
        select
            ean, '' as meter_id, '' as sub_ean, if(unit = 'm3' or ean like 'gas%', 'gas', 'electricity') as carrier,
            'offtake' as direction, 'total' as register, unit, granularity, start_at, start_at as end_at,
            value, if(value is null, 'missing', 'read') as quality, quality_rank, 'fluvius_csv' as source,
            timezone('Europe/Brussels', start_at)::date as reading_date, true as has_check_digit,
            '{batch}' as batch_id, 1 as line, timestamptz '{delivered}' as supplied_at,
            '{batch}' as content_sha256, timestamptz '{delivered}' as known_at
        from ({readings})
        """
    )
    con.execute(f"insert into {READINGS} by name select * from delivery order by start_at")
    _affect(con, "select distinct reading_date from delivery")


def _affect(con: duckdb.DuckDBPyConnection, dates: str) -> None:
    con.execute(f"insert into landing.affected select 'energy_meters', 'readings', * from ({dates})")


def _quarters(first: str, last: str, meters: str, value: str = "0.25", rank: int = 4) -> str:
    """Every quarter of the city's days, so 92 and 100 on the days with a change of clock."""
    instants = (
        f"timezone('Europe/Brussels', timestamp '{first}'), "
        f"timezone('Europe/Brussels', timestamp '{last}' + interval 1 day)"
    )
    return f"""
        select 'e' || meter_no as ean, 'kWh' as unit, 'PT15M' as granularity, start_at, {value} as value,
            {rank} as quality_rank
        from unnest(range({instants}, interval 15 minute)) as quarters (start_at)
        cross join unnest(range({meters})) as meters (meter_no)
    """


def _gas(first: str, last: str, kwh_per_m3: float) -> str:
    return f"""
        select 'gas' as ean, unit, 'P1D' as granularity,
            timezone('Europe/Brussels', day + interval 6 hour) as start_at, value, 4 as quality_rank
        from unnest(generate_series(timestamp '{first}', timestamp '{last}', interval 1 day)) as days (day)
        cross join (values ('kWh', 10.0 * {kwh_per_m3}), ('m3', 10.0)) as units (unit, value)
    """


def _month(first: str, value: float) -> str:
    """A month of a dwelling: it belongs to the date on which it starts."""
    start_at = f"timezone('Europe/Brussels', timestamp '{first}')"
    return f"select 'home', 'kWh', 'P1M', {start_at}, {value}, 4"


def _first_year(con: duckdb.DuckDBPyConnection) -> None:
    history = [_quarters("2025-11-21", "2026-11-20", "36"), _gas("2025-11-21", "2026-11-20", 11.0)]
    _deliver(con, "b1", "2026-11-21 08:00:00+00", " union all ".join([*history, _month("2026-10-01", 300)]))


def _next_delivery(con: duckdb.DuckDBPyConnection) -> None:
    """One more day, and corrections of a day of 92 quarters, of one of 100 and of a month; a day is withdrawn."""
    _deliver(
        con,
        "b2",
        "2026-11-22 08:00:00+00",
        " union all ".join(
            [
                _quarters("2026-11-21", "2026-11-21", "36"),
                _quarters("2026-03-29", "2026-03-29", "2", value="0.5", rank=2),
                _quarters("2026-10-25", "2026-10-25", "3", value="if(hour(start_at) = 0, null, 0.75)", rank=3),
                # of gas the two units no longer fit
                _gas("2026-05-05", "2026-05-06", 20.0),
                _month("2026-10-01", 310),
            ]
        ),
    )
    con.execute(f"delete from {READINGS} where reading_date = '2026-06-01' and batch_id = 'b1'")
    _affect(con, "select date '2026-06-01'")


def _made(con: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[Any, ...]]]:
    return {name: con.execute(f"from intermediate.{name} order by all").fetchall() for name in MADE_OF_READINGS}


class Year:
    """A year of quarters of which one more day was built, and then everything again."""

    def __init__(self, dbt: Callable[..., Dbt], warehouse: Path) -> None:
        parents = [f"+{name}" for name in MADE_OF_READINGS]
        selection = ("--select", *parents, *JUDGED_OF_READINGS, "--exclude-resource-type", "unit_test")
        # the tests of what stands above them are of other things
        selection += ("--indirect-selection", "empty")
        self.warehouse = warehouse
        self.at_first = self._build(dbt, selection, _first_year)
        self.by_dates = self._build(dbt, selection, _next_delivery)
        self.compiled = dict(self._of_readings())
        self.of_all = self._build(dbt, (*selection, "--full-refresh"), lambda _: None)

    def _build(
        self, dbt: Callable[..., Dbt], selection: tuple[str, ...], deliver: Callable[[duckdb.DuckDBPyConnection], None]
    ) -> dict[str, list[tuple[Any, ...]]]:
        with connect(self.warehouse) as con:
            con.execute("delete from landing.affected")
            deliver(con)
        self.dbt = dbt(self.warehouse, *selection)
        assert self.dbt.failed() == []
        with connect(self.warehouse) as con:
            return _made(con)

    def _of_readings(self) -> Iterator[tuple[str, str]]:
        """Whatever names the readings as its input, as it was compiled for the one day."""
        manifest = self.dbt.manifest()
        for key in manifest["child_map"]["model.ademruimte.stg_energy_meters__readings"]:
            if not key.startswith("unit_test."):
                node = manifest["nodes"][key]
                sql = self.dbt.target / "compiled" / "ademruimte" / node["original_file_path"]
                yield node["name"], sql.read_text("utf-8")


@pytest.fixture(scope="module")
def year(dbt: Callable[..., Dbt], landing: Callable[..., Path]) -> Year:
    return Year(dbt, landing())


@pytest.mark.builds  # years of readings
def test_one_more_day_reads_that_day_and_not_its_history(year: Year) -> None:
    with connect(year.warehouse) as con:
        con.execute("delete from landing.affected")
        con.execute("insert into landing.affected values ('energy_meters', 'readings', '2026-11-21')")
        [(history,)] = con.execute(f"select count(*) from {READINGS}").fetchall()
        scanned = {name: rows_scanned(con, sql)[READINGS] for name, sql in year.compiled.items()}
    assert {*MADE_OF_READINGS, *JUDGED_OF_READINGS} <= scanned.keys()
    assert history > 10 * ROW_GROUP
    # a day may lie across two groups, and be read for its versions and for when they were first known
    assert all(rows <= 4 * ROW_GROUP for rows in scanned.values()), scanned
    assert scanned["int_energy_meters__readings_daily"] > 0


@pytest.mark.builds  # years of readings
@pytest.mark.parametrize("model", MADE_OF_READINGS)
def test_the_affected_dates_alone_make_what_all_of_history_makes(year: Year, model: str) -> None:
    assert year.by_dates[model] == year.of_all[model]
    assert year.by_dates[model] != year.at_first[model]
