"""The stock of charge points month by month, through landed crawls: a pace, and how sure it is."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.dbt.warehouses import Built, judge_again, land_charge_points, make_again, measure_again
from warehouse.engine import connect

FIRST, MONTHS = date(2025, 9, 1), 15
# a month in which the source was not read
SILENT = date(2026, 5, 1)


def _evse(number: int, changed: datetime) -> Mapping[str, object]:
    plug = {"id": "1", "power_type": "AC_3_PHASE", "max_voltage": 230, "max_amperage": 16, "max_electric_power": 11000}
    uid, told = f"{number:03}", changed.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"uid": uid, "evse_id": f"BE*ABC*E{uid}", "status": "AVAILABLE", "last_updated": told, "connectors": [plug]}


def _location(evses: Sequence[Mapping[str, object]], changed: datetime) -> object:
    return {
        "country_code": "BE",
        "party_id": "ABC",
        "id": "l1",
        "publish": True,
        "country": "BEL",
        "coordinates": {"latitude": "50.82800", "longitude": "3.26500"},
        "opening_times": {"twentyfourseven": True},
        "last_updated": changed.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "evses": evses,
    }


def _month(number: int) -> date:
    return date(FIRST.year + (FIRST.month - 1 + number) // 12, (FIRST.month - 1 + number) % 12 + 1, 1)


def _crawled(con: duckdb.DuckDBPyConnection) -> None:
    """Two full crawls a month. Every month three charge points more; the fourth of the first month goes in March."""
    for number in range(MONTHS):
        month = _month(number)
        for day in () if month == SILENT else (10, 20):
            asked = datetime(month.year, month.month, day, 6, tzinfo=UTC)
            # whatever moment an operator gives it, a point stands there from the day the city saw it
            numbers = [each for each in range(20 + 3 * number + number % 2) if each != 3 or month < date(2026, 3, 1)]
            evses = [_evse(each, datetime(2025, 1, 1, tzinfo=UTC)) for each in numbers]
            land_charge_points(con, [_location(evses, asked - timedelta(days=1))], asked, "kortrijk")
    con.execute("update landing.source_status set complete_until = '2026-11-20 06:00:00+00'")


@pytest.fixture(scope="module")
def crawled(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    warehouse = tmp_path_factory.mktemp("crawled") / "warehouse.duckdb"
    measure_again(warehouse, built, _crawled)
    judge_again(warehouse, built)
    return warehouse


def _rows(warehouse: Path, query: str) -> list[tuple[Any, ...]]:
    with connect(warehouse) as con:
        return con.execute(query).fetchall()


def _expected(number: int) -> float:
    return 20 + 3 * number + number % 2 - (_month(number) >= date(2026, 3, 1))


@pytest.mark.parametrize("kpi_id", ["charge_points_total", "charge_point_equivalents"])
def test_every_month_in_which_the_city_looked_has_its_stock_and_the_last_day_has_todays(
    crawled: Path, kpi_id: str
) -> None:
    found = _rows(
        crawled, f"select ref_date, value from marts.fct_kpi_observations where kpi_id = '{kpi_id}' order by 1"
    )
    looked = [number for number in range(MONTHS - 1) if _month(number) != SILENT]
    ends = [(_month(number + 1) - timedelta(days=1), _expected(number)) for number in looked]
    assert found == [*ends, (date(2026, 11, 20), _expected(MONTHS - 1))]
    [(now,)] = _rows(crawled, "select count(*) from marts.fct_charge_points")
    assert now == _expected(MONTHS - 1)


def test_a_month_was_known_at_the_last_delivery_of_that_month_and_a_later_one_does_not_move_it(crawled: Path) -> None:
    known = _rows(
        crawled,
        """select known_at from marts.fct_kpi_observations
        where kpi_id = 'charge_points_total' and ref_date = '2025-12-31'""",
    )
    assert known == [(datetime(2025, 12, 20, 6, tzinfo=UTC),)]


@pytest.mark.parametrize("target_id", ["charge_points_total", "charge_points_per_100"])
def test_a_target_on_charge_points_has_a_pace_an_interval_and_a_chance(crawled: Path, target_id: str) -> None:
    [(low, forecast, high, chance, is_indicative)] = _rows(
        crawled,
        f"""select forecast_low, forecast_value, forecast_high, p_reach, is_indicative
        from verdicts.fct_target_verdicts where target_id = '{target_id}'""",
    )
    assert low < forecast < high
    assert 0 <= chance <= 1
    assert not is_indicative


def test_the_status_of_a_charge_point_target_has_a_history(crawled: Path) -> None:
    history = _rows(
        crawled, "select count(*) from verdicts.fct_target_status_history where target_id = 'charge_points_total'"
    )
    assert history == [(MONTHS - 1,)]


HALF_TOLD = ("2026-02-20 06:00:00+00", "2026-11-20 06:00:00+00")
TWICE_AS_MANY_NAMED = """update landing.charge_points__crawls as crawls set evse_count = named.evses * 2
    from (select supplied_at, count(*) as evses from landing.charge_points__evses group by supplied_at) as named
    where crawls.supplied_at = named.supplied_at and crawls.supplied_at = ?"""
AS_MANY_NAMED = TWICE_AS_MANY_NAMED.replace(" * 2", "")
HALF_WITHOUT_CONNECTOR = """delete from landing.charge_points__connectors
    where supplied_at = ? and evse_uid::integer % 2 = 0"""


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param([TWICE_AS_MANY_NAMED], id="refused"),
        # let in, and nobody can read its power: it has no weight
        pytest.param([AS_MANY_NAMED, HALF_WITHOUT_CONNECTOR], id="without-a-readable-connector"),
    ],
)
def test_of_a_crawl_of_which_half_cannot_be_counted_half_is_known_at_a_months_end_and_on_the_last_day(
    crawled: Path, built: Built, tmp_path: Path, changes: Sequence[str]
) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    warehouse.write_bytes(crawled.read_bytes())
    with connect(warehouse) as con:
        for change, moment in product(changes, HALF_TOLD):
            con.execute(change, [moment])
        make_again(con, built.measured, "kpi_charge_point_equivalents", "kpi_charge_point_equivalents")
    told = "select ref_date, completeness from marts.kpi_charge_point_equivalents where kpi_id = 'charge_points_total'"
    shares = dict(_rows(warehouse, told))
    # an odd number of points has one more or one less than half
    assert shares[date(2026, 2, 28)] == pytest.approx(0.5, abs=0.02)
    assert shares[date(2026, 11, 20)] == pytest.approx(0.5, abs=0.02)
    assert shares[date(2026, 1, 31)] == 1
