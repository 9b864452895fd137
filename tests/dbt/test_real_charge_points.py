import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.dbt.warehouses import Dbt, land_charge_points
from warehouse.engine import connect

DUMPS = {"roosendaal": (688, 882.0, 759.5), "terneuzen": (144, 230.0, 157.0)}


@pytest.mark.parametrize("city", DUMPS)
def test_a_real_stock_of_charge_points_weighs_as_counted_by_hand(
    city: str, real_data: Path, dbt: Callable[..., Dbt], landing: Callable[..., Path]
) -> None:
    dump = real_data / "charge_points" / city / f"{city}.2026-06-07.ocpi_locations.json"
    warehouse = landing(city)
    land_charge_points(warehouse, json.loads(dump.read_text("utf-8")), datetime(2026, 6, 7, 12, tzinfo=UTC), city)
    only = ("--resource-type", "seed", "--resource-type", "model")
    assert dbt(warehouse, "--select", "+kpi_charge_point_equivalents", *only, city=city).failed() == []
    with connect(warehouse) as con:
        found = con.execute("select count(*), sum(cpe), sum(cpe_mow2024) from marts.fct_charge_points").fetchone()
        kpis = con.execute("select kpi_id, value from marts.kpi_charge_point_equivalents order by 1").fetchall()
    assert found == DUMPS[city]
    # no denominator is known for this city, so no ratio is made up
    assert kpis == [("charge_point_equivalents", found[1]), ("charge_points_total", float(found[0]))]
