"""What experts ask first, each answered by one join that the model makes too; every value was worked out by hand.

Charge points by sector and month are asked in `test_charge_point_months`.
"""

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest

from orchestration.power_bi import read_marts
from tests.dbt.landed_rows import ORIGIN, ROWS
from tests.dbt.warehouses import Built, insert, make_again
from warehouse.engine import connect
from warehouse.published.powerbi.model import Model, model_of

Join = Callable[[str, str], str]


@pytest.fixture(scope="module")
def model(built: Built) -> Model:
    return model_of(read_marts(built.judged.manifest()))


@pytest.fixture(scope="module")
def joined(model: Model) -> Join:
    """Two tables joined as the model joins them when somebody drags a field of each into one visual."""
    schemas = {table.mart.name: table.mart.schema for table in model.tables}
    links = {(link.many, link.one): link for link, is_active in model.relations if is_active}

    def join(many: str, one: str) -> str:
        link = links[many, one]
        return f"""{schemas[many]}.{many} as fact left join {schemas[one]}.{one} as dim
            on fact.{link.many_column} = dim.{link.one_column}"""

    return join


def _land_town(con: duckdb.DuckDBPyConnection) -> None:
    """Twelve more buildings: 100 kWh on each day of 2019, and in the last twelve whole months 1 to 12 % more."""
    hall = ROWS["buildings", "connections"][0]
    halls = [
        {**hall, "site_id": f"hall_{percent}", "name_nl": f"Hal {percent}", "ean": f"5414488900000090{percent:02}"}
        for percent in range(1, 13)
    ]
    insert(con, "buildings", "connections", halls)
    con.execute(
        """
        insert into landing.energy_meters__readings by name
        select
            '5414488900000090' || lpad(percent::varchar, 2, '0') as ean, '' as meter_id, '' as sub_ean,
            'electricity' as carrier, 'offtake' as direction, 'total' as register, 'kWh' as unit,
            'P1D' as granularity, 3 as quality_rank, 'fluvius_csv' as source, true as has_check_digit,
            timezone('Europe/Brussels', day) as start_at, timezone('Europe/Brussels', day + interval 1 day) as end_at,
            case when year(day) = 2019 then 100 else 100 + percent end as value, 'read' as quality,
            day::date as reading_date, 'b1' as batch_id, 1 as line, timestamptz '2026-11-22 19:00:00+00' as supplied_at,
            'a' as content_sha256, timestamptz '2026-11-22 20:00:00+00' as known_at
        from generate_series(timestamp '2019-01-01', timestamp '2026-10-31', interval 1 day) as days (day)
        cross join range(1, 13) as halls (percent)
        where year(day) = 2019 or day >= timestamp '2025-11-01'
        """
    )


def _ask(con: duckdb.DuckDBPyConnection) -> None:
    """Questions to two departments in two months: each closed the day after, or far too late."""
    asked = [
        (moment, theme, number < on_time)
        for moment, theme, on_time, count in (
            (datetime(2026, 5, 4, 9, tzinfo=UTC), "SLU", 8, 10),
            (datetime(2026, 5, 4, 9, tzinfo=UTC), "GRO", 3, 6),
            (datetime(2026, 6, 1, 9, tzinfo=UTC), "SLU", 8, 8),
            (datetime(2026, 6, 1, 9, tzinfo=UTC), "GRO", 4, 5),
        )
        for number in range(count)
    ]
    con.execute("delete from landing.tickets_1777__requests")
    rows = [
        {
            "service_request_id": str(key),
            "status": "closed",
            "service_code": theme,
            "requested_at": moment,
            "requested_date": moment.date(),
            "updated_at": moment + timedelta(days=1 if is_on_time else 20),
            "closed_at": moment + timedelta(days=1 if is_on_time else 20),
            **ORIGIN,
        }
        for key, (moment, theme, is_on_time) in enumerate(asked)
    ]
    insert(con, "tickets_1777", "requests", rows)


