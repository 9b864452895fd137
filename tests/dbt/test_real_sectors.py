"""Fluvius' own file by activity, grouped by us, against the provinces' upload of the same year."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.gate import split
from contracts.registry import city_named
from contracts.sources.indicators import OBSERVATIONS
from ingestion.delivery import Context, DroppedFile
from ingestion.demo_city import real_exports
from ingestion.demo_city.clock import CLOCK
from ingestion.sources import indicators
from tests.dbt.landed_rows import ORIGIN
from tests.dbt.warehouses import Dbt, insert
from warehouse.engine import connect
from warehouse.load import write_status

# the upload puts what is injected in one column, whoever injects it
_CELLS = """
    select
        area_id,
        coalesce(sum(energy_kwh) filter (carrier = 'electricity' and direction = 'offtake' and not is_residential), 0)
            as elek_nietres_cons,
        coalesce(sum(energy_kwh) filter (carrier = 'electricity' and direction = 'offtake' and is_residential), 0)
            as elek_res_cons,
        coalesce(sum(connections) filter (carrier = 'electricity' and direction = 'offtake' and not is_residential), 0)
            as elek_nietres_n,
        coalesce(sum(connections) filter (carrier = 'electricity' and direction = 'offtake' and is_residential), 0)
            as elek_res_n,
        coalesce(sum(energy_kwh) filter (carrier = 'electricity' and direction = 'injection'), 0) as elek_res_injectie,
        coalesce(sum(energy_kwh) filter (carrier = 'gas' and is_residential), 0) as gas_res_cons,
        coalesce(sum(energy_kwh) filter (carrier = 'gas' and not is_residential), 0) as gas_nietres_cons,
        coalesce(sum(connections) filter (carrier = 'gas' and is_residential), 0) as gas_res_n,
        coalesce(sum(connections) filter (carrier = 'gas' and not is_residential), 0) as gas_nietres_n
    from marts.fct_sector_energy
    group by area_id
"""


def test_the_sectors_of_2020_equal_the_provinces_upload_in_every_cell(
    real_data: Path, tmp_path: Path, dbt: Callable[..., Dbt], landing: Callable[..., Path]
) -> None:
    kortrijk, warehouse = city_named("kortrijk"), landing()
    (file,) = [one for one in real_exports.indicator_drops(real_data, tmp_path) if "2020" in one.name]
    received = indicators.SOURCE.read(DroppedFile(file, CLOCK), Context(kortrijk)).tables[OBSERVATIONS.name]
    accepted = split(received, OBSERVATIONS, kortrijk).accepted
    with connect(warehouse) as con:
        insert(con, "indicators", OBSERVATIONS.name, [{**row, **ORIGIN} for row in accepted.drop("line").to_dicts()])
        write_status(con, [("indicators", CLOCK, CLOCK)])
    only = ("--resource-type", "seed", "--resource-type", "model")
    models = [f"+{name}" for name in ("fct_sector_energy", "fct_indicator_values", "dim_area", "dim_kpi", "dim_unit")]
    assert dbt(warehouse, "--select", *models, *only).failed() == []
    with connect(warehouse) as con:
        for dimension, key in (("dim_area", "area_id"), ("dim_kpi", "kpi_id"), ("dim_unit", "unit")):
            orphans = f"select {key} from marts.fct_indicator_values anti join marts.{dimension} using ({key})"
            assert con.execute(orphans).fetchall() == []
        unlisted = "select area_id from marts.dim_area where not is_listed"
        assert con.execute(unlisted).fetchall() == []
        cells = con.execute(_CELLS)
        names = [column[0] for column in cells.description or []][1:]
        found = {row[0]: dict(zip(names, row[1:], strict=True)) for row in cells.fetchall()}
    upload = (real_data / "indicators" / "swing_upload_kortrijk_2018_2021.csv").read_text("utf-8").splitlines()
    expected = {row["geoitem"]: row for row in csv.DictReader(upload) if row["period"] == "2020"}
    assert found.keys() <= expected.keys()
    pairs = {
        (area, name): (found.get(area, {}).get(name, 0), float(row[f"v2506_{name}"]))
        for area, row in expected.items()
        for name in names
    }
    electricity = [key for key in pairs if key[1].startswith("elek_")]
    assert (len(electricity), len(pairs)) == (570, 1026)
    # the files hold hundredths of a kilowatt-hour
    assert {key: both for key, both in pairs.items() if both[0] != pytest.approx(both[1], abs=0.001)} == {}
