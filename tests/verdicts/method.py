"""The judgement method as it is built: SQL that dbt compiles, run over series that a test makes up."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

PROJECT = Path(__file__).parents[2] / "dbt_project"
SEEDS = PROJECT / "seeds" / "kortrijk"
STEPS = (
    "int_target_starts",
    "int_target_evaluations",
    "int_target_paces",
    "int_target_forecasts",
    "int_target_statuses",
)
GIVEN = ("int_target_paths", "int_target_observations")
# dbt names every relation after the file of the warehouse
DATABASE = "method"

PATH_SCHEMA: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "target_id": pl.String,
    "unit": pl.String,
    "direction_sign": pl.Int32,
    "baseline_value": pl.Float64,
    "baseline_date": pl.Date,
    "target_value": pl.Float64,
    "target_date": pl.Date,
    "trajectory": pl.String,
    "series_kind": pl.String,
    "tolerance": pl.Float64,
    "cadence_days": pl.Int64,
    "min_points": pl.Int64,
    "is_cumulative": pl.Boolean,
    "milestones": pl.List(pl.Struct({"reached_on": pl.Date, "value": pl.Float64, "interpolation": pl.String})),
    "season_weights": pl.List(pl.Float64),
    "planned_by": pl.String,
}
VALUE_SCHEMA: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "target_id": pl.String,
    "ref_date": pl.Date,
    "value": pl.Float64,
    "n": pl.Int64,
    "is_over_a_year": pl.Boolean,
    "is_month_over": pl.Boolean,
    "doubt_nl": pl.String,
}
COUNTED: Mapping[str, object] = {
    "unit": "dwellings (additional)",
    "direction_sign": 1,
    "baseline_value": 0.0,
    "baseline_date": date(2023, 12, 31),
    "target_value": 672.0,
    "target_date": date(2030, 12, 31),
    "trajectory": "cumulative_linear",
    "series_kind": "event",
    "tolerance": 0.0,
    "cadence_days": 30,
    "min_points": 12,
    "is_cumulative": True,
    "milestones": None,
    "season_weights": None,
    "planned_by": None,
}


def compiled(folder: Path, steps: Sequence[str] = STEPS, given: Sequence[str] = GIVEN) -> Mapping[str, str]:
    """The SQL of every step, in order, with all macros filled in.

    Args:
        folder: where dbt may write; nothing of it is needed afterwards.
        steps: models to compile.
        given: what they read and no step makes.
    """
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - a second of import

    project = _steps_alone(folder / "project", steps, given)
    paths = ["--project-dir", project, "--profiles-dir", project, "--target-path", folder, "--log-path", folder]
    arguments = ["compile", "--quiet", "--no-version-check", *map(str, paths)]
    with _environment(ADEMRUIMTE_WAREHOUSE=str(folder / f"{DATABASE}.duckdb")):
        outcome = dbtRunner().invoke(arguments)
    if not outcome.success:
        message = f"dbt could not compile the method in {PROJECT.name}: {outcome.exception or outcome.result}"
        raise RuntimeError(message)
    nodes = json.loads((folder / "manifest.json").read_text("utf-8"))["nodes"].values()
    code = {node["name"]: node["compiled_code"] for node in nodes if node.get("compiled_code")}
    return {step: code[step] for step in steps}


def _steps_alone(project: Path, steps: Sequence[str], given: Sequence[str]) -> Path:
    """The steps and all macros without the other models, which dbt would take many seconds to read."""
    models = project / "models" / "verdicts"
    models.mkdir(parents=True)
    shutil.copytree(PROJECT / "macros", project / "macros")
    for name in ("dbt_project.yml", "profiles.yml"):
        # a contract needs the descriptions, and those name models that are not here
        text = (
            (PROJECT / name).read_text("utf-8").replace("+contract: {enforced: true}", "+contract: {enforced: false}")
        )
        (project / name).write_text(text, encoding="utf-8")
    for step in steps:
        shutil.copy(PROJECT / "models" / "verdicts" / f"{step}.sql", models)
    for name in given:
        (models / f"{name}.sql").write_text(
            "{{ config(schema='intermediate', contract={'enforced': false}) }} select 1"
        )
    return project


@contextmanager
def _environment(**changes: str) -> Iterator[None]:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # noqa: PLC0415 - a second of import

    before = dict(os.environ)
    os.environ.update(changes)
    try:
        yield
    finally:
        DuckDBConnectionManager.close_all_connections()
        os.environ.clear()
        os.environ.update(before)


def judged(code: Mapping[str, str], paths: pl.DataFrame, values: pl.DataFrame) -> pl.DataFrame:
    """Every evaluation of the made-up targets, forecast and folded by the compiled SQL.

    Args:
        code: what `compiled` returned.
        paths: columns of `PATH_SCHEMA`; one row per target.
        values: columns of `VALUE_SCHEMA`; one row per target and date.

    Returns:
        The columns of `int_target_forecasts`, `status` and `status_since`, by target and date.
    """
    con = duckdb.connect()
    con.execute(f"attach ':memory:' as {DATABASE}")
    con.execute(f"create schema {DATABASE}.intermediate")
    for name, rows in zip(GIVEN, (paths, values), strict=True):
        con.register("given", rows.to_arrow())
        con.execute(f"create table {DATABASE}.intermediate.{name} as select * from given")
        con.unregister("given")
    for step, sql in code.items():
        con.execute(f"create table {DATABASE}.intermediate.{step} as {sql}")
    folded = con.sql(
        f"""select forecasts.*, statuses.status, statuses.wanted_status, statuses.status_since
        from {DATABASE}.intermediate.int_target_forecasts as forecasts
        inner join {DATABASE}.intermediate.int_target_statuses as statuses using (target_id, ref_date)
        order by target_id, ref_date"""
    )
    return pl.DataFrame(folded.to_arrow_table())


def targets(*changes: Mapping[str, object]) -> pl.DataFrame:
    """Paths of counted programmes, each with what a test wants otherwise."""
    return pl.DataFrame([{**COUNTED, **change} for change in changes], schema=dict(PATH_SCHEMA))


def series(
    target_id: str, points: Sequence[tuple[date, float]], n: int | None = None, *, is_month_over: bool = True
) -> pl.DataFrame:
    """The values of one target."""
    rows = [
        {
            "target_id": target_id,
            "ref_date": ref_date,
            "value": value,
            "n": n,
            "is_over_a_year": False,
            "is_month_over": is_month_over,
            "doubt_nl": None,
        }
        for ref_date, value in points
    ]
    return pl.DataFrame(rows, schema=dict(VALUE_SCHEMA))
