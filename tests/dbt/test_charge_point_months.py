"""The stock of charge points through landed crawls: one history, its month ends, a pace and how sure it is."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.power_bi import read_marts
from tests.dbt.warehouses import Built, judge_again, land_charge_points, make_again, measure_again
from warehouse.engine import connect
from warehouse.published.powerbi.model import model_of

FIRST, MONTHS = date(2025, 9, 1), 15
# a month in which the source was not read
SILENT = date(2026, 5, 1)
LAST = datetime(2026, 11, 20, 6, tzinfo=UTC)
# of these charge points the stamps run out of order, the location changes without a stamp, the last crawl says nothing
STAMPED, MOVED, UNNAMED = 0, 1, 2


def _evse(number: int, asked: datetime) -> Mapping[str, object]:
    # whatever moment an operator gives it, a point stands there from the day the city saw it
    said = {"status": "AVAILABLE", "changed": datetime(2025, 1, 1, tzinfo=UTC), "watt": 11_000}
    if number == STAMPED and asked >= datetime(2026, 8, 20, tzinfo=UTC):
        said |= {"watt": 12_000}
    if number == STAMPED and asked >= datetime(2026, 9, 10, tzinfo=UTC):
        # from before the crawl of 10 August, that did not know of it yet
        said |= {"status": "CHARGING", "changed": datetime(2026, 8, 5, tzinfo=UTC)}
    plug = {"id": "1", "power_type": "AC_3_PHASE", "max_voltage": 230, "max_amperage": 16}
    uid, told = f"{number:03}", f"{said['changed']:%Y-%m-%dT%H:%M:%SZ}"
    evse = {"uid": uid, "evse_id": f"BE*ABC*E{uid}", "status": said["status"], "last_updated": told}
    return evse | {"connectors": [plug | {"max_electric_power": said["watt"]}]}


def _location(location: str, evses: Sequence[Mapping[str, object]], changed: datetime) -> object:
    return {
        "country_code": "BE",
        "party_id": "ABC",
        "id": location,
        "operator": {"name": "Laadpaal nv"},
        "publish": True,
        "country": "BEL",
        "coordinates": {"latitude": "50.82800", "longitude": "3.26500"},
        "opening_times": {"twentyfourseven": True},
        "last_updated": changed.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "evses": evses,
    }


def _month(number: int) -> date:
    return date(FIRST.year + (FIRST.month - 1 + number) // 12, (FIRST.month - 1 + number) % 12 + 1, 1)


def _named(number: int, asked: datetime) -> list[int]:
    """Every month three charge points more; the fourth of the first month goes in March."""
    numbers = set(range(20 + 3 * number + number % 2))
    gone = {3} if asked >= datetime(2026, 3, 1, tzinfo=UTC) else set()
    return sorted(numbers - gone - ({UNNAMED} if asked == LAST else set()))


def _crawled(con: duckdb.DuckDBPyConnection) -> None:
    """Two full crawls a month; of the last answer of all no location can be read."""
    for number in range(MONTHS):
        month = _month(number)
        for day in () if month == SILENT else (10, 20):
            asked = datetime(month.year, month.month, day, 6, tzinfo=UTC)
            evses = [_evse(each, asked) for each in _named(number, asked)]
            moved = asked >= datetime(2026, 6, 1, tzinfo=UTC)
            elsewhere = [evses.pop(MOVED)] if moved else []
            locations = [
                _location(name, there, asked - timedelta(days=1)) for name, there in (("l1", evses), ("l2", elsewhere))
            ]
            land_charge_points(con, locations, asked, "kortrijk")
    foreign: list[object] = [{"station": number, "status": "free"} for number in range(40)]
    land_charge_points(con, foreign, LAST + timedelta(hours=6), "kortrijk")
    con.execute("update landing.source_status set complete_until = '2026-11-20 06:00:00+00'")
    sectors = "case location_id when 'l1' then '34022A00-' else '34022A01-' end"
    con.execute(f"update landing.charge_points__locations set sector_id = {sectors}")


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
    return 20 + 3 * number + number % 2 - (_month(number) >= date(2026, 3, 1)) - (number == MONTHS - 1)


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


RECIPE = "is_in_stock and valid_from_at <= ? and (valid_to_at is null or valid_to_at > ?)"


def test_charge_points_stamps_out_of_order_make_no_two_periods_overlap(crawled: Path) -> None:
    overlaps = _rows(
        crawled,
        """select one.evse_key, one.valid_from_at, other.valid_from_at
        from marts.fct_charge_point_history as one
        inner join marts.fct_charge_point_history as other
            on one.evse_key = other.evse_key and one.valid_from_at < other.valid_from_at
        where one.valid_to_at is null or one.valid_to_at > other.valid_from_at""",
    )
    assert overlaps == []
    twice = "select 1 from marts.fct_charge_point_status_hourly group by evse_key, hour_at having count(*) > 1"
    assert _rows(crawled, twice) == []


def test_the_periods_of_a_charge_point_of_which_the_stamps_run_out_of_order_are_those_in_which_the_city_saw_it(
    crawled: Path,
) -> None:
    periods = _rows(
        crawled,
        """select valid_from_at::date::varchar, valid_to_at::date::varchar, power_kw, status
        from marts.fct_charge_point_history where evse_key = 'BEABCE000' order by valid_from_at""",
    )
    assert periods == [
        ("2025-09-10", "2026-08-20", 11, "AVAILABLE"),
        ("2026-08-20", "2026-09-10", 12, "AVAILABLE"),
        ("2026-09-10", None, 12, "CHARGING"),
    ]


def test_a_charge_point_that_moved_without_a_stamp_stands_once_where_it_is_now(crawled: Path) -> None:
    periods = _rows(
        crawled,
        """select location_id, valid_to_at::date::varchar, missing_since_at
        from marts.fct_charge_point_history where evse_key = 'BEABCE001' order by valid_from_at""",
    )
    assert periods == [("l1", "2026-06-10", None), ("l2", None, None)]
    now = "select location_id from marts.fct_charge_points where evse_key = 'BEABCE001'"
    assert _rows(crawled, now) == [("l2",)]


def test_the_recipe_of_the_history_gives_what_each_crawl_named_and_nothing_before_the_first(crawled: Path) -> None:
    with connect(crawled) as con:
        count = f"select count(*) from marts.fct_charge_point_history where {RECIPE}"
        for number in range(MONTHS):
            for day in () if _month(number) == SILENT else (10, 20):
                asked = datetime(_month(number).year, _month(number).month, day, 6, tzinfo=UTC)
                assert con.execute(count, [asked, asked]).fetchone() == (len(_named(number, asked)),)
        before = datetime(2025, 9, 1, tzinfo=UTC)
        assert con.execute(count, [before, before]).fetchone() == (0,)


def test_what_is_in_stock_is_the_same_for_the_stock_the_history_and_the_availability(crawled: Path) -> None:
    live, history, asked = (
        _rows(crawled, f"select evse_key from marts.{told} order by evse_key")
        for told in (
            "fct_charge_points",
            "fct_charge_point_history where is_in_stock and valid_to_at is null",
            f"fct_charge_point_status_hourly where hour_at = '{LAST:%Y-%m-%d %H}:00:00+00'",
        )
    )
    assert live == history == asked
    assert len(live) == _expected(MONTHS - 1)
    doubtful = "select evse_key from marts.fct_charge_point_findings where rule = 'vanished'"
    assert _rows(crawled, doubtful) == [("BEABCE002",)]


def _by_sector(number: int) -> list[tuple[date, str, float]]:
    """At the end of a month: one point moved to the other sector in June."""
    end, moved = _month(number + 1) - timedelta(days=1), _month(number) >= date(2026, 6, 1)
    there = [(end, "34022A00-", _expected(number) - moved)]
    return [*there, (end, "34022A01-", 1)] if moved else there


def test_every_months_end_tells_its_stock_by_sector_and_operator(crawled: Path) -> None:
    told = _rows(
        crawled,
        """select month_end_date, sector_area_id, party_id, operator_name, charge_points_count, cpe
        from marts.fct_charge_point_stock_monthly order by 1, 2""",
    )
    looked = [number for number in range(MONTHS - 1) if _month(number) != SILENT]
    expected = [row for number in looked for row in _by_sector(number)]
    assert told == [(end, sector, "ABC", "Laadpaal nv", count, count) for end, sector, count in expected]


def test_charge_points_by_sector_and_month_are_one_join_of_the_model_away(crawled: Path, built: Built) -> None:
    relations = model_of(read_marts(built.judged.manifest())).relations
    ways = {(link.many, link.one): link for link, is_active in relations if is_active}
    link = ways["fct_charge_point_stock_monthly", "dim_area"]
    rows = _rows(
        crawled,
        f"""select dim.name_nl, month_end_date, sum(charge_points_count)
        from marts.fct_charge_point_stock_monthly as fact
        inner join marts.dim_area as dim on fact.{link.many_column} = dim.{link.one_column}
        where month_end_date in ('2025-09-30', '2026-10-31') group by all order by 2, 1""",
    )
    # twenty at first; three more every month but the one gone in March, 13 months later, one of them moved
    assert rows == [
        ("Kortrijk-Centrum", date(2025, 9, 30), 20),
        ("Houtmarkt", date(2026, 10, 31), 1),
        ("Kortrijk-Centrum", date(2026, 10, 31), 58),
    ]


def test_an_answer_of_which_no_location_can_be_read_leaves_the_stock_as_it_was(crawled: Path) -> None:
    [(stock,)] = _rows(crawled, "select count(*) from marts.fct_charge_points")
    [(asked,)] = _rows(crawled, "select max(hour_at) from marts.fct_charge_point_status_hourly")
    assert (stock, asked) == (_expected(MONTHS - 1), LAST)


def test_a_month_was_known_at_the_last_delivery_of_that_month_and_a_later_one_does_not_move_it(crawled: Path) -> None:
    known = _rows(
        crawled,
        """select known_at from marts.fct_kpi_observations
        where kpi_id = 'charge_points_total' and ref_date = '2025-12-31'""",
    )
    assert known == [(datetime(2025, 12, 20, 6, tzinfo=UTC),)]


@pytest.mark.parametrize("target_id", ["charge_points_total", "charge_points_per_100"])
def test_a_stock_far_below_the_start_of_its_target_has_a_pace_and_a_chance_and_no_interval(
    crawled: Path, target_id: str
) -> None:
    [(low, forecast, high, pace, chance, is_indicative)] = _rows(
        crawled,
        f"""select forecast_low, forecast_value, forecast_high, recent_pace_per_year, p_reach, is_indicative
        from verdicts.fct_target_verdicts where target_id = '{target_id}'""",
    )
    # the registry starts at 660, the first crawl finds some twenty: such a pace turned too much for a forecast
    assert (low, forecast, high, is_indicative) == (None, None, None, True)
    assert pace is not None
    assert 0 <= chance <= 1


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
    told = "select ref_date, completeness from kpi.kpi_charge_point_equivalents where kpi_id = 'charge_points_total'"
    shares = dict(_rows(warehouse, told))
    # an odd number of points has one more or one less than half
    assert shares[date(2026, 2, 28)] == pytest.approx(0.5, abs=0.02)
    assert shares[date(2026, 11, 20)] == pytest.approx(0.5, abs=0.02)
    assert shares[date(2026, 1, 31)] == 1
