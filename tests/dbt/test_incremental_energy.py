from collections.abc import Callable
from pathlib import Path

from tests.dbt import landed_rows
from tests.dbt.warehouses import Dbt, insert
from warehouse.engine import connect

MODEL = "+fct_energy_daily"
DAYS = (
    "select reading_date::varchar, energy_kwh from marts.fct_energy_daily where ean = ? and reading_date > '2026-11-18'"
)


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
