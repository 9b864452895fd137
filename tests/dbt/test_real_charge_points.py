import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from tests.dbt.warehouses import Dbt, land_charge_points
from warehouse.engine import connect

# of 7 June: charge points and their equivalents by both methods, as counted on the file of that day alone
DUMPS = {"roosendaal": (688, 882.0, 759.5), "terneuzen": (144, 230.0, 157.0)}
# locations changed under an unchanged moment, EVSEs newer than their location, EVSEs that vanished after 2 June
TRAPS = {"roosendaal": (2, 14, 2), "terneuzen": (3, 19, 0)}
CHANGED_UNSEEN = """
with twice as (
    select country_code, party_id, location_id, min(last_updated_at) as oldest, max(last_updated_at) as newest
    from landing.charge_points__locations group by all having count(*) = 2
)

select count(distinct (country_code, party_id, location_id))
from twice inner join (
    select country_code, party_id, location_id, evse_uid
    from landing.charge_points__evses
    group by all having count(distinct (status, evse_id, last_updated_at)) > 1
) using (country_code, party_id, location_id)
where oldest = newest
"""
NEWER_THAN_THEIR_LOCATION = """
select count(*) from landing.charge_points__evses as evses
inner join landing.charge_points__locations as locations
    using (country_code, party_id, location_id, supplied_at)
where evses.last_updated_at > locations.last_updated_at and supplied_at >= '2026-06-07'
"""
TAKEN_UP = """
select count(*) from landing.charge_points__evses as later
anti join intermediate.int_charge_points__evses_current as taken
    using (country_code, party_id, location_id, evse_uid, status, last_updated_at)
where later.supplied_at >= '2026-06-07'
"""
AS_OF = """
select count(*), sum(cpe), sum(cpe_mow2024) from marts.fct_charge_point_history
where is_in_stock and valid_from_at <= $at and (valid_to_at is null or $at < valid_to_at)
"""


def _dump(real_data: Path, city: str, day: int) -> list[object]:
    found: list[object] = json.loads(
        (real_data / "charge_points" / city / f"{city}.2026-06-{day:02}.ocpi_locations.json").read_text("utf-8")
    )
    return found


def _one(con: duckdb.DuckDBPyConnection, query: str, **values: object) -> object:
    row = con.execute(query, values).fetchone()
    assert row
    return row[0] if len(row) == 1 else row


@pytest.mark.real
@pytest.mark.parametrize("city", DUMPS)
def test_two_real_versions_weigh_as_counted_by_hand_and_lose_nothing_in_between(
    city: str, real_data: Path, dbt: Callable[..., Dbt], landing: Callable[..., Path]
) -> None:
    warehouse = landing(city)
    with connect(warehouse) as con:
        # the later version arrives first
        for day in (7, 2):
            land_charge_points(con, _dump(real_data, city, day), datetime(2026, 6, day, 20, tzinfo=UTC), city)
        con.execute("update landing.source_status set complete_until = '2026-06-07 20:00:00+00'")
    only = ("--resource-type", "seed", "--resource-type", "model")
    models = ("+kpi_charge_point_equivalents", "+fct_charge_point_findings")
    assert dbt(warehouse, "--select", *models, *only, city=city).failed() == []
    with connect(warehouse) as con:
        found = _one(con, "select count(*), sum(cpe), sum(cpe_mow2024) from marts.fct_charge_points")
        kpis = con.execute("select kpi_id, value from kpi.kpi_charge_point_equivalents order by 1").fetchall()
        assert found == DUMPS[city]
        # no denominator is known for this city, so no ratio is made up
        assert kpis == [("charge_point_equivalents", DUMPS[city][1]), ("charge_points_total", float(DUMPS[city][0]))]
        vanished = _one(con, "select count(*) from marts.fct_charge_point_findings where rule = 'vanished'")
        assert (_one(con, CHANGED_UNSEEN), _one(con, NEWER_THAN_THEIR_LOCATION), vanished) == TRAPS[city]
        # every EVSE of the later version is what counts now, whatever the moment of its location says
        assert _one(con, TAKEN_UP) == 0
        _require_history(con, city)


def _require_history(con: duckdb.DuckDBPyConnection, city: str) -> None:
    """The history of the last moment holds today's stock, so that a month's end and today are the same question."""
    assert _one(con, AS_OF, at=datetime(2026, 6, 7, 20, tzinfo=UTC)) == DUMPS[city]
    # nobody looked before the first pull: an operator's stamp is no moment of placing
    assert _one(con, AS_OF, at=datetime(2026, 6, 1, tzinfo=UTC)) == (0, None, None)
    open_versions = "select count(*) from marts.fct_charge_point_history where valid_to_at is null group by evse_key"
    assert {each for (each,) in con.execute(open_versions).fetchall()} == {1}
    polled = "select count(distinct hour_at) from marts.fct_charge_point_status_hourly"
    assert _one(con, polled) == 2
