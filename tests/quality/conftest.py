"""A dbt manifest with the shape dbt 1.11 writes, small enough to read, and observations of two KPI families."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest


def _model(name: str, *parents: str, tags: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "unique_id": f"model.ademruimte.{name}",
        "name": name,
        "resource_type": "model",
        "tags": list(tags),
        "depends_on": {"macros": [], "nodes": list(parents)},
    }


def _test(
    name: str, attached: str | None, *parents: str, description: str = "", tags: tuple[str, ...] = ()
) -> dict[str, Any]:
    return {
        "unique_id": f"test.ademruimte.{name}.0f1e2d3c4b",
        "name": name,
        "resource_type": "test",
        "tags": list(tags),
        "description": description,
        "attached_node": attached,
        "depends_on": {"macros": ["macro.dbt.test_accepted_range"], "nodes": list(parents)},
    }


TICKETS = "source.ademruimte.tickets_1777.requests"
METERS = "source.ademruimte.energy_meters.readings"
STG_TICKETS = "model.ademruimte.stg_tickets_1777__requests"
STG_METERS = "model.ademruimte.stg_energy_meters__readings"
DIM_DATE = "model.ademruimte.dim_date"
KPI_TICKETS = "model.ademruimte.kpi_tickets_on_time"
KPI_ENERGY = "model.ademruimte.kpi_own_energy"
UNION = "model.ademruimte.fct_kpi_observations"

_NODES = (
    _model("stg_tickets_1777__requests", TICKETS),
    _model("stg_energy_meters__readings", METERS),
    _model("dim_date", "source.ademruimte.pipeline.city_days"),
    _model("kpi_tickets_on_time", STG_TICKETS, DIM_DATE, tags=("kpi",)),
    _model("kpi_own_energy", STG_METERS, tags=("kpi",)),
    _model("fct_kpi_observations", KPI_TICKETS, KPI_ENERGY),
    _test("tickets_close_after_opening", STG_TICKETS, STG_TICKETS, description="sluiting na opening"),
    _test("readings_not_negative", STG_METERS, STG_METERS),
    _test("relationships_tickets_date", STG_TICKETS, STG_TICKETS, DIM_DATE),
    _test("singular_days_and_meters", None, STG_METERS, DIM_DATE),
    _test("meters_look_odd", None, STG_METERS, tags=("note",)),
    _test("source_tickets_recent", None, TICKETS),
    _test("union_complete", UNION, UNION),
)


@pytest.fixture(scope="session")
def manifest() -> dict[str, Any]:
    identifiers = {
        TICKETS: "tickets_1777__requests",
        METERS: "energy_meters__readings",
        "source.ademruimte.pipeline.city_days": "city_days",
    }
    return {
        "nodes": {node["unique_id"]: node for node in _NODES},
        "sources": {
            unique_id: {"source_name": unique_id.split(".")[2], "identifier": identifier}
            for unique_id, identifier in identifiers.items()
        },
    }


@pytest.fixture
def results() -> Callable[..., list[dict[str, Any]]]:
    """Results of tests: `results(readings_not_negative=("warn", 3))`."""

    def build(**outcomes: tuple[str, int | None]) -> list[dict[str, Any]]:
        tests: list[dict[str, Any]] = [
            {"unique_id": f"test.ademruimte.{name}.0f1e2d3c4b", "status": status, "failures": failures}
            for name, (status, failures) in outcomes.items()
        ]
        return [{"unique_id": KPI_ENERGY, "status": "success", "failures": None}, *tests]

    return build


@pytest.fixture
def kpi_rows() -> pd.DataFrame:
    """Ten weeks of a share, a change and a count; all as they should be."""
    series = (
        ("tickets_1777_5wd", "kpi_tickets_on_time", "% of questions", [88.0, 91, 90, 87, 92, 90, 89, 91, 93, 90]),
        (
            "own_energy_use_yearly",
            "kpi_own_energy",
            "% change vs 2019",
            [-9.0, -9.5, -10, -9, -11, -12, -12, -13, -12, -13],
        ),
        ("sites_measured", "kpi_own_energy", "sites", [40.0] * 10),
    )
    rows = [
        {
            "kpi_id": kpi_id,
            "kpi_model": model,
            "area_id": "34022",
            "period_start": date(2026, 9, 7) + timedelta(weeks=week),
            "period_end": date(2026, 9, 13) + timedelta(weeks=week),
            "ref_date": date(2026, 9, 13) + timedelta(weeks=week),
            "value": value,
            "unit": unit,
            "n": 120,
            "completeness": 1.0,
        }
        for kpi_id, model, unit, values in series
        for week, value in enumerate(values)
    ]
    return pd.DataFrame(rows)
