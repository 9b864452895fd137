"""An S-curve of which nobody told more than that it is one."""

from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.verdicts.method import DATABASE, compiled

GIVEN = ("int_target_readings", "target_milestones", "target_seasons")
PLAN = {
    "kpi_id": "homes",
    "direction": "increase",
    "trajectory": "s_curve",
    "baseline_value": 0.0,
    "baseline_date": date(2024, 12, 31),
    "target_value": 90.0,
    "target_date": date(2030, 12, 31),
    "series_kind": "event",
    "cadence_days": 30,
    "publication_lag_days": 1,
    "tolerance": 0.0,
}
NAMES = ("reading_kpi_id", "value_kpi_id", "alias_of", "other_reading_of", "follows")
STONE = {"milestone_date": pl.Date, "milestone_value": pl.Float64, "interpolation": pl.String}


def test_a_curve_without_milestones_is_slow_then_fast_then_slow_and_one_with_them_is_theirs(tmp_path: Path) -> None:
    code = compiled(tmp_path, ("int_target_paths",), GIVEN)["int_target_paths"]
    readings = [{**PLAN, **dict.fromkeys(NAMES), "target_id": name} for name in ("bare", "told")]
    con = duckdb.connect()
    con.execute(f"attach ':memory:' as {DATABASE}; create schema {DATABASE}.intermediate")
    for name, rows in (
        ("int_target_readings", pl.DataFrame(readings, schema_overrides=dict.fromkeys(NAMES, pl.String))),
        (
            "target_milestones",
            pl.DataFrame([("told", date(2028, 12, 31), 30.0, "linear")], ["target_id", *STONE], orient="row"),
        ),
        ("target_seasons", pl.DataFrame(schema={"target_id": pl.String, "month": pl.Int64, "weight": pl.Float64})),
    ):
        con.register("given", rows.to_arrow())
        con.execute(f"create table {DATABASE}.intermediate.{name} as select * from given")
        con.unregister("given")
    paths = con.sql(
        f"""select target_id, list_transform(milestones, lambda stone: (stone.reached_on, stone.value))
        from ({code}) order by target_id"""
    ).fetchall()
    bare, told = (stones for _, stones in paths)
    values = [value for _, value in bare]
    assert (bare[0], bare[12], bare[24]) == (
        (date(2024, 12, 31), 0),
        # half of 2 191 days
        (date(2028, 1, 1), pytest.approx(45)),
        (date(2030, 12, 31), 90),
    )
    assert values == sorted(values)
    assert values[1] < 90 / 24 / 5
    assert values[12] - values[11] > 90 / 24
    assert told == [(date(2024, 12, 31), 0), (date(2028, 12, 31), 30), (date(2030, 12, 31), 90)]