@pytest.fixture(scope="module")
def town(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The small Kortrijk with more buildings and more questions; only what follows from these is made again."""
    warehouse = tmp_path_factory.mktemp("town") / "warehouse.duckdb"
    shutil.copyfile(built.warehouse, warehouse)
    with connect(warehouse) as con:
        _land_town(con)
        _ask(con)
        for first, last in (
            ("dim_site", "dim_site"),
            ("int_energy_meters__readings_daily", "fct_energy_intensity"),
            ("fct_ticket_cycles", "fct_ticket_service_monthly"),
        ):
            make_again(con, built.measured, first, last)
    return Built(warehouse, built.measured, built.judged)


def test_the_ten_worst_buildings_against_the_base_year(town: Built, joined: Join) -> None:
    rows = town.rows(
        f"""select dim.name_nl,
            sum(energy_kwh) filter (where period_end = '2019-12-31') as base_kwh,
            round(sum(energy_kwh) filter (where is_latest), 6) as latest_kwh,
            round(latest_kwh / base_kwh - 1, 6) as change
        from {joined("fct_energy_intensity", "dim_site")}
        where kwh_per_m2 is not null group by all order by change desc limit 10"""
    )
    # 365 days of 100 kWh, and of 1 % more for each number: the hall of 2 %, that of 1 % and the town hall, which uses
    # 5 % less, are not among the ten
    assert rows == [(f"Hal {each}", 36_500, 36_500 + 365 * each, each / 100) for each in range(12, 2, -1)]


def test_questions_answered_on_time_by_department_and_month(town: Built, joined: Join) -> None:
    rows = town.rows(
        f"""select dim.name_nl, fact.date_key, fact.n_on_time, fact.n, fact.on_time_percent
        from {joined("fct_ticket_service_monthly", "dim_department")} order by 2, 1"""
    )
    may, june = date(2026, 5, 1), date(2026, 6, 1)
    assert rows == [
        ("Groen", may, 3, 6, 50),
        ("Klimaat", may, 8, 10, 80),
        ("Groen", june, 4, 5, 80),
        ("Klimaat", june, 8, 8, 100),
    ]


def test_targets_behind_by_department_with_their_relative_gap(built: Built, joined: Join) -> None:
    # five dwellings where 1731 were to be there, of a way of 1731: (5 - 1731) / 1731
    rows = built.rows(
        f"""select dim.department_id, fact.target_id, fact.gap,
            round(fact.gap / abs(fact.target_value - coalesce(fact.baseline_value, 0)), 4)
        from {joined("fct_target_verdicts", "dim_target")}
        where fact.status in ('behind', 'overdue') and fact.gap is not null order by 4, 2"""
    )
    assert ("wonen", "renovation_custom_trajectories", -1_726, -0.9971) in rows
    assert all(relative < 0 for *_, relative in rows)


def test_how_far_a_target_was_from_its_path_is_told_by_month(built: Built, joined: Join) -> None:
    # five dwellings, as its verdict counts them, where 1731 were to be there from nothing: (5 - 1731) / 1731
    rows = built.rows(
        f"""select dim.department_id, fact.value, fact.relative_gap
        from {joined("fct_target_progress", "dim_target")}
        where fact.target_id = 'renovation_custom_trajectories' and fact.month_end_date = date '2026-05-31'"""
    )
    assert rows == [("wonen", 5, -0.997111)]


def test_renovation_trajectories_by_month(built: Built, joined: Join) -> None:
    # one plan in March, five in April; one to four are not told, and before the first there is nothing to tell
    rows = built.rows(
        f"""select dim.year_month, max(value) from {joined("fct_kpi_observations", "dim_date")}
        where kpi_id = 'renovation_custom_trajectories' and dim.year_month between '2026-02' and '2026-05'
        group by all order by all"""
    )
    assert rows == [("2026-03", None), ("2026-04", 6), ("2026-05", 6)]
