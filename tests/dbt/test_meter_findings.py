"""Meters against their own past: what each data rule finds, on the SQL that dbt runs and a real DuckDB."""

from pathlib import Path

import duckdb
import pytest
from jinja2 import Environment

_TESTS = Path(__file__).parents[2] / "dbt_project" / "tests"
_RULES = (
    "no_meter_shifts_its_level",
    "no_meter_counts_in_round_steps",
    "no_meter_draws_a_flat_line",
    "no_night_exceeds_what_a_meter_can_draw",
)
# two years of a meter, with a week and a winter in it, beside a building that is like it
_DAYS = """
create or replace table fct_energy_daily as
select
    ean, 'offtake' as direction, day::date as reading_date, carrier, 'PT1H' as granularity,
    1.0 as completeness, 0.0 as estimated_share, kwh as energy_kwh, kwh / 8 * 0.5 as night_kwh, 3.0 as night_hours
from (
    select
        ean, carrier, day,
        round(
            case carrier when 'gas' then 400 + 350 * cos(2 * pi() * dayofyear(day) / 365) else 200 end
            + 20 * sin(dayofyear(day) * 12.9898 + ean::integer), 3
        ) as kwh
    from generate_series(timestamp '2024-11-01', timestamp '2026-10-31', interval 1 day) as days (day)
    cross join (values ('1', 'gas'), ('2', 'gas'), ('3', 'electricity'), ('4', 'electricity')) as meters (ean, carrier)
)
"""


def _found(rule: str, change: str = "", days: str = _DAYS) -> list[str]:
    """The EANs that a rule names after a change of the days."""
    text = (_TESTS / f"{rule}.sql").read_text(encoding="utf-8")
    sql = Environment(autoescape=False).from_string(text).render(ref=lambda name: name, config=lambda **_: "")  # noqa: S701 - SQL, no page
    with duckdb.connect() as con:
        con.execute(days)
        con.execute(change or "select 1")
        return sorted({ean for ean, *_ in con.execute(sql).fetchall()})


@pytest.mark.parametrize("rule", _RULES)
def test_seasons_and_weekdays_are_no_finding(rule: str) -> None:
    assert _found(rule) == []


@pytest.mark.parametrize("factor", ["* 40", "/ 40"])
def test_gas_forty_times_too_high_or_too_low_is_found(factor: str) -> None:
    change = (
        f"update fct_energy_daily set energy_kwh = energy_kwh {factor} where ean = '1' and reading_date >= '2026-07-01'"
    )
    assert _found("no_meter_shifts_its_level", change) == ["1"]


def test_a_shift_of_a_meter_that_hardly_counts_says_nothing_of_the_city() -> None:
    change = """
    update fct_energy_daily set energy_kwh = energy_kwh / 5000 where ean = '1';
    update fct_energy_daily set energy_kwh = energy_kwh * 40 where ean = '1' and reading_date >= '2026-07-01'
    """
    assert _found("no_meter_shifts_its_level", change) == []


def test_days_in_round_steps_are_found() -> None:
    change = """
    update fct_energy_daily set energy_kwh = round(energy_kwh, -1) where ean = '3' and reading_date >= '2026-09-01'
    """
    assert _found("no_meter_counts_in_round_steps", change) == ["3"]


def test_a_flat_line_is_found() -> None:
    change = """
    update fct_energy_daily set energy_kwh = 211.5
    where ean = '3' and reading_date between '2026-09-01' and '2026-09-14'
    """
    assert _found("no_meter_draws_a_flat_line", change) == ["3"]
    assert _found("no_meter_draws_a_flat_line", change.replace("-14'", "-13'")) == []


def test_nights_above_all_that_a_meter_ever_drew_are_found() -> None:
    change = """
    update fct_energy_daily set night_kwh = 90
    where ean = '4' and reading_date between '2026-09-01' and '2026-09-05'
    """
    assert _found("no_night_exceeds_what_a_meter_can_draw", change) == ["4"]


def test_the_years_to_one_month_s_end_follow_each_other_and_no_29_february_counts_twice() -> None:
    macro = (_TESTS.parent / "macros" / "first_day_of_year_to.sql").read_text(encoding="utf-8")
    first_day = Environment(autoescape=False).from_string(macro).module.first_day_of_year_to("last_date")  # type: ignore[attr-defined]  # noqa: S701 - SQL, no page
    with duckdb.connect() as con:
        wrong = con.execute(f"""
            with years as (
                select last_date, {first_day} as first_date
                from (
                    select last_day(day::date) as last_date
                    from generate_series(timestamp '2019-01-01', timestamp '2032-12-31', interval 1 month) as days (day)
                )
            )
            select years.last_date from years
            inner join years as before on last_day((years.last_date - interval 1 year)::date) = before.last_date
            where years.first_date != before.last_date + 1
        """).fetchall()
        assert wrong == []
        [(start,)] = con.execute(f"select {first_day} from (select date '2024-02-28' as last_date)").fetchall()
    assert str(start) == "2023-03-01"


_REAL_DAYS = """
create table fct_energy_daily as
select
    ean, 'offtake' as direction, moment::date as reading_date, carrier, 'PT1H' as granularity, 1.0 as completeness,
    sum(kwh) as energy_kwh, sum(kwh) filter (where hour(moment) between 1 and 3) as night_kwh, 3.0 as night_hours
from ({hours})
group by all
"""


def test_of_six_real_meters_only_the_gas_that_fell_to_a_tenth_is_found(real_data: Path) -> None:
    files = sorted((real_data / "energy_meters" / "buildings").glob("b*/*/*.csv"))
    columns = "{'column0': 'timestamp', 'column1': 'double'}"
    hours = " union all ".join(
        f"""select '{file.parts[-3]} {file.parts[-2]}' as ean, '{file.parts[-2]}' as carrier, column0 as moment,
        column1 as kwh from read_csv('{file}', header = false, skip = 1, columns = {columns})"""
        for file in files
    )
    found = {rule: _found(rule, days=_REAL_DAYS.format(hours=hours)) for rule in _RULES}
    # 2 442 kWh on a usual day of January 2018, 186 a year later, and so all that year
    assert found == {rule: ["b0 gas"] if rule == "no_meter_shifts_its_level" else [] for rule in _RULES}
