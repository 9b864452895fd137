"""The exit of `measure`: what dbt and the warehouse say is gathered for `orchestration.quality` to judge."""

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from orchestration.loop.transform import Transformed
from orchestration.quality import judge_quality, run_suite, source_kpi_models
from warehouse.engine import frame
from warehouse.layout import Layout
from warehouse.published.parquet import read_table
from warehouse.published.pointer import current

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger("ademruimte.build")
# of a file that any department may fill the share is each indicator's own
_ACCEPTED = """
select source_name as source, null::varchar as kpi_id, accepted_share from marts.dim_source
where source_name != 'indicators'
union all
select 'indicators', kpi_id, accepted_share from intermediate.int_indicators__accepted_shares
"""
_OBSERVATIONS = "select * from marts.fct_kpi_observations order by all"


def judge_exit(
    con: duckdb.DuckDBPyConnection,
    measured: Transformed,
    layout: Layout,
    build_id: str,
    not_loaded: Mapping[str, str],
) -> pl.DataFrame:
    """Runs the exit suite and fills `quality.dq_verdict` of this build.

    Args:
        con: the warehouse.
        measured: what dbt made and tested.
        layout: where the Data Docs and the published build lie.
        build_id: this build.
        not_loaded: per source why a batch of it could not be loaded.

    Returns:
        kpi_id, verdict, reasons (list of text), build_id.
    """
    observations = frame(con, _OBSERVATIONS)
    failures = run_suite(observations.to_pandas(), layout.quality / build_id, build_id, _published(layout))
    verdicts = judge_quality(
        measured.manifest,
        measured.tests,
        _with_unloaded(failures, observations, measured, not_loaded),
        observations,
        frame(con, _ACCEPTED),
        frame(con, "select kpi_id, completeness_limit, accepted_limit from marts.dim_target"),
        build_id,
    )
    con.register("judged", verdicts)
    con.execute("delete from quality.dq_verdict")
    con.execute("insert into quality.dq_verdict by name select * from judged")
    return verdicts


def _published(layout: Layout) -> "pd.DataFrame | None":
    """The observations readers see now, by KPI: one that loses history against them is doubtful."""
    build_id = current(layout.published)
    if build_id is None:
        return None
    try:
        return read_table(layout.published, build_id, "marts.fct_kpi_observations").select("kpi_id").to_pandas()
    except (OSError, pl.exceptions.PolarsError) as damaged:
        _log.warning("build %s cannot be read, so no KPI is held against it: %s", build_id, damaged)
        return None


def _with_unloaded(
    failures: Mapping[str, Sequence[str]],
    observations: pl.DataFrame,
    measured: Transformed,
    not_loaded: Mapping[str, str],
) -> dict[str, list[str]]:
    """Adds every KPI downstream of a source of which a batch could not be loaded."""
    joined = {kpi_id: list(reasons) for kpi_id, reasons in failures.items()}
    by_source = source_kpi_models(measured.manifest)
    for source in not_loaded:
        models = list(by_source.get(source, ()))
        for kpi_id in observations.filter(pl.col("kpi_model").is_in(models))["kpi_id"].unique():
            joined.setdefault(kpi_id, []).append(f"een levering van {source} kon niet geladen worden")
    return joined
